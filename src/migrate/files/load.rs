//! From a folder to texts. The only file access of this storey.

use std::path::{Path, PathBuf};

use super::forms::Source;
use crate::error::Error;

/// Folders below the one that is named: tools nest by version or by kind, not deeper.
const DEEPEST: usize = 4;

/// Whether a path is a file of SQL, or a folder with some in it.
pub fn looks_like_migrations(path: &Path) -> bool {
    if path.is_dir() {
        let mut found = Vec::new();
        return gather(path, DEEPEST, &mut found).is_ok()
            && found.iter().any(|path| has_ending(path, "sql"));
    }
    has_ending(path, "sql")
}

/// The texts at a path: one file, or all of a folder.
pub fn load(path: &Path) -> Result<Vec<Source>, Error> {
    let mut paths = Vec::new();
    match path.is_dir() {
        true => gather(path, DEEPEST, &mut paths)?,
        false => paths.push(path.to_owned()),
    }
    let mut sources = Vec::new();
    for path in paths {
        let bytes = std::fs::read(&path).map_err(|source| unreadable(&path, source))?;
        let text = String::from_utf8(bytes).map_err(|_| {
            Error::Usage(format!("{} is not UTF-8; save it as UTF-8", shown(&path)))
        })?;
        sources.push(Source {
            path: shown(&path),
            text,
        });
    }
    Ok(sources)
}

fn gather(folder: &Path, depth: usize, found: &mut Vec<PathBuf>) -> Result<(), Error> {
    let entries = std::fs::read_dir(folder).map_err(|source| unreadable(folder, source))?;
    let mut paths = Vec::new();
    for entry in entries {
        let entry = entry.map_err(|source| unreadable(folder, source))?;
        if !entry.file_name().to_string_lossy().starts_with('.') {
            paths.push(entry.path());
        }
    }
    paths.sort();
    for path in paths {
        if path.is_dir() && depth > 0 {
            gather(&path, depth - 1, found)?;
        } else if has_ending(&path, "sql")
            || path.file_name().is_some_and(|name| {
                matches!(name.to_str(), Some("sqitch.plan" | "metadata.toml"))
                    || name.to_string_lossy().ends_with(".sql.conf")
            })
        {
            found.push(path);
        }
    }
    Ok(())
}

fn has_ending(path: &Path, ending: &str) -> bool {
    path.extension()
        .is_some_and(|own| own.eq_ignore_ascii_case(ending))
}

fn unreadable(path: &Path, source: std::io::Error) -> Error {
    Error::Io {
        path: shown(path),
        source,
    }
}

/// A path with `/` between folders, without the `./` that nobody writes.
fn shown(path: &Path) -> String {
    let short = path.strip_prefix(".").unwrap_or(path);
    let path = if short == Path::new("") { path } else { short };
    path.display().to_string().replace('\\', "/")
}
