//! Single writes that no command makes, against each other: what the database itself is said to refuse, it must refuse to
//! everybody at any time.

use std::sync::Arc;

use super::arena::Arena;
use super::program::{Program, Script};
use super::state::Start;
use crate::error::Error;
use crate::invariant::{Case, Value, Write};
use crate::sql::{self, Ident, SqlText, fill, fixed};
use crate::verify::seed::{Maker, NewRow};

/// Two writes that are legal one without the other, and the state they start from.
pub(super) struct RawTrial {
    pub start: Start,
    pub programs: Vec<Program>,
}

/// Makes a trial of a case: the illegal write races the last legal one that makes it illegal.
pub(super) async fn trial(
    arena: &mut Arena<'_>,
    maker: &Maker,
    case: &Case,
) -> Result<Option<RawTrial>, Error> {
    let mut rows: Vec<NewRow> = Vec::new();
    let mut made: Vec<Option<NewRow>> = Vec::new();
    let (first, before) = match case.before.split_last() {
        Some((last, before)) => (std::slice::from_ref(last), before),
        None => (&[][..], &[][..]),
    };
    for write in before {
        let Some(table) = inserted(write) else {
            return Ok(None);
        };
        let Some(added) = row(arena, maker, &mut rows, write, table, &mut made).await? else {
            return Ok(None);
        };
        rows[added].asked = true;
    }
    let mut programs = Vec::new();
    for (title, writes) in [
        ("a write", first),
        ("a second write", case.illegal.as_slice()),
    ] {
        let mut statements = Vec::new();
        for write in writes {
            let Some(sql) = statement(arena, maker, &mut rows, write, &mut made).await? else {
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
    maker.complete(&mut rows);
    let start = Start {
        name: case.title.clone(),
        rows,
        authored: false,
    };
    Ok((!programs.is_empty()).then_some(RawTrial { start, programs }))
}

fn inserted(write: &Write) -> Option<&Ident> {
    match write {
        Write::Insert { table, .. } => Some(table),
        _ => None,
    }
}

/// The statements of one write. Parents of a new row go into the state.
async fn statement(
    arena: &mut Arena<'_>,
    maker: &Maker,
    rows: &mut Vec<NewRow>,
    write: &Write,
    made: &mut Vec<Option<NewRow>>,
) -> Result<Option<Vec<SqlText>>, Error> {
    match write {
        Write::Insert { table, .. } => {
            let Some(at) = row(arena, maker, rows, write, table, made).await? else {
                return Ok(None);
            };
            let new = rows.remove(at);
            Ok(Some(maker.statements(&[new])))
        }
        Write::Update { row, set } => {
            let Some(old) = made.get(*row).cloned().flatten() else {
                return Ok(None);
            };
            let Some(values) = values(arena, maker, &old.table, set, made).await? else {
                return Ok(None);
            };
            Ok(Some(vec![sql::update(
                &qualified(arena, &old.table),
                &values,
                &maker.key_of(&old),
            )]))
        }
        Write::Delete { row } => {
            let Some(old) = made.get(*row).cloned().flatten() else {
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

/// Makes the row of an INSERT; it stands last among the rows, after parents that were not there.
async fn row(
    arena: &mut Arena<'_>,
    maker: &Maker,
    rows: &mut Vec<NewRow>,
    write: &Write,
    table: &Ident,
    made: &mut Vec<Option<NewRow>>,
) -> Result<Option<usize>, Error> {
    let Write::Insert { row, set, .. } = write else {
        return Ok(None);
    };
    let Some(overrides) = values(arena, maker, table, set, made).await? else {
        return Ok(None);
    };
    let Some(at) = maker.add(rows, table, &overrides, *row as u64) else {
        return Ok(None);
    };
    made.resize(made.len().max(*row + 1), None);
    made[*row] = Some(rows[at].clone());
    Ok(Some(at))
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
