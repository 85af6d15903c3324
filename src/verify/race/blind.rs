//! Writes that nobody thought of: each column of a rule changed by itself, a row too many, a row too few. They reach what the
//! smallest illegal write of a kind does not, because another rule would refuse it first.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::arena::Arena;
use super::program::{Program, Script};
use super::raw::RawTrial;
use super::state::{Origin, Start};
use crate::design::{Invariant, Limit, Name, Rule};
use crate::source::Text;
use crate::sql::{self, Expression, Ident, SqlText, parse_expression};
use crate::verify::seed::{Maker, NewRow, Values};

/// Number of the row that is there, of a second one, and of parents that nobody refers to.
const THERE: u64 = 0;
const SECOND: u64 = 5;
const SPARE: u64 = 9;

/// One trial for each write.
pub(super) fn trials(arena: &Arena<'_>, maker: &Maker, invariant: &Invariant) -> Vec<RawTrial> {
    match &invariant.rule {
        Rule::Immutable {
            table,
            columns,
            once,
        } => {
            let all = maker.columns(&table.ident);
            let columns = match columns.is_empty() {
                true => all,
                false => columns.iter().map(|name| name.ident.clone()).collect(),
            };
            updates(arena, maker, table, &columns, once.as_ref())
        }
        Rule::Balanced {
            table,
            sum,
            equals,
            predicate,
            ..
        } => {
            let mut trials = updates(arena, maker, table, &columns_of(sum), predicate.as_ref());
            if let Limit::Column {
                table: parent,
                column,
            } = equals
            {
                trials.extend(updates(
                    arena,
                    maker,
                    parent,
                    std::slice::from_ref(&column.ident),
                    None,
                ));
            }
            trials.extend(one_more(arena, maker, table, predicate.as_ref()));
            trials.extend(one_less(arena, maker, table, predicate.as_ref()));
            trials
        }
        Rule::Check {
            table,
            is,
            predicate,
        } => updates(arena, maker, table, &columns_of(is), predicate.as_ref()),
        Rule::RequiredChild { child, .. } => {
            one_less(arena, maker, child, None).into_iter().collect()
        }
        Rule::ExactlyOne {
            table, predicate, ..
        }
        | Rule::AtMost {
            table, predicate, ..
        } => {
            let named = predicate.as_ref().map(columns_of).unwrap_or_default();
            let mut trials = updates(arena, maker, table, &named, None);
            trials.extend(one_more(arena, maker, table, predicate.as_ref()));
            trials.extend(one_less(arena, maker, table, predicate.as_ref()));
            trials
        }
        _ => Vec::new(),
    }
}

fn columns_of(text: &Text) -> Vec<Ident> {
    parse_expression(text.as_str())
        .map(|e| e.columns().into_iter().collect())
        .unwrap_or_default()
}

fn conditions(predicate: Option<&Text>) -> Vec<Expression> {
    let read = predicate.and_then(|text| parse_expression(text.as_str()));
    read.map(|condition| Expression::IsTrue(Box::new(condition)))
        .into_iter()
        .collect()
}

/// A row with all it needs.
fn there(maker: &Maker, table: &Name, predicate: Option<&Text>) -> Option<(Vec<NewRow>, NewRow)> {
    let mut rows = Vec::new();
    let at = maker.add_where(&mut rows, &table.ident, &[], &conditions(predicate), THERE)?;
    let row = rows[at].clone();
    maker.complete(&mut rows);
    Some((rows, row))
}

fn updates(
    arena: &Arena<'_>,
    maker: &Maker,
    table: &Name,
    columns: &[Ident],
    predicate: Option<&Text>,
) -> Vec<RawTrial> {
    let mut trials = Vec::new();
    let mut done: BTreeSet<Ident> = BTreeSet::new();
    for column in columns {
        let Some((mut rows, row)) = there(maker, table, predicate) else {
            continue;
        };
        if !done.insert(column.clone()) {
            continue;
        }
        let set: Values = match maker.other_parent(&mut rows, &row, column, SPARE) {
            Some(key) => key,
            None => {
                let old = row.value(column).cloned().flatten();
                let Some(new) = maker.different(&table.ident, column, old.as_deref()) else {
                    continue;
                };
                vec![(column.clone(), Some(new))]
            }
        };
        let table = arena.ground.model.qualified(&table.ident);
        let write = sql::update(&table, &set, &maker.key_of(&row));
        trials.push(trial(
            arena,
            rows,
            format!("{} changed", column.as_str()),
            vec![write],
        ));
    }
    trials
}

fn one_more(
    arena: &Arena<'_>,
    maker: &Maker,
    table: &Name,
    predicate: Option<&Text>,
) -> Option<RawTrial> {
    let (rows, row) = there(maker, table, predicate)?;
    let mut with_second = rows.clone();
    let key = maker.reference_values(&row);
    let at = maker.add_where(
        &mut with_second,
        &table.ident,
        &key,
        &conditions(predicate),
        SECOND,
    )?;
    let second = with_second.remove(at).at_once();
    let write = maker.statements(&[second]);
    Some(trial(arena, with_second, "a row more".to_owned(), write))
}

fn one_less(
    arena: &Arena<'_>,
    maker: &Maker,
    table: &Name,
    predicate: Option<&Text>,
) -> Option<RawTrial> {
    let (rows, row) = there(maker, table, predicate)?;
    let write = sql::delete(
        &arena.ground.model.qualified(&table.ident),
        &maker.key_of(&row),
    );
    Some(trial(arena, rows, "a row less".to_owned(), vec![write]))
}

fn trial(arena: &Arena<'_>, rows: Vec<NewRow>, what: String, write: Vec<SqlText>) -> RawTrial {
    let script = Script::of_writes("a write".to_owned(), write, &|sql| arena.footprint(sql));
    RawTrial {
        start: Start {
            name: what,
            rows,
            origin: Origin::MadeUp,
        },
        programs: vec![Program {
            script: Arc::new(script),
            args: Default::default(),
        }],
    }
}
