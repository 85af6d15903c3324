//! Server programs on this machine: where they are, which version, which to take.

use std::collections::BTreeSet;
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::places::Places;

/// `initdb` and `postgres` of one version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Programs {
    /// The folder they are in.
    pub folder: PathBuf,
    /// `15.18`.
    pub version: String,
    /// `15`.
    pub major: u16,
    /// Everything `postgres --version` says.
    pub full: String,
}

impl fmt::Display for Programs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} in {}", self.version, self.folder.display())
    }
}

/// Folders with one sub-folder a version, and where in it the programs are.
const LAYOUTS: [(&str, &str); 6] = [
    ("/usr/lib/postgresql", "bin"),
    ("/usr/local/lib/postgresql", "bin"),
    ("/opt/homebrew/opt", "bin"),
    ("/usr/local/opt", "bin"),
    ("/Applications/Postgres.app/Contents/Versions", "bin"),
    ("/usr", "bin"),
];

/// Every set of server programs, those the user named first, then `PATH`, then the places distributions use.
pub fn find_programs(places: &Places) -> Vec<Programs> {
    let mut folders: Vec<PathBuf> = places.programs.clone();
    folders.extend(places.path.iter().cloned());
    for (parent, below) in LAYOUTS {
        let entries = std::fs::read_dir(parent).into_iter().flatten().flatten();
        let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
        let mut versions: Vec<String> = names
            .filter(|name| may_hold_programs(parent, name))
            .collect();
        versions.sort();
        folders.extend(
            versions
                .into_iter()
                .rev()
                .map(|name| Path::new(parent).join(name).join(below)),
        );
    }
    folders.push(PathBuf::from("/usr/local/pgsql/bin"));
    let mut seen = BTreeSet::new();
    // A link in PATH leads to the folder that has both programs.
    let real = folders.iter().filter_map(|folder| {
        folder
            .join("initdb")
            .canonicalize()
            .ok()?
            .parent()
            .map(Path::to_owned)
    });
    real.filter(|folder| seen.insert(folder.clone()))
        .filter_map(|folder| inspect(&folder))
        .collect()
}

/// In shared parents only the folders of PostgreSQL: `postgresql@16`, `pgsql-16`.
fn may_hold_programs(parent: &str, name: &str) -> bool {
    match parent {
        "/usr" => name.starts_with("pgsql-"),
        "/opt/homebrew/opt" | "/usr/local/opt" => name.starts_with("postgresql"),
        _ => true,
    }
}

/// Which of them serves a design for `major`: the same version, else the nearest, of two equally near the newer.
pub fn choose(found: &[Programs], major: u16) -> Option<&Programs> {
    found
        .iter()
        .rev()
        .min_by_key(|programs| {
            let distance = programs.major.abs_diff(major);
            (distance, std::cmp::Reverse(programs.major))
        })
        .and_then(|best| found.iter().find(|programs| programs.major == best.major))
}

fn inspect(folder: &Path) -> Option<Programs> {
    let output = Command::new(folder.join("postgres"))
        .arg("--version")
        .stdin(Stdio::null())
        .output()
        .ok()?;
    let full = String::from_utf8(output.stdout).ok()?.trim().to_owned();
    let version = read_version(&full)?;
    let major = version
        .split(|c: char| !c.is_ascii_digit())
        .next()?
        .parse()
        .ok()?;
    Some(Programs {
        folder: folder.to_owned(),
        version,
        major,
        full,
    })
}

/// `postgres (PostgreSQL) 15.18 (Debian …)`, `… 18beta1`.
fn read_version(line: &str) -> Option<String> {
    let version = line
        .split_once("(PostgreSQL) ")?
        .1
        .split_whitespace()
        .next()?;
    version
        .starts_with(|c: char| c.is_ascii_digit())
        .then(|| version.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn programs(majors: &[u16]) -> Vec<Programs> {
        let one = |(at, &major): (usize, &u16)| Programs {
            folder: PathBuf::from(format!("{at}")),
            version: format!("{major}.1"),
            major,
            full: String::new(),
        };
        majors.iter().enumerate().map(one).collect()
    }

    #[test]
    fn the_designs_version_is_preferred_then_the_nearest_then_the_newer() {
        let folder = |majors: &[u16], wanted| {
            choose(&programs(majors), wanted)
                .map(|chosen| (chosen.folder.display().to_string(), chosen.major))
        };
        assert_eq!(folder(&[14, 15, 17], 15), Some(("1".to_owned(), 15)));
        assert_eq!(folder(&[14, 18], 15), Some(("0".to_owned(), 14)));
        assert_eq!(folder(&[14, 16], 15), Some(("1".to_owned(), 16)));
        // Of two of the same version the one found first, which the user may have named.
        assert_eq!(folder(&[15, 15], 15), Some(("0".to_owned(), 15)));
        assert_eq!(folder(&[], 15), None);
    }

    #[test]
    fn versions_are_read_from_what_the_program_says() {
        let line = "postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)";
        assert_eq!(read_version(line).as_deref(), Some("15.18"));
        assert_eq!(
            read_version("postgres (PostgreSQL) 18beta1").as_deref(),
            Some("18beta1")
        );
        assert_eq!(read_version("something else"), None);
    }
}
