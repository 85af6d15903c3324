//! A column that another one takes the place of: renamed, or of another type.
//!
//! The new column stands beside the old one. A trigger keeps both the same while programs of either version write; old rows are filled in chunks; everything
//! that speaks of the column is built over the new one and takes its place at the switch.

use crate::catalog::{Catalog, Column, ColumnDefault, ObjectPath, UserType};
use crate::compile::derived;
use crate::error::Error;
use crate::migrate::backfill;
use crate::migrate::change::{Change, Facet, What};
use crate::migrate::diff::Replaced;
use crate::migrate::draft::{
    Draft, Item, Rank, Slot, alter, alter_column, drop_function, drop_trigger,
};
use crate::migrate::plan::{HazardKind, Part, Phase};
use crate::migrate::policy::Convert;
use crate::migrate::recipe::Recipe;
use crate::migrate::same;
use crate::sql::words as text;
use crate::sql::{
    Ident, QualifiedName, SqlText, comparable, fill, fixed, follow_rows, quote_ident,
    quote_qualified,
};

use super::cast::{assigned, cast, gets_zone, is_text, loses, no_cast};
use super::column::{add_column, comment, drop_column, identity_word};

pub(in crate::migrate) static REPLACED: Recipe = Recipe {
    name: "replaced-column",
    doc: "a rename, or a type with other bytes: a new column beside the old one, kept the same by a trigger, filled in chunks, switched in one short transaction",
    handles: |change| {
        matches!(
            (&change.object, &change.what),
            (
                ObjectPath::Column(..),
                What::Renamed(_) | What::Altered(Facet::Replaced)
            )
        )
    },
    steps: replaced,
};

struct Pair<'a> {
    table: &'a QualifiedName,
    replaced: Replaced,
    was: Column,
    now: Column,
    /// The new column's type while it is built.
    built_type: SqlText,
    /// The old column's type after the switch.
    kept_type: SqlText,
    /// What the design says its values become.
    convert: Option<&'a Convert>,
    cause: &'a ObjectPath,
}

impl Pair<'_> {
    /// The new value, as a row of the table is given it.
    fn given(&self) -> SqlText {
        let old = quote_ident(&self.replaced.old);
        match self.convert {
            Some(own) if is_text(&self.built_type) => fill("({value})", &[("value", &own.value)]),
            Some(_) => self.wanted(),
            None => assigned(&old, &self.was.data_type, &self.built_type),
        }
    }

    /// The new value as one of its type.
    fn wanted(&self) -> SqlText {
        let old = quote_ident(&self.replaced.old);
        match self.convert {
            Some(own) => {
                let parts = [("value", &own.value), ("type", &self.built_type)];
                fill("({value})::{type}", &parts)
            }
            None => cast(&old, &self.was.data_type, &self.built_type),
        }
    }

    /// The new value in a trigger.
    fn forward(&self, old: &SqlText) -> SqlText {
        let own = self.convert.map(|own| of_row(&own.value));
        own.unwrap_or_else(|| assigned(old, &self.was.data_type, &self.built_type))
    }

    /// The old value in a trigger.
    fn back(&self, new: &SqlText, (from, to): (&SqlText, &SqlText)) -> SqlText {
        let own = self.convert.and_then(|own| own.back.as_ref()).map(of_row);
        own.unwrap_or_else(|| assigned(new, from, to))
    }

    fn is_rename(&self) -> bool {
        self.replaced.built == self.replaced.new
    }

    fn subject(&self) -> String {
        format!(
            "{}.{}",
            self.table.name.as_str(),
            self.replaced.new.as_str()
        )
    }

    fn name(&self, word: &str) -> Ident {
        derived(&[
            "pgproof",
            word,
            self.table.name.as_str(),
            self.replaced.new.as_str(),
        ])
    }
}

fn replaced(change: &Change, draft: &mut Draft<'_>) -> Result<(), Error> {
    let ObjectPath::Column(table, name) = &change.object else {
        return Ok(());
    };
    if super::regroup::is_renamed(draft, table) && matches!(change.what, What::Renamed(_)) {
        return super::regroup::renamed(draft, table, &change.object);
    }
    let found = draft
        .diff
        .replaced_in(table)
        .find(|r| r.new == *name)
        .cloned();
    let (Some(replaced), Some((from, to))) = (found, draft.both(table)) else {
        return Ok(());
    };
    let (Some(was), Some(now)) = (from.column(&replaced.old), to.column(name)) else {
        return Ok(());
    };
    let pair = Pair {
        table,
        was: was.clone(),
        now: now.clone(),
        built_type: draft.swapped(&now.data_type, "new"),
        kept_type: draft.swapped(&was.data_type, "old"),
        convert: draft.policy.converts.get(&(table.clone(), name.clone())),
        cause: &change.object,
        replaced,
    };
    let no_cast = no_cast(&pair.was.data_type, &pair.built_type);
    if let Some(from) = no_cast.filter(|_| pair.convert.is_none() && !now.is_generated()) {
        return Err(Error::Usage(format!(
            "{} cannot be made of {subject} by any rule: {from} has no cast to {}; say in migration.convert what its values become (`{subject}: …`), or add a column of another name, and say in migration.backfill and migration.dual_write what it holds",
            pair.built_type.as_str(),
            pair.built_type.as_str(),
            subject = pair.subject(),
        )));
    }
    if now.is_generated() {
        generated(draft, &pair);
    } else {
        added(draft, &pair);
        filled(draft, &pair)?;
    }
    if pair.is_rename() {
        renamed(draft, &pair);
    } else {
        switched(draft, &pair);
    }
    Ok(())
}

/// The new column under the name it has while it is built.
fn bare(pair: &Pair<'_>) -> Column {
    Column {
        name: pair.replaced.built.clone(),
        data_type: pair.built_type.clone(),
        nullable: true,
        default: None,
        ..pair.now.clone()
    }
}

fn generated(draft: &mut Draft<'_>, pair: &Pair<'_>) {
    // Before the backfills what it is computed from may have no value yet.
    let is_proven = super::not_null::is_proven_later(&pair.now);
    let mut column = Column {
        name: pair.replaced.built.clone(),
        nullable: pair.now.nullable || is_proven,
        ..pair.now.clone()
    };
    if let Some(ColumnDefault::Generated(expression)) = &mut column.default {
        for other in draft.diff.replaced_in(pair.table) {
            *expression = text::renamed(expression, &other.new, &other.built);
        }
    }
    let table = pair.table.name.as_str();
    let item = Item::new(Phase::Expand, Rank::Sync, format!("the new {}", pair.subject()), pair.cause)
        .part(add_column(pair.table, &column))
        .parts(comment(pair.table, &column))
        .undo(drop_column(pair.table, &column.name))
        .hazard(
            HazardKind::Rewrite,
            table,
            format!("a stored generated column is computed for every row while ACCESS EXCLUSIVE is held: readers and writers of {table} wait"),
        );
    draft.push(item);
    if is_proven {
        let (name, built) = (&pair.replaced.new, &pair.replaced.built);
        super::not_null::steps(draft, pair.table, name, built, pair.cause);
    }
}

fn added(draft: &mut Draft<'_>, pair: &Pair<'_>) {
    let column = bare(pair);
    let item = Item::new(
        Phase::Expand,
        Rank::Columns,
        format!("a column beside {}", pair.subject()),
        pair.cause,
    )
    .part(add_column(pair.table, &column))
    .parts(comment(pair.table, &column))
    .undo(drop_column(pair.table, &column.name));
    draft.push(item);
    let sync = pair.name("sync");
    let body = if pair.is_rename() {
        both_ways(pair)
    } else {
        one_way(pair)
    };
    let is_guessed = pair.convert.is_none() && gets_zone(&pair.was.data_type, &pair.built_type);
    let mut item = Item::new(
        Phase::Expand,
        Rank::Sync,
        format!("keep both columns of {} the same", pair.subject()),
        pair.cause,
    )
    .part(function(pair, &sync, &body))
    .part(trigger(pair, &sync))
    .undo(drop_trigger(pair.table, &sync))
    .undo(drop_function(pair.table, &sync))
    .because(match is_guessed {
        true => "programs of either version write their own column; a time without a zone is taken to be UTC, unless migration.convert says what it is",
        false => "programs of the old version write the old column, programs of the new version the new one",
    });
    if let Some(labels) = labels_gone(draft, pair).filter(|_| pair.convert.is_none()) {
        let subject = pair.subject();
        let text = format!(
            "programs that write {labels} to {subject} fail from here on, and rows that hold it stop the backfill: say in migration.convert what becomes of it (`{subject}: …`)"
        );
        item = item.hazard(HazardKind::BreaksOld, subject, text);
    }
    if is_guessed {
        let subject = pair.subject();
        draft.notes.push(format!("{subject} has no zone yet, and its times are taken to be UTC: if they are not, say in migration.convert what they are (`{subject}: \"{} AT TIME ZONE 'Europe/Berlin'\"`)", pair.replaced.old.as_str()));
    }
    draft.push(item);
}

/// Labels of the column's enum that the new one does not have.
fn labels_gone(draft: &Draft<'_>, pair: &Pair<'_>) -> Option<String> {
    let labels = |catalog: &Catalog, data_type: &SqlText| {
        catalog
            .types
            .iter()
            .find_map(|(name, (kind, _))| match kind {
                UserType::Enum(labels) if text::mentions(data_type, &name.name) => {
                    Some(labels.clone())
                }
                _ => None,
            })
    };
    let was = labels(draft.from, &pair.was.data_type)?;
    let now = labels(draft.to, &pair.now.data_type)?;
    let gone = was.iter().filter(|label| !now.contains(label));
    let gone: Vec<String> = gone.map(|label| format!("`{label}`")).collect();
    (!gone.is_empty()).then(|| gone.join(", "))
}

fn filled(draft: &mut Draft<'_>, pair: &Pair<'_>) -> Result<(), Error> {
    let built = quote_ident(&pair.replaced.built);
    let value = pair.given();
    let (held, wanted) = (
        comparable(&built, &pair.built_type),
        comparable(&pair.wanted(), &pair.built_type),
    );
    let parts = [("held", &held), ("wanted", &wanted)];
    let stale = fill("{held} IS DISTINCT FROM {wanted}", &parts);
    backfill::column(
        draft,
        pair.table,
        &pair.replaced.built,
        &value,
        Some(stale.clone()),
        pair.cause,
    )?;
    if !pair.now.nullable {
        super::not_null::steps(
            draft,
            pair.table,
            &pair.replaced.new,
            &pair.replaced.built,
            pair.cause,
        );
    }
    Ok(())
}

fn of_new(column: &Ident) -> SqlText {
    fill("NEW.{column}", &[("column", &quote_ident(column))])
}

/// An expression over the columns of the row that a trigger has before it.
fn of_row(value: &SqlText) -> SqlText {
    let parts = [("value", value)];
    fill(
        "(SELECT {value} FROM (SELECT NEW.*) AS pgproof_row)",
        &parts,
    )
}

/// Old to new only: programs of either version write the one name, and the other column is the migration's.
fn one_way(pair: &Pair<'_>) -> SqlText {
    let old = match &pair.was.default {
        // What is computed is computed after the triggers.
        Some(ColumnDefault::Generated(computed)) => fill(
            "(SELECT ({computed})::{type} FROM (SELECT NEW.*) AS pgproof_row)",
            &[("computed", computed), ("type", &pair.was.data_type)],
        ),
        _ => of_new(&pair.replaced.old),
    };
    let value = pair.forward(&old);
    let parts = [("built", &of_new(&pair.replaced.built)), ("value", &value)];
    fill("{built} := {value};", &parts)
}

/// Whoever writes, the other column follows.
fn both_ways(pair: &Pair<'_>) -> SqlText {
    let (old, new) = (&pair.replaced.old, &pair.replaced.built);
    let of_old = |column: &Ident| fill("OLD.{column}", &[("column", &quote_ident(column))]);
    let (was, now) = (&pair.was.data_type, &pair.built_type);
    let forward = pair.forward(&of_new(old));
    let back = pair.back(&of_new(new), (now, was));
    let compared_old = [of_new(old), of_old(old)].map(|value| comparable(&value, was));
    let compared_new =
        [of_new(new), of_old(new), forward.clone()].map(|value| comparable(&value, now));
    let parts = [
        ("is_old", &compared_old[0]),
        ("was_old", &compared_old[1]),
        ("is_new", &compared_new[0]),
        ("was_new", &compared_new[1]),
        ("wanted", &compared_new[2]),
        ("new_old", &of_new(old)),
        ("new_new", &of_new(new)),
        ("forward", &forward),
        ("back", &back),
    ];
    fill(
        "IF TG_OP = 'INSERT' THEN\n    IF {new_new} IS NOT NULL THEN\n        {new_old} := {back};\n    ELSE\n        {new_new} := {forward};\n    END IF;\nELSIF {is_old} IS DISTINCT FROM {was_old} THEN\n    {new_new} := {forward};\nELSIF {is_new} IS DISTINCT FROM {was_new} AND {is_new} IS DISTINCT FROM {wanted} THEN\n    {new_old} := {back};\nEND IF;",
        &parts,
    )
}

fn function(pair: &Pair<'_>, name: &Ident, body: &SqlText) -> SqlText {
    let name = QualifiedName::new(pair.table.schema.clone(), name.clone());
    // What the design says may name types and functions without their schema.
    let path = match pair.convert {
        Some(_) => {
            let parts = [("schema", &quote_ident(&pair.table.schema))];
            fill(" SET search_path = {schema}, public, pg_temp", &parts)
        }
        None => fixed(""),
    };
    let parts = [
        ("name", &quote_qualified(&name)),
        ("path", &path),
        ("body", body),
    ];
    fill(
        "CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql{path} AS $pgproof$\n#variable_conflict use_column\nBEGIN\n    {body}\n    RETURN NEW;\nEND\n$pgproof$",
        &parts,
    )
}

fn trigger(pair: &Pair<'_>, name: &Ident) -> SqlText {
    let function = QualifiedName::new(pair.table.schema.clone(), name.clone());
    let parts = [
        ("name", &quote_ident(name)),
        ("table", &quote_qualified(pair.table)),
        ("function", &quote_qualified(&function)),
    ];
    fill(
        "CREATE TRIGGER {name} BEFORE INSERT OR UPDATE ON {table}\n    FOR EACH ROW EXECUTE FUNCTION {function}()",
        &parts,
    )
}

/// Statements that give a column its default or identity.
fn defaults(pair: &Pair<'_>, column: &Ident, default: &Option<ColumnDefault>) -> Vec<SqlText> {
    let of = |rest: &'static str, parts: &[(&str, &SqlText)]| {
        alter_column(pair.table, column, rest, parts)
    };
    match default {
        Some(ColumnDefault::Expression(text)) => {
            vec![of("SET DEFAULT {default}", &[("default", text)])]
        }
        Some(kind @ (ColumnDefault::IdentityAlways | ColumnDefault::IdentityByDefault)) => {
            vec![
                of(
                    "ADD GENERATED {kind} AS IDENTITY",
                    &[("kind", &identity_word(kind))],
                ),
                follow_rows(pair.table, column),
            ]
        }
        _ => Vec::new(),
    }
}

fn without_default(
    pair: &Pair<'_>,
    column: &Ident,
    default: &Option<ColumnDefault>,
) -> Option<SqlText> {
    let rest = match default {
        Some(ColumnDefault::Expression(_)) => "DROP DEFAULT",
        Some(ColumnDefault::IdentityAlways | ColumnDefault::IdentityByDefault) => "DROP IDENTITY",
        _ => return None,
    };
    Some(alter_column(pair.table, column, rest, &[]))
}

/// What goes with the old column, where the design does not say what its values become.
fn lost(pair: &Pair<'_>) -> Option<String> {
    let is_free = pair.convert.is_none() && !pair.now.is_generated() && !pair.was.is_generated();
    let what = loses(&pair.was.data_type, &pair.now.data_type).filter(|_| is_free)?;
    Some(format!("the new {} holds less: {what}", pair.subject()))
}

/// What was computed from other columns goes before them.
fn gone(pair: &Pair<'_>) -> Rank {
    match pair.was.default {
        Some(ColumnDefault::Generated(_)) => Rank::GoneIndexes,
        _ => Rank::GoneColumns,
    }
}

/// Both names stay until no program of the old version is left.
fn renamed(draft: &mut Draft<'_>, pair: &Pair<'_>) {
    let sync = pair.name("sync");
    let is_generated = pair.now.is_generated();
    let mut item = Item::new(
        Phase::Contract,
        gone(pair),
        format!(
            "drop column {}.{}, now {}",
            pair.table.name.as_str(),
            pair.replaced.old.as_str(),
            pair.replaced.new.as_str()
        ),
        pair.cause,
    );
    if !is_generated {
        item = item
            .part(drop_trigger(pair.table, &sync))
            .part(drop_function(pair.table, &sync));
    }
    if let Some(what) = lost(pair) {
        item = item.hazard(HazardKind::DataLoss, pair.subject(), what);
    }
    let item = item
        .part(drop_column(pair.table, &pair.replaced.old))
        .parts(defaults(pair, &pair.replaced.new, &pair.now.default))
        .forward_only("the old name is gone; its values are under the new one");
    draft.push(item);
}

/// The functions of a table's triggers, as far as they stay as they are.
fn judges(draft: &Draft<'_>, table: &QualifiedName) -> Vec<SqlText> {
    let triggers = draft.to.tables.get(table).into_iter();
    let triggers = triggers.flat_map(|now| now.triggers.values());
    let found = triggers.filter_map(|trigger| {
        let now = draft.to.functions.get(&trigger.function)?;
        let was = draft.from.functions.get(&trigger.function)?;
        same::function(was, now).then(|| now.definition.clone())
    });
    found.collect()
}

/// The new column takes the old one's name; the old one follows under another until it goes.
fn switched(draft: &mut Draft<'_>, pair: &Pair<'_>) {
    let (name, built) = (&pair.replaced.new, &pair.replaced.built);
    for definition in judges(draft, pair.table) {
        // A session that has run it would go on with the types that the row had.
        let again = text::replacing(&definition);
        let both = (again.clone(), vec![Part::new(again)]);
        draft.switch(pair.table, Slot::Rules, pair.cause, both);
    }
    let kept = draft.kept(name);
    let (sync, back_name) = (pair.name("sync"), pair.name("back"));
    let is_generated = pair.now.is_generated();
    let rename = |from: &Ident, to: &Ident| {
        let parts = [("from", &quote_ident(from)), ("to", &quote_ident(to))];
        alter(pair.table, "RENAME COLUMN {from} TO {to}", &parts)
    };
    let mut say = |slot: Slot, forward: SqlText, back: Vec<SqlText>| {
        let back = back.into_iter().map(Part::new).collect();
        draft.switch(pair.table, slot, pair.cause, (forward, back));
    };
    if !is_generated {
        say(
            Slot::DropRules,
            drop_trigger(pair.table, &sync),
            vec![trigger(pair, &sync)],
        );
    }
    if let Some(sql) = without_default(pair, name, &pair.was.default) {
        say(
            Slot::DropRules,
            sql,
            defaults(pair, name, &pair.was.default),
        );
    }
    say(
        Slot::Columns,
        rename(name, &kept),
        vec![rename(&kept, name)],
    );
    say(
        Slot::Columns,
        rename(built, name),
        vec![rename(name, built)],
    );
    if !pair.was.nullable && !is_generated {
        say(
            Slot::Settings,
            alter_column(pair.table, &kept, "DROP NOT NULL", &[]),
            vec![alter_column(pair.table, &kept, "SET NOT NULL", &[])],
        );
    }
    let mut off = without_default(pair, name, &pair.now.default);
    for sql in defaults(pair, name, &pair.now.default) {
        say(Slot::Settings, sql, off.take().into_iter().collect());
    }
    let title = format!("drop the old column of {}", pair.subject());
    let mut item = Item::new(Phase::Contract, gone(pair), title, pair.cause);
    if !is_generated {
        // A value that the old type cannot hold must not stop a program that no longer knows it.
        let types = (&pair.now.data_type, &pair.kept_type);
        let value = pair.back(&of_new(name), types);
        let parts = [("kept", &of_new(&kept)), ("value", &value)];
        let body = fill(
            "BEGIN\n    {kept} := {value};\nEXCEPTION WHEN data_exception THEN\n    {kept} := NULL;\nEND;",
            &parts,
        );
        say(
            Slot::Rules,
            function(pair, &back_name, &body),
            vec![drop_function(pair.table, &back_name)],
        );
        say(
            Slot::Rules,
            trigger(pair, &back_name),
            vec![drop_trigger(pair.table, &back_name)],
        );
        item = item
            .part(drop_trigger(pair.table, &back_name))
            .part(drop_function(pair.table, &back_name))
            .part(drop_function(pair.table, &sync));
    }
    if let Some(what) = lost(pair) {
        item = item.hazard(HazardKind::DataLoss, pair.subject(), what);
    }
    let item = item
        .part(drop_column(pair.table, &kept))
        .forward_only("the old values are gone; they are in the new column");
    draft.push(item);
}
