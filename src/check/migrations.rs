//! Rules over existing SQL migrations: what `migrate::lint` found, in the words of the rules.

use super::builtin::Hit;
use super::engine::finding;
use super::pack::{Check, Pack};
use crate::error::Error;
use crate::finding::Finding;
use crate::migrate::files::Migrations;
use crate::migrate::lint::{Fault, Linted};
use crate::source::{SourceId, Span};

/// What is said of migrations.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Judged {
    /// What is wrong, in the order of the files.
    pub findings: Vec<Finding>,
    /// What is allowed where it stands, and why.
    pub allowed: Vec<(Finding, String)>,
}

/// Makes findings of faults; `ids` are the sources of the files, in their order. A rule that a team has taken out says nothing.
pub fn judge_migrations(
    pack: &Pack,
    migrations: &Migrations,
    linted: &Linted,
    ids: &[SourceId],
) -> Result<Judged, Error> {
    let mut judged = Judged::default();
    for fault in &linted.faults {
        judged.findings.extend(said(pack, migrations, fault, ids)?);
    }
    for allowed in &linted.allowed {
        if let Some(finding) = said(pack, migrations, &allowed.fault, ids)? {
            judged.allowed.push((finding, allowed.because.clone()));
        }
    }
    Ok(judged)
}

fn said(
    pack: &Pack,
    migrations: &Migrations,
    fault: &Fault,
    ids: &[SourceId],
) -> Result<Option<Finding>, Error> {
    let (Some(check), Some(file), Some(id)) = (
        of(pack, fault.code),
        migrations.files.get(fault.file),
        ids.get(fault.file),
    ) else {
        return Ok(None);
    };
    let hit = Hit {
        at: Span::new(*id, fault.at.start as u32, fault.at.end as u32),
        labels: Vec::new(),
        part: None,
        found: fault.facts(),
    };
    let subject = format!("migration {} / {}", file.version, fault.what);
    finding(check, subject, &hit, &[]).map(Some)
}

fn of<'p, 'e>(pack: &'p Pack<'e>, code: &str) -> Option<&'p Check<'e>> {
    let checks = pack.checks().iter();
    checks
        .into_iter()
        .find(|check| check.rule.builtin.as_deref() == Some(code))
}
