//! One design on several major versions: what was tried on further ones are claims of their own, and where a query is planned otherwise
//! there, both sides say so.

use super::evidence::Judged;
use super::run::Told;
use super::runner::{Verified, VerifyOptions};
use crate::design::Model;
use crate::finding::{Claim, Evidence, Finding, Method, PlanAt};

/// What is tried on further versions: the rest does not hang on the planner, nor on what a version accepts.
pub const METHODS: [Method; 2] = [Method::Build, Method::Plan];

/// A further major version, and what came of the design there, or why nothing did.
#[derive(Clone, Debug)]
pub struct Further {
    /// `16`.
    pub major: u16,
    /// Evidence and findings, or why that version could not be had.
    pub tried: Result<Verified, String>,
}

/// Adds to what came of a design on its own version what came of it on others.
pub fn beside(model: &Model, options: &VerifyOptions, own: &mut Verified, further: Vec<Further>) {
    let home = own.evidence.len();
    let mut seen: Vec<Seen> = own.evidence.iter().map(|_| Seen::default()).collect();
    for Further { major, tried } in further {
        match tried {
            Ok(tried) => {
                let mut added = tried.evidence;
                for theirs in &mut added {
                    let mut places = own.evidence[..home].iter();
                    if let Some(at) = places.position(|own| own.id == theirs.id) {
                        compare(&own.evidence[at], theirs, major, &mut seen[at]);
                    }
                    rename(theirs, major);
                }
                own.evidence.extend(added);
                for finding in tried.findings {
                    if !own.findings.iter().any(|known| is_same(known, &finding)) {
                        own.findings.push(Finding {
                            message: format!("on PostgreSQL {major}, {}", finding.message),
                            ..finding
                        });
                    }
                }
            }
            Err(why) if options.part.shard.is_none_or(super::Shard::is_first) => {
                own.evidence.push(not_had(model, options, major, why));
            }
            Err(_) => {}
        }
    }
    for (evidence, seen) in own.evidence.iter_mut().zip(seen) {
        seen.say(evidence);
    }
}

/// Where a cost is so many times another, that is said although the plans are alike: a scan that skips is drawn as one that does not.
const FAR: f64 = 10.0;

/// What other versions made of the plans of one query.
#[derive(Default)]
struct Seen {
    costs: Vec<(u16, f64)>,
    alike: Vec<u16>,
    otherwise: Vec<(u16, String)>,
}

impl Seen {
    fn say(self, evidence: &mut Evidence) {
        let all = self.alike.len() + self.otherwise.len();
        if all == 0 {
            return;
        }
        for (major, line) in &self.otherwise {
            add(
                evidence,
                &format!("on PostgreSQL {major} planned otherwise: {line}"),
            );
        }
        for (major, cost) in &self.costs {
            add(
                evidence,
                &format!("on PostgreSQL {major} its cost at the horizon is {cost}"),
            );
        }
        if !self.alike.is_empty() {
            let majors: Vec<String> = self.alike.iter().map(u16::to_string).collect();
            add(
                evidence,
                &format!("planned alike on PostgreSQL {}", majors.join(" and ")),
            );
        }
        let mut figure = |name: &str, value: usize| {
            evidence.figures.push((name.to_owned(), value as f64));
        };
        figure("further_versions", all);
        figure("planned_otherwise", self.otherwise.len());
    }
}

fn add(evidence: &mut Evidence, clause: &str) {
    evidence.bounds = Some(match evidence.bounds.take() {
        Some(bounds) => format!("{bounds}; {clause}"),
        None => clause.to_owned(),
    });
}

fn compare(own: &Evidence, theirs: &mut Evidence, major: u16, seen: &mut Seen) {
    if own.plans.is_empty() || theirs.plans.is_empty() {
        return;
    }
    let home = own.setting.server_version.as_deref().unwrap_or_default();
    let home = home
        .split(|c: char| !c.is_ascii_digit())
        .next()
        .unwrap_or_default();
    let line = difference(&own.plans, &theirs.plans);
    let (own_cost, their_cost) = (cost(own), cost(theirs));
    if own_cost.max(their_cost) >= FAR * own_cost.min(their_cost).max(1.0) {
        add(
            theirs,
            &format!("its cost at the horizon is {their_cost}, on PostgreSQL {home} {own_cost}"),
        );
        seen.costs.push((major, their_cost));
    }
    theirs.figures.push((
        "planned_otherwise".to_owned(),
        f64::from(u8::from(line.is_some())),
    ));
    match line {
        Some(line) => {
            add(
                theirs,
                &format!("planned otherwise than on PostgreSQL {home}: {line}"),
            );
            seen.otherwise.push((major, line));
        }
        None => {
            add(theirs, &format!("planned as on PostgreSQL {home}"));
            seen.alike.push(major);
        }
    }
}

fn cost(evidence: &Evidence) -> f64 {
    let mut figures = evidence.figures.iter();
    let found = figures.find(|(name, _)| name == "cost_at_horizon");
    found.map_or(0.0, |(_, cost)| *cost)
}

/// The first moment at which two lists of plans differ, and the first node: `now, Index Scan using ix_a on a instead of Seq Scan on a`.
fn difference(own: &[PlanAt], theirs: &[PlanAt]) -> Option<String> {
    let (one, other) = own
        .iter()
        .zip(theirs)
        .find(|(one, other)| one.nodes != other.nodes)?;
    let same = one
        .nodes
        .iter()
        .zip(&other.nodes)
        .take_while(|(a, b)| a == b);
    let at = same.count();
    let node = |plan: &PlanAt| match plan.nodes.get(at) {
        Some(node) => node.trim().to_owned(),
        None => "nothing".to_owned(),
    };
    Some(format!(
        "{}, {} instead of {}",
        one.when,
        node(other),
        node(one)
    ))
}

fn rename(evidence: &mut Evidence, major: u16) {
    let on = format!(" on PostgreSQL {major}");
    evidence.claim.subject.push_str(&on);
    evidence.id.push_str(&on);
}

fn is_same(one: &Finding, other: &Finding) -> bool {
    let at = |finding: &Finding| finding.labels.first().map(|label| label.at);
    (&one.code, &one.subject, at(one)) == (&other.code, &other.subject, at(other))
}

/// Nothing was tried on a version, and why.
fn not_had(model: &Model, options: &VerifyOptions, major: u16, why: String) -> Evidence {
    let told = Told {
        server_version: "",
        seed: options.seed,
        command: &options.command,
    };
    let claim = Claim {
        subject: format!("PostgreSQL {major}"),
        statement: format!("the schema and the plans are as designed on PostgreSQL {major} too"),
        at: None,
    };
    let method = match options.asks(Method::Plan) {
        true => Method::Plan,
        false => Method::Build,
    };
    let mut evidence = told.evidence(model, method, claim, Judged::unchecked(why));
    evidence.setting.server_version = None;
    evidence
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(when: &str, nodes: &[&str]) -> PlanAt {
        PlanAt {
            when: when.to_owned(),
            nodes: nodes.iter().map(|node| (*node).to_owned()).collect(),
        }
    }

    #[test]
    fn the_first_difference_is_said_with_its_moment() {
        let own = [
            plan("now", &["Limit", "  Seq Scan on a"]),
            plan("in 1 year", &["Limit", "  Index Scan using i on a"]),
        ];
        let mut theirs = own.clone();
        assert_eq!(difference(&own, &theirs), None);
        theirs[1] = own[0].clone();
        assert_eq!(
            difference(&own, &theirs).as_deref(),
            Some("in 1 year, Seq Scan on a instead of Index Scan using i on a")
        );
        theirs[0].nodes.pop();
        assert_eq!(
            difference(&own, &theirs).as_deref(),
            Some("now, nothing instead of Seq Scan on a")
        );
    }
}
