//! One report of several that share the claims of one run.

use super::fault::Finding;
use super::report::Report;

impl Report {
    /// One report of the shards of a run. What each of them says of the whole design is said once.
    pub fn merged(shards: Vec<Report>) -> Report {
        let mut all = Report::default();
        for shard in shards {
            add_new(&mut all.designs, shard.designs);
            add_new(&mut all.inputs, shard.inputs);
            add_new(&mut all.notes, shard.notes);
            let known = all.findings.len();
            for finding in shard.findings {
                if !all.findings[..known]
                    .iter()
                    .any(|own| is_same(own, &finding))
                {
                    all.findings.push(finding);
                }
            }
            // Where a schema is refused, every shard says so.
            let tried = all.evidence.len();
            for evidence in shard.evidence {
                if !all.evidence[..tried]
                    .iter()
                    .any(|own| own.id == evidence.id)
                {
                    all.evidence.push(evidence);
                }
            }
            all.mutants.made += shard.mutants.made;
            all.mutants.killed += shard.mutants.killed;
        }
        let designs = all.designs.clone();
        let number = |design: &str| designs.iter().position(|own| own == design);
        all.evidence.sort_by(|one, other| {
            let key = |e: &super::Evidence| (number(&e.design), e.method, e.claim.at);
            key(one).cmp(&key(other))
        });
        all.findings.sort_by_key(|finding| {
            let at = finding.labels.first().map(|label| label.at);
            (number(&finding.design), at)
        });
        all
    }
}

fn add_new<T: PartialEq>(all: &mut Vec<T>, more: Vec<T>) {
    for one in more {
        if !all.contains(&one) {
            all.push(one);
        }
    }
}

/// The same of the same. Shards word it otherwise where they came to it on different ways: an error that a command does not declare is
/// met in races against different others.
fn is_same(one: &Finding, other: &Finding) -> bool {
    (&one.code, &one.design, &one.subject, &one.labels, &one.help)
        == (
            &other.code,
            &other.design,
            &other.subject,
            &other.labels,
            &other.help,
        )
}
