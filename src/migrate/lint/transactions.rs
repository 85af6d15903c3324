//! Transactions: what must not be in one, what must not follow in one, how long it may wait.

use super::cause::{listed, part, what};
use super::fault::Fault;
use super::walk::{At, State};
use crate::migrate::effect::{Effects, shown};
use crate::migrate::lock::LockMode;
use crate::sql::{Ddl, QualifiedName, Setting, TableAction, Token, TokenKind, TypeAction, tokens};

/// What limits the time that a statement waits for a lock.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Patience {
    session: bool,
    transaction: bool,
}

impl Patience {
    pub(super) fn set(&mut self, setting: &Setting) {
        if setting.name != "lock_timeout" && setting.name != "statement_timeout" {
            return;
        }
        let limits = !setting.reset && !is_zero(&setting.value);
        match setting.local {
            true => self.transaction = limits,
            false => self.session = limits,
        }
    }

    pub(super) fn end_transaction(&mut self) {
        self.transaction = false;
    }

    fn is_limited(self) -> bool {
        self.session || self.transaction
    }
}

/// `0`, `0s`: no limit.
fn is_zero(value: &str) -> bool {
    let digits: String = value.chars().filter(char::is_ascii_digit).collect();
    !digits.is_empty() && digits.chars().all(|digit| digit == '0')
}

pub(super) fn left_open() -> Fault {
    fault("transaction-left-open")
}

pub(super) fn fault(code: &'static str) -> Fault {
    Fault {
        code,
        file: 0,
        at: 0..0,
        what: String::new(),
        table: String::new(),
        lock: String::new(),
        waits: String::new(),
        more: String::new(),
        instead: String::new(),
    }
}

pub(super) fn judge(state: &mut State, known: &At, found: &mut Vec<Fault>) {
    let effects = known.effects;
    if effects.needs_no_transaction && known.transactional {
        found.push(Fault {
            what: what(known.form),
            instead: state.tool.outside().to_owned(),
            ..fault("concurrently-in-transaction")
        });
    }
    // What is refused does no work.
    if effects.refused.is_some() {
        return;
    }
    if known.transactional && !effects.needs_no_transaction {
        under_held_lock(state, known, found);
        value_too_soon(state, known, found);
    }
    let blocks = effects.locks.iter().find(|(_, mode)| mode.blocks_writes());
    if let Some((name, mode)) = blocks
        && !state.patience.is_limited()
        && !state.told_patience
    {
        state.told_patience = true;
        found.push(Fault {
            what: what(known.form),
            table: shown(name),
            lock: mode.sql().to_owned(),
            waits: mode.plainly().to_owned(),
            instead: "SET lock_timeout = '2s';".to_owned(),
            ..fault("no-lock-timeout")
        });
    }
}

/// Work in proportion to a table, while a lock of an earlier statement keeps somebody out.
fn under_held_lock(state: &State, known: &At, found: &mut Vec<Fault>) {
    let effects = known.effects;
    let held = |name: &QualifiedName| state.chain.beside.held.get(name).copied();
    let validates = match known.form {
        Ddl::AlterTable { actions, .. } => actions
            .iter()
            .any(|action| matches!(action, TableAction::ValidateConstraint(_))),
        _ => false,
    };
    if validates {
        let both = effects
            .scans
            .iter()
            .filter_map(|name| Some((name, held(name)?)));
        if let Some((name, mode)) = both.max_by_key(|(_, mode)| *mode) {
            found.push(Fault {
                what: what(known.form),
                table: shown(name),
                lock: mode.sql().to_owned(),
                waits: mode.plainly().to_owned(),
                instead: "COMMIT before it, and validate in a transaction of its own".to_owned(),
                ..fault("validates-under-lock")
            });
            return;
        }
    }
    let worked = effects
        .scans
        .iter()
        .chain(&effects.rewrites)
        .chain(&effects.builds_index)
        .chain(
            effects
                .writes
                .iter()
                .filter(|(_, whole)| **whole || is_unbounded(known.form))
                .map(|(name, _)| name),
        );
    if worked.clone().next().is_none() {
        return;
    }
    // What the statement locks itself is told of it alone.
    let own = |name: &QualifiedName| effects.lock_of(name).is_some_and(LockMode::blocks_writes);
    let mut others = state
        .chain
        .beside
        .held
        .iter()
        .filter(|(name, _)| !own(name));
    let Some((name, mode)) = others.next() else {
        return;
    };
    found.push(Fault {
        what: what(&part(known.form, &state.chain, works)),
        table: shown(name),
        lock: mode.sql().to_owned(),
        waits: mode.plainly().to_owned(),
        more: listed(worked.collect::<std::collections::BTreeSet<_>>()),
        instead: "put it into a transaction of its own".to_owned(),
        ..fault("works-under-held-lock")
    });
}

/// Whether nothing in the condition of a change says that it is about few rows: a value that a column is equal to, a stretch of keys, LIMIT.
fn is_unbounded(form: &Ddl) -> bool {
    let (Ddl::Update { condition, .. } | Ddl::Delete { condition, .. }) = form else {
        return matches!(form, Ddl::With(parts) if parts.iter().any(is_unbounded));
    };
    let text = condition.as_deref().unwrap_or_default();
    let all: Vec<Token> = tokens(text)
        .into_iter()
        .filter(|token| token.kind != TokenKind::Comment && !token.is_symbol(text, "("))
        .collect();
    let is_value = |token: Option<&Token>| {
        token.is_some_and(|token| {
            matches!(
                token.kind,
                TokenKind::String | TokenKind::Number | TokenKind::Param | TokenKind::Positional
            )
        })
    };
    let limits = (0..all.len()).any(|at| {
        let is_equal = all[at].text(text) == "=" || all[at].is(text, "in");
        let before = at.checked_sub(1).and_then(|at| all.get(at));
        let any_of = |word: &str| all[at].is(text, word);
        is_equal && (is_value(all.get(at + 1)) || is_value(before))
            || any_of("between")
            || any_of("limit")
            || any_of("fetch")
            || any_of("current")
    });
    !limits
}

/// Whether a statement goes through a whole table.
fn works(effects: &Effects) -> bool {
    let all = !effects.scans.is_empty()
        || !effects.rewrites.is_empty()
        || !effects.builds_index.is_empty();
    all || effects.writes.values().any(|whole| *whole)
}

/// A value of an enum can be used only when the transaction that added it is over.
fn value_too_soon(state: &State, known: &At, found: &mut Vec<Fault>) {
    let fresh = &state.chain.beside.fresh_values;
    let is_adding = matches!(
        known.form,
        Ddl::AlterType {
            action: TypeAction::AddValue { .. },
            ..
        }
    );
    if fresh.is_empty() || is_adding {
        return;
    }
    // What a function will say when it is called is not said now.
    if matches!(
        known.form,
        Ddl::CreateFunction { .. } | Ddl::Do | Ddl::Comment { .. }
    ) {
        return;
    }
    let used = fresh.iter().find(|(_, value)| {
        let literal = crate::sql::literal(value);
        let is_it = |token: &Token| token.text(known.sql) == literal.as_str();
        known.sql.contains(literal.as_str()) && tokens(known.sql).iter().any(is_it)
    });
    if let Some((name, value)) = used {
        found.push(Fault {
            what: format!("'{value}'"),
            table: shown(name),
            instead: "add the value in a migration of its own, before".to_owned(),
            ..fault("enum-value-used-too-soon")
        });
    }
}
