//! Ways around the policies of tables: keys that give away what is there, views, functions that run as their owner, commands.
//!
//! The server checks keys for everybody, whatever rows somebody may see. A view and a function of the owner's see what the owner sees.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::argument::arguments;
use super::explore::explore;
use super::footprint::Tables;
use super::isolated::{Tenants, ask, say_who};
use super::play::{Trial, Watch};
use super::program::{Program, Who};
use super::racer::Racer;
use crate::catalog::{Column, Privilege, Table};
use crate::design::Name;
use crate::error::Error;
use crate::finding::Counterexample;
use crate::postgres::{Rows, SqlFailure, SqlState};
use crate::source::Text;
use crate::sql::{
    self, Ident, SqlText, column_of, facts, fill, fixed, join, literal, quote_qualified,
};
use crate::verify::seed::Values;

/// Numbers of rows that nobody has: one that is tried, and what it would refer to.
const TRIED: u64 = 31;
const NOBODY: u64 = 97;

/// What keeps tenants apart.
pub(super) struct Walls<'a> {
    pub tables: &'a [Name],
    /// The one that is attacked.
    pub table: &'a Name,
    pub by: &'a Name,
    pub setting: &'a Text,
    pub role: &'a Name,
}

/// A way that was found.
pub(super) struct Breach {
    /// What a tenant does.
    pub what: String,
    pub counterexample: Counterexample,
}

/// What came of trying.
#[derive(Default)]
pub(super) struct Around {
    pub tried: usize,
    pub breach: Option<Breach>,
}

/// Tries every way as the confined role.
pub(super) async fn attack(
    racer: &mut Racer<'_>,
    walls: &Walls<'_>,
    tenants: &Tenants,
) -> Result<Around, Error> {
    let mut around = Around::default();
    for pair in keys(racer, walls, tenants) {
        try_key(racer, walls, tenants, pair, &mut around).await?;
    }
    views(racer, walls, tenants, &mut around).await?;
    functions(racer, walls, tenants, &mut around).await?;
    commands(racer, walls, tenants, &mut around).await?;
    Ok(around)
}

impl Walls<'_> {
    fn who(&self) -> Who {
        Who::Role(self.role.ident.clone())
    }

    fn breach(&self, own: &str, what: String, tried: Vec<String>, found: String) -> Breach {
        let mut sql = vec![format!("-- as role {}", self.role.as_str())];
        sql.push(say_who(self.setting, own).as_str().to_owned());
        sql.extend(tried);
        Breach {
            what,
            counterexample: Counterexample::Statements {
                sql,
                expected:
                    "nothing tells whether another tenant's row is there, and none is reached"
                        .to_owned(),
                found,
            },
        }
    }
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
fn values(row: &crate::verify::seed::NewRow, columns: &[Ident]) -> Option<Values> {
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

/// Views over the tables that the role may read and that say whose their rows are.
async fn views(
    racer: &mut Racer<'_>,
    walls: &Walls<'_>,
    tenants: &Tenants,
    around: &mut Around,
) -> Result<(), Error> {
    let catalog = racer.arena.ground.catalog;
    for (name, view) in &catalog.views {
        let granted = view.grants.get(&walls.role.ident);
        let readable = granted.is_some_and(|granted| granted.contains(&Privilege::Select));
        let touches = |table: &Name| {
            let facts = facts(view.query.as_str());
            facts.is_none_or(|facts| facts.touched().contains(table.as_str()))
        };
        if around.breach.is_some() || !readable || !touches(walls.table) {
            continue;
        }
        around.tried += 1;
        let shown = quote_qualified(name);
        let mut filled = Vec::new();
        if view.materialized {
            racer
                .arena
                .reset(tenants.state, Tables::everything())
                .await?;
            // It is filled by its owner, who sees what the session may see in which it is filled.
            let refresh = [
                fixed("BEGIN"),
                say_who(walls.setting, &tenants.foreign),
                fill("REFRESH MATERIALIZED VIEW {name}", &[("name", &shown)]),
                fixed("COMMIT"),
            ];
            filled.extend(refresh.iter().map(|sql| sql.as_str().to_owned()));
            let refreshed = racer.arena.control.batch(&sql::sequence(&refresh)).await;
            refreshed.map_err(|e| e.into_error("refresh a view"))?;
        }
        let sql = fill(
            "SELECT * FROM {view} AS t WHERE {at} <> {own}",
            &[
                ("view", &shown),
                ("at", &column_of("t", &walls.by.ident)),
                ("own", &literal(&tenants.own)),
            ],
        );
        let said = Some(say_who(walls.setting, &tenants.own));
        let answer = ask(&mut racer.arena, tenants.state, &walls.who(), said, &sql).await?;
        if let Ok(rows) = answer
            && rows.affected > 0
        {
            let what = format!("reads another tenant's rows through {}", name.name.as_str());
            let found = format!("the session reads {} rows of others", rows.affected);
            if !filled.is_empty() {
                filled.insert(0, "-- the view was filled before by".to_owned());
            }
            filled.push(sql.as_str().to_owned());
            around.breach = Some(walls.breach(&tenants.own, what, filled, found));
        }
    }
    Ok(())
}

/// Functions that run as their owner, called with what another tenant has.
async fn functions(
    racer: &mut Racer<'_>,
    walls: &Walls<'_>,
    tenants: &Tenants,
    around: &mut Around,
) -> Result<(), Error> {
    if around.breach.is_some() {
        return Ok(());
    }
    let model = racer.arena.ground.model;
    let asked = fill(
        "SELECT format('%I.%I', n.nspname, p.proname), array_to_string(p.proargnames[:p.pronargs], ';', ''), \
         (SELECT string_agg(format_type(a.type, NULL), ';' ORDER BY a.n) \
          FROM unnest(p.proargtypes::oid[]) WITH ORDINALITY AS a(type, n)) \
         FROM pg_catalog.pg_proc AS p JOIN pg_catalog.pg_namespace AS n ON n.oid = p.pronamespace \
         WHERE n.nspname = {schema} AND p.prosecdef AND p.prokind = 'f' AND p.prorettype <> 'trigger'::regtype \
         AND has_function_privilege({role}, p.oid, 'EXECUTE') ORDER BY 1, p.oid",
        &[
            ("schema", &literal(model.database.schema.as_str())),
            ("role", &literal(walls.role.as_str())),
        ],
    );
    let found = racer.arena.control.query(&asked).await;
    let found = found.map_err(|e| e.into_error("look for functions"))?;
    for row in found.rows {
        let [Some(name), names, types] = row.as_slice() else {
            continue;
        };
        let names = names.as_deref().unwrap_or_default().split(';');
        let types = types.iter().flat_map(|types| types.split(';'));
        let named = names.chain(std::iter::repeat("")).zip(types);
        let params: Vec<(&str, &str)> = named.collect();
        for call in calls(racer, walls, tenants, name, &params) {
            try_call(racer, walls, tenants, name, call, around).await?;
            if around.breach.is_some() {
                return Ok(());
            }
        }
    }
    Ok(())
}

/// A call, and the values in it.
struct Called {
    sql: SqlText,
    passed: BTreeSet<String>,
}

/// All that is another tenant's; and the same with the tenant's own number, where it is asked for.
fn calls(
    racer: &Racer<'_>,
    walls: &Walls<'_>,
    tenants: &Tenants,
    name: &str,
    params: &[(&str, &str)],
) -> Vec<Called> {
    let model = racer.arena.ground.model;
    let table = model.qualified(&walls.table.ident);
    let Some(table) = racer.arena.ground.catalog.tables.get(&table) else {
        return Vec::new();
    };
    let mut theirs: Vec<(String, SqlText)> = Vec::new();
    for (known, kind) in params {
        let fits = |column: &&Column| column.data_type.as_str() == *kind;
        // By its name, or else the last key of that type: the first ones say whose the row is.
        let named = table
            .columns
            .iter()
            .find(|column| column.name.as_str() == *known);
        let keys = table.primary_key.iter().flat_map(|(_, key)| &key.columns);
        let mut keys = keys.filter_map(|name| table.column(name)).rev();
        let column = named.filter(fits).or_else(|| keys.find(fits));
        let column = column.or_else(|| table.columns.iter().find(fits));
        let value = column.and_then(|column| tenants.theirs.value(&column.name)?.clone());
        let value = value.unwrap_or_else(|| {
            let short = (NOBODY % 10).to_string();
            racer
                .maker
                .widen_type(kind, &short, racer.arena.ground.catalog)
        });
        theirs.push((value, SqlText::authored(*kind)));
    }
    let mut own = theirs.clone();
    for (value, _) in own
        .iter_mut()
        .filter(|(value, _)| *value == tenants.foreign)
    {
        value.clone_from(&tenants.own);
    }
    let mut all = vec![theirs];
    all.extend((!all.contains(&own)).then_some(own));
    let call = |values: Vec<(String, SqlText)>| {
        let cast = |(value, kind): &(String, SqlText)| {
            fill(
                "CAST({value} AS {type})",
                &[("value", &literal(value)), ("type", kind)],
            )
        };
        let parts = [
            ("name", &SqlText::authored(name)),
            ("values", &join(values.iter().map(cast), ", ")),
        ];
        Called {
            sql: fill("SELECT * FROM {name}({values})", &parts),
            passed: values.into_iter().map(|(value, _)| value).collect(),
        }
    };
    all.into_iter().map(call).collect()
}

async fn try_call(
    racer: &mut Racer<'_>,
    walls: &Walls<'_>,
    tenants: &Tenants,
    name: &str,
    call: Called,
    around: &mut Around,
) -> Result<(), Error> {
    around.tried += 1;
    racer
        .arena
        .reset(tenants.state, Tables::everything())
        .await?;
    let before = belongings(racer, walls, tenants).await?;
    let who = walls.who();
    let mut session = racer.arena.session(&who).await?;
    let begin = [fixed("BEGIN"), say_who(walls.setting, &tenants.own)];
    let begun = session.batch(&sql::sequence(&begin)).await;
    begun.map_err(|e| e.into_error("begin a transaction"))?;
    let answer = session.query(&call.sql).await;
    let end = match answer.is_ok() {
        true => fixed("COMMIT"),
        false => fixed("ROLLBACK"),
    };
    // What the commit is refused for has changed nothing.
    let _ = session.batch(&end).await;
    racer.arena.give_back(&who, session);
    let shown = vec![call.sql.as_str().to_owned()];
    let told = answer.ok().and_then(|rows| {
        let cells = rows.rows.into_iter().flatten().flatten();
        let theirs: BTreeSet<String> = tenants
            .theirs
            .values
            .iter()
            .filter_map(|(_, value)| value.clone())
            .collect();
        let mine: BTreeSet<&String> = tenants.mine.values.iter().flat_map(|(_, v)| v).collect();
        let is_news = |cell: &String| {
            theirs.contains(cell) && !mine.contains(cell) && !call.passed.contains(cell)
        };
        cells.into_iter().find(is_news)
    });
    if let Some(told) = told {
        let what = format!("reads another tenant's row through {name}");
        let found = format!("the function gives back {told}, which only another tenant has");
        around.breach = Some(walls.breach(&tenants.own, what, shown, found));
    } else if belongings(racer, walls, tenants).await? != before {
        let what = format!("changes another tenant's rows through {name}");
        let found = "another tenant's rows are not what they were".to_owned();
        around.breach = Some(walls.breach(&tenants.own, what, shown, found));
    }
    Ok(())
}

/// Commands, for one tenant, with what another one has.
async fn commands(
    racer: &mut Racer<'_>,
    walls: &Walls<'_>,
    tenants: &Tenants,
    around: &mut Around,
) -> Result<(), Error> {
    let ground = racer.arena.ground;
    let snapshot = racer.arena.states[tenants.state].snapshot.clone();
    let theirs: BTreeSet<String> = tenants
        .theirs
        .values
        .iter()
        .filter_map(|(_, value)| value.clone())
        .collect();
    for command in &ground.model.commands {
        let Some(script) = racer.scripts.get(command.name.as_str()).cloned() else {
            continue;
        };
        if script.who != walls.who() || around.breach.is_some() {
            continue;
        }
        let seed = racer.options.seed;
        let choices = arguments(command, &racer.maker, ground.catalog, &snapshot, seed);
        let mut script = (*script).clone();
        // Whatever it asks for: the session says the truth about whose it is.
        let tenant = match &script.setting {
            Some((_, param)) => param.clone(),
            None => Ident::from("session of"),
        };
        let setting = Ident::new(walls.setting.as_str());
        script.setting = Some((setting, tenant.clone()));
        let script = Arc::new(script);
        for mut args in choices.sets {
            args.insert(tenant.clone(), Some(tenants.own.clone()));
            if !args.values().flatten().any(|value| theirs.contains(value)) {
                continue;
            }
            around.tried += 1;
            racer
                .arena
                .reset(tenants.state, Tables::everything())
                .await?;
            let before = belongings(racer, walls, tenants).await?;
            let program = Program {
                script: script.clone(),
                args: args.clone(),
            };
            let trial = Trial {
                state: tenants.state,
                programs: vec![program],
            };
            explore(&mut racer.arena, &trial, &Watch::default(), None, 1).await?;
            if belongings(racer, walls, tenants).await? != before {
                let name = command.name.as_str();
                let given = args.iter().filter(|(name, _)| **name != tenant);
                let given: Vec<String> = given
                    .map(|(name, value)| {
                        format!("{}={}", name.as_str(), value.as_deref().unwrap_or("null"))
                    })
                    .collect();
                let mut sql = vec![format!("-- {name} with {}", given.join(", "))];
                sql.extend(script.texts());
                let what = format!("changes another tenant's rows by {name}");
                let found = "another tenant's rows are not what they were".to_owned();
                around.breach = Some(walls.breach(&tenants.own, what, sql, found));
                break;
            }
        }
    }
    Ok(())
}

/// Everything that the other tenant has, as one text.
async fn belongings(
    racer: &mut Racer<'_>,
    walls: &Walls<'_>,
    tenants: &Tenants,
) -> Result<Rows, Error> {
    let model = racer.arena.ground.model;
    let of = |table: &Name| {
        fill(
            "SELECT string_agg(t::text, ' ' ORDER BY t::text) FROM {table} AS t WHERE {at} = {foreign}",
            &[
                ("table", &quote_qualified(&model.qualified(&table.ident))),
                ("at", &column_of("t", &walls.by.ident)),
                ("foreign", &literal(&tenants.foreign)),
            ],
        )
    };
    let has = |table: &&Name| racer.maker.has_column(&table.ident, &walls.by.ident);
    let asked = join(walls.tables.iter().filter(has).map(of), " UNION ALL ");
    let rows = racer.arena.control.query(&asked).await;
    rows.map_err(|e| e.into_error("look at another tenant's rows"))
}
