//! A server that is already there, by its URL. Only databases and roles of our own are touched; their names begin with
//! `pgproof_` and the id of the run.
//!
//! A run lives as long as its session that holds an advisory lock. Whoever gets a dead run's lock may sweep it, from
//! whatever machine.

use std::sync::mpsc;

use tokio_postgres::{Client, Config};

use super::cleanup::{Cleanup, block_on};
use super::connect::{Address, Connected};
use super::failure::SqlFailure;
use super::lease::random_hex;
use crate::error::Error;
use crate::sql::{Ident, drop_database, drop_role};

/// Databases and roles of ours on somebody's server. Dropping it drops them.
pub(super) struct Foreign {
    pub(super) address: Address,
    pub(super) cleanup: Cleanup,
    pub(super) run: String,
    /// The comment on every role of the run. It names the database too, because advisory locks are a database's own.
    /// The run's databases are known by their owner.
    pub(super) mark: String,
}

impl Foreign {
    /// Connects, checks what the user may do, sweeps what dead runs left.
    pub(super) async fn start(url: &str) -> Result<Foreign, Error> {
        let address = parse(url)?;
        let connected = address
            .settings(&[])
            .connect()
            .await
            .map_err(|failure| cannot_reach(&address, &failure))?;
        let database = check(&connected.client).await?;
        let run = random_hex(12);
        let mark = format!("pgproof run {run} in {database}");
        let keeper = Keeper::start(&address, &mark)?;
        let (place, id, comment) = (address.clone(), run.clone(), mark.clone());
        let cleanup = Cleanup::register(move || {
            let dropped = block_on(async move { drop_run(&place, &id, &comment, true).await });
            drop(keeper);
            dropped
        });
        // What cannot be swept is somebody else's business until it can.
        let _ = sweep(&address).await;
        Ok(Foreign {
            address,
            cleanup,
            run,
            mark,
        })
    }
}

pub(super) fn parse(url: &str) -> Result<Address, Error> {
    // The parser's own message may quote pieces of the password.
    let config: Config = url.parse().map_err(|_| {
        Error::Usage(
            "the server's URL cannot be read; write postgres://user:password@host:port/database, with special \
             characters of the password percent-encoded"
                .to_owned(),
        )
    })?;
    let address = Address::new(config);
    if !address.has_user() {
        return Err(Error::Usage(
            "the server's URL names no user; write postgres://user@host/database".to_owned(),
        ));
    }
    Ok(address)
}

fn cannot_reach(address: &Address, failure: &SqlFailure) -> Error {
    let help = match failure.sqlstate.code() {
        "28P01" | "28000" => "check the user, the password and the server's pg_hba.conf",
        "3D000" => {
            "name a database that exists; pgproof connects to it and creates its own beside it"
        }
        _ => {
            "check host and port, that the server runs, and that it takes connections without TLS (sslmode=disable)"
        }
    };
    let message = format!(
        "cannot connect to the server at {}: {}",
        address.display(),
        failure.message
    );
    Error::Environment {
        message,
        help: help.to_owned(),
    }
}

/// Whether the user may do what is needed; returns the name of the database.
async fn check(client: &Client) -> Result<String, Error> {
    let sql = "SELECT rolsuper OR (rolcreatedb AND rolcreaterole), pg_is_in_recovery(), \
               current_setting('server_version_num')::int4, current_database()::text FROM pg_roles WHERE rolname = current_user";
    let row = client.query_one(sql, &[]).await;
    let row =
        row.map_err(|e| SqlFailure::from_server(&e).into_error("tell what the user may do"))?;
    let environment = |message: &str, help: &str| {
        Err(Error::Environment {
            message: message.to_owned(),
            help: help.to_owned(),
        })
    };
    if row.get::<_, bool>(1) {
        return environment(
            "the server is a standby and cannot be written to",
            "give the URL of the primary",
        );
    }
    if row.get::<_, i32>(2) < 130_000 {
        return environment(
            "the server is older than PostgreSQL 13",
            "use a newer server, or `--postgres auto`",
        );
    }
    if !row.get::<_, bool>(0) {
        return environment(
            "the user may not create databases and roles",
            "give it CREATEDB and CREATEROLE, or use `--postgres auto`",
        );
    }
    Ok(row.get(3))
}

/// A thread with a session that holds the run's lock. It ends when the sender is dropped.
struct Keeper {
    _end: tokio::sync::oneshot::Sender<()>,
}

impl Keeper {
    fn start(address: &Address, mark: &str) -> Result<Keeper, Error> {
        let (end, ended) = tokio::sync::oneshot::channel::<()>();
        let (sender, receiver) = mpsc::channel();
        let (address, mark) = (address.clone(), mark.to_owned());
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build();
            let Ok(runtime) = runtime else { return };
            runtime.block_on(async move {
                let locked = async {
                    let connected = address.settings(&[]).connect().await?;
                    let sql = "SELECT pg_advisory_lock(hashtextextended($1, 0))";
                    let locked = connected.client.query(sql, &[&mark]).await;
                    locked.map_err(|e| SqlFailure::from_server(&e))?;
                    Ok::<Connected, SqlFailure>(connected)
                };
                let locked = locked
                    .await
                    .map_err(|failure| failure.into_error("hold a lock"));
                let (told, held) = match locked {
                    Ok(connected) => (Ok(()), Some(connected)),
                    Err(error) => (Err(error), None),
                };
                let _ = sender.send(told);
                if held.is_some() {
                    let _ = ended.await;
                }
            });
        });
        let told = receiver
            .recv()
            .map_err(|_| Error::Internal("the thread that holds a lock ended".to_owned()))?;
        told.map(|()| Keeper { _end: end })
    }
}

/// Drops a run's databases, then its roles, the owner last: it is how a later sweep finds the rest.
async fn drop_run(address: &Address, run: &str, mark: &str, force: bool) -> Result<(), Error> {
    let failed = |e: &tokio_postgres::Error| {
        SqlFailure::from_server(e).into_error("drop the databases of this run")
    };
    let connected = address.settings(&[]).connect().await;
    let client = connected
        .map_err(|failure| failure.into_error("drop the databases of this run"))?
        .client;
    let sql = "SELECT datname FROM pg_database WHERE datdba = \
               (SELECT oid FROM pg_roles WHERE rolname = 'pgproof_' || $1 || '_owner') \
               AND starts_with(datname, 'pgproof_' || $1 || '_')";
    let names = client.query(sql, &[&run]).await.map_err(|e| failed(&e))?;
    for name in names {
        let sql = drop_database(&Ident::new(name.get::<_, String>(0)), force);
        client
            .batch_execute(sql.as_str())
            .await
            .map_err(|e| failed(&e))?;
    }
    let sql = "SELECT rolname FROM pg_roles WHERE shobj_description(oid, 'pg_authid') = $1 \
               ORDER BY rolname = 'pgproof_' || $2 || '_owner'";
    let roles = client
        .query(sql, &[&mark, &run])
        .await
        .map_err(|e| failed(&e))?;
    for role in roles {
        let sql = drop_role(&Ident::new(role.get::<_, String>(0)));
        client
            .batch_execute(sql.as_str())
            .await
            .map_err(|e| failed(&e))?;
    }
    Ok(())
}

/// Drops what runs left that no longer hold their lock. Returns their ids.
pub(super) async fn sweep(address: &Address) -> Result<Vec<String>, Error> {
    let failed =
        |e: &tokio_postgres::Error| SqlFailure::from_server(e).into_error("look for dead runs");
    let connected = address.settings(&[]).connect().await;
    let client = connected
        .map_err(|failure| failure.into_error("look for dead runs"))?
        .client;
    let sql = "SELECT split_part(rolname, '_', 2), shobj_description(oid, 'pg_authid') FROM pg_roles \
               WHERE rolname ~ '^pgproof_[0-9a-f]{12}_owner$' AND shobj_description(oid, 'pg_authid') = \
               'pgproof run ' || split_part(rolname, '_', 2) || ' in ' || current_database()";
    let mut swept = Vec::new();
    for row in client.query(sql, &[]).await.map_err(|e| failed(&e))? {
        let (run, mark): (String, String) = (row.get(0), row.get(1));
        let sql = "SELECT pg_try_advisory_lock(hashtextextended($1, 0))";
        let dead: bool = client
            .query_one(sql, &[&mark])
            .await
            .map_err(|e| failed(&e))?
            .get(0);
        // Without force: a database that somebody is connected to is not dead, whatever its lock says.
        if dead && drop_run(address, &run, &mark, false).await.is_ok() {
            swept.push(run.clone());
        }
        if dead {
            let sql = "SELECT pg_advisory_unlock(hashtextextended($1, 0))";
            client.query(sql, &[&mark]).await.map_err(|e| failed(&e))?;
        }
    }
    Ok(swept)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_that_cannot_be_read_is_not_quoted() {
        for url in [
            "postgres://me:s3cret@host/db?nope=s3cret",
            "postgres://me:s3cret@host:port/db",
            "host=h port=s3cret",
        ] {
            let error = parse(url).map(|_| ()).expect_err("these are broken");
            assert!(
                matches!(&error, Error::Usage(_)) && !error.to_string().contains("s3c"),
                "{error}"
            );
        }
        assert!(parse("postgres://host/db").is_err(), "no user");
        assert_eq!(
            parse("postgres://me@host:6543/db")
                .map(|a| a.display())
                .ok()
                .as_deref(),
            Some("host:6543")
        );
    }
}
