//! Indexes that are no plain btree: for what is inside a value, for parts of words, for ranges, for what lies in the order of time.

use super::draft::{Draft, Slot, Use, stated};
use crate::sql::{Condition, Ident, Kind, SqlText, Test};

/// Drafts of methods and operator classes that only some tests ask for.
pub(super) fn special(own: &Use<'_>) -> Vec<Draft> {
    let mut found = Vec::new();
    for condition in &own.access.conditions {
        let [key] = condition.keys.as_slice() else {
            continue;
        };
        match (&condition.test, key.kind) {
            (Test::Like(pattern), Kind::Text) => {
                if begins(pattern.as_deref()) {
                    prefix(own, condition, pattern.is_some(), &mut found);
                } else if has(own, "pg_trgm") {
                    inverted(own, condition, Some("gin_trgm_ops"), &mut found);
                }
                // What the pattern begins with is not known: it may be anything.
                if pattern.is_none() && has(own, "pg_trgm") {
                    inverted(own, condition, Some("gin_trgm_ops"), &mut found);
                }
            }
            (Test::Matches | Test::Similar, Kind::Text) if has(own, "pg_trgm") => {
                inverted(own, condition, Some("gin_trgm_ops"), &mut found);
            }
            (Test::Contains | Test::Search, Kind::Jsonb) => {
                let keys = own.access.conditions.iter().any(|other| {
                    other.test == Test::HasKey
                        && other.keys.first().map(|own| &own.expression) == Some(&key.expression)
                });
                let opclass = (!keys).then_some("jsonb_path_ops");
                inverted(own, condition, opclass, &mut found);
            }
            (Test::HasKey, Kind::Jsonb)
            | (Test::Contains | Test::ContainedBy | Test::Overlaps, Kind::Array)
            | (Test::Search, Kind::TsVector) => inverted(own, condition, None, &mut found),
            // Also of trees and geometric types; the server refuses it where it has no such index.
            (
                Test::Contains | Test::ContainedBy | Test::Overlaps,
                Kind::Range | Kind::Unordered | Kind::Other,
            ) => {
                spatial(own, condition, &mut found);
            }
            _ => {}
        }
    }
    found.extend(summary(own));
    found
}

fn has(own: &Use<'_>, extension: &str) -> bool {
    own.catalog.extensions.contains(&Ident::new(extension))
}

/// Whether a pattern may begin with what is looked for.
fn begins(pattern: Option<&str>) -> bool {
    pattern.is_none_or(|pattern| !pattern.starts_with(['%', '_']))
}

fn draft(own: &Use<'_>, method: &'static str, keys: Vec<Slot>, predicate: &[SqlText]) -> Draft {
    Draft {
        table: own.name.clone(),
        method,
        fixed: 0,
        keys,
        include: Vec::new(),
        predicate: predicate.to_vec(),
        score: 0,
    }
}

/// Predicates that do not say what the index is to find.
fn predicates(own: &Use<'_>, condition: &Condition) -> Vec<Vec<SqlText>> {
    let mut all = own.predicates();
    all.retain(|predicate| !stated(condition, predicate));
    all
}

/// `LIKE 'x%'`: equalities before it, and an operator class that compares bytes unless the column's collation does.
fn prefix(own: &Use<'_>, condition: &Condition, written: bool, found: &mut Vec<Draft>) {
    let key = &condition.keys[0];
    let column = key.column.as_ref().and_then(|name| own.table.column(name));
    let bytes = column
        .and_then(|column| column.collation.as_ref())
        .is_some_and(|collation| matches!(collation.as_str(), "\"C\"" | "\"POSIX\""));
    for predicate in predicates(own, condition) {
        let mut keys = own.fixed(&predicate);
        let fixed = keys.len();
        keys.push(Slot {
            opclass: (!bytes).then_some("text_pattern_ops"),
            ..Slot::ascending(key)
        });
        let partial = if predicate.is_empty() { 0 } else { 3 };
        found.push(Draft {
            fixed,
            score: own.worth() + partial + if written { 6 } else { 4 },
            ..draft(own, "btree", keys, &predicate)
        });
    }
}

/// GIN over one key.
fn inverted(
    own: &Use<'_>,
    condition: &Condition,
    opclass: Option<&'static str>,
    found: &mut Vec<Draft>,
) {
    for predicate in predicates(own, condition) {
        let slot = Slot {
            opclass,
            ..Slot::ascending(&condition.keys[0])
        };
        found.push(Draft {
            score: 12 + if predicate.is_empty() { 0 } else { 3 },
            ..draft(own, "gin", vec![slot], &predicate)
        });
    }
}

/// GiST over a range; behind the equalities where the extension for plain columns is there.
fn spatial(own: &Use<'_>, condition: &Condition, found: &mut Vec<Draft>) {
    for predicate in predicates(own, condition) {
        let partial = if predicate.is_empty() { 0 } else { 3 };
        found.push(Draft {
            score: 12 + partial,
            ..draft(
                own,
                "gist",
                vec![Slot::ascending(&condition.keys[0])],
                &predicate,
            )
        });
        let plain = |condition: &&&Condition| {
            let kind = condition.keys[0].kind;
            let known = matches!(kind, Kind::Number | Kind::Text | Kind::Uuid) || kind.is_time();
            known && condition.test == Test::Equal
        };
        let equal = own.equal.iter().filter(plain);
        let mut keys: Vec<Slot> = equal.map(|it| Slot::ascending(&it.keys[0])).collect();
        keys.retain(|slot| own.fixed(&predicate).contains(slot));
        if has(own, "btree_gist") && !keys.is_empty() {
            let score = 13 + partial + 10 * keys.len() as i32;
            keys.push(Slot::ascending(&condition.keys[0]));
            found.push(Draft {
                score,
                ..draft(own, "gist", keys, &predicate)
            });
        }
    }
}

/// BRIN over a point in time, where a range of it is all that is asked.
fn summary(own: &Use<'_>) -> Option<Draft> {
    let first = own.access.conditions.first()?;
    let [key] = first.keys.as_slice() else {
        return None;
    };
    let alone = own
        .access
        .conditions
        .iter()
        .all(|condition| condition.test == Test::Range && condition.keys == first.keys);
    let fits = alone && key.column.is_some() && key.kind.is_time();
    fits.then(|| Draft {
        score: 4,
        ..draft(own, "brin", vec![Slot::ascending(key)], &[])
    })
}
