//! PostgreSQL's own isolation tester, and a server for it.

use std::path::{Path, PathBuf};
use std::process::Command;

use pgproof::postgres::{Places, find_programs};

/// A server for other tools, stopped when dropped.
pub struct Cluster {
    programs: PathBuf,
    folder: tempfile::TempDir,
}

impl Cluster {
    pub fn start() -> Cluster {
        let places = Places::from_environment(|name| std::env::var_os(name));
        let programs = find_programs(&places);
        let programs = programs
            .first()
            .expect("these tests need PostgreSQL: see dev/setup");
        let folder = tempfile::tempdir().expect("a folder can be made");
        let cluster = Cluster {
            programs: programs.folder.clone(),
            folder,
        };
        if is_root() {
            let owned = Command::new("chown")
                .arg("postgres")
                .arg(cluster.path())
                .status();
            assert!(owned.expect("chown runs").success());
        }
        let data = cluster.data();
        cluster.ran(
            "initdb",
            &["-D", &data, "-U", "postgres", "-A", "trust", "--no-sync"],
        );
        let options = format!(
            "-c listen_addresses='' -c fsync=off -c unix_socket_directories={}",
            cluster.path().display()
        );
        let log = cluster.path().join("log").display().to_string();
        cluster.ran(
            "pg_ctl",
            &["-D", &data, "-o", &options, "-l", &log, "-w", "start"],
        );
        cluster
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    fn data(&self) -> String {
        self.path().join("data").display().to_string()
    }

    /// PostgreSQL's programs refuse to run as root.
    fn command(&self, program: &str, args: &[&str]) -> Command {
        let program = self.programs.join(program);
        let mut command = match is_root() {
            true => {
                let mut command = Command::new("runuser");
                command.args(["-u", "postgres", "--"]).arg(program);
                command
            }
            false => Command::new(program),
        };
        command.args(args).current_dir(self.path());
        command
    }

    fn ran(&self, program: &str, args: &[&str]) {
        let status = self
            .command(program, args)
            .stdout(std::process::Stdio::null())
            .status();
        assert!(
            status.expect("the program runs").success(),
            "{program} failed"
        );
    }

    /// What the isolation tester says about a spec.
    pub fn isolationtester(&self, spec: &Path) -> String {
        let (said, wrong) = self.try_isolationtester(spec);
        assert!(wrong.is_empty(), "{said}\n{wrong}");
        said
    }

    /// What it says, and what it complains about.
    pub fn try_isolationtester(&self, spec: &Path) -> (String, String) {
        let input = std::fs::File::open(spec).expect("the spec was saved");
        let connect = format!(
            "host={} user=postgres dbname=postgres",
            self.path().display()
        );
        let output = Command::new(isolationtester())
            .arg(connect)
            .env("PGISOLATIONTIMEOUT", "20")
            .stdin(input)
            .output()
            .expect("the isolation tester runs");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (text(&output.stdout), text(&output.stderr))
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let stop = ["-D", &self.data(), "-m", "immediate", "stop"];
        let _ = self.command("pg_ctl", &stop).output();
    }
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// The real one.
fn isolationtester() -> PathBuf {
    let versions = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten();
    let inside = "lib/pgxs/src/test/isolation/isolationtester";
    let mut found: Vec<PathBuf> = versions
        .flatten()
        .map(|version| version.path().join(inside))
        .filter(|path| path.is_file())
        .collect();
    found.sort();
    found
        .pop()
        .expect("isolationtester comes with the package postgresql-client-15")
}

/// The lines after the last step that asks for violations.
pub fn violations(said: &str) -> &str {
    let at = said
        .rfind("step violations")
        .expect("violations are asked for");
    &said[at..]
}
