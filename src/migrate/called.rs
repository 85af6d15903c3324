//! The old schema under the names of the new one.

use super::change::What;
use super::diff::Diff;
use super::renames::Renames;
use super::same;
use crate::catalog::{Catalog, ObjectPath};
use crate::invariant::Tally;
use crate::sql::{Ident, QualifiedName, SqlText, with_table_renamed};

pub(super) fn rename_table(catalog: &mut Catalog, was: &QualifiedName, new: &QualifiedName) {
    if let Some(table) = catalog.tables.remove(was) {
        catalog.tables.insert(new.clone(), table);
    }
    // What PostgreSQL has stored follows the table under its new name.
    let follow = |text: &mut SqlText| *text = with_table_renamed(text, was, new);
    for table in catalog.tables.values_mut() {
        for key in table.foreign_keys.values_mut() {
            if key.table == *was {
                key.table = new.clone();
            }
        }
        for policy in table.policies.values_mut() {
            policy
                .using
                .iter_mut()
                .chain(&mut policy.check)
                .for_each(follow);
        }
    }
    for (_, view) in &mut catalog.views {
        follow(&mut view.query);
    }
}

/// Partitions that take the same rows are the same ones, whatever they are called: their names follow the table's.
pub(super) fn partitions_renamed(out: &mut Diff, from: &mut Catalog, to: &Catalog) {
    for (name, table) in &mut from.tables {
        let Some(Some(now)) = to.tables.get(name).map(|now| &now.partitioning) else {
            continue;
        };
        let Some(was) = table.partitioning.as_mut() else {
            continue;
        };
        if (was.method, &was.column) != (now.method, &now.column) {
            continue;
        }
        let kept: Vec<Ident> = was.partitions.iter().map(|own| own.name.clone()).collect();
        for own in &mut was.partitions {
            let mut all = now.partitions.iter();
            let twin = all.find(|other| same::bound(&own.bound, &other.bound));
            if let Some(twin) = twin.filter(|twin| !kept.contains(&twin.name)) {
                let path =
                    ObjectPath::Table(QualifiedName::new(name.schema.clone(), twin.name.clone()));
                out.say(path, What::Renamed(own.name.clone()));
                own.name = twin.name.clone();
            }
        }
    }
}

/// The columns of a guard table are called as the group that they count.
pub(super) fn groups_renamed(
    out: &mut Diff,
    from: &mut Catalog,
    renames: &Renames,
    tallies: &[Tally],
) {
    for tally in tallies {
        for name in &tally.per {
            let was = renames.columns.get(&(tally.table.clone(), name.clone()));
            let (Some(was), Some(guard)) = (was, from.tables.get_mut(&tally.guard)) else {
                continue;
            };
            if guard.column(name).is_some() || guard.column(was).is_none() {
                continue;
            }
            let columns = guard.columns.iter_mut().map(|column| &mut column.name);
            let key = guard.primary_key.iter_mut();
            let all = columns.chain(key.flat_map(|(_, key)| &mut key.columns));
            for column in all.filter(|column| *column == was) {
                column.clone_from(name);
            }
            let path = ObjectPath::Column(tally.guard.clone(), name.clone());
            out.say(path, What::Renamed(was.clone()));
        }
    }
}
