//! Functions that run as their owner.

use std::collections::BTreeSet;

use super::attack::{Around, Walls, belongings};
use crate::catalog::Column;
use crate::error::Error;
use crate::sql::{self, SqlText, fill, fixed, join, literal};
use crate::verify::race::footprint::Tables;
use crate::verify::race::isolated::{Tenants, say_who};
use crate::verify::race::racer::Racer;

/// Short for a value that nobody has.
const NOBODYS: &str = "7";

/// Functions that run as their owner, called with what another tenant has.
pub(super) async fn attack(
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
            racer
                .maker
                .widen_type(kind, NOBODYS, racer.arena.ground.catalog)
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
