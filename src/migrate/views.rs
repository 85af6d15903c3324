//! What sets the views of two schemas apart, and which have to make way for a change of a table.

use std::collections::{BTreeMap, BTreeSet};

use super::chain::words;
use super::change::{Facet, What};
use super::diff::Diff;
use super::same;
use crate::catalog::{Catalog, ObjectPath};
use crate::sql::words::mentions;
use crate::sql::{Ident, QualifiedName, SqlText};

/// Whether the query of a view may read a column of a table: `*` and `TABLE t` were every column there was, and NATURAL names none. By words, since the
/// server refuses a change under a view that was taken for one that stays.
pub(super) fn may_read(query: &SqlText) -> impl Fn(&Ident, &Ident) -> bool {
    let said = words(query.as_str());
    let says_all = query.as_str().contains('*')
        || ["natural", "table"].iter().any(|word| said.contains(*word));
    move |table, column| {
        said.contains(table.as_str()) && (says_all || said.contains(column.as_str()))
    }
}

/// A view is built anew when what it stands on is: columns that change, tables that are replaced, other such views.
pub(super) fn views(out: &mut Diff, from: &Catalog, to: &Catalog) {
    let mut moved: BTreeSet<Ident> = BTreeSet::new();
    // By the names that the old view may know them by.
    let mut columns: BTreeSet<(Ident, Ident)> = BTreeSet::new();
    for change in &out.changes {
        match (&change.object, &change.what) {
            (ObjectPath::Table(table), What::Altered(Facet::Partitioning)) => {
                moved.insert(table.name.clone());
            }
            (ObjectPath::Column(table, column), What::Dropped)
            | (ObjectPath::Column(table, column), What::Altered(Facet::WiderType)) => {
                columns.insert((table.name.clone(), column.clone()));
            }
            (ObjectPath::Column(table, _), What::Renamed(was)) => {
                columns.insert((table.name.clone(), was.clone()));
            }
            _ => {}
        }
    }
    for replaced in &out.replaced {
        columns.insert((replaced.table.name.clone(), replaced.old.clone()));
    }
    let is_held = |view: &SqlText| {
        let reads = may_read(view);
        columns.iter().any(|(table, column)| reads(table, column))
    };
    let was: BTreeMap<&QualifiedName, _> =
        from.views.iter().map(|(name, view)| (name, view)).collect();
    for (name, view) in &to.views {
        let path = ObjectPath::View(name.clone());
        let stands_on_moved = moved.iter().any(|other| mentions(&view.query, other))
            || was.get(name).is_some_and(|old| is_held(&old.query));
        match was.get(name) {
            None => out.say(path, What::Created),
            Some(old) if !same::view(old, view) => {
                moved.insert(name.name.clone());
                out.say(path, What::Altered(Facet::Definition));
            }
            Some(_) if stands_on_moved => {
                moved.insert(name.name.clone());
                out.say(path, What::Altered(Facet::Rebuilt));
            }
            Some(old) => {
                if old.comment != view.comment {
                    out.say(path.clone(), What::Altered(Facet::Comment));
                }
                out.granted(name, (&old.grants, &view.grants));
            }
        }
    }
    let now: BTreeSet<&QualifiedName> = to.views.iter().map(|(name, _)| name).collect();
    for (name, _) in from.views.iter().filter(|(name, _)| !now.contains(name)) {
        out.say(ObjectPath::View(name.clone()), What::Dropped);
    }
}
