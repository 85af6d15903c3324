//! The old side of `pgproof migrate`, where no design says it: migration files, or a database.

use std::path::PathBuf;

use super::analysis::{Analysis, Design};
use super::migrations::split;
use super::output::Output;
use super::runtime::until_done_or_told;
use crate::catalog::Catalog;
use crate::error::{Error, ExitCode};
use crate::migrate::files::{load, read};
use crate::postgres::{Places, ServerOptions, Target};
use crate::verify::migrate::apply::Side;
use crate::verify::migrate::{Found, catalogs};

/// Whether `--from` names a database, or a file or folder of SQL migrations.
pub(super) fn is_found(from: &str) -> bool {
    is_url(from) || !split(&[PathBuf::from(from)]).0.is_empty()
}

fn is_url(from: &str) -> bool {
    from.starts_with("postgres://") || from.starts_with("postgresql://")
}

/// The old schema and the new one, as a server spells them.
pub(super) fn both(
    from: &str,
    new: &Design,
    analysis: &Analysis,
    postgres: Option<&str>,
    output: &Output,
) -> Result<Result<(Catalog, Catalog), ExitCode>, Error> {
    let settled = analysis.workspace.settings.postgres.as_deref();
    let choice = postgres.or(settled).unwrap_or("auto");
    let places = Places::from_environment(|name| std::env::var_os(name));
    let options = ServerOptions::new(choice.parse()?, new.model.database.version, places);
    let side = Side {
        model: &new.model,
        compiled: &new.compiled,
    };
    let environment = &analysis.workspace.environment;
    let (target, migrations);
    let found = if is_url(from) {
        target = Target::of(from)?;
        Found::Database(&target)
    } else {
        migrations = read(&load(&PathBuf::from(from))?, None);
        for note in &migrations.notes {
            output.note(note);
        }
        Found::Files(&migrations)
    };
    let both = until_done_or_told(catalogs(&options, &found, &side, environment))?;
    if let Ok((from_catalog, _)) = &both
        && from_catalog.tables.is_empty()
    {
        output.note(&format!(
            "{from} has no table in schema {}, where the new design is",
            new.model.database.schema.as_str()
        ));
    }
    Ok(both)
}
