//! The plan for people: what is done when, what to look at, how to go back.

use super::script::{Opener, PAST_POLICIES, back, body, time};
use crate::migrate::plan::{Manner, Phase, Plan, Reverse, Step};

pub(super) fn runbook(plan: &Plan) -> String {
    let mut out = format!(
        "# Migration of schema {}\n\nPostgreSQL {}. {} steps. A step waits at most {} for a lock; when it gives up, nothing has happened: run it again.\n",
        plan.schema,
        plan.version,
        plan.steps.len(),
        time(plan.lock_timeout_ms)
    );
    let hazards: Vec<_> = plan.hazards().collect();
    if !hazards.is_empty() {
        out.push_str("\n## To be accepted\n\n");
        for hazard in hazards {
            out.push_str(&format!("- `{}`: {}\n", hazard.name(), hazard.text));
        }
    }
    if !plan.compatibility.is_empty() {
        out.push_str(
            "\n## Which version of the programs works when\n\n| version | phases |\n|---|---|\n",
        );
        for (version, phases) in &plan.compatibility {
            out.push_str(&format!("| {version} | {} |\n", phases.join(", ")));
        }
    }
    for phase in Phase::ALL {
        let mut steps = plan
            .steps
            .iter()
            .filter(|step| step.phase == phase)
            .peekable();
        if steps.peek().is_none() {
            continue;
        }
        out.push_str(&format!(
            "\n## {}\n\n{}\n",
            title(phase),
            meaning(plan, phase)
        ));
        for step in steps {
            one(&mut out, plan, step);
        }
    }
    if !plan.notes.is_empty() {
        out.push_str("\n## Also to be known\n\n");
        for note in &plan.notes {
            out.push_str(&format!("- {note}\n"));
        }
    }
    out
}

fn title(phase: Phase) -> &'static str {
    match phase {
        Phase::Expand => "Expand",
        Phase::Backfill => "Backfill",
        Phase::Validate => "Validate",
        Phase::Switch => "Switch",
        Phase::Contract => "Contract",
    }
}

fn meaning(plan: &Plan, phase: Phase) -> String {
    match phase {
        Phase::Expand => "Programs of the old version go on as before.".to_owned(),
        Phase::Backfill => "Run in the background; may be stopped and begun again at any time.".to_owned(),
        Phase::Validate => {
            "From here on what is written has to keep the new rules. A step that fails changes nothing: mend the rows that its check shows.".to_owned()
        }
        Phase::Switch => "Deploy the new version of the programs after this.".to_owned(),
        Phase::Contract => {
            let days = plan.contract_after.map_or_else(String::new, |seconds| {
                format!(", and not before {} days have passed", (seconds / 86_400.0).round())
            });
            format!("Only when no program of the old version is left{days}.")
        }
    }
}

fn one(out: &mut String, plan: &Plan, step: &Step) {
    out.push_str(&format!("\n### {}. {}\n\n", step.number, step.title));
    let manner = match step.manner() {
        Manner::Transaction => "One transaction.",
        Manner::Alone => "Outside a transaction; it waits as long as it must and holds nobody up.",
        Manner::Chunks => {
            "In chunks; see the table `pgproof_progress`, and set `paused` there to make it rest."
        }
    };
    out.push_str(manner);
    if let Some(because) = step.because {
        out.push_str(&format!(" Why: {because}."));
    }
    out.push('\n');
    if step.past_policies {
        out.push_str(&format!("\nRole: {PAST_POLICIES}.\n"));
    }
    if !step.locks.is_empty() {
        out.push('\n');
    }
    for lock in &step.locks {
        out.push_str(&format!("- locks {lock}\n"));
    }
    for hazard in &step.hazards {
        out.push_str(&format!(
            "\n**Hazard `{}`**: {}\n",
            hazard.name(),
            hazard.text
        ));
    }
    out.push_str(&format!(
        "\n```sql\n{}```\n",
        body(plan, step, Opener::File)
    ));
    if let Some(check) = &step.check {
        out.push_str(&format!(
            "\nMust return no row:\n\n```sql\n{};\n```\n",
            check.as_str()
        ));
    }
    match &step.reverse {
        Reverse::ForwardOnly(reason) => out.push_str(&format!("\nNo way back: {reason}.\n")),
        Reverse::Parts(_) => {
            if let Some(text) = back(plan, step, Opener::File) {
                out.push_str(&format!("\nWay back:\n\n```sql\n{text}```\n"));
            }
        }
    }
}
