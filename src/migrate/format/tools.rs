//! Files for migration tools, each with the tool's own means for what runs outside a transaction.
//!
//! Most of them send a file as one query, which PostgreSQL runs as one transaction: a file whose statement refuses that holds this statement alone.

use super::form::File;
use super::script::{Opener, back, body, header, is_back_transactional, path};
use crate::migrate::plan::{Plan, Reverse, Step};

/// Words of a title, with `_`.
fn words(step: &Step) -> String {
    let stem = step.file_stem();
    let mut parts = stem.splitn(2, '_');
    parts.next();
    parts.next().unwrap_or_default().to_owned()
}

/// What an earlier, broken try may have left is removed by hand, where a tool runs one statement a file.
fn resume_hint(step: &Step) -> String {
    let mut out = String::new();
    for part in &step.resume {
        out.push_str("-- after a failed try run first:\n");
        for line in part.sql.as_str().lines() {
            out.push_str(&format!("--     {line}\n"));
        }
    }
    out
}

fn number(plan: &Plan, start: u64, step: &Step) -> String {
    let last = start + plan.steps.len() as u64;
    let width = last.to_string().len().max(4);
    format!("{:0width$}", start + step.number as u64 - 1)
}

/// `V0001__expand_….sql`, with a `.conf` beside what refuses a transaction, and `U…` for the way back.
pub(super) fn flyway(plan: &Plan, start: u64) -> Vec<File> {
    let mut files = Vec::new();
    for step in &plan.steps {
        let name = format!("{}__{}", number(plan, start, step), words(step));
        files.push(File {
            path: format!("V{name}.sql"),
            text: header(step) + &resume_hint(step) + &body(plan, step, Opener::Tool),
        });
        if !step.is_transactional() {
            files.push(File {
                path: format!("V{name}.sql.conf"),
                text: "executeInTransaction=false\n".to_owned(),
            });
        }
        // Flyway runs the statements of a file one by one, so a file may open its own transactions.
        let parts = match &step.reverse {
            Reverse::Parts(parts) => parts.as_slice(),
            Reverse::ForwardOnly(_) => &[],
        };
        let is_apart = parts.iter().any(|part| part.alone);
        let opener = if is_apart { Opener::File } else { Opener::Tool };
        if let Some(text) = back(plan, step, opener) {
            files.push(File {
                path: format!("U{name}.sql"),
                text,
            });
            if is_apart {
                files.push(File {
                    path: format!("U{name}.sql.conf"),
                    text: "executeInTransaction=false\n".to_owned(),
                });
            }
        }
    }
    files
}

/// One changelog of formatted SQL.
pub(super) fn liquibase(plan: &Plan) -> Vec<File> {
    let mut out = "--liquibase formatted sql\n".to_owned();
    for step in &plan.steps {
        let mode = if step.is_transactional() {
            ""
        } else {
            " runInTransaction:false"
        };
        out.push_str(&format!(
            "\n--changeset pgproof:{}{mode} splitStatements:false rollbackSplitStatements:false\n",
            step.file_stem()
        ));
        out.push_str(&header(step));
        out.push_str(&resume_hint(step));
        out.push_str(&body(plan, step, Opener::Tool));
        match back(plan, step, Opener::Tool) {
            None => out.push_str("--rollback empty\n"),
            Some(text) => {
                for line in text.lines() {
                    out.push_str("--rollback ");
                    out.push_str(line);
                    out.push('\n');
                }
            }
        }
    }
    vec![File {
        path: "changelog.sql".to_owned(),
        text: out,
    }]
}

/// `0001_expand_….up.sql` and `.down.sql`.
fn up_and_down(plan: &Plan, start: u64, mark: impl Fn(bool) -> &'static str) -> Vec<File> {
    let mut files = Vec::new();
    for step in &plan.steps {
        let name = format!("{}_{}", number(plan, start, step), words(step));
        files.push(File {
            path: format!("{name}.up.sql"),
            text: mark(step.is_transactional()).to_owned()
                + &header(step)
                + &resume_hint(step)
                + &body(plan, step, Opener::Tool),
        });
        let text = back(plan, step, Opener::Tool)
            .unwrap_or_else(|| "SELECT 1; -- nothing to undo\n".to_owned());
        files.push(File {
            path: format!("{name}.down.sql"),
            text: mark(is_back_transactional(step)).to_owned() + &text,
        });
    }
    files
}

/// sqlx: reversible migrations, `-- no-transaction` in the first line where it must be.
pub(super) fn sqlx(plan: &Plan, start: u64) -> Vec<File> {
    up_and_down(plan, start, |transactional| {
        if transactional {
            ""
        } else {
            "-- no-transaction\n"
        }
    })
}

/// golang-migrate: no transaction of its own; a file of several statements is one, because it is sent as one query.
pub(super) fn golang_migrate(plan: &Plan, start: u64) -> Vec<File> {
    up_and_down(plan, start, |_| "")
}

/// dbmate: both ways in one file.
pub(super) fn dbmate(plan: &Plan, start: u64) -> Vec<File> {
    let mode = |transactional: bool| {
        if transactional {
            ""
        } else {
            " transaction:false"
        }
    };
    let steps = plan.steps.iter();
    steps
        .map(|step| {
            let down = back(plan, step, Opener::Tool)
                .unwrap_or_else(|| "SELECT 1; -- nothing to undo\n".to_owned());
            File {
                path: format!("{}_{}.sql", number(plan, start, step), words(step)),
                text: format!(
                    "-- migrate:up{}\n{}{}{}\n-- migrate:down{}\n{down}",
                    mode(step.is_transactional()),
                    header(step),
                    resume_hint(step),
                    body(plan, step, Opener::Tool),
                    mode(is_back_transactional(step)),
                ),
            }
        })
        .collect()
}

/// Sqitch: `psql` runs the files, so they open their own transactions.
pub(super) fn sqitch(plan: &Plan) -> Vec<File> {
    let mut files = vec![File {
        path: "sqitch.conf".to_owned(),
        text: "[core]\n\tengine = pg\n".to_owned(),
    }];
    let mut list = format!("%syntax-version=1.0.0\n%project={}\n\n", plan.schema);
    let mut before = String::new();
    for step in &plan.steps {
        let name = step.file_stem();
        let needs = if before.is_empty() {
            String::new()
        } else {
            format!("[{before}] ")
        };
        list.push_str(&format!(
            "{name} {needs}2000-01-01T00:00:00Z pgproof <pgproof@localhost> # {}\n",
            step.title
        ));
        files.push(File {
            path: format!("deploy/{name}.sql"),
            text: header(step) + &body(plan, step, Opener::File),
        });
        files.push(File {
            path: format!("revert/{name}.sql"),
            text: back(plan, step, Opener::File)
                .unwrap_or_else(|| "-- nothing to undo\n".to_owned()),
        });
        let check = match &step.check {
            // Sqitch takes an error for a failed verification, and asks again when later steps have been there.
            Some(check) => format!(
                "DO $pgproof$ BEGIN\n    PERFORM set_config('search_path', '{path}', true);\n    IF EXISTS ({check}) THEN\n        RAISE EXCEPTION 'rows are left';\n    END IF;\nEXCEPTION WHEN undefined_column OR undefined_table THEN\n    RAISE NOTICE 'a later step has taken away what this one is about';\nEND $pgproof$;\n",
                path = path(plan).replace('\'', "''"),
                check = check.as_str().trim_end()
            ),
            None => "SELECT 1;\n".to_owned(),
        };
        files.push(File {
            path: format!("verify/{name}.sql"),
            text: check,
        });
        before = name;
    }
    files.push(File {
        path: "sqitch.plan".to_owned(),
        text: list,
    });
    files
}
