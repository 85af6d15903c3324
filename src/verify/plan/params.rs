//! Values for a query's parameters: taken from rows of the sample that the query can find, so that a plan is judged on a search that
//! finds something.

use std::collections::BTreeMap;

use crate::design::{Model, Param, Query};
use crate::postgres::{Session, SqlFailure};
use crate::sql::{self, Ident, Meeting, SqlText, fill, fixed, idents, join, quote_ident};

/// Parameter names with their values as text.
pub(super) type Values = BTreeMap<String, Option<String>>;

/// Which row the values come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Choice {
    /// One row among all: what occurs often is met often.
    Typical,
    /// The combination that occurs most often.
    MostCommon,
}

/// Chooses a value for every parameter. A declared `value` wins over a typical one.
pub(super) async fn choose(
    model: &Model,
    query: &Query,
    session: &mut Session,
    choice: Choice,
) -> Result<Values, SqlFailure> {
    let meetings = sql::meetings(query.sql.as_str());
    let mut values = Values::new();
    for param in &query.params {
        if let (Some(value), Choice::Typical) = (&param.value, choice) {
            values.insert(
                param.name.as_str().to_owned(),
                Some(value.as_str().to_owned()),
            );
        }
    }
    for (table, met) in by_table(model, query, &meetings) {
        let open: Vec<&(String, Ident)> = met
            .iter()
            .filter(|(param, _)| !values.contains_key(param))
            .collect();
        if open.is_empty() {
            continue;
        }
        let row = row(model, session, &table, &met, &values, choice).await?;
        for (at, (param, _)) in met.iter().enumerate() {
            if let Some(value) = row.get(at) {
                values.entry(param.clone()).or_insert_with(|| value.clone());
            }
        }
    }
    for param in &query.params {
        let name = param.name.as_str();
        if !values.contains_key(name) {
            let declared = param.value.as_ref().map(|value| value.as_str().to_owned());
            values.insert(name.to_owned(), declared.or_else(|| plain(param)));
        }
    }
    Ok(values)
}

/// The table that meets most parameters first: its row decides what the others can join with.
pub(super) fn by_table(
    model: &Model,
    query: &Query,
    meetings: &[Meeting],
) -> Vec<(Ident, Vec<(String, Ident)>)> {
    let mut tables: Vec<(Ident, Vec<(String, Ident)>)> = Vec::new();
    for meeting in meetings {
        if !query
            .params
            .iter()
            .any(|param| param.name.as_str() == meeting.param)
        {
            continue;
        }
        let Some(table) = meeting
            .tables
            .iter()
            .find(|table| model.column(table, &meeting.column).is_some())
        else {
            continue;
        };
        let pair = (meeting.param.clone(), meeting.column.clone());
        match tables.iter_mut().find(|(known, _)| known == table) {
            Some((_, met)) if met.iter().any(|(param, _)| *param == pair.0) => {}
            Some((_, met)) => met.push(pair),
            None => tables.push((table.clone(), vec![pair])),
        }
    }
    tables.sort_by_key(|(_, met)| std::cmp::Reverse(met.len()));
    tables
}

/// Values of the columns in one row that agrees with what was chosen before.
async fn row(
    model: &Model,
    session: &mut Session,
    table: &Ident,
    met: &[(String, Ident)],
    known: &Values,
    choice: Choice,
) -> Result<Vec<Option<String>>, SqlFailure> {
    // Two parameters may meet one column, as the two ends of a range do.
    let mut distinct: Vec<&Ident> = Vec::new();
    for (_, column) in met {
        if !distinct.contains(&column) {
            distinct.push(column);
        }
    }
    let columns = idents(distinct.iter().copied());
    let filled = join(
        met.iter()
            .map(|(_, column)| fill("{c} IS NOT NULL", &[("c", &quote_ident(column))])),
        " AND ",
    );
    let agreed = met.iter().filter_map(|(param, column)| {
        let value = known.get(param)?.as_deref()?;
        Some(fill(
            "{c}::text = {v}",
            &[("c", &quote_ident(column)), ("v", &sql::literal(value))],
        ))
    });
    let condition = join(std::iter::once(filled).chain(agreed), " AND ");
    let name = sql::quote_qualified(&model.qualified(table));
    let chosen = |condition: &SqlText| match choice {
        Choice::Typical => fill(
            "WITH found AS (SELECT {columns}, row_number() OVER () AS place, count(*) OVER () AS places FROM {table} WHERE {condition})\n\
             SELECT {columns} FROM found WHERE place = (places + 1) / 2",
            &[
                ("columns", &columns),
                ("table", &name),
                ("condition", condition),
            ],
        ),
        Choice::MostCommon => fill(
            "SELECT {columns} FROM {table} WHERE {condition} GROUP BY {columns} ORDER BY count(*) DESC, {columns} LIMIT 1",
            &[
                ("columns", &columns),
                ("table", &name),
                ("condition", condition),
            ],
        ),
    };
    let found = session.query(&chosen(&condition)).await?;
    let Some(row) = found.rows.into_iter().next() else {
        return one_by_one(session, &name, met, &distinct).await;
    };
    let value = |column: &Ident| {
        let at = distinct.iter().position(|known| *known == column)?;
        row.get(at)?.clone()
    };
    Ok(met.iter().map(|(_, column)| value(column)).collect())
}

/// Where no row has all of them, as when a row is for a person or for a department: each column's value from a row that agrees with those
/// before it, if there is one.
async fn one_by_one(
    session: &mut Session,
    table: &SqlText,
    met: &[(String, Ident)],
    columns: &[&Ident],
) -> Result<Vec<Option<String>>, SqlFailure> {
    let mut known: BTreeMap<&Ident, Option<String>> = BTreeMap::new();
    for column in columns {
        let quoted = quote_ident(column);
        let filled = fill("{c} IS NOT NULL", &[("c", &quoted)]);
        let agreed = known.iter().filter_map(|(other, value)| {
            let value = sql::literal(value.as_deref()?);
            Some(fill(
                "{c}::text = {v}",
                &[("c", &quote_ident(other)), ("v", &value)],
            ))
        });
        let strict = join(std::iter::once(filled.clone()).chain(agreed), " AND ");
        for condition in [strict, filled] {
            let one = fill(
                "SELECT {c} FROM {table} WHERE {condition} LIMIT 1",
                &[("c", &quoted), ("table", table), ("condition", &condition)],
            );
            let found = session.query(&one).await?;
            if let Some(value) = found
                .rows
                .into_iter()
                .next()
                .and_then(|row| row.into_iter().next())
            {
                known.insert(column, value);
                break;
            }
        }
    }
    Ok(met
        .iter()
        .map(|(_, column)| known.get(column).cloned().flatten())
        .collect())
}

/// Something of the type, for a parameter that meets no column (`LIMIT :limit`).
pub(super) fn plain(param: &Param) -> Option<String> {
    let data_type = param.data_type.as_str().trim().to_ascii_lowercase();
    let starts = |words: &[&str]| words.iter().any(|word| data_type.starts_with(word));
    let value = if data_type.ends_with("[]") {
        "{}"
    } else if starts(&[
        "int", "bigint", "smallint", "numeric", "decimal", "real", "double", "float",
    ]) && !starts(&["interval"])
    {
        "50"
    } else if starts(&["interval"]) {
        "1 day"
    } else if starts(&["date", "timestamp"]) {
        "2026-01-01"
    } else if starts(&["bool"]) {
        "true"
    } else if starts(&["uuid"]) {
        "00000000-0000-0000-0000-000000000001"
    } else if starts(&["json"]) {
        "{}"
    } else {
        "a"
    };
    Some(value.to_owned())
}

/// The query with its values as literals of their types.
pub(super) fn filled_in(model: &Model, query: &Query, values: &Values) -> SqlText {
    sql::substitute(query.sql.as_str().trim().trim_end_matches(';'), &|name| {
        let data_type = query
            .params
            .iter()
            .find(|param| param.name.as_str() == name)
            .map(|param| &param.data_type);
        let value = match values.get(name) {
            Some(Some(value)) => sql::literal(value),
            _ => fixed("NULL"),
        };
        match data_type {
            Some(data_type) => {
                let data_type = crate::compile::data_type(model, data_type.as_str());
                fill(
                    "CAST({value} AS {type})",
                    &[("value", &value), ("type", &data_type)],
                )
            }
            None => value,
        }
    })
}

/// The query prepared for all values at once, and what runs it with these; nothing where it has no parameters.
pub(super) fn for_all_values(
    model: &Model,
    query: &Query,
    values: &Values,
) -> Option<(SqlText, SqlText)> {
    let place = |name: &str| {
        let mut params = query.params.iter();
        params.position(|param| param.name.as_str() == name)
    };
    if query.params.is_empty() {
        return None;
    }
    let text = query.sql.as_str().trim().trim_end_matches(';');
    let typed = sql::substitute(text, &|name| match place(name) {
        Some(at) => {
            let data_type = crate::compile::data_type(model, query.params[at].data_type.as_str());
            fill(
                "CAST({place} AS {type})",
                &[("place", &sql::placeholder(at + 1)), ("type", &data_type)],
            )
        }
        None => fixed("NULL"),
    });
    let name = Ident::new("pgproof_generic");
    let (prepare, _) = sql::prepare(&name, &typed);
    let values: Vec<Option<String>> = query
        .params
        .iter()
        .map(|param| values.get(param.name.as_str()).cloned().flatten())
        .collect();
    Some((prepare, sql::execute(&name, &values)))
}
