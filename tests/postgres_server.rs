//! Servers: found, started, stopped, and nothing left behind however the run ends.

#![expect(
    clippy::panic,
    clippy::exit,
    clippy::print_stderr,
    reason = "a process is needed that panics, ends and speaks"
)]

#[path = "support/postgres.rs"]
#[expect(dead_code, reason = "shared with tests that use more of it")]
mod support;

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::{OpenOptionsExt, chown};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use pgproof::error::{Error, ExitCode};
use pgproof::postgres::{
    Server, ServerChoice, ServerOptions, doctor, find_programs, stop_all, sweep, until_signal,
};
use support::{Home, database, installed_major, places, processes_in, runs, session, sql};

/// Not a test by itself: the other tests run this program again with `PGPROOF_HOLD` set, to have a process to kill.
#[test]
#[ignore = "needs PostgreSQL"]
fn helper_that_holds_a_server() {
    let (Some(how), Some(home)) = (
        std::env::var_os("PGPROOF_HOLD"),
        std::env::var_os("PGPROOF_HOME"),
    ) else {
        return;
    };
    let how = how.to_string_lossy().into_owned();
    let (choice, end) = how.split_once(' ').expect("`docker wait`");
    let mut options = options(Path::new(&home), choice.parse().expect("a choice"));
    let early = ["early", "background"].contains(&end);
    if early {
        // From the very beginning, which is where the data directory is made.
        options.places.cache = None;
    }
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let code = runtime.block_on(async {
        let signalled = until_signal();
        if early {
            eprintln!("ready");
            return tokio::select! {
                _ = Server::start(&options) => 0,
                signal = signalled => signal.exit_code(),
            };
        }
        let server = Server::start(&options).await.expect("starts");
        let database = database(&server).await;
        let _session = session(&database).await;
        eprintln!("ready{}", database.name().as_str());
        match end {
            "panic" => panic!("on purpose"),
            "signal" => {
                let signal = signalled.await;
                drop(server);
                signal.exit_code()
            }
            "stop_all" => {
                let signal = signalled.await;
                std::mem::forget(server);
                stop_all();
                signal.exit_code()
            }
            _ => std::future::pending().await,
        }
    });
    if end == "background" {
        // As a program does that has somebody waiting for it.
        runtime.shutdown_background();
        stop_all();
    } else {
        drop(runtime);
    }
    std::process::exit(code.into());
}

fn options(home: &Path, choice: ServerChoice) -> ServerOptions {
    let mut options = ServerOptions::new(choice, installed_major(), places(home));
    options.allow_server = true;
    options
}

/// Another process with a server, and the name of its database.
struct Holder {
    child: Child,
    database: String,
}

impl Holder {
    fn start(home: &Home, choice: &str, end: &str) -> Holder {
        let mut command = Command::new(std::env::current_exe().expect("this program"));
        command.args([
            "--ignored",
            "--exact",
            "helper_that_holds_a_server",
            "--nocapture",
        ]);
        command
            .env("PGPROOF_HOLD", format!("{choice} {end}"))
            .env("PGPROOF_HOME", home.path());
        // A process group of its own, as a shell gives to a job.
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .process_group(0);
        let mut child = command.spawn().expect("can be run again");
        let mut lines = BufReader::new(child.stderr.take().expect("piped"))
            .lines()
            .map_while(Result::ok);
        let mut said = Vec::new();
        let database = loop {
            let line = lines
                .next()
                .unwrap_or_else(|| panic!("the helper ended: {said:?}"));
            match line.strip_prefix("ready") {
                Some(name) => break name.to_owned(),
                None => said.push(line),
            }
        };
        // Whatever it says from here on must not block it.
        std::thread::spawn(move || lines.for_each(drop));
        Holder { child, database }
    }

    /// Sends a signal to the whole process group, as Ctrl-C in a terminal does.
    fn signal(&self, name: &str) {
        let group = format!("-{}", self.child.id());
        let sent = Command::new("kill")
            .args([&format!("-{name}"), "--", &group])
            .status();
        assert!(sent.is_ok_and(|status| status.success()));
    }

    fn wait(mut self) -> std::process::ExitStatus {
        self.child.wait().expect("it was started")
    }
}

/// Looks again until it is so, for things that other processes do.
fn eventually(what: &str, mut so: impl FnMut() -> bool) {
    let start = Instant::now();
    while !so() {
        assert!(
            start.elapsed() < Duration::from_secs(20),
            "not so after 20 s: {what}"
        );
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn containers_of(run: &str) -> Vec<String> {
    let filter = format!("label=pgproof.run={run}");
    let output = Command::new("docker")
        .args(["ps", "-aq", "--filter", &filter])
        .output()
        .expect("these tests need Docker");
    assert!(
        output.status.success(),
        "these tests need Docker: see dev/setup"
    );
    String::from_utf8_lossy(&output.stdout)
        .lines()
        .map(str::to_owned)
        .collect()
}

fn run_ids(home: &Home) -> Vec<String> {
    home.runs()
        .iter()
        .filter_map(|path| Some(path.file_name()?.to_string_lossy().into_owned()))
        .collect()
}

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn a_local_server_says_what_it_is_and_leaves_nothing() {
    let home = Home::new();
    let server = home.local().await;
    let version = server.version().clone();
    assert_eq!(version.major, installed_major());
    assert_eq!(version.number / 10_000, u32::from(version.major));
    assert!(version.full.starts_with("PostgreSQL ") && version.full.contains(&version.text));
    assert_eq!(server.origin(), format!("local programs {}", version.text));
    assert_eq!(server.notes(), Vec::<String>::new());
    assert!(server.postmortem().await.is_none());
    let mut session = session(&database(&server).await).await;
    for (setting, value) in [
        ("fsync", "off"),
        ("deadlock_timeout", "1h"),
        ("listen_addresses", ""),
        ("lc_collate", "C.UTF-8"),
    ] {
        let shown = session
            .query(&sql(&format!("SHOW {setting}")))
            .await
            .expect("shown");
        assert_eq!(shown.scalar(), Some(value), "{setting}");
    }
    let segments = fs::read_dir("/dev/shm")
        .into_iter()
        .flatten()
        .flatten()
        .count();
    server.stop().await.expect("stops");
    home.assert_clean();
    assert!(
        fs::read_dir("/dev/shm")
            .into_iter()
            .flatten()
            .flatten()
            .count()
            <= segments
    );
}

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn a_server_for_another_version_says_so() {
    let home = Home::new();
    let mut options = home.options(ServerChoice::Local);
    options.major += 1;
    let server = Server::start(&options)
        .await
        .expect("the nearest version serves");
    let note = server.notes().first().cloned().unwrap_or_default();
    assert!(
        note.contains(&format!("targets PostgreSQL {}", options.major)),
        "{note}"
    );
}

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn a_damaged_cache_is_made_anew() {
    let home = Home::new();
    let mut options = home.options(ServerChoice::Local);
    options.places.cache = Some(home.path().join("cache"));
    Server::start(&options)
        .await
        .expect("starts")
        .stop()
        .await
        .expect("stops");
    let entries = || {
        fs::read_dir(home.path().join("cache/clusters"))
            .into_iter()
            .flatten()
            .flatten()
    };
    let entry = entries().next().expect("one entry").path();
    fs::remove_file(entry.join("global/pg_control")).expect("it is ours");
    Server::start(&options)
        .await
        .expect("starts all the same")
        .stop()
        .await
        .expect("stops");
    assert_eq!(entries().count(), 0, "what does not work is not kept");
    home.assert_clean();
}

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn a_server_that_refuses_to_start_shows_its_last_words() {
    let home = Home::new();
    let mut options = home.options(ServerChoice::Local);
    options
        .settings
        .insert("shared_buffers".to_owned(), "much".to_owned());
    let error = Server::start(&options).await.expect_err("no number");
    assert!(error.to_string().contains("shared_buffers"), "{error}");
    assert_eq!(error.exit_code(), ExitCode::Environment);
    home.assert_clean();

    options.settings.clear();
    options.places.temporary = home.path().join("x".repeat(90));
    let error = Server::start(&options).await.expect_err("not there");
    assert_eq!(error.exit_code(), ExitCode::Environment);
    fs::create_dir(&options.places.temporary).expect("can be made");
    let error = Server::start(&options)
        .await
        .expect_err("too long for a socket");
    assert!(
        error.to_string().contains("longer than the system allows"),
        "{error}"
    );
    assert_eq!(runs(&options.places.temporary), Vec::<PathBuf>::new());
}

#[test]
#[ignore = "needs PostgreSQL"]
fn an_interrupt_a_polite_kill_and_a_panic_leave_nothing() {
    for (end, signal, code) in [
        ("signal", "INT", 130),
        ("signal", "TERM", 143),
        ("stop_all", "HUP", 129),
    ] {
        let home = Home::new();
        let holder = Holder::start(&home, "local", end);
        assert!(!processes_in(home.path()).is_empty() && !home.runs().is_empty());
        holder.signal(signal);
        assert_eq!(holder.wait().code(), Some(code), "{end} {signal}");
        home.assert_clean();
    }
    let home = Home::new();
    let holder = Holder::start(&home, "local", "panic");
    assert_ne!(holder.wait().code(), Some(0));
    home.assert_clean();
}

/// The moment of the interrupt does not matter: making the data directory, starting, connecting.
fn interrupt_early(choice: &str, moments: &[u64]) {
    for (&moment, end) in moments
        .iter()
        .flat_map(|moment| [(moment, "early"), (moment, "background")])
    {
        let home = Home::new();
        let holder = Holder::start(&home, choice, end);
        std::thread::sleep(Duration::from_millis(moment));
        holder.signal("INT");
        // Ready before the signal is ready too.
        assert!(
            matches!(holder.wait().code(), Some(130 | 0)),
            "{choice} {moment} {end}"
        );
        home.assert_clean();
    }
}

#[test]
#[ignore = "needs PostgreSQL"]
fn an_interrupt_while_the_server_starts_leaves_nothing() {
    let shared = || {
        fs::read_dir("/dev/shm")
            .into_iter()
            .flatten()
            .flatten()
            .count()
    };
    let before = shared();
    interrupt_early("local", &[0, 20, 100, 300, 700, 1200, 1600, 2000]);
    eventually("no more shared memory than before", || shared() <= before);
}

#[test]
#[ignore = "needs PostgreSQL and Docker"]
fn an_interrupt_while_the_container_starts_leaves_nothing() {
    let ours = || {
        let output = Command::new("docker")
            .args(["ps", "-aq", "--filter", "label=pgproof.run"])
            .output();
        String::from_utf8_lossy(&output.expect("these tests need Docker").stdout)
            .lines()
            .count()
    };
    let moments = [0, 50, 300, 1500];
    for moment in moments {
        interrupt_early("docker", &[moment]);
    }
    // Other tests have containers of their own meanwhile, and end.
    eventually("no container is left", || ours() == 0);
}

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn what_a_killed_run_leaves_is_swept_by_the_next_and_only_that() {
    let home = Home::new();
    let alive = home.local().await;
    let kept = run_ids(&home);
    let holder = Holder::start(&home, "local", "wait");
    let killed: Vec<String> = run_ids(&home)
        .into_iter()
        .filter(|id| !kept.contains(id))
        .collect();
    holder.signal("KILL");
    assert_eq!(holder.wait().signal(), Some(9));
    // The kernel ends its server; its folder is left.
    eventually("the killed run's server ended", || {
        processes_in(home.path())
            .iter()
            .all(|line| !line.contains(&killed[0]))
    });
    assert_eq!(run_ids(&home).len(), 2);
    let swept = sweep(&home.places()).await.expect("swept");
    assert_eq!((swept.removed, swept.left), (killed, Vec::new()));
    assert_eq!(run_ids(&home), kept);
    database(&alive)
        .await
        .drop()
        .await
        .expect("the other server is untouched");
    alive.stop().await.expect("stops");
    home.assert_clean();
}

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn a_server_that_outlived_its_run_is_ended_by_the_sweep() {
    let home = Home::new();
    // A run's folder as a killed run leaves it where the kernel does not end its children.
    let server = home.local().await;
    let source = home.runs().pop().expect("one run");
    let dead = source.with_file_name("0123456789ab");
    server.stop().await.expect("stops");
    fs::create_dir(&dead).expect("can be made");
    fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(dead.join("lease"))
        .expect("can be made");
    let programs = find_programs(&home.places()).swap_remove(0).folder;
    let root = rustix_is_root();
    let as_server = |name: &str| {
        let mut command = Command::new(programs.join(name));
        if root {
            command.uid(postgres_user().0).gid(postgres_user().1);
        }
        command
            .current_dir("/")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .stdin(Stdio::null());
        command
    };
    if root {
        chown(&dead, Some(postgres_user().0), Some(postgres_user().1)).expect("root may");
    }
    let data = dead.join("data");
    let made = as_server("initdb")
        .args(["-A", "trust", "--no-sync", "-D"])
        .arg(&data)
        .status();
    assert!(made.is_ok_and(|status| status.success()));
    let options = format!("-k {} -c listen_addresses=", dead.display());
    let started = as_server("pg_ctl")
        .args(["start", "-w", "-o", &options, "-D"])
        .arg(&data)
        .status();
    assert!(started.is_ok_and(|status| status.success()));
    assert!(!processes_in(&dead).is_empty());
    let swept = sweep(&home.places()).await.expect("swept");
    assert_eq!(
        (swept.removed, swept.left),
        (vec!["0123456789ab".to_owned()], Vec::new())
    );
    home.assert_clean();
}

fn rustix_is_root() -> bool {
    fs::metadata("/proc/self")
        .map(|found| std::os::unix::fs::MetadataExt::uid(&found))
        .is_ok_and(|uid| uid == 0)
}

/// Number and group of the user `postgres`.
fn postgres_user() -> (u32, u32) {
    let passwd = fs::read_to_string("/etc/passwd").unwrap_or_default();
    let line = passwd
        .lines()
        .find(|line| line.starts_with("postgres:"))
        .expect("the package makes the user");
    let number = |at: usize| {
        line.split(':')
            .nth(at)
            .and_then(|field| field.parse().ok())
            .expect("a number")
    };
    (number(2), number(3))
}

/// The URL of a local server's socket: `local` plays a server that is somebody else's.
fn url_of(home: &Home, user: &str) -> String {
    let socket = home.runs().pop().expect("one run").join("s");
    let host = socket.to_string_lossy().replace('/', "%2F");
    format!("postgres://{user}@{host}/postgres")
}

async fn names(server: &Server, query: &str) -> Vec<String> {
    let mut admin = database(server).await.admin().await.expect("opened");
    let rows = admin.query(&sql(query)).await.expect("read").rows;
    rows.into_iter()
        .filter_map(|mut row| row.pop().flatten())
        .collect()
}

const DATABASES: &str = "SELECT datname FROM pg_database WHERE datname ~ '^pgproof_.*_owned'";
const ROLES: &str =
    "SELECT rolname FROM pg_roles WHERE rolname ~ '^(pgproof_.{12}_|app)' ORDER BY 1";

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn by_url_only_what_is_ours_is_made_and_dropped() {
    let (somebodys, ours) = (Home::new(), Home::new());
    let host = somebodys.local().await;
    let theirs = database(&host).await;
    let mut admin = theirs.admin().await.expect("opened");
    admin.batch(&sql("CREATE ROLE app_there; CREATE ROLE limited LOGIN; CREATE ROLE maker LOGIN CREATEDB CREATEROLE")).await.expect("made");

    // A superuser, and somebody who may just create databases and roles.
    for user in ["postgres", "maker"] {
        let mut options = ours.options(ServerChoice::Url(url_of(&somebodys, user)));
        let refused = Server::start(&options).await.expect_err("not allowed");
        assert_eq!(refused.exit_code(), ExitCode::Usage);
        options.allow_server = true;
        let server = Server::start(&options).await.expect("the URL is reached");
        assert!(
            server.origin().starts_with("server at /"),
            "{}",
            server.origin()
        );
        let made = server.create_database("owned").await.expect("made");
        let copy = server.clone_database(&made).await.expect("copied");
        for role in ["app_there", "app_new"] {
            server
                .ensure_role(&role.into(), false)
                .await
                .expect("made, or there");
        }
        let mut work = session(&made).await;
        work.batch(&sql("CREATE TABLE t (a int); GRANT SELECT ON t TO app_new"))
            .await
            .expect("the owner may build");
        let mut as_role = made.session_as(&"app_new".into()).await.expect("taken on");
        as_role
            .query(&sql("SELECT * FROM t"))
            .await
            .expect("granted");
        let observer = server.observer().await.expect("opened");
        assert!(
            observer
                .terminate_backend(work.pid())
                .await
                .expect("may end its own")
        );
        assert!(
            !observer
                .is_blocked(as_role.pid(), &[1])
                .await
                .expect("asked")
        );
        copy.drop().await.expect("dropped");
        assert_eq!(names(&host, DATABASES).await.len(), 1);
        server.stop().await.expect("stops");
        assert_eq!(names(&host, DATABASES).await, Vec::<String>::new());
        assert_eq!(names(&host, ROLES).await, ["app_there"], "{user}");
    }
    let mut options = ours.options(ServerChoice::Url(url_of(&somebodys, "limited")));
    options.allow_server = true;
    let error = Server::start(&options).await.expect_err("may not");
    assert!(
        error.to_string().contains("may not create databases"),
        "{error}"
    );
    options.choice = ServerChoice::Url("postgres://me:s3cret@127.0.0.1:1/db".to_owned());
    let error = Server::start(&options).await.expect_err("nobody is there");
    assert!(
        error
            .to_string()
            .contains("cannot connect to the server at 127.0.0.1:1"),
        "{error}"
    );
    assert!(!format!("{error:?}").contains("s3cret") && error.exit_code() == ExitCode::Environment);

    host.stop().await.expect("stops");
    somebodys.assert_clean();
    ours.assert_clean();
}

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn by_url_a_killed_runs_databases_are_swept_and_a_living_ones_are_not() {
    let (somebodys, ours) = (Home::new(), Home::new());
    let host = somebodys.local().await;
    let url = url_of(&somebodys, "postgres");
    let alive = Holder::start(&ours, &url, "wait");
    let killed = Holder::start(&ours, &url, "wait");
    killed.signal("KILL");
    let (kept, gone) = (alive.database.clone(), killed.database.clone());
    killed.wait();
    let there = async |name: &str| {
        let query = format!("SELECT datname FROM pg_database WHERE datname = '{name}'");
        !names(&host, &query).await.is_empty()
    };
    assert!(there(&gone).await);
    let mut options = ours.options(ServerChoice::Url(url));
    options.allow_server = true;
    // The server needs a moment to notice that the killed run's connections are gone.
    for attempt in 0.. {
        Server::start(&options)
            .await
            .expect("starts")
            .stop()
            .await
            .expect("stops");
        if !there(&gone).await {
            break;
        }
        assert!(attempt < 20, "never swept");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert!(there(&kept).await, "its run is alive");
    alive.signal("KILL");
    alive.wait();
    host.stop().await.expect("stops");
    somebodys.assert_clean();
}

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn a_full_disk_says_so_and_what_to_do() {
    if !rustix_is_root() {
        eprintln!("not tried: only root can mount a small disk");
        return;
    }
    let home = Home::new();
    let disk = SmallDisk::mount(home.path(), "20m");
    let mut options = home.options(ServerChoice::Local);
    // Whether the data directory is made or copied.
    let cache = options.places.cache.take();
    let error = Server::start(&options)
        .await
        .expect_err("the data directory does not fit");
    assert!(
        matches!(&error, Error::Environment { help, .. } if help.contains("free some space")),
        "{error:?}"
    );
    home.assert_clean();
    options.places.cache = cache;
    let error = Server::start(&options)
        .await
        .expect_err("the data directory does not fit");
    assert!(
        matches!(&error, Error::Environment { help, .. } if help.contains("free some space")),
        "{error:?}"
    );
    home.assert_clean();
    disk.resize("120m");
    let server = Server::start(&options).await.expect("now it fits");
    let mut session = session(&database(&server).await).await;
    let fill = "CREATE TABLE t AS SELECT repeat(md5(i::text), 60) AS x FROM generate_series(1, 200000) AS i";
    let failure = session
        .query(&sql(fill))
        .await
        .expect_err("the table does not fit");
    let error = failure.clone().into_error("fill a table");
    let said = format!("{error:?} {:?}", server.postmortem().await);
    assert!(
        said.contains("free some space") || said.contains("No space left on device"),
        "{said}"
    );
    server.stop().await.expect("stops");
    home.assert_clean();
}

/// A file system of a few megabytes over a folder.
struct SmallDisk<'a>(&'a Path);

impl SmallDisk<'_> {
    fn mount<'a>(folder: &'a Path, size: &str) -> SmallDisk<'a> {
        SmallDisk::run(
            &[
                "-t",
                "tmpfs",
                "-o",
                &format!("size={size},mode=711"),
                "none",
            ],
            folder,
        );
        SmallDisk(folder)
    }

    fn resize(&self, size: &str) {
        SmallDisk::run(&["-o", &format!("remount,size={size}")], self.0);
    }

    fn run(arguments: &[&str], folder: &Path) {
        let mounted = Command::new("mount").args(arguments).arg(folder).status();
        assert!(
            mounted.is_ok_and(|status| status.success()),
            "a small disk can be mounted"
        );
    }
}

impl Drop for SmallDisk<'_> {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.0).status();
    }
}

#[tokio::test]
#[ignore = "needs PostgreSQL and Docker"]
async fn a_container_has_no_network_and_leaves_nothing() {
    let home = Home::new();
    let server = Server::start(&home.options(ServerChoice::Docker))
        .await
        .expect("these tests need Docker: see dev/setup");
    assert_eq!(
        server.origin(),
        format!("docker postgres:{}", installed_major())
    );
    let run = run_ids(&home).pop().expect("one run");
    let containers = containers_of(&run);
    assert_eq!(containers.len(), 1);
    let format =
        "{{.HostConfig.NetworkMode}} {{len .NetworkSettings.Ports}} {{.HostConfig.CapDrop}}";
    let inspected = Command::new("docker")
        .args(["inspect", "-f", format, &containers[0]])
        .output()
        .expect("inspected");
    assert_eq!(
        String::from_utf8_lossy(&inspected.stdout).trim(),
        "none 0 [ALL]"
    );
    let mut session = session(&database(&server).await).await;
    for (setting, value) in [
        ("fsync", "off"),
        ("listen_addresses", ""),
        ("lc_collate", "C.UTF-8"),
    ] {
        let shown = session
            .query(&sql(&format!("SHOW {setting}")))
            .await
            .expect("shown");
        assert_eq!(shown.scalar(), Some(value), "{setting}");
    }
    server.stop().await.expect("stops");
    assert_eq!(containers_of(&run), Vec::<String>::new());
    home.assert_clean();
}

#[tokio::test]
#[ignore = "needs PostgreSQL and Docker"]
async fn an_engine_that_shares_no_files_is_reached_over_a_port() {
    // The engine's socket, as if it were on another host.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a port");
    let port = listener.local_addr().expect("bound").port();
    tokio::spawn(async move {
        while let Ok((mut outside, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut inside = tokio::net::UnixStream::connect("/var/run/docker.sock")
                    .await
                    .expect("Docker");
                let _ = tokio::io::copy_bidirectional(&mut outside, &mut inside).await;
            });
        }
    });
    let home = Home::new();
    let mut options = home.options(ServerChoice::Docker);
    options.places.docker_host = Some(format!("tcp://127.0.0.1:{port}"));
    let server = Server::start(&options)
        .await
        .expect("these tests need Docker: see dev/setup");
    let run = run_ids(&home).pop().expect("one run");
    let database = database(&server).await;
    let mut owner = session(&database).await;
    let shown = owner
        .query(&sql("SELECT inet_server_port()"))
        .await
        .expect("shown");
    assert_eq!(shown.scalar(), Some("5432"), "over TCP");
    server
        .ensure_role(&"app".into(), false)
        .await
        .expect("made");
    database
        .session_as(&"app".into())
        .await
        .expect("with a password of its own");
    server.stop().await.expect("stops");
    assert_eq!(containers_of(&run), Vec::<String>::new());
    home.assert_clean();
}

#[tokio::test]
#[ignore = "needs PostgreSQL and Docker"]
async fn a_missing_image_is_an_error_and_auto_takes_local_programs() {
    let home = Home::new();
    let mut options = home.options(ServerChoice::Docker);
    options.major = 99;
    let error = Server::start(&options).await.expect_err("no such image");
    assert!(
        error
            .to_string()
            .contains("the image postgres:99 is not on this machine"),
        "{error}"
    );
    assert!(
        matches!(&error, Error::Environment { help, .. } if help.contains("docker pull")),
        "{error:?}"
    );
    options.choice = ServerChoice::Auto;
    let server = Server::start(&options).await.expect("local programs serve");
    assert!(server.origin().starts_with("local programs "));
    assert!(
        server
            .notes()
            .iter()
            .any(|note| note.contains("postgres:99")),
        "{:?}",
        server.notes()
    );
    server.stop().await.expect("stops");
    home.assert_clean();
}

#[tokio::test]
#[ignore = "needs PostgreSQL and Docker"]
async fn auto_takes_a_container_and_without_an_engine_local_programs() {
    let home = Home::new();
    let mut options = home.options(ServerChoice::Auto);
    let server = Server::start(&options).await.expect("starts");
    assert!(
        server.origin().starts_with("docker "),
        "{:?}",
        server.notes()
    );
    server.stop().await.expect("stops");
    let lines = doctor(&options.places, options.major).await;
    assert!(lines.iter().all(|line| line.ok), "{lines:#?}");
    assert!(
        lines
            .last()
            .is_some_and(|line| line.found.contains("container"))
    );

    options.places.docker_host = Some(format!("unix://{}", home.path().join("no.sock").display()));
    let server = Server::start(&options).await.expect("starts");
    assert!(server.origin().starts_with("local "));
    assert!(
        server.notes().iter().any(|note| note.contains("no.sock")),
        "{:?}",
        server.notes()
    );
    server.stop().await.expect("stops");
    let lines = doctor(&options.places, options.major).await;
    assert!(
        lines
            .first()
            .is_some_and(|line| !line.ok && line.advice.is_some()),
        "{lines:#?}"
    );
    assert!(
        lines
            .last()
            .is_some_and(|line| line.ok && line.found.contains("server programs"))
    );
    home.assert_clean();
}

#[tokio::test]
#[ignore = "needs PostgreSQL and Docker"]
async fn containers_of_ended_and_killed_runs_go() {
    for (end, signal) in [("signal", "TERM"), ("stop_all", "INT"), ("panic", "")] {
        let home = Home::new();
        let holder = Holder::start(&home, "docker", end);
        // The helper that panics may be gone already.
        let run = run_ids(&home).pop().unwrap_or_default();
        if !signal.is_empty() {
            assert_eq!(containers_of(&run).len(), 1);
            holder.signal(signal);
        }
        holder.wait();
        assert_eq!(containers_of(&run), Vec::<String>::new(), "{end} {signal}");
        home.assert_clean();
    }
    let home = Home::new();
    let holder = Holder::start(&home, "docker", "wait");
    let run = run_ids(&home).pop().expect("one run");
    holder.signal("KILL");
    holder.wait();
    assert_eq!(containers_of(&run).len(), 1, "nobody could remove it");
    // The next run, wherever its server comes from, removes it.
    home.local().await.stop().await.expect("stops");
    assert_eq!(containers_of(&run), Vec::<String>::new());
    home.assert_clean();
}
