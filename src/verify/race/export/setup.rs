//! What must be there before the first step: the schema, made by the roles that `verify` would make it with; the rows; and what is asked
//! at the end.

use std::collections::BTreeSet;

use crate::catalog::{Catalog, ObjectPath};
use crate::compile;
use crate::design::{Model, Rule};
use crate::error::Error;
use crate::finding::{Replay, RunsAs};
use crate::invariant;
use crate::sql::{
    self, Ident, QualifiedName, SqlText, fill, fixed, join, literal, number, quote_ident,
    quote_qualified,
};
use crate::template::Environment;
use crate::verify::race::history;

/// Owns the schema. A superuser would pass every policy.
const OWNER: &str = "pgproof_owner";

/// Statements in the order in which they are run.
pub(super) struct Setup {
    /// The schema, by a superuser who takes the owner's role on the way.
    pub schema: Vec<SqlText>,
    /// The rows.
    pub rows: Vec<SqlText>,
    /// What takes everything away.
    pub teardown: Vec<SqlText>,
    /// What finds the violations.
    pub violations: Vec<SqlText>,
    search_path: SqlText,
}

impl Setup {
    pub(super) fn new(
        model: &Model,
        catalog: &Catalog,
        environment: &Environment,
        replay: &Replay,
    ) -> Result<Setup, Error> {
        let named = |found: &&crate::design::Invariant| found.name.as_str() == replay.invariant;
        let Some(invariant) = model.invariants.iter().find(named) else {
            return Err(Error::Internal(format!(
                "the design has no invariant {}",
                replay.invariant
            )));
        };
        let search_path = fill(
            "SET search_path TO {schema}, public",
            &[("schema", &quote_ident(&model.database.schema))],
        );
        let mut watched: BTreeSet<Ident> = history::watched(invariant);
        let counts = matches!(invariant.rule, Rule::Idempotent { .. });
        if counts {
            watched.extend(catalog.tables.keys().map(|name| name.name.clone()));
        }
        let mut schema = schema(catalog, environment)?;
        if !watched.is_empty() {
            schema.push(history::setup());
            let tables = catalog.tables.keys();
            let tables = tables.filter(|name| watched.contains(&name.name));
            schema.extend(tables.map(history::watch));
        }
        let mut violations: Vec<SqlText> = [
            invariant::drift(model, invariant),
            history::query(model, invariant),
        ]
        .into_iter()
        .flatten()
        .collect();
        violations.extend(counts.then(history::effects));
        Ok(Setup {
            schema,
            rows: rows(replay),
            teardown: teardown(catalog, !watched.is_empty()),
            violations,
            search_path,
        })
    }

    /// What a session of the counterexample does before its first step.
    pub(super) fn of_session(&self, runs_as: &RunsAs) -> Vec<SqlText> {
        let mut statements = vec![self.search_path.clone()];
        statements.extend(match runs_as {
            RunsAs::Superuser => None,
            RunsAs::Owner => Some(set_role(&Ident::from(OWNER))),
            RunsAs::Role(role) => Some(set_role(&Ident::from(role.as_str()))),
        });
        statements
    }
}

fn set_role(role: &Ident) -> SqlText {
    fill("SET ROLE {role}", &[("role", &quote_ident(role))])
}

fn schema(catalog: &Catalog, environment: &Environment) -> Result<Vec<SqlText>, Error> {
    let owner = Ident::from(OWNER);
    let mut first = vec![role(&owner, false)];
    for (name, made) in &catalog.roles {
        first.push(role(name, made.bypass_rls));
    }
    first.push(fill(
        "DO $do$ BEGIN EXECUTE format('GRANT CREATE ON DATABASE %I TO {owner}', current_database()); END $do$",
        &[("owner", &quote_ident(&owner))],
    ));
    let mut own = Vec::new();
    for statement in compile::ddl(catalog, environment)?.statements {
        match &statement.object {
            ObjectPath::Role(_) if !statement.sql.as_str().starts_with("GRANT ") => {}
            ObjectPath::Extension(_) => first.push(statement.sql),
            _ => own.push(statement.sql),
        }
    }
    first.push(set_role(&owner));
    first.extend(own);
    first.push(fixed("RESET ROLE"));
    first.push(fixed("RESET search_path"));
    Ok(first)
}

/// Roles belong to the server, and may be there from before.
fn role(name: &Ident, bypass_rls: bool) -> SqlText {
    let bypass = fixed(if bypass_rls { " BYPASSRLS" } else { "" });
    fill(
        "DO $do$ BEGIN CREATE ROLE {name} NOLOGIN{bypass}; EXCEPTION WHEN duplicate_object THEN NULL; END $do$",
        &[("name", &quote_ident(name)), ("bypass", &bypass)],
    )
}

/// Triggers and references stay quiet: these rows were legal when they were put there first.
fn rows(replay: &Replay) -> Vec<SqlText> {
    if replay.rows.is_empty() && replay.sequences.is_empty() {
        return Vec::new();
    }
    let mut statements = vec![fixed("SET session_replication_role = replica")];
    for kept in &replay.rows {
        let columns: Vec<Ident> = kept
            .columns
            .iter()
            .map(|name| Ident::from(name.as_str()))
            .collect();
        let table = name(&kept.schema, &kept.table);
        statements.push(sql::insert(&table, &columns, &kept.rows));
    }
    for kept in &replay.sequences {
        let sequence = literal(quote_qualified(&name(&kept.schema, &kept.name)).as_str());
        let called = fixed(if kept.called { "true" } else { "false" });
        let parts = [
            ("sequence", &sequence),
            ("last", &number(kept.last)),
            ("called", &called),
        ];
        statements.push(fill("SELECT setval({sequence}, {last}, {called})", &parts));
    }
    statements.push(fixed("RESET session_replication_role"));
    statements
}

fn name(schema: &str, name: &str) -> QualifiedName {
    QualifiedName::new(schema.into(), name.into())
}

/// Roles of the design stay: they may have been there from before.
fn teardown(catalog: &Catalog, is_watched: bool) -> Vec<SqlText> {
    let schemas = join(catalog.schemas.iter().map(quote_ident), ", ");
    let owner = quote_ident(&Ident::from(OWNER));
    let mut statements = vec![fill(
        "DROP SCHEMA IF EXISTS {schemas} CASCADE",
        &[("schemas", &schemas)],
    )];
    if is_watched {
        statements.push(fixed("DROP SCHEMA IF EXISTS pgproof_shadow CASCADE"));
    }
    statements.push(fill(
        "DO $do$ BEGIN DROP OWNED BY {owner} CASCADE; DROP ROLE {owner}; EXCEPTION WHEN dependent_objects_still_exist OR undefined_object THEN NULL; END $do$",
        &[("owner", &owner)],
    ));
    statements
}
