//! A throw-away cluster of server programs found on this machine: a unix socket and nothing else, no durability, gone with the run.

use std::fs::{self, OpenOptions};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::cache::Cache;
use super::cleanup::{Cleanup, is_ending};
use super::connect::Address;
use super::lease::{RunRoot, free_space, io_error, tells_of_full_disk};
use super::places::Places;
use super::process::{Process, User, make_folder, prepared, server_user};
use super::programs::Programs;
use crate::error::Error;

/// How long a server may take to accept connections.
const START_LIMIT: Duration = Duration::from_secs(60);

/// A running cluster. Dropping it ends it and removes its folder.
pub(super) struct LocalCluster {
    pub(super) address: Address,
    pub(super) cleanup: Cleanup,
    process: Arc<Process>,
    log: PathBuf,
    /// The data directory.
    pub(super) data: PathBuf,
}

impl LocalCluster {
    /// Starts the programs on a fresh data directory.
    pub(super) async fn start(
        programs: &Programs,
        places: &Places,
        settings: &[(String, String)],
    ) -> Result<LocalCluster, Error> {
        let (programs, places, settings) = (programs.clone(), places.clone(), settings.to_vec());
        let launched = tokio::task::spawn_blocking(move || {
            let cache = Cache::for_programs(&programs, &places);
            let launched = Launched::new(&programs, &places, &settings, cache.as_ref())?;
            Ok((launched, programs, places, settings, cache))
        });
        let joined = launched
            .await
            .map_err(|e| Error::Internal(format!("starting PostgreSQL panicked: {e}")))?;
        let (launched, programs, places, settings, cache) = joined?;
        match launched.ready().await {
            Ok(()) => Ok(launched.into_cluster()),
            Err(error) => {
                // A copy of a damaged cache entry does not start; one from `initdb` says what is really wrong.
                let Some(cache) = cache.filter(|_| launched.from_cache) else {
                    return Err(error);
                };
                drop(launched);
                cache.forget()?;
                let again = Launched::new(&programs, &places, &settings, None)?;
                again.ready().await?;
                Ok(again.into_cluster())
            }
        }
    }

    /// Why it ended, with the last lines of its log; none while it runs.
    pub(super) fn postmortem(&self) -> Option<String> {
        let status = self.process.exited()?;
        Some(format!("PostgreSQL ended ({status}):\n{}", tail(&self.log)))
    }
}

/// A cluster whose process is running, perhaps not ready yet.
struct Launched {
    process: Arc<Process>,
    cleanup: Cleanup,
    address: Address,
    log: PathBuf,
    from_cache: bool,
}

impl Launched {
    fn new(
        programs: &Programs,
        places: &Places,
        settings: &[(String, String)],
        cache: Option<&Cache>,
    ) -> Result<Launched, Error> {
        let user = server_user();
        let root = RunRoot::open(&places.temporary)?;
        let run = root.create(if user.is_some() { 0o711 } else { 0o700 })?;
        let path = run.path.clone();
        let running: Arc<Mutex<Option<Arc<Process>>>> = Arc::default();
        let held = running.clone();
        let cleanup = Cleanup::register(move || {
            // Waits while the launch below is at work, so that all it makes is there to be removed.
            let process = held.lock().unwrap_or_else(PoisonError::into_inner).take();
            if let Some(process) = process {
                process.stop();
            }
            run.remove()
        });
        let mut running = running.lock().unwrap_or_else(PoisonError::into_inner);
        let socket = path.join("s");
        check_socket_path(&socket)?;
        if let Some(user) = &user {
            check_passable(&path, user)?;
        }
        let data = path.join("data");
        make_folder(&socket, user.as_ref())?;
        let from_cache = match cache {
            Some(cache) if cache.copy_to(&data, user.as_ref())? => true,
            _ => {
                go_on()?;
                check_room(&path)?;
                make_folder(&data, user.as_ref())?;
                initdb(programs, &data, user.as_ref())?;
                if let Some(cache) = cache {
                    // Slower runs are all that is lost.
                    let _ = cache.fill(&data);
                }
                false
            }
        };
        go_on()?;
        let log = path.join("log");
        let command = server_command(programs, &data, &socket, settings, &log, user.as_ref())?;
        let process = Process::spawn(command).map_err(|e| cannot_run(programs, "postgres", &e))?;
        let process = Arc::new(process);
        *running = Some(process.clone());
        drop(running);
        let address = Address::socket(&socket, "postgres");
        Ok(Launched {
            process,
            cleanup,
            address,
            log,
            from_cache,
        })
    }

    async fn ready(&self) -> Result<(), Error> {
        let start = Instant::now();
        loop {
            if self.address.connect().await.is_ok() {
                return Ok(());
            }
            let ended = self.process.exited().is_some();
            if ended || start.elapsed() > START_LIMIT {
                let what = if ended {
                    "PostgreSQL did not start"
                } else {
                    "PostgreSQL accepts no connections"
                };
                let lines = tail(&self.log);
                let help = if tells_of_full_disk(&lines) {
                    "free some space on the disk that holds the temporary folder, or point TMPDIR to another disk"
                } else {
                    "its last words above say why; `pgproof doctor` shows which programs were used"
                };
                return Err(Error::Environment {
                    message: format!("{what}:\n{lines}"),
                    help: help.to_owned(),
                });
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    fn into_cluster(self) -> LocalCluster {
        let Launched {
            process,
            cleanup,
            address,
            log,
            from_cache: _,
        } = self;
        LocalCluster {
            address,
            cleanup,
            process,
            data: log.with_file_name("data"),
            log,
        }
    }
}

/// Stops a launch whose program is about to end.
fn go_on() -> Result<(), Error> {
    if !is_ending() {
        return Ok(());
    }
    Err(Error::Environment {
        message: "PostgreSQL was not started: the program is ending".to_owned(),
        help: "run it again".to_owned(),
    })
}

/// Arguments of `initdb`. The locale is C.UTF-8, as in the container, so that both sort the same and neither lets a plain
/// index serve `LIKE 'x%'`, which production would not.
pub(super) const INITDB: [&str; 8] = [
    "-U",
    "postgres",
    "-A",
    "trust",
    "-E",
    "UTF8",
    "--no-sync",
    "--no-instructions",
];
/// The second where the system has not the first.
pub(super) const LOCALES: [&str; 2] = ["C.UTF-8", "C"];

fn initdb(programs: &Programs, data: &Path, user: Option<&User>) -> Result<(), Error> {
    let mut said = String::new();
    for locale in LOCALES {
        let mut command = Command::new(programs.folder.join("initdb"));
        command
            .args(INITDB)
            .arg(format!("--locale={locale}"))
            .arg("-D")
            .arg(data);
        let output = prepared(command, user)
            .output()
            .map_err(|e| cannot_run(programs, "initdb", &e))?;
        if output.status.success() {
            return Ok(());
        }
        said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        if !said.contains("locale") {
            break;
        }
    }
    let help = if tells_of_full_disk(&said) {
        "free some space on the disk that holds the temporary folder, or point TMPDIR to another disk"
    } else {
        "run `pgproof doctor` to see which programs were used; set PGPROOF_PG_BIN to choose others"
    };
    Err(Error::Environment {
        message: format!(
            "initdb {} could not make a data directory:\n{said}",
            programs.version
        ),
        help: help.to_owned(),
    })
}

fn server_command(
    programs: &Programs,
    data: &Path,
    socket: &Path,
    settings: &[(String, String)],
    log: &Path,
    user: Option<&User>,
) -> Result<Command, Error> {
    let mut command = Command::new(programs.folder.join("postgres"));
    command.arg("-D").arg(data).arg("-k").arg(socket).args([
        "-p",
        "5432",
        "-c",
        "listen_addresses=",
    ]);
    for (name, value) in settings {
        command.arg("-c").arg(format!("{name}={value}"));
    }
    let log = OpenOptions::new()
        .append(true)
        .create(true)
        .mode(0o600)
        .open(log)
        .map_err(|e| io_error(log, e))?;
    let errors = log.try_clone().map_err(|e| io_error(data, e))?;
    let mut command = prepared(command, user);
    command.stdout(log).stderr(errors);
    Ok(command)
}

fn cannot_run(programs: &Programs, name: &str, error: &std::io::Error) -> Error {
    let program = programs.folder.join(name);
    Error::Environment {
        message: format!("cannot run {}: {error}", program.display()),
        help: "make it executable for the current user (as root pgproof runs it as `postgres` or `nobody`)".to_owned(),
    }
}

/// A socket's path must fit into 107 bytes (103 on macOS).
fn check_socket_path(folder: &Path) -> Result<(), Error> {
    if folder.as_os_str().len() + "/.s.PGSQL.5432".len() <= 103 {
        return Ok(());
    }
    Err(Error::Environment {
        message: format!(
            "the path of a socket in {} would be longer than the system allows",
            folder.display()
        ),
        help: "point TMPDIR to a folder with a shorter name".to_owned(),
    })
}

/// `initdb` that meets a full disk crashes, and leaves shared memory behind that nobody can tell from a living server's.
fn check_room(folder: &Path) -> Result<(), Error> {
    const ROOM: u64 = 64 << 20;
    match free_space(folder) {
        Some(free) if free < ROOM => Err(io_error(folder, std::io::ErrorKind::StorageFull.into())),
        _ => Ok(()),
    }
}

/// As root the server runs as somebody else, who must get to its folder.
fn check_passable(path: &Path, user: &User) -> Result<(), Error> {
    for folder in path.ancestors() {
        let found = fs::metadata(folder).map_err(|e| io_error(folder, e))?;
        let mode = found.mode();
        let passable = if found.uid() == user.uid {
            mode & 0o100 != 0
        } else if found.gid() == user.gid {
            mode & 0o010 != 0
        } else {
            mode & 0o001 != 0
        };
        if !passable {
            let (folder, name) = (folder.display(), &user.name);
            return Err(Error::Environment {
                message: format!(
                    "the server runs as user {name}, who cannot pass through {folder}"
                ),
                help: "point TMPDIR to a folder that everybody may pass through".to_owned(),
            });
        }
    }
    Ok(())
}

/// The last lines of the log.
fn tail(log: &Path) -> String {
    let text = fs::read(log)
        .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
        .unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    let start = lines.len().saturating_sub(20);
    if lines.is_empty() {
        "it wrote no log".to_owned()
    } else {
        lines[start..].join("\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_too_long_for_a_socket_is_refused_before_anything_is_made() {
        assert!(check_socket_path(Path::new("/tmp/pgproof-0/0123456789ab/s")).is_ok());
        let long = format!("/{}", "x".repeat(100));
        assert!(matches!(
            check_socket_path(Path::new(&long)),
            Err(Error::Environment { .. })
        ));
    }
}
