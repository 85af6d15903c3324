//! Where a team's designs, rules, templates and settings are.

use std::path::{Path, PathBuf};

use super::settings::FILE;
use crate::error::Error;

/// The folder of the designs in a workspace.
pub(super) const DESIGNS: &str = "designs";

/// A folder with designs or settings.
pub(super) struct Workspace {
    /// The folder.
    pub(super) root: PathBuf,
}

impl Workspace {
    /// The workspace that a path belongs to: the nearest folder, from the path up, that has settings or designs.
    pub(super) fn around(path: &Path) -> Result<Option<Workspace>, Error> {
        let whole = std::path::absolute(path).map_err(|source| Error::Io {
            path: path.display().to_string(),
            source,
        })?;
        let found = whole
            .ancestors()
            .find(|folder| folder.join(FILE).is_file() || folder.join(DESIGNS).is_dir());
        Ok(found.map(|root| Workspace {
            root: root.to_path_buf(),
        }))
    }
}
