//! Which indexes the design's own statements use, at every volume; what is used by none only costs.

use std::collections::{BTreeMap, BTreeSet};

use super::case::{Case, read};
use super::planned::{AtVolume, Scaled};
use super::sample::thousands;
use super::statistics::Belief;
use super::volume::ends;
use super::without::planned_without;
use crate::catalog::Table;
use crate::design::{Index, Model, Rule, StepKind};
use crate::error::Error;
use crate::explain::{PlanTree, Relations};
use crate::finding::{Claim, Finding, Severity, Table as Figures, Verdict};
use crate::postgres::{Session, SqlFailure};
use crate::sql::{self, Ident, SqlText, fill, fixed};
use crate::verify::Judged;
use crate::verify::stage::{begin, rollback};

/// An index is missed where a query becomes so many times dearer without it.
const MISSED: f64 = 1.05;

/// What was seen of the design's indexes.
#[derive(Debug, Default)]
struct Usage {
    /// By index: the statements that use it, in the design's words.
    by: BTreeMap<String, BTreeSet<String>>,
    /// Statements that could not be planned: they may use what seems unused.
    unknown: BTreeSet<String>,
}

impl Usage {
    fn note(&mut self, plan: &PlanTree, relations: &Relations, who: &str) {
        for index in plan.nodes().iter().filter_map(|node| relations.index(node)) {
            self.by
                .entry(index.to_owned())
                .or_default()
                .insert(who.to_owned());
        }
    }
}

/// What a design says of its indexes by having them.
pub(super) fn claim() -> Claim {
    Claim {
        subject: "indexes".to_owned(),
        statement: "each index is used by a query, a command or an invariant".to_owned(),
        at: None,
    }
}

/// Reviews all indexes that no constraint stands behind.
pub(super) async fn review(
    scaled: &mut Scaled<'_, '_>,
    cases: &[Case<'_>],
    planned: &[AtVolume],
    costs: &BTreeMap<String, f64>,
) -> Result<(Judged, Vec<Finding>), Error> {
    let usage = usage(scaled, cases, planned).await?;
    let unused = findings(scaled, &usage);
    let gains = gains(scaled, cases, planned).await?;
    let useless = useless(scaled, &usage, &gains);
    let measured = figures(scaled, &usage, &gains, costs);
    let all: usize = scaled
        .model()
        .tables
        .iter()
        .map(|table| table.indexes.len())
        .sum();
    let judged = Judged::new(Verdict::Held)
        .bounds(format!(
            "{} of {all} used, at the first and the last volume",
            all - unused.len()
        ))
        .figure("indexes", all)
        .figure("unused", unused.len())
        .figure("useless", useless.len())
        .measured(measured);
    Ok((judged, unused.into_iter().chain(useless).collect()))
}

/// By index: how much dearer the query that gains most becomes at the last volume when the index is taken out, and which that is.
async fn gains(
    scaled: &mut Scaled<'_, '_>,
    cases: &[Case<'_>],
    planned: &[AtVolume],
) -> Result<BTreeMap<String, (f64, String)>, Error> {
    let model = scaled.model();
    let mut found: BTreeMap<String, (f64, String)> = BTreeMap::new();
    let Some(last) = ends(model).last().copied() else {
        return Ok(found);
    };
    let (relations, mut session) = scaled.go_to(last, Belief::Estimated).await?;
    let declared = model.tables.iter().flat_map(|table| &table.indexes);
    let declared: BTreeSet<&str> = declared.map(|index| index.name.as_str()).collect();
    for (case, planned) in cases.iter().zip(planned) {
        let Some(now) = planned.planned.last() else {
            continue;
        };
        let cost = now.plan.root().map_or(0.0, |root| root.total_cost);
        let nodes = now.plan.nodes().iter();
        let used: BTreeSet<&str> = nodes.filter_map(|node| relations.index(node)).collect();
        for statement in &case.before {
            let _ = session.query(statement).await;
        }
        for index in used.into_iter().filter(|index| declared.contains(index)) {
            let name = Ident::from(index);
            let without = planned_without(&mut session, &name, &case.typical).await;
            let Ok(without) = without else { continue };
            let mut gain = without.root().map_or(0.0, |root| root.total_cost) / cost.max(0.01);
            // It may be there for the other values.
            for (_, with) in &now.others {
                let uses = |node| relations.index(node) == Some(index);
                if case.common != case.typical && with.nodes().iter().any(uses) {
                    let cost = with.root().map_or(0.0, |root| root.total_cost);
                    let without = planned_without(&mut session, &name, &case.common).await;
                    let without = without.ok().and_then(|plan| Some(plan.root()?.total_cost));
                    gain = gain.max(without.unwrap_or(0.0) / cost.max(0.01));
                }
            }
            if found.get(index).is_none_or(|(best, _)| gain > *best) {
                let who = case.query.name.as_str().to_owned();
                found.insert(index.to_owned(), (gain, who));
            }
        }
    }
    Ok(found)
}

/// A line for each index: who uses it, what that gains, and what it costs.
fn figures(
    scaled: &Scaled<'_, '_>,
    usage: &Usage,
    gains: &BTreeMap<String, (f64, String)>,
    costs: &BTreeMap<String, f64>,
) -> Figures {
    let model = scaled.model();
    let ends = ends(model);
    let measure = |point| scaled.measure(point, Belief::Estimated);
    let now = ends.first().copied().map(measure).unwrap_or_default();
    let then = ends.last().copied().map(measure).unwrap_or_default();
    let when = ends
        .last()
        .map_or_else(|| "then".to_owned(), |point| point.words());
    let mut columns = vec!["index", "used by", "gain", "now", &when, "WAL per insert"];
    if ends.len() < 2 {
        // Nothing grows.
        columns.remove(4);
    }
    let mut rows = Vec::new();
    for index in model.tables.iter().flat_map(|table| &table.indexes) {
        let name = index.name.as_str();
        let used = usage.by.get(name);
        let is_shared = used.is_some_and(|used| used.len() > 1);
        let used = used.map(|used| {
            let names = used.iter();
            let names = names.map(|who| who.strip_prefix("query ").unwrap_or(who));
            names.collect::<Vec<_>>().join(", ")
        });
        let gain = gains.get(name).map(|(gain, who)| {
            let times = match *gain < 10.0 {
                true => format!("{gain:.1}x"),
                false => format!("{}x", thousands(*gain)),
            };
            match is_shared {
                true => format!("{times} in {who}"),
                false => times,
            }
        });
        let cost = costs.get(name).map(|bytes| match bytes.round() == 1.0 {
            true => "1 byte".to_owned(),
            false => format!("{} bytes", thousands(*bytes)),
        });
        let mut row = vec![
            name.to_owned(),
            used.unwrap_or_else(|| "nothing".to_owned()),
            gain.unwrap_or_else(|| "-".to_owned()),
            size(scaled.bytes_in(&now, name)),
            size(scaled.bytes_in(&then, name)),
            cost.unwrap_or_else(|| "-".to_owned()),
        ];
        if ends.len() < 2 {
            row.remove(4);
        }
        rows.push(row.into_iter().map(Some).collect());
    }
    Figures {
        columns: columns.into_iter().map(str::to_owned).collect(),
        rows,
    }
}

/// Plans what the design runs beside its queries, and adds what the queries were seen to use.
async fn usage(
    scaled: &mut Scaled<'_, '_>,
    cases: &[Case<'_>],
    planned: &[AtVolume],
) -> Result<Usage, Error> {
    let mut usage = Usage::default();
    for (case, planned) in cases.iter().zip(planned) {
        let who = format!("query {}", case.query.name.as_str());
        if planned.planned.is_empty() {
            usage.unknown.insert(who.clone());
        }
        for moment in &planned.planned {
            usage.note(&moment.plan, scaled.names(), &who);
            for (_, plan) in &moment.others {
                usage.note(plan, scaled.names(), &who);
            }
        }
    }
    let model = scaled.model();
    let statements = statements(model);
    for point in ends(model) {
        let (relations, mut session) = scaled.go_to(point, Belief::Estimated).await?;
        let set = fixed("SET plan_cache_mode = force_generic_plan");
        let _ = session.batch(&set).await;
        // Policies ask for a tenant, whichever.
        for statement in cases.iter().flat_map(|case| &case.before) {
            let _ = session.query(statement).await;
        }
        for (who, sql) in &statements {
            match for_all(&mut session, sql).await {
                Ok(plan) => usage.note(&plan, &relations, who),
                Err(_) => {
                    usage.unknown.insert(who.clone());
                }
            }
        }
    }
    Ok(usage)
}

/// Statements of commands and invariants, with what they belong to.
fn statements(model: &Model) -> Vec<(String, String)> {
    let mut all = Vec::new();
    for command in &model.commands {
        for step in &command.steps {
            if let StepKind::Sql { sql, .. } = &step.kind {
                let who = format!("command {}", command.name.as_str());
                all.push((who, sql.as_str().to_owned()));
            }
        }
    }
    for invariant in &model.invariants {
        if let Rule::Holds { sql } = &invariant.rule {
            let who = format!("invariant {}", invariant.name.as_str());
            all.push((who, sql.as_str().to_owned()));
        }
    }
    all
}

/// What prepares a statement for all values at once, and what runs it.
pub(super) fn prepared(text: &str) -> (SqlText, SqlText) {
    let bound = sql::bind(text.trim().trim_end_matches(';'));
    let name = Ident::new("pgproof_statement");
    let (prepare, _) = sql::prepare(&name, &SqlText::authored(bound.sql));
    let nothing = vec![None; bound.names.len()];
    (prepare, sql::execute(&name, &nothing))
}

/// The plan of a statement for all values at once.
pub(super) async fn for_all(session: &mut Session, text: &str) -> Result<PlanTree, SqlFailure> {
    let (prepare, call) = prepared(text);
    let explain = fill("EXPLAIN (FORMAT JSON) {call}", &[("call", &call)]);
    session.batch(&begin()).await?;
    let rows = match session.batch(&prepare).await {
        Ok(()) => session.query(&explain).await,
        Err(failure) => Err(failure),
    };
    session.batch(&rollback()).await?;
    let _ = session.batch(&fixed("DEALLOCATE ALL")).await;
    Ok(read(&rows?))
}

/// Indexes that nothing uses, where everything that could be asked was.
fn findings(scaled: &Scaled<'_, '_>, usage: &Usage) -> Vec<Finding> {
    let model = scaled.model();
    let mut found = Vec::new();
    for table in &model.tables {
        let mut compiled = scaled.catalog().tables.iter();
        let Some((_, compiled)) = compiled.find(|(name, _)| name.name == table.name.ident) else {
            continue;
        };
        for index in &table.indexes {
            let name = index.name.as_str();
            let ages = table.retention.iter().filter_map(|rule| rule.of.as_ref());
            let first = index.keys.first().and_then(|key| key.column.as_ref());
            let finds_old_rows = ages.into_iter().any(|of| Some(&of.ident) == first);
            if index.unique
                || usage.by.contains_key(name)
                || covers_reference(index, compiled)
                || finds_old_rows
            {
                continue;
            }
            let bytes = scaled.bytes_of(name);
            let message = format!(
                "no query, command or invariant of the design uses `{name}` at any of its volumes; at the horizon it takes {}",
                size(bytes)
            );
            let subject = format!("index {}.{name}", table.name.as_str());
            let help = match usage.unknown.is_empty() {
                true => "drop it, or add the query that needs it to `queries:`".to_owned(),
                false => {
                    let unknown: Vec<&str> = usage.unknown.iter().map(String::as_str).collect();
                    format!(
                        "drop it, unless one of these needs it, which could not be planned: {}",
                        unknown.join(", ")
                    )
                }
            };
            // Somebody gave a reason that no statement of the design shows.
            let severity = match index.because.is_some() {
                true => Severity::Advice,
                false => Severity::Warning,
            };
            let finding = Finding::new("unused-index", severity, subject, message, index.name.at);
            found.push(finding.help(help).of(model.name.as_str()));
        }
    }
    found
}

/// Indexes that queries use and would not miss: another serves them nearly as well. What commands and invariants use is left alone, as how
/// much that gains is not known.
fn useless(
    scaled: &Scaled<'_, '_>,
    usage: &Usage,
    gains: &BTreeMap<String, (f64, String)>,
) -> Vec<Finding> {
    let model = scaled.model();
    let tables = model.tables.iter();
    let indexes = tables.flat_map(|table| table.indexes.iter().map(move |index| (table, index)));
    let mut found = Vec::new();
    for (table, index) in indexes {
        let name = index.name.as_str();
        let only_queries =
            |used: &BTreeSet<String>| used.iter().all(|who| who.starts_with("query "));
        let Some((gain, who)) = gains.get(name).filter(|(gain, _)| *gain < MISSED) else {
            continue;
        };
        // Without one that begins alike, what does as well is no index: that hangs on how many rows a query asks for.
        let first = |index: &Index| index.keys.first().and_then(|key| key.column.clone());
        let alike = |other: &Index| other.name.as_str() != name && first(other) == first(index);
        if index.unique
            || !table.indexes.iter().any(alike)
            || !usage.by.get(name).is_some_and(only_queries)
        {
            continue;
        }
        let more = (100.0 * (gain - 1.0)).max(0.0);
        let message = format!(
            "without `{name}` no query becomes more than {more:.0} % dearer ({who}), and it takes {}",
            size(scaled.bytes_of(name))
        );
        let subject = format!("index {}.{name}", table.name.as_str());
        let at = index.name.at;
        let finding = Finding::new("useless-index", Severity::Advice, subject, message, at);
        let help = "drop it: other indexes serve its queries about as well";
        found.push(finding.help(help.to_owned()).of(model.name.as_str()));
    }
    found
}

/// Whether a parent's deletes and key changes look rows up with it.
fn covers_reference(index: &Index, table: &Table) -> bool {
    let first = |many: usize| index.keys.iter().take(many).map(|key| key.column.as_ref());
    table.foreign_keys.values().any(|key| {
        let many = key.columns.len();
        index.keys.len() >= many
            && first(many).all(|column| column.is_some_and(|column| key.columns.contains(column)))
    })
}

/// `1.2 GB`.
pub(super) fn size(bytes: f64) -> String {
    let units = ["bytes", "kB", "MB", "GB", "TB", "PB"];
    let (mut value, mut at) = (bytes, 0);
    while value >= 1024.0 && at + 1 < units.len() {
        value /= 1024.0;
        at += 1;
    }
    match at {
        0 => format!("{} bytes", thousands(value)),
        _ if value < 10.0 => format!("{value:.1} {}", units[at]),
        _ => format!("{value:.0} {}", units[at]),
    }
}

#[cfg(test)]
mod tests {
    use super::size;

    #[test]
    fn sizes_are_short() {
        assert_eq!(size(512.0), "512 bytes");
        assert_eq!(size(8192.0), "8.0 kB");
        assert_eq!(size(5e10), "47 GB");
    }
}
