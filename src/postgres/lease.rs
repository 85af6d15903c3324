//! Run folders, and who lives in them. A run holds a lock on its lease file for as long as its process lives; the kernel lets
//! go of it however the process ends. So a lease that can be locked belongs to a run that is dead.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::hash::{BuildHasher, RandomState};
use std::io::{Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use crate::error::Error;

const LEASE: &str = "lease";

/// Where one user's runs have their folders.
#[derive(Clone, Debug)]
pub(super) struct RunRoot {
    path: PathBuf,
}

/// One run's folder, with its lease held.
#[derive(Debug)]
pub(super) struct RunFolder {
    pub(super) id: String,
    pub(super) path: PathBuf,
    lease: File,
}

impl RunRoot {
    /// Opens the folder of the current user below `temporary`. The name can be guessed and the place may be shared, so it is
    /// only taken when nobody else can write there.
    pub(super) fn open(temporary: &Path) -> Result<RunRoot, Error> {
        let user = rustix::process::geteuid().as_raw();
        let path = temporary.join(format!("pgproof-{user}"));
        match DirBuilder::new().mode(0o711).create(&path) {
            Ok(()) => {}
            Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(e) => return Err(io_error(temporary, e)),
        }
        let found = fs::symlink_metadata(&path).map_err(|e| io_error(&path, e))?;
        if !found.is_dir() || found.uid() != user || found.mode() & 0o022 != 0 {
            return Err(Error::Environment {
                message: format!(
                    "{} is not a folder that only the current user can write to",
                    path.display()
                ),
                help: "remove it, or point TMPDIR to a folder of your own".to_owned(),
            });
        }
        Ok(RunRoot { path })
    }

    /// Makes a folder for a new run. `mode` says who may pass through it.
    pub(super) fn create(&self, mode: u32) -> Result<RunFolder, Error> {
        let _guard = self.lock()?;
        let id = random_hex(12);
        let path = self.path.join(&id);
        DirBuilder::new()
            .mode(0o700)
            .create(&path)
            .map_err(|e| io_error(&path, e))?;
        // Not by the builder, whose mode the umask narrows.
        fs::set_permissions(&path, fs::Permissions::from_mode(mode))
            .map_err(|e| io_error(&path, e))?;
        let lease = open_lease(&path.join(LEASE))?;
        lease.lock().map_err(|e| io_error(&path, e))?;
        let mut folder = RunFolder { id, path, lease };
        folder.note("pid", &std::process::id().to_string())?;
        Ok(folder)
    }

    /// The folders of runs that are dead, now held by the caller.
    pub(super) fn dead(&self) -> Result<Vec<RunFolder>, Error> {
        let _guard = self.lock()?;
        let mut dead = Vec::new();
        for entry in fs::read_dir(&self.path).map_err(|e| io_error(&self.path, e))? {
            let entry = entry.map_err(|e| io_error(&self.path, e))?;
            let path = entry.path();
            if !entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                continue;
            }
            // Made while the root was locked, as every folder is: a missing lease is one that a sweep already removed.
            let Ok(lease) = open_lease(&path.join(LEASE)) else {
                continue;
            };
            if lease.try_lock().is_ok() {
                dead.push(RunFolder {
                    id: entry.file_name().to_string_lossy().into_owned(),
                    path,
                    lease,
                });
            }
        }
        dead.sort_by(|a, b| a.id.cmp(&b.id));
        Ok(dead)
    }

    fn lock(&self) -> Result<File, Error> {
        let path = self.path.join("lock");
        let file = open_lease(&path)?;
        file.lock().map_err(|e| io_error(&path, e))?;
        Ok(file)
    }
}

impl RunFolder {
    /// Writes down what a later sweep needs to know about this run.
    pub(super) fn note(&mut self, name: &str, value: &str) -> Result<(), Error> {
        writeln!(self.lease, "{name} {value}").map_err(|e| io_error(&self.path, e))
    }

    /// What was noted.
    pub(super) fn noted(&self, name: &str) -> Option<String> {
        let mut text = String::new();
        File::open(self.path.join(LEASE))
            .ok()?
            .read_to_string(&mut text)
            .ok()?;
        let found = text.lines().find_map(|line| {
            line.strip_prefix(name)?
                .strip_prefix(' ')
                .map(str::to_owned)
        });
        found.filter(|value| !value.is_empty())
    }

    /// Removes the folder and gives up the lease.
    pub(super) fn remove(self) -> Result<(), Error> {
        remove_folder(&self.path)
    }
}

/// Removes a folder, also while a process in it is still ending and writes its last files.
pub(super) fn remove_folder(path: &Path) -> Result<(), Error> {
    for _ in 0..20 {
        match fs::remove_dir_all(path) {
            Ok(()) => return Ok(()),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(()),
            Err(e) if e.kind() == std::io::ErrorKind::DirectoryNotEmpty => {
                std::thread::sleep(std::time::Duration::from_millis(50));
            }
            Err(e) => return Err(io_error(path, e)),
        }
    }
    fs::remove_dir_all(path).map_err(|e| io_error(path, e))
}

fn open_lease(path: &Path) -> Result<File, Error> {
    let options = OpenOptions::new()
        .read(true)
        .append(true)
        .create(true)
        .mode(0o600)
        .open(path);
    options.map_err(|e| io_error(path, e))
}

/// Digits that nobody guesses. The standard library keys its hashers from the system's randomness, which is all that is needed for
/// names, and for passwords of servers that live for minutes.
pub(super) fn random_hex(digits: usize) -> String {
    let mut text = String::new();
    while text.len() < digits {
        text.push_str(&format!(
            "{:016x}",
            RandomState::new().hash_one(std::process::id())
        ));
    }
    text.truncate(digits);
    text
}

/// Whether a server's or an engine's last words are about a full disk. PostgreSQL says the second when a part of a page still fitted.
pub(super) fn tells_of_full_disk(words: &str) -> bool {
    words.contains("No space left on device") || words.contains("Check free disk space")
}

/// Bytes that we may still write to the disk that holds `folder`.
pub(super) fn free_space(folder: &Path) -> Option<u64> {
    let found = rustix::fs::statvfs(folder).ok()?;
    found.f_bavail.checked_mul(found.f_frsize)
}

/// An input or output error with a place; a full disk with a next step.
pub(super) fn io_error(path: &Path, source: std::io::Error) -> Error {
    match source.kind() {
        std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => Error::Environment {
            message: format!("the disk that holds {} is full", path.display()),
            help: "free some space there, or point TMPDIR to a folder on another disk".to_owned(),
        },
        _ => Error::Environment {
            message: format!("cannot use {}: {source}", path.display()),
            help: "make it writable, or point TMPDIR (and XDG_CACHE_HOME) to folders of your own"
                .to_owned(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn root() -> (tempfile::TempDir, RunRoot) {
        let temporary = tempfile::tempdir().expect("a temporary folder can be made");
        let root = RunRoot::open(temporary.path()).expect("a fresh folder is ours");
        (temporary, root)
    }

    #[test]
    fn only_runs_that_let_go_of_their_lease_are_dead() {
        let (_temporary, root) = root();
        let alive = root.create(0o700).expect("a run folder can be made");
        let mut gone = root.create(0o700).expect("a run folder can be made");
        gone.note("container", "unix:///a b.sock")
            .expect("a lease can be written");
        let (id, path) = (gone.id.clone(), gone.path.clone());
        drop(gone);
        let dead = root.dead().expect("the root can be read");
        assert_eq!(dead.iter().map(|run| &run.id).collect::<Vec<_>>(), [&id]);
        assert_eq!(
            dead[0].noted("container").as_deref(),
            Some("unix:///a b.sock")
        );
        assert_eq!(dead[0].noted("pid"), Some(std::process::id().to_string()));
        // Held by one sweep, it is not dead for another.
        assert!(root.dead().expect("the root can be read").is_empty());
        for run in dead {
            run.remove().expect("a run folder can be removed");
        }
        assert!(!path.exists() && alive.path.exists());
    }

    #[test]
    fn a_folder_that_others_can_write_to_is_not_taken() {
        let (temporary, root) = root();
        fs::set_permissions(&root.path, fs::Permissions::from_mode(0o777)).expect("own folder");
        assert!(matches!(
            RunRoot::open(temporary.path()),
            Err(Error::Environment { .. })
        ));
        fs::remove_dir(&root.path).expect("empty");
        std::os::unix::fs::symlink("/", &root.path).expect("a link can be made");
        assert!(matches!(
            RunRoot::open(temporary.path()),
            Err(Error::Environment { .. })
        ));
    }

    #[test]
    fn random_names_differ() {
        assert_ne!(random_hex(32), random_hex(32));
        assert_eq!(random_hex(12).len(), 12);
    }

    #[test]
    fn a_full_disk_says_so() {
        let full = std::io::Error::from(std::io::ErrorKind::StorageFull);
        assert!(
            io_error(Path::new("data"), full)
                .to_string()
                .contains("the disk that holds data is full")
        );
    }
}
