//! Where a server is reached, and connecting to it.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio_postgres::{Client, Config, NoTls};

use super::failure::SqlFailure;
use crate::sql::Ident;

/// What ends a session that runs away, on the server's side. A design's SQL could lift these (they are ordinary
/// settings), so [`Session`](super::Session) also looks at its own watch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// `statement_timeout`.
    pub statement: Duration,
    /// `lock_timeout`.
    pub lock: Duration,
    /// `idle_in_transaction_session_timeout`.
    pub idle_in_transaction: Duration,
    /// `temp_file_limit` of the roles that designs run as, in MiB. Only a superuser can lift it.
    pub temp_files: u32,
    /// Bytes of a result that are kept before the statement is given up.
    pub result: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            statement: Duration::from_secs(60),
            lock: Duration::from_secs(60),
            idle_in_transaction: Duration::from_secs(300),
            temp_files: 4096,
            result: 256 << 20,
        }
    }
}

/// The address of a server with the user and password to use there. Its `Debug` shows no password.
#[derive(Clone, Debug)]
pub(super) struct Address {
    config: Config,
}

/// A client, and why its connection ended, once it has.
pub(super) struct Connected {
    pub(super) client: Client,
    pub(super) lost: Lost,
}

/// The last word of a connection: a FATAL message comes when nobody asked.
#[derive(Clone, Default)]
pub(super) struct Lost(Arc<Mutex<Option<SqlFailure>>>);

impl Lost {
    /// The failure, with the connection's last word where the request only knows that the line is dead.
    pub(super) fn explain(&self, error: &tokio_postgres::Error) -> SqlFailure {
        let failure = SqlFailure::from_server(error);
        if !error.is_closed() {
            return failure;
        }
        let word = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        word.clone().unwrap_or(failure)
    }
}

impl Address {
    pub(super) fn new(mut config: Config) -> Address {
        config
            .application_name("pgproof")
            .connect_timeout(Duration::from_secs(10));
        Address { config }
    }

    /// A unix socket in `folder`, where `user` needs no password.
    pub(super) fn socket(folder: &std::path::Path, user: &str) -> Address {
        let mut config = Config::new();
        config.host_path(folder).user(user).dbname("postgres");
        Address::new(config)
    }

    #[cfg(feature = "containers")]
    pub(super) fn tcp(host: &str, port: u16, user: &str, password: &str) -> Address {
        let mut config = Config::new();
        config
            .host(host)
            .port(port)
            .user(user)
            .password(password)
            .dbname("postgres");
        Address::new(config)
    }

    /// The same server, another user.
    pub(super) fn as_user(&self, user: &Ident, password: &str) -> Address {
        let mut config = self.config.clone();
        config.user(user.as_str()).password(password);
        Address { config }
    }

    /// The same server and user, another database.
    pub(super) fn database(&self, name: &str) -> Address {
        let mut config = self.config.clone();
        config.dbname(name);
        Address { config }
    }

    /// Settings for the session, over those that every session of ours has.
    pub(super) fn settings(&self, settings: &[(&str, String)]) -> Address {
        let fixed = [
            ("TimeZone", "UTC"),
            ("DateStyle", "ISO,MDY"),
            ("IntervalStyle", "postgres"),
            ("client_min_messages", "warning"),
            ("extra_float_digits", "1"),
            ("standard_conforming_strings", "on"),
        ];
        let own = settings.iter().map(|(name, value)| (*name, value.as_str()));
        let options: Vec<String> = fixed
            .into_iter()
            .chain(own)
            .map(|(name, value)| format!("-c {name}={}", escape(value)))
            .collect();
        let mut config = self.config.clone();
        config.options(options.join(" "));
        Address { config }
    }

    /// The limits, as settings of the session.
    pub(super) fn limited(&self, limits: &Limits, role: Option<&Ident>) -> Address {
        let milliseconds = |limit: Duration| limit.as_millis().to_string();
        let mut settings = vec![
            ("statement_timeout", milliseconds(limits.statement)),
            ("lock_timeout", milliseconds(limits.lock)),
            (
                "idle_in_transaction_session_timeout",
                milliseconds(limits.idle_in_transaction),
            ),
        ];
        if let Some(role) = role {
            settings.push(("role", role.as_str().to_owned()));
        }
        self.settings(&settings)
    }

    /// `host` or `host:port`, for people; a folder for a socket.
    pub(super) fn display(&self) -> String {
        let host = match self.config.get_hosts().first() {
            Some(tokio_postgres::config::Host::Tcp(name)) => name.clone(),
            #[cfg(unix)]
            Some(tokio_postgres::config::Host::Unix(folder)) => folder.display().to_string(),
            None => "localhost".to_owned(),
        };
        match self.config.get_ports().first() {
            Some(&port) if port != 5432 => format!("{host}:{port}"),
            _ => host,
        }
    }

    /// The database that the URL names.
    pub(super) fn named_database(&self) -> Option<&str> {
        self.config.get_dbname()
    }

    pub(super) fn has_user(&self) -> bool {
        self.config.get_user().is_some()
    }

    /// Connects, and serves the connection in a task of the current runtime until the client is dropped.
    pub(super) async fn connect(&self) -> Result<Connected, SqlFailure> {
        let connected = self.config.connect(NoTls).await;
        let (client, mut connection) = connected.map_err(|e| SqlFailure::from_server(&e))?;
        let lost = Lost::default();
        let word = lost.clone();
        tokio::spawn(async move {
            // By reference: the last word is written down before the waiting requests are told.
            if let Err(error) = (&mut connection).await {
                let failure = SqlFailure::from_server(&error);
                *word.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(failure);
            }
            drop(connection);
        });
        Ok(Connected { client, lost })
    }
}

/// In the startup packet's `options`, blanks and backslashes are escaped by a backslash.
fn escape(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    for c in value.chars() {
        if c == '\\' || c.is_whitespace() {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(feature = "containers")]
    fn addresses_are_shown_without_their_secrets() {
        let address = Address::tcp("db.example", 6543, "me", "s3cret");
        assert_eq!(address.display(), "db.example:6543");
        assert!(!format!("{address:?}").contains("s3cret"));
        assert_eq!(
            Address::socket(std::path::Path::new("/run/pg"), "me").display(),
            "/run/pg"
        );
    }

    #[test]
    fn values_of_settings_keep_their_blanks() {
        assert_eq!(escape(r"a b\c"), r"a\ b\\c");
    }
}
