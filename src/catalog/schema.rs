//! The whole catalog, and paths to what is in it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::Serialize;

use super::constraint::Check;
use super::routine::{Function, View};
use super::table::Table;
use crate::sql::{Ident, QualifiedName, SqlText};

/// A type the design defines.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum UserType {
    /// CREATE TYPE … AS ENUM, labels in order.
    Enum(Vec<String>),
    /// CREATE DOMAIN.
    Domain {
        /// Underlying type.
        base: SqlText,
        /// CHECK constraints over `value`.
        checks: BTreeMap<Ident, Check>,
    },
}

/// A role of the design.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Role {
    /// LOGIN.
    pub login: bool,
    /// BYPASSRLS.
    pub bypass_rls: bool,
}

/// What a role may do to a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "PostgreSQL's own words")]
pub enum Privilege {
    Select,
    Insert,
    Update,
    Delete,
    Truncate,
    References,
    Trigger,
}

impl Privilege {
    /// All, in PostgreSQL's order.
    pub const ALL: [Privilege; 7] = [
        Privilege::Select,
        Privilege::Insert,
        Privilege::Update,
        Privilege::Delete,
        Privilege::Truncate,
        Privilege::References,
        Privilege::Trigger,
    ];

    /// As SQL spells it.
    pub fn sql(self) -> &'static str {
        match self {
            Privilege::Select => "SELECT",
            Privilege::Insert => "INSERT",
            Privilege::Update => "UPDATE",
            Privilege::Delete => "DELETE",
            Privilege::Truncate => "TRUNCATE",
            Privilege::References => "REFERENCES",
            Privilege::Trigger => "TRIGGER",
        }
    }
}

/// A schema as plain data.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Catalog {
    /// Schemas of the design.
    pub schemas: BTreeSet<Ident>,
    /// CREATE EXTENSION.
    pub extensions: BTreeSet<Ident>,
    /// Enums and domains, with their comments.
    pub types: BTreeMap<QualifiedName, (UserType, Option<String>)>,
    /// Tables, partitions apart.
    pub tables: BTreeMap<QualifiedName, Table>,
    /// Views and materialised views, in dependency order.
    pub views: Vec<(QualifiedName, View)>,
    /// Functions: derived trigger functions and authored routines.
    pub functions: BTreeMap<QualifiedName, Function>,
    /// Roles (cluster-wide in PostgreSQL).
    pub roles: BTreeMap<Ident, Role>,
}

/// Names one object of a catalog.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[expect(
    missing_docs,
    reason = "each variant names one kind of object by table and name"
)]
pub enum ObjectPath {
    Schema(Ident),
    Extension(Ident),
    Type(QualifiedName),
    Table(QualifiedName),
    Column(QualifiedName, Ident),
    NotNull(QualifiedName, Ident),
    PrimaryKey(QualifiedName),
    Unique(QualifiedName, Ident),
    Check(QualifiedName, Ident),
    ForeignKey(QualifiedName, Ident),
    Exclusion(QualifiedName, Ident),
    Index(QualifiedName, Ident),
    Statistics(QualifiedName, Ident),
    Trigger(QualifiedName, Ident),
    Policy(QualifiedName, Ident),
    RowSecurity(QualifiedName),
    ForceRowSecurity(QualifiedName),
    Grants(QualifiedName, Ident),
    View(QualifiedName),
    Function(QualifiedName),
    Role(Ident),
}

impl ObjectPath {
    /// The table it is or belongs to.
    pub fn table(&self) -> Option<&QualifiedName> {
        use ObjectPath::*;
        match self {
            Table(table)
            | Column(table, _)
            | NotNull(table, _)
            | PrimaryKey(table)
            | Unique(table, _)
            | Check(table, _)
            | ForeignKey(table, _)
            | Exclusion(table, _)
            | Index(table, _)
            | Statistics(table, _)
            | Trigger(table, _)
            | Policy(table, _)
            | RowSecurity(table)
            | ForceRowSecurity(table)
            | Grants(table, _) => Some(table),
            Schema(_) | Extension(_) | Type(_) | View(_) | Function(_) | Role(_) => None,
        }
    }
}

impl fmt::Display for ObjectPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use ObjectPath::*;
        let (kind, table, name) = match self {
            Schema(name) => ("schema", None, Some(name)),
            Extension(name) => ("extension", None, Some(name)),
            Role(name) => ("role", None, Some(name)),
            Type(name) => ("type", None, Some(&name.name)),
            Table(name) => ("table", None, Some(&name.name)),
            View(name) => ("view", None, Some(&name.name)),
            Function(name) => ("function", None, Some(&name.name)),
            Column(table, name) => ("column", Some(table), Some(name)),
            NotNull(table, name) => ("not null", Some(table), Some(name)),
            PrimaryKey(table) => ("primary key", Some(table), None),
            Unique(table, name) => ("unique constraint", Some(table), Some(name)),
            Check(table, name) => ("check", Some(table), Some(name)),
            ForeignKey(table, name) => ("foreign key", Some(table), Some(name)),
            Exclusion(table, name) => ("exclusion", Some(table), Some(name)),
            Index(table, name) => ("index", Some(table), Some(name)),
            Statistics(table, name) => ("statistics", Some(table), Some(name)),
            Trigger(table, name) => ("trigger", Some(table), Some(name)),
            Policy(table, name) => ("policy", Some(table), Some(name)),
            RowSecurity(table) => ("row-level security", Some(table), None),
            ForceRowSecurity(table) => ("forced row-level security", Some(table), None),
            Grants(table, name) => ("grants to", Some(table), Some(name)),
        };
        match (table, name) {
            (Some(table), Some(name)) => {
                write!(f, "{kind} {} on {}", name.as_str(), table.name.as_str())
            }
            (Some(table), None) => write!(f, "{kind} on {}", table.name.as_str()),
            (None, Some(name)) => write!(f, "{kind} {}", name.as_str()),
            (None, None) => f.write_str(kind),
        }
    }
}

impl Catalog {
    /// The catalog without one object: a mutant. `false` where there is nothing of that name.
    pub fn remove(&mut self, path: &ObjectPath) -> bool {
        use ObjectPath::*;
        let table = match path {
            NotNull(table, _)
            | PrimaryKey(table)
            | Unique(table, _)
            | Check(table, _)
            | ForeignKey(table, _)
            | Exclusion(table, _)
            | Index(table, _)
            | Statistics(table, _)
            | Trigger(table, _)
            | Policy(table, _)
            | RowSecurity(table)
            | ForceRowSecurity(table)
            | Grants(table, _) => self.tables.get_mut(table),
            _ => None,
        };
        let Some(table) = table else { return false };
        match path {
            NotNull(_, name) => match table
                .columns
                .iter_mut()
                .find(|c| c.name == *name && !c.nullable)
            {
                Some(column) => {
                    column.nullable = true;
                    true
                }
                None => false,
            },
            PrimaryKey(_) => table.primary_key.take().is_some(),
            Unique(_, name) => table.uniques.remove(name).is_some(),
            Check(_, name) => table.checks.remove(name).is_some(),
            ForeignKey(_, name) => table.foreign_keys.remove(name).is_some(),
            Exclusion(_, name) => table.exclusions.remove(name).is_some(),
            Index(_, name) => table.indexes.remove(name).is_some(),
            Statistics(_, name) => table.statistics.remove(name).is_some(),
            Trigger(_, name) => table.triggers.remove(name).is_some(),
            Policy(_, name) => table.policies.remove(name).is_some(),
            RowSecurity(_) => std::mem::take(&mut table.row_security),
            ForceRowSecurity(_) => std::mem::take(&mut table.force_row_security),
            Grants(_, role) => table.grants.remove(role).is_some(),
            _ => false,
        }
    }
}
