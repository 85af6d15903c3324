//! One catalogued query with the values that it is planned with.

use std::time::Duration;

use super::expect::Asked;
use super::planned::difference;
use crate::design::Query;
use crate::explain::{Outcome, PlanTree, parse};
use crate::postgres::{Rows, Session, SqlFailure};
use crate::sql::{SqlText, fill, fixed};
use crate::verify::stage::{begin, rollback};

/// A plan under other values, with what is different about these.
pub(super) type Other = (String, PlanTree);

/// A query as it is asked on the sample and at every volume.
pub(super) struct Case<'a> {
    /// The query.
    pub query: &'a Query,
    /// Its expectations.
    pub asked: Vec<Asked>,
    /// With typical values.
    pub typical: SqlText,
    /// With the most common ones.
    pub common: SqlText,
    /// Prepared for all values at once, and what runs it.
    pub prepared: Option<(SqlText, SqlText)>,
    /// What a session says before it asks: which tenant it is for.
    pub before: Vec<SqlText>,
    /// The plan on the sample, executed.
    pub sampled: PlanTree,
    /// What came of each expectation there.
    pub outcomes: Vec<Outcome>,
    /// Whether what was broken there could be kept: the planner can do it, and at this size does not.
    pub could_hold: Vec<bool>,
    /// How long that took.
    pub took: Duration,
}

impl Case<'_> {
    /// Plans it with typical values.
    pub(super) async fn typical_at(&self, session: &mut Session) -> Result<PlanTree, SqlFailure> {
        for statement in &self.before {
            session.query(statement).await?;
        }
        plan(session, &self.typical, false).await
    }

    /// Plans it with typical values, and with the most common ones.
    pub(super) async fn plan_at(
        &self,
        session: &mut Session,
    ) -> Result<(PlanTree, Vec<Other>), SqlFailure> {
        let typical = self.typical_at(session).await?;
        let common = match self.common == self.typical {
            true => Some(typical.clone()),
            false => plan(session, &self.common, false).await.ok(),
        };
        let others = common.map(|plan| ("the most common values".to_owned(), plan));
        Ok((typical, others.into_iter().collect()))
    }

    /// How the plan for all values at once differs, which a driver that prepares its statements gets after five runs.
    pub(super) async fn generic(&self, session: &mut Session, custom: &PlanTree) -> Option<String> {
        let (prepare, call) = self.prepared.as_ref()?;
        session.batch(prepare).await.ok()?;
        let explain = fill("EXPLAIN (FORMAT JSON) {call}", &[("call", call)]);
        session
            .batch(&fixed("SET plan_cache_mode = force_generic_plan"))
            .await
            .ok()?;
        let rows = session.query(&explain).await;
        let _ = session
            .batch(&fixed("RESET plan_cache_mode; DEALLOCATE ALL"))
            .await;
        difference(custom, &read(&rows.ok()?))
    }
}

/// Plans a query, and runs it where asked; what it changes is taken back.
pub(super) async fn plan(
    session: &mut Session,
    query: &SqlText,
    run: bool,
) -> Result<PlanTree, SqlFailure> {
    let options = match run {
        true => "ANALYZE, BUFFERS, TIMING OFF, FORMAT JSON",
        false => "FORMAT JSON",
    };
    let explain = fill(
        "EXPLAIN ({options}) {query}",
        &[("options", &fixed(options)), ("query", query)],
    );
    if !run {
        return Ok(read(&session.query(&explain).await?));
    }
    session.batch(&begin()).await?;
    let rows = session.query(&explain).await;
    session.batch(&rollback()).await?;
    Ok(read(&rows?))
}

/// The plan in an answer of EXPLAIN, which may come in several rows, one a line.
pub(super) fn read(rows: &Rows) -> PlanTree {
    let text: Vec<&str> = rows
        .rows
        .iter()
        .filter_map(|row| row.first()?.as_deref())
        .collect();
    let json = serde_json::from_str(&text.join("\n")).unwrap_or(serde_json::Value::Null);
    parse(&json).unwrap_or_default()
}
