//! Evidence grouped as people read it: by design, one row a claim, all methods joined.

use std::borrow::Cow;

use super::bounds;
use crate::finding::{Evidence, Method, Report, Verdict};

/// The claims of one design.
pub(super) struct Claims<'a> {
    pub design: &'a str,
    pub rows: Vec<Row<'a>>,
}

/// One claim with everything that was tried on it.
pub(super) struct Row<'a> {
    pub subject: Cow<'a, str>,
    pub evidence: Vec<&'a Evidence>,
}

/// How many claims came to which verdict.
#[derive(Clone, Copy, Default)]
pub(super) struct Tally([usize; 5]);

/// Claims by design, both in the order in which evidence came.
pub(super) fn by_design(report: &Report) -> Vec<Claims<'_>> {
    let mut designs: Vec<Claims<'_>> = Vec::new();
    for evidence in &report.evidence {
        let design = match designs.iter().rposition(|d| d.design == evidence.design) {
            Some(at) => &mut designs[at],
            None => {
                designs.push(Claims {
                    design: &evidence.design,
                    rows: Vec::new(),
                });
                let last = designs.len() - 1;
                &mut designs[last]
            }
        };
        let subject = evidence.claim.subject.as_str();
        match design.rows.iter().rposition(|row| row.subject == subject) {
            Some(at) => design.rows[at].evidence.push(evidence),
            None => design.rows.push(Row {
                subject: Cow::Borrowed(subject),
                evidence: vec![evidence],
            }),
        }
    }
    designs
}

impl Claims<'_> {
    /// How many claims came to which verdict.
    pub(super) fn tally(&self) -> Tally {
        let mut tally = Tally::default();
        for row in &self.rows {
            tally.add(row.verdict());
        }
        tally
    }

    /// The rows with the proven parts of each table as one: a schema has many constraints, and that each holds is one
    /// thing to read.
    pub(super) fn folded(&self) -> Vec<Row<'_>> {
        let mut rows: Vec<Row<'_>> = Vec::new();
        let mut tables: Vec<(&str, usize, usize)> = Vec::new();
        for row in &self.rows {
            let evidence = row.evidence.clone();
            let table = table_of(&row.subject).filter(|_| row.verdict() == Verdict::Proven);
            let Some(table) = table else {
                rows.push(Row {
                    subject: Cow::Borrowed(&row.subject),
                    evidence,
                });
                continue;
            };
            match tables.iter_mut().find(|(known, ..)| *known == table) {
                Some((_, at, count)) => {
                    *count += 1;
                    rows[*at].subject = Cow::Owned(format!("table {table}, {count} claims"));
                    rows[*at].evidence.extend(evidence);
                }
                None => {
                    tables.push((table, rows.len(), 1));
                    rows.push(Row {
                        subject: Cow::Borrowed(&row.subject),
                        evidence,
                    });
                }
            }
        }
        rows
    }

    /// Mutants made and killed over the design.
    pub(super) fn mutants(&self) -> (u64, u64) {
        self.rows.iter().fold((0, 0), |(made, killed), row| {
            let (more, dead) = row.mutants();
            (made + more, killed + dead)
        })
    }
}

impl Row<'_> {
    /// The worst of what came of it.
    pub(super) fn verdict(&self) -> Verdict {
        self.evidence
            .iter()
            .map(|evidence| evidence.verdict)
            .fold(Verdict::Proven, Verdict::merge)
    }

    /// Methods in the order tried, each once.
    pub(super) fn methods(&self) -> Vec<Method> {
        let mut methods = Vec::new();
        for evidence in &self.evidence {
            if !methods.contains(&evidence.method) {
                methods.push(evidence.method);
            }
        }
        methods
    }

    /// Mutants made and killed.
    pub(super) fn mutants(&self) -> (u64, u64) {
        let sum = |name: &str| {
            self.evidence
                .iter()
                .flat_map(|evidence| &evidence.figures)
                .filter(|(figure, _)| figure == name)
                // Counts travel as f64 with all other figures; they are small and whole.
                .map(|(_, value)| *value as u64)
                .sum()
        };
        (sum("mutants_made"), sum("mutants_killed"))
    }

    /// Why the verdict is what it is, else how far it reaches: what was said of the evidence that decided it. Where there
    /// are several methods, with theirs.
    pub(super) fn reach(&self) -> String {
        let verdict = self.verdict();
        let several = self.methods().len() > 1;
        let mut said: Vec<String> = Vec::new();
        for evidence in self.evidence.iter().filter(|e| e.verdict == verdict) {
            let Some(text) = reach_of(evidence) else {
                continue;
            };
            let text = match several {
                true => format!("{}: {text}", evidence.method.word()),
                false => text,
            };
            if !said.contains(&text) {
                said.push(text);
            }
        }
        if verdict == Verdict::Unchecked {
            said.extend(self.nevertheless());
        }
        said.join("; ")
    }

    /// Whether nothing at all was tried.
    pub(super) fn is_idle(&self) -> bool {
        self.evidence
            .iter()
            .all(|e| e.verdict == Verdict::Unchecked)
    }

    /// Whether everything that was tried on it was tried by an earlier run.
    pub(super) fn is_cached(&self) -> bool {
        let mut tried = self
            .evidence
            .iter()
            .filter(|e| e.verdict != Verdict::Unchecked);
        !self.is_idle() && tried.all(|evidence| evidence.cached.is_some())
    }

    /// What other methods came to where one could not be used: `proven by reject`.
    fn nevertheless(&self) -> Vec<String> {
        let better = self
            .evidence
            .iter()
            .filter(|e| e.verdict > Verdict::Unchecked);
        better
            .map(|e| format!("{} by {}", e.verdict.word(), e.method.word()))
            .collect()
    }
}

/// The reason or the bounds of one piece of evidence.
fn reach_of(evidence: &Evidence) -> Option<String> {
    match evidence.verdict {
        Verdict::Proven | Verdict::Held => bounds::of(evidence),
        _ => evidence.reason.clone(),
    }
}

/// The table that a claim about one of its parts is about: `columns of T`, `constraint C on T`.
fn table_of(subject: &str) -> Option<&str> {
    let parts = [("columns of ", " of "), ("constraint ", " on ")];
    let (_, before) = parts.iter().find(|(start, _)| subject.starts_with(start))?;
    subject.rsplit_once(before).map(|(_, table)| table)
}

impl Tally {
    fn add(&mut self, verdict: Verdict) {
        self.0[verdict as usize] += 1;
    }

    /// How many came to this verdict.
    pub(super) fn of(&self, verdict: Verdict) -> usize {
        self.0[verdict as usize]
    }

    /// How many there are.
    pub(super) fn all(&self) -> usize {
        self.0.iter().sum()
    }

    /// Over all designs.
    pub(super) fn sum(claims: &[Claims<'_>]) -> Tally {
        let mut sum = Tally::default();
        for claims in claims {
            let tally = claims.tally();
            for (slot, more) in sum.0.iter_mut().zip(tally.0) {
                *slot += more;
            }
        }
        sum
    }
}
