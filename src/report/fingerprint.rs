//! What makes a finding the same finding tomorrow.

use sha2::{Digest, Sha256};

use crate::finding::Finding;

/// A stable name for a finding, from its design, code and subject. No line numbers and no wording go in, so that baselines
/// survive an edit elsewhere in the file and a better message.
pub fn fingerprint(finding: &Finding) -> String {
    let mut hash = Sha256::new();
    for part in [&finding.design, &finding.code, &finding.subject] {
        hash.update(part.as_bytes());
        // A separator no name contains: `ab` + `c` must differ from `a` + `bc`.
        hash.update([0]);
    }
    hash.finalize()[..8]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::{SourceMap, Span};

    fn finding(design: &str, subject: &str, at: u32) -> Finding {
        let mut sources = SourceMap::new();
        let id = sources.add("a.yaml", "design: a\n".to_owned());
        Finding::error("grain-missing", subject, "a message", Span::new(id, at, at)).of(design)
    }

    #[test]
    fn moving_a_finding_keeps_its_fingerprint() {
        assert_eq!(
            fingerprint(&finding("a", "table t", 0)),
            fingerprint(&finding("a", "table t", 5))
        );
    }

    #[test]
    fn parts_do_not_run_together() {
        assert_ne!(
            fingerprint(&finding("ab", "c", 0)),
            fingerprint(&finding("a", "bc", 0))
        );
    }
}
