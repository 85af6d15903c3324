//! Claims of a design that nothing here tries yet: each is named, with the reason.

use crate::design::{InvariantKind, Model, ProjectionKind};
use crate::finding::{Claim, Method};
use crate::source::Span;

use super::runner::invariant_claim;

/// Every claim that is not tried, by which method it would be, and why it is not.
pub(super) fn claims(model: &Model) -> Vec<(Method, Claim, &'static str)> {
    let mut claims = Vec::new();
    for invariant in &model.invariants {
        match invariant.rule.kind() {
            InvariantKind::Mirrors => {
                claims.push((Method::Deliver, invariant_claim(invariant), DELIVER))
            }
            InvariantKind::Retained => claims.push((Method::Age, invariant_claim(invariant), AGE)),
            _ => {}
        }
    }
    for table in model
        .tables
        .iter()
        .filter(|table| !table.retention.is_empty())
    {
        let statement = format!("{} rules of retention are followed", table.retention.len());
        let subject = format!("retention of {}", table.name.as_str());
        claims.push((
            Method::Age,
            claim(subject, statement, table.retention[0].at),
            AGE,
        ));
    }
    for projection in model
        .projections
        .iter()
        .filter(|p| p.kind != ProjectionKind::External)
    {
        let statement = "equals its rebuild query, in time".to_owned();
        let subject = format!("projection {}", projection.name.as_str());
        claims.push((
            Method::Deliver,
            claim(subject, statement, projection.name.at),
            DELIVER,
        ));
    }
    for role in &model.roles {
        let subject = format!("role {}", role.name.as_str());
        let statement = "can do what it is granted, and nothing else".to_owned();
        claims.push((
            Method::Attack,
            claim(subject, statement, role.name.at),
            ATTACK,
        ));
    }
    let sections = [
        (
            "migration",
            Method::Migrate,
            "can be rolled out and back while the system runs",
            MIGRATE,
        ),
        (
            "recovery",
            Method::Restore,
            "can be restored in time, with nothing lost",
            RESTORE,
        ),
    ];
    for (name, method, statement, reason) in sections {
        let is_rehearsed = |section: &crate::design::Section| {
            name == "migration" && section.data["from"].is_string()
        };
        if let Some(section) = model.section(name).filter(|section| !is_rehearsed(section)) {
            claims.push((
                method,
                claim(name.to_owned(), statement.to_owned(), section.at),
                reason,
            ));
        }
    }
    claims
}

const AGE: &str = "retention is not exercised by this version of pgproof";
const DELIVER: &str =
    "the delivery of events to projections is not exercised by this version of pgproof";
const ATTACK: &str = "grants are not attacked by this version of pgproof";
const MIGRATE: &str = "`migration.from` does not say which design the migration begins at";
const RESTORE: &str = "dump and restore are not rehearsed by this version of pgproof";

fn claim(subject: String, statement: String, at: Span) -> Claim {
    Claim {
        subject,
        statement,
        at: Some(at),
    }
}
