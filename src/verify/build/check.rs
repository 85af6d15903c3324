//! The evidence.

use std::time::Instant;

use super::canonical::canonical;
use crate::catalog::{Catalog, Difference, differences};
use crate::compile::{self, compile};
use crate::design::Model;
use crate::error::Error;
use crate::finding::{Claim, Counterexample, Evidence, Finding, Method, Verdict};
use crate::postgres::{Scope, Session, introspect};
use crate::template::Environment;
use crate::verify::evidence::Judged;
use crate::verify::run::Run;
use crate::verify::stage::Stage;

/// What a design claims of its schema.
pub(crate) fn claim(model: &Model) -> Claim {
    Claim {
        subject: format!("schema {}", model.database.schema.as_str()),
        statement: "the schema applies, compiles to the same text twice and reads back as designed"
            .to_owned(),
        at: Some(model.database.at),
    }
}

/// The schema could not even be applied.
pub fn refused(run: &Run<'_>, model: &Model, finding: &Finding) -> Evidence {
    let judged = Judged::refuted(finding.message.clone());
    run.evidence(model, Method::Build, claim(model), judged)
}

/// Compiles again, reads back, compares.
pub async fn build(
    run: &Run<'_>,
    stage: &Stage<'_>,
    environment: &Environment,
) -> Result<(Evidence, Vec<Finding>), Error> {
    let start = Instant::now();
    let model = stage.model;
    let first = compile::ddl(&stage.compiled.catalog, environment)?;
    let second = compile::ddl(&compile(model).catalog, environment)?;
    let found = if first.text() == second.text() {
        let mut session = stage.session(&stage.template).await?;
        read_back(stage, &mut session).await?
    } else {
        let lines = vec!["compiling twice gives two different texts".to_owned()];
        let judged = Judged::refuted(lines[0].clone()).with(Counterexample::Differences { lines });
        return Ok((
            run.evidence(model, Method::Build, claim(model), judged),
            Vec::new(),
        ));
    };
    let objects = count(&stage.compiled.catalog);
    let judged = if found.is_empty() {
        Judged::new(Verdict::Proven)
            .bounds(format!(
                "{} statements, {objects} objects read back",
                stage.statements
            ))
            .figure("statements", stage.statements)
            .figure("objects", objects)
    } else {
        let lines: Vec<String> = found.iter().map(ToString::to_string).collect();
        Judged::refuted(format!(
            "{} differences between model and catalog",
            found.len()
        ))
        .with(Counterexample::Differences { lines })
    };
    let findings = found
        .iter()
        .map(|difference| finding(stage, difference))
        .collect();
    let evidence = run.evidence(model, Method::Build, claim(model), judged.took(start));
    Ok((evidence, findings))
}

/// What the server has otherwise than the model, both in the server's spelling.
pub async fn read_back(stage: &Stage<'_>, session: &mut Session) -> Result<Vec<Difference>, Error> {
    let failed = |failure: crate::postgres::SqlFailure| failure.into_error("read the catalog back");
    let scope = Scope {
        schemas: vec![stage.model.database.schema.clone()],
        roles: stage.compiled.catalog.roles.keys().cloned().collect(),
    };
    let mut found = introspect(session, &scope).await.map_err(failed)?;
    let mut expected = canonical(session, &stage.compiled.catalog)
        .await
        .map_err(failed)?;
    // `public` is there without being made.
    found.schemas.extend(
        expected
            .schemas
            .clone()
            .into_iter()
            .filter(|name| name.as_str() == "public"),
    );
    for table in found.tables.values_mut() {
        table.grants.remove(stage.player());
    }
    for (_, view) in &mut found.views {
        view.grants.remove(stage.player());
    }
    // A role of a design never may log in here, so that nobody does.
    for role in expected.roles.values_mut().chain(found.roles.values_mut()) {
        role.login = false;
    }
    Ok(differences(&expected, &found))
}

fn finding(stage: &Stage<'_>, difference: &Difference) -> Finding {
    let subject = difference.object.to_string();
    let message = format!("the server has it otherwise: {difference}");
    let at = stage.place(&difference.object);
    Finding::error("catalog-differs", subject, message, at).of(stage.model.name.as_str())
}

fn count(catalog: &Catalog) -> usize {
    let inside: usize = catalog
        .tables
        .values()
        .map(|table| {
            1 + table.columns.len()
                + usize::from(table.primary_key.is_some())
                + table.uniques.len()
                + table.checks.len()
                + table.foreign_keys.len()
                + table.exclusions.len()
                + table.indexes.len()
                + table.statistics.len()
                + table.triggers.len()
                + table.policies.len()
                + table.grants.len()
        })
        .sum();
    inside
        + catalog.types.len()
        + catalog.views.len()
        + catalog.functions.len()
        + catalog.roles.len()
}
