//! Follows a statement through foreign keys, triggers, policies and functions.

use std::collections::BTreeSet;

use super::footprint::Footprint;
use crate::catalog::{self, Catalog, OnDelete, TriggerTiming};
use crate::sql::{Ident, QueryFacts, RowLock, StatementKind, TokenKind, Verb, facts, fold, tokens};

/// How rows of a table are written.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum How {
    Insert,
    Update,
    Delete,
}

/// What was reached so far.
pub(super) struct Reach<'a> {
    catalog: &'a Catalog,
    found: Footprint,
    everything: bool,
    /// Writes and functions that were followed.
    seen: BTreeSet<(Ident, How)>,
}

impl<'a> Reach<'a> {
    /// Everything that a statement leads to.
    pub(super) fn of(sql: &str, catalog: &'a Catalog) -> Reach<'a> {
        let mut reach = Reach {
            catalog,
            found: Footprint::default(),
            everything: false,
            seen: BTreeSet::new(),
        };
        match facts(sql) {
            Some(facts) if is_plain(&facts) => reach.statement(&facts),
            _ => reach.everything = true,
        }
        reach
    }

    pub(super) fn into_footprint(self) -> Footprint {
        match self.everything {
            true => Footprint::everything(),
            false => self.found,
        }
    }

    fn statement(&mut self, facts: &QueryFacts) {
        for used in &facts.tables {
            let name = used.table.rsplit('.').next().map(Ident::new);
            let Some(table) = name.clone().filter(|name| self.table(name).is_some()) else {
                // A view may read anything; a table of the server's own cannot be raced for.
                self.everything |= self
                    .catalog
                    .views
                    .iter()
                    .any(|(view, _)| Some(&view.name) == name.as_ref());
                continue;
            };
            if used.verb != Verb::Read {
                self.found.meant.insert(table.clone());
            }
            let set = facts.assigned.get(table.as_str());
            match used.verb {
                Verb::Read => self.found.reads.insert(table),
                Verb::Lock => {
                    // Without the strength, the strongest.
                    let lock = facts
                        .locks
                        .get(table.as_str())
                        .copied()
                        .unwrap_or(RowLock::Table);
                    self.found.touch(&table).locks.insert(lock);
                }
                Verb::Insert => self.write(&table, How::Insert, set),
                Verb::Update => self.write(&table, How::Update, set),
                Verb::Delete => self.write(&table, How::Delete, set),
                Verb::Truncate => {
                    self.found.touch(&table).locks.insert(RowLock::Table);
                    self.write(&table, How::Delete, set);
                }
            }
        }
        for function in &facts.functions {
            self.function(function);
        }
    }

    fn table(&self, name: &Ident) -> Option<(&'a crate::sql::QualifiedName, &'a catalog::Table)> {
        self.catalog
            .tables
            .iter()
            .find(|(known, _)| known.name == *name)
    }

    /// `set`: the columns that an UPDATE assigns, where known.
    fn write(&mut self, table: &Ident, how: How, set: Option<&BTreeSet<String>>) {
        let Some((name, shape)) = self.table(table) else {
            return;
        };
        let assigns = |column: &Ident| {
            set.is_none_or(|set| set.contains(column.as_str()) || set.contains("*"))
        };
        let touch = self.found.touch(table);
        match how {
            How::Insert => touch.inserts = true,
            How::Update | How::Delete => {
                touch.changes = true;
                let key = how == How::Delete || key_columns(shape).iter().any(assigns);
                touch.locks.insert(if key {
                    RowLock::Update
                } else {
                    RowLock::NoKeyUpdate
                });
                // A changed key is a new one as well.
                touch.inserts |= how == How::Update && key;
            }
        }
        if !self.seen.insert((table.clone(), how)) {
            return;
        }
        for key in shape.foreign_keys.values() {
            let checked =
                how == How::Insert || (how == How::Update && key.columns.iter().any(assigns));
            if checked {
                self.found
                    .touch(&key.table.name)
                    .locks
                    .insert(RowLock::KeyShare);
            }
        }
        for (child, shape) in &self.catalog.tables {
            for key in shape.foreign_keys.values().filter(|key| key.table == *name) {
                let touched =
                    how == How::Delete || (how == How::Update && key.key.iter().any(assigns));
                if touched {
                    self.children(&child.name, key, how);
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
                self.code(text.as_str());
            }
        }
    }

    /// What happens to the rows that refer to a row.
    fn children(&mut self, child: &Ident, key: &catalog::ForeignKey, how: How) {
        let action = if how == How::Delete {
            key.on_delete
        } else {
            key.on_update
        };
        match action {
            OnDelete::Cascade if how == How::Delete => self.write(child, How::Delete, None),
            // The check reads the children, and waits for one that is being taken away.
            OnDelete::NoAction | OnDelete::Restrict => {
                self.found.reads.insert(child.clone());
                self.found.touch(child).locks.insert(RowLock::KeyShare);
            }
            _ => self.write(child, How::Update, None),
        }
    }

    fn function(&mut self, name: &str) {
        let bare = name.rsplit('.').next().unwrap_or(name);
        // Locks on numbers of the application's own: whatever takes them depends on whatever takes them.
        if bare.starts_with("pg_") && bare.contains("advisory") {
            self.everything = true;
        }
        let found = self
            .catalog
            .functions
            .iter()
            .filter(|(known, _)| known.name.as_str() == bare);
        for (known, function) in found {
            if self.seen.insert((
                Ident::new(format!("{}()", known.name.as_str())),
                How::Insert,
            )) {
                self.code(function.definition.as_str());
                self.code(&function.body);
            }
        }
    }

    /// Procedural code: what it mentions is read, and written where the words before say so.
    fn code(&mut self, code: &str) {
        let all: Vec<_> = tokens(code)
            .into_iter()
            .filter(|token| token.kind != TokenKind::Comment)
            .collect();
        let is = |at: usize, word: &str| all.get(at).is_some_and(|token| token.is(code, word));
        let locks = (0..all.len()).any(|at| {
            is(at, "for")
                && ["update", "share", "no", "key"]
                    .iter()
                    .any(|word| is(at + 1, word))
        });
        for (at, token) in all.iter().enumerate() {
            match token.kind {
                TokenKind::Word
                    if token.is(code, "execute")
                        && !is(at + 1, "function")
                        && !is(at + 1, "procedure") =>
                {
                    self.everything = true;
                }
                // The body of a function stands in a string.
                TokenKind::String if token.text(code).starts_with('$') => {
                    let text = token.text(code);
                    let tag = text[1..].find('$').map_or(0, |end| end + 2);
                    let end = text.len().saturating_sub(tag).max(tag);
                    self.code(&text[tag..end]);
                }
                TokenKind::Word | TokenKind::QuotedIdent => {
                    let name = Ident::new(fold(token.text(code)));
                    self.mentioned(
                        &name,
                        &|word, back| at >= back && is(before(&all, code, at, back), word),
                        locks,
                    );
                }
                _ => {}
            }
        }
    }

    fn mentioned(&mut self, name: &Ident, preceded: &dyn Fn(&str, usize) -> bool, locks: bool) {
        if self
            .catalog
            .functions
            .keys()
            .any(|function| function.name == *name)
        {
            self.function(name.as_str());
        }
        if self.table(name).is_none() {
            return;
        }
        self.found.reads.insert(name.clone());
        if locks {
            self.found.touch(name).locks.insert(RowLock::Update);
        }
        if preceded("into", 1) {
            self.write(name, How::Insert, None);
            // ON CONFLICT DO UPDATE stands further on.
            self.write(name, How::Update, None);
        }
        if preceded("update", 1) || preceded("only", 1) {
            self.write(name, How::Update, None);
        }
        if preceded("from", 1) && preceded("delete", 2) {
            self.write(name, How::Delete, None);
        }
        if preceded("truncate", 1) || preceded("table", 1) {
            self.everything = true;
        }
    }
}

/// The token `back` places before a name, a schema before the name passed over.
fn before(all: &[crate::sql::Token], code: &str, at: usize, back: usize) -> usize {
    let qualified = at >= 2 && all[at - 1].is_symbol(code, ".");
    let first = if qualified { at - 2 } else { at };
    first.wrapping_sub(back)
}

/// Whether facts say all there is to say: queries and writes, no procedural code, no DDL.
fn is_plain(facts: &QueryFacts) -> bool {
    facts.kind.is_rows() || matches!(facts.kind, StatementKind::Truncate | StatementKind::Lock)
}

fn key_columns(table: &catalog::Table) -> BTreeSet<Ident> {
    let constraints = table
        .primary_key
        .iter()
        .map(|(_, key)| key)
        .chain(table.uniques.values());
    let indexes = table.indexes.values().filter(|index| index.unique);
    let excluded = table
        .exclusions
        .values()
        .flat_map(|exclusion| &exclusion.elements);
    let expressions = excluded.map(|(expression, _)| expression.as_str().to_owned());
    let keys = indexes.clone().flat_map(|index| {
        index
            .keys
            .iter()
            .map(|key| key.expression.as_str().to_owned())
    });
    let predicates =
        indexes.filter_map(|index| index.predicate.as_ref().map(|p| p.as_str().to_owned()));
    let of_text = expressions.chain(keys).chain(predicates).flat_map(|text| {
        crate::sql::parse_expression(&text)
            .map(|expression| expression.columns())
            .unwrap_or_default()
    });
    constraints
        .flat_map(|key| key.columns.iter().cloned())
        .chain(of_text)
        .collect()
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
