//! What is told while a step runs.

use std::future::Future;
use std::time::Duration;

use crate::migrate::{Plan, Step, progress_table};
use crate::postgres::{Session, SqlFailure};
use crate::sql::{Ident, SqlText, fill, literal, number, quote_qualified};

/// How often a second session looks.
const LOOK: Duration = Duration::from_secs(1);

/// Whoever is told how far a run is.
pub trait Teller {
    /// A line, without its end.
    fn tell(&mut self, line: &str);
}

/// Waits for a long statement, and tells how far it is.
pub(super) async fn watched(
    work: impl Future<Output = Result<(), SqlFailure>>,
    eye: &mut Session,
    look: &SqlText,
    teller: &mut dyn Teller,
) -> Result<(), SqlFailure> {
    let mut work = std::pin::pin!(work);
    let mut last = String::new();
    loop {
        if let Ok(ended) = tokio::time::timeout(LOOK, &mut work).await {
            return ended;
        }
        // That nothing can be seen is no reason to stop.
        let seen = eye.query(look).await;
        let seen = seen.ok().and_then(|rows| Some(rows.scalar()?.to_owned()));
        if let Some(seen) = seen.filter(|seen| *seen != last) {
            teller.tell(&format!("  {seen}"));
            last = seen;
        }
    }
}

/// What to look at during a step that runs by itself.
pub(super) fn look(plan: &Plan, step: &Step, pid: i32) -> SqlText {
    match &step.backfill {
        Some(backfill) => {
            let schema = Ident::from(plan.schema.as_str());
            let table = quote_qualified(&backfill.table);
            let parts = [
                ("progress", &quote_qualified(&progress_table(&schema))),
                ("step", &literal(&backfill.progress)),
                ("table", &literal(table.as_str())),
            ];
            fill(
                "SELECT p.rows || ' rows written' || CASE WHEN c.reltuples > 0 THEN ' of about ' || c.reltuples::bigint ELSE '' END \
                 || coalesce(', up to ' || (p.after ->> 0), '') || CASE WHEN p.paused THEN ', paused' ELSE '' END \
                 FROM {progress} AS p, pg_class AS c WHERE p.step = {step} AND c.oid = to_regclass({table})",
                &parts,
            )
        }
        None => fill(
            "SELECT phase || coalesce(', ' || round(100.0 * blocks_done / nullif(blocks_total, 0)) || ' %', '') \
             FROM pg_stat_progress_create_index WHERE pid = {pid}",
            &[("pid", &number(i64::from(pid)))],
        ),
    }
}
