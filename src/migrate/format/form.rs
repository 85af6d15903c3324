//! The forms, and what writes each.

use serde_json::json;

use super::{alembic, runbook, script, tools};
use crate::error::Error;
use crate::migrate::plan::Plan;

/// A file of the plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// Below the folder that was asked for, with `/`.
    pub path: String,
    /// The text.
    pub text: String,
}

/// The forms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// One SQL file for each step, for `psql`; the way back beside it.
    Files,
    /// Flyway.
    Flyway,
    /// Liquibase, formatted SQL.
    Liquibase,
    /// sqlx.
    Sqlx,
    /// dbmate.
    Dbmate,
    /// golang-migrate.
    GolangMigrate,
    /// Sqitch.
    Sqitch,
    /// Alembic.
    Alembic,
    /// For people, Markdown.
    Runbook,
    /// For machines.
    Json,
}

/// The plan in a form. `start` is the number of the first migration where the tool numbers them.
pub fn files(plan: &Plan, form: Form, start: u64) -> Result<Vec<File>, Error> {
    Ok(match form {
        Form::Files => script::files(plan),
        Form::Flyway => tools::flyway(plan, start),
        Form::Liquibase => tools::liquibase(plan),
        Form::Sqlx => tools::sqlx(plan, start),
        Form::Dbmate => tools::dbmate(plan, start),
        Form::GolangMigrate => tools::golang_migrate(plan, start),
        Form::Sqitch => tools::sqitch(plan),
        Form::Alembic => alembic::alembic(plan, start),
        Form::Runbook => vec![File {
            path: "runbook.md".to_owned(),
            text: runbook::runbook(plan),
        }],
        Form::Json => {
            let mut value = json!({"format": 1, "plan": plan});
            if let Some(steps) = value["plan"]["steps"].as_array_mut() {
                for (step, made) in steps.iter_mut().zip(&plan.steps) {
                    step["name"] = json!(made.file_stem());
                    step["manner"] = json!(made.manner());
                }
            }
            let text = serde_json::to_string_pretty(&value).map_err(|fault| {
                Error::Internal(format!("a plan cannot be written as JSON: {fault}"))
            })?;
            vec![File {
                path: "plan.json".to_owned(),
                text: text + "\n",
            }]
        }
    })
}
