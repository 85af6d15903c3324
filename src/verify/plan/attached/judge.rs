//! Claims of a design against a database that is there.

use std::time::Instant;

use super::found::Found;
use super::values::{Chosen, choose, remembered};
use crate::design::{Model, Query, Rule};
use crate::error::Error;
use crate::explain::{Outcome, PlanTree, Subject};
use crate::finding::{Claim, Evidence, Method, Table as Figures, Verdict};
use crate::postgres::{Session, SqlFailure, Target};
use crate::sql::{SqlText, fill, fixed, literal, quote_ident};
use crate::verify::plan::case::{Case, read};
use crate::verify::plan::conclude::{Survivors, conclude};
use crate::verify::plan::expect::{asked, decide_at_volume};
use crate::verify::plan::params::{filled_in, for_all_values};
use crate::verify::plan::planned::{AtVolume, Planned};
use crate::verify::plan::query::claim;
use crate::verify::plan::sample::thousands;
use crate::verify::plan::volume::{Point, ends};
use crate::verify::{Judged, Told};

/// How many times more or fewer rows than declared are still those of the design.
const LIKE: f64 = 10.0;

/// Judges every catalogued query on somebody's database. `command`: what does it again.
pub async fn attached(
    target: &Target,
    model: &Model,
    command: &str,
) -> Result<Vec<Evidence>, Error> {
    let mut session = target.reader().await?;
    let schema = quote_ident(&model.database.schema);
    let path = fill("SET search_path = {schema}, public", &[("schema", &schema)]);
    let set = session.batch(&path).await;
    set.map_err(|failure| failure.into_error("set up a session"))?;
    let found = Found::read(&mut session, &model.database.schema).await;
    let found = found.map_err(|failure| failure.into_error("read the catalog"))?;
    let told = Told {
        server_version: &found.version,
        seed: 0,
        command,
    };
    let write = |claim: Claim, judged: Judged| {
        let volume = format!("attached to {}", target.display());
        let judged = Judged {
            volume: Some(judged.volume.clone().unwrap_or(volume)),
            ..judged
        };
        let evidence = told.evidence(model, Method::Plan, claim, judged);
        Evidence {
            reproduce: command.to_owned(),
            ..evidence
        }
    };
    let mut evidence = vec![write(volumes_claim(), volumes(model, &found))];
    for query in &model.queries {
        let since = Instant::now();
        let judged = match judge(&mut session, model, query, (&found, target)).await {
            Ok(judged) => judged,
            Err(failure) => Judged::unchecked(format!(
                "it cannot be planned there: {} ({})",
                failure.message,
                failure.sqlstate.code()
            )),
        };
        evidence.push(write(claim(query), judged.took(since)));
    }
    Ok(evidence)
}

async fn judge(
    session: &mut Session,
    model: &Model,
    query: &Query,
    (found, target): (&Found, &Target),
) -> Result<Judged, SqlFailure> {
    let since = Instant::now();
    let chosen = choose(session, model, query).await?;
    let typical = filled_in(model, query, &chosen.typical);
    let common = filled_in(model, query, &chosen.common);
    let before = tenant(session, model, &chosen).await?;
    let plan = planned(session, &before, &typical).await?;
    let others = match common == typical {
        true => plan.clone(),
        false => planned(session, &before, &common).await?,
    };
    let others = vec![("the most common values".to_owned(), others)];
    let nodes = plan.nodes().iter();
    let tables = nodes.filter_map(|node| found.relations.table(node));
    let strange: Vec<&str> = tables
        .filter(|table| found.unknown.contains(*table))
        .collect();
    if let Some(table) = strange.first() {
        return Ok(Judged::unchecked(format!(
            "{table} was never analysed there, and what its plan hangs on is not known: run ANALYZE"
        )));
    }
    let asked = asked(query);
    let subject = Subject {
        plan: &plan,
        others: &others,
        relations: &found.relations,
    };
    let mut outcomes = Vec::with_capacity(asked.len());
    for asked in &asked {
        let missing = asked.arguments.names.iter();
        let missing = missing.filter(|name| asked.name == "uses" && !found.has_index(name));
        let missing: Vec<&str> = missing.map(|name| name.as_str()).collect();
        outcomes.push(match missing.first() {
            Some(index) => Outcome::Undecided(format!("there is no index {index} there")),
            None => decide_at_volume(asked, &subject),
        });
    }
    let now = Planned {
        point: Point::at(0.0),
        plan: plan.clone(),
        others,
        outcomes: outcomes.clone(),
    };
    let could_hold = vec![false; asked.len()];
    let case = Case {
        query,
        asked,
        prepared: for_all_values(model, query, &chosen.typical),
        typical,
        common,
        before,
        sampled: plan,
        outcomes,
        could_hold,
        took: since.elapsed(),
    };
    let at_volume = AtVolume {
        planned: vec![now],
        ..AtVolume::default()
    };
    let volume = format!(
        "attached to {}, the largest table {} rows there",
        target.display(),
        thousands(found.relations.rows.values().copied().fold(0.0, f64::max))
    );
    let judged = conclude(&case, Some(&at_volume), &Survivors::default(), &volume);
    let mut bounds = vec!["planned there by its own statistics, not run".to_owned()];
    if !chosen.made_up.is_empty() {
        bounds.push(format!(
            "no statistics say which values are typical of :{}",
            chosen.made_up.join(", :")
        ));
    }
    Ok(judged.bounds(bounds.join("; ")))
}

/// A plan, in a transaction that may not write. The server itself sees to it that the text is one statement: what follows a semicolon
/// would run.
async fn planned(
    session: &mut Session,
    before: &[SqlText],
    query: &SqlText,
) -> Result<PlanTree, SqlFailure> {
    let explain = fill("EXPLAIN (FORMAT JSON) {query}", &[("query", query)]);
    session.batch(&fixed("BEGIN TRANSACTION READ ONLY")).await?;
    let rows = match session.prepare_types(&explain).await {
        Ok(_) => after(session, before, &explain).await,
        Err(failure) => Err(failure),
    };
    session.batch(&fixed("ROLLBACK")).await?;
    Ok(read(&rows?))
}

async fn after(
    session: &mut Session,
    before: &[SqlText],
    explain: &SqlText,
) -> Result<crate::postgres::Rows, SqlFailure> {
    for statement in before {
        session.query(statement).await?;
    }
    session.query(explain).await
}

/// What the transaction says first where rows are a tenant's: the one of the parameter, else the one with most rows.
async fn tenant(
    session: &mut Session,
    model: &Model,
    chosen: &Chosen,
) -> Result<Vec<SqlText>, SqlFailure> {
    let mut said = Vec::new();
    for invariant in &model.invariants {
        let Rule::Isolated {
            tables,
            by,
            setting,
            ..
        } = &invariant.rule
        else {
            continue;
        };
        let given = chosen.typical.get(by.as_str()).cloned().flatten();
        let value = match (given, tables.first()) {
            (Some(value), _) => Some(value),
            (None, Some(table)) => {
                let schema = &model.database.schema;
                let known = remembered(session, schema, &table.ident, &by.ident).await?;
                known.common()
            }
            _ => None,
        };
        if let Some(value) = value {
            let parts = [
                ("setting", &literal(setting.as_str())),
                ("value", &literal(&value)),
            ];
            let set = fill("SELECT set_config({setting}, {value}, true)", &parts);
            said.push(set);
        }
    }
    Ok(said)
}

/// What a design says of a database that is there.
fn volumes_claim() -> Claim {
    Claim {
        subject: "volumes".to_owned(),
        statement: "tables have about as many rows as declared, between now and the horizon"
            .to_owned(),
        at: None,
    }
}

/// Rows there beside those that are declared.
fn volumes(model: &Model, found: &Found) -> Judged {
    let ends = ends(model);
    let (first, last) = (ends.first(), ends.last());
    let (mut rows, mut far) = (Vec::new(), Vec::new());
    let mut missing = 0;
    for table in &model.tables {
        let name = table.name.as_str();
        let now = first.map_or(0.0, |point| point.rows(table));
        let then = last.map_or(now, |point| point.rows(table));
        let there = found.relations.rows.get(name).copied();
        missing += usize::from(there.is_none());
        let words = match there {
            Some(_) if found.unknown.contains(name) => "not analysed".to_owned(),
            Some(there) => thousands(there),
            None => "not there".to_owned(),
        };
        if let Some(there) = there
            && table.volume.is_some()
            && (there * LIKE < now || there > then * LIKE)
        {
            far.push(format!(
                "{name} has {words} rows, declared are {}",
                thousands(now)
            ));
        }
        let cells = [name.to_owned(), words, thousands(now), thousands(then)];
        rows.push(cells.into_iter().map(Some).collect());
    }
    let columns = [
        "table",
        "rows there",
        "declared now",
        "declared at the horizon",
    ];
    let judged = match far.is_empty() && missing == 0 {
        true => Judged::new(Verdict::Held),
        false if far.is_empty() => Judged::unchecked(format!("{missing} table(s) are not there")),
        false => Judged::unchecked(format!(
            "it is another size than the design's, and its plans are those of its own: {}",
            far.join("; ")
        )),
    };
    judged.measured(Figures {
        columns: columns.into_iter().map(str::to_owned).collect(),
        rows,
    })
}
