//! Backfills whose statement the design gives: where they begin, how far a chunk of theirs reaches, and which of them comes first.

use super::backfill::{KeyColumn, Walk, forgotten, says, variable};
use super::draft::{Draft, Item, Rank};
use super::plan::Phase;
use super::policy::Declared;
use super::recipes::statistics::gather;
use crate::catalog::ObjectPath;
use crate::error::Error;
use crate::sql::words as text;
use crate::sql::{
    Ident, QualifiedName, SqlText, Token, TokenKind, facts, fill, fixed, fold, number, quote_ident,
    quote_qualified, substitute, tokens,
};

/// What stands before the number of a backfill of a table that has several.
pub const PART: &str = ", part ";

/// The backfills that the design gives for a table, each once.
pub(super) fn declared(
    draft: &mut Draft<'_>,
    table: &QualifiedName,
    cause: &ObjectPath,
) -> Result<(), Error> {
    let all: Vec<Declared> = draft.policy.backfills_of(table).cloned().collect();
    for (at, entry) in all.iter().enumerate() {
        if let Some(sql) = &entry.sql {
            let part = match at {
                0 => String::new(),
                _ => format!("{PART}{}", at + 1),
            };
            one_declared(draft, (entry, sql), &part, cause)?;
        }
    }
    Ok(())
}

fn one_declared(
    draft: &mut Draft<'_>,
    (entry, sql): (&Declared, &SqlText),
    part: &str,
    cause: &ObjectPath,
) -> Result<(), Error> {
    let table = &entry.table;
    let name = table.name.as_str();
    let subject = format!("{name}{part}");
    let title = format!("fill {name} as the design says{part}");
    if draft.has(&title) {
        return Ok(());
    }
    let found = entry
        .by
        .as_ref()
        .and_then(|by| Some((source(draft, sql, by)?, by)));
    let Some(((source, column), by)) = found else {
        return Err(Error::Usage(format!(
            "the backfill of {subject} cuts its chunks by {}, and no table of the old design that it reads has such a column: say in migration.backfill.{name}.by by which one (under its old name), and read its table",
            entry.by.as_ref().map_or("nothing", |by| by.as_str())
        )));
    };
    if !tokens(sql.as_str())
        .iter()
        .any(|token| token.kind == TokenKind::Param)
    {
        return Err(Error::Usage(format!(
            "the backfill of {subject} names neither :after nor :chunk, so each of its chunks would go through all rows: read in migration.backfill.{name}.sql those after :after, :chunk of them"
        )));
    }
    let written: Vec<Ident> = match draft.to.tables.get(table) {
        Some(made) if text::mentions(sql, &"update".into()) => made
            .columns
            .iter()
            .map(|column| column.name.clone())
            .filter(|name| text::mentions(sql, name))
            .collect(),
        _ => Vec::new(),
    };
    let says = match written.is_empty() {
        true => fixed(""),
        false => says(draft, table, &written, cause)?,
    };
    let begin = least(&column.data_type);
    let pace = draft.policy.pace_of(Some(entry));
    let (chunk, after) = (number(pace.0), variable("after", 1));
    let upto = variable("upto", 1);
    // The walk's own bounds say how far a chunk reaches: the statement sees at least as many rows as keys were counted, and none behind them, which are not locked.
    let bounded = bounded(sql.as_str(), by);
    let write = |range: &SqlText| {
        let is_first = !range.as_str().contains(after.as_str());
        let from = if is_first { &begin } else { &after };
        let sql = substitute(&bounded, &|name| match name {
            "after" => from.clone(),
            UPTO => upto.clone(),
            _ => chunk.clone(),
        });
        let parts = [
            ("says", &says),
            ("source", &quote_qualified(&source)),
            ("range", range),
            ("sql", &sql),
        ];
        // Nobody changes or removes a row between the moment it is read and the end of its chunk; what the statement reads besides, it reads after that.
        fill(
            "PERFORM FROM {source} WHERE {range} FOR NO KEY UPDATE;\n{says}{sql};",
            &parts,
        )
    };
    // What is written to a table that was there are its new columns.
    let new = match (draft.from.tables.get(table), draft.to.tables.get(table)) {
        (Some(was), Some(now)) => {
            let columns = now.columns.iter().map(|column| column.name.clone());
            let new =
                columns.filter(|name| was.column(name).is_none() && text::mentions(sql, name));
            Some(new.collect::<Vec<_>>()).filter(|new| !new.is_empty())
        }
        _ => Some(Vec::new()),
    };
    let walk = Walk {
        table: &source,
        key: vec![column],
        is_declared: true,
        pace,
        write: &write,
    };
    let backfill = walk.backfill(draft, &subject);
    let mut item = Item::new(Phase::Backfill, Rank::Backfills, title, cause);
    item.reads = Some(sql.clone());
    if let Some(new) = new {
        item = item.fills(table, new);
    }
    draft.push(item.backfill(backfill).undo(forgotten(draft, &subject)));
    gather(draft, table, cause);
    Ok(())
}

/// Backfills that read what another one fills come after it. Where they wait for each other in a circle, they stay in the order they had.
pub(super) fn ordered(mut items: Vec<Item>) -> Vec<Item> {
    let is_one = |item: &Item| item.step.backfill.is_some() && item.rank == Rank::Backfills;
    let Some(begin) = items.iter().position(is_one) else {
        return items;
    };
    let behind = items.split_off(begin);
    let (mut waiting, behind): (Vec<Item>, Vec<Item>) = behind.into_iter().partition(is_one);
    while !waiting.is_empty() {
        let is_free = |item: &Item| !waiting.iter().any(|other| waits(item, other));
        let next = waiting.iter().position(is_free).unwrap_or(0);
        items.push(waiting.remove(next));
    }
    items.extend(behind);
    items
}

/// Whether one of the design's own backfills reads what another backfill brings to another table.
fn waits(item: &Item, other: &Item) -> bool {
    let own = item.fills.as_ref().map(|(table, _)| table);
    let (Some(sql), Some((table, columns))) = (&item.reads, &other.fills) else {
        return false;
    };
    let reads = |name: &Ident| text::mentions(sql, name);
    own != Some(table) && reads(&table.name) && (columns.is_empty() || columns.iter().any(reads))
}

/// Stands for the last key of a chunk, where a statement says only after which one it begins.
const UPTO: &str = "pgproof_upto";

/// A statement that reads no row behind its chunk: `id > :after` becomes `id <= :pgproof_upto AND id > :after`, whatever its LIMIT and its other conditions reach.
fn bounded(sql: &str, by: &Ident) -> String {
    let all: Vec<Token> = tokens(sql)
        .into_iter()
        .filter(|token| token.kind != TokenKind::Comment)
        .collect();
    let (mut out, mut copied) = (String::with_capacity(sql.len()), 0);
    for (at, token) in all.iter().enumerate() {
        let is_after = token.kind == TokenKind::Param && token.text(sql) == ":after";
        let Some([column, sign]) = all.get(at.wrapping_sub(2)..at) else {
            continue;
        };
        if !is_after || sign.text(sql) != ">" || Ident::new(fold(column.text(sql))) != *by {
            continue;
        }
        // `alias.column`
        let is_of_alias = at >= 4 && all[at - 3].is_symbol(sql, ".");
        let first = if is_of_alias { at - 4 } else { at - 2 };
        if first > 0 && all[first - 1].is(sql, "not") {
            continue;
        }
        let begin = all[first].range.start;
        out.push_str(&sql[copied..begin]);
        out.push_str(&sql[begin..column.range.end]);
        out.push_str(" <= :");
        out.push_str(UPTO);
        out.push_str(" AND ");
        copied = begin;
    }
    out.push_str(&sql[copied..]);
    out
}

/// The table that a declared backfill walks along, and its key column.
fn source(draft: &Draft<'_>, sql: &SqlText, by: &Ident) -> Option<(QualifiedName, KeyColumn)> {
    let facts = facts(sql.as_str())?;
    facts.tables.iter().find_map(|used| {
        let name = QualifiedName::new(
            draft.policy.schema.clone(),
            Ident::from(used.table.as_str()),
        );
        let column = draft.from.tables.get(&name)?.column(by)?;
        Some((
            name,
            KeyColumn {
                name: quote_ident(by),
                data_type: column.data_type.clone(),
            },
        ))
    })
}

/// A value before all others of a type.
fn least(data_type: &SqlText) -> SqlText {
    let text = data_type.as_str().to_ascii_lowercase();
    match text.as_str() {
        "uuid" => fixed("'00000000-0000-0000-0000-000000000000'::uuid"),
        "smallint" | "int2" => fixed("(-32768)::smallint"),
        "integer" | "int" | "int4" => fixed("(-2147483648)::integer"),
        "bigint" | "int8" => fixed("(-9223372036854775808)::bigint"),
        "date" => fixed("'-infinity'::date"),
        _ if text.starts_with("timestamp") => fill("'-infinity'::{type}", &[("type", data_type)]),
        _ if text.starts_with("numeric") => fixed("'-infinity'::numeric"),
        _ => fixed("''"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_reads_no_row_behind_its_chunk() {
        let by = Ident::from("id");
        for (sql, wanted) in [
            (
                "SELECT id FROM a WHERE id > :after AND b IS NOT NULL LIMIT :chunk",
                "SELECT id FROM a WHERE id <= :pgproof_upto AND id > :after AND b IS NOT NULL LIMIT :chunk",
            ),
            (
                "SELECT x.id FROM a x WHERE x.\"id\" > :after + 1",
                "SELECT x.id FROM a x WHERE x.\"id\" <= :pgproof_upto AND x.\"id\" > :after + 1",
            ),
            (
                "SELECT 1 FROM a WHERE other > :after",
                "SELECT 1 FROM a WHERE other > :after",
            ),
            (
                "SELECT 1 FROM a WHERE NOT id > :after",
                "SELECT 1 FROM a WHERE NOT id > :after",
            ),
        ] {
            assert_eq!(bounded(sql, &by), wanted);
        }
    }
}
