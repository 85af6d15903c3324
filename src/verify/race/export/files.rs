//! The files of one counterexample.

use super::psql;
use super::setup::Setup;
use super::spec::spec;
use crate::catalog::Catalog;
use crate::design::Model;
use crate::error::Error;
use crate::finding::Replay;
use crate::template::Environment;

/// Names and texts of the files, beside the one for `replay`: `STEM.spec`, and `STEM-A.sql`, `STEM-B.sql` and so on.
pub fn export(
    model: &Model,
    catalog: &Catalog,
    environment: &Environment,
    replay: &Replay,
    stem: &str,
) -> Result<Vec<(String, String)>, Error> {
    let setup = Setup::new(model, catalog, environment, replay)?;
    let mut files = vec![(format!("{stem}.spec"), spec(&setup, replay, stem))];
    files.extend(psql::scripts(&setup, replay, stem));
    Ok(files)
}
