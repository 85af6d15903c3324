//! What index would serve a query that does not keep its expectations: candidates are really made, given the size that they would have, and
//! planned with.

use std::collections::BTreeSet;

use super::candidate::{Candidate, candidates};
use super::case::{Case, read};
use super::expect::decide_at_volume;
use super::indexes::size;
use super::planned::{AtVolume, Planned, Scaled};
use super::statistics::Belief;
use super::volume::Point;
use crate::design::QueryKind;
use crate::error::Error;
use crate::explain::{Outcome, PlanTree, Relations, Subject};
use crate::finding::{Finding, Severity};
use crate::postgres::{Session, SqlFailure};
use crate::sql::{SqlText, fill, fixed, join, literal, quote_ident, quote_qualified};

/// Queries that advice is sought for, of one design.
const QUERIES: usize = 12;

/// An index of this part of another's size is smaller.
const SMALLER: f64 = 0.75;

/// An index that leaves more than this part of the cost is no cure, though another kind of node stands in the plan.
const CURED: f64 = 0.7;

/// What costs no more than this is not worth more room and writing.
const LITTLE: f64 = 200.0;

/// An interactive query that costs more is looked at although it keeps its expectations: it may go through all of an index, or of what a
/// coarse one finds.
const DEAR: f64 = 1_000.0;

/// An index is advised for it that makes it so many times cheaper.
const CHEAPER: f64 = 10.0;

/// A candidate with what it would bring.
#[derive(Clone)]
pub(super) struct Served {
    pub candidate: Candidate,
    pub cost: f64,
    pub bytes: f64,
}

impl Served {
    /// What to paste, and where.
    pub(super) fn help(&self) -> String {
        let table = self.candidate.table.name.as_str();
        let mut lines = vec![format!("paste below `indexes:` of `{table}`:")];
        lines.extend(self.candidate.yaml());
        lines.join("\n")
    }

    /// Whether it is the better advice, for a statement that costs so much now. Where two serve about as well, the smaller one, or the
    /// simpler one; and much more room is earned by as many times less cost, or by a part of the cost that there was.
    fn beats(&self, other: &Served, before: f64) -> bool {
        let earns = |large: &Served, small: &Served| {
            let room = large.bytes / small.bytes.max(1.0);
            let saved = small.cost - large.cost;
            let earned = room < 1.5 || small.cost / large.cost >= room || saved > before * 0.1;
            large.cost < small.cost * 0.7 && small.cost > LITTLE && earned
        };
        if self.bytes < other.bytes * SMALLER {
            return !earns(other, self);
        }
        if other.bytes < self.bytes * SMALLER || self.parts() > other.parts() {
            return earns(self, other);
        }
        (self.parts() < other.parts() && !earns(other, self)) || earns(self, other)
    }

    /// How much there is to say about it.
    fn parts(&self) -> usize {
        let Candidate {
            columns,
            include,
            predicate,
            ..
        } = &self.candidate;
        columns.len() + include.len() + usize::from(predicate.is_some())
    }
}

/// Findings that propose an index, for queries that are broken at some volume.
pub(super) async fn advise(
    scaled: &mut Scaled<'_, '_>,
    cases: &[Case<'_>],
    planned: &[AtVolume],
) -> Result<Vec<Finding>, Error> {
    let broken = |moment: &&Planned| {
        let mut outcomes = moment.outcomes.iter();
        outcomes.any(|outcome| matches!(outcome, Outcome::Broken { .. }))
    };
    let dear = |moment: &&Planned| cost(moment) > DEAR;
    let all = || cases.iter().zip(planned);
    let refuted =
        all().filter_map(|(case, planned)| Some((case, planned.planned.iter().find(broken)?)));
    let kept = all().filter(|(case, planned)| {
        case.query.kind == QueryKind::Interactive
            && !planned.planned.iter().any(|moment| broken(&moment))
    });
    let kept = kept.filter_map(|(case, planned)| Some((case, planned.planned.iter().find(dear)?)));
    let wanted: Vec<(&Case<'_>, &Planned)> = refuted.chain(kept).take(QUERIES).collect();
    let mut found = Vec::new();
    for (case, moment) in wanted {
        found.extend(for_query(scaled, case, moment).await?);
    }
    Ok(found)
}

fn cost(moment: &Planned) -> f64 {
    moment.plan.root().map_or(0.0, |root| root.total_cost)
}

async fn for_query(
    scaled: &mut Scaled<'_, '_>,
    case: &Case<'_>,
    moment: &Planned,
) -> Result<Option<Finding>, Error> {
    let is_broken = |outcome: &Outcome| matches!(outcome, Outcome::Broken { .. });
    let broken = moment.outcomes.iter().any(is_broken);
    let sought = Sought {
        text: case.query.sql.as_str(),
        first: case.before.clone(),
        statement: case.typical.clone(),
        keeps: &|plan, relations| keeps(case, plan, relations),
        point: moment.point,
        cost: cost(moment),
        covering: broken,
    };
    let best = seek(scaled, &sought).await?;
    let best = best.filter(|best| broken || best.cost * CHEAPER <= sought.cost);
    Ok(best.map(|best| finding(scaled, case, &sought, (&best, broken))))
}

/// What an index is sought for.
pub(super) struct Sought<'a> {
    /// As the design has it.
    pub text: &'a str,
    /// What a session says before.
    pub first: Vec<SqlText>,
    /// What is planned.
    pub statement: SqlText,
    /// Whether a plan is as it should be.
    pub keeps: &'a dyn Fn(&PlanTree, &Relations) -> bool,
    /// When.
    pub point: Point,
    /// What it costs then.
    pub cost: f64,
    /// Whether an index may also hold what is only shown.
    pub covering: bool,
}

/// The index with which a statement is planned as it should be, if there is one.
pub(super) async fn seek(
    scaled: &mut Scaled<'_, '_>,
    sought: &Sought<'_>,
) -> Result<Option<Served>, Error> {
    let mut proposed = candidates(sought.text, scaled.catalog());
    proposed.retain(|candidate| sought.covering || candidate.include.is_empty());
    if proposed.is_empty() {
        return Ok(None);
    }
    scaled.shrink().await?;
    let made = make(scaled, &proposed).await?;
    scaled.look_again().await?;
    let (relations, mut session) = scaled.go_to(sought.point, Belief::Estimated).await?;
    let mut admin = scaled.steward().await?;
    let before = sought.cost;
    let mut best: Option<Served> = None;
    for candidate in &made {
        let planned = with(&mut admin, &mut session, candidate, sought).await?;
        let Ok(plan) = planned else { continue };
        let cost = plan.root().map_or(f64::MAX, |root| root.total_cost);
        if !(sought.keeps)(&plan, &relations) || cost >= before * CURED {
            continue;
        }
        let bytes = scaled.bytes_of(candidate.name.as_str());
        let served = Served {
            candidate: candidate.clone(),
            cost,
            bytes,
        };
        if best.as_ref().is_none_or(|best| served.beats(best, before)) {
            best = Some(served);
        }
    }
    drop((admin, session));
    scaled.shrink().await?;
    unmake(scaled, &made).await?;
    scaled.look_again().await?;
    Ok(best)
}

fn finding(
    scaled: &Scaled<'_, '_>,
    case: &Case<'_>,
    sought: &Sought<'_>,
    (best, broken): (&Served, bool),
) -> Finding {
    let name = case.query.name.as_str();
    let table = best.candidate.table.name.as_str();
    let (gains, severity) = match broken {
        true => ("would keep its plan", Severity::Warning),
        false => ("would be much cheaper", Severity::Advice),
    };
    let message = format!(
        "`{name}` {gains} with an index on `{table}`: {}, its cost falls from {:.0} to {:.0}; the index takes {} then",
        sought.point.words(),
        sought.cost,
        best.cost,
        size(best.bytes)
    );
    let finding = Finding::new(
        "missing-index",
        severity,
        format!("query {name}"),
        message,
        case.query.name.at,
    );
    finding.help(best.help()).of(scaled.model().name.as_str())
}

/// Whether nothing is broken any more. An index that the design names and does not have cannot be used.
fn keeps(case: &Case<'_>, plan: &PlanTree, relations: &Relations) -> bool {
    let subject = Subject {
        plan,
        others: &[],
        relations,
    };
    let mut asked = case.asked.iter().filter(|asked| asked.name != "uses");
    asked.all(|asked| !matches!(decide_at_volume(asked, &subject), Outcome::Broken { .. }))
}

/// Makes them in the small database, unseen by the planner; those that the server takes.
async fn make(scaled: &Scaled<'_, '_>, proposed: &[Candidate]) -> Result<Vec<Candidate>, Error> {
    let (mut admin, mut owner) = (scaled.steward().await?, scaled.session().await?);
    let mut made = Vec::new();
    for candidate in proposed {
        // Its predicate may call what the design brings along: nothing for a superuser.
        if owner.batch(&candidate.create()).await.is_ok() {
            let hidden = admin.batch(&valid(candidate, false)).await;
            hidden.map_err(|failure| failure.into_error("hide an index"))?;
            made.push(candidate.clone());
        }
    }
    // Of an expression nothing is known until somebody has looked at it.
    let with_expression = made.iter().filter(|candidate| {
        let mut keys = candidate.columns.iter();
        keys.any(|key| key.contains('('))
    });
    let tables: BTreeSet<SqlText> = with_expression
        .map(|candidate| quote_qualified(&candidate.table))
        .collect();
    if !tables.is_empty() {
        let tables = join(tables, ", ");
        let analyse = fill("ANALYZE {tables}", &[("tables", &tables)]);
        let done = admin.batch(&analyse).await;
        done.map_err(|failure| failure.into_error("look at an index"))?;
    }
    Ok(made)
}

async fn unmake(scaled: &Scaled<'_, '_>, made: &[Candidate]) -> Result<(), Error> {
    let mut owner = scaled.session().await?;
    let schema = quote_ident(&scaled.model().database.schema);
    let drops = made.iter().map(|candidate| {
        fill(
            "DROP INDEX {schema}.{name};",
            &[("schema", &schema), ("name", &quote_ident(&candidate.name))],
        )
    });
    let drops = join(drops, "\n");
    let done = owner.batch(&drops).await;
    done.map_err(|failure| failure.into_error("drop an index"))
}

/// Shows an index and those of its partitions to the planner, or hides them.
fn valid(candidate: &Candidate, valid: bool) -> SqlText {
    fill(
        "UPDATE pg_catalog.pg_index SET indisvalid = {valid} WHERE indexrelid IN (\n\
         SELECT c.oid FROM pg_class AS c WHERE c.relname = {name} AND c.relkind IN ('i', 'I')\n\
         UNION ALL SELECT t.relid FROM pg_class AS c, pg_partition_tree(c.oid) AS t WHERE c.relname = {name} AND c.relkind = 'I')",
        &[
            ("valid", &fixed(if valid { "true" } else { "false" })),
            ("name", &literal(candidate.name.as_str())),
        ],
    )
}

/// The plan where the candidate is there. It is shown by one session and planned with by another: planning runs functions of the design.
async fn with(
    admin: &mut Session,
    session: &mut Session,
    candidate: &Candidate,
    sought: &Sought<'_>,
) -> Result<Result<PlanTree, SqlFailure>, Error> {
    let set = |failure: SqlFailure| failure.into_error("show an index");
    admin.batch(&valid(candidate, true)).await.map_err(set)?;
    let planned = explained(session, sought).await;
    admin.batch(&valid(candidate, false)).await.map_err(set)?;
    Ok(planned)
}

async fn explained(session: &mut Session, sought: &Sought<'_>) -> Result<PlanTree, SqlFailure> {
    let explain = fill(
        "EXPLAIN (FORMAT JSON) {statement}",
        &[("statement", &sought.statement)],
    );
    let mut before = vec![fixed("BEGIN")];
    before.extend(sought.first.iter().cloned());
    let ready = session.batch(&join(before, ";\n")).await;
    let rows = match ready {
        Ok(()) => session.query(&explain).await,
        Err(failure) => Err(failure),
    };
    session.batch(&fixed("ROLLBACK; DEALLOCATE ALL")).await?;
    Ok(read(&rows?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sql::{Ident, QualifiedName};

    fn served(cost: f64, bytes: f64) -> Served {
        Served {
            candidate: Candidate {
                table: QualifiedName::new(Ident::new("s"), Ident::new("t")),
                name: Ident::new("ix"),
                using: "btree".to_owned(),
                columns: Vec::new(),
                include: Vec::new(),
                predicate: None,
            },
            cost,
            bytes,
        }
    }

    #[test]
    fn room_must_be_earned() {
        let (plain, covering) = (served(8.0, 1e9), served(5.0, 9e9));
        assert!(plain.beats(&covering, 1e6) && !covering.beats(&plain, 1e6));
        let (sorts, sorted) = (served(600.0, 1e9), served(24.0, 4e9));
        assert!(sorted.beats(&sorts, 1e6) && !sorts.beats(&sorted, 1e6));
        let mut covering = served(5.0, 1.2e9);
        covering.candidate.include = vec![Ident::new("title")];
        let plain = served(50.0, 1e9);
        assert!(plain.beats(&covering, 1e6) && !covering.beats(&plain, 1e6));
        let mut partial = served(50.0, 0.9e9);
        partial.candidate.predicate = Some("a IS NOT NULL".to_owned());
        assert!(plain.beats(&partial, 1e6) && !partial.beats(&plain, 1e6));
        let mut narrow = partial.clone();
        narrow.bytes = 0.1e9;
        assert!(narrow.beats(&plain, 1e6) && !plain.beats(&narrow, 1e6));
        let (dear, cheap) = (served(5e5, 1e9), served(5.0, 9e9));
        assert!(cheap.beats(&dear, 1e6) && !dear.beats(&cheap, 1e6));
        let (large, small) = (served(1.0, 1e9), served(1.2, 1e6));
        assert!(small.beats(&large, 1e6) && !large.beats(&small, 1e6));
    }
}
