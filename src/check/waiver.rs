//! `waivers:`: a finding that the team has decided to live with, for a reason and for a time.

use super::builtin::Hit;
use super::engine::finding;
use super::pack::{Pack, about};
use crate::design::{Model, Waiver};
use crate::error::Error;
use crate::finding::{Finding, Method, tried};

/// A finding that is not reported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waived {
    /// The finding.
    pub finding: Finding,
    /// Why the team lives with it.
    pub because: String,
}

/// Takes out what the design waives. Of what is found without a server only rules can be waived: what does not resolve or compile stays
/// wrong whatever anybody decides. A waiver that is over waives nothing and is a finding itself, as is one that finds nothing to waive.
/// `today` is `YYYY-MM-DD`.
pub fn apply_waivers(
    pack: &Pack,
    model: &Model,
    findings: Vec<Finding>,
    today: &str,
) -> Result<(Vec<Finding>, Vec<Waived>), Error> {
    let is_rule = |code: &str| about(pack, code).is_some();
    let mut sifted = sift(model, findings, today, &is_rule);
    for (waiver, used) in model.waivers.iter().zip(sifted.used) {
        let code = match (is_over(waiver, today), used) {
            (true, _) => "waiver-expired",
            // Whether there is something to waive is found out on a server.
            (false, false) if is_tried(pack, waiver.rule.as_str()) => continue,
            (false, false) => "waiver-unused",
            (false, true) => continue,
        };
        sifted.left.extend(stale(pack, model, waiver, code)?);
    }
    Ok((sifted.left, sifted.waived))
}

/// The same for what was found on a server. A waiver is unused where `complete` says that all was run that could have found something.
pub fn waive_tried(
    pack: &Pack,
    model: &Model,
    findings: Vec<Finding>,
    today: &str,
    complete: &dyn Fn(Method) -> bool,
) -> Result<(Vec<Finding>, Vec<Waived>), Error> {
    let may = |code: &str| is_tried(pack, code);
    let mut sifted = sift(model, findings, today, &may);
    for (waiver, used) in model.waivers.iter().zip(sifted.used) {
        let method = tried(waiver.rule.as_str()).map(|tried| tried.method);
        let in_vain = may(waiver.rule.as_str()) && method.is_some_and(complete);
        // That it is over was said before.
        if in_vain && !used && !is_over(waiver, today) {
            let unused = stale(pack, model, waiver, "waiver-unused")?;
            sifted.left.extend(unused);
        }
    }
    Ok((sifted.left, sifted.waived))
}

/// Whether it is found on a server, and may be waived. A rule of the team's own of that name stands before it.
fn is_tried(pack: &Pack, code: &str) -> bool {
    about(pack, code).is_none() && tried(code).is_some_and(|tried| tried.may_be_waived)
}

/// Findings, and which waivers were used.
struct Sifted {
    left: Vec<Finding>,
    waived: Vec<Waived>,
    used: Vec<bool>,
}

fn sift(model: &Model, findings: Vec<Finding>, today: &str, may: &dyn Fn(&str) -> bool) -> Sifted {
    let mut sifted = Sifted {
        left: Vec::new(),
        waived: Vec::new(),
        used: vec![false; model.waivers.len()],
    };
    for found in findings {
        let mut waivers = model.waivers.iter();
        let by = waivers.position(|waiver| may(&found.code) && matches(waiver, &found));
        if let Some(index) = by {
            sifted.used[index] = true;
        }
        match by.map(|index| &model.waivers[index]) {
            Some(waiver) if !is_over(waiver, today) => sifted.waived.push(Waived {
                finding: found,
                because: waiver.because.as_str().to_owned(),
            }),
            _ => sifted.left.push(found),
        }
    }
    sifted
}

/// What the rules about waivers say of one.
fn stale(
    pack: &Pack,
    model: &Model,
    waiver: &Waiver,
    code: &str,
) -> Result<Option<Finding>, Error> {
    let Some(check) = pack.checks().iter().find(|check| check.rule.code == code) else {
        return Ok(None);
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
    let found = finding(check, name, &hit, &[])?;
    Ok(Some(found.of(model.name.as_str())))
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
