//! Who decides whether an invariant is broken: its drift query, and the shadow history.

use std::collections::BTreeSet;

use super::footprint::Tables;
use super::history;
use crate::design::{Invariant, InvariantKind, Model};
use crate::error::Error;
use crate::finding::Table;
use crate::invariant;
use crate::postgres::{Pending, Prepared, Rows, Session, SqlFailure};
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

/// Judges that were asked and have not answered.
pub(super) struct Asked {
    /// Whose each query is.
    whose: Vec<usize>,
    pub pending: Pending,
}

/// Asks several judges at once; nothing where none of them has a question.
pub(super) fn ask(control: &Session, judges: &[Judge], which: &[usize]) -> Option<Asked> {
    let (mut whose, mut calls) = (Vec::new(), Vec::new());
    for at in which {
        for call in judges[*at].calls() {
            whose.push(*at);
            calls.push(call);
        }
    }
    (!calls.is_empty()).then(|| Asked {
        whose,
        pending: control.send(&sql::sequence(&calls)),
    })
}

impl Asked {
    /// Those that found something, with the rows.
    pub(super) async fn found(self) -> Result<Vec<(usize, Table)>, Error> {
        let answers = self.pending.await;
        let answers = answers.map_err(|e| e.into_error("run a drift query"))?;
        let mut found: Vec<(usize, Table)> = Vec::new();
        for (at, rows) in self.whose.into_iter().zip(answers) {
            if !rows.rows.is_empty() && found.last().is_none_or(|(last, _)| *last != at) {
                found.push((at, table(rows)));
            }
        }
        Ok(found)
    }
}

/// Asks several judges where nobody else is at work.
pub(super) async fn judge(
    control: &Session,
    judges: &[Judge],
    which: &[usize],
) -> Result<Vec<(usize, Table)>, Error> {
    match ask(control, judges, which) {
        Some(asked) => asked.found().await,
        None => Ok(Vec::new()),
    }
}

fn table(rows: Rows) -> Table {
    Table {
        columns: rows.columns,
        rows: rows.rows,
    }
}
