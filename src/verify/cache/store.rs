//! The files: one for each piece of work, named by what it depends on. A cache that cannot be read or written costs time, never a run.

use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

use super::sheet::Sheet;

/// Counted up when older files would be misread.
const FORMAT: u32 = 1;
/// The version, and a digest of the sources: evidence of another program is none.
const TOOL: &str = concat!(env!("CARGO_PKG_VERSION"), "+", env!("PGPROOF_SOURCES"));
/// Beyond so many files the oldest go.
const MOST_FILES: usize = 4000;
/// Beyond so many bytes the oldest go.
const MOST_BYTES: u64 = 64 * 1024 * 1024;
/// Larger than any file of ours: what is not read.
const LARGEST: u64 = 8 * 1024 * 1024;

/// Evidence of earlier runs, in a folder of the user's own.
#[derive(Clone, Debug)]
pub struct Cache {
    folder: PathBuf,
    now: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Page {
    format: u32,
    tool: String,
    key: String,
    sheet: Sheet,
}

impl Cache {
    /// Below pgproof's own cache folder. `now`: what is written down as the time of evidence, `2026-11-27T18:40:03Z`.
    pub fn new(folder: &Path, now: impl Into<String>) -> Cache {
        Cache {
            folder: folder.join("evidence"),
            now: now.into(),
        }
    }

    pub(super) fn now(&self) -> &str {
        &self.now
    }

    /// What keys begin with: who tried, and how it is written down.
    pub(super) fn tool() -> String {
        format!("{FORMAT} {TOOL}")
    }

    fn path(&self, key: &str) -> PathBuf {
        self.folder.join(format!("{key}.json"))
    }

    /// What is kept under a key. Whatever is not whole, not ours, or another version's, is as good as absent.
    pub(super) fn load(&self, key: &str) -> Option<Sheet> {
        let path = self.path(key);
        let found = fs::symlink_metadata(&path).ok()?;
        let user = rustix::process::geteuid().as_raw();
        if !found.is_file() || found.uid() != user || found.len() > LARGEST {
            return None;
        }
        let page: Page = serde_json::from_slice(&fs::read(&path).ok()?).ok()?;
        if page.format != FORMAT || page.tool != TOOL || page.key != key {
            return None;
        }
        // The oldest go first, and what is used is not old.
        let touched = File::open(&path).and_then(|file| file.set_modified(SystemTime::now()));
        let _ = touched;
        Some(page.sheet)
    }

    /// Keeps a sheet, whole or not at all; another run that keeps the same at the same time is no harm.
    pub(super) fn save(&self, key: &str, sheet: Sheet) -> std::io::Result<()> {
        let page = Page {
            format: FORMAT,
            tool: TOOL.to_owned(),
            key: key.to_owned(),
            sheet,
        };
        fs::create_dir_all(&self.folder)?;
        let mut half = tempfile::Builder::new()
            .prefix(".half-")
            .tempfile_in(&self.folder)?;
        half.write_all(serde_json::to_string(&page)?.as_bytes())?;
        half.persist(self.path(key))?;
        Ok(())
    }

    /// Forgets the oldest where there is too much.
    pub(super) fn prune(&self) {
        self.keep_below(MOST_FILES, MOST_BYTES);
    }

    fn keep_below(&self, files: usize, bytes: u64) {
        const HOUR: Duration = Duration::from_secs(3600);
        let mut kept = Vec::new();
        for entry in fs::read_dir(&self.folder).into_iter().flatten().flatten() {
            let Ok(found) = entry.metadata() else {
                continue;
            };
            let modified = found.modified().unwrap_or(SystemTime::UNIX_EPOCH);
            let is_half = entry.file_name().to_string_lossy().starts_with(".half-");
            match is_half {
                true if modified.elapsed().is_ok_and(|age| age > HOUR) => {
                    let _ = fs::remove_file(entry.path());
                }
                true => {}
                false => kept.push((modified, found.len(), entry.path())),
            }
        }
        kept.sort();
        let mut total: u64 = kept.iter().map(|(_, length, _)| length).sum();
        let mut count = kept.len();
        for (_, length, path) in kept {
            if count <= files && total <= bytes {
                break;
            }
            let _ = fs::remove_file(path);
            count -= 1;
            total -= length;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::sheet::KeptClaim;
    use super::*;

    fn sheet(subject: &str) -> Sheet {
        let claim = KeptClaim {
            subject: subject.to_owned(),
            statement: String::new(),
            place: None,
            kept: None,
        };
        Sheet {
            claims: vec![claim],
            findings: Vec::new(),
        }
    }

    #[test]
    fn what_is_kept_comes_back_and_what_is_damaged_does_not() {
        let temporary = tempfile::tempdir().expect("a temporary folder can be made");
        let cache = Cache::new(temporary.path(), "2026-11-27T18:40:03Z");
        assert_eq!(cache.load("a"), None);
        cache.save("a", sheet("one")).expect("can be kept");
        assert_eq!(cache.load("a"), Some(sheet("one")));
        let path = cache.path("a");
        let text = fs::read_to_string(&path).expect("is there");
        // Under another name, of another version, cut off, empty, not JSON.
        fs::write(cache.path("b"), &text).expect("can be written");
        assert_eq!(cache.load("b"), None);
        for damaged in [
            text.replace(TOOL, "0.0.1"),
            text.replace("\"format\":1", "\"format\":0"),
            text[..text.len() / 2].to_owned(),
            String::new(),
            "nonsense".to_owned(),
        ] {
            fs::write(&path, damaged).expect("can be written");
            assert_eq!(cache.load("a"), None);
        }
        cache.save("a", sheet("two")).expect("can be kept again");
        assert_eq!(cache.load("a"), Some(sheet("two")));
    }

    #[test]
    fn the_oldest_go_first() {
        let temporary = tempfile::tempdir().expect("a temporary folder can be made");
        let cache = Cache::new(temporary.path(), "");
        for (age, key) in [(30, "c"), (20, "b"), (10, "a")] {
            cache.save(key, sheet(key)).expect("can be kept");
            let file = File::open(cache.path(key)).expect("is there");
            let then = SystemTime::now() - Duration::from_secs(age);
            file.set_modified(then).expect("is ours");
        }
        // Using it makes it young.
        assert!(cache.load("c").is_some());
        cache.keep_below(2, u64::MAX);
        let left: Vec<bool> = ["a", "b", "c"]
            .iter()
            .map(|key| cache.load(key).is_some())
            .collect();
        assert_eq!(left, [true, false, true]);
        cache.keep_below(9, 1);
        assert!(cache.load("a").is_none());
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_an_error_and_nothing_else() {
        let temporary = tempfile::tempdir().expect("a temporary folder can be made");
        let file = temporary.path().join("file");
        fs::write(&file, "").expect("can be written");
        let cache = Cache::new(&file, "");
        assert!(cache.save("a", sheet("a")).is_err());
        assert_eq!(cache.load("a"), None);
        cache.prune();
    }
}
