//! What the design itself says of rows that old programs write while the migration lasts.

use super::draft::{Draft, Item, Rank, Slot, drop_function, drop_trigger};
use super::plan::{Part, Phase};
use crate::catalog::{ObjectPath, Table};
use crate::compile::derived;
use crate::sql::words::{mentions, replacing};
use crate::sql::{
    Ident, QualifiedName, SqlText, comparable, fill, fixed, fold, join, quote_ident,
    quote_qualified, tokens,
};

/// A trigger for each table of `migration.dual_write` and `migration.dual_delete`, there from the expansion to the contraction. What is deleted is followed
/// before what is written is, and after it: what an old program writes and deletes between the two would stay in its new place.
pub(super) fn declared(draft: &mut Draft<'_>) {
    let mut triggers = Vec::new();
    for (table, sql) in &draft.policy.dual_deletes {
        if known(draft, table, "dual_delete").is_none() {
            continue;
        }
        let body = Body {
            sql,
            is_before: false,
            guards: Vec::new(),
        };
        triggers.push((table, "dual_delete", "DELETE", body));
    }
    for (table, sql) in &draft.policy.dual_writes {
        if let Some(from) = known(draft, table, "dual_write") {
            let body = Body::of(draft, table, from, sql);
            triggers.push((table, "dual", "INSERT OR UPDATE", body));
        }
    }
    let gone: Vec<Item> = triggers
        .iter()
        .map(|(table, word, events, body)| push(draft, table, body, (word, events)))
        .collect();
    for item in gone.into_iter().rev() {
        draft.push(item);
    }
}

fn known<'a>(draft: &mut Draft<'a>, table: &QualifiedName, key: &str) -> Option<&'a Table> {
    let found = draft.from.tables.get(table);
    if found.is_none() {
        draft.notes.push(format!(
            "migration.{key} names {}, which the old design does not have; it is left out",
            table.name.as_str()
        ));
    }
    found
}

struct Body<'a> {
    sql: &'a SqlText,
    /// What the row itself lacks is given to it before it is written: a rule would refuse it else.
    is_before: bool,
    /// Statements that let a row pass as it is.
    guards: Vec<SqlText>,
}

/// Adds the trigger, and hands back what takes it away.
fn push(
    draft: &mut Draft<'_>,
    table: &QualifiedName,
    body: &Body<'_>,
    (word, events): (&str, &'static str),
) -> Item {
    let title = match events {
        "DELETE" => format!(
            "take what is deleted from {} out of its new place",
            table.name.as_str()
        ),
        _ => format!(
            "bring what is written to {} to its new place",
            table.name.as_str()
        ),
    };
    let name = derived(&["pgproof", word, table.name.as_str()]);
    let function = quote_qualified(&QualifiedName::new(table.schema.clone(), name.clone()));
    let end = if body.sql.as_str().ends_with(';') {
        ""
    } else {
        ";"
    };
    let returned = fixed(if body.is_before { "NEW" } else { "NULL" });
    let guards = body.guards.iter().map(|guard| {
        let parts = [("guard", guard), ("returned", &returned)];
        fill("{guard} THEN\n    RETURN {returned};\nEND IF;", &parts)
    });
    let parts = [
        ("name", &quote_ident(&name)),
        ("function", &function),
        ("table", &quote_qualified(table)),
        ("schema", &quote_ident(&draft.policy.schema)),
        ("guards", &join(guards.chain([body.sql.clone()]), "\n")),
        ("end", &fixed(end)),
        ("returned", &returned),
        (
            "timing",
            &fixed(if body.is_before { "BEFORE" } else { "AFTER" }),
        ),
        ("events", &fixed(events)),
    ];
    // SECURITY DEFINER: a program of the old version need not be allowed to write the new tables.
    let create = fill(
        "CREATE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = {schema}, public, pg_temp AS $pgproof$\nBEGIN\n    {guards}{end}\n    RETURN {returned};\nEND\n$pgproof$",
        &parts,
    );
    let trigger = fill(
        "CREATE TRIGGER {name} {timing} {events} ON {table}\n    FOR EACH ROW EXECUTE FUNCTION {function}()",
        &parts,
    );
    let without_trigger = drop_trigger(table, &name);
    let without_function = drop_function(table, &name);
    let object = ObjectPath::Table(table.clone());
    let item = Item::new(Phase::Expand, Rank::Indexes, title, &object)
        .part(create.clone())
        .part(trigger.clone())
        .undo(without_trigger.clone())
        .undo(without_function.clone())
        .because("programs of the old version go on writing it until they are gone");
    draft.push(item);
    if draft.diff.exchanges_columns(table) {
        // A session that has run it would go on with the types that the row had.
        let again = replacing(&create);
        let pair = (again.clone(), vec![Part::new(again)]);
        draft.switch(table, Slot::Rules, &object, pair);
    }
    let title = match events {
        "DELETE" => format!(
            "no longer follow what is deleted from {}",
            table.name.as_str()
        ),
        _ => format!("no longer follow {}", table.name.as_str()),
    };
    Item::new(Phase::Contract, Rank::GoneViews, title, &object)
        .part(without_trigger)
        .part(without_function)
        .undo(create)
        .undo(trigger)
}

impl<'a> Body<'a> {
    /// Programs of both versions write the table from the switch on; what those of the new one write is theirs, and stays.
    fn of(draft: &Draft<'_>, table: &QualifiedName, from: &Table, sql: &'a SqlText) -> Body<'a> {
        let (mut read, mut given) = (Vec::new(), Vec::new());
        for (column, is_given) in row_columns(sql) {
            let list = if is_given { &mut given } else { &mut read };
            if !list.contains(&column) {
                list.push(column);
            }
        }
        let is_before = !given.is_empty();
        read.retain(|column| !given.contains(column));
        let key = from.primary_key.as_ref().map(|(_, key)| &key.columns);
        let is_key = |column: &Ident| key.is_some_and(|key| key.contains(column));
        // A statement that looks at more than columns of the row may stand on any of them.
        let is_of_row = !looks_elsewhere(sql, table) && !read.iter().all(is_key);
        let to = draft.to.tables.get(table);
        let mut guards = Vec::new();
        // Only old programs write a table that goes.
        if let Some(to) = to {
            let type_of = |column: &Ident| {
                let both = from.column(column).or_else(|| to.column(column));
                both.map(|found| found.data_type.clone())
            };
            let is_other = |column: &Ident| {
                let column_type = type_of(column)?;
                let parts = [("column", &quote_ident(column))];
                let parts = [
                    (
                        "new",
                        &comparable(&fill("NEW.{column}", &parts), &column_type),
                    ),
                    (
                        "old",
                        &comparable(&fill("OLD.{column}", &parts), &column_type),
                    ),
                ];
                Some(fill("{new} IS DISTINCT FROM {old}", &parts))
            };
            let stands_on = read.iter().filter(|_| is_of_row);
            let changed: Vec<SqlText> = stands_on.filter_map(is_other).collect();
            let own: Vec<SqlText> = given.iter().filter_map(is_other).collect();
            let mut pass = Vec::new();
            if !changed.is_empty() {
                let changed = join(changed, " OR ");
                pass.push(fill("NOT ({changed})", &[("changed", &changed)]));
            }
            pass.extend(own);
            if !pass.is_empty() {
                let parts = [("pass", &join(pass, " OR "))];
                guards.push(fill("-- What this does not stand on, and what a program of the new version has given itself, stays as it is.\nIF TG_OP = 'UPDATE' AND ({pass})", &parts));
            }
            let is_new = |column: &&Ident| {
                let found = from.column(column);
                found.is_none() && to.column(column).is_some_and(|now| now.default.is_none())
            };
            let filled = given.iter().filter(is_new);
            let filled = filled.map(|column| {
                fill(
                    "NEW.{column} IS NOT NULL",
                    &[("column", &quote_ident(column))],
                )
            });
            let left = read
                .iter()
                .filter(|column| is_left_by_new(draft, table, (from, to), column));
            let left = left
                .map(|column| fill("NEW.{column} IS NULL", &[("column", &quote_ident(column))]));
            let own: Vec<SqlText> = filled.chain(left).collect();
            if !own.is_empty() {
                let parts = [("own", &join(own, " OR "))];
                guards.push(fill("-- Only programs of the new version insert such a row.\nIF TG_OP = 'INSERT' AND ({own})", &parts));
            }
        }
        Body {
            sql,
            is_before,
            guards,
        }
    }
}

/// Whether a statement takes the row as a whole, reads its table, or calls what may.
fn looks_elsewhere(sql: &SqlText, table: &QualifiedName) -> bool {
    let text = sql.as_str();
    let all = tokens(text);
    let is_whole = all.iter().enumerate().any(|(at, token)| {
        let column = (all.get(at + 1), all.get(at + 2));
        let is_column = matches!(column, (Some(dot), Some(column))
            if dot.is_symbol(text, ".") && !column.is_symbol(text, "*"));
        token.is(text, "new") && !is_column || token.is(text, "perform") || token.is(text, "call")
    });
    is_whole || mentions(sql, &table.name)
}

/// Whether programs of the new version leave a column empty that those of the old one must fill.
fn is_left_by_new(
    draft: &Draft<'_>,
    table: &QualifiedName,
    (from, to): (&Table, &Table),
    column: &Ident,
) -> bool {
    let is_required = from
        .column(column)
        .is_some_and(|was| !was.nullable && was.default.is_none());
    let is_renamed = draft.diff.replaced_in(table).any(|own| own.old == *column);
    is_required && !is_renamed && to.column(column).is_none()
}

/// The columns of the row that a statement speaks of, and whether it gives them a value: `NEW.city := …`.
fn row_columns(sql: &SqlText) -> Vec<(Ident, bool)> {
    let text = sql.as_str();
    let all = tokens(text);
    let found = all.windows(3).filter_map(|part| {
        let [new, dot, column] = part else {
            return None;
        };
        let after = text[column.range.end..].trim_start();
        let is_of_row = new.is(text, "new") && dot.is_symbol(text, ".");
        is_of_row.then(|| {
            let name = Ident::new(fold(column.text(text)));
            (name, after.starts_with(":="))
        })
    });
    found.collect()
}
