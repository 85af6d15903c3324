//! Functions, triggers, policies and views.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::schema::Privilege;
use crate::sql::{Ident, QualifiedName, SqlText};

/// A function without arguments that returns `trigger`, or whatever its whole definition says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Function {
    /// The body between the dollar quotes, for functions that pgproof derives; empty for authored ones.
    pub body: String,
    /// The whole `CREATE FUNCTION …` statement.
    pub definition: SqlText,
}

/// When a trigger fires.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TriggerTiming {
    /// BEFORE … FOR EACH ROW.
    BeforeRow,
    /// AFTER … FOR EACH ROW.
    AfterRow,
    /// BEFORE … FOR EACH STATEMENT (TRUNCATE guards).
    BeforeStatement,
    /// CONSTRAINT TRIGGER … DEFERRABLE INITIALLY DEFERRED FOR EACH ROW.
    Deferred,
}

/// A trigger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Trigger {
    /// When.
    pub timing: TriggerTiming,
    /// `INSERT`, `UPDATE`, `UPDATE OF …` columns are in `columns`, `DELETE`, `TRUNCATE`.
    pub events: Vec<String>,
    /// `UPDATE OF` these; empty for all.
    pub columns: Vec<Ident>,
    /// `WHEN (…)`.
    pub when: Option<SqlText>,
    /// Function it calls.
    pub function: QualifiedName,
}

/// Which statements a policy governs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "PostgreSQL's own words")]
pub enum PolicyCommand {
    All,
    Select,
    Insert,
    Update,
    Delete,
}

/// A row-level security policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Policy {
    /// FOR.
    pub command: PolicyCommand,
    /// TO; empty is PUBLIC.
    pub roles: Vec<Ident>,
    /// USING.
    pub using: Option<SqlText>,
    /// WITH CHECK.
    pub check: Option<SqlText>,
}

/// A view or materialised view.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct View {
    /// The query.
    pub query: SqlText,
    /// MATERIALIZED.
    pub materialized: bool,
    /// `security_invoker` (PostgreSQL 15 and later).
    pub security_invoker: bool,
    /// Of a materialised view: columns of its unique index `<name>_key`, so that it can be refreshed concurrently.
    pub key: Vec<Ident>,
    /// Grants by role.
    pub grants: BTreeMap<Ident, BTreeSet<Privilege>>,
    /// COMMENT.
    pub comment: Option<String>,
}
