//! What was measured, as tables: one for each kind of thing, the lines of several claims together.

use super::claims::Claims;
use crate::finding::Table;

/// Lines that belong together, under what they are about.
pub(super) struct Measured {
    pub title: String,
    pub table: Table,
}

/// The tables of a design, in the order of its evidence.
pub(super) fn tables(claims: &Claims<'_>) -> Vec<Measured> {
    let mut all: Vec<(String, usize, Measured)> = Vec::new();
    for evidence in claims.rows.iter().flat_map(|row| &row.evidence) {
        let Some(table) = &evidence.measured else {
            continue;
        };
        let kind = kind(&evidence.claim.subject);
        let same = |(known, _, measured): &&mut (String, usize, Measured)| {
            *known == kind && measured.table.columns == table.columns
        };
        match all.iter_mut().find(same) {
            Some((_, count, measured)) => {
                *count += 1;
                measured.table.rows.extend(table.rows.iter().cloned());
            }
            None => {
                let measured = Measured {
                    title: evidence.claim.subject.clone(),
                    table: table.clone(),
                };
                all.push((kind, 1, measured));
            }
        }
    }
    let titled = |(kind, count, mut measured): (String, usize, Measured)| {
        if count > 1 {
            measured.title = kind;
        }
        measured
    };
    all.into_iter().map(titled).collect()
}

/// `commands`, `commands on PostgreSQL 16`, `capacity`.
fn kind(subject: &str) -> String {
    let (what, version) = match subject.split_once(" on PostgreSQL ") {
        Some((what, version)) => (what, format!(" on PostgreSQL {version}")),
        None => (subject, String::new()),
    };
    match what.split_once(' ') {
        Some((kind, _)) => format!("{kind}s{version}"),
        None => format!("{what}{version}"),
    }
}

#[cfg(test)]
mod tests {
    use super::kind;

    #[test]
    fn what_is_alike_stands_together() {
        assert_eq!(kind("command assign-case"), "commands");
        assert_eq!(
            kind("command assign-case on PostgreSQL 16"),
            "commands on PostgreSQL 16"
        );
        assert_eq!(kind("capacity"), "capacity");
    }
}
