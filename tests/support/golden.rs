//! Files that hold what is expected. `UPDATE_GOLDEN=1` rewrites them; the change then shows in review.

use std::path::{Path, PathBuf};

/// Compares with a file under the repository.
pub fn check(path: &str, found: &str) {
    let path: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).expect("the folder of a golden file can be made");
        }
        std::fs::write(&path, found).expect("a golden file can be written");
        return;
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    let first = expected
        .lines()
        .zip(found.lines())
        .position(|(a, b)| a != b)
        .unwrap_or_else(|| expected.lines().count().min(found.lines().count()));
    assert!(
        expected == found,
        "{} differs from line {} on; UPDATE_GOLDEN=1 rewrites it\n  expected: {:?}\n  found:    {:?}",
        path.display(),
        first + 1,
        expected.lines().nth(first).unwrap_or("(the end)"),
        found.lines().nth(first).unwrap_or("(the end)"),
    );
}
