//! How many schedules a second, against PostgreSQL's own `isolationtester` on the same programs and the same server in the same run;
//! how many schedules exhaust a classical race; how soon a counterexample is there; how many of 10,000 schedules do not repeat.
//!
//! `cargo bench --bench race -- speed first again` runs only the parts that are named. Needs PostgreSQL 15 to 18 with `isolationtester`
//! (in Debian's `postgresql-client-NN`, below `lib/pgxs/src/test/isolation`), and a user that the server may run as.
#![expect(clippy::print_stdout, clippy::panic, reason = "a benchmark prints")]

use std::fmt::Write as _;
use std::io::{Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::Instant;

use pgproof::finding::Verdict;
use pgproof::postgres::{Places, Server, ServerChoice, ServerOptions, stop_all, until_signal};
use pgproof::verify::Stage;
use pgproof::verify::race::{Ground, RaceOptions, Racer};

mod support;
use support::{Design, design, design_of, stage};

/// Schedules by chance that are run twice.
const REPEATS: usize = 10_000;
/// Schedules that a rate is taken of, at least.
const ENOUGH: usize = 3_000;

fn main() -> ExitCode {
    let asked: Vec<String> = std::env::args().skip(1).collect();
    let asks = |part: &str| {
        let mut named = asked
            .iter()
            .filter(|word| !word.starts_with('-'))
            .peekable();
        named.peek().is_none() || named.any(|word| word == part)
    };
    // As the program has it: one thread, and further ones with a runtime of their own where trials are explored at the same time.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap_or_else(|e| panic!("no runtime: {e}"));
    let code = runtime.block_on(async {
        tokio::select! {
            () = bench(&asks) => ExitCode::SUCCESS,
            signal = until_signal() => ExitCode::from(signal.exit_code()),
        }
    });
    runtime.shutdown_background();
    stop_all();
    code
}

async fn bench(asks: &dyn Fn(&str) -> bool) {
    let places = Places::from_environment(|name| std::env::var_os(name));
    let options = ServerOptions::new(ServerChoice::Local, 15, places);
    let server = Server::start(&options)
        .await
        .unwrap_or_else(|e| panic!("{e}"));
    println!("PostgreSQL {}", server.version());
    if asks("speed") {
        speed(&server).await;
    }
    if asks("first") {
        first(&server).await;
    }
    if asks("again") {
        let began = Instant::now();
        let (run, diverged) = again(&server, &mixed(), REPEATS).await;
        println!(
            "run again: {diverged} of {run} schedules came out otherwise ({:.0} s)",
            began.elapsed().as_secs_f64()
        );
    }
    server.stop().await.unwrap_or_else(|e| panic!("{e}"));
}

async fn speed(server: &Server) {
    let folder = socket(server).await;
    for (title, design, commands, spec) in [
        (
            "3 sessions x 3 steps, nothing blocks",
            apart(),
            ["c1", "c2", "c3"],
            apart_spec(),
        ),
        (
            "3 sessions x 2 steps on one row, all block",
            counter(),
            ["hit"; 3],
            counter_spec(),
        ),
    ] {
        let (permutations, seconds) = isolationtester(&folder, &spec).await;
        let theirs = permutations as f64 / seconds;
        println!("{title}: isolationtester {theirs:.0}/s ({permutations} permutations)");
        for workers in 1..=std::thread::available_parallelism().map_or(1, usize::from) {
            let (schedules, seconds) =
                orders(server, &design, &commands, permutations, workers).await;
            let ours = schedules as f64 / seconds;
            println!(
                "  {workers} workers: {ours:.0}/s ({schedules} schedules), {:.1} times",
                ours / theirs
            );
        }
    }
}

/// How soon something is found, in each design of the tests that breaks.
async fn first(server: &Server) {
    let began = Instant::now();
    let (found, schedules) = raced(server, &members("")).await;
    println!(
        "check-then-insert, broken: {} after {schedules} schedules, {:.0} ms with its shrinking",
        found.word(),
        began.elapsed().as_secs_f64() * 1e3
    );
    let (found, schedules) = raced(server, &members("unique: {uq_member_email: [email]}")).await;
    println!(
        "check-then-insert behind a unique constraint, 2 and 3 sessions: {} by {schedules} schedules",
        found.word()
    );
    let (mut times, mut others) = (Vec::new(), 0);
    for file in broken() {
        let text = std::fs::read_to_string(&file).unwrap_or_else(|e| panic!("{e}"));
        let design = design_of(text);
        let stage = stage(server, &design).await;
        let racer = Racer::open(ground(server, &design, &stage), &RaceOptions::default()).await;
        let mut racer = racer.unwrap_or_else(|e| panic!("{e}"));
        let first = racer.first(&design.model.invariants[0]).await;
        racer.close().await.unwrap_or_else(|e| panic!("{e}"));
        stage.close().await.unwrap_or_else(|e| panic!("{e}"));
        let Some(first) = first.unwrap_or_else(|e| panic!("{e}")) else {
            others += 1;
            continue;
        };
        let took = first.after.as_secs_f64() * 1e3;
        let name = design.model.name.as_str();
        if name.starts_with("read-only-anomaly") {
            println!(
                "{name}: {took:.0} ms, {} schedules, {} of them of the three transactions that bring it about",
                first.schedules, first.of_its_trial
            );
        }
        times.push((took, name.to_owned()));
    }
    times.sort_by(|one, other| one.0.total_cmp(&other.0));
    let (median, _) = &times[times.len() / 2];
    let (last, slowest) = &times[times.len() - 1];
    println!(
        "first counterexample of {} broken designs: median {median:.0} ms, at most {last:.0} ms ({slowest}); {others} need more than an \
         order of steps",
        times.len()
    );
}

/// The designs of the tests that break.
fn broken() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/race");
    let entries = |folder: &Path| -> Vec<PathBuf> {
        let read = std::fs::read_dir(folder).unwrap_or_else(|e| panic!("{e}"));
        read.flatten().map(|entry| entry.path()).collect()
    };
    let is_broken = |file: &PathBuf| {
        let name = file
            .file_name()
            .map(|name| name.to_string_lossy().into_owned());
        name.is_some_and(|name| name.starts_with("broken"))
    };
    let folders = entries(&root);
    let files = folders.iter().flat_map(|folder| entries(folder));
    let mut found: Vec<PathBuf> = files.filter(is_broken).collect();
    found.sort();
    found
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
    queued(&mut Vec::new(), &mut Vec::new(), &mut [0; 3], &mut all);
    for order in all {
        let _ = writeln!(spec, "permutation {}", order.join(" "));
    }
    spec
}

/// `queue`: who has the row, then who waits for it.
fn queued(
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
        queued(order, queue, done, all);
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

/// Every order of these commands, without reduction, often enough for a rate.
async fn orders(
    server: &Server,
    design: &Design,
    commands: &[&str],
    permutations: usize,
    workers: usize,
) -> (usize, f64) {
    let stage = stage(server, design).await;
    let options = RaceOptions {
        reduce: false,
        sessions: commands.len(),
        workers,
        generated_states: 0,
        schedules_of_wide_trial: 20_000,
        ..RaceOptions::default()
    };
    let racer = Racer::open(ground(server, design, &stage), &options).await;
    let mut racer = racer.unwrap_or_else(|e| panic!("{e}"));
    let times = (ENOUGH / permutations).max(1) * workers;
    // The first time databases and sessions are opened.
    let mut schedules = 0;
    let mut began = Instant::now();
    for _ in 0..2 {
        began = Instant::now();
        let run = racer.run_orders("one", commands, times).await;
        schedules = run.unwrap_or_else(|e| panic!("{e}"));
    }
    let seconds = began.elapsed().as_secs_f64();
    assert_eq!(schedules, permutations * times, "not the same orders");
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

/// Where the server listens.
async fn socket(server: &Server) -> String {
    let database = server.create_database("socket").await;
    let database = database.unwrap_or_else(|e| panic!("{e}"));
    let mut admin = database.admin().await.unwrap_or_else(|e| panic!("{e}"));
    let shown = admin
        .query(&pgproof::sql::fixed("SHOW unix_socket_directories"))
        .await
        .unwrap_or_else(|e| panic!("{e:?}"));
    drop(admin);
    database.drop().await.unwrap_or_else(|e| panic!("{e}"));
    shown.scalar().unwrap_or_default().to_owned()
}

/// Runs a specification; how many permutations it has, and how many seconds they took.
async fn isolationtester(folder: &str, spec: &str) -> (usize, f64) {
    let program = newest(
        "/usr/lib/postgresql",
        "lib/pgxs/src/test/isolation/isolationtester",
    )
    .unwrap_or_else(|| panic!("no isolationtester: install postgresql-client-15"));
    let mut command = Command::new(program);
    command.arg(format!("host={folder} dbname=postgres user=postgres"));
    let spec = spec.to_owned();
    // Not here, where a signal would have to wait for it.
    let run = tokio::task::spawn_blocking(move || {
        let mut file = tempfile::tempfile().unwrap_or_else(|e| panic!("{e}"));
        file.write_all(spec.as_bytes())
            .and_then(|()| file.rewind())
            .unwrap_or_else(|e| panic!("{e}"));
        let began = Instant::now();
        let done = command.stdin(Stdio::from(file)).output();
        (done.unwrap_or_else(|e| panic!("{e}")), began.elapsed())
    });
    let (done, took) = run.await.unwrap_or_else(|e| panic!("{e}"));
    let text = String::from_utf8_lossy(&done.stdout);
    assert!(
        done.status.success(),
        "{text}{}",
        String::from_utf8_lossy(&done.stderr)
    );
    (
        text.matches("starting permutation:").count(),
        took.as_secs_f64(),
    )
}

/// The file of that name in the folder of the newest major version.
fn newest(root: &str, name: &str) -> Option<PathBuf> {
    let folders = std::fs::read_dir(root).ok()?.flatten();
    let found = folders
        .map(|entry| entry.path().join(name))
        .filter(|path| path.exists());
    found.max()
}
