//! One database of a run: made empty or as a copy, worked in by sessions of its owner, dropped.

use std::fmt;
use std::sync::Arc;

use super::failure::SqlFailure;
use super::files::FileChange;
use super::server::Inner;
use super::session::Session;
use crate::error::Error;
use crate::sql::{self, Ident, SqlText};

/// A database. Dropping the value leaves the database until its server stops; [`drop`](Database::drop) drops it now.
#[derive(Clone)]
pub struct Database {
    name: Ident,
    server: Arc<Inner>,
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Database")
            .field(&self.name.as_str())
            .finish()
    }
}

impl Database {
    pub(super) fn new(name: Ident, server: Arc<Inner>) -> Database {
        Database { name, server }
    }

    /// Its name.
    pub fn name(&self) -> &Ident {
        &self.name
    }

    /// A session of the role that owns the database, which is no superuser. What a design says runs here.
    pub async fn session(&self) -> Result<Session, Error> {
        let address = self.server.owner_address().database(self.name.as_str());
        let opened = Session::open_limited(&address, &self.server.limits, None).await;
        opened.map_err(|failure| failure.into_error("open a session"))
    }

    /// A session in the role of a design, made by [`Server::ensure_role`](super::Server::ensure_role). It is logged in as
    /// a role that owns nothing and inherits nothing, so `RESET ROLE` and `SET ROLE NONE` lead nowhere.
    pub async fn session_as(&self, role: &Ident) -> Result<Session, Error> {
        let address = self.server.guest_address().database(self.name.as_str());
        let opened = Session::open_limited(&address, &self.server.limits, Some(role)).await;
        opened.map_err(|failure| {
            failure.into_error(&format!("open a session as role {}", role.as_str()))
        })
    }

    /// A session with the owner's rights that policies do not bind, in which triggers and references stay quiet. It is no superuser's,
    /// because whatever it writes and asks, expressions of the design run along.
    pub async fn keeper(&self) -> Result<Session, Error> {
        let address = self.server.keeper_address()?.database(self.name.as_str());
        let opened = Session::open_limited(&address, &self.server.limits, None).await;
        opened.map_err(|failure| failure.into_error("open a session"))
    }

    /// A superuser's session (by URL: the URL's user's), without limits, that finds nothing but what is the server's own unless it is named
    /// whole. For catalogs and statistics; never for what could run something that a design wrote: no rows of its tables, no query.
    pub async fn steward(&self) -> Result<Session, Error> {
        let mut session = self.admin().await?;
        let set = session
            .batch(&sql::fixed("SET search_path = pg_catalog"))
            .await;
        set.map_err(|failure| failure.into_error("set up a session"))?;
        Ok(session)
    }

    /// A superuser's session as anybody opens one. Nothing that verifies designs may have it: see [`steward`](Database::steward) and
    /// [`keeper`](Database::keeper).
    pub async fn admin(&self) -> Result<Session, Error> {
        let address = self.server.admin_address().database(self.name.as_str());
        Session::open(&address)
            .await
            .map_err(|failure| failure.into_error("open a session"))
    }

    /// Changes the sizes of files of a server of pgproof's own; elsewhere it is refused. `admin`: a session of this database's.
    pub async fn change_files(
        &self,
        admin: &mut Session,
        changes: &[FileChange],
    ) -> Result<(), Error> {
        self.server.change_files(admin, changes).await
    }

    /// Creates an extension, as superuser; the owner may use it.
    pub async fn create_extension(&self, name: &Ident) -> Result<(), Error> {
        let created = self.extend(&sql::create_extension(name)).await?;
        created
            .map_err(|failure| failure.into_error(&format!("create extension {}", name.as_str())))
    }

    /// Runs a statement that makes an extension, which only a superuser may where it is not a trusted one. Its objects go where the session
    /// looks first.
    pub async fn extend(&self, statement: &SqlText) -> Result<Result<(), SqlFailure>, Error> {
        Ok(self.admin().await?.batch(statement).await)
    }

    /// Lets sessions that are opened from here on look for deadlocks after a second, as PostgreSQL does by itself: only races want them to stay. A server
    /// by URL keeps what it has.
    pub async fn find_deadlocks(&self) -> Result<(), Error> {
        if self.server.is_foreign() {
            return Ok(());
        }
        let set = sql::set_for_database(&self.name, &Ident::new("deadlock_timeout"), "1s");
        let done = self.server.control().await?.batch(&set).await;
        done.map_err(|failure| failure.into_error("let deadlocks be found"))
    }

    /// Drops it, and ends whatever session it still has.
    pub async fn drop(self) -> Result<(), Error> {
        let dropped = self
            .server
            .control()
            .await?
            .batch(&sql::drop_database(&self.name, true))
            .await;
        dropped.map_err(|failure| failure.into_error("drop a database"))
    }
}
