//! PostgreSQL from the official image, through testcontainers.
//!
//! Where the engine shares our file system the container gets no network at all: the server listens on a unix socket in a folder
//! that only we can enter, which is faster too. Elsewhere (an engine in a virtual machine or on another host) its port is
//! published; an internal network would keep the container off the outside, but engines publish no ports from one.

use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use testcontainers::bollard::models::{HostConfig, PortBinding};
use testcontainers::core::{IntoContainerPort, Mount};
use testcontainers::runners::AsyncRunner;
use testcontainers::{ContainerRequest, GenericImage, ImageExt};

use super::cleanup::{Cleanup, block_on};
use super::connect::Address;
use super::engine::{Engine, LABEL};
use super::lease::{RunRoot, io_error, random_hex, tells_of_full_disk};
use super::places::Places;
use crate::error::Error;

/// The official image.
pub(super) const IMAGE: &str = "postgres";
/// Where the socket folder is inside the container.
const SOCKETS: &str = "/pgproof";
const START_LIMIT: Duration = Duration::from_secs(120);
/// How long after its second start the server may stay out of reach.
const REACH_LIMIT: Duration = Duration::from_secs(5);

/// What the image's entrypoint needs to make a data directory and to become the `postgres` user, and nothing more.
const CAPABILITIES: [&str; 5] = ["CHOWN", "DAC_OVERRIDE", "FOWNER", "SETGID", "SETUID"];

/// A running container. Dropping it removes it.
pub(super) struct Container {
    pub(super) address: Address,
    pub(super) cleanup: Cleanup,
    engine: Engine,
    id: String,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Reach {
    Socket,
    Port,
}

enum Refusal {
    /// The server runs but cannot be reached this way.
    Unreachable,
    Failed(Error),
}

impl Container {
    /// Starts the image of a major version, downloading it when it is missing.
    pub(super) async fn start(
        engine: &Engine,
        places: &Places,
        major: u16,
        settings: &[(String, String)],
    ) -> Result<Container, Error> {
        // What cannot be removed is in nobody's way.
        let _ = engine.remove_abandoned().await;
        let image = format!("{IMAGE}:{major}");
        let present = engine
            .has_image(&image)
            .await
            .map_err(|reason| engine_error(engine, &reason))?;
        if !present {
            let pulled = engine.pull(IMAGE, &major.to_string()).await;
            pulled.map_err(|reason| Error::Environment {
                message: format!("the image {image} is not on this machine and cannot be pulled: {reason}"),
                help: format!("run `docker pull {image}` where the registry can be reached, or use `--postgres local`"),
            })?;
        }
        if engine.shares_files() {
            match Container::run(engine, places, major, settings, Reach::Socket).await {
                Ok(container) => return Ok(container),
                Err(Refusal::Failed(error)) => return Err(error),
                Err(Refusal::Unreachable) => {}
            }
        }
        match Container::run(engine, places, major, settings, Reach::Port).await {
            Ok(container) => Ok(container),
            Err(Refusal::Failed(error)) => Err(error),
            Err(Refusal::Unreachable) => Err(Error::Environment {
                message: format!(
                    "PostgreSQL runs in a container of {image}, but cannot be reached from here"
                ),
                help: "let the engine publish ports to this machine, or use `--postgres local`"
                    .to_owned(),
            }),
        }
    }

    async fn run(
        engine: &Engine,
        places: &Places,
        major: u16,
        settings: &[(String, String)],
        reach: Reach,
    ) -> Result<Container, Refusal> {
        // Only we may enter the run's folder: the socket in it takes everybody for the superuser.
        let root = RunRoot::open(&places.temporary).map_err(Refusal::Failed)?;
        let mut run = root.create(0o700).map_err(Refusal::Failed)?;
        run.note("container", engine.host())
            .map_err(Refusal::Failed)?;
        let (id, sockets) = (run.id.clone(), run.path.join("s"));
        open_to_all(&sockets).map_err(Refusal::Failed)?;
        let (remover, run_id) = (engine.clone(), id.clone());
        let finished = Arc::new(AtomicBool::new(false));
        let known = finished.clone();
        let cleanup = Cleanup::register(move || {
            let host = remover.clone();
            let removed = block_on(async move {
                let mut removed = remover.remove_run(&run_id).await;
                if !known.load(Ordering::Acquire) {
                    // Interrupted while the engine was at work on it: it may be there only now.
                    tokio::time::sleep(Duration::from_millis(500)).await;
                    removed = remover.remove_run(&run_id).await;
                }
                removed.map_err(|reason| engine_error(&remover, &reason))
            });
            match removed {
                Ok(()) => run.remove(),
                // The folder stays, so that a later sweep knows about the container.
                Err(error) => Err(match error {
                    Error::Environment { message, .. } => Error::Environment {
                        message: format!("a container may be left behind: {message}"),
                        help: format!("the next run removes it once {} answers", host.host()),
                    },
                    other => other,
                }),
            }
        });
        let password = random_hex(32);
        let request = request(engine, major, &id, &password, &sockets, settings, reach);
        let started = request.start().await.map_err(|e| match reach {
            // An engine that cannot see the folder refuses to start; over a port it says what else may be wrong.
            Reach::Socket => Refusal::Unreachable,
            Reach::Port => Refusal::Failed(engine_error(engine, &e.to_string())),
        })?;
        finished.store(true, Ordering::Release);
        let container = started.id().to_owned();
        let address = match reach {
            Reach::Socket => Ok(Address::socket(&sockets, "postgres")),
            Reach::Port => {
                let port = started.get_host_port_ipv4(5432).await;
                let host = started.get_host().await.map(|host| host.to_string());
                port.and_then(|port| Ok(Address::tcp(&host?, port, "postgres", &password)))
            }
        };
        // Removing is ours, above: testcontainers' own `Drop` needs the runtime that we may have left by then.
        std::mem::forget(started);
        let address = address.map_err(|e| Refusal::Failed(engine_error(engine, &e.to_string())))?;
        let container = Container {
            address,
            cleanup,
            engine: engine.clone(),
            id: container,
        };
        container.ready().await?;
        Ok(container)
    }

    /// Waits for the server that stays. The entrypoint starts one to set things up, stops it, and becomes the second itself,
    /// which is therefore process 1; a server that lasts is taken for the second too.
    async fn ready(&self) -> Result<(), Refusal> {
        let start = Instant::now();
        let mut process: Option<(String, Instant)> = None;
        let mut ready_since: Option<Instant> = None;
        loop {
            match self.postmaster().await {
                Some(pid) if pid == "1" => return Ok(()),
                Some(pid) => match &process {
                    Some((known, since)) if *known == pid => {
                        if since.elapsed() > Duration::from_secs(10) {
                            return Ok(());
                        }
                    }
                    _ => process = Some((pid, Instant::now())),
                },
                None => {
                    let looked = self.engine.look(&self.id).await;
                    let (running, log) = looked
                        .map_err(|reason| Refusal::Failed(engine_error(&self.engine, &reason)))?;
                    if !running || start.elapsed() > START_LIMIT {
                        return Err(Refusal::Failed(did_not_start(&log)));
                    }
                    if log.matches("ready to accept connections").count() >= 2
                        && ready_since.get_or_insert_with(Instant::now).elapsed() > REACH_LIMIT
                    {
                        return Err(Refusal::Unreachable);
                    }
                }
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// The process number that the server has inside its container.
    async fn postmaster(&self) -> Option<String> {
        let connected = self.address.settings(&[]).connect().await.ok()?;
        let sql = "SELECT split_part(pg_read_file('postmaster.pid'), E'\\n', 1)";
        let row = connected.client.query_one(sql, &[]).await.ok()?;
        row.try_get(0).ok()
    }

    /// Why it ended, with its last words; none while it runs.
    pub(super) async fn postmortem(&self) -> Option<String> {
        match self.engine.look(&self.id).await {
            Ok((true, _)) => None,
            Ok((false, log)) => Some(format!("PostgreSQL's container ended:\n{log}")),
            Err(reason) => Some(format!("PostgreSQL's container is gone: {reason}")),
        }
    }
}

fn request(
    engine: &Engine,
    major: u16,
    run: &str,
    password: &str,
    sockets: &Path,
    settings: &[(String, String)],
    reach: Reach,
) -> ContainerRequest<GenericImage> {
    let listen = match reach {
        // The entrypoint looks for the first server in the default folder.
        Reach::Socket => [
            format!("unix_socket_directories=/var/run/postgresql,{SOCKETS}"),
            "listen_addresses=".to_owned(),
        ],
        Reach::Port => [
            "listen_addresses=*".to_owned(),
            "unix_socket_directories=/var/run/postgresql".to_owned(),
        ],
    };
    let settings = settings
        .iter()
        .map(|(name, value)| format!("{name}={value}"));
    let command = listen
        .into_iter()
        .chain(settings)
        .flat_map(|setting| ["-c".to_owned(), setting]);
    let request = GenericImage::new(IMAGE, &major.to_string())
        .with_exposed_port(5432.tcp())
        .with_env_var("POSTGRES_USER", "postgres")
        .with_env_var("POSTGRES_PASSWORD", password)
        .with_env_var(
            "POSTGRES_INITDB_ARGS",
            "--encoding=UTF8 --locale=C.UTF-8 --no-sync",
        )
        .with_label(LABEL, run)
        .with_cmd(command)
        .with_cap_drop("ALL")
        .with_security_opt("no-new-privileges")
        .with_startup_timeout(START_LIMIT);
    let request = CAPABILITIES
        .iter()
        .fold(request, |request, name| request.with_cap_add(*name));
    match reach {
        Reach::Socket => request
            .with_mount(Mount::bind_mount(sockets.to_string_lossy(), SOCKETS))
            .with_host_config_modifier(|config| {
                confine(config);
                config.network_mode = Some("none".to_owned());
                config.publish_all_ports = Some(false);
            }),
        Reach::Port => {
            // Every address only where the engine is on another host, or we are in a container beside this one.
            let here = engine.shares_files() && !Path::new("/.dockerenv").exists();
            request.with_host_config_modifier(move |config| {
                confine(config);
                config.publish_all_ports = Some(false);
                let host_ip = here.then(|| "127.0.0.1".to_owned());
                let binding = PortBinding {
                    host_ip,
                    host_port: Some(String::new()),
                };
                config.port_bindings = Some([("5432/tcp".to_owned(), Some(vec![binding]))].into());
            })
        }
    }
}

fn confine(config: &mut HostConfig) {
    config.pids_limit = Some(512);
}

/// A folder in which the container's user, whatever its number here, can make the socket. Nobody else gets to it.
fn open_to_all(folder: &Path) -> Result<(), Error> {
    std::fs::DirBuilder::new()
        .mode(0o700)
        .create(folder)
        .map_err(|e| io_error(folder, e))?;
    let open = std::fs::Permissions::from_mode(0o777);
    std::fs::set_permissions(folder, open).map_err(|e| io_error(folder, e))
}

fn engine_error(engine: &Engine, reason: &str) -> Error {
    Error::Environment {
        message: format!(
            "the container engine at {} refused: {reason}",
            engine.host()
        ),
        help:
            "see `pgproof doctor`; `--postgres local` uses server programs of this machine instead"
                .to_owned(),
    }
}

fn did_not_start(log: &str) -> Error {
    let full = tells_of_full_disk(log);
    Error::Environment {
        message: format!("PostgreSQL did not start in its container:\n{log}"),
        help: if full {
            "free some space on the disk that holds the engine's containers (`docker system df`)"
                .to_owned()
        } else {
            "its last words above say why; check the image".to_owned()
        },
    }
}
