//! `waivers:`: a finding that the team has decided to live with, for a reason and for a time.

use super::builtin::Hit;
use super::engine::finding;
use super::pack::{Pack, about};
use crate::design::{Model, Waiver};
use crate::error::Error;
use crate::finding::Finding;

/// A finding that is not reported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waived {
    /// The finding.
    pub finding: Finding,
    /// Why the team lives with it.
    pub because: String,
}

/// Takes out what the design waives. Only rules can be waived: what does not resolve or compile stays wrong whatever anybody
/// decides. A waiver that is over waives nothing and is a finding itself, as is one that finds nothing to waive. `today` is
/// `YYYY-MM-DD`.
pub fn apply_waivers(
    pack: &Pack,
    model: &Model,
    findings: Vec<Finding>,
    today: &str,
) -> Result<(Vec<Finding>, Vec<Waived>), Error> {
    let mut left = Vec::new();
    let mut waived = Vec::new();
    let mut used = vec![false; model.waivers.len()];
    for found in findings {
        let is_rule = about(pack, &found.code).is_some();
        let by = model
            .waivers
            .iter()
            .position(|waiver| is_rule && matches(waiver, &found));
        if let Some(index) = by {
            used[index] = true;
        }
        match by.map(|index| &model.waivers[index]) {
            Some(waiver) if !is_over(waiver, today) => waived.push(Waived {
                finding: found,
                because: waiver.because.as_str().to_owned(),
            }),
            _ => left.push(found),
        }
    }
    for (waiver, used) in model.waivers.iter().zip(used) {
        let code = match (is_over(waiver, today), used) {
            (true, _) => "waiver-expired",
            (false, false) => "waiver-unused",
            (false, true) => continue,
        };
        let Some(check) = pack.checks().iter().find(|check| check.rule.code == code) else {
            continue;
        };
        let subject = waiver.subject.as_ref().map(|subject| subject.as_str());
        let until = waiver.until.as_ref().map(|until| until.as_str());
        let hit = Hit {
            at: waiver.rule.at(),
            labels: Vec::new(),
            part: None,
            found: vec![
                ("rule", waiver.rule.as_str().to_owned()),
                ("subject", subject.unwrap_or("the design").to_owned()),
                ("until", until.unwrap_or_default().to_owned()),
            ],
        };
        let name = format!("waiver {}", waiver.rule.as_str());
        let name = match subject {
            Some(subject) => format!("{name} / at {subject}"),
            None => name,
        };
        left.push(finding(check, name, &hit, &[])?.of(model.name.as_str()));
    }
    Ok((left, waived))
}

/// The last day counts.
fn is_over(waiver: &Waiver, today: &str) -> bool {
    waiver
        .until
        .as_ref()
        .is_some_and(|until| until.as_str() < today)
}

fn matches(waiver: &Waiver, finding: &Finding) -> bool {
    let Some(subject) = &waiver.subject else {
        return waiver.rule.as_str() == finding.code;
    };
    let path = path(&finding.subject);
    let subject = subject.as_str();
    waiver.rule.as_str() == finding.code
        && (subject == finding.subject
            || path == subject
            // A waiver for a table holds for its columns and indexes, too.
            || path
                .strip_prefix(subject)
                .is_some_and(|rest| rest.starts_with('.')))
}

/// `table orders / column id` and `index i on orders` as designs write them: `orders.id`, `orders.i`.
fn path(subject: &str) -> String {
    if let Some((object, table)) = subject.split_once(" on ")
        && !subject.contains(" / ")
    {
        let name = object.rsplit(' ').next().unwrap_or(object);
        return format!("{table}.{name}");
    }
    let parts = subject.split(" / ").map(|part| match part.split_once(' ') {
        Some((_, name)) => name,
        None => part,
    });
    parts.collect::<Vec<_>>().join(".")
}

#[cfg(test)]
mod tests {
    use super::path;

    #[test]
    fn subjects_are_paths() {
        for (subject, expected) in [
            ("table orders / column id", "orders.id"),
            ("table orders", "orders"),
            ("index ix on orders", "orders.ix"),
            ("query active-queue", "active-queue"),
            ("command assign / step 2", "assign.2"),
            ("design d / section rollout", "d.rollout"),
        ] {
            assert_eq!(path(subject), expected);
        }
    }
}
