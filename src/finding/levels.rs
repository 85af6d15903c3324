//! How much a team lets findings weigh.

use std::collections::BTreeMap;

use super::fault::{Finding, Severity};

/// What a team may set a rule to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// Reported with this weight.
    As(Severity),
    /// Not reported.
    Off,
}

impl Level {
    /// The words users write.
    pub const WORDS: [&str; 4] = ["error", "warning", "advice", "off"];

    /// The level of a word.
    pub fn of(word: &str) -> Option<Level> {
        Some(match word {
            "error" => Level::As(Severity::Error),
            "warning" => Level::As(Severity::Warning),
            "advice" => Level::As(Severity::Advice),
            "off" => Level::Off,
            _ => return None,
        })
    }
}

/// The levels of a team.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Levels {
    /// By code.
    pub by_code: BTreeMap<String, Level>,
    /// What every warning without a level of its own weighs.
    pub warnings_as: Option<Level>,
}

impl Levels {
    /// The findings that are left, with the weight the team gives them.
    pub fn apply(&self, findings: Vec<Finding>) -> Vec<Finding> {
        findings
            .into_iter()
            .filter_map(|finding| self.weighed(finding))
            .collect()
    }

    fn weighed(&self, mut finding: Finding) -> Option<Finding> {
        let of_warnings = self
            .warnings_as
            .filter(|_| finding.severity == Severity::Warning);
        match self.by_code.get(&finding.code).copied().or(of_warnings) {
            Some(Level::Off) => return None,
            Some(Level::As(severity)) => finding.severity = severity,
            None => {}
        }
        Some(finding)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::{SourceMap, Span};

    fn left(levels: &Levels, code: &str, severity: Severity) -> Option<Severity> {
        let at = Span::new(SourceMap::new().add("a", String::new()), 0, 0);
        let finding = Finding::new(code, severity, "table t", "a message", at);
        levels.apply(vec![finding]).first().map(|f| f.severity)
    }

    #[test]
    fn a_code_stands_before_all_warnings() {
        let levels = Levels {
            by_code: BTreeMap::from([
                ("a".to_owned(), Level::Off),
                ("b".to_owned(), Level::As(Severity::Advice)),
            ]),
            warnings_as: Some(Level::As(Severity::Error)),
        };
        assert_eq!(left(&levels, "a", Severity::Warning), None);
        assert_eq!(
            left(&levels, "b", Severity::Warning),
            Some(Severity::Advice)
        );
        assert_eq!(left(&levels, "c", Severity::Warning), Some(Severity::Error));
        assert_eq!(left(&levels, "c", Severity::Advice), Some(Severity::Advice));
    }
}
