//! Sizes of the files behind tables and indexes, on a server of pgproof's own: holes where nobody wrote.

#[cfg(feature = "containers")]
use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt, chown};
use std::path::Path;

#[cfg(feature = "containers")]
use base64::Engine as _;
#[cfg(feature = "containers")]
use base64::engine::general_purpose::STANDARD;

#[cfg(feature = "containers")]
use crate::sql::{self, SqlText};

/// What becomes of a file below the data directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FileChange {
    /// So many bytes; it is made where it is not there.
    Size(String, u64),
    /// It goes, where it is there.
    Gone(String),
    /// A copy of the second takes its place.
    Copy(String, String),
    /// A page of 8 kB is written, its number counted from 0.
    Page(String, u32, Vec<u8>),
}

/// Bytes of a page.
const PAGE: u64 = 8192;
/// How many names one command of a script gets.
#[cfg(feature = "containers")]
const NAMES: usize = 500;

/// Changes files of a data directory of this machine. What is made belongs to whom the directory belongs to: a server does not see the
/// files of others.
pub(super) fn change(data: &Path, changes: &[FileChange]) -> io::Result<()> {
    let owner = fs::metadata(data)?;
    let own = |path: &Path| match fs::metadata(path)?.uid() == owner.uid() {
        true => Ok(()),
        false => chown(path, Some(owner.uid()), Some(owner.gid())),
    };
    let open = |path: &Path| {
        OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)
    };
    for change in changes {
        match change {
            FileChange::Size(path, bytes) => {
                let path = data.join(path);
                let is_new = !path.exists();
                open(&path)?.set_len(*bytes)?;
                if is_new {
                    own(&path)?;
                }
            }
            FileChange::Gone(path) => match fs::remove_file(data.join(path)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            },
            FileChange::Copy(path, of) => {
                let path = data.join(path);
                fs::copy(data.join(of), &path)?;
                own(&path)?;
            }
            FileChange::Page(path, number, page) => {
                open(&data.join(path))?.write_all_at(page, u64::from(*number) * PAGE)?;
            }
        }
    }
    Ok(())
}

/// The same, by a shell that the server runs: its data directory is that of a container.
#[cfg(feature = "containers")]
pub(super) fn script(changes: &[FileChange]) -> SqlText {
    let mut lines = vec!["set -e".to_owned()];
    let mut by_size: BTreeMap<Option<u64>, Vec<&str>> = BTreeMap::new();
    for change in changes {
        match change {
            FileChange::Size(path, bytes) => by_size.entry(Some(*bytes)).or_default().push(path),
            FileChange::Gone(path) => by_size.entry(None).or_default().push(path),
            FileChange::Copy(path, of) => lines.push(format!("cp {of} {path}")),
            FileChange::Page(path, number, page) => lines.push(format!(
                "echo {} | base64 -d | dd of={path} bs={PAGE} seek={number} conv=notrunc 2>/dev/null",
                STANDARD.encode(page)
            )),
        }
    }
    for (bytes, paths) in &by_size {
        for paths in paths.chunks(NAMES) {
            lines.push(match bytes {
                Some(bytes) => format!("truncate -s {bytes} {}", paths.join(" ")),
                None => format!("rm -f {}", paths.join(" ")),
            });
        }
    }
    sql::run_script(&lines)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_grow_shrink_and_go() {
        let folder = tempfile::tempdir().expect("a folder");
        let size = |name: &str| fs::metadata(folder.path().join(name)).ok().map(|m| m.len());
        let set = |change_it: FileChange| change(folder.path(), &[change_it]).expect("changed");
        let sized = |name: &str, bytes| set(FileChange::Size(name.to_owned(), bytes));
        let gone = |name: &str| set(FileChange::Gone(name.to_owned()));
        fs::write(folder.path().join("a"), b"rows").expect("written");
        sized("a", 1 << 30);
        sized("a.1", 8192);
        assert_eq!((size("a"), size("a.1")), (Some(1 << 30), Some(8192)));
        sized("a", 4);
        gone("a.1");
        gone("a.2");
        assert_eq!(fs::read(folder.path().join("a")).expect("there"), b"rows");
        assert_eq!(size("a.1"), None);
        set(FileChange::Copy("b".to_owned(), "a".to_owned()));
        set(FileChange::Page("b".to_owned(), 1, vec![7; 8192]));
        assert_eq!((size("a"), size("b")), (Some(4), Some(2 * 8192)));
    }

    #[cfg(feature = "containers")]
    #[test]
    fn equal_sizes_go_together() {
        let size = |name: &str| FileChange::Size(name.to_owned(), 8);
        let page = FileChange::Page("d".to_owned(), 3, b"page".to_vec());
        let changes = [size("b"), FileChange::Gone("a".to_owned()), size("c"), page];
        let sql = script(&changes);
        assert!(
            sql.as_str().contains("truncate -s 8 b c"),
            "{}",
            sql.as_str()
        );
        assert!(sql.as_str().contains("rm -f a"), "{}", sql.as_str());
        assert!(
            sql.as_str().contains("echo cGFnZQ== | base64 -d"),
            "{}",
            sql.as_str()
        );
    }
}
