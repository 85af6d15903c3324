//! Foreign keys.

use super::key::goes_in_switch;
use super::referred::{comes_at_switch, has_key_late, waits_for_switch};
use crate::catalog::{Catalog, ForeignKey, ObjectPath};
use crate::compile::lines;
use crate::error::Error;
use crate::migrate::change::{Change, Facet, What};
use crate::migrate::draft::{
    Draft, Item, Rank, Slot, add_constraint, alter, drop_constraint, rename_constraint, validate,
};
use crate::migrate::plan::{Hazard, HazardKind, Part, Phase};
use crate::migrate::recipe::Recipe;
use crate::sql::{
    Ident, QualifiedName, SqlText, fill, fixed, idents, join, quote_ident, quote_qualified,
};

pub(in crate::migrate) static REFERENCE: Recipe = Recipe {
    name: "reference",
    doc: "a foreign key is added NOT VALID and validated while writers go on, past policies where they are forced; on a partitioned table first on each partition",
    handles: |change| matches!(change.object, ObjectPath::ForeignKey(..)),
    steps: reference,
};

/// The first major that takes NOT VALID on a partitioned table.
const PARTITIONED_NOT_VALID: u16 = 18;

fn reference(change: &Change, draft: &mut Draft<'_>) -> Result<(), Error> {
    let ObjectPath::ForeignKey(table, name) = &change.object else {
        return Ok(());
    };
    let was = draft
        .from
        .tables
        .get(table)
        .and_then(|t| t.foreign_keys.get(name))
        .cloned();
    let now = draft
        .to
        .tables
        .get(table)
        .and_then(|t| t.foreign_keys.get(name))
        .cloned();
    match (&change.what, was, now) {
        (What::Created, _, Some(now)) if waits_for_switch(draft, &now) => {
            at_switch(draft, table, name, &now, &change.object);
        }
        (What::Created, _, Some(now)) => {
            prove(draft, table, (name, name), &now, &change.object);
            stand(draft, table, name, &now);
        }
        (What::Dropped, Some(was), _) => {
            let title = format!(
                "drop reference {} of {}",
                name.as_str(),
                table.name.as_str()
            );
            let item = Item::new(Phase::Expand, Rank::Loosened, title, &change.object)
                .part(drop_constraint(table, name))
                .past_policies(is_hidden(draft, table, &was))
                .undo_parts(again(draft, table, name, &was));
            draft.push(item);
        }
        (What::Renamed(was), ..) => {
            let title = format!("rename reference {} to {}", was.as_str(), name.as_str());
            let item = Item::new(Phase::Expand, Rank::Columns, title, &change.object)
                .part(rename_constraint(table, was, name))
                .undo(rename_constraint(table, name, was));
            draft.push(item);
        }
        (What::Altered(Facet::Definition), Some(was), Some(now))
            if is_deferral(draft, table, &was, &now) =>
        {
            let set = |key: &ForeignKey| {
                let rest = match key.deferred {
                    true => fixed("DEFERRABLE INITIALLY DEFERRED"),
                    false => fixed("NOT DEFERRABLE"),
                };
                let parts = [("name", &quote_ident(name)), ("rest", &rest)];
                alter(table, "ALTER CONSTRAINT {name} {rest}", &parts)
            };
            let title = format!(
                "when reference {} of {} is judged",
                name.as_str(),
                table.name.as_str()
            );
            let item = Item::new(Phase::Switch, Rank::Last, title, &change.object)
                .part(set(&now))
                .undo(set(&was));
            draft.push(item);
        }
        (What::Altered(_), Some(was), Some(now)) => {
            let built = draft.built(name);
            if has_key_late(draft, &now) {
                let pair = (
                    drop_constraint(table, name),
                    again(draft, table, name, &was),
                );
                draft.switch(&now.table, Slot::DropReferences, &change.object, pair);
                at_switch(draft, table, name, &now, &change.object);
                return Ok(());
            }
            prove(draft, table, (name, &built), &now, &change.object);
            let pair = (
                drop_constraint(table, name),
                again(draft, table, name, &was),
            );
            draft.switch(table, Slot::DropReferences, &change.object, pair);
            let forward = rename_constraint(table, &built, name);
            let comes = comes_at_switch(draft, &now);
            if comes || draft.diff.names_replaced(&now.table, &now.key) {
                // Its index goes when the switch of the table that is referred to is taken back.
                let pair = (forward, vec![Part::new(drop_constraint(table, name))]);
                draft.switch(table, Slot::References, &change.object, pair);
                let constraint = lines::foreign_key(&built, &over_built(draft, table, &now));
                let again = vec![
                    Part::alone(add_constraint(table, &constraint, unproven(draft, table))),
                    Part::alone(validate(table, &built)),
                ];
                draft.ready_again(table, Slot::References, again);
            } else {
                let pair = (
                    forward,
                    vec![Part::new(rename_constraint(table, name, &built))],
                );
                draft.switch(table, Slot::References, &change.object, pair);
            }
            // The old key of a table that is referred to cannot go before the reference.
            let moves = draft.diff.replaced_in(&now.table).next().is_some();
            let moved = (moves || comes).then_some(&now.table);
            let goes = goes_in_switch(draft, &was.table, &was.key);
            let left = goes.then_some(&was.table);
            for parent in moved.into_iter().chain(left).filter(|own| *own != table) {
                draft.switch_view(table, parent);
                draft.switch_view(parent, parent);
            }
        }
        _ => {}
    }
    Ok(())
}

/// Whether nothing changes but the moment at which a reference is judged.
fn is_deferral(
    draft: &Draft<'_>,
    table: &QualifiedName,
    was: &ForeignKey,
    now: &ForeignKey,
) -> bool {
    let same = ForeignKey {
        deferred: now.deferred,
        ..was.clone()
    };
    let moves = draft.diff.names_replaced(table, &now.columns)
        || draft.diff.names_replaced(&now.table, &now.key)
        || draft.diff.is_shadowed(&now.table)
        || goes_in_switch(draft, &was.table, &was.key);
    same == *now && !moves
}

/// A reference that is there before the switch may stand on an index that goes when the switch of the table that is referred to is taken back.
fn stand(draft: &mut Draft<'_>, table: &QualifiedName, name: &Ident, key: &ForeignKey) {
    if comes_at_switch(draft, key) {
        let off = vec![Part::new(drop_constraint(table, name))];
        draft.switch_back(&key.table, Slot::References, off);
        let again = again(draft, table, name, &over_built(draft, table, key));
        draft.ready_again(&key.table, Slot::References, again);
    }
}

/// A reference of a new table to a key that is only made during this migration. No row has to be proven.
pub(super) fn late(
    draft: &mut Draft<'_>,
    table: &QualifiedName,
    name: &Ident,
    key: &ForeignKey,
    cause: &ObjectPath,
) {
    let constraint = lines::foreign_key(name, &over_built(draft, table, key));
    let title = format!(
        "reference {} of the new table {}",
        name.as_str(),
        table.name.as_str()
    );
    let item = Item::new(Phase::Validate, Rank::References, title, cause)
        .part(add_constraint(table, &constraint, ""))
        .undo(drop_constraint(table, name));
    draft.push(item);
    stand(draft, table, name, key);
}

/// How a reference is added that is proven afterwards: at once where PostgreSQL knows no other way.
pub(super) fn unproven(draft: &Draft<'_>, table: &QualifiedName) -> &'static str {
    let sides = [draft.from, draft.to];
    let mut made = sides.iter().filter_map(|catalog| catalog.tables.get(table));
    let is_partitioned = made.any(|made| made.partitioning.is_some());
    match is_partitioned && draft.policy.version < PARTITIONED_NOT_VALID {
        true => "",
        false => " NOT VALID",
    }
}

/// A reference to a table, or of one, that changes its place in its switch, and only then can be referred to.
pub(super) fn at_switch(
    draft: &mut Draft<'_>,
    table: &QualifiedName,
    name: &Ident,
    key: &ForeignKey,
    cause: &ObjectPath,
) {
    let title = format!(
        "{} refers to the new {}",
        name.as_str(),
        key.table.name.as_str()
    );
    // What stands ready for the switch of the table that is referred to would go when that is taken back, with the reference on it.
    let home = if waits_for_switch(draft, key) || comes_at_switch(draft, key) {
        &key.table
    } else {
        table
    };
    let rest = unproven(draft, table);
    let late = !rest.is_empty();
    let add = add_constraint(table, &lines::foreign_key(name, key), rest);
    let side = if draft.diff.is_shadowed(&key.table) {
        draft.to
    } else {
        draft.from
    };
    let is_forced = !late && is_forced(side, &key.table);
    let mut off = vec![Part::new(drop_constraint(table, name))];
    for sql in seen_by_owner(is_forced, &key.table, add) {
        let pair = (sql, std::mem::take(&mut off));
        draft.switch(home, Slot::References, cause, pair);
    }
    let moves = draft.diff.is_shadowed(table) || draft.diff.names_replaced(table, &key.columns);
    let is_moved_to = draft.diff.names_replaced(&key.table, &key.key);
    if key.table != *table && (moves && home != table || is_moved_to) {
        // Both tables are exchanged in one transaction.
        draft.switch_view(table, &key.table);
        draft.switch_view(&key.table, &key.table);
    }
    if late {
        let title = format!("prove that {title}");
        let is_hidden = is_hidden(draft, table, key);
        let item = Item::new(Phase::Switch, Rank::Last, title, cause)
            .parts(proven(is_hidden, table, name))
            .past_policies(is_hidden);
        draft.push(item);
    } else {
        let subject = table.name.as_str();
        draft.switch_hazard(
            home,
            Hazard {
                kind: HazardKind::Stop,
                subject: subject.to_owned(),
                text: format!("before 18 PostgreSQL refuses NOT VALID for a partitioned table, so {subject} is read while its writers wait"),
            },
        );
    }
}

/// Whether policies would hide rows of either table from its owner, by whose eyes PostgreSQL looks for rows that refer to nothing.
pub(super) fn is_hidden(draft: &Draft<'_>, table: &QualifiedName, key: &ForeignKey) -> bool {
    let mut sides = [draft.from, draft.to].into_iter();
    sides.any(|side| is_forced(side, table) || is_forced(side, &key.table))
}

fn is_forced(side: &Catalog, table: &QualifiedName) -> bool {
    let found = side.tables.get(table);
    found.is_some_and(|found| found.row_security && found.force_row_security)
}

/// A reference that is proven in a transaction of the owner, who sees all rows of his table while its policies are not forced. Nobody else sees that they are not.
fn seen_by_owner(is_forced: bool, parent: &QualifiedName, add: SqlText) -> Vec<SqlText> {
    if !is_forced {
        return vec![add];
    }
    vec![
        alter(parent, "NO FORCE ROW LEVEL SECURITY", &[]),
        add,
        alter(parent, "FORCE ROW LEVEL SECURITY", &[]),
    ]
}

/// A reference that stays and is added once more, to be proven afterwards where PostgreSQL lets it.
pub(super) fn added_again(
    draft: &Draft<'_>,
    table: &QualifiedName,
    name: &Ident,
    key: &ForeignKey,
) -> Vec<SqlText> {
    let rest = unproven(draft, table);
    let add = add_constraint(table, &lines::foreign_key(name, key), rest);
    let mut sides = [draft.from, draft.to].into_iter();
    let is_forced = sides.all(|side| is_forced(side, &key.table));
    seen_by_owner(is_forced && rest.is_empty(), &key.table, add)
}

/// The same when a switch is taken back, with its proof.
pub(super) fn back_again(
    draft: &Draft<'_>,
    table: &QualifiedName,
    name: &Ident,
    key: &ForeignKey,
) -> Vec<Part> {
    let again = added_again(draft, table, name, key).into_iter();
    let parts = again.map(Part::new);
    parts.chain([Part::alone(validate(table, name))]).collect()
}

/// The proof of a reference. Where policies would hide rows it fails rather than finding too many orphans, or none.
pub(super) fn proven(is_hidden: bool, table: &QualifiedName, name: &Ident) -> Vec<SqlText> {
    let off = is_hidden.then(|| fixed("SET LOCAL row_security = off"));
    off.into_iter().chain([validate(table, name)]).collect()
}

/// Parts that make a reference as it was.
fn again(draft: &Draft<'_>, table: &QualifiedName, name: &Ident, key: &ForeignKey) -> Vec<Part> {
    let constraint = lines::foreign_key(name, key);
    let rest = unproven(draft, table);
    if rest.is_empty() {
        let add = add_constraint(table, &constraint, rest);
        let is_forced = is_forced(draft.from, &key.table);
        let all = seen_by_owner(is_forced, &key.table, add);
        return all.into_iter().map(Part::new).collect();
    }
    vec![
        Part::new(add_constraint(table, &constraint, " NOT VALID")),
        Part::alone(validate(table, name)),
    ]
}

/// The reference over columns under the names they have while it is built.
fn over_built(draft: &Draft<'_>, table: &QualifiedName, key: &ForeignKey) -> ForeignKey {
    let mut key = key.clone();
    for replaced in draft.diff.replaced_in(table) {
        for column in key.columns.iter_mut().filter(|c| **c == replaced.new) {
            *column = replaced.built.clone();
        }
    }
    let parent = key.table.clone();
    for replaced in draft.diff.replaced_in(&parent) {
        for column in key.key.iter_mut().filter(|c| **c == replaced.new) {
            *column = replaced.built.clone();
        }
    }
    key
}

fn prove(
    draft: &mut Draft<'_>,
    table: &QualifiedName,
    (name, built): (&Ident, &Ident),
    key: &ForeignKey,
    cause: &ObjectPath,
) {
    let key = over_built(draft, table, key);
    let constraint = lines::foreign_key(built, &key);
    let named = format!("reference {} of {}", name.as_str(), table.name.as_str());
    let check = orphans(table, &key);
    let hidden = is_hidden(draft, table, &key);
    let partitions: Vec<QualifiedName> = draft
        .from
        .tables
        .get(table)
        .and_then(|t| t.partitioning.as_ref())
        .filter(|_| draft.policy.version < PARTITIONED_NOT_VALID)
        .map(|by| {
            let all = by.partitions.iter();
            all.map(|p| QualifiedName::new(table.schema.clone(), p.name.clone()))
                .collect()
        })
        .unwrap_or_default();
    if partitions.is_empty() {
        let item = Item::new(
            Phase::Validate,
            Rank::References,
            format!("add {named}"),
            cause,
        )
        .part(add_constraint(table, &constraint, " NOT VALID"))
        .undo(drop_constraint(table, built));
        draft.push(item);
        let item = Item::new(Phase::Validate, Rank::References, format!("validate {named}"), cause)
            .parts(proven(hidden, table, built))
            .past_policies(hidden)
            .check(check)
            .because("in a transaction of its own, so that the lock of the step before is not held through the scan");
        draft.push(item);
        return;
    }
    for child in &partitions {
        let on = format!("{named} on {}", child.name.as_str());
        let item = Item::new(Phase::Validate, Rank::References, format!("add {on}"), cause)
            .part(add_constraint(child, &constraint, " NOT VALID"))
            .undo(drop_constraint(child, built))
            .because("before 18 PostgreSQL refuses NOT VALID for a partitioned table; a proven key of each partition is taken over by the parent's");
        draft.push(item);
        let item = Item::new(
            Phase::Validate,
            Rank::References,
            format!("validate {on}"),
            cause,
        )
        .parts(proven(hidden, child, built))
        .check(orphans(child, &key))
        .past_policies(hidden);
        draft.push(item);
    }
    // Going back, the partitions get their own again, or the steps before could not be taken back.
    let apart = partitions
        .iter()
        .map(|child| Part::new(add_constraint(child, &constraint, " NOT VALID")));
    let item = Item::new(
        Phase::Validate,
        Rank::References,
        format!("add {named}"),
        cause,
    )
    .part(add_constraint(table, &constraint, ""))
    .check(check)
    .undo(drop_constraint(table, built))
    .undo_parts(apart);
    draft.push(item);
}

/// Rows that refer to nothing.
fn orphans(table: &QualifiedName, key: &ForeignKey) -> SqlText {
    let pairs = key.columns.iter().zip(&key.key).map(|(own, other)| {
        let parts = [("own", &quote_ident(own)), ("other", &quote_ident(other))];
        fill("parent.{other} = child.{own}", &parts)
    });
    let given = key.columns.iter().map(|column| {
        fill(
            "child.{column} IS NOT NULL",
            &[("column", &quote_ident(column))],
        )
    });
    let parts = [
        ("table", &quote_qualified(table)),
        ("parent", &quote_qualified(&key.table)),
        ("pairs", &join(pairs, " AND ")),
        ("given", &join(given, " AND ")),
        ("columns", &idents(&key.columns)),
    ];
    fill(
        "SELECT {columns} FROM {table} AS child WHERE {given}\n    AND NOT EXISTS (SELECT FROM {parent} AS parent WHERE {pairs}) LIMIT 10",
        &parts,
    )
}
