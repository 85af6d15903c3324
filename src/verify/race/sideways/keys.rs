//! Unique and foreign keys that do not name the tenant: the server says whether a value is there, whoever has it.

use super::attack::{Around, Walls};
use crate::catalog::Table;
use crate::error::Error;
use crate::postgres::{Rows, SqlFailure, SqlState};
use crate::sql::{Ident, SqlText};
use crate::verify::race::isolated::{Tenants, ask, say_who};
use crate::verify::race::racer::Racer;
use crate::verify::seed::{NewRow, Values};

/// Numbers of rows that nobody has: one that is tried, and what it would refer to.
const TRIED: u64 = 31;
const NOBODY: u64 = 97;

/// Tries each key.
pub(super) async fn attack(
    racer: &mut Racer<'_>,
    walls: &Walls<'_>,
    tenants: &Tenants,
    around: &mut Around,
) -> Result<(), Error> {
    for pair in keys(racer, walls, tenants) {
        try_key(racer, walls, tenants, pair, around).await?;
    }
    Ok(())
}

/// The same row twice: once with what another tenant has, once with what nobody has.
struct Pair {
    what: String,
    theirs: SqlText,
    nobodys: SqlText,
}

/// Rows of the tenant's own that meet another tenant's in a key that does not name the tenant.
fn keys(racer: &Racer<'_>, walls: &Walls<'_>, tenants: &Tenants) -> Vec<Pair> {
    let catalog = racer.arena.ground.catalog;
    let model = racer.arena.ground.model;
    let Some(table) = catalog.tables.get(&model.qualified(&walls.table.ident)) else {
        return Vec::new();
    };
    let by = &walls.by.ident;
    let mut pairs = Vec::new();
    let own_keys = table.primary_key.iter().map(|(_, key)| key);
    for key in own_keys.chain(table.uniques.values()) {
        if key.columns.contains(by) || cannot_be_guessed(table, &key.columns) {
            continue;
        }
        let of = |row| values(row, &key.columns);
        pairs.extend(pair(
            racer,
            walls,
            tenants,
            of(&tenants.theirs),
            of(&tenants.strange),
            {
                format!(
                    "learns from the key ({}) of {} what another tenant has",
                    list(&key.columns),
                    walls.table.as_str()
                )
            },
        ));
    }
    for key in table.foreign_keys.values() {
        let parent = &key.table.name;
        let is_kept_apart = walls.tables.iter().any(|table| table.ident == *parent);
        if key.columns.contains(by) || !is_kept_apart {
            continue;
        }
        let number = |name| racer.maker.numbered(parent, name, NOBODY);
        let nobody = key.columns.iter().zip(&key.key);
        let nobody: Option<Values> = nobody
            .map(|(column, of)| Some((column.clone(), Some(number(of)?))))
            .collect();
        let theirs = values(&tenants.theirs, &key.columns);
        pairs.extend(pair(racer, walls, tenants, theirs, nobody, {
            format!(
                "refers to another tenant's row of {} by ({})",
                parent.as_str(),
                list(&key.columns)
            )
        }));
    }
    pairs
}

/// Whoever knows an identifier that is made by chance has been given it.
fn cannot_be_guessed(table: &Table, columns: &[Ident]) -> bool {
    let is_uuid = |name: &Ident| {
        let column = table.column(name);
        column.is_some_and(|column| column.data_type.as_str().eq_ignore_ascii_case("uuid"))
    };
    columns.iter().any(is_uuid)
}

fn list(columns: &[Ident]) -> String {
    let names: Vec<&str> = columns.iter().map(Ident::as_str).collect();
    names.join(", ")
}

/// What a row has in these columns; nothing where one of them is null or the server's to fill.
fn values(row: &NewRow, columns: &[Ident]) -> Option<Values> {
    let value = |column: &Ident| Some((column.clone(), Some(row.value(column)?.clone()?)));
    columns.iter().map(value).collect()
}

fn pair(
    racer: &Racer<'_>,
    walls: &Walls<'_>,
    tenants: &Tenants,
    theirs: Option<Values>,
    nobodys: Option<Values>,
    what: String,
) -> Option<Pair> {
    let (theirs, nobodys) = (theirs?, nobodys?);
    let mut values = theirs;
    values.push((walls.by.ident.clone(), Some(tenants.own.clone())));
    for (name, value) in racer.maker.reference_values(&tenants.mine) {
        if !values.iter().any(|(known, _)| *known == name) {
            values.push((name, value));
        }
    }
    let mut rows = tenants.rows.clone();
    let before = rows.len();
    let at = racer
        .maker
        .add(&mut rows, &walls.table.ident, &values, TRIED)?;
    // It needs nothing that is not there.
    let row = (rows.len() == before + 1).then(|| rows.swap_remove(at).at_once())?;
    let mut other = row.clone();
    for (name, value) in nobodys {
        let own = other.values.iter_mut().find(|(known, _)| *known == name)?;
        own.1 = value;
    }
    let write = |row| racer.maker.statements(&[row]).into_iter().next();
    Some(Pair {
        what,
        theirs: write(row)?,
        nobodys: write(other)?,
    })
}

async fn try_key(
    racer: &mut Racer<'_>,
    walls: &Walls<'_>,
    tenants: &Tenants,
    pair: Pair,
    around: &mut Around,
) -> Result<(), Error> {
    if around.breach.is_some() {
        return Ok(());
    }
    around.tried += 1;
    let mut answers = Vec::new();
    for sql in [&pair.theirs, &pair.nobodys] {
        let said = Some(say_who(walls.setting, &tenants.own));
        answers.push(ask(&mut racer.arena, tenants.state, &walls.who(), said, sql).await?);
    }
    let shown = |answer: &Result<Rows, SqlFailure>| match answer {
        Ok(_) => "it is accepted".to_owned(),
        Err(failure) => format!("it is refused with {}", failure.sqlstate.code()),
    };
    let is_key = |answer: &Result<Rows, SqlFailure>| {
        let state = answer.as_ref().err().map(|failure| failure.sqlstate);
        state == Some(SqlState::UNIQUE_VIOLATION) || state == Some(SqlState::FOREIGN_KEY_VIOLATION)
    };
    // A key that answers differently tells; another refusal stands before it and tells nothing.
    let [theirs, nobodys] = answers.as_slice() else {
        return Ok(());
    };
    let tells = theirs.is_ok() != nobodys.is_ok() && (is_key(theirs) || is_key(nobodys));
    if tells {
        let found = format!(
            "with what another tenant has {}; with what nobody has {}",
            shown(theirs),
            shown(nobodys)
        );
        let sql = vec![
            pair.theirs.as_str().to_owned(),
            pair.nobodys.as_str().to_owned(),
        ];
        around.breach = Some(walls.breach(&tenants.own, pair.what, sql, found));
    }
    Ok(())
}
