//! A column that another one takes the place of: renamed, or of another type.
//!
//! The new column stands beside the old one. A trigger keeps both the same while programs of either version write; old rows are filled in chunks; everything
//! that speaks of the column is built over the new one and takes its place at the switch.

use crate::catalog::{Column, ColumnDefault, ObjectPath};
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
use crate::sql::words as text;
use crate::sql::{Ident, QualifiedName, SqlText, comparable, fill, follow_rows, quote_ident};

use super::cast::{assigned, cast, gets_zone, is_text, labels_gone, loses, no_cast};
use super::column::{add_column, comment, drop_column, identity_word};
use super::follow::{both_ways, function, of_new, of_row, one_way, trigger};

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

pub(super) struct Pair<'a> {
    pub(super) table: &'a QualifiedName,
    pub(super) replaced: Replaced,
    pub(super) was: Column,
    pub(super) now: Column,
    /// The new column's type while it is built.
    pub(super) built_type: SqlText,
    /// The old column's type after the switch.
    pub(super) kept_type: SqlText,
    /// What the design says its values become.
    pub(super) convert: Option<&'a Convert>,
    pub(super) cause: &'a ObjectPath,
}

impl Pair<'_> {
    /// The new value, as a row of the table is given it.
    pub(super) fn given(&self) -> SqlText {
        let old = quote_ident(&self.replaced.old);
        match self.convert {
            Some(own) if is_text(&self.built_type) => fill("({value})", &[("value", &own.value)]),
            Some(_) => self.wanted(),
            None => assigned(&old, &self.was.data_type, &self.built_type),
        }
    }

    /// The new value as one of its type.
    pub(super) fn wanted(&self) -> SqlText {
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
    pub(super) fn forward(&self, old: &SqlText) -> SqlText {
        let own = self.convert.map(|own| of_row(&own.value));
        own.unwrap_or_else(|| assigned(old, &self.was.data_type, &self.built_type))
    }

    /// The old value in a trigger.
    pub(super) fn back(&self, new: &SqlText, (from, to): (&SqlText, &SqlText)) -> SqlText {
        let own = self.convert.and_then(|own| own.back.as_ref()).map(of_row);
        own.unwrap_or_else(|| assigned(new, from, to))
    }

    pub(super) fn is_rename(&self) -> bool {
        self.replaced.built == self.replaced.new
    }

    pub(super) fn subject(&self) -> String {
        format!(
            "{}.{}",
            self.table.name.as_str(),
            self.replaced.new.as_str()
        )
    }

    pub(super) fn name(&self, word: &str) -> Ident {
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
    if let Some(labels) = labels_gone(draft, (&pair.was.data_type, &pair.now.data_type))
        .filter(|_| pair.convert.is_none())
    {
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
        Some(ColumnDefault::Generated(_)) => Rank::GoneComputed,
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

/// The new column takes the old one's name; the old one follows under another until it goes.
fn switched(draft: &mut Draft<'_>, pair: &Pair<'_>) {
    let (name, built) = (&pair.replaced.new, &pair.replaced.built);
    for definition in super::rule::judges(draft, pair.table) {
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
