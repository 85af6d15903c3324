//! What commands read: a statement that goes through all of a large table at each call, where an index would find its rows.

use super::advice::{Sought, seek};
use super::case::Case;
use super::expect::LARGE;
use super::indexes::{for_all, prepared, size};
use super::planned::Scaled;
use super::sample::thousands;
use super::statistics::Belief;
use super::volume::{Point, ends};
use crate::design::{Command, StepKind};
use crate::error::Error;
use crate::explain::{PlanTree, Relations};
use crate::finding::{Finding, Severity};
use crate::source::Text;
use crate::sql::{SqlText, fixed};

/// Statements that an index is sought for, of one design.
const STATEMENTS: usize = 6;

/// A statement that goes through a table.
struct Reader {
    /// Which of all statements of commands.
    at: usize,
    table: String,
    rows: f64,
    point: Point,
    cost: f64,
}

/// Findings that propose an index, for statements of commands that read a large table whole.
pub(super) async fn advise_commands(
    scaled: &mut Scaled<'_, '_>,
    cases: &[Case<'_>],
) -> Result<Vec<Finding>, Error> {
    let model = scaled.model();
    let mut statements: Vec<(&Command, &Text)> = Vec::new();
    for command in &model.commands {
        for step in &command.steps {
            if let StepKind::Sql { sql, .. } = &step.kind {
                statements.push((command, sql));
            }
        }
    }
    // Policies ask for a tenant, whichever.
    let mut first: Vec<SqlText> = cases.iter().flat_map(|case| case.before.clone()).collect();
    first.push(fixed("SET LOCAL plan_cache_mode = force_generic_plan"));
    let mut readers: Vec<Reader> = Vec::new();
    for point in ends(model) {
        let (relations, mut session) = scaled.go_to(point, Belief::Estimated).await?;
        let set = fixed("SET plan_cache_mode = force_generic_plan");
        let _ = session.batch(&set).await;
        for statement in cases.iter().flat_map(|case| &case.before) {
            let _ = session.query(statement).await;
        }
        for (at, (_, sql)) in statements.iter().enumerate() {
            if readers.iter().any(|reader| reader.at == at) {
                continue;
            }
            // What cannot be planned is said where indexes are reviewed.
            let Ok(plan) = for_all(&mut session, sql.as_str()).await else {
                continue;
            };
            if let Some((table, rows)) = whole(&plan, &relations) {
                readers.push(Reader {
                    at,
                    table: table.to_owned(),
                    rows,
                    point,
                    cost: plan.root().map_or(0.0, |root| root.total_cost),
                });
            }
        }
    }
    let mut found = Vec::new();
    for reader in readers.into_iter().take(STATEMENTS) {
        let (command, sql) = statements[reader.at];
        let (prepare, call) = prepared(sql.as_str());
        let sought = Sought {
            text: sql.as_str(),
            first: first.iter().cloned().chain([prepare]).collect(),
            statement: call,
            keeps: &|plan, relations| whole(plan, relations).is_none(),
            point: reader.point,
            cost: reader.cost,
            covering: false,
        };
        let Some(best) = seek(scaled, &sought).await? else {
            continue;
        };
        let message = format!(
            "`{}` reads all of `{}` at each call, {} rows {}; with an index on `{}` its cost falls from {:.0} to {:.0}, and the index takes {} then",
            command.name.as_str(),
            reader.table,
            thousands(reader.rows),
            reader.point.words(),
            best.candidate.table.name.as_str(),
            reader.cost,
            best.cost,
            size(best.bytes)
        );
        let subject = format!("command {}", command.name.as_str());
        let finding = Finding::new(
            "missing-index",
            Severity::Warning,
            subject,
            message,
            sql.at(),
        );
        found.push(finding.help(best.help()).of(model.name.as_str()));
    }
    Ok(found)
}

/// A large table that a plan reads in sequence, with its rows.
fn whole<'p>(plan: &'p PlanTree, relations: &'p Relations) -> Option<(&'p str, f64)> {
    let scans = plan.nodes().iter().filter(|node| node.kind == "Seq Scan");
    let tables = scans.filter_map(|node| relations.table(node));
    let sized = tables.filter_map(|table| Some((table, *relations.rows.get(table)?)));
    sized
        .filter(|(_, rows)| *rows > LARGE)
        .max_by(|a, b| a.1.total_cmp(&b.1))
}
