//! Guard tables that count: filled for the rows that were there before their triggers.
//!
//! From its creation on a trigger adds the share of what is written. What was there before is counted group by group: whoever writes a group holds its guard
//! row until the commit, so while we hold it nothing of the group is half written, and what the next statement counts is all of it. The count takes the place
//! of what the guard row held, so it may be done again at any time.

use crate::catalog::{Catalog, ObjectPath};
use crate::invariant::Tally;
use crate::migrate::backfill::{Walk, forgotten, key};
use crate::migrate::draft::{Draft, Item, Rank};
use crate::migrate::plan::{Backfill, HazardKind, Phase};
use crate::sql::words as text;
use crate::sql::{
    Ident, QualifiedName, SqlText, fill, fixed, idents, join, quote_ident, quote_qualified,
};

/// How many groups are held at once is this part of the rows of a chunk, where an index finds their rows.
const PART: i64 = 50;

/// The guard table that a function counts into.
pub(super) fn counted_by(draft: &Draft<'_>, function: &QualifiedName) -> Option<Tally> {
    let mut all = draft.policy.tallies.iter();
    all.find(|tally| tally.function.as_ref() == Some(function))
        .cloned()
}

/// Whether a function asks a guard table that has to be filled first.
pub(super) fn asks(draft: &Draft<'_>, function: &QualifiedName) -> bool {
    let Some(made) = draft.to.functions.get(function) else {
        return false;
    };
    let body = SqlText::authored(made.body.clone());
    let mut all = draft.policy.tallies.iter();
    all.any(|tally| {
        !tally.totals.is_empty()
            && tally.function.as_ref() != Some(function)
            && text::mentions(&body, &tally.guard.name)
    })
}

/// Whether its groups can only be counted after the switch: a column of theirs, or one that is added up, comes in another type under the same
/// name.
pub(super) fn is_late(draft: &Draft<'_>, tally: &Tally) -> bool {
    let mut all = draft.diff.replaced_in(&tally.table);
    all.any(|own| {
        let is_added = tally
            .totals
            .iter()
            .any(|(_, sql)| text::mentions(sql, &own.new));
        own.built != own.new && (tally.per.contains(&own.new) || is_added)
    })
}

/// Whether a counting function counts otherwise than before: a limit alone moves nothing.
pub(super) fn counts_otherwise(draft: &Draft<'_>, tally: &Tally) -> bool {
    let shares = |catalog: &Catalog| -> Vec<SqlText> {
        let body = tally
            .function
            .as_ref()
            .and_then(|name| catalog.functions.get(name));
        let body = body.map_or("", |function| function.body.as_str());
        let mut parts: Vec<&str> = body.split("share := (").skip(1).collect();
        for part in &mut parts {
            *part = part.split("IF share").next().unwrap_or(part);
        }
        if parts.is_empty() {
            parts.push(body);
        }
        let parts = parts.into_iter().map(SqlText::authored);
        parts.collect()
    };
    let mut was = shares(draft.from);
    for renamed in draft.diff.replaced_in(&tally.table) {
        for share in &mut was {
            *share = text::renamed(share, &renamed.old, &renamed.new);
        }
    }
    let now = shares(draft.to);
    was.len() != now.len() || was.iter().zip(&now).any(|(was, now)| !text::same(was, now))
}

/// Fills the guard table of a trigger that is new, or counts otherwise than before.
pub(super) fn filled(draft: &mut Draft<'_>, tally: &Tally, phase: Phase, cause: &ObjectPath) {
    let side = if phase < Phase::Switch {
        draft.from
    } else {
        draft.to
    };
    let (Some(source), Some(guard)) = (
        side.tables.get(&tally.table),
        draft.to.tables.get(&tally.guard),
    ) else {
        return;
    };
    if !draft.from.tables.contains_key(&tally.table) {
        // A new table is counted while it is filled.
        return;
    }
    let table = tally.table.name.as_str();
    let name = tally.guard.name.as_str();
    let sql = Sql::new(tally);
    let pace = draft.policy.pace(&tally.table);
    let title = format!("a row in {name} for each group of {table}");
    let item = Item::new(phase, Rank::Counts, title, cause);
    let item = if tally.per.is_empty() {
        item.part(fill(
            "INSERT INTO {guard} (\"only\") VALUES (true) ON CONFLICT DO NOTHING",
            &sql.parts(),
        ))
    } else {
        let write = |range: &SqlText| sql.groups(range);
        let walk = Walk {
            table: &tally.table,
            key: key(source),
            pace,
            is_declared: false,
            write: &write,
        };
        let subject = format!("{name} groups");
        let backfill = Backfill {
            // A group that one chunk leaves out comes with the next of its rows.
            is_walk: false,
            ..walk.backfill(draft, &subject)
        };
        item.backfill(backfill).undo(forgotten(draft, &subject))
    };
    let write = |range: &SqlText| sql.counts(range);
    let is_found = is_found(draft, tally);
    let walk = Walk {
        table: &tally.guard,
        // Before the switch it has the types of the old design, where that has it.
        key: match draft.from.tables.get(&tally.guard) {
            Some(was) if phase < Phase::Switch => key(was),
            _ => key(guard),
        },
        pace: if is_found {
            ((pace.0 / PART).max(1), pace.1)
        } else {
            pace
        },
        is_declared: false,
        write: &write,
    };
    let mut counted = Item::new(
        phase,
        Rank::Counts,
        format!("count {table} into {name}"),
        cause,
    )
    .backfill(walk.backfill(draft, name))
    .undo(forgotten(draft, name))
    .check(sql.check())
    .because(
        "the trigger has counted only what was written since it is there; a group's writers wait while it is counted",
    );
    if tally.per.is_empty() {
        counted = counted.hazard(
            HazardKind::Stop,
            table,
            format!("all of {table} is one group: its writers wait while every row is counted"),
        );
    } else if !is_found {
        draft.notes.push(format!(
            "no index of {table} begins with ({}), so {table} is read from end to end for every {} groups that are counted",
            idents(&tally.per).as_str(),
            pace.0
        ));
    }
    draft.push(item);
    draft.push(counted);
}

/// Whether an index finds the rows of a group.
fn is_found(draft: &Draft<'_>, tally: &Tally) -> bool {
    let Some(table) = draft.to.tables.get(&tally.table) else {
        return false;
    };
    let begins = |columns: &[Ident]| {
        columns.len() >= tally.per.len()
            && tally
                .per
                .iter()
                .all(|name| columns[..tally.per.len()].contains(name))
    };
    let key = table.primary_key.iter().map(|(_, key)| &key.columns);
    let mut keys = key.chain(table.uniques.values().map(|key| &key.columns));
    keys.any(|columns| begins(columns))
        || table.indexes.values().any(|index| {
            let columns: Vec<Ident> = index
                .keys
                .iter()
                .map_while(|key| key.column.clone())
                .collect();
            index.predicate.is_none() && begins(&columns)
        })
}

/// The pieces of its statements.
struct Sql<'a> {
    tally: &'a Tally,
    guard: SqlText,
    table: SqlText,
    key: SqlText,
    per: SqlText,
    filled: SqlText,
}

impl<'a> Sql<'a> {
    fn new(tally: &'a Tally) -> Sql<'a> {
        let per = &tally.per;
        let filled = per
            .iter()
            .map(|name| fill("{name} IS NOT NULL", &[("name", &quote_ident(name))]));
        Sql {
            tally,
            guard: quote_qualified(&tally.guard),
            table: quote_qualified(&tally.table),
            key: if per.is_empty() {
                fixed("\"only\"")
            } else {
                idents(per)
            },
            per: if per.is_empty() {
                fixed("true AS \"only\"")
            } else {
                idents(per)
            },
            filled: join(filled, " AND "),
        }
    }

    fn parts(&self) -> Vec<(&'static str, &SqlText)> {
        vec![
            ("guard", &self.guard),
            ("table", &self.table),
            ("key", &self.key),
            ("per", &self.per),
            ("filled", &self.filled),
        ]
    }

    /// Guard rows of the groups of a chunk of rows.
    fn groups(&self, range: &SqlText) -> SqlText {
        let mut parts = self.parts();
        parts.push(("range", range));
        patient(&fill(
            "INSERT INTO {guard} ({key})\nSELECT DISTINCT {per} FROM {table} WHERE {range} AND {filled} ORDER BY {per}\nON CONFLICT DO NOTHING;",
            &parts,
        ))
    }

    /// What the rows come to, of all groups or those in a range.
    fn totals(&self, range: Option<&SqlText>) -> SqlText {
        let totals = self.tally.totals.iter().map(|(counter, total)| {
            let parts = [("total", total), ("counter", &quote_ident(counter))];
            fill("{total} AS {counter}", &parts)
        });
        let totals = join(totals, ", ");
        let range = match range {
            Some(range) => fill("{range} AND ", &[("range", range)]),
            None => fixed(""),
        };
        let mut parts = self.parts();
        parts.extend([("totals", &totals), ("range", &range)]);
        if self.tally.per.is_empty() {
            return fill("SELECT {per}, {totals} FROM {table}", &parts);
        }
        fill(
            "SELECT {per}, {totals}\n    FROM {table} WHERE {range}{filled} GROUP BY {per}",
            &parts,
        )
    }

    /// Counts the groups of a chunk of guard rows, which are held meanwhile.
    fn counts(&self, range: &SqlText) -> SqlText {
        let counters = |template: &'static str| {
            let all = self.tally.totals.iter();
            let all = all.map(|(counter, _)| fill(template, &[("c", &quote_ident(counter))]));
            join(all, ", ")
        };
        let set = counters("{c} = coalesce(counted.{c}, 0)");
        let same = if self.tally.per.is_empty() {
            fixed("guard.\"only\" = held.\"only\"")
        } else {
            let all = self
                .tally
                .per
                .iter()
                .map(|name| fill("guard.{c} = held.{c}", &[("c", &quote_ident(name))]));
            join(all, " AND ")
        };
        let totals = self.totals(Some(range));
        let mut parts = self.parts();
        parts.extend([
            ("range", range),
            ("set", &set),
            ("same", &same),
            ("totals", &totals),
        ]);
        patient(&fill(
            "PERFORM FROM {guard} WHERE {range} ORDER BY {key} FOR UPDATE;\nUPDATE {guard} AS guard SET {set}\nFROM (SELECT {key} FROM {guard} WHERE {range}) AS held\nLEFT JOIN ({totals}) AS counted USING ({key})\nWHERE {same};",
            &parts,
        ))
    }

    /// Groups that are counted wrongly, and what breaks the rule.
    fn check(&self) -> SqlText {
        let counters = |template: &'static str, between: &'static str| {
            let all = self.tally.totals.iter();
            let all = all.map(|(counter, _)| fill(template, &[("c", &quote_ident(counter))]));
            join(all, between)
        };
        let differ = counters("coalesce(held.{c}, 0) <> coalesce(counted.{c}, 0)", " OR ");
        let held = counters("held.{c} AS {c}", ", ");
        let totals = self.totals(None);
        let mut parts = self.parts();
        parts.extend([("differ", &differ), ("held", &held), ("totals", &totals)]);
        let wrong = fill(
            "SELECT to_jsonb(found) AS found FROM (\n    SELECT {key}, {held}, to_jsonb(counted) AS counted\n    FROM {guard} AS held\n    FULL JOIN ({totals}) AS counted USING ({key})\n    WHERE {differ}) AS found",
            &parts,
        );
        let broken = self.tally.drift.as_ref().map(|drift| {
            fill(
                "\nUNION ALL SELECT to_jsonb(found) FROM (\n    {drift}) AS found",
                &[("drift", drift)],
            )
        });
        let broken = broken.unwrap_or_else(|| fixed(""));
        let parts = [("wrong", &wrong), ("broken", &broken)];
        fill("{wrong}{broken}\nLIMIT 10", &parts)
    }
}

/// A statement that gives up what it holds when a writer makes it wait, and begins anew: a writer of two groups and we would else wait for each other.
fn patient(write: &SqlText) -> SqlText {
    fill(
        "LOOP\n    BEGIN\n        PERFORM set_config('lock_timeout', '200ms', true);\n        {write}\n        EXIT;\n    EXCEPTION WHEN lock_not_available OR deadlock_detected THEN\n        PERFORM pg_sleep(0.1);\n    END;\nEND LOOP;",
        &[("write", write)],
    )
}
