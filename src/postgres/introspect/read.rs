//! Asks the server and gives the answers to the assembly.

use serde::de::DeserializeOwned;

use super::{assemble, queries, rows, tables};
use crate::catalog::Catalog;
use crate::postgres::{Rows, Session, SqlFailure};
use crate::sql::{self, Ident, SqlText};

/// What of a database is read.
#[derive(Clone, Debug, Default)]
pub struct Scope {
    /// Everything in these schemas.
    pub schemas: Vec<Ident>,
    /// These roles, where they exist (roles belong to the cluster).
    pub roles: Vec<Ident>,
}

impl Scope {
    /// What a catalog speaks of.
    pub fn of(catalog: &Catalog) -> Scope {
        Scope {
            schemas: catalog.schemas.iter().cloned().collect(),
            roles: catalog.roles.keys().cloned().collect(),
        }
    }
}

/// Reads the catalog of a database. Types and expressions come out as the server writes them, with the schema of every
/// name that is not PostgreSQL's own. Works inside a transaction too, and sees what that has done.
pub async fn introspect(session: &mut Session, scope: &Scope) -> Result<Catalog, SqlFailure> {
    let before = session.query(&sql::fixed("SHOW search_path")).await?;
    session.batch(&sql::fixed("SET search_path = ''")).await?;
    let catalog = read(session, scope).await?;
    let path = sql::literal(before.scalar().unwrap_or_default());
    let restore = sql::fill(
        "SELECT set_config('search_path', {path}, false)",
        &[("path", &path)],
    );
    session.query(&restore).await?;
    Ok(catalog)
}

async fn read(session: &mut Session, scope: &Scope) -> Result<Catalog, SqlFailure> {
    let parts = [
        ("schemas", &array(&scope.schemas)),
        ("roles", &array(&scope.roles)),
    ];
    let message = [
        queries::NAMES,
        queries::TYPES,
        queries::TABLES,
        queries::COLUMNS,
        queries::PARTITIONS,
        queries::CONSTRAINTS,
        queries::INDEXES,
        queries::STATISTICS,
        queries::TRIGGERS,
        queries::POLICIES,
        queries::GRANTS,
        queries::FUNCTIONS,
        queries::VIEWS,
    ]
    .map(|query| sql::fill(query, &parts));
    // One message, one answer for each statement: all questions cost one round trip.
    let answers = session.send(&sql::join(message, "\n;\n")).await?;
    let mut answers = answers.into_iter();
    let mut catalog = Catalog::default();
    assemble::names(&mut catalog, rows_of::<rows::NameRow>(answers.next()));
    assemble::types(&mut catalog, rows_of(answers.next()));
    tables::tables(&mut catalog, rows_of(answers.next()));
    tables::columns(&mut catalog, rows_of(answers.next()));
    tables::partitions(&mut catalog, rows_of(answers.next()));
    tables::constraints(&mut catalog, rows_of(answers.next()));
    let indexes = rows_of(answers.next());
    tables::statistics(&mut catalog, rows_of(answers.next()));
    assemble::triggers(&mut catalog, rows_of(answers.next()));
    assemble::policies(&mut catalog, rows_of(answers.next()));
    let grants = rows_of(answers.next());
    assemble::functions(&mut catalog, rows_of(answers.next()));
    assemble::views(&mut catalog, rows_of(answers.next()));
    tables::indexes(&mut catalog, indexes);
    assemble::grants(&mut catalog, grants);
    Ok(catalog)
}

/// The rows of one answer. A row that does not fit its type would be a mismatch between `queries` and `rows`, which the tests
/// against a server see; it is left out.
fn rows_of<T: DeserializeOwned>(answer: Option<Rows>) -> Vec<T> {
    let rows = answer.map(|answer| answer.rows).unwrap_or_default();
    rows.iter()
        .filter_map(|row| row.first()?.as_deref())
        .filter_map(|json| serde_json::from_str(json).ok())
        .collect()
}

fn array(names: &[Ident]) -> SqlText {
    let items = sql::join(names.iter().map(|name| sql::literal(name.as_str())), ", ");
    sql::fill("ARRAY[{items}]::text[]", &[("items", &items)])
}
