//! The kinds of change in `tests/cases/migrate`: two designs each, and rows of the old one.

use std::path::{Path, PathBuf};

use pgproof::postgres::Session;
use pgproof::sql::SqlText;

use super::design;
use super::way::Side;

pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/migrate")
}

/// `CASE=rename-column` narrows a run while something is being looked at.
pub fn cases() -> Vec<String> {
    let only = std::env::var("CASE").ok();
    let read = std::fs::read_dir(root()).expect("the folder is there");
    let mut names: Vec<String> = read
        .flatten()
        .filter(|entry| entry.path().is_dir())
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .filter(|name| only.as_deref().is_none_or(|only| only == name))
        .collect();
    names.sort();
    names
}

pub fn side(case: &str, file: &str, version: u16) -> Side {
    let text = std::fs::read_to_string(root().join(case).join(file)).expect("readable");
    let mut model = design::model(&text);
    model.database.version = version;
    Side::new(model)
}

pub async fn fill(session: &mut Session, case: &str) {
    session
        .batch(&SqlText::authored("SET search_path = shop, public"))
        .await
        .expect("set");
    for file in [root().join("rows.sql"), root().join(case).join("rows.sql")] {
        if let Ok(text) = std::fs::read_to_string(&file) {
            let done = session.batch(&SqlText::authored(text)).await;
            done.unwrap_or_else(|failure| unreachable!("{case}: {}: {failure}", file.display()));
        }
    }
}
