//! Schemas as a server spells them, to be compared.

use crate::catalog::Catalog;
use crate::compile::Compiled;
use crate::design::Model;
use crate::error::Error;
use crate::postgres::{Scope, Session, introspect};
use crate::template::Environment;
use crate::verify::run::Run;
use crate::verify::stage::{Stage, Staged};

/// The new schema, applied by itself and read back.
pub(super) async fn wanted(
    run: &Run<'_>,
    new: &Model,
    to: &Compiled,
    environment: &Environment,
) -> Result<Result<Catalog, String>, Error> {
    match Stage::open(run.server, new, to, environment).await? {
        Staged::Ready(stage) => {
            let mut session = stage.session(&stage.template).await?;
            let catalog = read(&mut session, new).await?;
            drop(session);
            stage.close().await?;
            Ok(Ok(catalog))
        }
        Staged::Refused(finding) => Ok(Err(format!(
            "the schema of {} cannot be applied: {}",
            new.name.as_str(),
            finding.message
        ))),
    }
}

/// The catalog of a design's schema. Where a column stands means nothing: a migration can only add at the end.
pub(super) async fn read(session: &mut Session, model: &Model) -> Result<Catalog, Error> {
    let scope = Scope {
        schemas: vec![model.database.schema.clone()],
        roles: Vec::new(),
    };
    let read = introspect(session, &scope).await;
    let mut catalog = read.map_err(|failure| failure.into_error("read the catalog"))?;
    for table in catalog.tables.values_mut() {
        table
            .columns
            .sort_by(|one, other| one.name.cmp(&other.name));
        // The verifier's own role is not the design's.
        table
            .grants
            .retain(|role, _| !role.as_str().starts_with("pgproof"));
    }
    for (_, view) in &mut catalog.views {
        view.grants
            .retain(|role, _| !role.as_str().starts_with("pgproof"));
    }
    Ok(catalog)
}
