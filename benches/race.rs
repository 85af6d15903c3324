//! How many schedules a second, against PostgreSQL's own `isolationtester` on the same programs and the same server in the same run;
//! how many schedules exhaust a classical race; how soon a counterexample is there; how many of 10,000 schedules do not repeat.
//!
//! Needs PostgreSQL 15 to 18 with `isolationtester` (in Debian's `postgresql-client-NN`, below `lib/pgxs/src/test/isolation`), and a
//! user that the server may run as.
#![expect(clippy::print_stdout, clippy::panic, reason = "a benchmark prints")]

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use pgproof::finding::Verdict;
use pgproof::postgres::{Places, Server, ServerChoice, ServerOptions};
use pgproof::verify::Stage;
use pgproof::verify::race::{Ground, RaceOptions, Racer};

mod support;
use support::{Design, design, stage};

/// Threads of control are one; the sessions' processes share what cores there are.
const REPEATS: usize = 10_000;

fn main() {
    // As the program has it: what the server does is spread over the cores, what pgproof does is not.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap_or_else(|e| panic!("no runtime: {e}"));
    runtime.block_on(bench());
}

async fn bench() {
    let cluster = Cluster::start();
    let options = |choice, allow| {
        let places = Places::from_environment(|name| std::env::var_os(name));
        let mut options = ServerOptions::new(choice, 15, places);
        options.allow_server = allow;
        options
    };
    // The same server as isolationtester's for the comparison; one of pgproof's own, where it may stop processes, for the rest.
    let shared = options(ServerChoice::Url(cluster.url()), true);
    let shared = Server::start(&shared)
        .await
        .unwrap_or_else(|e| panic!("{e}"));
    println!("PostgreSQL {}", shared.version());
    for (title, design, spec) in [
        (
            "3 sessions x 3 steps, nothing blocks",
            apart(),
            apart_spec(),
        ),
        (
            "3 sessions x 2 steps on one row, all block",
            counter(),
            counter_spec(),
        ),
    ] {
        let (schedules, seconds) = explored(&shared, &design, 3).await;
        let ours = schedules as f64 / seconds;
        let (permutations, seconds) = cluster.isolationtester(&spec);
        let theirs = permutations as f64 / seconds;
        println!(
            "{title}: pgproof {ours:.0}/s ({schedules} schedules, 1 worker), isolationtester {theirs:.0}/s ({permutations} permutations): {:.1} times",
            ours / theirs
        );
        let (schedules, seconds) = explored_by(&shared, &design, 3, 2).await;
        println!("  two workers: {:.0}/s", schedules as f64 / seconds);
    }
    shared.stop().await.unwrap_or_else(|e| panic!("{e}"));

    let own = options(ServerChoice::Local, false);
    let own = Server::start(&own).await.unwrap_or_else(|e| panic!("{e}"));
    let began = Instant::now();
    let (found, schedules) = raced(&own, &members("")).await;
    println!(
        "check-then-insert, broken: {} after {} schedules, {:.0} ms with its shrinking",
        found.word(),
        schedules,
        began.elapsed().as_secs_f64() * 1e3
    );
    let (found, schedules) = raced(&own, &members("unique: {uq_member_email: [email]}")).await;
    println!(
        "check-then-insert behind a unique constraint, 2 and 3 sessions: {} by {schedules} schedules",
        found.word()
    );
    let began = Instant::now();
    let (run, diverged) = again(&own, &mixed(), REPEATS).await;
    println!(
        "run again: {diverged} of {run} schedules came out otherwise ({:.0} s)",
        began.elapsed().as_secs_f64()
    );
    own.stop().await.unwrap_or_else(|e| panic!("{e}"));
}

/// Every session has a table of its own.
fn apart() -> Design {
    let mut body = String::from("tables:\n");
    for n in 1..=3 {
        let _ = write!(
            body,
            "  t{n}:\n    grain: one row\n    columns: {{id: int, n: int}}\n    key: [id]\n"
        );
    }
    body.push_str("invariants:\n  none:\n    never: it is not there\n    holds: SELECT id FROM t1 WHERE n < 0\n    enforced: application\ncommands:\n");
    for n in 1..=3 {
        let _ = write!(
            body,
            "  c{n}:\n    actor: a\n    does: b\n    steps:\n      - sql: SELECT n FROM t{n} WHERE id = 1\n      - sql: UPDATE t{n} SET n = n + 1 WHERE id = 1\n"
        );
    }
    body.push_str("states:\n  one:\n    t1: [{id: 1, n: 0}]\n    t2: [{id: 1, n: 0}]\n    t3: [{id: 1, n: 0}]\n");
    design(&body)
}

fn apart_spec() -> String {
    let mut spec = String::from("setup { ");
    for n in 1..=3 {
        let _ = write!(
            spec,
            "CREATE TABLE t{n} (id int PRIMARY KEY, n int NOT NULL); INSERT INTO t{n} VALUES (1, 0); "
        );
    }
    spec.push_str("}\nteardown { DROP TABLE t1, t2, t3; }\n");
    for n in 1..=3 {
        let _ = write!(
            spec,
            "session s{n}\nstep r{n} {{ BEGIN; SELECT n FROM t{n} WHERE id = 1; }}\nstep w{n} {{ UPDATE t{n} SET n = n + 1 WHERE id = 1; }}\nstep c{n} {{ COMMIT; }}\n"
        );
    }
    spec
}

/// Everybody writes the same row.
fn counter() -> Design {
    design(
        "tables:\n  t:\n    grain: one row\n    columns: {id: int, n: int}\n    key: [id]\n\
         invariants:\n  none:\n    never: it is not there\n    holds: SELECT id FROM t WHERE n < 0\n    enforced: application\n\
         commands:\n  hit:\n    actor: a\n    does: b\n    steps:\n      - sql: UPDATE t SET n = n + 1 WHERE id = 1\n\
         states:\n  one:\n    t: [{id: 1, n: 0}]\n",
    )
}

/// The orders in which nobody is asked to go on while he waits: isolationtester runs no others.
fn counter_spec() -> String {
    let mut spec = String::from(
        "setup { CREATE TABLE t (id int PRIMARY KEY, n int NOT NULL); INSERT INTO t VALUES (1, 0); }\nteardown { DROP TABLE t; }\n",
    );
    for n in 1..=3 {
        let _ = write!(
            spec,
            "session s{n}\nstep w{n} {{ BEGIN; UPDATE t SET n = n + 1 WHERE id = 1; }}\nstep c{n} {{ COMMIT; }}\n"
        );
    }
    let mut all = Vec::new();
    orders(&mut Vec::new(), &mut Vec::new(), &mut [0; 3], &mut all);
    for order in all {
        let _ = writeln!(spec, "permutation {}", order.join(" "));
    }
    spec
}

/// `queue`: who has the row, then who waits for it.
fn orders(
    order: &mut Vec<String>,
    queue: &mut Vec<usize>,
    done: &mut [usize; 3],
    all: &mut Vec<Vec<String>>,
) {
    if done.iter().all(|steps| *steps == 2) {
        all.push(order.clone());
    }
    for at in 0..3 {
        match done[at] {
            0 => {
                queue.push(at);
                order.push(format!("w{}", at + 1));
            }
            1 if queue.first() == Some(&at) => {
                queue.remove(0);
                order.push(format!("c{}", at + 1));
            }
            _ => continue,
        }
        done[at] += 1;
        orders(order, queue, done, all);
        done[at] -= 1;
        order.pop();
        match done[at] {
            0 => queue.retain(|waiting| *waiting != at),
            _ => queue.insert(0, at),
        }
    }
}

/// Check-then-insert.
fn members(unique: &str) -> Design {
    design(&format!(
        "tables:\n  member:\n    grain: one member\n    columns: {{id: uuid, email: text}}\n    key: [id]\n    {unique}\n\
         invariants:\n  once:\n    never: two members have one address\n    unique: {{in: member, columns: [email]}}\n    enforced: {}\n\
         commands:\n  join:\n    actor: a\n    does: b\n    params: {{email: text}}\n    steps:\n      - as: known\n        sql: SELECT id FROM member WHERE email = :email\n      \
         - require: known.rows == 0\n        otherwise: known_already\n      \
         - sql: INSERT INTO member (id, email) VALUES (gen_random_uuid(), :email)\n    outcomes: {{unique_violation: known_already}}\n",
        if unique.is_empty() {
            "application"
        } else {
            "constraint"
        }
    ))
}

/// Locks, deadlocks, several who wait for one, retries.
fn mixed() -> Design {
    design(
        "tables:\n  account:\n    grain: one account\n    columns: {id: int, cents: int}\n    key: [id]\n  note:\n    grain: one note\n    \
         columns: {id: int, account_id: int}\n    key: [id]\n    references:\n      fk_note: {columns: [account_id], to: account, on_delete: cascade}\n\
         invariants:\n  kept:\n    never: money is lost\n    holds: SELECT 1 FROM account HAVING sum(cents) NOT IN (0, 200)\n    enforced: transaction\n\
         commands:\n  there:\n    actor: a\n    does: b\n    steps:\n      - sql: UPDATE account SET cents = cents - 1 WHERE id = 1\n      - sql: UPDATE account SET cents = cents + 1 WHERE id = 2\n    \
         retry: [deadlock_detected]\n  back:\n    actor: a\n    does: b\n    isolation: repeatable read\n    steps:\n      - sql: UPDATE account SET cents = cents - 1 WHERE id = 2\n      - sql: UPDATE account SET cents = cents + 1 WHERE id = 1\n    \
         retry: [deadlock_detected, serialization_failure]\n  remark:\n    actor: a\n    does: b\n    steps:\n      - sql: INSERT INTO note VALUES (1, 1)\n    outcomes: {unique_violation: there_already}\n\
         states:\n  two:\n    account: [{id: 1, cents: 100}, {id: 2, cents: 100}]\n",
    )
}

fn ground<'a>(server: &'a Server, design: &'a Design, stage: &'a Stage<'a>) -> Ground<'a> {
    Ground {
        model: &design.model,
        catalog: &design.compiled.catalog,
        server,
        template: &stage.template,
    }
}

async fn explored(server: &Server, design: &Design, sessions: usize) -> (usize, f64) {
    explored_by(server, design, sessions, 1).await
}

/// Every order, without reduction.
async fn explored_by(
    server: &Server,
    design: &Design,
    sessions: usize,
    workers: usize,
) -> (usize, f64) {
    let stage = stage(server, design).await;
    let options = RaceOptions {
        reduce: false,
        sessions,
        workers,
        generated_states: 0,
        schedules_of_wide_trial: 20_000,
        ..RaceOptions::default()
    };
    let racer = Racer::open(ground(server, design, &stage), &options).await;
    let mut racer = racer.unwrap_or_else(|e| panic!("{e}"));
    let began = Instant::now();
    let outcomes = racer.outcomes(sessions).await;
    outcomes.unwrap_or_else(|e| panic!("{e}"));
    let seconds = began.elapsed().as_secs_f64();
    let schedules = racer.schedules();
    racer.close().await.unwrap_or_else(|e| panic!("{e}"));
    stage.close().await.unwrap_or_else(|e| panic!("{e}"));
    (schedules, seconds)
}

async fn raced(server: &Server, design: &Design) -> (Verdict, usize) {
    let stage = stage(server, design).await;
    let racer = Racer::open(ground(server, design, &stage), &RaceOptions::default()).await;
    let mut racer = racer.unwrap_or_else(|e| panic!("{e}"));
    let result = racer.race(&design.model.invariants[0]).await;
    let result = result.unwrap_or_else(|e| panic!("{e}"));
    let schedules = racer.schedules();
    racer.close().await.unwrap_or_else(|e| panic!("{e}"));
    stage.close().await.unwrap_or_else(|e| panic!("{e}"));
    (result.verdict, schedules)
}

async fn again(server: &Server, design: &Design, times: usize) -> (usize, usize) {
    let stage = stage(server, design).await;
    let racer = Racer::open(ground(server, design, &stage), &RaceOptions::default()).await;
    let mut racer = racer.unwrap_or_else(|e| panic!("{e}"));
    let counted = racer.run_again(3, times).await;
    let counted = counted.unwrap_or_else(|e| panic!("{e}"));
    racer.close().await.unwrap_or_else(|e| panic!("{e}"));
    stage.close().await.unwrap_or_else(|e| panic!("{e}"));
    counted
}

/// A throw-away cluster that isolationtester and pgproof share.
struct Cluster {
    folder: tempfile::TempDir,
    bin: PathBuf,
}

impl Cluster {
    fn start() -> Cluster {
        let bin = newest("/usr/lib/postgresql", "bin/initdb")
            .and_then(|initdb| initdb.parent().map(Path::to_owned))
            .unwrap_or_else(|| panic!("no server programs below /usr/lib/postgresql"));
        let folder = tempfile::tempdir_in("/tmp").unwrap_or_else(|e| panic!("{e}"));
        let cluster = Cluster { folder, bin };
        run(Command::new("chmod").arg("777").arg(cluster.folder.path()));
        let data = cluster.data();
        run(cluster.program("initdb").args([
            "-D",
            &data,
            "-U",
            "postgres",
            "-A",
            "trust",
            "--no-sync",
        ]));
        let settings = format!(
            "-c listen_addresses= -c unix_socket_directories={} -c fsync=off -c synchronous_commit=off -c autovacuum=off -c jit=off",
            cluster.folder.path().display()
        );
        run(cluster.program("pg_ctl").args([
            "-D",
            &data,
            "-o",
            &settings,
            "-l",
            &format!("{data}.log"),
            "-w",
            "start",
        ]));
        cluster
    }

    fn data(&self) -> String {
        self.folder.path().join("data").display().to_string()
    }

    fn url(&self) -> String {
        format!(
            "postgres:///postgres?host={}&user=postgres",
            self.folder.path().display()
        )
    }

    /// As somebody who is not root, as PostgreSQL wants it.
    fn program(&self, name: &str) -> Command {
        let program = self.bin.join(name);
        let is_root = std::fs::metadata("/proc/self")
            .is_ok_and(|own| std::os::unix::fs::MetadataExt::uid(&own) == 0);
        let mut command = match is_root {
            true => {
                let mut command = Command::new("setpriv");
                command
                    .args(["--reuid=postgres", "--regid=postgres", "--clear-groups"])
                    .arg(program);
                command
            }
            false => Command::new(program),
        };
        command.current_dir("/");
        command
    }

    /// Runs a specification; how many permutations it has, and how many seconds they took.
    fn isolationtester(&self, spec: &str) -> (usize, f64) {
        let program = newest(
            "/usr/lib/postgresql",
            "lib/pgxs/src/test/isolation/isolationtester",
        )
        .unwrap_or_else(|| panic!("no isolationtester: install postgresql-client-15"));
        let file = self.folder.path().join("bench.spec");
        std::fs::write(&file, spec).unwrap_or_else(|e| panic!("{e}"));
        let input = std::fs::File::open(&file).unwrap_or_else(|e| panic!("{e}"));
        let began = Instant::now();
        let done = Command::new(program)
            .arg(format!(
                "host={} dbname=postgres user=postgres",
                self.folder.path().display()
            ))
            .stdin(Stdio::from(input))
            .output()
            .unwrap_or_else(|e| panic!("{e}"));
        let seconds = began.elapsed().as_secs_f64();
        let text = String::from_utf8_lossy(&done.stdout);
        assert!(
            done.status.success(),
            "{text}{}",
            String::from_utf8_lossy(&done.stderr)
        );
        (text.matches("starting permutation:").count(), seconds)
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let data = self.data();
        let _ = self
            .program("pg_ctl")
            .args(["-D", &data, "-m", "immediate", "stop"])
            .output();
    }
}

fn run(command: &mut Command) {
    let done = command
        .output()
        .unwrap_or_else(|e| panic!("{command:?}: {e}"));
    assert!(
        done.status.success(),
        "{command:?}: {}",
        String::from_utf8_lossy(&done.stderr)
    );
}

/// The file of that name in the folder of the newest major version.
fn newest(root: &str, name: &str) -> Option<PathBuf> {
    let folders = std::fs::read_dir(root).ok()?.flatten();
    let found = folders
        .map(|entry| entry.path().join(name))
        .filter(|path| path.exists());
    found.max()
}
