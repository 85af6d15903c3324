//! A PostgreSQL for one run: chosen, started, stopped.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use super::connect::{Address, Limits};
use super::database::Database;
use super::failure::SqlFailure;
use super::files::{self, FileChange};
use super::find::{Kind, find};
use super::lease::random_hex;
use super::observer::{Observer, Signals};
use super::options::{ServerChoice, ServerOptions};
use super::session::Session;
use super::sqlstate::SqlState;
use super::sweep::sweep;
use crate::error::Error;
use crate::sql::{self, Ident};

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
    /// Somebody else's to stop.
    is_shared: bool,
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
    keeper: Ident,
    /// What the server said where it gives no such role.
    no_keeper: Option<SqlFailure>,
    password: String,
    mark: String,
    next: AtomicU32,
    pub(super) limits: Limits,
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
        if self.is_shared {
            return;
        }
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
        let found = find(options).await?;
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
        let keeper = Ident::new(format!("{prefix}keeper"));
        let password = random_hex(32);
        for (role, inherit) in [(&owner, true), (&guest, false), (&keeper, true)] {
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
        let mut server = Inner {
            kind,
            origin,
            notes,
            version,
            run,
            owner,
            guest,
            keeper,
            no_keeper: None,
            password,
            mark,
            next: AtomicU32::new(1),
            limits: options.limits.clone(),
        };
        // To own a database on its behalf, and to end its sessions, the URL's user must be a member of the role.
        if server.is_foreign() {
            for role in [&server.owner, &server.guest, &server.keeper] {
                let sql = sql::grant_role_to_current_user(role);
                control
                    .batch(&sql)
                    .await
                    .map_err(failed("become a member of a role of pgproof's own"))?;
            }
        }
        let keeps = sql::make_keeper(&server.keeper, &server.owner, &server.guest);
        server.no_keeper = control.batch(&keeps).await.err();
        Ok(Server {
            inner: Arc::new(server),
            is_shared: false,
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

    /// The same server, for another thread. It stops when the first one says so, whoever still holds this.
    pub fn shared(&self) -> Server {
        Server {
            inner: self.inner.clone(),
            is_shared: true,
        }
    }

    /// Whether pgproof started it, and may do with it what would ruin somebody's data.
    pub fn is_ours(&self) -> bool {
        !self.inner.is_foreign()
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

    /// A role with the owner's rights that policies do not bind, and no superuser: for writes that nothing but the schema itself refuses.
    pub fn keeper(&self) -> &Ident {
        &self.inner.keeper
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
            // Designs of one run may each have a role of this name, with other rights.
            Err(failure) if failure.sqlstate == SqlState::DUPLICATE_OBJECT => {
                let ours = sql::is_role_of_ours(role, &self.inner.mark);
                let ours = control.query(&ours).await;
                let ours = ours.map_err(|failure| failure.into_error(&what))?;
                if ours.scalar() == Some("t") {
                    let altered = control.batch(&sql::alter_role(role, bypass_rls)).await;
                    altered.map_err(|failure| failure.into_error(&what))?;
                }
            }
            Err(failure) => return Err(failure.into_error(&what)),
        }
        let mighty = control.query(&sql::is_mighty_role(role)).await;
        let mighty = mighty.map_err(|failure| failure.into_error(&what))?;
        if mighty.scalar() != Some("f") {
            return Ok(());
        }
        let granted = control
            .batch(&sql::grant_role(role, &self.inner.guest))
            .await;
        granted.map_err(|failure| failure.into_error(&what))
    }

    /// A connection that watches and cancels the sessions of all databases.
    pub async fn observer(&self) -> Result<Observer, Error> {
        let signals = match self.inner.kind {
            Kind::Local(_) => Signals::Direct,
            #[cfg(feature = "containers")]
            Kind::Container(_) => Signals::Program,
            Kind::Foreign(_) => Signals::Never,
        };
        let opened = Observer::open(self.inner.admin_address(), signals).await;
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
    #[cfg_attr(
        not(feature = "containers"),
        expect(unused_variables, reason = "only containers need a session")
    )]
    pub(super) async fn change_files(
        &self,
        admin: &mut Session,
        changes: &[FileChange],
    ) -> Result<(), Error> {
        match &self.kind {
            Kind::Local(cluster) => {
                files::change(&cluster.data, changes).map_err(|e| Error::Environment {
                    message: format!("the size of PostgreSQL's files cannot be set: {e}"),
                    help: "point TMPDIR to a file system on which files may have holes".to_owned(),
                })
            }
            #[cfg(feature = "containers")]
            Kind::Container(_) => {
                let done = admin.batch(&files::script(changes)).await;
                done.map_err(|failure| failure.into_error("set the size of files"))
            }
            Kind::Foreign(_) => Err(Error::Internal(
                "files of somebody else's server are never touched".to_owned(),
            )),
        }
    }

    pub(super) fn admin_address(&self) -> &Address {
        self.kind.address()
    }

    pub(super) fn owner_address(&self) -> Address {
        self.kind.address().as_user(&self.owner, &self.password)
    }

    pub(super) fn guest_address(&self) -> Address {
        self.kind.address().as_user(&self.guest, &self.password)
    }

    /// Whether it is somebody else's, reached by its URL.
    pub(super) fn is_foreign(&self) -> bool {
        matches!(self.kind, Kind::Foreign(_))
    }

    pub(super) fn keeper_address(&self) -> Result<Address, Error> {
        match &self.no_keeper {
            Some(failure) => Err(failure
                .clone()
                .into_error("let a role of pgproof's own leave policies and triggers aside")),
            None => Ok(self.kind.address().as_user(&self.keeper, &self.password)),
        }
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

#[cfg(test)]
mod tests {
    use super::super::places::Places;
    use super::*;

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
