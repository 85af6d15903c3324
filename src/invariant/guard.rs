//! Guard rows: what keeps a count or a sum over several rows under concurrency.
//!
//! A trigger that only counts is wrong: two transactions each see the group without the other's row. Here every writer of a group first adds its
//! share to the group's one guard row. `INSERT … ON CONFLICT DO UPDATE` makes the writers of a group queue under READ COMMITTED, and makes
//! one of two that overlap fail with 40001 under REPEATABLE READ and SERIALIZABLE, where a counting query would read an old snapshot.

use super::derived::{Derived, TriggerShape};
use super::subject::{Subject, authored, equal, list, predicate_or_true, short};
use crate::catalog::TriggerTiming;
use crate::design::Name;
use crate::source::Text;
use crate::sql::{
    Ident, QualifiedName, SqlText, column_of, fill, fixed, idents, join, quote_ident,
    quote_qualified,
};

/// What is counted.
pub(crate) struct Count<'a> {
    pub table: &'a Name,
    pub per: &'a [Name],
    /// Absent: rows.
    pub sum: Option<&'a Text>,
    pub predicate: Option<&'a Text>,
    /// SQL; a parent's column is read as `parent.column`.
    pub limit: SqlText,
    /// Table and column of a limit that is a parent's.
    pub parent: Option<(&'a Name, &'a Name)>,
    /// Condition name that is raised.
    pub sqlstate: &'static str,
}

/// `per` of a row variable: `NEW.a, NEW.b`; the one row's key where there is no group.
pub(crate) fn group_of(row: &'static str, per: &[Name]) -> SqlText {
    if per.is_empty() {
        return fixed("true");
    }
    join(per.iter().map(|name| column_of(row, &name.ident)), ", ")
}

/// Columns of the guard's key.
pub(crate) fn guard_key(per: &[Name]) -> SqlText {
    if per.is_empty() {
        // A reserved word.
        fixed("\"only\"")
    } else {
        list(per)
    }
}

/// What a counter beside a group's columns is called: unlike all of them.
pub(crate) fn counter(name: &'static str, per: &[Ident]) -> Ident {
    let mut name = Ident::new(name);
    while per.contains(&name) {
        name = Ident::new(format!("{}_of_group", name.as_str()));
    }
    name
}

/// Queues with every other writer of the group: whoever comes second sees what the first has done.
pub(crate) fn touch(guard: &QualifiedName, per: &[Ident], group: &SqlText) -> SqlText {
    let key = match per.is_empty() {
        true => fixed("\"only\""),
        false => idents(per),
    };
    fill(
        "INSERT INTO {guard} AS guard ({key}, {writes}) VALUES ({group}, 1)\nON CONFLICT ({key}) DO UPDATE SET {writes} = guard.{writes} + 1;",
        &[
            ("guard", &quote_qualified(guard)),
            ("key", &key),
            ("writes", &quote_ident(&counter("writes", per))),
            ("group", group),
        ],
    )
}

/// `NEW.a IS NOT NULL AND …`: a row with a null in its group belongs to none.
pub(crate) fn in_a_group(row: &'static str, per: &[Name]) -> SqlText {
    all_given(row, per.iter().map(|name| &name.ident))
}

/// The same of columns that no design has named.
pub(crate) fn all_given<'c>(
    row: &'static str,
    columns: impl IntoIterator<Item = &'c Ident>,
) -> SqlText {
    let parts = columns
        .into_iter()
        .map(|column| fill("{name} IS NOT NULL", &[("name", &column_of(row, column))]));
    let all = join(parts, " AND ");
    if all.as_str().is_empty() {
        fixed("TRUE")
    } else {
        all
    }
}

/// A SELECT over one row variable as if it were the table, so that the design's expressions read as they were written.
pub(crate) fn over_row(
    row: &'static str,
    table: &Name,
    select: &SqlText,
    predicate: &SqlText,
) -> SqlText {
    fill(
        "SELECT {select} FROM (SELECT ({row}).*) AS {table} WHERE {predicate}",
        &[
            ("select", select),
            ("row", &fixed(row)),
            ("table", &quote_ident(&table.ident)),
            ("predicate", predicate),
        ],
    )
}

/// RAISE with what a driver can read: SQLSTATE, the invariant's name as constraint, the table.
pub(crate) fn raise(subject: &Subject, sqlstate: &'static str) -> SqlText {
    fill(
        "RAISE EXCEPTION USING\n  ERRCODE = '{state}',\n  MESSAGE = {message},\n  CONSTRAINT = {name},\n  TABLE = TG_TABLE_NAME,\n  SCHEMA = TG_TABLE_SCHEMA;",
        &[
            ("state", &fixed(sqlstate)),
            ("message", &subject.message()),
            ("name", &crate::sql::literal(subject.object(None).as_str())),
        ],
    )
}

/// Derives guard table, function and triggers that keep a count or sum within its limit.
pub(crate) fn keep_within(subject: &Subject, derived: &mut Derived, count: &Count) {
    let on = subject.qualified(count.table);
    let per: Vec<Ident> = count.per.iter().map(|name| name.ident.clone()).collect();
    let name = subject.object(None);
    let guard = derived.guard_table(
        subject,
        &on,
        short(&format!("{}_guard", name.as_str())),
        &per,
        &["used"],
    );
    let body = counting_body(subject, derived, count, &guard);
    let function = derived.function(subject, name.clone(), body);
    let used = counter("used", &per);
    derived.counts(&guard, &function, vec![(used, total(count))]);
    let shape = TriggerShape::new(TriggerTiming::AfterRow, &["INSERT", "UPDATE", "DELETE"]);
    let trigger = derived.trigger(subject, &on, name.clone(), shape, &function);
    if let Some(trigger) = trigger {
        derived.credit(subject, vec![trigger]);
    }
    if let Some((parent, column)) = count.parent {
        let pairs = subject.parent_key(count.table, parent, count.per);
        let body = parent_body(subject, count, &guard, column, &pairs);
        let parent_name = short(&format!("{}_limit", name.as_str()));
        let function = derived.function(subject, parent_name.clone(), body);
        let shape =
            TriggerShape::new(TriggerTiming::AfterRow, &["UPDATE"]).of(vec![column.ident.clone()]);
        let trigger = derived.trigger(
            subject,
            &subject.qualified(parent),
            parent_name,
            shape,
            &function,
        );
        if let Some(trigger) = trigger {
            derived.credit(subject, vec![trigger]);
        }
    }
}

/// What the shares of a group's rows come to.
fn total(count: &Count) -> SqlText {
    let amount = match count.sum {
        Some(sum) => fill("sum({sum})", &[("sum", &authored(sum))]),
        None => fixed("count(*)"),
    };
    fill(
        "coalesce({amount} FILTER (WHERE {predicate}), 0)",
        &[
            ("amount", &amount),
            ("predicate", &predicate_or_true(count.predicate)),
        ],
    )
}

/// The counter, quoted.
fn used_by(count: &Count) -> SqlText {
    let per: Vec<Ident> = count.per.iter().map(|name| name.ident.clone()).collect();
    quote_ident(&counter("used", &per))
}

fn share(row: &'static str, count: &Count) -> SqlText {
    let amount = match count.sum {
        Some(sum) => fill("coalesce({sum}, 0)", &[("sum", &authored(sum))]),
        None => fixed("1"),
    };
    over_row(
        row,
        count.table,
        &amount,
        &predicate_or_true(count.predicate),
    )
}

fn counting_body(
    subject: &Subject,
    derived: &mut Derived,
    count: &Count,
    guard: &QualifiedName,
) -> SqlText {
    let limit = match count.parent {
        None => fill("allowed := {limit};", &[("limit", &count.limit)]),
        Some((parent, _)) => {
            let pairs = subject.parent_key(count.table, parent, count.per);
            let looked = fill(
                "SELECT {limit} INTO allowed FROM {parent} AS parent WHERE {match} FOR SHARE;",
                &[
                    ("limit", &count.limit),
                    ("parent", &subject.sql(parent)),
                    ("match", &equal("NEW", "parent", &pairs)),
                ],
            );
            derived.as_tenant(subject, (count.table, "NEW"), &[parent], looked)
        }
    };
    fill(
        "DECLARE\n\
        \x20 allowed numeric;\n\
        \x20 share numeric;\n\
        \x20 total numeric;\n\
        BEGIN\n\
        \x20 IF TG_OP <> 'INSERT' AND {old_grouped} THEN\n\
        \x20   share := ({old_share});\n\
        \x20   IF share <> 0 THEN\n\
        \x20     INSERT INTO {guard} AS guard ({key}, {used}) VALUES ({old_group}, -share)\n\
        \x20     ON CONFLICT ({key}) DO UPDATE SET {used} = guard.{used} + EXCLUDED.{used};\n\
        \x20   END IF;\n\
        \x20 END IF;\n\
        \x20 IF TG_OP <> 'DELETE' AND {new_grouped} THEN\n\
        \x20   share := ({new_share});\n\
        \x20   IF share <> 0 THEN\n\
        \x20     {limit}\n\
        \x20     INSERT INTO {guard} AS guard ({key}, {used}) VALUES ({new_group}, share)\n\
        \x20     ON CONFLICT ({key}) DO UPDATE SET {used} = guard.{used} + EXCLUDED.{used}\n\
        \x20     RETURNING guard.{used} INTO total;\n\
        \x20     IF total > allowed THEN\n\
        \x20       {raise}\n\
        \x20     END IF;\n\
        \x20   END IF;\n\
        \x20 END IF;\n\
        \x20 RETURN NULL;\n\
        END",
        &[
            ("old_grouped", &in_a_group("OLD", count.per)),
            ("new_grouped", &in_a_group("NEW", count.per)),
            ("old_share", &share("OLD", count)),
            ("new_share", &share("NEW", count)),
            ("old_group", &group_of("OLD", count.per)),
            ("new_group", &group_of("NEW", count.per)),
            ("guard", &quote_qualified(guard)),
            ("key", &guard_key(count.per)),
            ("used", &used_by(count)),
            ("limit", &limit),
            ("raise", &raise(subject, count.sqlstate)),
        ],
    )
}

/// Lowering a parent's limit below what is used.
fn parent_body(
    subject: &Subject,
    count: &Count,
    guard: &QualifiedName,
    column: &Name,
    pairs: &[(Ident, Ident)],
) -> SqlText {
    let key = crate::sql::idents(pairs.iter().map(|(child, _)| child));
    let group = join(
        pairs.iter().map(|(_, parent)| column_of("NEW", parent)),
        ", ",
    );
    fill(
        "DECLARE\n\
        \x20 total numeric;\n\
        BEGIN\n\
        \x20 INSERT INTO {guard} AS guard ({key}, {used}) VALUES ({group}, 0)\n\
        \x20 ON CONFLICT ({key}) DO UPDATE SET {used} = guard.{used}\n\
        \x20 RETURNING guard.{used} INTO total;\n\
        \x20 IF total > NEW.{column} THEN\n\
        \x20   {raise}\n\
        \x20 END IF;\n\
        \x20 RETURN NULL;\n\
        END",
        &[
            ("guard", &quote_qualified(guard)),
            ("key", &key),
            ("used", &used_by(count)),
            ("group", &group),
            ("column", &quote_ident(&column.ident)),
            ("raise", &raise(subject, count.sqlstate)),
        ],
    )
}
