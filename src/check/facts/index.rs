//! What an index is worth by itself: which other one does its work, how few keys it tells apart, who updates what it holds.

use std::collections::BTreeSet;

use super::super::world::{Owner, World};
use crate::design::{Column, Index, IndexKey, Table};
use crate::sql::{self, Ident, TokenKind, Verb};

/// Shares in sum that leave no room for other values.
const ALL: f64 = 0.999;
/// The version from which a BRIN index does not keep an update from being HOT.
const BRIN_IS_HOT: u16 = 16;

/// Another index or key that finds all that this one finds.
pub(super) fn covered_by(table: &Table, index: &Index) -> Option<String> {
    if index.unique || index.using.as_str() != "btree" {
        return None;
    }
    let own: Vec<Key> = index.keys.iter().map(Key::of).collect();
    let at = table
        .indexes
        .iter()
        .position(|other| other.name == index.name);
    let mut others = table.indexes.iter().enumerate();
    let covering = others.find(|(place, other)| {
        let keys: Vec<Key> = other.keys.iter().map(Key::of).collect();
        let holds = |column: &Ident| {
            let included = other.include.iter().any(|name| name.ident == *column);
            included
                || other
                    .keys
                    .iter()
                    .any(|key| key.column.as_ref() == Some(column))
        };
        // Of two that are the same, the later one is too many.
        let is_same = keys.len() == own.len() && other.include.len() == index.include.len();
        other.name != index.name
            && other.using.as_str() == "btree"
            && same_rows(index, other)
            && begins(&keys, &own)
            && index.include.iter().all(|name| holds(&name.ident))
            && (!is_same || other.unique || Some(*place) < at)
    });
    if let Some((_, other)) = covering {
        return Some(other.name.as_str().to_owned());
    }
    if index.predicate.is_some() || !index.include.is_empty() {
        return None;
    }
    let plain = |columns: &[crate::design::Name]| -> Vec<Key> {
        columns
            .iter()
            .map(|name| Key::plain(name.as_str()))
            .collect()
    };
    if begins(&plain(&table.key), &own) {
        return Some(format!("the key of {}", table.name.as_str()));
    }
    let mut uniques = table
        .unique
        .iter()
        .filter(|unique| unique.predicate.is_none());
    let unique = uniques.find(|unique| begins(&plain(&unique.columns), &own));
    unique.map(|unique| unique.name.as_str().to_owned())
}

/// One key, as far as two of them must be compared.
#[derive(Debug, PartialEq, Eq)]
struct Key {
    text: String,
    collation: Option<String>,
    opclass: Option<String>,
    descending: bool,
    nulls_first: bool,
}

impl Key {
    fn of(key: &IndexKey) -> Key {
        let text = match &key.column {
            Some(column) => column.as_str().to_owned(),
            None => words(key.expression.as_str()).join(" "),
        };
        Key {
            text,
            collation: key.collation.clone(),
            opclass: key.opclass.clone(),
            descending: key.descending,
            nulls_first: key.nulls_first.unwrap_or(key.descending),
        }
    }

    fn plain(column: &str) -> Key {
        Key {
            text: column.to_owned(),
            collation: None,
            opclass: None,
            descending: false,
            nulls_first: false,
        }
    }

    /// The same, or the same read from the other end.
    fn is(&self, other: &Key, turned: bool) -> bool {
        (&self.text, &self.collation, &self.opclass)
            == (&other.text, &other.collation, &other.opclass)
            && (self.descending == other.descending) != turned
            && (self.nulls_first == other.nulls_first) != turned
    }
}

/// Whether `long` begins with `short`, in its order or all of it turned round.
fn begins(long: &[Key], short: &[Key]) -> bool {
    let is_prefix = |turned: bool| {
        long.len() >= short.len()
            && long
                .iter()
                .zip(short)
                .all(|(one, other)| one.is(other, turned))
    };
    !short.is_empty() && (is_prefix(false) || is_prefix(true))
}

fn same_rows(index: &Index, other: &Index) -> bool {
    match (&index.predicate, &other.predicate) {
        (None, None) => true,
        (Some(one), Some(other)) => words(one.as_str()) == words(other.as_str()),
        _ => false,
    }
}

/// Tokens as they mean the same: without blanks, in lower case where that does not matter.
fn words(text: &str) -> Vec<String> {
    let tokens = sql::tokens(text).into_iter();
    let word = |token: sql::Token| match token.kind {
        TokenKind::Word => sql::fold(token.text(text)),
        _ => token.text(text).to_owned(),
    };
    tokens
        .map(word)
        .filter(|word| !word.trim().is_empty())
        .collect()
}

/// How many different keys it holds at most, where the design says so of every column.
pub(super) fn groups(world: &World<'_>, table: &Table, index: &Index) -> Option<f64> {
    let each = index.keys.iter().map(|key| {
        let column = table.column(key.column.as_ref()?)?;
        few(world, column)
    });
    each.collect::<Option<Vec<f64>>>()
        .map(|each| each.iter().product())
}

fn few(world: &World<'_>, column: &Column) -> Option<f64> {
    let labels = world.labels(column);
    let data = &column.data;
    let listed: f64 = data.values.iter().map(|(_, share)| share).sum();
    match data.distinct {
        _ if labels > 0 => Some(labels as f64),
        Some(distinct) if distinct >= 1.0 => Some(distinct),
        _ if listed >= ALL => Some(data.values.len() as f64),
        _ if world
            .base_type(column.data_type.as_str())
            .starts_with("bool") =>
        {
            Some(2.0)
        }
        _ => None,
    }
}

/// Commands that update what it holds: none of their updates is HOT.
pub(super) fn updated_by(world: &World<'_>, table: &Table, index: &Index) -> Vec<String> {
    if index.using.as_str() == "brin" && world.model.database.version >= BRIN_IS_HOT {
        return Vec::new();
    }
    let name = table.name.as_str();
    let access = world.access(name);
    let Some(access) = access.iter().find(|access| access.name == index.name.ident) else {
        return Vec::new();
    };
    let keys = access
        .keys
        .iter()
        .flatten()
        .map(|key| key.as_str().to_owned());
    let mut held: BTreeSet<String> = keys.collect();
    held.extend(access.expressions.iter().chain(&access.predicate).cloned());
    held.extend(index.include.iter().map(|name| name.as_str().to_owned()));
    // A generated column changes with what it is made of.
    for column in &table.columns {
        if let Some(expression) = &column.generated
            && held.contains(column.name.as_str())
        {
            held.extend(words(expression.as_str()));
        }
    }
    let mut commands = Vec::new();
    for statement in &world.statements {
        let (Owner::Step(command, _), Some(facts)) = (statement.owner, &statement.facts) else {
            continue;
        };
        let mut tables = facts.tables.iter();
        let updates = tables.any(|used| used.table == name && used.verb == Verb::Update);
        let assigned = facts.assigned.get(name);
        let touches =
            assigned.is_some_and(|columns| columns.iter().any(|column| held.contains(column)));
        let command = command.name.as_str().to_owned();
        // Of an INSERT with ON CONFLICT DO UPDATE it cannot be told which columns belong to which.
        let inserts = facts.tables.iter().any(|used| used.verb == Verb::Insert);
        if updates && touches && !inserts && !commands.contains(&command) {
            commands.push(command);
        }
    }
    commands
}

/// The day after which it is not needed, where `drop_when` names one that is over.
pub(super) fn over_since(world: &World<'_>, index: &Index) -> Option<String> {
    let text = index.drop_when.as_ref()?.as_str();
    let words = text.split(|c: char| !(c.is_ascii_digit() || c == '-'));
    let day = words
        .into_iter()
        .find(|word| crate::design::language::values::is_date(word))?;
    (day < world.today).then(|| day.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_index_is_read_from_both_ends() {
        let key = |text: &str, descending: bool| Key {
            descending,
            nulls_first: descending,
            ..Key::plain(text)
        };
        let long = [key("a", false), key("b", true)];
        assert!(begins(&long, &[key("a", false)]));
        assert!(begins(&long, &[key("a", true)]));
        assert!(begins(&long, &[key("a", true), key("b", false)]));
        assert!(!begins(&long, &[key("a", false), key("b", false)]));
        assert!(!begins(&long, &[key("b", true)]));
        assert!(!begins(&long[..1], &long));
    }
}
