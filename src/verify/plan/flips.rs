//! Between which volumes plans change: between two moments by halving, and once behind the horizon.

use std::collections::BTreeMap;

use super::case::Case;
use super::planned::{AtVolume, Scaled, difference};
use super::sample::thousands;
use super::statistics::Belief;
use super::volume::Point;
use crate::error::Error;
use crate::explain::PlanTree;

/// How often the interval in which a plan changes is halved.
const HALVINGS: usize = 5;
/// Volumes that a design is given in search of changes. What is not found by then is said less closely.
const VOLUMES: usize = 60;
/// How much larger than at the horizon everything is made, to see what comes after it.
const BEYOND: f64 = 10.0;

/// A query that is planned otherwise at the end of an interval than at its beginning.
struct Change {
    case: usize,
    before: PlanTree,
    after: PlanTree,
}

/// Where changes are looked for, all of an interval together.
struct Interval {
    low: Point,
    high: Point,
    halvings: usize,
    changes: Vec<Change>,
}

/// Tells each query where its plan changes.
pub(super) async fn flips(
    scaled: &mut Scaled<'_, '_>,
    cases: &[Case<'_>],
    moments: &[Point],
    found: &mut [AtVolume],
) -> Result<(), Error> {
    let Some(last) = moments.last().copied() else {
        return Ok(());
    };
    let mut volumes = VOLUMES;
    for mut interval in intervals(scaled, cases, last, found).await? {
        let mut open = Vec::new();
        loop {
            if interval.halvings == 0 || volumes == 0 {
                for change in &interval.changes {
                    let line = words(scaled, change, interval.high);
                    found[change.case].flips.push(line);
                }
            } else {
                volumes -= 1;
                open.extend(halved(scaled, cases, interval).await?);
            }
            match open.pop() {
                Some(next) => interval = next,
                None => break,
            }
        }
    }
    Ok(())
}

/// Between the moments, and from the last to what comes after it.
async fn intervals(
    scaled: &mut Scaled<'_, '_>,
    cases: &[Case<'_>],
    last: Point,
    found: &[AtVolume],
) -> Result<Vec<Interval>, Error> {
    let mut wanted: BTreeMap<usize, Interval> = BTreeMap::new();
    let mut note = |at: usize, (low, high): (Point, Point), change: Change| {
        if change.before.shape() != change.after.shape() {
            let interval = wanted.entry(at).or_insert(Interval {
                low,
                high,
                halvings: HALVINGS,
                changes: Vec::new(),
            });
            interval.changes.push(change);
        }
    };
    for (case, found) in found.iter().enumerate() {
        for (at, pair) in found.planned.windows(2).enumerate() {
            let change = Change {
                case,
                before: pair[0].plan.clone(),
                after: pair[1].plan.clone(),
            };
            note(at, (pair[0].point, pair[1].point), change);
        }
    }
    let far = Point {
        factor: BEYOND,
        ..last
    };
    let (_, mut session) = scaled.go_to(far, Belief::Estimated).await?;
    for (at, case) in cases.iter().enumerate() {
        if let (Some(known), Ok(after)) = (
            found[at].planned.last(),
            case.typical_at(&mut session).await,
        ) {
            let change = Change {
                case: at,
                before: known.plan.clone(),
                after,
            };
            note(usize::MAX, (last, far), change);
        }
    }
    Ok(wanted.into_values().collect())
}

/// The two halves, each with the changes that are in it.
async fn halved(
    scaled: &mut Scaled<'_, '_>,
    cases: &[Case<'_>],
    interval: Interval,
) -> Result<Vec<Interval>, Error> {
    let Interval { low, high, .. } = interval;
    let middle = Point {
        after: (low.after + high.after) / 2.0,
        factor: (low.factor * high.factor).sqrt(),
    };
    let (_, mut session) = scaled.go_to(middle, Belief::Estimated).await?;
    let half = |low, high| Interval {
        low,
        high,
        halvings: interval.halvings - 1,
        changes: Vec::new(),
    };
    let (mut first, mut second) = (half(low, middle), half(middle, high));
    for change in interval.changes {
        let Ok(plan) = cases[change.case].typical_at(&mut session).await else {
            continue;
        };
        match plan.shape() == change.before.shape() {
            true => second.changes.push(change),
            false => first.changes.push(Change {
                after: plan,
                ..change
            }),
        }
    }
    let mut halves = vec![second, first];
    halves.retain(|half| !half.changes.is_empty());
    Ok(halves)
}

/// `from about 44,000,000 rows of event on (in 1 year) it changes: Sort instead of Index Scan using ix_a on a`.
fn words(scaled: &Scaled<'_, '_>, change: &Change, at: Point) -> String {
    let relations = scaled.relations(at);
    let rows = |table: &str| relations.rows.get(table).copied().unwrap_or(0.0);
    let line = difference(&change.before, &change.after).unwrap_or_default();
    let nodes = change.after.nodes().iter();
    let largest = nodes
        .filter_map(|node| relations.table(node))
        .max_by(|a, b| rows(a).total_cmp(&rows(b)));
    let from = match largest {
        Some(table) => format!("{} rows of {table}", thousands(rows(table))),
        None => at.words(),
    };
    let when = match at.factor > 1.0 {
        true => "beyond the horizon".to_owned(),
        false => at.words(),
    };
    format!("from about {from} on ({when}) it changes: {line}")
}
