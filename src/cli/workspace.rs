//! Where a team's designs, rules, templates and settings are.

use std::path::{Path, PathBuf};

use super::settings::{self, FILE, Settings};
use crate::assets::Assets;
use crate::check;
use crate::design::load::DESIGNS;
use crate::error::Error;
use crate::finding::Finding;
use crate::source::SourceMap;
use crate::template::Environment;

/// What a team has settled and written, over what the program carries.
pub(super) struct Workspace {
    /// Settings; the defaults where there are none.
    pub(super) settings: Settings,
    /// Rules, templates and worked designs.
    pub(super) assets: Assets,
    /// Templates and conditions.
    pub(super) environment: Environment,
}

impl Workspace {
    /// The workspace that a path belongs to, and what is wrong with its settings. A path outside any has the defaults.
    pub(super) fn around(
        path: &Path,
        sources: &mut SourceMap,
    ) -> Result<(Workspace, Vec<Finding>), Error> {
        let root = root(path)?;
        let (settings, findings) = match &root {
            Some(root) => settings::read(root, sources)?,
            None => (Settings::default(), Vec::new()),
        };
        let folders: Vec<PathBuf> = root.into_iter().collect();
        let mut assets = Assets::new(&folders)?;
        for folder in &settings.checks {
            assets.also("checks", folder)?;
        }
        for folder in &settings.templates {
            assets.also("templates", folder)?;
        }
        let workspace = Workspace {
            settings,
            environment: check::environment(&assets),
            assets,
        };
        Ok((workspace, findings))
    }
}

/// The nearest folder, from a path up, that has settings or designs. A `designs/` of somebody else, far above, is not taken for
/// ours: it counts where the path starts, below itself, and at the top of a repository.
pub(super) fn root(path: &Path) -> Result<Option<PathBuf>, Error> {
    let whole = std::path::absolute(path).map_err(|source| Error::Io {
        path: path.display().to_string(),
        source,
    })?;
    let found = whole
        .ancestors()
        .find(|folder| folder.join(FILE).is_file() || has_designs(folder, &whole));
    Ok(found.map(Path::to_path_buf))
}

fn has_designs(folder: &Path, start: &Path) -> bool {
    let designs = folder.join(DESIGNS);
    let is_near = folder == start || start.starts_with(&designs) || folder.join(".git").exists();
    is_near && designs.is_dir()
}

/// A path as people would write it from where they are.
pub(super) fn from_here(path: &Path) -> PathBuf {
    let here = std::env::current_dir().unwrap_or_default();
    path.strip_prefix(&here).unwrap_or(path).to_path_buf()
}
