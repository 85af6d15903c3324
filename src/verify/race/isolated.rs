//! A tenant tries to reach another tenant's rows: everything a session of the confined role, or of the owner, can ask for.

use super::arena::Arena;
use super::footprint::Tables;
use super::program::Who;
use super::racer::Racer;
use super::result::{RaceResult, Tally, conclude};
use super::sideways::{self, Walls};
use super::state::{Origin, Start, load};
use crate::catalog::Privilege;
use crate::design::{Name, Rule};
use crate::error::Error;
use crate::finding::{Counterexample, Verdict};
use crate::postgres::{Rows, SqlFailure};
use crate::source::Text;
use crate::sql::{
    self, Ident, QualifiedName, SqlText, column_of, fill, fixed, join, literal, quote_ident,
    quote_qualified,
};
use crate::verify::seed::NewRow;

/// One thing that a tenant tries.
struct Probe {
    what: &'static str,
    /// Whether the session says which tenant it is.
    says_who: bool,
    sql: SqlText,
}

/// Tries every table as the confined role and as the owner.
pub(super) async fn attack(
    racer: &mut Racer<'_>,
    tables: &[Name],
    by: &Name,
    setting: &Text,
    role: &Name,
) -> Result<RaceResult, Error> {
    let model = racer.arena.ground.model;
    let Some(invariant) = model.invariants.iter().find(|known| match &known.rule {
        Rule::Isolated { tables: of, .. } => of == tables,
        _ => false,
    }) else {
        return Ok(RaceResult::unchecked(
            "it is not an invariant of this design",
        ));
    };
    let mut tally = Tally::new(&racer.arena.ground.server.version().text);
    let whos = [Who::Role(role.ident.clone()), Who::Owner];
    let mut probes = 0;
    for table in tables {
        let Some(tenants) = two_tenants(racer, table, by).await? else {
            return Ok(RaceResult::unchecked(format!(
                "no rows of two tenants could be made in {}",
                table.as_str()
            )));
        };
        let (state, own) = (tenants.state, tenants.own.clone());
        let name = model.qualified(&table.ident);
        // Who reaches nothing at all proves nothing about what others reach.
        if may_read(racer, &name, role) {
            let own_rows = own_rows(&name);
            if try_probe(&mut racer.arena, state, &whos[0], setting, &own, &own_rows)
                .await?
                .is_none()
            {
                return Ok(RaceResult::of(
                    Verdict::Vacuous,
                    format!(
                        "role `{}` sees no row of {}, not even of its own tenant",
                        role.as_str(),
                        table.as_str()
                    ),
                ));
            }
        }
        for who in &whos {
            for probe in self::probes(racer, &name, by, &tenants) {
                probes += 1;
                let reached =
                    try_probe(&mut racer.arena, state, who, setting, &own, &probe).await?;
                if let Some(found) = reached {
                    let counterexample = statements(who, setting, &own, &probe, &found);
                    let mut result = conclude(invariant, tally, Some(counterexample));
                    result.reason = Some(format!(
                        "missing tenant isolation: a session of one tenant {}",
                        probe.what
                    ));
                    return Ok(with_probes(result, probes));
                }
            }
        }
        let walls = Walls {
            tables,
            table,
            by,
            setting,
            role,
        };
        let around = sideways::attack(racer, &walls, &tenants).await?;
        probes += around.tried;
        if let Some(breach) = around.breach {
            let mut result = conclude(invariant, tally, Some(breach.counterexample));
            result.reason = Some(format!(
                "missing tenant isolation: a session of one tenant {}",
                breach.what
            ));
            return Ok(with_probes(result, probes));
        }
        tally.trials += 1;
    }
    Ok(with_probes(conclude(invariant, tally, None), probes))
}

fn may_read(racer: &Racer<'_>, table: &QualifiedName, role: &Name) -> bool {
    let grants = racer
        .arena
        .ground
        .catalog
        .tables
        .get(table)
        .map(|table| &table.grants);
    let granted = grants.and_then(|grants| grants.get(&role.ident));
    granted.is_some_and(|granted| granted.contains(&Privilege::Select))
}

fn own_rows(table: &QualifiedName) -> Probe {
    let sql = fill(
        "SELECT * FROM {table}",
        &[("table", &quote_qualified(table))],
    );
    Probe {
        what: "reads its own rows",
        says_who: true,
        sql,
    }
}

fn with_probes(mut result: RaceResult, probes: usize) -> RaceResult {
    result.figures = vec![("probes".to_owned(), probes as f64)];
    result.bounds = Some(match result.verdict {
        Verdict::Refuted => format!("{probes} attempts, the last one succeeded"),
        _ => format!(
            "{probes} attempts to read, add, move, change and remove another tenant's rows, as the confined role and as the owner, and to reach them by keys, views, functions of the owner and commands"
        ),
    });
    result
}

/// A state with a row of each of two tenants, and a third row of the second tenant that is not there yet.
pub(super) struct Tenants {
    pub state: usize,
    /// Which tenant tries, and whose rows it must not reach.
    pub own: String,
    pub foreign: String,
    /// All that is there.
    pub rows: Vec<NewRow>,
    pub mine: NewRow,
    pub theirs: NewRow,
    pub strange: NewRow,
}

async fn two_tenants(
    racer: &mut Racer<'_>,
    table: &Name,
    by: &Name,
) -> Result<Option<Tenants>, Error> {
    let maker = racer.maker.clone();
    let (own, foreign) = (
        maker.widen(&table.ident, &by.ident, "1"),
        maker.widen(&table.ident, &by.ident, "2"),
    );
    let of = |tenant: &String| [(by.ident.clone(), Some(tenant.clone()))];
    let mut rows = Vec::new();
    let mine = maker.add(&mut rows, &table.ident, &of(&own), 0);
    let mine = mine.map(|at| rows[at].clone());
    let theirs = maker.add(&mut rows, &table.ident, &of(&foreign), 1);
    let theirs = theirs.map(|at| rows[at].clone());
    let strange = maker.add(&mut rows, &table.ident, &of(&foreign), 2);
    let strange = strange.map(|at| rows.remove(at));
    let (Some(mine), Some(theirs), Some(strange)) = (mine, theirs, strange) else {
        return Ok(None);
    };
    maker.complete(&mut rows);
    let start = Start {
        name: "two tenants".to_owned(),
        rows,
        origin: Origin::MadeUp,
    };
    let state = load(&mut racer.arena, &maker, &start).await?;
    Ok(state.ok().map(|state| Tenants {
        state,
        own,
        foreign,
        rows: start.rows,
        mine,
        theirs,
        strange,
    }))
}

fn probes(racer: &Racer<'_>, table: &QualifiedName, by: &Name, tenants: &Tenants) -> Vec<Probe> {
    let (own, foreign) = (tenants.own.as_str(), tenants.foreign.as_str());
    let parts = [
        ("table", &quote_qualified(table)),
        ("by", &quote_ident(&by.ident)),
        ("own", &literal(own)),
        ("foreign", &literal(foreign)),
        ("at", &column_of("t", &by.ident)),
    ];
    let insert = racer
        .maker
        .statements(std::slice::from_ref(&tenants.strange))
        .into_iter()
        .next();
    let probe = |what, says_who, template| Probe {
        what,
        says_who,
        sql: fill(template, &parts),
    };
    let mut probes = vec![
        probe(
            "reads another tenant's rows",
            true,
            "SELECT * FROM {table} AS t WHERE {at} <> {own}",
        ),
        probe(
            "reads rows without saying which tenant it is",
            false,
            "SELECT * FROM {table}",
        ),
        probe(
            "changes another tenant's rows",
            true,
            "UPDATE {table} AS t SET {by} = {at} WHERE {at} = {foreign}",
        ),
        probe(
            "removes another tenant's rows",
            true,
            "DELETE FROM {table} AS t WHERE {at} = {foreign}",
        ),
        probe(
            "gives its rows to another tenant",
            true,
            "UPDATE {table} SET {by} = {foreign} WHERE {by} = {own}",
        ),
    ];
    probes.extend(insert.map(|sql| Probe {
        what: "adds rows to another tenant",
        says_who: true,
        sql,
    }));
    probes
}

/// Runs a probe and takes it back. Something is found where it reached a row.
async fn try_probe(
    arena: &mut Arena<'_>,
    state: usize,
    who: &Who,
    setting: &Text,
    own: &str,
    probe: &Probe,
) -> Result<Option<Rows>, Error> {
    let said = probe.says_who.then(|| say_who(setting, own));
    let reached = ask(arena, state, who, said, &probe.sql).await?;
    Ok(reached.ok().filter(|rows| rows.affected > 0))
}

/// What a statement comes to in a transaction that is taken back.
pub(super) async fn ask(
    arena: &mut Arena<'_>,
    state: usize,
    who: &Who,
    said: Option<SqlText>,
    sql: &SqlText,
) -> Result<Result<Rows, SqlFailure>, Error> {
    // It is taken back, so it writes to nothing.
    arena.reset(state, Tables::default()).await?;
    let mut session = arena.session(who).await?;
    let mut statements = vec![fixed("BEGIN")];
    statements.extend(said);
    session
        .batch(&sql::sequence(&statements))
        .await
        .map_err(|e| e.into_error("begin a transaction"))?;
    let answer = session.query(sql).await;
    session
        .batch(&fixed("ROLLBACK"))
        .await
        .map_err(|e| e.into_error("roll back"))?;
    arena.give_back(who, session);
    Ok(answer)
}

pub(super) fn say_who(setting: &Text, tenant: &str) -> SqlText {
    let name = join(
        setting
            .as_str()
            .split('.')
            .map(|part| quote_ident(&Ident::from(part))),
        ".",
    );
    fill(
        "SET LOCAL {name} TO {value}",
        &[("name", &name), ("value", &literal(tenant))],
    )
}

fn statements(who: &Who, setting: &Text, own: &str, probe: &Probe, found: &Rows) -> Counterexample {
    let role = match who {
        Who::Role(role) => format!("-- as role {}", role.as_str()),
        Who::Owner | Who::Anybody => "-- as the owner of the table".to_owned(),
    };
    let mut sql = vec![role];
    sql.extend(
        probe
            .says_who
            .then(|| say_who(setting, own).as_str().to_owned()),
    );
    sql.push(probe.sql.as_str().to_owned());
    let shown = found.rows.first().map(|row| {
        let values = found.columns.iter().zip(row);
        values
            .map(|(name, value)| format!("{name}={}", value.as_deref().unwrap_or("null")))
            .collect::<Vec<_>>()
            .join(", ")
    });
    Counterexample::Statements {
        sql,
        expected: "no row is reached, or the statement is refused".to_owned(),
        found: match shown {
            Some(row) => format!("the session {}: {} rows, {row}", probe.what, found.affected),
            None => format!("the session {}: {} rows", probe.what, found.affected),
        },
    }
}
