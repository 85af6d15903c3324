//! A counterexample as scripts for psql, one a terminal, each telling which terminal goes next.

use super::setup::Setup;
use super::spec::plain;
use crate::finding::Replay;
use crate::sql::{SqlText, fixed};
use crate::verify::race::classify::letter;

/// The variable that `\prompt` fills and nobody reads.
const GO: &str = "pgproof_go";

/// One script for each session that does something.
pub(super) fn scripts(setup: &Setup, replay: &Replay, stem: &str) -> Vec<(String, String)> {
    let busy = |at: &usize| replay.steps.iter().any(|step| step.session == *at);
    // The first has the setup, whether or not it does anything else.
    let sessions = (0..replay.sessions.len()).filter(|at| *at == 0 || busy(at));
    sessions
        .map(|at| {
            let name = format!("{stem}-{}.sql", letter(at));
            (name, script(setup, replay, stem, at))
        })
        .collect()
}

fn script(setup: &Setup, replay: &Replay, stem: &str, own: usize) -> String {
    let session = &replay.sessions[own];
    let mut out = header(replay, stem, own);
    if own == 0 {
        out.push_str("\\set QUIET on\n");
        out.push_str(&statements(&setup.schema));
        out.push_str(&statements(&setup.rows));
        out.push_str("\\set QUIET off\n");
        out.push_str(&echo(
            "the schema and its rows are there; start the other terminals now",
        ));
    } else {
        out.push_str(&prompt(
            "press Enter once terminal A says that the schema is there ",
        ));
    }
    out.push_str(&echo(&format!(
        "== terminal {}: {}, {}",
        letter(own),
        session.title,
        session.isolation
    )));
    out.push_str(&statements(&setup.of_session(&session.runs_as)));
    let count = replay.steps.len();
    for (at, step) in replay.steps.iter().enumerate() {
        if step.session != own {
            continue;
        }
        let before = at
            .checked_sub(1)
            .and_then(|before| replay.steps.get(before));
        if let Some(before) = before.filter(|before| before.session != own) {
            let waited = if before.waits { "sent" } else { "done" };
            out.push_str(&prompt(&format!(
                "press Enter once terminal {} has {waited} step {at} ",
                letter(before.session)
            )));
        } else if at == 0 && own == 0 && replay.sessions.len() > 1 {
            out.push_str(&prompt("press Enter once the other terminals are started "));
        }
        let next = replay.steps.get(at + 1).filter(|next| next.session != own);
        let waits = match step.waits {
            true => " (it waits for another terminal)",
            false => "",
        };
        out.push_str(&echo(&format!("-- step {} of {count}{waits}", at + 1)));
        if let Some(next) = next {
            // Said before, because a statement that waits keeps this terminal busy.
            out.push_str(&echo(&format!(
                "-- after it, terminal {} goes on with step {}",
                letter(next.session),
                at + 2
            )));
        }
        out.push_str(&statements(&[SqlText::authored(step.sql.as_str())]));
    }
    if replay.steps.last().is_some_and(|last| last.session == own) {
        out.push_str(&echo("== rows that break the rule"));
        out.push_str(&statements(&[fixed("RESET ROLE")]));
        out.push_str(&statements(&setup.violations));
    }
    out
}

fn header(replay: &Replay, stem: &str, own: usize) -> String {
    let files = (0..replay.sessions.len())
        .map(|at| format!("--   psql -X -d scratch -f {stem}-{}.sql", letter(at)));
    let lines = [
        format!(
            "-- A counterexample of pgproof: `{}` of the design `{}` breaks. This is terminal {}.",
            plain(&replay.invariant),
            plain(&replay.design.name),
            letter(own)
        ),
        "-- In an empty scratch database, as a superuser, one terminal each, A first:".to_owned(),
    ];
    let mut out = String::new();
    for line in lines.into_iter().chain(files) {
        out.push_str(&line);
        out.push('\n');
    }
    out.push_str("-- Each says which terminal goes next. Drop the database when done.\n\n");
    out
}

fn statements(all: &[SqlText]) -> String {
    let one = |sql: &SqlText| format!("{}\n;\n", sql.as_str().trim_end());
    all.iter().map(one).collect()
}

fn echo(text: &str) -> String {
    format!("\\echo {}\n", quoted(text))
}

fn prompt(text: &str) -> String {
    format!("\\prompt {} {GO}\n", quoted(text))
}

/// An argument of a command of psql.
fn quoted(text: &str) -> String {
    let text = plain(text).replace('\\', "\\\\").replace('\'', "''");
    format!("'{text}'")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_of_commands_are_quoted() {
        assert_eq!(echo("it's\n\\x"), "\\echo 'it''s \\\\x'\n");
        assert_eq!(prompt("go "), "\\prompt 'go ' pgproof_go\n");
    }
}
