//! Numbers and verdicts in words, the same in every output.

use std::time::Duration;

use super::claims::{Claims, Tally};
use crate::finding::{Evidence, Report, Severity, Verdict};

/// The sign in front of a verdict.
pub(super) fn symbol(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Refuted => "✖",
        Verdict::Vacuous => "○",
        Verdict::Unchecked => "?",
        Verdict::Held => "≈",
        Verdict::Proven => "✔",
    }
}

/// Sign and word: `✔ proven`.
pub(super) fn verdict(verdict: Verdict) -> String {
    format!("{} {}", symbol(verdict), verdict.word())
}

/// `1 design`, `2 designs`.
pub(super) fn count(number: usize, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

/// `31 s`, `2 min 5 s`, `840 ms`.
pub(super) fn duration(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds {
        0 => format!("{} ms", time.as_millis()),
        1..10 => format!("{:.1} s", time.as_secs_f64()),
        10..60 => format!("{seconds} s"),
        _ => format!("{} min {} s", seconds / 60, seconds % 60),
    }
}

/// Verdicts in words, best first, the words `claims` once: `61 claims proven, 3 held, 1 refuted`.
pub(super) fn tally(tally: &Tally) -> String {
    let mut parts: Vec<String> = Vec::new();
    for verdict in Verdict::ALL.iter().rev() {
        let number = tally.of(*verdict);
        if number == 0 {
            continue;
        }
        parts.push(match parts.is_empty() {
            true => format!("{} {}", count(number, "claim", "claims"), verdict.word()),
            false => format!("{number} {}", verdict.word()),
        });
    }
    parts.join(", ")
}

/// The line that closes a report: `5 designs: 61 claims proven, 3 held; 84 of 84 mutants killed; 2 warnings`.
pub(super) fn closing(report: &Report, claims: &[Claims<'_>]) -> String {
    let mut parts = Vec::new();
    let total = Tally::sum(claims);
    if total.all() > 0 {
        parts.push(tally(&total));
    }
    if report.mutants.made > 0 {
        let made = usize::try_from(report.mutants.made).unwrap_or(usize::MAX);
        parts.push(format!(
            "{} of {} killed",
            report.mutants.killed,
            count(made, "mutant", "mutants")
        ));
    }
    let severities = report.summary().severities;
    let words = [
        (Severity::Error, "error", "errors"),
        (Severity::Warning, "warning", "warnings"),
        (Severity::Advice, "piece of advice", "pieces of advice"),
    ];
    let findings: Vec<String> = words
        .iter()
        .filter(|(severity, ..)| severities[*severity as usize] > 0)
        .map(|(severity, one, many)| count(severities[*severity as usize], one, many))
        .collect();
    match (findings.is_empty(), parts.is_empty()) {
        (true, true) => parts.push("no findings".to_owned()),
        (true, false) => {}
        (false, _) => parts.push(findings.join(", ")),
    }
    // Migrations are of no design.
    let read = match (report.designs.len(), report.inputs.len()) {
        (0, files) if files > 0 => count(files, "file", "files"),
        (designs, _) => count(designs, "design", "designs"),
    };
    format!("{read}: {}", parts.join("; "))
}

/// What was not run again: `31 claims unchanged since 2026-11-27 18:40, not run again; --no-cache runs them`. Nothing where all was.
pub(super) fn unchanged(claims: &[Claims<'_>]) -> Option<String> {
    let rows = claims.iter().flat_map(|design| &design.rows);
    let unchanged = rows.filter(|row| row.is_cached()).count();
    let all = claims.iter().flat_map(|design| &design.rows);
    let times = all
        .flat_map(|row| &row.evidence)
        .filter_map(|evidence| evidence.cached.as_deref());
    // The latest: since then nothing has changed of any of them.
    let since = times.max().filter(|_| unchanged > 0)?;
    let since = since.replace('T', " ");
    let since: String = since.chars().take("2026-11-27 18:40".len()).collect();
    Some(format!(
        "{} unchanged since {since} UTC, not run again; --no-cache runs {}",
        count(unchanged, "claim", "claims"),
        if unchanged == 1 { "it" } else { "them" }
    ))
}

/// The command line that runs a saved counterexample again.
pub(super) fn replay(evidence: &Evidence) -> Option<String> {
    let file = evidence.counterexample.as_ref()?.replay()?.file.as_ref()?;
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./".contains(c);
    Some(match file.chars().all(is_plain) {
        true => format!("pgproof replay {file}"),
        false => format!("pgproof replay '{}'", file.replace('\'', "'\\''")),
    })
}
