//! One runner at a time.

use std::time::{Duration, Instant};

use super::watch::Teller;
use crate::postgres::{Session, SqlFailure};
use crate::sql::{Ident, SqlText, fill, join, literal};

/// How long another runner is waited for. One that was killed leaves a statement that ends within a second or so.
const PATIENCE: Duration = Duration::from_secs(30);

/// Locks of different schemas do not hold each other up.
fn key(schema: &Ident) -> SqlText {
    let parts = [literal("pgproof migrate "), literal(schema.as_str())];
    let text = join(parts, " || ");
    fill("hashtextextended({text}, 0)", &[("text", &text)])
}

/// Takes the lock, for as long as the session lives: the session that works also holds it, so that the lock is not free while one
/// of its statements still runs. Returns who has it where it cannot be had.
pub(super) async fn take(
    session: &mut Session,
    schema: &Ident,
    teller: &mut dyn Teller,
) -> Result<Result<(), String>, SqlFailure> {
    let key = key(schema);
    let attempt = fill("SELECT pg_try_advisory_lock({key})", &[("key", &key)]);
    let since = Instant::now();
    let mut is_told = false;
    loop {
        if session.query(&attempt).await?.scalar() == Some("t") {
            return Ok(Ok(()));
        }
        let holder = holder(session, &key).await?;
        if since.elapsed() >= PATIENCE {
            return Ok(Err(holder));
        }
        if !is_told {
            teller.tell(&format!(
                "another runner is at work ({holder}); waiting for it"
            ));
            is_told = true;
        }
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
}

async fn holder(session: &mut Session, key: &SqlText) -> Result<String, SqlFailure> {
    let sql = fill(
        "SELECT concat_ws(', ', 'process ' || l.pid, a.application_name, 'user ' || a.usename, \
         'from ' || coalesce(a.client_addr::text, 'the same machine'), 'since ' || to_char(a.backend_start, 'YYYY-MM-DD HH24:MI:SS TZ')) \
         FROM pg_locks AS l LEFT JOIN pg_stat_activity AS a USING (pid) \
         WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1 \
         AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database()) \
         AND (l.classid::bigint << 32 | l.objid::bigint) = {key}",
        &[("key", key)],
    );
    let rows = session.query(&sql).await?;
    Ok(rows
        .scalar()
        .unwrap_or("it has just let the lock go")
        .to_owned())
}
