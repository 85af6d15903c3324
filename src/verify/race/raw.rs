//! Single writes that no command makes, against each other: what the database itself is said to refuse, it must refuse to
//! everybody at any time.

use std::sync::Arc;

use super::arena::Arena;
use super::program::{Program, Script};
use super::state::{Origin, Start};
use crate::error::Error;
use crate::invariant::{Case, Value, Write};
use crate::sql::{self, Ident, SqlText, fill, fixed};
use crate::verify::seed::{Maker, NewRow};

/// Writes, and the state they start from.
pub(super) struct RawTrial {
    pub start: Start,
    pub programs: Vec<Program>,
}

/// Rows while a trial is made.
#[derive(Default)]
struct Rows {
    /// Those of the starting point.
    state: Vec<NewRow>,
    /// Those that programs write.
    written: Vec<NewRow>,
    /// By their number in the case.
    numbered: Vec<Option<NewRow>>,
    /// Whether new rows are written with all that must come with them.
    whole: bool,
}

/// Makes the trials of a case: the illegal write by itself, and racing the last legal one that makes it illegal; each with the
/// bare row, and with all that must come with it in one transaction, or another rule would refuse it first.
pub(super) async fn trials(
    arena: &mut Arena<'_>,
    maker: &Maker,
    case: &Case,
) -> Result<Vec<RawTrial>, Error> {
    let mut trials: Vec<RawTrial> = Vec::new();
    let all = case.before.len();
    let raced = all.checked_sub(1);
    for kept in std::iter::once(all).chain(raced) {
        for whole in [false, true] {
            if let Some(trial) = trial(arena, maker, case, kept, whole).await?
                && !trials.iter().any(|known| known.is_same(&trial))
            {
                trials.push(trial);
            }
        }
    }
    Ok(trials)
}

impl RawTrial {
    fn is_same(&self, other: &RawTrial) -> bool {
        let texts = |trial: &RawTrial| -> Vec<Vec<String>> {
            trial
                .programs
                .iter()
                .map(|program| program.script.texts())
                .collect()
        };
        self.start.rows == other.start.rows && texts(self) == texts(other)
    }
}

/// The first `kept` of the legal writes make the state, the others and the illegal ones are programs.
async fn trial(
    arena: &mut Arena<'_>,
    maker: &Maker,
    case: &Case,
    kept: usize,
    whole: bool,
) -> Result<Option<RawTrial>, Error> {
    let (before, first) = case.before.split_at(kept);
    let mut rows = Rows {
        whole,
        ..Rows::default()
    };
    for write in before {
        let Some(table) = inserted(write) else {
            return Ok(None);
        };
        let Some((row, parents)) = row(arena, maker, &mut rows, write, table).await? else {
            return Ok(None);
        };
        rows.state.extend(parents);
        rows.state.push(row);
    }
    maker.complete(&mut rows.state);
    let mut programs = Vec::new();
    for (title, writes) in [
        ("a write", first),
        ("an illegal write", case.illegal.as_slice()),
    ] {
        let mut statements = Vec::new();
        for write in writes {
            let Some(sql) = statement(arena, maker, &mut rows, write).await? else {
                return Ok(None);
            };
            statements.extend(sql);
        }
        if !statements.is_empty() {
            let script =
                Script::of_writes(title.to_owned(), statements, &|sql| arena.footprint(sql));
            programs.push(Program {
                script: Arc::new(script),
                args: Default::default(),
            });
        }
    }
    maker.complete(&mut rows.state);
    let start = Start {
        name: case.title.clone(),
        rows: rows.state,
        origin: Origin::MadeUp,
    };
    Ok((!programs.is_empty()).then_some(RawTrial { start, programs }))
}

fn inserted(write: &Write) -> Option<&Ident> {
    match write {
        Write::Insert { table, .. } => Some(table),
        _ => None,
    }
}

/// The statements of one write. Parents of a bare row go into the state.
async fn statement(
    arena: &mut Arena<'_>,
    maker: &Maker,
    rows: &mut Rows,
    write: &Write,
) -> Result<Option<Vec<SqlText>>, Error> {
    let known = |rows: &Rows, row: usize| rows.numbered.get(row).cloned().flatten();
    match write {
        Write::Insert { table, .. } => {
            let Some((new, parents)) = row(arena, maker, rows, write, table).await? else {
                return Ok(None);
            };
            // Written as it is to end up, not along the way on which a row may get there.
            let new = new.at_once();
            let there = rows.state.len() + rows.written.len();
            let mut statements = vec![new];
            if rows.whole {
                let mut all: Vec<NewRow> = rows
                    .state
                    .iter()
                    .chain(&rows.written)
                    .chain(&parents)
                    .cloned()
                    .collect();
                all.extend(statements);
                maker.complete(&mut all);
                statements = all.split_off(there);
            } else {
                rows.state.extend(parents);
            }
            rows.written.extend(statements.iter().cloned());
            Ok(Some(maker.statements(&statements)))
        }
        Write::Update { row, set } => {
            let Some(old) = known(rows, *row) else {
                return Ok(None);
            };
            let Some(mut values) = values(arena, maker, &old.table, set, &rows.numbered).await?
            else {
                return Ok(None);
            };
            if rows.whole {
                values = maker.adjusted(&old, &values);
            }
            Ok(Some(vec![sql::update(
                &qualified(arena, &old.table),
                &values,
                &maker.key_of(&old),
            )]))
        }
        Write::Delete { row } => {
            let Some(old) = known(rows, *row) else {
                return Ok(None);
            };
            Ok(Some(vec![sql::delete(
                &qualified(arena, &old.table),
                &maker.key_of(&old),
            )]))
        }
        Write::Truncate { table } => {
            let table = sql::quote_qualified(&qualified(arena, table));
            Ok(Some(vec![fill(
                "TRUNCATE {table} CASCADE",
                &[("table", &table)],
            )]))
        }
    }
}

fn qualified(arena: &Arena<'_>, table: &Ident) -> crate::sql::QualifiedName {
    arena.ground.model.qualified(table)
}

/// Makes the row of an INSERT, and the parents that are not there yet.
async fn row(
    arena: &mut Arena<'_>,
    maker: &Maker,
    rows: &mut Rows,
    write: &Write,
    table: &Ident,
) -> Result<Option<(NewRow, Vec<NewRow>)>, Error> {
    let Write::Insert { row, set, .. } = write else {
        return Ok(None);
    };
    let Some(overrides) = values(arena, maker, table, set, &rows.numbered).await? else {
        return Ok(None);
    };
    let mut all: Vec<NewRow> = rows.state.iter().chain(&rows.written).cloned().collect();
    let there = all.len();
    if maker
        .add(&mut all, table, &overrides, *row as u64)
        .is_none()
    {
        return Ok(None);
    }
    let mut added = all.split_off(there);
    let own = added.pop();
    // A parent that was made up although it must not be there.
    let lost = |name: &Ident| {
        set.iter()
            .any(|(column, value)| column == name && *value == Value::Dangling)
    };
    let dangling: Vec<Option<String>> = overrides
        .iter()
        .filter(|(column, value)| value.is_some() && lost(column))
        .map(|(_, value)| value.clone())
        .collect();
    added.retain(|parent| {
        !parent
            .values
            .iter()
            .any(|(_, value)| dangling.contains(value))
    });
    rows.numbered
        .resize(rows.numbered.len().max(*row + 1), None);
    rows.numbered[*row] = own.clone();
    Ok(own.map(|own| (own, added)))
}

async fn values(
    arena: &mut Arena<'_>,
    maker: &Maker,
    table: &Ident,
    set: &[(Ident, Value)],
    made: &[Option<NewRow>],
) -> Result<Option<Vec<(Ident, Option<String>)>>, Error> {
    let of = |row: usize, column: &Ident| {
        let row = made.get(row).and_then(Option::as_ref)?;
        row.value(column).cloned()
    };
    let mut values = Vec::with_capacity(set.len());
    for (column, value) in set {
        let value = match value {
            Value::Null => None,
            Value::Same(row, other) => of(*row, other).flatten(),
            Value::Different(row, other) => {
                maker.different(table, column, of(*row, other).flatten().as_deref())
            }
            Value::Dangling => maker.dangling(table, column),
            Value::Filled => maker.different(table, column, None),
            Value::Other(known) => {
                let mut taken = Vec::with_capacity(known.len());
                for expression in known {
                    taken.extend(evaluate(arena, expression).await?.flatten());
                }
                maker.unlike(table, column, &taken)
            }
            Value::Sql(expression) => match evaluate(arena, expression).await? {
                Some(value) => value,
                None => return Ok(None),
            },
        };
        values.push((column.clone(), value));
    }
    Ok(Some(values))
}

/// The value of an expression; `None` where it has none by itself.
async fn evaluate(
    arena: &mut Arena<'_>,
    expression: &SqlText,
) -> Result<Option<Option<String>>, Error> {
    let asked = fill(
        "SELECT CAST(({expression}) AS text)",
        &[("expression", expression)],
    );
    match arena.control.query(&asked).await {
        Ok(rows) => Ok(Some(rows.scalar().map(str::to_owned))),
        Err(_) => {
            arena
                .control
                .batch(&fixed("ROLLBACK"))
                .await
                .map_err(|e| e.into_error("work out a value"))?;
            Ok(None)
        }
    }
}
