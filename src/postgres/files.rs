//! Sizes of the files behind tables and indexes, on a server of pgproof's own: holes where nobody wrote.

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io;
use std::os::unix::fs::{MetadataExt, chown};
use std::path::Path;

use crate::sql::{self, SqlText};

/// A file below the data directory, and what becomes of it: so many bytes, or nothing at all.
pub type FileChange = (String, Option<u64>);

/// How many names one command of a script gets.
const NAMES: usize = 500;

/// Changes files of a data directory of this machine. What is made belongs to whom the directory belongs to: a server does not see the
/// files of others.
pub(super) fn change(data: &Path, changes: &[FileChange]) -> io::Result<()> {
    let owner = fs::metadata(data)?;
    for (path, bytes) in changes {
        let path = data.join(path);
        match bytes {
            Some(bytes) => {
                let is_new = !path.exists();
                let file = OpenOptions::new()
                    .write(true)
                    .create(true)
                    .truncate(false)
                    .open(&path)?;
                file.set_len(*bytes)?;
                if is_new && fs::metadata(&path)?.uid() != owner.uid() {
                    chown(&path, Some(owner.uid()), Some(owner.gid()))?;
                }
            }
            None => match fs::remove_file(&path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            },
        }
    }
    Ok(())
}

/// The same, by a shell that the server runs: its data directory is that of a container.
pub(super) fn script(changes: &[FileChange]) -> SqlText {
    let mut by_size: BTreeMap<Option<u64>, Vec<&str>> = BTreeMap::new();
    for (path, bytes) in changes {
        by_size.entry(*bytes).or_default().push(path);
    }
    let mut lines = vec!["set -e".to_owned()];
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
        let set = |name: &str, bytes| {
            change(folder.path(), &[(name.to_owned(), bytes)]).expect("changed")
        };
        fs::write(folder.path().join("a"), b"rows").expect("written");
        set("a", Some(1 << 30));
        set("a.1", Some(8192));
        assert_eq!((size("a"), size("a.1")), (Some(1 << 30), Some(8192)));
        set("a", Some(4));
        set("a.1", None);
        set("a.2", None);
        assert_eq!(fs::read(folder.path().join("a")).expect("there"), b"rows");
        assert_eq!(size("a.1"), None);
    }

    #[test]
    fn equal_sizes_go_together() {
        let changes = [
            ("b".to_owned(), Some(8)),
            ("a".to_owned(), None),
            ("c".to_owned(), Some(8)),
        ];
        let sql = script(&changes);
        assert!(
            sql.as_str().contains("truncate -s 8 b c"),
            "{}",
            sql.as_str()
        );
        assert!(sql.as_str().contains("rm -f a"), "{}", sql.as_str());
    }
}
