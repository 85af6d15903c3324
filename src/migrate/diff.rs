//! Two catalogs to a list of changes.

use std::collections::{BTreeMap, BTreeSet};

use super::called::{groups_renamed, partitions_renamed, rename_table};
use super::change::{Change, Facet, What};
use super::columns::{columns, is_shadow};
use super::policy::Policy;
use super::renames::Renames;
use super::same;
use super::views::views;
use crate::catalog::{Catalog, ForeignKey, ObjectPath, Privilege, Table, Trigger, UserType};
use crate::sql::words::mentions;
use crate::sql::{Ident, QualifiedName, SqlText};

/// A column that another one takes the place of: of another name, or of another type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Replaced {
    pub table: QualifiedName,
    /// Its name in the old schema.
    pub old: Ident,
    /// Its name in the new schema.
    pub new: Ident,
    /// The name under which the new one is built: another one where both are called the same.
    pub built: Ident,
}

/// Privileges by role.
pub(super) type Grants = BTreeMap<Ident, BTreeSet<Privilege>>;

/// What sets two catalogs apart.
#[derive(Clone, Debug)]
pub(super) struct Diff {
    /// The old schema, with tables under their new names.
    pub from: Catalog,
    /// In a fixed order.
    pub changes: Vec<Change>,
    pub replaced: Vec<Replaced>,
    /// Columns of tables that are built anew, by their new names with the old ones.
    pub carried: BTreeMap<(QualifiedName, Ident), Ident>,
}

pub(super) fn diff(old: &Catalog, to: &Catalog, renames: &Renames, policy: &Policy) -> Diff {
    let mut from = old.clone();
    let mut out = Diff {
        from: Catalog::default(),
        changes: Vec::new(),
        replaced: Vec::new(),
        carried: BTreeMap::new(),
    };
    for (new, was) in &renames.tables {
        if old.tables.contains_key(was) && !old.tables.contains_key(new) {
            rename_table(&mut from, was, new);
            out.say(
                ObjectPath::Table(new.clone()),
                What::Renamed(was.name.clone()),
            );
        }
    }
    partitions_renamed(&mut out, &mut from, to);
    groups_renamed(&mut out, &mut from, renames, &policy.tallies);
    surroundings(&mut out, &from, to);
    let swapped = types(&mut out, &from, to);
    // Whoever refers to such a table has to know.
    for (name, table) in &to.tables {
        if from
            .tables
            .get(name)
            .is_some_and(|was| is_shadow(was, table))
        {
            let path = ObjectPath::Table(name.clone());
            out.say(path, What::Altered(Facet::Partitioning));
        }
    }
    for (name, table) in &to.tables {
        if let Some(was) = from.tables.get(name) {
            columns(
                &mut out,
                name,
                (was, table),
                renames,
                &swapped,
                (to, policy.version),
            );
        }
    }
    for (name, table) in &to.tables {
        match from.tables.get(name) {
            Some(was) => inside(&mut out, name, (was, table)),
            None => out.say(ObjectPath::Table(name.clone()), What::Created),
        }
    }
    for name in from
        .tables
        .keys()
        .filter(|name| !to.tables.contains_key(*name))
    {
        out.say(ObjectPath::Table(name.clone()), What::Dropped);
    }
    functions(&mut out, &from, to);
    views(&mut out, &from, to);
    out.from = from;
    out
}

impl Diff {
    pub(super) fn say(&mut self, object: ObjectPath, what: What) {
        self.changes.push(Change { object, what });
    }

    /// Whether a table changes its form so that it is built anew beside the old one.
    pub(super) fn is_shadowed(&self, table: &QualifiedName) -> bool {
        let path = ObjectPath::Table(table.clone());
        self.changes.iter().any(|change| {
            change.object == path && change.what == What::Altered(Facet::Partitioning)
        })
    }

    pub(super) fn replaced_in<'s>(
        &'s self,
        table: &'s QualifiedName,
    ) -> impl Iterator<Item = &'s Replaced> {
        self.replaced
            .iter()
            .filter(move |replaced| replaced.table == *table)
    }

    /// Whether columns of a table give their names to others in the switch.
    pub(super) fn exchanges_columns(&self, table: &QualifiedName) -> bool {
        self.replaced_in(table).any(|own| own.built != own.new)
    }

    /// Whether an expression of a table's object speaks of a column that is replaced under the same name.
    fn speaks_of_replaced(&self, table: &QualifiedName, text: &SqlText) -> bool {
        self.replaced_in(table)
            .any(|replaced| mentions(text, &replaced.new))
    }

    /// Whether a trigger fires by a column that is replaced under the same name, or asks for its value.
    pub(super) fn watches_replaced(&self, table: &QualifiedName, trigger: &Trigger) -> bool {
        let when = trigger.when.as_ref();
        self.names_replaced(table, &trigger.columns)
            || when.is_some_and(|when| self.speaks_of_replaced(table, when))
    }

    /// The same of a column that gets a wider type in its place, which PostgreSQL refuses while a trigger watches it.
    pub(super) fn watches_widened(&self, table: &QualifiedName, trigger: &Trigger) -> bool {
        self.changes.iter().any(|change| match &change.object {
            ObjectPath::Column(own, column) => {
                let is_watched = trigger.columns.contains(column)
                    || (trigger.when.as_ref()).is_some_and(|when| mentions(when, column));
                own == table && change.what == What::Altered(Facet::WiderType) && is_watched
            }
            _ => false,
        })
    }

    pub(super) fn names_replaced(&self, table: &QualifiedName, columns: &[Ident]) -> bool {
        self.replaced_in(table)
            .any(|replaced| columns.contains(&replaced.new))
    }

    /// Objects by name on both sides.
    fn named<V>(
        &mut self,
        (from, to): (&BTreeMap<Ident, V>, &BTreeMap<Ident, V>),
        path: &dyn Fn(&Ident) -> ObjectPath,
        equal: &dyn Fn(&V, &V) -> bool,
        rebuilt: &dyn Fn(&Diff, &V) -> bool,
    ) {
        let gone: Vec<&Ident> = from.keys().filter(|name| !to.contains_key(*name)).collect();
        let mut renamed = BTreeSet::new();
        for (name, made) in to {
            let is_rebuilt = rebuilt(self, made);
            match from.get(name) {
                Some(was) if !equal(was, made) => {
                    self.say(path(name), What::Altered(Facet::Definition));
                }
                Some(_) if is_rebuilt => self.say(path(name), What::Altered(Facet::Rebuilt)),
                Some(_) => {}
                None => {
                    let twin = gone.iter().find(|other| {
                        !renamed.contains(*other)
                            && from.get(**other).is_some_and(|was| equal(was, made))
                    });
                    match twin.filter(|_| !is_rebuilt) {
                        Some(twin) => {
                            renamed.insert(*twin);
                            self.say(path(name), What::Renamed((*twin).clone()));
                        }
                        None => self.say(path(name), What::Created),
                    }
                }
            }
        }
        for name in gone.into_iter().filter(|name| !renamed.contains(name)) {
            self.say(path(name), What::Dropped);
        }
    }

    /// Privileges, role by role: those of two roles may be the same and are no less two.
    pub(super) fn granted(&mut self, name: &QualifiedName, (from, to): (&Grants, &Grants)) {
        let roles: BTreeSet<&Ident> = from.keys().chain(to.keys()).collect();
        for role in roles {
            let what = match (from.get(role), to.get(role)) {
                (was, now) if was == now => continue,
                (None, _) => What::Created,
                (_, None) => What::Dropped,
                _ => What::Altered(Facet::Definition),
            };
            self.say(ObjectPath::Grants(name.clone(), role.clone()), what);
        }
    }
}

fn surroundings(out: &mut Diff, from: &Catalog, to: &Catalog) {
    for role in to
        .roles
        .iter()
        .filter(|(name, _)| !from.roles.contains_key(*name))
    {
        out.say(ObjectPath::Role(role.0.clone()), What::Created);
    }
    for (name, role) in &to.roles {
        if from.roles.get(name).is_some_and(|was| was != role) {
            out.say(
                ObjectPath::Role(name.clone()),
                What::Altered(Facet::Definition),
            );
        }
    }
    for role in from
        .roles
        .keys()
        .filter(|name| !to.roles.contains_key(*name))
    {
        out.say(ObjectPath::Role(role.clone()), What::Dropped);
    }
    for name in to.extensions.difference(&from.extensions) {
        out.say(ObjectPath::Extension(name.clone()), What::Created);
    }
    for name in from.extensions.difference(&to.extensions) {
        out.say(ObjectPath::Extension(name.clone()), What::Dropped);
    }
    for name in to.schemas.difference(&from.schemas) {
        out.say(ObjectPath::Schema(name.clone()), What::Created);
    }
    for name in from.schemas.difference(&to.schemas) {
        out.say(ObjectPath::Schema(name.clone()), What::Dropped);
    }
}

/// Returns the types that another one of the same name takes the place of.
fn types(out: &mut Diff, from: &Catalog, to: &Catalog) -> Vec<QualifiedName> {
    let mut swapped = Vec::new();
    for (name, (kind, comment)) in &to.types {
        let path = ObjectPath::Type(name.clone());
        let Some((was, was_comment)) = from.types.get(name) else {
            out.say(path, What::Created);
            continue;
        };
        match (was, kind) {
            (UserType::Enum(was), UserType::Enum(now)) if was != now => {
                let mut rest = now.iter();
                if was.iter().all(|label| rest.any(|other| other == label)) {
                    out.say(path.clone(), What::Altered(Facet::LabelsAdded));
                } else {
                    swapped.push(name.clone());
                    out.say(path.clone(), What::Altered(Facet::LabelsReplaced));
                }
            }
            (UserType::Domain { .. }, UserType::Domain { .. }) if !same::user_type(was, kind) => {
                out.say(path.clone(), What::Altered(Facet::Domain));
            }
            (UserType::Enum(_), UserType::Domain { .. })
            | (UserType::Domain { .. }, UserType::Enum(_)) => {
                swapped.push(name.clone());
                out.say(path.clone(), What::Altered(Facet::LabelsReplaced));
            }
            _ => {}
        }
        if was_comment != comment {
            out.say(path, What::Altered(Facet::Comment));
        }
    }
    for name in from
        .types
        .keys()
        .filter(|name| !to.types.contains_key(*name))
    {
        out.say(ObjectPath::Type(name.clone()), What::Dropped);
    }
    swapped
}

fn inside(out: &mut Diff, name: &QualifiedName, (from, to): (&Table, &Table)) {
    let path = ObjectPath::Table(name.clone());
    if is_shadow(from, to) {
        return;
    }
    if from.partitioning.is_some() && !same::partitions(&from.partitioning, &to.partitioning) {
        out.say(path.clone(), What::Altered(Facet::Partitions));
    }
    keys(out, name, from, to);
    let at = |make: fn(QualifiedName, Ident) -> ObjectPath| {
        move |object: &Ident| make(name.clone(), object.clone())
    };
    let list = |out: &Diff, columns: &[Ident]| out.names_replaced(name, columns);
    let text = |out: &Diff, text: &SqlText| out.speaks_of_replaced(name, text);
    out.named(
        (&from.uniques, &to.uniques),
        &at(ObjectPath::Unique),
        &|one, other| one == other,
        &|out, made| list(out, &made.columns),
    );
    out.named(
        (&from.checks, &to.checks),
        &at(ObjectPath::Check),
        &|one, other| crate::sql::words::same(&one.expression, &other.expression),
        &|out, made| text(out, &made.expression),
    );
    out.named(
        (&from.exclusions, &to.exclusions),
        &at(ObjectPath::Exclusion),
        &same::exclusion,
        &|out, made| {
            made.elements.iter().any(|(element, _)| text(out, element))
                || made.predicate.as_ref().is_some_and(|p| text(out, p))
        },
    );
    out.named(
        (&from.foreign_keys, &to.foreign_keys),
        &at(ObjectPath::ForeignKey),
        &|one, other| one == other,
        &|out, made: &ForeignKey| {
            list(out, &made.columns)
                || out.names_replaced(&made.table, &made.key)
                || out.is_shadowed(&made.table)
        },
    );
    out.named(
        (&from.indexes, &to.indexes),
        &at(ObjectPath::Index),
        &same::index,
        &|out, made| {
            made.keys.iter().any(|key| text(out, &key.expression))
                || list(out, &made.include)
                || made.predicate.as_ref().is_some_and(|p| text(out, p))
        },
    );
    out.named(
        (&from.statistics, &to.statistics),
        &at(ObjectPath::Statistics),
        &|one, other| one == other,
        &|out, made| {
            out.replaced_in(name)
                .any(|replaced| made.columns.contains(&replaced.new))
        },
    );
    out.named(
        (&from.triggers, &to.triggers),
        &at(ObjectPath::Trigger),
        &same::trigger,
        &|out, made| out.watches_replaced(name, made),
    );
    out.named(
        (&from.policies, &to.policies),
        &at(ObjectPath::Policy),
        &same::policy,
        &|out, made| {
            [&made.using, &made.check]
                .into_iter()
                .flatten()
                .any(|condition| text(out, condition))
        },
    );
    out.granted(name, (&from.grants, &to.grants));
    if from.row_security != to.row_security {
        let what = appears(to.row_security);
        out.say(ObjectPath::RowSecurity(name.clone()), what);
    }
    if from.force_row_security != to.force_row_security {
        let what = appears(to.force_row_security);
        out.say(ObjectPath::ForceRowSecurity(name.clone()), what);
    }
    if from.with != to.with {
        out.say(path.clone(), What::Altered(Facet::Storage));
    }
    if from.comment != to.comment {
        out.say(path, What::Altered(Facet::Comment));
    }
}

fn appears(now: bool) -> What {
    if now { What::Created } else { What::Dropped }
}

fn keys(out: &mut Diff, name: &QualifiedName, from: &Table, to: &Table) {
    let path = ObjectPath::PrimaryKey(name.clone());
    match (&from.primary_key, &to.primary_key) {
        (None, None) => {}
        (None, Some(_)) => out.say(path, What::Created),
        (Some(_), None) => out.say(path, What::Dropped),
        (Some((was_name, was)), Some((now_name, now))) => {
            if was != now {
                out.say(path, What::Altered(Facet::Definition));
            } else if out.names_replaced(name, &now.columns) {
                out.say(path, What::Altered(Facet::Rebuilt));
            } else if was_name != now_name {
                out.say(path, What::Renamed(was_name.clone()));
            }
        }
    }
}

fn functions(out: &mut Diff, from: &Catalog, to: &Catalog) {
    for (name, function) in &to.functions {
        let path = ObjectPath::Function(name.clone());
        match from.functions.get(name) {
            None => out.say(path, What::Created),
            Some(was) if !same::function(was, function) => {
                out.say(path, What::Altered(Facet::Definition));
            }
            Some(_) => {}
        }
    }
    for name in from
        .functions
        .keys()
        .filter(|name| !to.functions.contains_key(*name))
    {
        out.say(ObjectPath::Function(name.clone()), What::Dropped);
    }
}
