//! Data directories fresh from `initdb`, kept between runs: making one takes seconds, copying it a tenth of one.

use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use sha2::{Digest, Sha256};

use super::lease::{io_error, random_hex, remove_folder};
use super::local::{INITDB, LOCALES};
use super::places::Places;
use super::process::{User, give, make_folder};
use super::programs::Programs;
use crate::error::Error;

/// A data directory fresh from `initdb`, kept for the next run. It belongs to us, not to the user the server runs as.
pub(super) struct Cache {
    folder: PathBuf,
    entry: PathBuf,
}

impl Cache {
    pub(super) fn for_programs(programs: &Programs, places: &Places) -> Option<Cache> {
        let folder = places.cache.as_ref()?.join("clusters");
        let mut digest = Sha256::new();
        for part in [
            env!("CARGO_PKG_VERSION"),
            &programs.full,
            &programs.folder.to_string_lossy(),
        ] {
            digest.update(part);
            digest.update([0]);
        }
        for part in INITDB.iter().chain(&LOCALES) {
            digest.update(part);
            digest.update([0]);
        }
        let name: String = digest
            .finalize()
            .iter()
            .take(6)
            .map(|byte| format!("{byte:02x}"))
            .collect();
        let user = rustix::process::geteuid().as_raw();
        let entry = folder.join(format!("{}-{user}-{name}", programs.version));
        Some(Cache { folder, entry })
    }

    /// Copies the entry to `data`; false when there is none.
    pub(super) fn copy_to(&self, data: &Path, user: Option<&User>) -> Result<bool, Error> {
        // What somebody else wrote there is no cache of ours.
        let ours = fs::symlink_metadata(&self.entry).is_ok_and(|found| {
            found.is_dir() && found.uid() == rustix::process::geteuid().as_raw()
        });
        if ours {
            copy_folder(&self.entry, data, user)?;
        }
        Ok(ours)
    }

    /// Keeps a copy of `data`, whole or not at all. What other versions of pgproof or PostgreSQL kept goes after a month.
    pub(super) fn fill(&self, data: &Path) -> Result<(), Error> {
        fs::create_dir_all(&self.folder).map_err(|e| io_error(&self.folder, e))?;
        self.forget_old();
        let half = self.folder.join(format!(".half-{}", random_hex(12)));
        let copied = copy_folder(data, &half, None);
        let renamed = copied
            .and_then(|()| fs::rename(&half, &self.entry).map_err(|e| io_error(&self.entry, e)));
        if renamed.is_err() {
            // Another run was faster, or the disk is full.
            let _ = fs::remove_dir_all(&half);
        }
        renamed
    }

    /// Removes the entry.
    pub(super) fn forget(&self) -> Result<(), Error> {
        remove_folder(&self.entry)
    }

    fn forget_old(&self) {
        const MONTH: Duration = Duration::from_secs(30 * 24 * 3600);
        const HOUR: Duration = Duration::from_secs(3600);
        for entry in fs::read_dir(&self.folder).into_iter().flatten().flatten() {
            let age = entry
                .metadata()
                .and_then(|found| found.modified())
                .ok()
                .and_then(|made| made.elapsed().ok());
            let half = entry.file_name().to_string_lossy().starts_with(".half-");
            if age.is_some_and(|age| age > if half { HOUR } else { MONTH }) {
                let _ = fs::remove_dir_all(entry.path());
            }
        }
    }
}

/// Copies a data directory, which holds folders and files and nothing else. The system shares the blocks where it can.
fn copy_folder(from: &Path, to: &Path, user: Option<&User>) -> Result<(), Error> {
    make_folder(to, user)?;
    for entry in fs::read_dir(from).map_err(|e| io_error(from, e))? {
        let entry = entry.map_err(|e| io_error(from, e))?;
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        let kind = entry.file_type().map_err(|e| io_error(&source, e))?;
        if kind.is_dir() {
            copy_folder(&source, &target, user)?;
        } else if kind.is_file() {
            copy_file(&source, &target)?;
            give(&target, user)?;
        }
    }
    Ok(())
}

fn copy_file(source: &Path, target: &Path) -> Result<(), Error> {
    let mut from = File::open(source).map_err(|e| io_error(source, e))?;
    let mut to = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(target)
        .map_err(|e| io_error(target, e))?;
    std::io::copy(&mut from, &mut to).map_err(|e| io_error(target, e))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cache_is_filled_whole_and_copied_whole() {
        let temporary = tempfile::tempdir().expect("a temporary folder can be made");
        let at = |name: &str| temporary.path().join(name);
        fs::create_dir_all(at("data/base/1")).expect("can be made");
        fs::write(at("data/base/1/2"), "rows").expect("can be written");
        let cache = Cache {
            folder: at("cache"),
            entry: at("cache/entry"),
        };
        assert!(
            !cache
                .copy_to(&at("one"), None)
                .expect("no entry is no error")
        );
        cache.fill(&at("data")).expect("can be copied");
        assert!(cache.copy_to(&at("two"), None).expect("can be copied"));
        assert_eq!(
            fs::read_to_string(at("two/base/1/2")).ok().as_deref(),
            Some("rows")
        );
        // A second run that filled it meanwhile is no harm.
        assert!(cache.fill(&at("data")).is_err());
        assert_eq!(fs::read_dir(at("cache")).map(Iterator::count).ok(), Some(1));
    }
}
