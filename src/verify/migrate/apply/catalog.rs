//! What the database has, beside what a design would have there.

use super::journal;
use super::run::Side;
use crate::catalog::{Catalog, differences};
use crate::error::Error;
use crate::migrate::progress_table;
use crate::postgres::{Scope, Server, ServerOptions, Session, introspect};
use crate::sql::{Ident, QualifiedName, fill, literal};
use crate::template::Environment;
use crate::verify::stage::{Stage, Staged};

/// The catalogs of designs as a server spells them: each is applied to a throw-away database, because only a server of the same version
/// writes expressions as the one that is changed does.
pub(super) async fn expected(
    options: &ServerOptions,
    sides: &[&Side<'_>],
    environment: &Environment,
) -> Result<Vec<Catalog>, Error> {
    let server = Server::start(options).await?;
    let found = server.version().major;
    if found != options.major {
        let text = server.version().text.clone();
        server.stop().await?;
        return Err(Error::Environment {
            message: format!(
                "the database is on PostgreSQL {}, and the designs can only be built on {text} here, which may write its catalog otherwise",
                options.major
            ),
            help: format!(
                "say with --postgres where a PostgreSQL {} is to be had: docker, local, or a URL, also that of the same server",
                options.major
            ),
        });
    }
    let mut out = Vec::new();
    for side in sides {
        match Stage::open(&server, side.model, side.compiled, environment).await? {
            Staged::Ready(stage) => {
                out.push(of_stage(&stage, side).await?);
                stage.close().await?;
            }
            Staged::Refused(finding) => {
                server.stop().await?;
                return Err(Error::Usage(format!(
                    "the design {} cannot be built: {}",
                    side.model.name.as_str(),
                    finding.message
                )));
            }
        }
    }
    server.stop().await?;
    Ok(out)
}

pub(in crate::verify::migrate) async fn of_stage(
    stage: &Stage<'_>,
    side: &Side<'_>,
) -> Result<Catalog, Error> {
    let mut session = stage.template.session().await?;
    let scope = Scope {
        schemas: vec![side.model.database.schema.clone()],
        roles: Vec::new(),
    };
    let mut catalog = read(&mut session, &scope).await?;
    // Whether a role may log in is not tried on a throw-away server.
    catalog.roles.clone_from(&side.compiled.catalog.roles);
    catalog
        .extensions
        .clone_from(&side.compiled.catalog.extensions);
    for table in catalog.tables.values_mut() {
        table.grants.remove(stage.player());
    }
    for (_, view) in &mut catalog.views {
        view.grants.remove(stage.player());
    }
    Ok(catalog)
}

pub(in crate::verify::migrate) async fn read(
    session: &mut Session,
    scope: &Scope,
) -> Result<Catalog, Error> {
    let read = introspect(session, scope).await;
    let mut catalog = read.map_err(|failure| failure.into_error("read the catalog"))?;
    // A column can only be added at the end, and where it stands means nothing.
    for table in catalog.tables.values_mut() {
        table
            .columns
            .sort_by(|one, other| one.name.cmp(&other.name));
    }
    Ok(catalog)
}

/// Takes out what applied migrations leave behind: it is ours, and no part of any design.
pub(in crate::verify::migrate) fn forget_own(found: &mut Catalog, schema: &Ident) {
    let journal = QualifiedName::new(schema.clone(), Ident::from(journal::NAME));
    for own in [journal, progress_table(schema)] {
        found.tables.remove(&own);
    }
}

/// What sets the database apart from a design; also what is half done.
pub(super) async fn apart(
    session: &mut Session,
    side: &Side<'_>,
    expected: &Catalog,
) -> Result<Vec<String>, Error> {
    let schema = &side.model.database.schema;
    let scope = Scope {
        schemas: vec![schema.clone()],
        roles: expected.roles.keys().cloned().collect(),
    };
    let mut found = read(session, &scope).await?;
    found.schemas.extend(
        expected
            .schemas
            .iter()
            .filter(|name| name.as_str() == "public")
            .cloned(),
    );
    forget_own(&mut found, schema);
    let differing = differences(expected, &found);
    let mut lines: Vec<String> = differing.iter().map(ToString::to_string).collect();
    let sql = fill(
        "SELECT 'index ' || i.indexrelid::regclass || ' is invalid' FROM pg_index AS i JOIN pg_class AS c ON c.oid = i.indexrelid \
         WHERE NOT i.indisvalid AND c.relnamespace = to_regnamespace({schema}) \
         UNION ALL SELECT 'constraint ' || conname || ' was never validated' FROM pg_constraint \
         WHERE NOT convalidated AND conparentid = 0 AND connamespace = to_regnamespace({schema})",
        &[("schema", &literal(crate::sql::quote_ident(schema).as_str()))],
    );
    let half = session.query(&sql).await;
    let half = half.map_err(|failure| failure.into_error("read the catalog"))?;
    let half = half.rows.into_iter();
    lines.extend(half.filter_map(|mut row| row.pop().flatten()));
    Ok(lines)
}
