//! Values for a query's parameters from what ANALYZE remembers; no row is read for them.

use std::collections::BTreeMap;

use crate::design::{Model, Query};
use crate::postgres::{Session, SqlFailure};
use crate::sql::{self, Ident, fill, literal};
use crate::verify::plan::params::{Values, by_table, plain};

/// Values, and what there is to say about them.
pub(super) struct Chosen {
    pub typical: Values,
    pub common: Values,
    /// Parameters that meet a column of which nothing is remembered.
    pub made_up: Vec<String>,
}

/// What `pg_stats` has of a column.
#[derive(Default)]
pub(super) struct Remembered {
    common: Vec<String>,
    bounds: Vec<String>,
}

impl Remembered {
    /// The most common value.
    pub(super) fn common(&self) -> Option<String> {
        self.common
            .first()
            .or_else(|| self.bounds.get(self.bounds.len() / 2))
            .cloned()
    }

    /// One from the middle; the second parameter of the same column is a little further on, as the end of a range is.
    fn typical(&self, turn: usize) -> Option<String> {
        let many = self.bounds.len();
        let at = (many / 2 + turn * (many / 10).max(1)).min(many.saturating_sub(1));
        self.bounds
            .get(at)
            .or_else(|| self.common.get(self.common.len() / 2))
            .cloned()
    }
}

/// Partitions together where there are some.
const REMEMBERED: &str = "\
SELECT to_jsonb(most_common_vals::text::text[]), to_jsonb(histogram_bounds::text::text[]) FROM pg_catalog.pg_stats\n\
WHERE schemaname = {schema} AND tablename = {table} AND attname = {column} ORDER BY inherited DESC LIMIT 1";

/// Reads it; nothing of a table that is not there.
pub(super) async fn remembered(
    session: &mut Session,
    schema: &Ident,
    table: &Ident,
    column: &Ident,
) -> Result<Remembered, SqlFailure> {
    let parts = [
        ("schema", &literal(schema.as_str())),
        ("table", &literal(table.as_str())),
        ("column", &literal(column.as_str())),
    ];
    let found = session.query(&fill(REMEMBERED, &parts)).await?;
    let row = found.rows.into_iter().next().unwrap_or_default();
    let list = |at: usize| -> Vec<String> {
        let text = row.get(at).and_then(Option::as_deref).unwrap_or("[]");
        let values: Vec<Option<String>> = serde_json::from_str(text).unwrap_or_default();
        values.into_iter().flatten().collect()
    };
    Ok(Remembered {
        common: list(0),
        bounds: list(1),
    })
}

/// A value for every parameter. A declared `value` wins over a typical one.
pub(super) async fn choose(
    session: &mut Session,
    model: &Model,
    query: &Query,
) -> Result<Chosen, SqlFailure> {
    let mut chosen = Chosen {
        typical: Values::new(),
        common: Values::new(),
        made_up: Vec::new(),
    };
    let mut turns: BTreeMap<(Ident, Ident), usize> = BTreeMap::new();
    let meetings = sql::meetings(query.sql.as_str());
    for (table, met) in by_table(model, query, &meetings) {
        for (param, column) in met {
            if chosen.typical.contains_key(&param) {
                continue;
            }
            let known = remembered(session, &model.database.schema, &table, &column).await?;
            let turn = turns.entry((table.clone(), column)).or_insert(0);
            let (typical, common) = (known.typical(*turn), known.common());
            *turn += 1;
            match typical.or_else(|| common.clone()) {
                Some(typical) => {
                    chosen
                        .common
                        .insert(param.clone(), common.or_else(|| Some(typical.clone())));
                    chosen.typical.insert(param, Some(typical));
                }
                None => chosen.made_up.push(param),
            }
        }
    }
    for param in &query.params {
        let name = param.name.as_str().to_owned();
        if let Some(value) = &param.value {
            chosen
                .typical
                .insert(name.clone(), Some(value.as_str().to_owned()));
            chosen.made_up.retain(|other| *other != name);
        }
        let value = chosen
            .typical
            .entry(name.clone())
            .or_insert_with(|| plain(param))
            .clone();
        chosen.common.entry(name).or_insert(value);
    }
    Ok(chosen)
}
