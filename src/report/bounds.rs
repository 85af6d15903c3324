//! How far evidence reaches, in few words: a number for each claim, and once what holds for all of them.

use crate::finding::{Evidence, Method};

/// Figures that say in a word how much was tried, with the word.
const COUNTED: [(&str, &str, &str); 3] = [
    ("cases", "case", "cases"),
    ("schedules", "order", "orders"),
    ("statements", "statement", "statements"),
];

/// `reject 7 cases, race 152 orders, plan 6 of 6`; where there is little room without the nouns. Mutants have a column of
/// their own, so a method of which nothing else can be said goes without saying.
pub(super) fn tried(evidence: &[&Evidence], with_nouns: bool) -> String {
    let mut parts: Vec<String> = Vec::new();
    let mut done: Vec<Method> = Vec::new();
    for one in evidence {
        if done.contains(&one.method) {
            continue;
        }
        done.push(one.method);
        let same: Vec<&Evidence> = evidence
            .iter()
            .copied()
            .filter(|e| e.method == one.method)
            .collect();
        let is_in_column = one.method == Method::Mutate && figure(one, "mutants_made").is_some();
        if !is_in_column {
            parts.push(counted(one.method, &same, with_nouns));
        }
    }
    match parts.is_empty() {
        true => Method::Mutate.word().to_owned(),
        false => parts.join(", "),
    }
}

fn counted(method: Method, evidence: &[&Evidence], with_nouns: bool) -> String {
    let sum = |name: &str| evidence.iter().filter_map(|e| figure(e, name)).sum::<u64>();
    let word = method.word();
    let asked = sum("expectations");
    if asked > 0 {
        return format!("{word} {} of {asked}", sum("expectations_held"));
    }
    let known = COUNTED.iter().find(|(name, ..)| sum(name) > 0);
    match known {
        Some((name, one, many)) if with_nouns => {
            let count = sum(name);
            format!("{word} {count} {}", if count == 1 { one } else { many })
        }
        Some((name, ..)) => format!("{word} {}", sum(name)),
        None => word.to_owned(),
    }
}

fn figure(evidence: &Evidence, name: &str) -> Option<u64> {
    let found = evidence.figures.iter().find(|(figure, _)| figure == name);
    // Counts travel as f64 with all other figures; they are small and whole.
    found.map(|(_, value)| *value as u64)
}

/// What is said of every piece of evidence of a method, in the order in which the first says it.
pub(super) fn common(evidence: &[&Evidence], method: Method) -> Vec<String> {
    let mut all = evidence
        .iter()
        .filter(|e| e.method == method && is_counted(e))
        .filter_map(|e| of(e))
        .map(|bounds| clauses(&bounds));
    let (Some(mut shared), count) = (all.next(), all.clone().count()) else {
        return Vec::new();
    };
    for other in all {
        shared.retain(|clause| other.contains(clause));
    }
    match count {
        0 => Vec::new(),
        _ => shared,
    }
}

/// Whether it is of the usual kind: what is tried in a way of its own has bounds of its own.
fn is_counted(evidence: &Evidence) -> bool {
    let names = COUNTED
        .iter()
        .map(|(name, ..)| *name)
        .chain(["expectations"]);
    names
        .into_iter()
        .any(|name| figure(evidence, name) > Some(0))
}

/// The bounds of one piece of evidence, without the server's version, which stands elsewhere.
pub(super) fn of(evidence: &Evidence) -> Option<String> {
    let text = evidence.bounds.as_deref()?;
    let version = evidence.setting.server_version.as_deref();
    let version = version.map(|version| format!(", PostgreSQL {version}"));
    let text = version
        .and_then(|version| text.strip_suffix(&version))
        .unwrap_or(text);
    Some(text.to_owned())
}

/// A sentence of bounds in its parts; what parts it inside brackets belong to theirs.
fn clauses(bounds: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut depth = 0;
    for c in bounds.chars() {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            ',' | ';' if depth == 0 => {
                parts.push(String::new());
                continue;
            }
            _ => {}
        }
        if let Some(part) = parts.last_mut() {
            part.push(c);
        }
    }
    parts.iter().map(|part| part.trim().to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::clauses;

    #[test]
    fn what_is_in_brackets_stays_whole() {
        assert_eq!(
            clauses("2 sessions, all 3 (a, b), x"),
            ["2 sessions", "all 3 (a, b)", "x"]
        );
    }
}
