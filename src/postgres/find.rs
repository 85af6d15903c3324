//! Finding a server, or starting one: which kinds are tried, and what is said when none serves.

use super::cleanup::Cleanup;
use super::connect::Address;
#[cfg(feature = "containers")]
use super::container::{Container, IMAGE};
#[cfg(feature = "containers")]
use super::engine::Engine;
use super::foreign::Foreign;
use super::local::LocalCluster;
use super::options::{ServerChoice, ServerOptions};
use super::programs::{Programs, choose, find_programs};
use crate::error::Error;

/// What a server really is.
pub(super) enum Kind {
    Local(LocalCluster),
    #[cfg(feature = "containers")]
    Container(Container),
    Foreign(Foreign),
}

impl Kind {
    pub(super) fn address(&self) -> &Address {
        match self {
            Kind::Local(cluster) => &cluster.address,
            #[cfg(feature = "containers")]
            Kind::Container(container) => &container.address,
            Kind::Foreign(foreign) => &foreign.address,
        }
    }

    pub(super) fn cleanup(&self) -> &Cleanup {
        match self {
            Kind::Local(cluster) => &cluster.cleanup,
            #[cfg(feature = "containers")]
            Kind::Container(container) => &container.cleanup,
            Kind::Foreign(foreign) => &foreign.cleanup,
        }
    }
}

/// A server that runs, and what to say about where it came from.
pub(super) struct Found {
    pub(super) kind: Kind,
    pub(super) origin: String,
    pub(super) notes: Vec<String>,
}

/// The server that a run would have, as far as that is known before one is started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Foreseen {
    /// `15.18`, as the server will say it.
    pub version: String,
    /// Where it will come from, as [`Server::origin`](super::Server::origin) says it.
    pub origin: String,
}

/// What can be said about the server before it is started: of local programs everything, of a container or a server by URL nothing, for
/// which minor version an image or a server has only itself can say.
pub fn foresee(options: &ServerOptions) -> Option<Foreseen> {
    let is_local = match &options.choice {
        ServerChoice::Local => true,
        ServerChoice::Auto => !has_engine(options),
        ServerChoice::Docker | ServerChoice::Url(_) => false,
    };
    if !is_local {
        return None;
    }
    let found = find_programs(&options.places);
    let programs = chosen(&found, options)?;
    Some(Foreseen {
        version: programs.version.clone(),
        origin: local_origin(&programs.version),
    })
}

#[cfg(feature = "containers")]
fn has_engine(options: &ServerOptions) -> bool {
    Engine::find(&options.places).is_some()
}

#[cfg(not(feature = "containers"))]
fn has_engine(_: &ServerOptions) -> bool {
    false
}

fn local_origin(version: &str) -> String {
    format!("local programs {version}")
}

/// Finds or starts what the options ask for.
pub(super) async fn find(options: &ServerOptions) -> Result<Found, Error> {
    match &options.choice {
        ServerChoice::Url(url) => by_url(url).await,
        ServerChoice::Local => local(options).await,
        ServerChoice::Docker => container(options).await,
        ServerChoice::Auto => automatic(options).await,
    }
}

async fn by_url(url: &str) -> Result<Found, Error> {
    let foreign = Foreign::start(url).await?;
    let origin = format!("server at {}", foreign.address.display());
    Ok(Found {
        kind: Kind::Foreign(foreign),
        origin,
        notes: Vec::new(),
    })
}

async fn local(options: &ServerOptions) -> Result<Found, Error> {
    let places = options.places.clone();
    let found = tokio::task::spawn_blocking(move || find_programs(&places))
        .await
        .unwrap_or_default();
    let programs = chosen(&found, options).ok_or_else(|| match found.is_empty() {
        true => no_programs(options.major),
        false => not_that_version(options.major, &found),
    })?;
    let cluster =
        LocalCluster::start(programs, &options.places, &options.server_settings()).await?;
    let origin = local_origin(&programs.version);
    Ok(Found {
        kind: Kind::Local(cluster),
        origin,
        notes: Vec::new(),
    })
}

/// The programs that serve, where there are any.
fn chosen<'p>(found: &'p [Programs], options: &ServerOptions) -> Option<&'p Programs> {
    let best = choose(found, options.major)?;
    (!options.exactly || best.major == options.major).then_some(best)
}

fn not_that_version(major: u16, found: &[Programs]) -> Error {
    let mut there: Vec<u16> = found.iter().map(|programs| programs.major).collect();
    there.sort_unstable();
    there.dedup();
    let there: Vec<String> = there.iter().map(u16::to_string).collect();
    Error::Environment {
        message: format!(
            "this machine has no server programs of PostgreSQL {major}, only of {}",
            there.join(", ")
        ),
        help: format!(
            "install them (Debian, Ubuntu: `apt-get install postgresql-{major}`), or name their folder in PGPROOF_PG_BIN, which takes several, parted as in PATH"
        ),
    }
}

fn no_programs(major: u16) -> Error {
    Error::Environment {
        message: "no PostgreSQL server programs (initdb, postgres) were found on this machine"
            .to_owned(),
        help: format!(
            "install them (Debian, Ubuntu: `apt-get install postgresql-{major}`; Fedora: `dnf install postgresql-server`; \
             macOS: `brew install postgresql@{major}`), or set PGPROOF_PG_BIN to the folder they are in"
        ),
    }
}

#[cfg(feature = "containers")]
async fn container(options: &ServerOptions) -> Result<Found, Error> {
    let Some(engine) = Engine::find(&options.places) else {
        let help = match Engine::find_podman(&options.places) {
            Some(host) => format!("Podman is there: `export DOCKER_HOST={host}`"),
            None => "install and start Docker, or set DOCKER_HOST; `pgproof doctor` shows what was looked at".to_owned(),
        };
        return Err(Error::Environment {
            message: "no container engine was found on this machine".to_owned(),
            help,
        });
    };
    engine
        .version()
        .await
        .map_err(|reason| Error::Environment {
            message: format!(
                "the container engine at {} does not answer: {reason}",
                engine.host()
            ),
            help: "start it, and make sure that the current user may use it".to_owned(),
        })?;
    let settings = options.server_settings();
    let container = Container::start(&engine, &options.places, options.major, &settings).await?;
    let origin = format!("docker {IMAGE}:{}", options.major);
    Ok(Found {
        kind: Kind::Container(container),
        origin,
        notes: Vec::new(),
    })
}

#[cfg(not(feature = "containers"))]
async fn container(_: &ServerOptions) -> Result<Found, Error> {
    Err(Error::Environment {
        message: "this pgproof was built without containers".to_owned(),
        help: "use `--postgres local`, or build it with the feature `containers`".to_owned(),
    })
}

async fn automatic(options: &ServerOptions) -> Result<Found, Error> {
    let refused = match container(options).await {
        Ok(found) => return Ok(found),
        Err(error) => error,
    };
    match local(options).await {
        Ok(mut found) => {
            found.notes.push(format!(
                "server programs of this machine are used: {refused}"
            ));
            Ok(found)
        }
        Err(error) => {
            let help = match (&refused, &error) {
                (Error::Environment { help: one, .. }, Error::Environment { help: other, .. }) => {
                    format!("{one}; or {other}")
                }
                _ => "see `pgproof doctor`".to_owned(),
            };
            Err(Error::Environment {
                message: format!("no PostgreSQL to be had: {refused}; and {error}"),
                help,
            })
        }
    }
}
