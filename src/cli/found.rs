//! The old side of `pgproof migrate`, where no design says it: migration files, or a database.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use super::analysis::{Analysis, Design};
use super::migrations::split;
use super::output::Output;
use super::runtime::until_done_or_told;
use crate::catalog::Catalog;
use crate::error::{Error, ExitCode};
use crate::migrate::files::{Source, filled_in, load, read};
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
    placeholders: &[String],
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
    let (target, migrations, sources);
    let found = if is_url(from) {
        target = Target::of(from)?;
        Found::Database(&target)
    } else {
        sources = filled(load(&PathBuf::from(from))?, placeholders)?;
        migrations = read(&sources, None);
        if !migrations.placeholders.is_empty() {
            return Err(without_value(&migrations.placeholders));
        }
        for note in &migrations.notes {
            output.note(note);
        }
        Found::Files(&migrations, &sources)
    };
    let both = until_done_or_told(catalogs(&options, &found, &side, environment))?;
    let both = match both {
        Ok(both) => both,
        Err(code) => return Ok(Err(code)),
    };
    for note in &both.notes {
        output.note(note);
    }
    if both.from.tables.is_empty() {
        output.note(&format!(
            "{from} has no table in schema {}, where the new design is",
            new.model.database.schema.as_str()
        ));
    }
    Ok(Ok((both.from, both.to)))
}

/// The texts with what a tool would fill in: `name=value` each.
fn filled(mut sources: Vec<Source>, placeholders: &[String]) -> Result<Vec<Source>, Error> {
    for placeholder in placeholders {
        let (name, value) = placeholder.split_once('=').ok_or_else(|| {
            Error::Usage(format!(
                "--placeholder {placeholder} has no value; write NAME=VALUE"
            ))
        })?;
        for source in &mut sources {
            source.text = filled_in(&source.text, name, value);
        }
    }
    Ok(sources)
}

fn without_value(placeholders: &BTreeMap<String, String>) -> Error {
    let written: BTreeSet<&str> = placeholders.values().map(String::as_str).collect();
    let written: Vec<&str> = written.into_iter().collect();
    Error::Usage(format!(
        "the migrations have placeholders whose values are not known: {}; say each with --placeholder NAME=VALUE",
        written.join(", ")
    ))
}
