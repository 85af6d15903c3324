//! Evidence grouped as people read it: by design, one row a claim, all methods joined.

use crate::finding::{Evidence, Method, Report, Verdict};

/// The claims of one design.
pub(super) struct Claims<'a> {
    pub design: &'a str,
    pub rows: Vec<Row<'a>>,
}

/// One claim with everything that was tried on it.
pub(super) struct Row<'a> {
    pub subject: &'a str,
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
                subject,
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

/// The reason or the bounds of one piece of evidence, without the server's version, which stands over the table.
fn reach_of(evidence: &Evidence) -> Option<String> {
    let text = match evidence.verdict {
        Verdict::Proven | Verdict::Held => evidence.bounds.as_deref(),
        _ => evidence.reason.as_deref(),
    }?;
    let version = evidence.setting.server_version.as_deref();
    let version = version.map(|version| format!(", PostgreSQL {version}"));
    let text = version
        .and_then(|version| text.strip_suffix(&version))
        .unwrap_or(text);
    Some(text.to_owned())
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
