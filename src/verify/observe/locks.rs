//! Locks of a session, read from `pg_locks`.

use serde::Deserialize;

use super::snapshot::{Kind, Snapshot};
use crate::error::Error;
use crate::migrate::{Effects, LockMode};
use crate::postgres::Session;
use crate::sql::{fill, number};

const LOCKS: &str = "
SELECT json_build_object('kind', l.locktype, 'relation', coalesce(l.relation, 0)::bigint, 'mode', l.mode, 'granted', l.granted)
FROM pg_locks l WHERE l.pid = {pid} AND l.locktype IN ('relation', 'virtualxid')
  AND (l.database IS NULL OR l.database = (SELECT oid FROM pg_database WHERE datname = current_database()))";

#[derive(Debug, Deserialize)]
struct Lock {
    kind: String,
    relation: i64,
    mode: String,
    granted: bool,
}

/// What a session waits for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Waits {
    /// For anything.
    pub(super) any: bool,
    /// For a transaction that is older.
    pub(super) for_old: bool,
}

/// Adds the locks that a session holds or waits for now.
pub(super) async fn sample(
    by: &mut Session,
    of: i32,
    known: &Snapshot,
    effects: &mut Effects,
) -> Result<Waits, Error> {
    let query = fill(LOCKS, &[("pid", &number(i64::from(of)))]);
    let answer = by.query(&query).await;
    let rows = answer.map_err(|failure| failure.into_error("reading locks"))?;
    let mut waits = Waits::default();
    for text in rows
        .rows
        .into_iter()
        .filter_map(|mut row| row.pop().flatten())
    {
        let lock: Lock =
            serde_json::from_str(&text).map_err(|error| Error::Internal(error.to_string()))?;
        waits.any |= !lock.granted;
        waits.for_old |= !lock.granted && lock.kind == "virtualxid";
        let Some(mode) = LockMode::of_pg_locks(&lock.mode) else {
            continue;
        };
        match known.relation(lock.relation) {
            Some((name, Kind::Rows)) => effects.lock(&name, mode),
            Some((name, Kind::Index)) if mode == LockMode::AccessExclusive => {
                effects.index_locks.insert(name, mode);
            }
            _ => {}
        }
    }
    Ok(waits)
}
