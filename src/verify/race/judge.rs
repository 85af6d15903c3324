//! Who decides whether an invariant is broken: its drift query, and the shadow history.

use std::collections::BTreeSet;

use super::footprint::Tables;
use super::history;
use crate::design::{Invariant, InvariantKind, Model};
use crate::error::Error;
use crate::finding::Table;
use crate::invariant;
use crate::postgres::{Prepared, Rows, Session, SqlFailure};
use crate::sql::{self, Ident, SqlText};

/// One invariant with what finds its violations.
#[derive(Debug)]
pub(super) struct Judge {
    pub invariant: Invariant,
    /// Tables whose rows decide.
    pub tables: Tables,
    queries: Vec<Prepared>,
}

impl Judge {
    /// Prepares the queries. Fails where the design's own SQL is at fault.
    pub(super) async fn new(
        control: &mut Session,
        model: &Model,
        invariant: &Invariant,
    ) -> Result<Judge, SqlFailure> {
        let mut queries = Vec::new();
        // Their time comes later: until its events are applied a projection lags, until its job runs a row stays.
        if matches!(
            invariant.rule.kind(),
            InvariantKind::Mirrors | InvariantKind::Retained
        ) {
            return Ok(Judge {
                invariant: invariant.clone(),
                tables: Tables::default(),
                queries,
            });
        }
        let sources = [
            invariant::drift(model, invariant),
            history::query(model, invariant),
        ];
        for query in sources.into_iter().flatten() {
            queries.push(control.prepare(&query).await?);
        }
        let tables: BTreeSet<Ident> = invariant::reads(&invariant.rule, model)
            .into_iter()
            .collect();
        Ok(Judge {
            invariant: invariant.clone(),
            tables: tables.into_iter().collect(),
            queries,
        })
    }

    /// Whether the rows, or their history, can be asked.
    pub(super) fn has_queries(&self) -> bool {
        !self.queries.is_empty()
    }

    fn calls(&self) -> impl Iterator<Item = SqlText> {
        self.queries.iter().map(|query| query.call(&[]))
    }
}

/// Asks several judges at once; gives those that found something, with the rows. `None` where a session keeps everybody from
/// reading (TRUNCATE, LOCK TABLE): then there is nothing to be seen until it ends.
pub(super) async fn judge(
    control: &mut Session,
    judges: &[Judge],
    which: &[usize],
) -> Result<Option<Vec<(usize, Table)>>, Error> {
    let asked: Vec<usize> = which
        .iter()
        .flat_map(|at| judges[*at].calls().map(|_| *at))
        .collect();
    if asked.is_empty() {
        return Ok(Some(Vec::new()));
    }
    let calls: Vec<SqlText> = which.iter().flat_map(|at| judges[*at].calls()).collect();
    let answers = control
        .send(&sql::sequence(&calls))
        .await
        .map_err(|e| e.into_error("run a drift query"))?;
    let mut found: Vec<(usize, Table)> = Vec::new();
    for (at, rows) in asked.into_iter().zip(answers) {
        if !rows.rows.is_empty() && found.last().is_none_or(|(last, _)| *last != at) {
            found.push((at, table(rows)));
        }
    }
    Ok(Some(found))
}

fn table(rows: Rows) -> Table {
    Table {
        columns: rows.columns,
        rows: rows.rows,
    }
}
