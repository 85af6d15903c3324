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
    /// The workspace that a path belongs to: the nearest folder, from the path up, that has settings or designs. A `designs/`
    /// of somebody else, far above, is not taken for ours: it counts where the path starts, below itself, and at the top of a
    /// repository.
    pub(super) fn around(path: &Path) -> Result<Option<Workspace>, Error> {
        let whole = std::path::absolute(path).map_err(|source| Error::Io {
            path: path.display().to_string(),
            source,
        })?;
        let found = whole
            .ancestors()
            .find(|folder| folder.join(FILE).is_file() || has_designs(folder, &whole));
        Ok(found.map(|root| Workspace {
            root: root.to_path_buf(),
        }))
    }
}

fn has_designs(folder: &Path, start: &Path) -> bool {
    let designs = folder.join(DESIGNS);
    let is_near = folder == start || start.starts_with(&designs) || folder.join(".git").exists();
    is_near && designs.is_dir()
}
