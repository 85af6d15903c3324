//! What each command costs to write: run alone, with arguments around rows of the sample, one call at a time and many in a transaction.
//!
//! Times are this machine's, and only what no machine could change the sense of decides: a rate that is missed even by the best
//! transaction, a latency that even the quickest call exceeds.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use super::rows_of::RowsOf;
use super::sample::thousands;
use crate::design::{Command, Model, StepKind};
use crate::error::Error;
use crate::finding::{Claim, Counterexample, Evidence, Method, Table, Verdict};
use crate::postgres::{Database, Session, SqlFailure};
use crate::sql::{self, fill, fixed, literal};
use crate::verify::race::{Alone, Call, Ended, calls};
use crate::verify::seed::Maker;
use crate::verify::{Judged, Run, Stage};

/// Calls that are measured, half of them alone, and how many are tried for them: counted, not timed, so that the same is done on every
/// machine.
const CALLS: usize = 100;
const TRIED: usize = 240;
/// How long each of the three parts of a measurement may take on the slowest.
const PART: Duration = Duration::from_secs(1);
/// Commands in a transaction where the design says nothing.
const BATCH: u32 = 50;
/// Fewer calls than these say nothing about a rate.
const ENOUGH: usize = 4;

/// What is claimed of the commands that write.
pub(crate) fn claims(model: &Model) -> Vec<Claim> {
    let commands = model.commands.iter().filter(|command| writes(command));
    commands.map(claim).collect()
}

fn writes(command: &Command) -> bool {
    command.steps.iter().any(|step| match &step.kind {
        StepKind::Sql { sql, .. } => {
            sql::facts(sql.as_str()).is_some_and(|facts| !facts.writes.is_empty())
        }
        StepKind::Require { .. } => false,
    })
}

fn claim(command: &Command) -> Claim {
    let mut parts = vec!["its write path can be measured".to_owned()];
    if let Some(runs) = command.runs {
        parts.push(format!("runs {} a second", short(runs)));
    }
    for (percentile, seconds) in &command.within {
        parts.push(format!("{percentile} within {}", time(*seconds)));
    }
    if let Some(batch) = &command.batch
        && let Some(reaches) = batch.reaches
    {
        parts.push(format!(
            "{} a second in transactions of {}",
            short(reaches),
            batch.of
        ));
    }
    if parts.len() > 1 {
        parts.remove(0);
    }
    Claim {
        subject: format!("command {}", command.name.as_str()),
        statement: parts.join("; "),
        at: Some(command.name.at),
    }
}

/// Measures the wanted commands in a copy of the sample.
pub(super) async fn measure(
    run: &Run<'_>,
    stage: &Stage<'_>,
    (copy, volume): (&Database, &str),
    wanted: &BTreeSet<String>,
) -> Result<Vec<Evidence>, Error> {
    let model = stage.model;
    let all = || model.commands.iter().filter(|command| writes(command));
    if !all().any(|command| wanted.contains(&claim(command).subject)) {
        return Ok(Vec::new());
    }
    // All of them, also where only some are asked about: what one writes is what the next finds.
    let mut bench = Bench {
        stage,
        copy,
        maker: Maker::new(model, &stage.compiled.catalog),
        rows: RowsOf::open(copy).await?,
        turn: 0,
    };
    let mut found: Vec<(&Command, Judged)> = Vec::new();
    for command in all() {
        found.push((command, bench.measure(command).await?));
    }
    // Where nothing was there to work on, those after it may have made some.
    for (command, judged) in &mut found {
        if judged.verdict == Verdict::Unchecked {
            *judged = bench.measure(command).await?;
        }
    }
    found.retain(|(command, _)| wanted.contains(&claim(command).subject));
    let evidence = found.into_iter().map(|(command, judged)| {
        let judged = Judged {
            volume: Some(volume.to_owned()),
            ..judged
        };
        run.evidence(model, Method::Plan, claim(command), judged)
    });
    Ok(evidence.collect())
}

/// Where commands are measured.
struct Bench<'a, 's> {
    stage: &'a Stage<'s>,
    copy: &'a Database,
    maker: Maker,
    rows: RowsOf,
    turn: usize,
}

impl Bench<'_, '_> {
    async fn measure(&mut self, command: &Command) -> Result<Judged, Error> {
        let since = Instant::now();
        let (model, catalog) = (self.stage.model, &self.stage.compiled.catalog);
        let rows = self.rows.around(model, catalog, command).await?;
        let many = tried(command);
        let sets = calls(command, &self.maker, catalog, rows, (self.turn, many));
        self.turn += 1;
        let judged = match Alone::open(self.stage, model, command, self.copy).await? {
            Ok(mut alone) => match times(&mut alone, command, &sets).await {
                Ok(Ok(times)) => judged(command, &times),
                Ok(Err(why)) => Judged::unchecked(format!(
                    "of {} calls with rows of the sample fewer than {ENOUGH} go through: {why}",
                    sets.len()
                )),
                Err(failure) => failed(&failure),
            },
            Err(failure) => failed(&failure),
        };
        Ok(judged.took(since))
    }
}

fn failed(failure: &SqlFailure) -> Judged {
    Judged::unchecked(format!(
        "the command failed: {} ({})",
        failure.message,
        failure.sqlstate.code()
    ))
}

fn batch_of(command: &Command) -> usize {
    command.batch.as_ref().map_or(BATCH, |batch| batch.of) as usize
}

/// Enough for two transactions as large as the design has them, within reason.
fn wanted(command: &Command) -> usize {
    CALLS.max((2 * batch_of(command)).min(4 * CALLS))
}

fn tried(command: &Command) -> usize {
    TRIED.max(2 * wanted(command))
}

/// What was measured of one command.
struct Times {
    /// Seconds of each call in a transaction of its own, in order of length.
    alone: Vec<f64>,
    /// Bytes of WAL of each of these.
    wal: f64,
    /// Commands a second in the best transaction of many; nothing where none went through.
    together: Option<f64>,
    /// How many were in it.
    of: usize,
    /// Rows updated in these, and how many of them without a new index entry.
    updated: f64,
    hot: f64,
}

impl Times {
    fn a_second(&self) -> f64 {
        self.alone.len() as f64 / self.alone.iter().sum::<f64>().max(1e-9)
    }

    /// `p95`, `max`.
    fn percentile(&self, name: &str) -> f64 {
        let part = match name {
            "max" => 1.0,
            "p999" => 0.999,
            name => name.trim_start_matches('p').parse().unwrap_or(50.0) / 100.0,
        };
        let at = ((self.alone.len() as f64 * part).ceil() as usize).clamp(1, self.alone.len());
        self.alone[at - 1]
    }
}

/// Runs a command; why not, where hardly any call goes through.
async fn times(
    alone: &mut Alone,
    command: &Command,
    sets: &[Call],
) -> Result<Result<Times, String>, SqlFailure> {
    let (mut good, mut why) = (Vec::new(), "nothing to call it with".to_owned());
    let until = Instant::now() + PART;
    for call in sets {
        if good.len() >= wanted(command) || (Instant::now() > until && good.len() >= ENOUGH) {
            break;
        }
        match alone.call(call, false).await? {
            Ended::Done => good.push(call.clone()),
            Ended::Refused(said) => why = said,
        }
    }
    if good.len() < ENOUGH {
        return Ok(Err(why));
    }
    let (one_by_one, together) = good.split_at(good.len() / 2);
    let mut times = Times {
        alone: Vec::new(),
        wal: 0.0,
        together: None,
        of: 0,
        updated: 0.0,
        hot: 0.0,
    };
    let before = position(alone.session()).await?;
    let until = Instant::now() + PART;
    for call in one_by_one {
        let since = Instant::now();
        if alone.call(call, true).await? == Ended::Done {
            times.alone.push(since.elapsed().as_secs_f64());
        }
        if Instant::now() > until && times.alone.len() >= ENOUGH {
            break;
        }
    }
    if times.alone.is_empty() {
        return Ok(Err("no call goes through after another".to_owned()));
    }
    times.wal = since(alone.session(), &before).await? / times.alone.len() as f64;
    times.alone.sort_by(f64::total_cmp);
    in_transactions(alone, command, together, &mut times).await?;
    Ok(Ok(times))
}

async fn in_transactions(
    alone: &mut Alone,
    command: &Command,
    calls: &[Call],
    times: &mut Times,
) -> Result<(), SqlFailure> {
    let until = Instant::now() + PART;
    let mut left = calls.to_vec();
    while left.len() >= ENOUGH {
        let many = batch_of(command).min(left.len());
        if many < batch_of(command) && times.together.is_some() {
            // What is left is no transaction as the design has them.
            return Ok(());
        }
        let since = Instant::now();
        let (done, refused) = alone.batch(&left[..many]).await?;
        let took = since.elapsed();
        if refused.is_some() {
            // Two calls may be in each other's way: without the second.
            alone.session().batch(&fixed("ROLLBACK")).await?;
            left.remove(done);
            if Instant::now() > until {
                return Ok(());
            }
            continue;
        }
        let (updated, hot) = updates(alone.session()).await?;
        let since = Instant::now();
        if alone.session().batch(&fixed("COMMIT")).await.is_err() {
            // What holds for each of them does not for all together.
            return Ok(());
        }
        let seconds = (took + since.elapsed()).as_secs_f64().max(1e-9);
        let rate = done as f64 / seconds;
        if times.together.is_none_or(|best| rate > best) {
            times.together = Some(rate);
            times.of = done;
        }
        times.updated += updated;
        times.hot += hot;
        left.drain(..many);
        if Instant::now() > until {
            return Ok(());
        }
    }
    Ok(())
}

/// Where the log stands.
pub(super) async fn position(session: &mut Session) -> Result<String, SqlFailure> {
    let rows = session
        .query(&fixed("SELECT pg_current_wal_insert_lsn()"))
        .await?;
    Ok(rows.scalar().unwrap_or("0/0").to_owned())
}

/// Bytes of log that were written since.
pub(super) async fn since(session: &mut Session, before: &str) -> Result<f64, SqlFailure> {
    let bytes = fill(
        "SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), CAST({before} AS pg_lsn))",
        &[("before", &literal(before))],
    );
    let rows = session.query(&bytes).await?;
    Ok(rows
        .scalar()
        .and_then(|bytes| bytes.parse().ok())
        .unwrap_or(0.0))
}

/// Rows that the open transaction has updated, and those of them that needed no new index entry.
async fn updates(session: &mut Session) -> Result<(f64, f64), SqlFailure> {
    let rows = session
        .query(&fixed(
            "SELECT coalesce(sum(n_tup_upd), 0), coalesce(sum(n_tup_hot_upd), 0) FROM pg_stat_xact_user_tables",
        ))
        .await?;
    let number = |at: usize| {
        let cell = rows.rows.first().and_then(|row| row.get(at)?.clone());
        cell.and_then(|cell| cell.parse().ok()).unwrap_or(0.0)
    };
    Ok((number(0), number(1)))
}

fn judged(command: &Command, times: &Times) -> Judged {
    let alone = times.a_second();
    let hot = match times.updated > 0.0 {
        true => format!("{:.0} %", 100.0 * times.hot / times.updated),
        false => "-".to_owned(),
    };
    let together = times.together.map(|rate| (rate, rate / alone));
    let row = [
        command.name.as_str().to_owned(),
        thousands(alone),
        time(times.percentile("p50")),
        time(times.percentile("p95")),
        together.map_or("-".to_owned(), |(rate, _)| thousands(rate)),
        times.of.to_string(),
        together.map_or("-".to_owned(), |(_, gain)| format!("{gain:.1}x")),
        thousands(times.wal),
        hot,
    ];
    let columns = [
        "command",
        "a second",
        "median",
        "p95",
        "a second together",
        "of",
        "gain",
        "WAL bytes",
        "HOT updates",
    ];
    let table = Table {
        columns: columns.map(str::to_owned).to_vec(),
        rows: vec![row.map(Some).to_vec()],
    };
    let missed = missed(command, times);
    let mut judged = match &missed {
        Some(why) => Judged::refuted(why.clone()).with(Counterexample::Statements {
            sql: statements(command),
            expected: claim(command).statement,
            found: why.clone(),
        }),
        None => Judged::new(Verdict::Held),
    };
    let bounds = format!(
        "one session, {} calls alone and transactions of {}, nobody else, no wait for the disk",
        times.alone.len(),
        times.of
    );
    judged = judged
        .bounds(bounds)
        .measured(table)
        .figure("calls", times.alone.len())
        .figure("a_second", alone as usize)
        .figure("median_us", (times.percentile("p50") * 1e6) as usize)
        .figure("p95_us", (times.percentile("p95") * 1e6) as usize)
        .figure("wal_bytes", times.wal as usize)
        .figure("updates", times.updated as usize)
        .figure("hot_updates", times.hot as usize);
    if let Some(rate) = times.together {
        judged = judged
            .figure("a_second_together", rate as usize)
            .figure("together_of", times.of);
    }
    judged
}

fn statements(command: &Command) -> Vec<String> {
    let texts = command.steps.iter().filter_map(|step| match &step.kind {
        StepKind::Sql { sql, .. } => Some(sql.as_str().trim().to_owned()),
        StepKind::Require { .. } => None,
    });
    texts.collect()
}

/// What the design asks for and is out of reach.
fn missed(command: &Command, times: &Times) -> Option<String> {
    let alone = times.a_second();
    let best = times.together.unwrap_or(alone).max(alone);
    if let Some(batch) = &command.batch
        && let Some(reaches) = batch.reaches
        && best < reaches
    {
        return Some(format!(
            "one session gets {} a second through in transactions of {}, and is to reach {}",
            thousands(best),
            times.of,
            thousands(reaches)
        ));
    }
    let cores = std::thread::available_parallelism().map_or(1, usize::from) as f64;
    if let Some(runs) = command.runs
        && best * cores < runs
    {
        return Some(format!(
            "one session gets {} a second through at best, {} at once {}, and it runs {} a second",
            thousands(best),
            cores,
            thousands(best * cores),
            thousands(runs)
        ));
    }
    let quickest = times.alone.first().copied().unwrap_or(0.0);
    let late = command
        .within
        .iter()
        .find(|(_, seconds)| quickest > *seconds);
    late.map(|(percentile, seconds)| {
        format!(
            "the quickest of {} calls took {}, and {percentile} is to be within {}",
            times.alone.len(),
            time(quickest),
            time(*seconds)
        )
    })
}

/// `1.2 ms`.
fn time(seconds: f64) -> String {
    match seconds {
        _ if seconds >= 1.0 => format!("{seconds:.1} s"),
        _ if seconds >= 1e-3 => format!("{:.1} ms", seconds * 1e3),
        _ => format!("{:.0} us", seconds * 1e6),
    }
}

/// `0.5`, `300`.
fn short(rate: f64) -> String {
    match rate < 10.0 {
        true => format!("{rate:.3}")
            .trim_end_matches('0')
            .trim_end_matches('.')
            .to_owned(),
        false => thousands(rate),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn times(alone: &[f64], together: Option<f64>) -> Times {
        Times {
            alone: alone.to_vec(),
            wal: 100.0,
            together,
            of: 100,
            updated: 0.0,
            hot: 0.0,
        }
    }

    #[test]
    fn percentiles_are_of_the_calls_that_were_made() {
        let all: Vec<f64> = (1..=100).map(f64::from).collect();
        let times = times(&all, None);
        for (name, value) in [
            ("p50", 50.0),
            ("p95", 95.0),
            ("p99", 99.0),
            ("p999", 100.0),
            ("max", 100.0),
        ] {
            assert_eq!(times.percentile(name), value, "{name}");
        }
        assert_eq!(self::times(&[2.0], None).percentile("p50"), 2.0);
    }

    #[test]
    fn times_and_rates_are_short() {
        assert_eq!(time(0.000_25), "250 us");
        assert_eq!(time(0.02), "20.0 ms");
        assert_eq!(
            (short(300.0), short(0.5), short(1.0 / 60.0)),
            ("300".to_owned(), "0.5".to_owned(), "0.017".to_owned())
        );
    }
}
