//! What came of trying a claim.

/// What came of trying a claim. Ordered from worst to best, so that the worst of several is their minimum.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// A counterexample exists.
    Refuted,
    /// A mutant survived: the check has no power.
    Vacuous,
    /// Not run, with the reason.
    Unchecked,
    /// Sampled, with numbers.
    Held,
    /// Exhaustive within stated bounds, every mutant noticed.
    Proven,
}

impl Verdict {
    /// The worst of both.
    pub fn merge(self, other: Verdict) -> Verdict {
        self.min(other)
    }

    /// The word users read.
    pub fn word(self) -> &'static str {
        match self {
            Verdict::Refuted => "refuted",
            Verdict::Vacuous => "vacuous",
            Verdict::Unchecked => "unchecked",
            Verdict::Held => "held",
            Verdict::Proven => "proven",
        }
    }

    /// All, worst first.
    pub const ALL: [Verdict; 5] = [
        Verdict::Refuted,
        Verdict::Vacuous,
        Verdict::Unchecked,
        Verdict::Held,
        Verdict::Proven,
    ];
}
