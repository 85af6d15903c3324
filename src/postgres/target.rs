//! Somebody's database that is to be changed or looked at, by its URL. Nothing is made beside it, and nothing is dropped at the end.

use super::connect::Address;
use super::failure::SqlFailure;
use super::foreign::parse;
use super::session::Session;
use crate::error::Error;
use crate::sql::fixed;

/// Settings of a session that works on somebody's database. What runs outside a transaction waits as long as it must, so limits that the
/// server or the role sets are lifted here and set anew where a statement may hold others up.
const SETTINGS: [&str; 5] = [
    "SET application_name = 'pgproof migrate'",
    "SET statement_timeout = 0",
    "SET lock_timeout = 0",
    "SET idle_in_transaction_session_timeout = 0",
    // A killed program's statement would go on, holding its locks, until it has something to say. Not before 14, and not on every system.
    "SET client_connection_check_interval = '500ms'",
];

/// Somebody's database.
#[derive(Debug)]
pub struct Target {
    address: Address,
    name: String,
}

impl Target {
    /// Reads the URL, which must name the database.
    pub fn of(url: &str) -> Result<Target, Error> {
        let address = parse(url)?;
        let Some(name) = address.named_database().map(str::to_owned) else {
            return Err(Error::Usage(
                "the server's URL names no database; write postgres://user@host/database"
                    .to_owned(),
            ));
        };
        Ok(Target { address, name })
    }

    /// For people, without a password: `shop at db.example`.
    pub fn display(&self) -> String {
        format!("{} at {}", self.name, self.address.display())
    }

    /// A session of the URL's user.
    pub async fn session(&self) -> Result<Session, Error> {
        let opened = Session::open(&self.address).await;
        let mut session = opened.map_err(|failure| self.cannot_reach(&failure))?;
        for setting in SETTINGS {
            // One that this server does not know is done without.
            let _ = session.batch(&fixed(setting)).await;
        }
        Ok(session)
    }

    /// A session that may only read, and no statement of which takes long.
    pub async fn reader(&self) -> Result<Session, Error> {
        let address = self.address.settings(&[
            ("default_transaction_read_only", "on".to_owned()),
            ("statement_timeout", "10s".to_owned()),
            ("lock_timeout", "2s".to_owned()),
            ("idle_in_transaction_session_timeout", "30s".to_owned()),
        ]);
        let opened = Session::open_at(&address).await;
        let mut session = opened.map_err(|failure| self.cannot_reach(&failure))?;
        let name = fixed("SET application_name = 'pgproof explain'");
        let named = session.batch(&name).await;
        named.map_err(|failure| self.cannot_reach(&failure))?;
        Ok(session)
    }

    /// The major version of the server, and whether it can be written to.
    pub async fn major(&self, session: &mut Session) -> Result<u16, Error> {
        let sql =
            "SELECT current_setting('server_version_num')::integer / 10000, pg_is_in_recovery()";
        let rows = session.query(&fixed(sql)).await;
        let rows = rows.map_err(|failure| failure.into_error("tell its version"))?;
        let row = rows.rows.first().cloned().unwrap_or_default();
        let text = |at: usize| row.get(at).cloned().flatten().unwrap_or_default();
        if text(1) == "t" {
            return Err(Error::Environment {
                message: format!("{} is a standby and cannot be written to", self.display()),
                help: "give the URL of the primary".to_owned(),
            });
        }
        Ok(text(0).parse().unwrap_or_default())
    }

    fn cannot_reach(&self, failure: &SqlFailure) -> Error {
        let help = match failure.sqlstate.code() {
            "28P01" | "28000" => "check the user, the password and the server's pg_hba.conf",
            "3D000" => "name a database that exists",
            _ => {
                "check host and port, that the server runs, and that it takes connections without TLS (sslmode=disable)"
            }
        };
        Error::Environment {
            message: format!("cannot connect to {}: {}", self.display(), failure.message),
            help: help.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_must_name_the_database() {
        let refused = Target::of("postgres://me:s3cret@host").map(|_| ());
        assert!(matches!(refused, Err(Error::Usage(text)) if text.contains("no database")));
        let target = Target::of("postgres://me:s3cret@host:6543/shop").expect("whole");
        assert_eq!(target.display(), "shop at host:6543");
    }
}
