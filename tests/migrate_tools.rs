//! The files of `pgproof migrate --format` run by the tools they are for: up to the new design, and down again where every step can be taken back.
//!
//! Tools that are on this machine are tried; `PGPROOF_TEST_TOOLS=sqitch,alembic` says which must be. `CASES=all` tries every case instead of
//! a few, `CASES=add-index,drop-index` those, `TOOL=sqlx` one tool.
#![expect(
    clippy::panic,
    clippy::print_stdout,
    reason = "a test says what it saw"
)]

#[path = "support/applied.rs"]
#[expect(dead_code, reason = "shared with tests that use more of it")]
mod applied;
#[path = "support/design.rs"]
#[expect(dead_code, reason = "shared with tests that use more of it")]
mod design;
#[path = "support/program.rs"]
mod program;
#[path = "support/postgres.rs"]
#[expect(dead_code, reason = "shared with tests that use more of it")]
mod support;

use std::net::{Shutdown, TcpListener};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::Command;

use applied::{Case, scalar};
use pgproof::postgres::Server;
use program::{pgproof, stderr, stdout};
use support::Home;

/// One that builds concurrently, one that proves, one that fills, an enum value, a partitioned table, one of several kinds, one that loses rows.
const FEW: [&str; 7] = [
    "add-index",
    "set-not-null",
    "rename-column-not-null",
    "enum-add-value",
    "index-on-partitioned",
    "several-at-once",
    "drop-partition",
];

/// Where a tool is to work.
struct Place<'a> {
    /// The folder of the server's socket.
    socket: &'a str,
    database: &'a str,
    /// Where the socket is reached over TCP: Java knows no other way.
    port: u16,
    /// The folder with the files.
    files: &'a Path,
}

impl Place<'_> {
    fn url(&self) -> String {
        let host = self.socket.replace('/', "%2F");
        format!("postgres://postgres@{host}/{}", self.database)
    }

    fn command(&self, program: &str, args: &[&str]) -> Command {
        let mut command = Command::new(program);
        command
            .args(args)
            .current_dir(self.files)
            .env("PGHOST", self.socket)
            .env("PGUSER", "postgres")
            .env("SQITCH_USER_CONFIG", "/dev/null")
            .env("SQITCH_FULLNAME", "nobody")
            .env("SQITCH_EMAIL", "nobody@example.org")
            .env("DATABASE_URL", self.url());
        command
    }
}

/// A tool, and how it is called.
struct Tool {
    name: &'static str,
    program: &'static str,
    prepare: fn(&Place<'_>),
    up: fn(&Place<'_>) -> Vec<Command>,
    /// Takes back so many steps.
    down: fn(&Place<'_>, usize) -> Vec<Command>,
}

const TOOLS: [Tool; 5] = [
    Tool {
        name: "sqitch",
        program: "sqitch",
        prepare: |_| {},
        up: |place| {
            let target = format!("db:pg:{}", place.database);
            vec![
                place.command("sqitch", &["deploy", "--verify", &target]),
                place.command("sqitch", &["verify", &target]),
            ]
        },
        down: |place, _| {
            let target = format!("db:pg:{}", place.database);
            vec![place.command("sqitch", &["revert", "-y", &target])]
        },
    },
    Tool {
        name: "alembic",
        program: "alembic",
        prepare: |place| {
            let ini = "[alembic]\nscript_location = .\n";
            std::fs::write(place.files.join("alembic.ini"), ini).expect("written");
            std::fs::write(place.files.join("env.py"), ENV).expect("written");
        },
        up: |place| vec![place.command("alembic", &["upgrade", "head"])],
        down: |place, _| vec![place.command("alembic", &["downgrade", "base"])],
    },
    Tool {
        name: "sqlx",
        program: "sqlx",
        prepare: |_| {},
        up: |place| vec![place.command("sqlx", &["migrate", "run", "--source", "."])],
        down: |place, _| {
            let args = [
                "migrate",
                "revert",
                "--source",
                ".",
                "--target-version",
                "0",
            ];
            vec![place.command("sqlx", &args)]
        },
    },
    Tool {
        name: "dbmate",
        program: "dbmate",
        prepare: |_| {},
        up: |place| vec![dbmate(place, "up")],
        down: |place, steps| (0..steps).map(|_| dbmate(place, "rollback")).collect(),
    },
    Tool {
        name: "liquibase",
        program: "liquibase",
        prepare: |_| {},
        up: |place| vec![liquibase(place, &["update"])],
        down: |place, steps| {
            let count = format!("--count={steps}");
            vec![liquibase(place, &["rollback-count", &count])]
        },
    },
];

/// What Alembic's own template has, and a transaction for each step.
const ENV: &str = "
import os
from urllib.parse import quote
from alembic import context
from sqlalchemy import create_engine
try:
    import psycopg
    driver = 'psycopg'
except ImportError:
    driver = 'psycopg2'
name = os.environ['DATABASE_URL'].rsplit('/', 1)[1]
host = quote(os.environ['PGHOST'])
engine = create_engine(f'postgresql+{driver}://postgres@/{name}?host={host}')
with engine.connect() as connection:
    context.configure(connection=connection, transaction_per_migration=True)
    with context.begin_transaction():
        context.run_migrations()
";

fn dbmate(place: &Place<'_>, what: &str) -> Command {
    let url = format!(
        "postgres://postgres@/{}?host={}&sslmode=disable",
        place.database, place.socket
    );
    place.command(
        "dbmate",
        &["--url", &url, "-d", ".", "--no-dump-schema", what],
    )
}

fn liquibase(place: &Place<'_>, what: &[&str]) -> Command {
    let url = format!(
        "--url=jdbc:postgresql://127.0.0.1:{}/{}",
        place.port, place.database
    );
    let fixed = [
        "--changelog-file=changelog.sql",
        "--username=postgres",
        "--headless=true",
        &url,
    ];
    place.command("liquibase", &[&fixed[..], what].concat())
}

/// Lends a socket a port, for as long as the test runs.
fn lend(socket: &Path) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("bound").port();
    let socket = socket.join(".s.PGSQL.5432");
    std::thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let Ok(server) = UnixStream::connect(&socket) else {
                return;
            };
            let (mut from, mut to) = (
                client.try_clone().expect("a copy"),
                server.try_clone().expect("a copy"),
            );
            std::thread::spawn(move || {
                let _ = std::io::copy(&mut from, &mut to);
                to.shutdown(Shutdown::Both)
            });
            let (mut from, mut to) = (server, client);
            std::thread::spawn(move || {
                let _ = std::io::copy(&mut from, &mut to);
                to.shutdown(Shutdown::Both)
            });
        }
    });
    port
}

fn is_here(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
}

fn cases() -> Vec<String> {
    let asked = std::env::var("CASES").unwrap_or_else(|_| FEW.join(","));
    if asked != "all" {
        return asked.split(',').map(str::to_owned).collect();
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/migrate");
    let entries = std::fs::read_dir(root)
        .expect("the folder is there")
        .flatten();
    let mut names: Vec<String> = entries
        .filter(|entry| entry.path().is_dir())
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

/// Writes the files of a plan, with all hazards accepted. Returns how many steps there are and whether each can be taken back.
fn write(case: &Case, tool: &Tool, files: &Path) -> (usize, bool) {
    let migrate = ["migrate", "--from", "from.yaml", "--to", "to.yaml"];
    let json = pgproof(&migrate)
        .args(["--format", "json"])
        .current_dir(&case.folder)
        .assert();
    let plan: serde_json::Value = serde_json::from_str(&stdout(&json)).expect("JSON");
    let steps = plan["plan"]["steps"].as_array().expect("steps");
    let mut accepted = Vec::new();
    for hazard in steps
        .iter()
        .flat_map(|step| step["hazards"].as_array().into_iter().flatten())
    {
        accepted.push("--accept".to_owned());
        let part = |key: &str| hazard[key].as_str().unwrap_or_default().to_owned();
        accepted.push(format!("{}:{}", part("kind"), part("subject")));
    }
    let written = pgproof(&migrate)
        .args(["--format", tool.name, "--output"])
        .arg(files)
        .args(&accepted)
        .current_dir(&case.folder)
        .assert();
    assert!(
        written.get_output().status.success(),
        "{}",
        stderr(&written)
    );
    let is_reversible = steps.iter().all(|step| step["reverse"]["parts"].is_array());
    (steps.len(), is_reversible)
}

fn run(commands: Vec<Command>) -> Result<(), String> {
    for mut command in commands {
        let output = command.output().map_err(|fault| fault.to_string())?;
        if !output.status.success() {
            let said = [output.stdout, output.stderr].concat();
            let said = String::from_utf8_lossy(&said).into_owned();
            let from = said.len().saturating_sub(3000);
            let said = said.get(from..).unwrap_or(&said).to_owned();
            return Err(format!("{command:?}\n{said}"));
        }
    }
    Ok(())
}

async fn one(
    (home, server, port): (&Home, &Server, u16),
    tool: &Tool,
    name: &str,
) -> Result<bool, String> {
    let case = Case::of(home, &format!("migrate/{name}"));
    let database = case.old(server).await;
    let files = home.path().join(tool.name).join(name);
    std::fs::create_dir_all(&files).expect("a folder can be made");
    let (steps, is_reversible) = write(&case, tool, &files);
    let socket: PathBuf = home.runs().pop().expect("one run").join("s");
    let place = Place {
        socket: &socket.to_string_lossy(),
        database: database.name().as_str(),
        port,
        files: &files,
    };
    if steps == 0 {
        // Some tools take a folder without files for a mistake.
        return Ok(true);
    }
    (tool.prepare)(&place);
    run((tool.up)(&place)).map_err(|said| format!("up: {said}"))?;
    let same = |what: &str, lines: Vec<String>| match lines.is_empty() {
        true => Ok(()),
        false => Err(format!("{what}:\n{}", lines.join("\n"))),
    };
    same("up", case.apart(server, &database, "to.yaml").await)?;
    if is_reversible {
        match run((tool.down)(&place, steps)) {
            // The file says that it cannot do it in the one transaction that the tool gives it.
            Err(said) if said.contains("it takes several transactions") => return Ok(false),
            went => went.map_err(|said| format!("down: {said}"))?,
        }
        same("down", case.apart(server, &database, "from.yaml").await)?;
        run((tool.up)(&place)).map_err(|said| format!("up again: {said}"))?;
        same("up again", case.apart(server, &database, "to.yaml").await)?;
    }
    let mut admin = database.admin().await.expect("an administrator");
    let half = "SELECT count(*) FROM pg_index WHERE NOT indisvalid";
    if scalar(&mut admin, half).await != "0" {
        return Err("an index is invalid".to_owned());
    }
    drop(admin);
    database.drop().await.map_err(|error| error.to_string())?;
    Ok(is_reversible)
}

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn the_tools_run_what_is_written_for_them() {
    let asked = std::env::var("PGPROOF_TEST_TOOLS").unwrap_or_default();
    let asked: Vec<&str> = asked.split(',').filter(|name| !name.is_empty()).collect();
    let home = Home::new();
    let server = home.local().await;
    let port = lend(&home.runs().pop().expect("one run").join("s"));
    let only = std::env::var("TOOL").ok();
    let mut wrong = Vec::new();
    for tool in &TOOLS {
        if only.as_deref().is_some_and(|only| only != tool.name) {
            continue;
        }
        if !is_here(tool.program) {
            assert!(
                !asked.contains(&tool.name),
                "{} is not on this machine",
                tool.name
            );
            println!("{}: unchecked, it is not on this machine", tool.name);
            continue;
        }
        let since = std::time::Instant::now();
        let (mut ups, mut downs) = (0, 0);
        for case in cases() {
            match one((&home, &server, port), tool, &case).await {
                Ok(is_reversible) => {
                    ups += 1;
                    downs += usize::from(is_reversible);
                }
                Err(why) => wrong.push(format!("{} of {case}: {why}", tool.name)),
            }
        }
        let took = since.elapsed().as_secs();
        println!(
            "{}: {ups} cases up, {downs} of them down and up again, {took} s",
            tool.name
        );
    }
    server.stop().await.expect("stopped");
    assert!(wrong.is_empty(), "{}:\n{}", wrong.len(), wrong.join("\n\n"));
}
