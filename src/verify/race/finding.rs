//! Errors that commands raise and say nothing about.

use std::collections::BTreeMap;

use super::rehearse::Rehearsal;
use crate::design::Model;
use crate::finding::{Finding, Severity};
use crate::postgres::SqlFailure;

/// Command, code and constraint.
type Kind = (String, String, Option<String>);

/// Undeclared errors, each once.
#[derive(Debug, Default)]
pub(super) struct Undeclared {
    /// By command, code and constraint: the failure, and the command it was raced against.
    found: BTreeMap<Kind, (SqlFailure, Option<String>)>,
}

impl Undeclared {
    pub(super) fn note(&mut self, command: &str, failure: &SqlFailure, against: Option<&str>) {
        // What is wrong with a value is wrong with the value that was made up, not with the command.
        if failure.sqlstate.class() == "22" {
            return;
        }
        let key = (
            command.to_owned(),
            failure.sqlstate.code().to_owned(),
            failure.constraint.clone(),
        );
        self.found
            .entry(key)
            .or_insert_with(|| (failure.clone(), against.map(str::to_owned)));
    }

    pub(super) fn findings(&self, model: &Model, rehearsal: &Rehearsal) -> Vec<Finding> {
        let mut findings = Vec::new();
        for ((command, ..), (failure, against)) in &self.found {
            let Some(command) = model.command(command) else {
                continue;
            };
            findings.push(finding(command, failure, against.as_deref()).of(model.name.as_str()));
        }
        for (name, reason) in &rehearsal.illegal {
            let Some(state) = model
                .states
                .iter()
                .find(|state| state.name.as_str() == name)
            else {
                continue;
            };
            let message = format!("state `{name}` cannot be put in place: {reason}");
            let finding = Finding::error(
                "illegal-state",
                format!("state {name}"),
                message,
                state.name.at,
            );
            findings.push(
                finding
                    .help("make its rows keep every constraint and invariant")
                    .of(model.name.as_str()),
            );
        }
        findings
    }
}

fn finding(
    command: &crate::design::Command,
    failure: &SqlFailure,
    against: Option<&str>,
) -> Finding {
    let name = command.name.as_str();
    let subject = format!("command {name}");
    let state = failure.sqlstate;
    let condition = state.name().unwrap_or(state.code());
    // Wrong SQL and missing privileges are no outcome of a race.
    if state.class() == "42" {
        let message = format!("`{name}` cannot run: {}", failure.message);
        return Finding::error("command-fails", subject, message, command.name.at)
            .here(condition)
            .help("run its statements by hand as the role that runs them");
    }
    let when = against
        .map(|other| format!(" when it meets `{other}`"))
        .unwrap_or_default();
    let of = failure
        .constraint
        .as_ref()
        .map(|constraint| format!(" ({constraint})"))
        .unwrap_or_default();
    let message =
        format!("`{name}` can fail with {condition}{of}{when}, and does not say what that means");
    let help = match state.is_retryable() {
        true => format!("add {condition} to its `retry`"),
        false => format!("add `{condition}: …` to its `outcomes`, or to its `retry`"),
    };
    Finding::new(
        "undeclared-outcome",
        Severity::Warning,
        subject,
        message,
        command.name.at,
    )
    .here(failure.message.clone())
    .help(help)
}
