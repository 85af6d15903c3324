//! Which tables a statement reads, and which it writes or locks: its own, and those that foreign keys, triggers and functions
//! lead to. Rather too many than one too few, because what is independent is not tried in both orders.

use std::collections::BTreeSet;

use crate::catalog::{Catalog, OnDelete, TriggerTiming};
use crate::sql::{Ident, QueryFacts, StatementKind, Verb, facts, fold};

/// A set of tables.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Tables {
    /// Whatever there is.
    all: bool,
    names: BTreeSet<Ident>,
}

impl Tables {
    fn everything() -> Tables {
        Tables {
            all: true,
            names: BTreeSet::new(),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        !self.all && self.names.is_empty()
    }

    /// Whether both contain the same table.
    pub(super) fn meets(&self, other: &Tables) -> bool {
        match (self.all, other.all) {
            (true, _) => !other.is_empty(),
            (_, true) => !self.is_empty(),
            _ => !self.names.is_disjoint(&other.names),
        }
    }

    pub(super) fn contains(&self, table: &Ident) -> bool {
        self.all || self.names.contains(table)
    }

    fn add(&mut self, other: &Tables) {
        self.all |= other.all;
        self.names.extend(other.names.iter().cloned());
    }
}

impl FromIterator<Ident> for Tables {
    fn from_iter<I: IntoIterator<Item = Ident>>(names: I) -> Tables {
        Tables {
            all: false,
            names: names.into_iter().collect(),
        }
    }
}

/// What a statement, or several, touch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Footprint {
    pub reads: Tables,
    /// Written or locked.
    pub writes: Tables,
    /// Those of `writes` that the statement means: not the locks that foreign keys take by themselves.
    pub changes: Tables,
}

impl Footprint {
    fn everything() -> Footprint {
        let all = Tables::everything;
        Footprint {
            reads: all(),
            writes: all(),
            changes: all(),
        }
    }

    pub(super) fn add(&mut self, other: &Footprint) {
        self.reads.add(&other.reads);
        self.writes.add(&other.writes);
        self.changes.add(&other.changes);
    }
}

/// How rows of a table are written.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum How {
    Insert,
    Update,
    Delete,
}

/// The footprint of one statement (parameters as `:name` or `$n`) over a schema.
pub(super) fn footprint(sql: &str, catalog: &Catalog) -> Footprint {
    let Some(facts) = facts(sql) else {
        return Footprint::everything();
    };
    if !is_plain(&facts) {
        return Footprint::everything();
    }
    let mut reach = Reach::new(catalog);
    for used in &facts.tables {
        let Some(table) =
            bare(&used.table).filter(|name| catalog.tables.keys().any(|table| table.name == *name))
        else {
            // A view may read anything; a table of the server's own cannot be raced for.
            reach.everything |= catalog
                .views
                .iter()
                .any(|(view, _)| Some(&view.name) == bare(&used.table).as_ref());
            continue;
        };
        let set = facts.assigned.get(table.as_str());
        match used.verb {
            Verb::Read => {
                reach.reads.insert(table);
            }
            Verb::Lock => {
                reach.changes.insert(table.clone());
                reach.writes.insert(table);
            }
            Verb::Insert => reach.write(&table, How::Insert, set),
            Verb::Update => reach.write(&table, How::Update, set),
            Verb::Delete | Verb::Truncate => reach.write(&table, How::Delete, set),
        }
    }
    for function in &facts.functions {
        reach.function(function);
    }
    match reach.everything {
        true => Footprint::everything(),
        false => Footprint {
            reads: reach.reads.into_iter().collect(),
            writes: reach.writes.into_iter().collect(),
            changes: reach.changes.into_iter().collect(),
        },
    }
}

/// Whether facts say all there is to say: queries and writes, no procedural code, no DDL.
fn is_plain(facts: &QueryFacts) -> bool {
    facts.kind.is_rows() || matches!(facts.kind, StatementKind::Truncate | StatementKind::Lock)
}

fn bare(name: &str) -> Option<Ident> {
    name.rsplit('.').next().map(Ident::new)
}

struct Reach<'a> {
    catalog: &'a Catalog,
    reads: BTreeSet<Ident>,
    writes: BTreeSet<Ident>,
    changes: BTreeSet<Ident>,
    everything: bool,
    seen: BTreeSet<(Ident, How)>,
}

impl Reach<'_> {
    fn new(catalog: &Catalog) -> Reach<'_> {
        Reach {
            catalog,
            reads: BTreeSet::new(),
            writes: BTreeSet::new(),
            changes: BTreeSet::new(),
            everything: false,
            seen: BTreeSet::new(),
        }
    }

    /// `set`: the columns that an UPDATE assigns, where known.
    fn write(&mut self, table: &Ident, how: How, set: Option<&BTreeSet<String>>) {
        self.writes.insert(table.clone());
        self.changes.insert(table.clone());
        if !self.seen.insert((table.clone(), how)) {
            return;
        }
        let catalog = self.catalog;
        let Some((name, shape)) = catalog.tables.iter().find(|(name, _)| name.name == *table)
        else {
            return;
        };
        let assigns = |column: &Ident| {
            set.is_none_or(|set| set.contains(column.as_str()) || set.contains("*"))
        };
        for key in shape.foreign_keys.values() {
            // The parent's row is locked FOR KEY SHARE.
            let checked =
                how == How::Insert || (how == How::Update && key.columns.iter().any(assigns));
            if checked {
                self.writes.insert(key.table.name.clone());
            }
        }
        for (child, shape) in &catalog.tables {
            for key in shape.foreign_keys.values().filter(|key| key.table == *name) {
                let touched =
                    how == How::Delete || (how == How::Update && key.key.iter().any(assigns));
                if !touched {
                    continue;
                }
                let action = if how == How::Delete {
                    key.on_delete
                } else {
                    key.on_update
                };
                match action {
                    OnDelete::Cascade if how == How::Delete => {
                        self.write(&child.name, How::Delete, None)
                    }
                    OnDelete::NoAction | OnDelete::Restrict => {
                        self.writes.insert(child.name.clone());
                    }
                    _ => self.write(&child.name, How::Update, None),
                }
            }
        }
        for trigger in shape
            .triggers
            .values()
            .filter(|trigger| fires(&trigger.events, trigger.timing, how))
        {
            self.function(trigger.function.name.as_str());
        }
        for policy in shape.policies.values() {
            for text in policy.using.iter().chain(&policy.check) {
                self.words(text.as_str());
            }
        }
    }

    fn function(&mut self, name: &str) {
        let bare = name.rsplit('.').next().unwrap_or(name);
        // Locks on numbers of the application's own: whatever takes them depends on whatever takes them.
        if bare.starts_with("pg_") && bare.contains("advisory") {
            self.everything = true;
        }
        let catalog = self.catalog;
        let found = catalog
            .functions
            .iter()
            .filter(|(known, _)| known.name.as_str() == bare);
        for (known, function) in found {
            if !self.seen.insert((
                Ident::new(format!("{}()", known.name.as_str())),
                How::Insert,
            )) {
                continue;
            }
            self.words(function.definition.as_str());
        }
    }

    /// Everything that a piece of procedural code mentions by name.
    fn words(&mut self, code: &str) {
        let catalog = self.catalog;
        let words: BTreeSet<String> = code
            .split(|c: char| !(c.is_alphanumeric() || c == '_' || c == '$'))
            .filter(|word| !word.is_empty())
            .map(fold)
            .collect();
        if words.contains("execute") && words.contains("format") {
            self.everything = true;
        }
        for table in catalog
            .tables
            .keys()
            .filter(|table| words.contains(table.name.as_str()))
        {
            self.reads.insert(table.name.clone());
            for how in [How::Insert, How::Update, How::Delete] {
                self.write(&table.name, how, None);
            }
        }
        for function in catalog
            .functions
            .keys()
            .filter(|function| words.contains(function.name.as_str()))
        {
            self.function(function.name.as_str());
        }
    }
}

fn fires(events: &[String], timing: TriggerTiming, how: How) -> bool {
    let event = match how {
        How::Insert => "INSERT",
        How::Update => "UPDATE",
        How::Delete => "DELETE",
    };
    // Statement triggers guard against TRUNCATE, which counts as a deletion here.
    let truncates = timing == TriggerTiming::BeforeStatement && how == How::Delete;
    events
        .iter()
        .any(|known| known.to_uppercase().starts_with(event) || (truncates && known == "TRUNCATE"))
}
