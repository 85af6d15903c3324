//! A catalog in the server's own spelling.
//!
//! What a design writes as `value >= 0` the server prints as `(value >= 0)`. Only the spelling of types and expressions is
//! taken from the server; what objects there are, their columns, their order, actions and flags stay the model's.

use super::scratch;
use crate::catalog::{Catalog, ColumnDefault, Table, UserType};
use crate::postgres::{Scope, Session, SqlFailure, introspect};
use crate::sql::{SqlText, fill, fixed, quote_qualified};
use crate::verify::stage::{begin, rollback};

/// The catalog with every expression and type as the server spells it. Everything is taken back; the session must see the
/// design's schema.
pub(super) async fn canonical(
    session: &mut Session,
    catalog: &Catalog,
) -> Result<Catalog, SqlFailure> {
    session.batch(&begin()).await?;
    let spelt = spell(session, catalog).await;
    session.batch(&rollback()).await?;
    spelt
}

async fn spell(session: &mut Session, catalog: &Catalog) -> Result<Catalog, SqlFailure> {
    // Bodies of functions are not looked into, so their order does not matter.
    for statement in scratch::statements(catalog) {
        session.batch(&statement).await?;
    }
    let scope = Scope {
        schemas: vec![scratch::schema()],
        roles: Vec::new(),
    };
    let spelt = introspect(session, &scope).await?;
    let mut out = catalog.clone();
    for (name, (kind, _)) in &mut out.types {
        if let (
            UserType::Domain { base, checks },
            Some((
                UserType::Domain {
                    base: other,
                    checks: others,
                },
                _,
            )),
        ) = (kind, spelt.types.get(&scratch::moved(name)))
        {
            base.clone_from(other);
            checks.clone_from(others);
        }
    }
    for (name, table) in &mut out.tables {
        if let Some(spelt) = spelt.tables.get(&scratch::moved(name)) {
            respell(table, spelt);
        }
    }
    for (name, view) in &mut out.views {
        let moved = scratch::moved(name);
        if let Some((_, spelt)) = spelt.views.iter().find(|(name, _)| *name == moved) {
            view.query = spelt.query.clone();
        }
    }
    functions(session, &mut out).await?;
    Ok(out)
}

fn respell(table: &mut Table, spelt: &Table) {
    for (column, spelt) in table.columns.iter_mut().zip(&spelt.columns) {
        column.data_type = spelt.data_type.clone();
        column.collation = spelt.collation.clone();
        match (&mut column.default, &spelt.default) {
            (Some(ColumnDefault::Expression(text)), Some(ColumnDefault::Expression(other)))
            | (Some(ColumnDefault::Generated(text)), Some(ColumnDefault::Generated(other))) => {
                text.clone_from(other)
            }
            // `DEFAULT NULL` is no default.
            (Some(ColumnDefault::Expression(_)), None) => column.default = None,
            _ => {}
        }
    }
    for (name, check) in &mut table.checks {
        if let Some(spelt) = spelt.checks.get(name) {
            check.expression = spelt.expression.clone();
        }
    }
    for (name, exclusion) in &mut table.exclusions {
        if let Some(spelt) = spelt.exclusions.get(name) {
            exclusion.elements = spelt.elements.clone();
            exclusion.predicate = respelt(&exclusion.predicate, &spelt.predicate);
        }
    }
    for (name, index) in &mut table.indexes {
        let Some(spelt) = spelt.indexes.get(name) else {
            continue;
        };
        for (key, spelt) in index.keys.iter_mut().zip(&spelt.keys) {
            key.expression = spelt.expression.clone();
            key.column = spelt.column.clone();
            key.collation = spelt.collation.clone();
            key.opclass = spelt.opclass.clone();
        }
        index.predicate = respelt(&index.predicate, &spelt.predicate);
    }
    for (name, policy) in &mut table.policies {
        if let Some(spelt) = spelt.policies.get(name) {
            policy.using = respelt(&policy.using, &spelt.using);
            policy.check = respelt(&policy.check, &spelt.check);
        }
    }
    for (name, trigger) in &mut table.triggers {
        if let Some(spelt) = spelt.triggers.get(name) {
            trigger.when = respelt(&trigger.when, &spelt.when);
        }
    }
    respell_partitions(table, spelt);
}

fn respell_partitions(table: &mut Table, spelt: &Table) {
    let (Some(partitioning), Some(spelt)) = (&mut table.partitioning, &spelt.partitioning) else {
        return;
    };
    // Storage parameters are those of the partitions.
    table.with.clear();
    for partition in &mut partitioning.partitions {
        if let Some(spelt) = spelt
            .partitions
            .iter()
            .find(|other| other.name == partition.name)
        {
            partition.bound = spelt.bound.clone();
        }
    }
}

/// The server's spelling where the model has something to spell.
fn respelt(own: &Option<SqlText>, spelt: &Option<SqlText>) -> Option<SqlText> {
    own.as_ref()
        .map(|own| spelt.clone().unwrap_or_else(|| own.clone()))
}

/// Functions carry their name, so they are made anew in place.
async fn functions(session: &mut Session, catalog: &mut Catalog) -> Result<(), SqlFailure> {
    for (name, function) in &catalog.functions {
        let drop = fill(
            "DROP ROUTINE {name} CASCADE",
            &[("name", &quote_qualified(name))],
        );
        session.batch(&fixed("SAVEPOINT function")).await?;
        let dropped = session.batch(&drop).await;
        if dropped.is_err() {
            // Several of one name: `CREATE OR REPLACE` may do without.
            session
                .batch(&fixed("ROLLBACK TO SAVEPOINT function"))
                .await?;
        }
        if session.batch(&function.definition).await.is_err() {
            session
                .batch(&fixed("ROLLBACK TO SAVEPOINT function"))
                .await?;
        }
    }
    let schemas = catalog
        .functions
        .keys()
        .map(|name| name.schema.clone())
        .collect();
    let spelt = introspect(
        session,
        &Scope {
            schemas,
            roles: Vec::new(),
        },
    )
    .await?;
    for (name, function) in &mut catalog.functions {
        if let Some(spelt) = spelt.functions.get(name) {
            function.definition = spelt.definition.clone();
        }
    }
    Ok(())
}
