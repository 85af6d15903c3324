//! Values that break a check: made up from what the check itself mentions, judged by the server.

use std::collections::BTreeSet;

use super::trial::{Trial, insert};
use crate::catalog::{Catalog, ObjectPath, Table, UserType};
use crate::error::Error;
use crate::invariant::{Case, Value};
use crate::postgres::Session;
use crate::sql::{
    Expression, Ident, QualifiedName, SqlText, fill, fixed, join, literal, number,
    parse_expression, quote_ident,
};
use crate::verify::seed::Maker;

/// Rows of candidates that the server is asked about at most.
const MOST: usize = 1500;
/// How many ways to break a check are tried before somebody else is said to be in the way.
const WAYS: usize = 6;

/// Trials of one check, each a way to break it; an empty list where none was found.
pub(super) async fn check(
    session: &mut Session,
    catalog: &Catalog,
    maker: &Maker,
    name: &QualifiedName,
    check: &Ident,
) -> Result<Vec<Trial>, Error> {
    let Some(table) = catalog.tables.get(name) else {
        return Ok(Vec::new());
    };
    let Some(made) = table.checks.get(check) else {
        return Ok(Vec::new());
    };
    let columns = match parse_expression(made.expression.as_str()) {
        Some(expression) => expression.columns(),
        // Not read: the server knows which columns it is about, but any of them may be; all are tried with what they usually are.
        None => table
            .columns
            .iter()
            .map(|column| column.name.clone())
            .collect(),
    };
    let is_column = |column: &Ident| table.column(column).is_some();
    let mut columns: Vec<Ident> = columns.into_iter().filter(is_column).collect();
    let mut others: Vec<SqlText> = Vec::new();
    // What the same columns must satisfy besides may speak of further ones.
    for (_, made) in table.checks.iter().filter(|(other, _)| *other != check) {
        let Some(expression) = parse_expression(made.expression.as_str()) else {
            continue;
        };
        let of_other = expression.columns();
        if of_other.iter().any(|column| columns.contains(column)) {
            let more: Vec<Ident> = of_other
                .into_iter()
                .filter(|c| is_column(c) && !columns.contains(c))
                .collect();
            columns.extend(more);
            others.push(made.expression.clone());
        }
    }
    others.extend(domain_checks(catalog, table, &columns));
    let lists = candidates(catalog, maker, name, table, &columns, &made.expression);
    let rows = valid_rows(session, catalog, table, &columns, lists).await?;
    let breaking = judge(
        session,
        catalog,
        table,
        (&columns, &rows),
        &made.expression,
        &others,
    )
    .await?;
    let object = ObjectPath::Check(name.clone(), check.clone());
    let trials = breaking.into_iter().map(|row| {
        let set: Vec<(Ident, Value)> = columns
            .iter()
            .cloned()
            .zip(rows[row].iter().map(given))
            .collect();
        let title = format!(
            "a row of {} with {}",
            name.name.as_str(),
            shown(&columns, &rows[row])
        );
        let legal = vec![insert(0, &name.name, Vec::new())];
        let case = Case {
            title,
            before: Vec::new(),
            illegal: vec![insert(0, &name.name, set)],
            sqlstates: vec!["23514"],
            legal,
        };
        Trial::of(object.clone(), case).named([check.clone()])
    });
    Ok(trials.collect())
}

/// Trials of a domain, in the first column that has it.
pub(super) async fn domain(
    session: &mut Session,
    catalog: &Catalog,
    maker: &Maker,
    of: &QualifiedName,
) -> Result<Vec<Trial>, Error> {
    let Some((UserType::Domain { base, checks }, _)) = catalog.types.get(of) else {
        return Ok(Vec::new());
    };
    let quoted = crate::sql::quote_qualified(of);
    let users = catalog
        .tables
        .iter()
        .flat_map(|(name, table)| table.columns.iter().map(move |column| (name, column)));
    let Some((name, column)) = users
        .into_iter()
        .find(|(_, column)| column.data_type == quoted)
    else {
        return Ok(Vec::new());
    };
    let mut trials = Vec::new();
    for (check, made) in checks {
        let columns = [Ident::from("value")];
        let mut values = mentioned(&made.expression, &columns[0]);
        values.extend(usual().map(|text| Some(text.to_owned())));
        values.extend(
            maker
                .allowed(&name.name, &column.name)
                .into_iter()
                .map(Some),
        );
        let row_table = Table {
            columns: vec![crate::catalog::Column {
                name: columns[0].clone(),
                data_type: base.clone(),
                ..column.clone()
            }],
            ..Table::default()
        };
        let rows = valid_rows(session, catalog, &row_table, &columns, vec![values]).await?;
        let breaking = judge(
            session,
            catalog,
            &row_table,
            (&columns, &rows),
            &made.expression,
            &[],
        )
        .await?;
        for row in breaking {
            let title = format!(
                "{} of {} that is {}",
                column.name.as_str(),
                name.name.as_str(),
                shown(&columns, &rows[row])
            );
            let set = vec![(column.name.clone(), given(&rows[row][0]))];
            let legal = vec![insert(
                0,
                &name.name,
                vec![(column.name.clone(), Value::Filled)],
            )];
            let case = Case {
                title,
                before: Vec::new(),
                illegal: vec![insert(0, &name.name, set)],
                sqlstates: vec!["23514"],
                legal,
            };
            trials.push(Trial::of(ObjectPath::Type(of.clone()), case).named([check.clone()]));
        }
    }
    Ok(trials)
}

fn given(value: &Option<String>) -> Value {
    match value {
        Some(text) => Value::Sql(literal(text)),
        None => Value::Null,
    }
}

fn shown(columns: &[Ident], row: &[Option<String>]) -> String {
    let pairs = columns.iter().zip(row);
    let pairs = pairs.map(|(column, value)| {
        format!(
            "{} = {}",
            column.as_str(),
            value.as_deref().unwrap_or("null")
        )
    });
    pairs.collect::<Vec<_>>().join(", ")
}

fn usual() -> impl Iterator<Item = &'static str> {
    [
        "",
        "-1",
        "0",
        "1",
        "2",
        "100",
        "1000000",
        "pgproof",
        "PgProof!",
        "2026-01-01",
        "2026-01-02",
        "true",
        "false",
    ]
    .into_iter()
}

/// Conditions of the domains that these columns have.
fn domain_checks(catalog: &Catalog, table: &Table, columns: &[Ident]) -> Vec<SqlText> {
    let mut found = Vec::new();
    for column in columns.iter().filter_map(|column| table.column(column)) {
        for (name, (kind, _)) in &catalog.types {
            if let UserType::Domain { checks, .. } = kind
                && crate::sql::quote_qualified(name) == column.data_type
            {
                let over = |made: &crate::catalog::Check| {
                    // `value` is a column here, whatever it is called in the table.
                    let parts = [
                        ("check", &made.expression),
                        ("column", &quote_ident(&column.name)),
                    ];
                    fill(
                        "(SELECT ({check}\n) FROM (SELECT {column} AS value) AS of_domain)",
                        &parts,
                    )
                };
                found.extend(checks.values().map(over));
            }
        }
    }
    found
}

/// Literals that an expression mentions, with their neighbours, as far as they may be values of the column.
fn mentioned(expression: &SqlText, column: &Ident) -> Vec<Option<String>> {
    let mut found = BTreeSet::new();
    let parsed = parse_expression(expression.as_str());
    if let Some(parsed) = &parsed {
        parsed.visit(&mut |part| match part {
            Expression::Number(text) => {
                if let Ok(value) = text.parse::<f64>() {
                    found.extend([value - 1.0, value, value + 1.0].map(|value| format!("{value}")));
                }
                if let Ok(length) = text.parse::<usize>()
                    && length < 10_000
                {
                    found.extend([
                        "x".repeat(length),
                        "x".repeat(length + 1),
                        "x".repeat(length.saturating_sub(1)),
                    ]);
                }
            }
            Expression::Text(text) | Expression::Interval(text) => {
                found.insert(text.clone());
            }
            _ => {}
        });
    }
    let _ = column;
    std::iter::once(None)
        .chain(found.into_iter().map(Some))
        .collect()
}

fn candidates(
    catalog: &Catalog,
    maker: &Maker,
    name: &QualifiedName,
    table: &Table,
    columns: &[Ident],
    expression: &SqlText,
) -> Vec<Vec<Option<String>>> {
    let mentioned = mentioned(expression, &Ident::from(""));
    let mut lists: Vec<Vec<Option<String>>> = Vec::new();
    for column in columns.iter().filter_map(|column| table.column(column)) {
        let mut list: Vec<Option<String>> = Vec::new();
        if column.nullable {
            list.push(None);
        }
        let mut add = |value: Option<String>| {
            if !list.contains(&value) {
                list.push(value);
            }
        };
        let labels = maker.labels(column.data_type.as_str(), catalog);
        labels.iter().cloned().for_each(|label| add(Some(label)));
        maker
            .allowed(&name.name, &column.name)
            .into_iter()
            .for_each(|value| add(Some(value)));
        (0..3)
            .filter_map(|n| maker.numbered(&name.name, &column.name, n))
            .for_each(|value| add(Some(value)));
        if labels.is_empty() {
            mentioned
                .iter()
                .flatten()
                .cloned()
                .for_each(|value| add(Some(value)));
            usual().for_each(|value| add(Some(value.to_owned())));
        }
        lists.push(list);
    }
    lists
}

/// All combinations, or as many as the budget allows, spread over the lists.
fn product(lists: &[Vec<Option<String>>]) -> Vec<Vec<Option<String>>> {
    let each = match lists.len() {
        0 => return Vec::new(),
        1 => MOST,
        n => (MOST as f64).powf(1.0 / n as f64).floor().max(2.0) as usize,
    };
    let mut rows: Vec<Vec<Option<String>>> = vec![Vec::new()];
    for list in lists {
        let list = &list[..list
            .len()
            .min(each.max(if lists.len() < 3 { 40 } else { each }))];
        rows = rows
            .into_iter()
            .flat_map(|row| {
                list.iter().map(move |value| {
                    row.iter()
                        .cloned()
                        .chain([value.clone()])
                        .collect::<Vec<_>>()
                })
            })
            .take(MOST)
            .collect();
    }
    rows
}

/// Which rows break the check and nothing else, by number. Values that are none of the column's type are left out first.
async fn judge(
    session: &mut Session,
    catalog: &Catalog,
    table: &Table,
    (columns, rows): (&[Ident], &[Vec<Option<String>>]),
    check: &SqlText,
    others: &[SqlText],
) -> Result<Vec<usize>, Error> {
    let types: Vec<SqlText> = columns
        .iter()
        .filter_map(|column| table.column(column))
        .map(|c| base_type(catalog, &c.data_type))
        .collect();
    if columns.is_empty() || rows.is_empty() || types.len() != columns.len() {
        return Ok(Vec::new());
    }
    let chosen: Vec<usize> = (0..rows.len()).collect();
    let mut breaking = Vec::new();
    for part in chosen.chunks(250) {
        let lines = part.iter().map(|row| {
            let values = rows[*row].iter().zip(&types).map(|(value, of)| {
                let value = value.as_deref().map_or_else(|| fixed("NULL"), literal);
                fill("{value}::{type}", &[("value", &value), ("type", of)])
            });
            fill(
                "({n}, {values})",
                &[("n", &number(*row as i64)), ("values", &join(values, ", "))],
            )
        });
        let kept = others
            .iter()
            .map(|other| fill(" AND ({other}\n) IS NOT FALSE", &[("other", other)]));
        let names = join(columns.iter().map(quote_ident), ", ");
        let parts = [
            ("lines", &join(lines, ",\n")),
            ("names", &names),
            ("check", check),
            ("kept", &join(kept, "")),
            ("ways", &number(WAYS as i64)),
        ];
        let asked = fill(
            "SELECT pgproof_n FROM (VALUES {lines}) AS candidate (pgproof_n, {names}) WHERE ({check}\n) IS FALSE{kept} LIMIT {ways}",
            &parts,
        );
        // A check that fails for one of the rows says nothing about the others; they are passed over together.
        if let Ok(found) = session.query(&asked).await {
            breaking.extend(
                found
                    .rows
                    .iter()
                    .filter_map(|row| row.first()?.as_deref()?.parse::<usize>().ok()),
            );
        }
        if breaking.len() >= WAYS {
            break;
        }
    }
    breaking.truncate(WAYS);
    Ok(breaking)
}

/// The type below a domain, so that a domain's own check does not get in the way.
fn base_type(catalog: &Catalog, data_type: &SqlText) -> SqlText {
    let found = catalog
        .types
        .iter()
        .find_map(|(name, (kind, _))| match kind {
            UserType::Domain { base, .. } if crate::sql::quote_qualified(name) == *data_type => {
                Some(base.clone())
            }
            _ => None,
        });
    found.unwrap_or_else(|| data_type.clone())
}

/// Combinations of those values that are values of their column's type; the server says which are.
async fn valid_rows(
    session: &mut Session,
    catalog: &Catalog,
    table: &Table,
    columns: &[Ident],
    lists: Vec<Vec<Option<String>>>,
) -> Result<Vec<Vec<Option<String>>>, Error> {
    let mut valid = Vec::with_capacity(lists.len());
    for (column, list) in columns.iter().zip(lists) {
        let Some(column) = table.column(column) else {
            continue;
        };
        let of = base_type(catalog, &column.data_type);
        let mut kept = Vec::new();
        for value in list {
            let fits = match &value {
                Some(text) => {
                    let sql = fill(
                        "SELECT {value}::{type}",
                        &[("value", &literal(text)), ("type", &of)],
                    );
                    session.query(&sql).await.is_ok()
                }
                None => true,
            };
            if fits {
                kept.push(value);
            }
        }
        valid.push(kept);
    }
    Ok(product(&valid))
}
