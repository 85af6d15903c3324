//! Where things are on this machine. Read from the environment once, by whoever calls; nothing below looks there.

use std::ffi::OsString;
use std::path::PathBuf;

/// Folders and addresses that the environment decides.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Places {
    /// Where runs keep their throw-away data; a short path, because sockets live there too.
    pub temporary: PathBuf,
    /// Where initialised data directories are kept between runs. None: each run makes its own.
    pub cache: Option<PathBuf>,
    /// Folders with server programs that the user named, of one version or several; they come first.
    pub programs: Vec<PathBuf>,
    /// The folders of `PATH`.
    pub path: Vec<PathBuf>,
    /// `DOCKER_HOST`.
    pub docker_host: Option<String>,
    /// Where a user's own services have their sockets.
    pub runtime: Option<PathBuf>,
    /// The user's home.
    pub home: Option<PathBuf>,
}

impl Places {
    /// From environment variables: `TMPDIR`, `XDG_CACHE_HOME`, `PGPROOF_PG_BIN`, `PG_BIN`, `PATH`, `DOCKER_HOST`,
    /// `XDG_RUNTIME_DIR`, `HOME`.
    pub fn from_environment(variable: impl Fn(&str) -> Option<OsString>) -> Places {
        let folder = |name: &str| variable(name).filter(|v| !v.is_empty()).map(PathBuf::from);
        let folders = |name: &str| -> Vec<PathBuf> {
            variable(name)
                .map(|list| std::env::split_paths(&list).collect())
                .unwrap_or_default()
        };
        let home = folder("HOME");
        let cache =
            folder("XDG_CACHE_HOME").or_else(|| home.as_ref().map(|home| home.join(".cache")));
        Places {
            temporary: folder("TMPDIR").unwrap_or_else(|| PathBuf::from("/tmp")),
            cache: cache.map(|cache| cache.join("pgproof")),
            programs: ["PGPROOF_PG_BIN", "PG_BIN"]
                .into_iter()
                .flat_map(folders)
                .collect(),
            path: folders("PATH"),
            docker_host: variable("DOCKER_HOST")
                .and_then(|v| v.into_string().ok())
                .filter(|v| !v.is_empty()),
            runtime: folder("XDG_RUNTIME_DIR"),
            home,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environment_decides_and_has_sane_gaps() {
        let nothing = Places::from_environment(|_| None);
        assert_eq!(
            (nothing.temporary, nothing.cache),
            (PathBuf::from("/tmp"), None)
        );
        let some = Places::from_environment(|name| match name {
            "HOME" => Some("/home/me".into()),
            "PGPROOF_PG_BIN" => Some("/a/bin:/b/bin".into()),
            "TMPDIR" => Some(OsString::new()),
            _ => None,
        });
        assert_eq!(some.cache, Some(PathBuf::from("/home/me/.cache/pgproof")));
        assert_eq!(
            some.programs,
            [PathBuf::from("/a/bin"), PathBuf::from("/b/bin")]
        );
        assert_eq!(some.temporary, PathBuf::from("/tmp"));
    }
}
