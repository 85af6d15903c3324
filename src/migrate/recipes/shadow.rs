//! A table that is built anew beside the old one: partitioned, partitioned otherwise, or no longer.
//!
//! Triggers write to both; old rows are copied in chunks; the two exchange their names in one short transaction, after which the old table follows until it goes.

use std::collections::BTreeMap;

use crate::catalog::{Column, ColumnDefault, ForeignKey, ObjectPath, Table};
use crate::compile::{Writer, derived};
use crate::error::Error;
use crate::migrate::backfill;
use crate::migrate::change::{Change, Facet, What};
use crate::migrate::draft::{
    Draft, Item, Rank, Slot, alter, drop_constraint, drop_function, drop_trigger,
    rename_constraint, rename_index,
};
use crate::migrate::effect::is_same_type;
use crate::migrate::plan::{HazardKind, Part, Phase};
use crate::migrate::recipe::Recipe;
use crate::sql::{
    Ident, QualifiedName, SqlText, fill, fixed, follow_rows, idents, join, literal, quote_ident,
    quote_qualified,
};

use super::cast::assigned;
use super::table::led_anew;

pub(in crate::migrate) static SHADOW: Recipe = Recipe {
    name: "shadow-table",
    doc: "a table that is partitioned, or partitioned otherwise: a new one beside it, written by triggers, filled in chunks, exchanged in one short transaction",
    handles: |change| change.what == What::Altered(Facet::Partitioning),
    steps: shadow,
};

struct Pair<'a> {
    name: &'a QualifiedName,
    built: QualifiedName,
    kept: QualifiedName,
    from: &'a Table,
    to: &'a Table,
    /// Columns that both have, and that can be written, as the new table calls them.
    shared: Vec<Ident>,
    /// The same as the old table calls them.
    were: Vec<Ident>,
    /// What the new table takes for the old one's values, and the other way round, over a row of this name.
    casts: Vec<(SqlText, SqlText)>,
    /// The old table's key, as the new and the old table call it.
    key: (Vec<Ident>, Vec<Ident>),
    cause: &'a ObjectPath,
}

fn shadow(change: &Change, draft: &mut Draft<'_>) -> Result<(), Error> {
    let ObjectPath::Table(name) = &change.object else {
        return Ok(());
    };
    let Some((from, to)) = draft.both(name) else {
        return Ok(());
    };
    let beside = |ident: Ident| QualifiedName::new(name.schema.clone(), ident);
    let (mut shared, mut were, mut casts) = (Vec::new(), Vec::new(), Vec::new());
    for column in to.columns.iter().filter(|column| !column.is_generated()) {
        let was = draft.diff.carried.get(&(name.clone(), column.name.clone()));
        // What was computed is copied as it is.
        if let Some(was) = was.and_then(|was| from.column(was)) {
            let now_type = draft.swapped(&column.data_type, "new");
            casts.push((was.data_type.clone(), now_type));
            shared.push(column.name.clone());
            were.push(was.name.clone());
        }
    }
    let called = |column: &Ident| {
        let at = were.iter().position(|was| was == column)?;
        shared.get(at).cloned()
    };
    let old_key = from
        .primary_key
        .as_ref()
        .map(|(_, key)| key.columns.clone());
    let key = old_key.and_then(|key| {
        let now: Option<Vec<Ident>> = key.iter().map(called).collect();
        Some((now?, key))
    });
    let Some(key) = key else {
        return Err(Error::Usage(format!(
            "{} changes how it is partitioned, and has no primary key by which its rows could be copied while programs write: give it one first",
            name.name.as_str()
        )));
    };
    let pair = Pair {
        name,
        built: beside(draft.built(&name.name)),
        kept: beside(draft.kept(&name.name)),
        from,
        to,
        shared,
        were,
        casts,
        key,
        cause: &change.object,
    };
    create(draft, &pair)?;
    mirror(draft, &pair);
    let values = join(pair.values(None, true), ", ");
    backfill::rows(
        draft,
        (name, &pair.built),
        (&idents(&pair.shared), &values),
        pair.cause,
    );
    parity(draft, &pair);
    exchange(draft, &pair)?;
    contract(draft, &pair);
    Ok(())
}

impl Pair<'_> {
    /// The values of the one table as the other takes them: forward from the old one, of a row of this name where there is one.
    fn values(&self, row: Option<&'static str>, forward: bool) -> Vec<SqlText> {
        let names = if forward { &self.were } else { &self.shared };
        let all = names.iter().zip(&self.casts);
        all.map(|(name, (was, now))| {
            let value = match row {
                Some(row) => crate::sql::column_of(row, name),
                None => quote_ident(name),
            };
            let (from, to) = if forward { (was, now) } else { (now, was) };
            match is_same_type(was, now) {
                true => value,
                false => assigned(&value, from, to),
            }
        })
        .collect()
    }
}

/// Gives something that belongs to a table another name.
type Rename = fn(&QualifiedName, &Ident, &Ident) -> SqlText;

/// Names in the schema that the new table takes over at the switch: how the old table's is renamed where it has one, and the new one's.
fn taken<'p>(pair: &'p Pair<'_>) -> Vec<(&'p Ident, Option<Rename>, Rename)> {
    let was = |name: &Ident| -> Option<Rename> {
        match pair.from.indexed_constraints().any(|old| old == name) {
            true => Some(rename_constraint),
            false if pair.from.indexes.contains_key(name) => Some(rename_index),
            false => None,
        }
    };
    let constraints = pair.to.indexed_constraints();
    let constraints = constraints.map(|name| (name, was(name), rename_constraint as Rename));
    let indexes = pair.to.indexes.keys();
    let indexes = indexes.map(|name| (name, was(name), rename_index as Rename));
    let mut out: Vec<(&Ident, Option<Rename>, Rename)> = constraints.chain(indexes).collect();
    out.extend(pair.to.statistics.keys().map(|name| {
        let is_there = pair.from.statistics.contains_key(name);
        let rename: Rename = super::statistics::rename;
        (name, is_there.then_some(rename), rename)
    }));
    out
}

/// Partitions of the new table that are built under another name, because the old one has theirs.
fn partitions_in_the_way(pair: &Pair<'_>) -> Vec<Ident> {
    let names = |table: &Table| -> Vec<Ident> {
        let by = table.partitioning.iter();
        by.flat_map(|by| by.partitions.iter().map(|own| own.name.clone()))
            .collect()
    };
    let old = names(pair.from);
    let mut new = names(pair.to);
    new.retain(|name| old.contains(name));
    new
}

fn built(name: &Ident) -> Ident {
    derived(&[name.as_str(), "new"])
}

fn all_built<V>(all: BTreeMap<Ident, V>) -> BTreeMap<Ident, V> {
    let renamed = all.into_iter().map(|(name, made)| (built(&name), made));
    renamed.collect()
}

/// The new table, whole, under other names.
fn create(draft: &mut Draft<'_>, pair: &Pair<'_>) -> Result<(), Error> {
    let mut table = pair.to.clone();
    table.primary_key = table.primary_key.map(|(name, key)| (built(&name), key));
    table.uniques = all_built(table.uniques);
    table.exclusions = all_built(table.exclusions);
    table.indexes = all_built(table.indexes);
    table.statistics = all_built(table.statistics);
    let in_the_way = partitions_in_the_way(pair);
    for own in table
        .partitioning
        .iter_mut()
        .flat_map(|by| &mut by.partitions)
    {
        if in_the_way.contains(&own.name) {
            own.name = built(&own.name);
        }
    }
    for column in &mut table.columns {
        column.data_type = draft.swapped(&column.data_type, "new");
    }
    // References wait for tables that are not there yet, or not in their place; so do those to itself.
    let waits = |key: &ForeignKey| {
        key.table == *pair.name
            || !draft.from.tables.contains_key(&key.table)
            || super::referred::waits_for_key(draft, key)
    };
    let mut writer = Writer::new(draft.environment);
    writer.table(&pair.built, &table, &|key| !waits(key))?;
    writer.security(&pair.built, &table)?;
    for (role, privileges) in &table.grants {
        writer.grant(&pair.built, role, privileges);
    }
    let made: Vec<SqlText> = writer.take().into_iter().map(|made| made.sql).collect();
    let drop = fill(
        "DROP TABLE {name}",
        &[("name", &quote_qualified(&pair.built))],
    );
    let waiting = pair.to.foreign_keys.iter().filter(|(_, key)| waits(key));
    let waiting: Vec<(&Ident, &ForeignKey)> = waiting.collect();
    let title = format!("a new {} beside the old one", pair.name.name.as_str());
    let mut item = Item::new(Phase::Expand, Rank::Tables, title, pair.cause)
        .parts(made)
        .undo(drop)
        .because("PostgreSQL cannot partition a table that is there");
    for column in &table.columns {
        let was = pair.shared.iter().position(|name| *name == column.name);
        let was = was.and_then(|at| pair.from.column(pair.were.get(at)?));
        let has_value = match was {
            Some(was) => !was.nullable,
            None => column.default.is_some(),
        };
        if !column.nullable && !has_value {
            let subject = format!("{}.{}", pair.name.name.as_str(), column.name.as_str());
            let text = format!(
                "rows that have no value for {subject} cannot be copied: it may not be null any more"
            );
            item = item.hazard(HazardKind::NoValue, subject, text);
        }
    }
    draft.push(item);
    for (key, made) in waiting {
        let object = ObjectPath::ForeignKey(pair.name.clone(), key.clone());
        super::reference::at_switch(draft, pair.name, key, made, &object);
    }
    Ok(())
}

fn mirror_name(pair: &Pair<'_>) -> Ident {
    derived(&["pgproof", "mirror", pair.name.name.as_str()])
}

/// Writes each change of one table to the other: forward from the old one to the new one.
fn mirror_function(
    pair: &Pair<'_>,
    name: &Ident,
    target: &QualifiedName,
    forward: bool,
) -> SqlText {
    let name = QualifiedName::new(pair.name.schema.clone(), name.clone());
    let (columns, key, own_key) = match forward {
        true => (&pair.shared, &pair.key.0, &pair.key.1),
        false => (&pair.were, &pair.key.1, &pair.key.0),
    };
    let names = if forward { &pair.were } else { &pair.shared };
    let old = pair.values(Some("OLD"), forward).into_iter().zip(names);
    let old = old.filter(|(_, name)| own_key.contains(name));
    let old: Vec<(SqlText, &Ident)> = old.collect();
    let ordered = own_key.iter().filter_map(|column| {
        let mut all = old.iter();
        all.find(|(_, name)| *name == column)
            .map(|(value, _)| value.clone())
    });
    // On the way back the old table computes for itself what it computes.
    let written = columns.iter().zip(pair.values(Some("NEW"), forward));
    let (columns, values): (Vec<Ident>, Vec<SqlText>) = written
        .filter(|(name, _)| forward || !pair.from.column(name).is_some_and(Column::is_generated))
        .map(|(name, value)| (name.clone(), value))
        .unzip();
    let parts = [
        ("name", &quote_qualified(&name)),
        ("target", &quote_qualified(target)),
        ("columns", &idents(&columns)),
        ("values", &join(values, ", ")),
        ("key", &idents(key)),
        ("old_key", &join(ordered, ", ")),
    ];
    // SECURITY DEFINER: a program that may write the one table need not be allowed to write the other.
    fill(
        "CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $pgproof$\n#variable_conflict use_column\nBEGIN\n    IF TG_OP <> 'INSERT' THEN\n        DELETE FROM {target} WHERE ROW({key}) = ROW({old_key});\n    END IF;\n    IF TG_OP <> 'DELETE' THEN\n        INSERT INTO {target} ({columns}) OVERRIDING SYSTEM VALUE VALUES ({values});\n    END IF;\n    RETURN NULL;\nEND\n$pgproof$",
        &parts,
    )
}

fn mirror_trigger(pair: &Pair<'_>, name: &Ident, source: &QualifiedName) -> SqlText {
    let function = QualifiedName::new(pair.name.schema.clone(), name.clone());
    let parts = [
        ("name", &quote_ident(name)),
        ("source", &quote_qualified(source)),
        ("function", &quote_qualified(&function)),
    ];
    fill(
        "CREATE TRIGGER {name} AFTER INSERT OR UPDATE OR DELETE ON {source}\n    FOR EACH ROW EXECUTE FUNCTION {function}()",
        &parts,
    )
}

fn mirror(draft: &mut Draft<'_>, pair: &Pair<'_>) {
    let name = mirror_name(pair);
    let title = format!("write {} to both tables", pair.name.name.as_str());
    let item = Item::new(Phase::Expand, Rank::Sync, title, pair.cause)
        .part(mirror_function(pair, &name, &pair.built, true))
        .part(mirror_trigger(pair, &name, pair.name))
        .undo(drop_trigger(pair.name, &name))
        .undo(drop_function(pair.name, &name))
        .because("what is written while old rows are copied must not be lost");
    draft.push(item);
}

/// Rows that the two do not share.
fn differing(pair: &Pair<'_>) -> SqlText {
    let types = pair.casts.iter().map(|(_, now)| now);
    let were = pair.values(None, true).into_iter().zip(types.clone());
    let columns = pair.shared.iter().map(quote_ident).zip(types);
    let all = |values: &mut dyn Iterator<Item = (SqlText, &SqlText)>| {
        join(
            values.map(|(value, now)| crate::sql::comparable(&value, now)),
            ", ",
        )
    };
    let (were, columns) = (all(&mut were.into_iter()), all(&mut columns.into_iter()));
    let parts = [
        ("were", &were),
        ("columns", &columns),
        ("one", &quote_qualified(pair.name)),
        ("other", &quote_qualified(&pair.built)),
    ];
    fill(
        "(SELECT {were} FROM {one} EXCEPT ALL SELECT {columns} FROM {other})\nUNION ALL\n(SELECT {columns} FROM {other} EXCEPT ALL SELECT {were} FROM {one})",
        &parts,
    )
}

fn parity(draft: &mut Draft<'_>, pair: &Pair<'_>) {
    let title = format!("both tables of {} hold the same", pair.name.name.as_str());
    let parts = [("rows", &differing(pair)), ("name", &literal(&title))];
    let assert = fill(
        "DO $pgproof$\nBEGIN\n    IF EXISTS ({rows}) THEN\n        RAISE EXCEPTION 'not so: %', {name};\n    END IF;\nEND\n$pgproof$",
        &parts,
    );
    // Policies would hide rows of either table from its owner.
    let mut sides = [pair.from, pair.to].into_iter();
    let hidden = sides.any(|table| table.row_security && table.force_row_security);
    let off = hidden.then(|| fixed("SET LOCAL row_security = off"));
    let mut item = Item::new(Phase::Validate, Rank::Parity, title, pair.cause)
        .parts(off)
        .part(assert)
        .past_policies(hidden)
        .undo_parts([])
        .check(differing(pair));
    item.step.is_parity = true;
    draft.push(item);
}

fn exchange(draft: &mut Draft<'_>, pair: &Pair<'_>) -> Result<(), Error> {
    let mut say = |slot: Slot, forward: SqlText, back: Vec<SqlText>| {
        let back = back.into_iter().map(Part::new).collect();
        draft.switch(pair.name, slot, pair.cause, (forward, back));
    };
    let (name, back_name) = (
        mirror_name(pair),
        derived(&["pgproof", "follow", pair.name.name.as_str()]),
    );
    let rename = |from: &QualifiedName, to: &QualifiedName| {
        alter(from, "RENAME TO {to}", &[("to", &quote_ident(&to.name))])
    };
    say(
        Slot::DropRules,
        drop_trigger(pair.name, &name),
        vec![mirror_trigger(pair, &name, pair.name)],
    );
    say(
        Slot::Columns,
        rename(pair.name, &pair.kept),
        vec![rename(&pair.kept, pair.name)],
    );
    say(
        Slot::Columns,
        rename(&pair.built, pair.name),
        vec![rename(pair.name, &pair.built)],
    );
    let beside = |ident: Ident| QualifiedName::new(pair.name.schema.clone(), ident);
    for partition in partitions_in_the_way(pair) {
        let built = beside(derived(&[partition.as_str(), "new"]));
        let kept = beside(derived(&[partition.as_str(), "old"]));
        let partition = beside(partition);
        for (from, to) in [(&partition, &kept), (&built, &partition)] {
            say(Slot::Columns, rename(from, to), vec![rename(to, from)]);
        }
    }
    for (ident, was, now) in taken(pair) {
        let (built, kept) = (built(ident), derived(&[ident.as_str(), "old"]));
        if let Some(was) = was {
            let back = vec![was(&pair.kept, &kept, ident)];
            say(Slot::Keys, was(&pair.kept, ident, &kept), back);
        }
        let back = vec![now(pair.name, ident, &built)];
        say(Slot::Keys, now(pair.name, &built, ident), back);
    }
    let identities = pair.to.columns.iter().filter(|column| {
        matches!(
            column.default,
            Some(ColumnDefault::IdentityAlways | ColumnDefault::IdentityByDefault)
        )
    });
    for column in identities {
        let set = follow_rows(pair.name, &column.name);
        say(Slot::Settings, set, Vec::new());
    }
    say(
        Slot::Rules,
        mirror_function(pair, &back_name, &pair.kept, false),
        vec![drop_function(pair.name, &back_name)],
    );
    say(
        Slot::Rules,
        mirror_trigger(pair, &back_name, pair.name),
        vec![drop_trigger(pair.name, &back_name)],
    );
    led_anew(draft, pair.name, pair.cause);
    super::rule::triggers_anew(draft, pair.name, (pair.from, pair.to), pair.cause)
}

fn contract(draft: &mut Draft<'_>, pair: &Pair<'_>) {
    let back_name = derived(&["pgproof", "follow", pair.name.name.as_str()]);
    let subject = pair.name.name.as_str();
    let item = Item::new(
        Phase::Contract,
        Rank::GoneViews,
        format!("no longer follow {subject} in its old table"),
        pair.cause,
    )
    .part(drop_trigger(pair.name, &back_name))
    .part(drop_function(pair.name, &back_name))
    .part(drop_function(pair.name, &mirror_name(pair)))
    .forward_only("from here on the old table falls behind");
    draft.push(item);
    // One by one, while nobody uses the old table: a lock on it and on a table that programs hold would wait in a ring.
    for (key, made) in &pair.from.foreign_keys {
        // It went with the key on which it stood.
        let goes_before = super::primary::drops(draft, &made.table, &made.key)
            || super::key::gone_with(draft, &made.table, &made.key).is_some();
        if goes_before {
            continue;
        }
        let item = Item::new(
            Phase::Contract,
            Rank::GoneReferences,
            format!("drop reference {} of the old table", key.as_str()),
            pair.cause,
        )
        .part(drop_constraint(&pair.kept, key))
        .forward_only("the old table goes next");
        draft.push(item);
    }
    let item = Item::new(
        Phase::Contract,
        Rank::GoneTables,
        format!("drop the old table of {subject}"),
        pair.cause,
    )
    .part(fill(
        "DROP TABLE {name}",
        &[("name", &quote_qualified(&pair.kept))],
    ))
    .forward_only("the old table is gone; its rows are in the new one");
    draft.push(item);
}
