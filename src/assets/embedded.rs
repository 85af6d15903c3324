//! What the program carries, and one order of looking things up.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::overrides;
use crate::error::Error;

/// Sorted by path; made by the build script.
static EMBEDDED: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/embedded.rs"));

/// Where an asset comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The program.
    Builtin,
    /// A file of the team.
    User(PathBuf),
}

/// A text with its origin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asset {
    /// `templates/sql/create_table.sql.j2`: from the workspace or the program, with `/` between names.
    pub path: String,
    /// The text.
    pub text: String,
    /// Where it comes from.
    pub origin: Origin,
}

impl Asset {
    /// What messages call it.
    pub fn shown(&self) -> String {
        match &self.origin {
            Origin::Builtin => self.path.clone(),
            Origin::User(path) => path.display().to_string(),
        }
    }
}

/// Everything that can be looked up. A file of the team stands before one of the program with the same path.
#[derive(Clone, Debug, Default)]
pub struct Assets {
    team: BTreeMap<String, Asset>,
}

impl Assets {
    /// What the program carries, and nothing else.
    pub fn builtin() -> Assets {
        Assets::default()
    }

    /// With the `checks/` and `templates/` of these folders (workspaces) over it; a later folder stands before an earlier.
    pub fn new(folders: &[PathBuf]) -> Result<Assets, Error> {
        let mut assets = Assets::default();
        for folder in folders {
            for asset in overrides::read(folder)? {
                assets.team.insert(asset.path.clone(), asset);
            }
        }
        Ok(assets)
    }

    /// Adds a folder that stands for `checks` or `templates` itself.
    pub fn also(&mut self, stands_for: &str, folder: &Path) -> Result<(), Error> {
        for asset in overrides::read_as(stands_for, folder)? {
            self.team.insert(asset.path.clone(), asset);
        }
        Ok(())
    }

    /// The asset at a path.
    pub fn get(&self, path: &str) -> Option<Asset> {
        match self.team.get(path) {
            Some(asset) => Some(asset.clone()),
            None => self.original(path),
        }
    }

    /// The program's own, also where the team has one of that path.
    pub fn original(&self, path: &str) -> Option<Asset> {
        let index = EMBEDDED
            .binary_search_by(|(known, _)| (*known).cmp(path))
            .ok()?;
        let (path, text) = EMBEDDED[index];
        Some(Asset {
            path: path.to_owned(),
            text: text.to_owned(),
            origin: Origin::Builtin,
        })
    }

    /// Paths that begin so, sorted: `checks/`, `designs/ledger/`.
    pub fn list(&self, prefix: &str) -> Vec<String> {
        let own = EMBEDDED.iter().map(|(path, _)| *path);
        let all: BTreeSet<&str> = own.chain(self.team.keys().map(String::as_str)).collect();
        all.into_iter()
            .filter(|path| path.starts_with(prefix))
            .map(str::to_owned)
            .collect()
    }

    /// Names of the worked designs.
    pub fn designs(&self) -> Vec<String> {
        let names: BTreeSet<&str> = EMBEDDED
            .iter()
            .filter_map(|(path, _)| path.strip_prefix("designs/"))
            .filter_map(|rest| Path::new(rest).iter().next()?.to_str())
            .collect();
        names.into_iter().map(str::to_owned).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted() {
        assert!(EMBEDDED.is_sorted_by(|(a, _), (b, _)| a < b));
    }

    #[test]
    fn a_file_of_the_team_stands_before_ours() -> Result<(), Box<dyn std::error::Error>> {
        let folder = tempfile::tempdir()?;
        std::fs::create_dir_all(folder.path().join("checks/own"))?;
        std::fs::write(folder.path().join("checks/own/a.yaml"), "code: a")?;
        std::fs::write(folder.path().join("checks/README.txt"), "not a rule")?;
        let assets = Assets::new(&[folder.path().to_path_buf(), folder.path().join("absent")])?;
        let asset = assets.get("checks/own/a.yaml").ok_or("not found")?;
        assert_eq!(asset.text, "code: a");
        assert!(matches!(asset.origin, Origin::User(_)));
        assert!(assets.list("checks/").contains(&asset.path));
        assert!(assets.original("checks/own/a.yaml").is_none());
        assert!(assets.get("checks/README.txt").is_none());
        let mut assets = Assets::builtin();
        assets.also("checks", &folder.path().join("checks"))?;
        assert!(assets.get("checks/own/a.yaml").is_some());
        Ok(())
    }
}
