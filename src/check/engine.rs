//! Rules over subjects.

use super::builtin::Hit;
use super::facts;
use super::pack::{Check, Condition, Pack};
use super::rule::SubjectKind;
use super::subject::{Subject, subjects};
use super::world::{Inputs, World};
use crate::error::Error;
use crate::finding::Finding;
use crate::template::{Context, Fact};

/// What the rules have against a design, in the order in which it is written. Waivers are not applied yet.
pub fn run(pack: &Pack, inputs: &Inputs) -> Result<Vec<Finding>, Error> {
    let world = World::new(inputs);
    let design = facts::design(inputs.model);
    let mut findings = Vec::new();
    for kind in SubjectKind::ALL {
        let checks: Vec<&Check> = pack
            .checks()
            .iter()
            .filter(|check| check.rule.on == kind)
            .collect();
        if checks.is_empty() {
            continue;
        }
        let mut tables = Tables::default();
        for subject in subjects(kind, inputs.model, &world.statements) {
            let known = tables.facts(&world, &design, &subject);
            let context = Context::of(known.iter().cloned());
            for check in &checks {
                let hits = hits(check, &world, &subject, &context)?;
                for hit in hits {
                    findings.push(finding(check, subject.name(), &hit, &known)?);
                }
            }
        }
    }
    findings.sort_by_key(|finding| finding.labels.first().map(|label| label.at));
    for finding in &mut findings {
        finding.design = inputs.model.name.as_str().to_owned();
    }
    Ok(findings)
}

/// Facts of the table whose parts are looked at, made once for all of them.
#[derive(Default)]
struct Tables<'m> {
    last: Option<(&'m str, Fact)>,
}

type Facts<'m> = Vec<(&'m str, Fact)>;

impl<'m> Tables<'m> {
    fn facts(&mut self, world: &World<'m>, design: &Fact, subject: &Subject<'m>) -> Facts<'m> {
        let mut context = vec![("design", design.clone())];
        let table = match subject {
            Subject::Column(table, _) | Subject::Reference(table, _) | Subject::Index(table, _) => {
                Some(table)
            }
            _ => None,
        };
        if let Some(table) = table {
            let name = table.name.as_str();
            let known = self.last.as_ref().filter(|(last, _)| *last == name);
            let fact = match known {
                Some((_, fact)) => fact.clone(),
                None => facts::table(world, table),
            };
            self.last = Some((name, fact.clone()));
            context.push(("table", fact));
        }
        if subject.kind() != SubjectKind::Design {
            context.push((subject.kind().word(), facts::own(world, subject)));
        }
        context
    }
}

/// Where a rule fires on a subject.
fn hits(
    check: &Check,
    world: &World,
    subject: &Subject,
    context: &Context,
) -> Result<Vec<Hit>, Error> {
    match &check.condition {
        Condition::When(expression) => {
            let fires = expression
                .is_true(context)
                .map_err(|error| of(check, error))?;
            let part = check.rule.at.as_deref().unwrap_or_default();
            let hit = fires.then(|| Hit {
                at: subject.at(part),
                labels: Vec::new(),
                part: None,
                found: Vec::new(),
            });
            Ok(hit.into_iter().collect())
        }
        Condition::Builtin(builtin) => {
            let run = builtin.runs();
            Ok(run.map_or_else(Vec::new, |run| run(world, subject)))
        }
    }
}

/// A finding of a rule at a place.
pub(super) fn finding(
    check: &Check,
    subject: String,
    hit: &Hit,
    known: &[(&str, Fact)],
) -> Result<Finding, Error> {
    let found: std::collections::BTreeMap<_, _> = hit.found.iter().cloned().collect();
    let facts = known.iter().cloned().chain([("found", Fact::new(&found))]);
    let context = Context::of(facts);
    let subject = match &hit.part {
        Some(part) => format!("{subject} / {part}"),
        None => subject,
    };
    let rule = &check.rule;
    let message = check
        .message
        .render(&context)
        .map_err(|error| of(check, error))?;
    let mut finding = Finding::new(&rule.code, rule.level, subject, message.trim(), hit.at);
    if let Some(help) = &check.help {
        let help = help.render(&context).map_err(|error| of(check, error))?;
        finding = finding.help(help.trim());
    }
    for (at, text) in &hit.labels {
        finding = finding.label(*at, text.clone());
    }
    Ok(finding)
}

/// A rule that cannot be evaluated is named.
fn of(check: &Check, error: Error) -> Error {
    match error {
        Error::Template(message) => {
            Error::Template(format!("rule `{}`: {message}", check.rule.code))
        }
        other => other,
    }
}
