//! A PostgreSQL for one run: chosen, started, stopped.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use super::cleanup::Cleanup;
use super::connect::{Address, Limits};
#[cfg(feature = "containers")]
use super::container::{Container, IMAGE};
use super::database::Database;
#[cfg(feature = "containers")]
use super::engine::Engine;
use super::failure::SqlFailure;
use super::foreign::Foreign;
use super::lease::random_hex;
use super::local::LocalCluster;
use super::observer::Observer;
use super::places::Places;
use super::programs::{choose, find_programs};
use super::session::Session;
use super::sqlstate::SqlState;
use super::sweep::sweep;
use crate::error::Error;
use crate::sql::{self, Ident};

/// Where PostgreSQL comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ServerChoice {
    /// A container, else local programs.
    Auto,
    /// A container.
    Docker,
    /// Programs on this machine.
    Local,
    /// A server that is there already.
    Url(String),
}

impl FromStr for ServerChoice {
    type Err = Error;

    fn from_str(text: &str) -> Result<ServerChoice, Error> {
        match text {
            "auto" => Ok(ServerChoice::Auto),
            "docker" => Ok(ServerChoice::Docker),
            "local" => Ok(ServerChoice::Local),
            url if url.starts_with("postgres://") || url.starts_with("postgresql://") => {
                Ok(ServerChoice::Url(url.to_owned()))
            }
            other => Err(Error::Usage(format!(
                "`{other}` is no place for PostgreSQL to come from; write auto, docker, local or postgres://user@host/database"
            ))),
        }
    }
}

/// What server is wanted.
#[derive(Clone, Debug)]
pub struct ServerOptions {
    /// Where from.
    pub choice: ServerChoice,
    /// The major version that the design targets.
    pub major: u16,
    /// Whether a server by URL may be used.
    pub allow_server: bool,
    /// Where things are on this machine.
    pub places: Places,
    /// What ends a session that runs away.
    pub limits: Limits,
    /// Settings of the server over those that every server of ours has. Not for a server by URL.
    pub settings: BTreeMap<String, String>,
}

impl ServerOptions {
    /// With the usual limits and settings.
    pub fn new(choice: ServerChoice, major: u16, places: Places) -> ServerOptions {
        ServerOptions {
            choice,
            major,
            allow_server: false,
            places,
            limits: Limits::default(),
            settings: BTreeMap::new(),
        }
    }

    /// No durability, because the data is thrown away; nothing that runs when it likes (autovacuum, JIT, checkpoints), because a run must
    /// repeat; no deadlock detection, because pgproof sees a deadlock at once and decides who dies.
    fn server_settings(&self) -> Vec<(String, String)> {
        const FIXED: [(&str, &str); 21] = [
            ("autovacuum", "off"),
            ("checkpoint_timeout", "1h"),
            ("cluster_name", "pgproof"),
            ("deadlock_timeout", "1h"),
            // Files of the data directory, so that nothing is left in shared memory after a kill.
            ("dynamic_shared_memory_type", "mmap"),
            ("fsync", "off"),
            ("full_page_writes", "off"),
            ("jit", "off"),
            ("lc_messages", "C"),
            ("log_min_messages", "log"),
            ("log_timezone", "UTC"),
            ("logging_collector", "off"),
            ("max_connections", "100"),
            ("max_locks_per_transaction", "256"),
            ("max_wal_senders", "0"),
            ("max_wal_size", "4GB"),
            ("shared_buffers", "128MB"),
            ("synchronous_commit", "off"),
            ("timezone", "UTC"),
            ("wal_level", "minimal"),
            ("archive_mode", "off"),
        ];
        let mut settings: BTreeMap<String, String> = FIXED
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        settings.extend(self.settings.clone());
        settings.into_iter().collect()
    }
}

/// Which PostgreSQL it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerVersion {
    /// `15.18`, sometimes with a distribution's words behind it.
    pub text: String,
    /// `150018`.
    pub number: u32,
    /// `15`.
    pub major: u16,
    /// Everything `version()` says.
    pub full: String,
}

impl fmt::Display for ServerVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// A server for one run. Dropping it stops it and removes what belongs to it, like [`stop`](Server::stop), which also says whether
/// that worked.
pub struct Server {
    inner: Arc<Inner>,
}

/// What a server and its databases share. No connection is held: each call opens its own, so a server may be used from any runtime.
pub(super) struct Inner {
    kind: Kind,
    origin: String,
    notes: Vec<String>,
    version: ServerVersion,
    run: String,
    owner: Ident,
    guest: Ident,
    password: String,
    mark: String,
    next: AtomicU32,
    pub(super) limits: Limits,
}

enum Kind {
    Local(LocalCluster),
    #[cfg(feature = "containers")]
    Container(Container),
    Foreign(Foreign),
}

impl Kind {
    fn address(&self) -> &Address {
        match self {
            Kind::Local(cluster) => &cluster.address,
            #[cfg(feature = "containers")]
            Kind::Container(container) => &container.address,
            Kind::Foreign(foreign) => &foreign.address,
        }
    }

    fn cleanup(&self) -> &Cleanup {
        match self {
            Kind::Local(cluster) => &cluster.cleanup,
            #[cfg(feature = "containers")]
            Kind::Container(container) => &container.cleanup,
            Kind::Foreign(foreign) => &foreign.cleanup,
        }
    }
}

/// A server that runs, and what to say about where it came from.
struct Found {
    kind: Kind,
    origin: String,
    notes: Vec<String>,
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server")
            .field("origin", &self.inner.origin)
            .finish_non_exhaustive()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Databases that are still held do not keep it alive. What could not be removed is swept by the next run.
        let _ = self.inner.kind.cleanup().finish();
    }
}

impl Server {
    /// Sweeps what dead runs left, then finds or starts a server as the options say.
    pub async fn start(options: &ServerOptions) -> Result<Server, Error> {
        if matches!(options.choice, ServerChoice::Url(_)) && !options.allow_server {
            return Err(Error::Usage(
                "a server by URL is only used with --allow-server; pgproof then creates databases and roles of its own on it, \
                 whose names begin with pgproof_, and drops them at the end"
                    .to_owned(),
            ));
        }
        let mut notes = match sweep(&options.places).await {
            Ok(swept) => swept.left,
            // By URL nothing is needed on this machine.
            Err(_) if matches!(options.choice, ServerChoice::Url(_)) => Vec::new(),
            Err(error) => return Err(error),
        };
        let found = match &options.choice {
            ServerChoice::Url(url) => by_url(url).await,
            ServerChoice::Local => local(options).await,
            ServerChoice::Docker => container(options).await,
            ServerChoice::Auto => automatic(options).await,
        }?;
        notes.extend(found.notes);
        Server::prepare(found.kind, found.origin, notes, options).await
    }

    async fn prepare(
        kind: Kind,
        origin: String,
        mut notes: Vec<String>,
        options: &ServerOptions,
    ) -> Result<Server, Error> {
        let (run, mark, prefix) = match &kind {
            Kind::Foreign(foreign) => (
                foreign.run.clone(),
                foreign.mark.clone(),
                format!("pgproof_{}_", foreign.run),
            ),
            _ => (random_hex(12), "pgproof".to_owned(), "pgproof_".to_owned()),
        };
        let failed = |what: &'static str| move |failure: SqlFailure| failure.into_error(what);
        let mut control = Session::open(kind.address())
            .await
            .map_err(failed("open a session"))?;
        let version = read_version(&mut control).await?;
        if version.major != options.major {
            notes.push(format!(
                "the design targets PostgreSQL {}, and this is {}: what is said holds for this one",
                options.major, version.text
            ));
        }
        let owner = Ident::new(format!("{prefix}owner"));
        let guest = Ident::new(format!("{prefix}guest"));
        let password = random_hex(32);
        for (role, inherit) in [(&owner, true), (&guest, false)] {
            let sql = sql::create_login_role(role, inherit, &password, &mark);
            control
                .batch(&sql)
                .await
                .map_err(failed("create a role of pgproof's own"))?;
            // Only a superuser may; on somebody's server its own limit holds.
            let limit = format!("{}MB", options.limits.temp_files);
            let _ = control
                .batch(&sql::set_for_role(
                    role,
                    &Ident::new("temp_file_limit"),
                    &limit,
                ))
                .await;
        }
        let server = Inner {
            kind,
            origin,
            notes,
            version,
            run,
            owner,
            guest,
            password,
            mark,
            next: AtomicU32::new(1),
            limits: options.limits.clone(),
        };
        // To own a database on its behalf, and to end its sessions, the URL's user must be a member of the role.
        if matches!(server.kind, Kind::Foreign(_)) {
            for role in [&server.owner, &server.guest] {
                let sql = sql::grant_role_to_current_user(role);
                control
                    .batch(&sql)
                    .await
                    .map_err(failed("become a member of a role of pgproof's own"))?;
            }
        }
        Ok(Server {
            inner: Arc::new(server),
        })
    }

    /// Stops the server and removes everything that belongs to it.
    pub async fn stop(self) -> Result<(), Error> {
        let stopped = tokio::task::spawn_blocking(move || self.inner.kind.cleanup().finish());
        stopped.await.unwrap_or_else(|e| {
            Err(Error::Internal(format!(
                "stopping PostgreSQL panicked: {e}"
            )))
        })
    }

    /// Which PostgreSQL it is.
    pub fn version(&self) -> &ServerVersion {
        &self.inner.version
    }

    /// Where it came from, for the report: `docker postgres:15`, `local programs 15.18`, `server at HOST`. Never with a password or a path.
    pub fn origin(&self) -> &str {
        &self.inner.origin
    }

    /// What the user should know about this choice, in whole sentences.
    pub fn notes(&self) -> &[String] {
        &self.inner.notes
    }

    /// The role that owns every database, and that a design's SQL runs as.
    pub fn owner(&self) -> &Ident {
        &self.inner.owner
    }

    /// A new empty database. The label is for people who look at the server.
    pub async fn create_database(&self, label: &str) -> Result<Database, Error> {
        self.create(label, None).await
    }

    /// A copy of a database, with its rows. Sessions of the original must be closed; those that are just closing are waited for.
    pub async fn clone_database(&self, template: &Database) -> Result<Database, Error> {
        self.create("copy", Some(template.name())).await
    }

    async fn create(&self, label: &str, template: Option<&Ident>) -> Result<Database, Error> {
        let name = self.inner.database_name(label);
        let sql = sql::create_database(&name, &self.inner.owner, template);
        let mut control = self.inner.control().await?;
        for attempt in 0.. {
            match control.batch(&sql).await {
                Ok(()) => break,
                Err(failure) if failure.sqlstate == SqlState::OBJECT_IN_USE && attempt < 40 => {
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
                Err(failure) => return Err(failure.into_error("create a database")),
            }
        }
        Ok(Database::new(name, self.inner.clone()))
    }

    /// Makes sure that a role of the design is there. Roles belong to the whole server: databases of one run share them, and on a server
    /// by URL one that exists already is used as it is. The role cannot log in; [`Database::session_as`] takes it on.
    pub async fn ensure_role(&self, role: &Ident, bypass_rls: bool) -> Result<(), Error> {
        let what = format!("create role {}", role.as_str());
        let mut control = self.inner.control().await?;
        match control
            .batch(&sql::create_role(role, bypass_rls, &self.inner.mark))
            .await
        {
            Ok(()) => {}
            Err(failure) if failure.sqlstate == SqlState::DUPLICATE_OBJECT => {}
            Err(failure) => return Err(failure.into_error(&what)),
        }
        let granted = control
            .batch(&sql::grant_role(role, &self.inner.guest))
            .await;
        granted.map_err(|failure| failure.into_error(&what))
    }

    /// A connection that watches and cancels the sessions of all databases.
    pub async fn observer(&self) -> Result<Observer, Error> {
        let opened = Observer::open(self.inner.admin_address()).await;
        opened.map_err(|failure| failure.into_error("open a session"))
    }

    /// Why the server ended, with its last words; none while it runs or cannot be looked at.
    pub async fn postmortem(&self) -> Option<String> {
        match &self.inner.kind {
            Kind::Local(cluster) => cluster.postmortem(),
            #[cfg(feature = "containers")]
            Kind::Container(container) => container.postmortem().await,
            Kind::Foreign(_) => None,
        }
    }
}

impl Inner {
    pub(super) fn admin_address(&self) -> &Address {
        self.kind.address()
    }

    pub(super) fn owner_address(&self) -> Address {
        self.kind.address().as_user(&self.owner, &self.password)
    }

    pub(super) fn guest_address(&self) -> Address {
        self.kind.address().as_user(&self.guest, &self.password)
    }

    /// A session of pgproof's own, outside every database it makes.
    pub(super) async fn control(&self) -> Result<Session, Error> {
        Session::open(self.kind.address())
            .await
            .map_err(|failure| failure.into_error("open a session"))
    }

    /// `pgproof_<run>_<number>_<label>`, at most 63 bytes.
    fn database_name(&self, label: &str) -> Ident {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let label = label.chars().map(|c| {
            if c.is_ascii_alphanumeric() {
                c.to_ascii_lowercase()
            } else {
                '_'
            }
        });
        let name = format!("pgproof_{}_{number}_", self.run);
        let room = 63 - name.len();
        Ident::new(name.chars().chain(label.take(room)).collect::<String>())
    }
}

async fn read_version(control: &mut Session) -> Result<ServerVersion, Error> {
    let sql = "SELECT current_setting('server_version'), current_setting('server_version_num'), version()";
    let rows = control.query(&sql::fixed(sql)).await;
    let row = rows
        .map_err(|failure| failure.into_error("tell its version"))?
        .rows
        .pop()
        .unwrap_or_default();
    let text = |at: usize| row.get(at).cloned().flatten().unwrap_or_default();
    let number: u32 = text(1).parse().unwrap_or_default();
    let major = u16::try_from(number / 10_000).unwrap_or_default();
    let version = text(0)
        .split_whitespace()
        .next()
        .unwrap_or_default()
        .to_owned();
    Ok(ServerVersion {
        text: version,
        number,
        major,
        full: text(2),
    })
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
    let programs = choose(&found, options.major).ok_or_else(|| Error::Environment {
        message: "no PostgreSQL server programs (initdb, postgres) were found on this machine".to_owned(),
        help: format!(
            "install them (Debian, Ubuntu: `apt-get install postgresql-{major}`; Fedora: `dnf install postgresql-server`; \
             macOS: `brew install postgresql@{major}`), or set PGPROOF_PG_BIN to the folder they are in",
            major = options.major
        ),
    })?;
    let cluster =
        LocalCluster::start(programs, &options.places, &options.server_settings()).await?;
    let origin = format!("local programs {}", programs.version);
    Ok(Found {
        kind: Kind::Local(cluster),
        origin,
        notes: Vec::new(),
    })
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn choices_are_read_as_users_write_them() {
        assert_eq!(
            "auto".parse::<ServerChoice>().ok(),
            Some(ServerChoice::Auto)
        );
        let url = "postgresql://me@host/db";
        assert_eq!(
            url.parse::<ServerChoice>().ok(),
            Some(ServerChoice::Url(url.to_owned()))
        );
        assert!(
            matches!("dokcer".parse::<ServerChoice>(), Err(Error::Usage(text)) if text.contains("`dokcer`"))
        );
    }

    #[test]
    fn a_users_setting_wins() {
        let mut options = ServerOptions::new(ServerChoice::Auto, 15, Places::default());
        options.settings.insert("jit".to_owned(), "on".to_owned());
        let settings = options.server_settings();
        assert!(settings.contains(&("jit".to_owned(), "on".to_owned())));
        assert_eq!(settings.iter().filter(|(name, _)| name == "jit").count(), 1);
    }

    #[tokio::test]
    async fn a_url_needs_permission() {
        let options = ServerOptions::new(
            ServerChoice::Url("postgres://me@nowhere/db".to_owned()),
            15,
            Places::default(),
        );
        assert!(
            matches!(Server::start(&options).await, Err(Error::Usage(text)) if text.contains("--allow-server"))
        );
    }
}
