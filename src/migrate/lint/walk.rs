//! From file to file and statement to statement.

use std::ops::Range;

use super::allow::{Allow, allows};
use super::block::inside;
use super::fault::{Allowed, Fault, Linted, Options};
use super::forms::forms;
use super::{hazards, rows, texts, transactions};
use crate::catalog::Catalog;
use crate::migrate::chain::Chain;
use crate::migrate::effect::Effects;
use crate::migrate::files::{MigrationFile, Migrations, Statement, Tool};
use crate::sql::{Ddl, Ident, TokenKind, Transaction, ddl, tokens};

/// What the statements before the one at hand have brought about.
pub(super) struct State {
    pub(super) chain: Chain,
    pub(super) tool: Tool,
    /// Where the file's own BEGIN stands, while its transaction is open.
    pub(super) begun: Option<Range<usize>>,
    /// What was before BEGIN and before each savepoint; kept only for files in which something is rolled back.
    pub(super) before: Vec<(Option<Ident>, Chain)>,
    /// Whether lock_timeout is set, for the session or the transaction.
    pub(super) patience: transactions::Patience,
    /// Whether it was said of this file that nothing limits its waits.
    pub(super) told_patience: bool,
}

/// A statement with all that is known of it.
pub(super) struct At<'s> {
    pub(super) form: &'s Ddl,
    pub(super) effects: &'s Effects,
    pub(super) sql: &'s str,
    /// Whether it runs in a transaction that others are in too.
    pub(super) transactional: bool,
}

/// What is wrong with migrations, `texts` being the whole text of each file.
pub fn lint(migrations: &Migrations, texts: &[&str], options: &Options) -> Linted {
    let mut state = State {
        chain: Chain::new(Catalog::default(), options.version),
        tool: migrations.tool,
        begun: None,
        before: Vec::new(),
        patience: transactions::Patience::default(),
        told_patience: false,
    };
    state.chain.beside.is_whole = options.is_whole;
    let mut linted = Linted::default();
    let filled = |fault: &mut Fault| fault.fill(&migrations.placeholders);
    let mut is_past = options.since.is_some();
    for (index, file) in migrations.files.iter().enumerate() {
        is_past &= options
            .since
            .as_ref()
            .is_some_and(|since| file.version != *since);
        let text = texts.get(index).copied().unwrap_or_default();
        let mut one = of_file(&mut state, file, text, index);
        if !is_past {
            linted.faults.append(&mut one.faults);
            linted.allowed.append(&mut one.allowed);
        }
        linted.unknown.append(&mut one.unknown);
        linted.statements += one.statements;
    }
    linted.faults.iter_mut().for_each(filled);
    linted
        .allowed
        .iter_mut()
        .for_each(|own| filled(&mut own.fault));
    linted
}

fn of_file(state: &mut State, file: &MigrationFile, text: &str, index: usize) -> Linted {
    let mut linted = Linted::default();
    let places: Vec<Range<usize>> = file.up.iter().map(|own| own.at.clone()).collect();
    let mut allows = allows(text, &places);
    state.told_patience = false;
    let mut unit: Option<usize> = None;
    let forms = forms(&file.up);
    state.before.clear();
    let keeps = forms.iter().any(|form| {
        matches!(
            form,
            Ok(Ddl::Transaction(
                Transaction::Rollback | Transaction::RollbackTo(_)
            ))
        )
    });
    for (number, (statement, form)) in file.up.iter().zip(forms).enumerate() {
        linted.statements += 1;
        let at = head(statement);
        if unit.is_some_and(|unit| unit != statement.unit) {
            // Each changeset is a migration of its own, however many are in a file.
            match state.tool {
                Tool::Liquibase => state.chain.end_migration(),
                _ => state.chain.end_transaction(),
            }
            state.patience.end_transaction();
        }
        unit = Some(statement.unit);
        let form = match form {
            Ok(form) => form,
            Err(fault) => {
                let why = format!("it cannot be read: {}", fault.message);
                linted.unknown.push((index, at, why));
                continue;
            }
        };
        if form == Ddl::Do
            && let Some(block) = inside(statement)
        {
            if block.is_dynamic {
                let why = "what EXECUTE runs in a DO block is not seen".to_owned();
                linted.unknown.push((index, at, why));
            }
            for own in &block.statements {
                for fault in of_block(state, own, &mut linted.unknown, index) {
                    take(&mut linted, &mut allows, number, fault);
                }
            }
            if !statement.transactional && state.begun.is_none() {
                state.chain.end_transaction();
            }
            continue;
        }
        let effects = state.chain.effects(&form);
        if let Some(why) = &effects.unknown {
            linted.unknown.push((index, at.clone(), why.clone()));
        }
        let known = At {
            form: &form,
            effects: &effects,
            sql: &statement.sql,
            transactional: statement.transactional || state.begun.is_some(),
        };
        for fault in placed(judge(state, &known), index, &at) {
            take(&mut linted, &mut allows, number, fault);
        }
        if keeps {
            keep(state, &form);
        }
        follow(state, &form, &effects, statement, at);
        if let (true, Ddl::Transaction(end)) = (keeps, &form) {
            take_back(state, end);
        }
    }
    if let Some(begun) = state.begun.take() {
        let mut fault = transactions::left_open();
        (fault.file, fault.at) = (index, begun);
        let last = file.up.len().saturating_sub(1);
        take(&mut linted, &mut allows, last, fault);
    }
    state.chain.end_migration();
    state.patience = transactions::Patience::default();
    for allow in allows.iter().filter(|allow| !allow.used) {
        linted.faults.push(texts::unused(allow, index));
    }
    linted
        .faults
        .sort_by_key(|fault| (fault.at.start, fault.at.end, fault.code));
    linted
}

/// A statement of a DO block, all of which is one transaction but for its own COMMIT. What the server would refuse is behind a condition, or caught.
fn of_block(
    state: &mut State,
    own: &Statement,
    unknown: &mut Vec<(usize, Range<usize>, String)>,
    index: usize,
) -> Vec<Fault> {
    let at = head(own);
    let form = match ddl(&own.sql) {
        Ok(form) => form,
        Err(fault) => {
            let why = format!("it cannot be read: {}", fault.message);
            unknown.push((index, at, why));
            return Vec::new();
        }
    };
    let effects = state.chain.effects(&form);
    if effects.refused.is_some() {
        return Vec::new();
    }
    if let Some(why) = &effects.unknown {
        unknown.push((index, at.clone(), why.clone()));
    }
    let known = At {
        form: &form,
        effects: &effects,
        sql: &own.sql,
        transactional: true,
    };
    let found = match form {
        Ddl::Transaction(_) => Vec::new(),
        _ => judge(state, &known),
    };
    follow(state, &form, &effects, own, at.clone());
    placed(found, index, &at).collect()
}

fn placed(found: Vec<Fault>, file: usize, at: &Range<usize>) -> impl Iterator<Item = Fault> {
    let at = at.clone();
    found.into_iter().map(move |fault| Fault {
        file,
        at: at.clone(),
        ..fault
    })
}

fn judge(state: &mut State, known: &At) -> Vec<Fault> {
    let mut found = Vec::new();
    transactions::judge(state, known, &mut found);
    hazards::judge(state, known, &mut found);
    rows::judge(state, known, &mut found);
    texts::judge(state, known, &mut found);
    found
}

fn take(linted: &mut Linted, allows: &mut [Allow], statement: usize, fault: Fault) {
    let by = allows.iter_mut().find(|allow| {
        allow.statement == statement && allow.code == fault.code && !allow.because.is_empty()
    });
    match by {
        Some(allow) => {
            allow.used = true;
            let because = allow.because.clone();
            linted.allowed.push(Allowed { fault, because });
        }
        None => linted.faults.push(fault),
    }
}

/// Remembers what is before a transaction or a savepoint.
fn keep(state: &mut State, form: &Ddl) {
    let point = match form {
        Ddl::Transaction(Transaction::Begin) => None,
        Ddl::Transaction(Transaction::Savepoint(name)) => Some(name.clone()),
        _ => return,
    };
    if point.is_none() {
        state.before.clear();
    }
    state.before.push((point, state.chain.clone()));
}

/// What is rolled back has not been.
fn take_back(state: &mut State, end: &Transaction) {
    let at = match end {
        Transaction::Rollback => state.before.iter().position(|(point, _)| point.is_none()),
        Transaction::RollbackTo(name) => {
            let mut points = state.before.iter();
            points.rposition(|(point, _)| point.as_ref() == Some(name))
        }
        _ => None,
    };
    if let Some(at) = at {
        state.chain = state.before[at].1.clone();
        state.before.truncate(at + 1);
    }
    if matches!(end, Transaction::Rollback | Transaction::Commit) {
        state.before.clear();
    }
}

fn follow(
    state: &mut State,
    form: &Ddl,
    effects: &Effects,
    statement: &Statement,
    at: Range<usize>,
) {
    use Transaction::*;
    if let Ddl::Set(setting) = form {
        state.patience.set(setting);
    }
    match form {
        Ddl::Transaction(Begin) => {
            state.chain.end_transaction();
            state.begun = Some(at);
        }
        Ddl::Transaction(Commit | Rollback | Prepare) => {
            state.begun = None;
            state.patience.end_transaction();
        }
        _ => {}
    }
    state.chain.follow(form, effects);
    if !statement.transactional && state.begun.is_none() {
        state.chain.end_transaction();
    }
}

/// The statement without the comments before it, as far as its first line goes.
fn head(statement: &Statement) -> Range<usize> {
    let text = &statement.sql;
    let first = match text.starts_with(['-', '/']) {
        true => tokens(text)
            .into_iter()
            .find(|token| token.kind != TokenKind::Comment)
            .map_or(0, |token| token.range.start),
        false => 0,
    };
    let length = text[first..].find('\n').unwrap_or(text.len() - first);
    let start = statement.at.start + first;
    start..start + text[first..first + length].trim_end().len()
}
