//! What the tests with a real server share.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use pgproof::postgres::{
    Database, Places, Server, ServerChoice, ServerOptions, Session, find_programs,
};
use pgproof::sql::SqlText;

/// A folder of its own for the runs of one test, so that what they leave behind is seen.
pub struct Home {
    folder: tempfile::TempDir,
}

impl Home {
    pub fn new() -> Home {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let open = fs::Permissions::from_mode(0o711);
        fs::set_permissions(folder.path(), open).expect("the folder is ours");
        Home { folder }
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// The places of this machine, with this folder for runs and one that all tests share for the cache.
    pub fn places(&self) -> Places {
        places(self.folder.path())
    }

    pub fn options(&self, choice: ServerChoice) -> ServerOptions {
        ServerOptions::new(choice, installed_major(), self.places())
    }

    /// A server of local programs.
    pub async fn local(&self) -> Server {
        let started = Server::start(&self.options(ServerChoice::Local)).await;
        started.expect("these tests need PostgreSQL's server programs: see dev/setup")
    }

    /// What `PGPROOF_TEST_POSTGRES` names, else local programs.
    pub async fn server(&self) -> Server {
        let started = Server::start(&self.options(chosen())).await;
        started.expect("these tests need PostgreSQL: see dev/setup")
    }

    /// The folders of runs that are there now.
    pub fn runs(&self) -> Vec<PathBuf> {
        runs(self.folder.path())
    }

    /// Nothing of any run is left, neither a folder nor a process.
    pub fn assert_clean(&self) {
        assert_eq!(
            self.runs(),
            Vec::<PathBuf>::new(),
            "folders of runs are left"
        );
        assert_eq!(
            processes_in(self.folder.path()),
            Vec::<String>::new(),
            "servers are left"
        );
    }
}

pub fn places(temporary: &Path) -> Places {
    let mut places = Places::from_environment(|name| std::env::var_os(name));
    places.temporary = temporary.to_owned();
    places.cache = Some(Path::new(env!("CARGO_TARGET_TMPDIR")).join("pgproof-cache"));
    places
}

/// Where the tests that do not mind get their server from.
pub fn chosen() -> ServerChoice {
    let name = std::env::var("PGPROOF_TEST_POSTGRES").unwrap_or_else(|_| "local".to_owned());
    name.parse().expect("PGPROOF_TEST_POSTGRES is a choice")
}

/// `PGPROOF_TEST_MAJOR`, else the major version of the programs on this machine.
pub fn installed_major() -> u16 {
    if let Ok(major) = std::env::var("PGPROOF_TEST_MAJOR") {
        return major.parse().expect("PGPROOF_TEST_MAJOR is a number");
    }
    let places = Places::from_environment(|name| std::env::var_os(name));
    let programs = find_programs(&places);
    programs
        .first()
        .expect("these tests need PostgreSQL's server programs: see dev/setup")
        .major
}

pub fn runs(temporary: &Path) -> Vec<PathBuf> {
    let root = temporary.join(format!(
        "pgproof-{}",
        fs::metadata(temporary).expect("the folder is there").uid()
    ));
    let entries = fs::read_dir(root).into_iter().flatten().flatten();
    entries
        .map(|entry| entry.path())
        .filter(|path| path.is_dir())
        .collect()
}

/// Command lines of processes that name the folder.
pub fn processes_in(folder: &Path) -> Vec<String> {
    let folder = folder.to_string_lossy().into_owned();
    let entries = fs::read_dir("/proc").expect("Linux").flatten();
    let lines = entries.filter_map(|entry| fs::read(entry.path().join("cmdline")).ok());
    let lines = lines.map(|line| String::from_utf8_lossy(&line).replace('\0', " "));
    // The tests' own helpers get the folder as an environment variable, so only servers have it here.
    lines.filter(|line| line.contains(&folder)).collect()
}

pub fn sql(text: &str) -> SqlText {
    SqlText::authored(text)
}

pub fn some(values: &[&str]) -> Vec<Option<String>> {
    values
        .iter()
        .map(|value| Some((*value).to_owned()))
        .collect()
}

pub async fn database(server: &Server) -> Database {
    server
        .create_database("test")
        .await
        .expect("a database can be made")
}

pub async fn session(database: &Database) -> Session {
    database.session().await.expect("a session can be opened")
}
