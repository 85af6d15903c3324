//! The team's own rules and templates.

use std::fs;
use std::io;
use std::path::Path;

use super::embedded::{Asset, Origin};
use crate::error::Error;

/// Folders of a workspace that are looked into, with what is read there.
const FOLDERS: [(&str, &str); 2] = [("checks", ".yaml"), ("templates", ".j2")];

/// More than any rule or template has; a larger file is a mistake, and is not read into memory.
const LARGEST: u64 = 1024 * 1024;

/// Deeper folders are a loop of links.
const DEEPEST: usize = 8;

pub(super) fn read(workspace: &Path) -> Result<Vec<Asset>, Error> {
    let mut assets = Vec::new();
    for (folder, suffix) in FOLDERS {
        walk(
            &workspace.join(folder),
            folder,
            suffix,
            DEEPEST,
            &mut assets,
        )?;
    }
    Ok(assets)
}

/// A folder that is one of [`FOLDERS`] under another name.
pub(super) fn read_as(stands_for: &str, folder: &Path) -> Result<Vec<Asset>, Error> {
    let mut assets = Vec::new();
    for (name, suffix) in FOLDERS.into_iter().filter(|(name, _)| *name == stands_for) {
        walk(folder, name, suffix, DEEPEST, &mut assets)?;
    }
    Ok(assets)
}

fn walk(
    folder: &Path,
    below: &str,
    suffix: &str,
    depth: usize,
    assets: &mut Vec<Asset>,
) -> Result<(), Error> {
    let failed = |path: &Path, source: io::Error| Error::Io {
        path: path.display().to_string(),
        source,
    };
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(failed(folder, error)),
    };
    for entry in entries {
        let entry = entry.map_err(|error| failed(folder, error))?;
        let path = entry.path();
        let name = entry.file_name().to_string_lossy().into_owned();
        let metadata = fs::metadata(&path).map_err(|error| failed(&path, error))?;
        let inside = format!("{below}/{name}");
        if name.starts_with('.') {
            continue;
        }
        if metadata.is_dir() {
            if depth > 0 {
                walk(&path, &inside, suffix, depth - 1, assets)?;
            }
        } else if name.ends_with(suffix) {
            if metadata.len() > LARGEST {
                let large = io::Error::new(io::ErrorKind::FileTooLarge, "larger than 1 MB");
                return Err(failed(&path, large));
            }
            let text = fs::read_to_string(&path).map_err(|error| failed(&path, error))?;
            assets.push(Asset {
                path: inside,
                text,
                origin: Origin::User(path),
            });
        }
    }
    Ok(())
}
