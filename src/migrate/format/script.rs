//! SQL for `psql`: one file a step, and the whole in one.

use super::form::File;
use crate::migrate::lone::Lone;
use crate::migrate::plan::{Manner, Part, Plan, Reverse, Step, groups};
use crate::sql::{Ident, quote_ident};

/// Who opens the transaction of a step.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Opener {
    /// The file.
    File,
    /// The tool that runs it, as one query: PostgreSQL takes that for one transaction, unless it is one statement.
    Tool,
}

/// One file for each step, and one for the way back.
pub(super) fn files(plan: &Plan) -> Vec<File> {
    let mut files = Vec::new();
    for step in &plan.steps {
        files.push(File {
            path: format!("{}.sql", step.file_stem()),
            text: header(step) + &body(plan, step, Opener::File),
        });
        if let Some(text) = back(plan, step, Opener::File) {
            files.push(File {
                path: format!("undo/{}.sql", step.file_stem()),
                text,
            });
        }
    }
    files
}

/// The whole plan as one script.
pub fn whole(plan: &Plan) -> String {
    let mut out = String::new();
    for step in &plan.steps {
        if !out.is_empty() {
            out.push('\n');
        }
        out.push_str(&header(step));
        out.push_str(&body(plan, step, Opener::File));
    }
    out
}

fn commented(out: &mut String, label: &str, text: &str) {
    for (number, line) in text.lines().enumerate() {
        let label = if number == 0 { label } else { "" };
        out.push_str(format!("-- {label:<9} {line}").trim_end());
        out.push('\n');
    }
}

/// Who may run a step that has to see every row.
pub(super) const PAST_POLICIES: &str = "one with BYPASSRLS that may do what the owner may: policies would hide rows from the owner itself";

/// What stands above a step: what it does, how, and what has to be known.
pub(super) fn header(step: &Step) -> String {
    let mut out = format!("-- {} {}: {}\n", step.number, step.phase, step.title);
    let manner = match step.manner() {
        Manner::Transaction => "in one transaction",
        Manner::Alone => "outside a transaction",
        Manner::Chunks => {
            "outside a transaction; commits after each chunk, goes on where it was when it is run again"
        }
    };
    commented(&mut out, "runs", manner);
    if step.past_policies {
        commented(&mut out, "role", PAST_POLICIES);
    }
    for lock in &step.locks {
        commented(&mut out, "locks", lock);
    }
    if let Some(because) = step.because {
        commented(&mut out, "because", because);
    }
    for hazard in &step.hazards {
        commented(
            &mut out,
            "HAZARD",
            &format!("{}: {}", hazard.name(), hazard.text),
        );
    }
    if let Reverse::ForwardOnly(reason) = &step.reverse {
        commented(&mut out, "forward", &format!("only: {reason}"));
    }
    if let Some(check) = &step.check {
        commented(&mut out, "check", "this must return no row:");
        commented(&mut out, "", check.as_str());
    }
    out
}

/// Where names without a schema are looked for.
pub(super) fn path(plan: &Plan) -> String {
    let schema = quote_ident(&Ident::from(plan.schema.as_str()));
    if schema.as_str() == "public" {
        return "public".to_owned();
    }
    format!("{schema}, public")
}

/// `2s`, `1500ms`.
pub(super) fn time(ms: u64) -> String {
    if ms.is_multiple_of(1000) {
        format!("{}s", ms / 1000)
    } else {
        format!("{ms}ms")
    }
}

fn statement(out: &mut String, part: &Part) {
    out.push_str(part.sql.as_str().trim_end());
    out.push_str(";\n");
}

/// The settings of a transaction.
fn local(plan: &Plan) -> String {
    format!(
        "SET LOCAL search_path = {};\nSET LOCAL lock_timeout = '{}';\nSET LOCAL statement_timeout = '{}';\n",
        path(plan),
        time(plan.lock_timeout_ms),
        time(plan.statement_timeout_ms)
    )
}

/// The settings of what runs outside a transaction: it may wait, because it holds nobody up.
fn session(plan: &Plan) -> String {
    format!(
        "SET search_path = {};\nSET lock_timeout = 0;\nSET statement_timeout = 0;\n",
        path(plan)
    )
}

/// Parts as they are to be run: what belongs together between BEGIN and COMMIT.
fn run(plan: &Plan, parts: &[Part], opener: Opener) -> String {
    let mut out = String::new();
    let mut is_set = false;
    for group in groups(parts) {
        let is_alone = group.iter().any(|part| part.alone);
        if is_alone {
            if opener == Opener::File && !std::mem::replace(&mut is_set, true) {
                out.push_str(&session(plan));
            }
        } else if opener == Opener::File {
            out.push_str("BEGIN;\n");
            out.push_str(&local(plan));
        } else {
            out.push_str(&local(plan));
        }
        for part in group {
            statement(&mut out, part);
        }
        if !is_alone {
            out.push_str(match opener {
                Opener::File => "COMMIT;\n",
                Opener::Tool => PATH_AGAIN,
            });
        }
    }
    out
}

/// The tool writes into its own table next, in the same transaction, and finds it by the path it came with.
pub(super) const PATH_AGAIN: &str = "SET LOCAL search_path TO DEFAULT;\n";

/// The statements of a step.
pub(super) fn body(plan: &Plan, step: &Step, opener: Opener) -> String {
    let mut parts = Vec::new();
    if opener == Opener::File {
        parts.extend(step.resume.iter().cloned());
    }
    parts.extend(step.parts.iter().cloned());
    run(plan, &parts, opener)
}

/// The way back; none where nothing is to be done.
pub(super) fn back(plan: &Plan, step: &Step, opener: Opener) -> Option<String> {
    let parts = match &step.reverse {
        Reverse::Parts(parts) if parts.is_empty() => return None,
        Reverse::Parts(parts) => parts,
        Reverse::ForwardOnly(reason) => return Some(refusal(step, reason)),
    };
    let title = format!("-- undo {}: {}\n", step.number, step.title);
    if opener == Opener::File || parts.len() == 1 {
        return Some(title + &run(plan, parts, opener));
    }
    if parts.iter().any(|part| Lone::of(part).is_some()) {
        let reason = "it takes several transactions, and this file is one; `pgproof migrate --undo` does it, or psql with what `--format files` writes";
        return Some(refusal(step, reason));
    }
    // Apart they would hold their locks for a shorter time; the tool knows no way to do that.
    let together: Vec<Part> = parts
        .iter()
        .map(|part| Part::new(part.sql.clone()))
        .collect();
    Some(title + &run(plan, &together, opener))
}

/// Whether the way back is run in a transaction, where it is one query.
pub(super) fn is_back_transactional(step: &Step) -> bool {
    match &step.reverse {
        Reverse::Parts(parts) => match parts.as_slice() {
            [part] => !part.alone,
            _ => true,
        },
        Reverse::ForwardOnly(_) => true,
    }
}

/// A script that fails with the reason: a way back that does nothing would pretend.
fn refusal(step: &Step, reason: &str) -> String {
    let text = format!("{} cannot be undone: {reason}", step.title).replace('\'', "''");
    format!("DO $pgproof$ BEGIN RAISE EXCEPTION '%', '{text}'; END $pgproof$;\n")
}
