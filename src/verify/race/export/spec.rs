//! A counterexample as a spec of PostgreSQL's isolation tester (`src/test/isolation` in its sources), with one permutation.

use super::braces::without_braces;
use super::setup::Setup;
use crate::finding::{Replay, ReplayStep};
use crate::sql::{SqlText, fixed};
use crate::verify::race::classify::letter;

/// Ends what is still open at the end, or the tester would wait for it.
const ROLLBACK: &str = "ROLLBACK";

/// The whole file.
pub(super) fn spec(setup: &Setup, replay: &Replay, stem: &str) -> String {
    let mut out = header(replay, stem);
    out.push_str(&block("setup", &setup.schema, ""));
    if !setup.rows.is_empty() {
        out.push_str(&block("setup", &setup.rows, ""));
    }
    out.push_str(&block("teardown", &setup.teardown, ""));
    let mut order: Vec<String> = Vec::new();
    let mut of_session: Vec<Vec<(String, SqlText)>> = vec![Vec::new(); replay.sessions.len()];
    let mut add = |session: usize, sql: SqlText| {
        let Some(own) = of_session.get_mut(session) else {
            return;
        };
        let name = format!("{}{}", letter(session), own.len() + 1);
        order.push(name.clone());
        own.push((name, sql));
    };
    for step in &replay.steps {
        add(step.session, SqlText::authored(step.sql.as_str()));
    }
    let judged: Vec<String> = (1..=setup.violations.len())
        .map(|number| format!("violations{number}"))
        .collect();
    let mut ends: Vec<String> = Vec::new();
    for session in unfinished(&replay.steps) {
        if let Some(own) = of_session.get_mut(session) {
            let name = format!("{}{}", letter(session), own.len() + 1);
            ends.push(name.clone());
            own.push((name, fixed(ROLLBACK)));
        }
    }
    order.extend(judged.iter().cloned());
    order.extend(ends);
    let victim = victim(&replay.choices);
    for (at, (session, steps)) in replay.sessions.iter().zip(&of_session).enumerate() {
        if steps.is_empty() {
            continue;
        }
        let mut first = Vec::new();
        first.extend(victim.map(|victim| timeout(victim == at)));
        first.extend(setup.of_session(&session.runs_as));
        out.push_str(&format!(
            "# {}: {}, {}\nsession \"{}\"\n{}",
            letter(at),
            plain(&session.title),
            session.isolation,
            letter(at),
            block("setup", &first, "")
        ));
        for (name, sql) in steps {
            out.push_str(&block("step", std::slice::from_ref(sql), name));
        }
        out.push('\n');
    }
    let superuser = setup.of_session(&crate::finding::RunsAs::Superuser);
    out.push_str("# every row that it returns breaks the rule\nsession \"judge\"\n");
    out.push_str(&block("setup", &superuser, ""));
    for (name, sql) in judged.iter().zip(&setup.violations) {
        out.push_str(&block("step", std::slice::from_ref(sql), name));
    }
    let order: Vec<String> = order.iter().map(|name| format!("\"{name}\"")).collect();
    out.push_str(&format!("\npermutation {}\n", order.join(" ")));
    out
}

fn header(replay: &Replay, stem: &str) -> String {
    let mut lines = vec![
        format!(
            "A counterexample of pgproof: `{}` of the design `{}` breaks.",
            plain(&replay.invariant),
            plain(&replay.design.name)
        ),
        format!("Found on PostgreSQL {}.", plain(&replay.server_version)),
        String::new(),
        "In a scratch database, as a superuser, with the isolation tester of PostgreSQL's sources:".to_owned(),
        format!("  isolationtester \"dbname=scratch\" < {stem}.spec"),
        "The last steps show the rows that break it. Values that the server makes up anew each time (now(),".to_owned(),
        "gen_random_uuid()) are as they were seen where a later step uses them.".to_owned(),
    ];
    if replay
        .effects
        .as_ref()
        .is_some_and(|effects| effects.rivals)
    {
        lines.extend([
            String::new(),
            "The sessions ask for different things with one key, so at most one may succeed. The last steps only count the changes that".to_owned(),
            "lasted: where these are as one run leaves them, what breaks the rule is that no session was refused, and no row shows it.".to_owned(),
        ]);
    }
    let mut out = String::new();
    for line in lines {
        out.push_str(format!("# {line}").trim_end());
        out.push('\n');
    }
    out.push('\n');
    out
}

/// One line, for a comment.
pub(super) fn plain(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect()
}

/// `setup { … }`, `step "A1" { … }`.
fn block(word: &str, statements: &[SqlText], name: &str) -> String {
    let head = match name {
        "" => word.to_owned(),
        name => format!("{word} \"{name}\""),
    };
    let parts: Vec<String> = statements
        .iter()
        .map(|sql| format!("{}\n;", without_braces(sql).trim_end()))
        .collect();
    format!("{head}\n{{\n{}\n}}\n\n", parts.join("\n"))
}

/// Sessions with an open transaction at the end; those first that do not wait for another.
fn unfinished(steps: &[ReplayStep]) -> Vec<usize> {
    let mut open: Vec<(bool, usize, usize)> = Vec::new();
    for (at, step) in steps.iter().enumerate() {
        open.retain(|(_, _, session)| *session != step.session);
        if !is_end(step) {
            open.push((step.waits, at, step.session));
        }
    }
    open.sort_unstable();
    open.into_iter().map(|(_, _, session)| session).collect()
}

/// Whether it ends a transaction. A COMMIT that fails ends it, too.
fn is_end(step: &ReplayStep) -> bool {
    matches!(step.sql.as_str(), "COMMIT" | "ROLLBACK")
}

/// Who dies in a deadlock.
fn victim(choices: &str) -> Option<usize> {
    let mut words = choices.split_whitespace();
    words.find_map(|word| word.strip_prefix('v')?.parse().ok())
}

/// The victim of a deadlock is who looks for one first.
fn timeout(is_victim: bool) -> SqlText {
    fixed(match is_victim {
        true => "SET deadlock_timeout = '1s'",
        false => "SET deadlock_timeout = '60s'",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(session: usize, sql: &str, waits: bool) -> ReplayStep {
        ReplayStep {
            session,
            sql: sql.to_owned(),
            waits,
            error: None,
        }
    }

    #[test]
    fn what_is_open_at_the_end_is_ended_those_that_wait_last() {
        let steps = [
            step(0, "SELECT 1", true),
            step(1, "SELECT 2", false),
            step(2, "SELECT 3", false),
            step(2, "COMMIT", false),
        ];
        assert_eq!(unfinished(&steps), [1, 0]);
    }

    #[test]
    fn a_victim_is_found_among_the_choices() {
        assert_eq!(victim("0 1 0 v1 0"), Some(1));
        assert_eq!(victim("0 1"), None);
    }
}
