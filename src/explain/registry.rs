//! Every assertion there is.

use super::assertion::Assertion;
use super::assertions::{
    BUFFERS, COST, ESTIMATES, INDEX_ONLY, LARGE_SEQ_SCAN, LARGE_SORT, NEVER, PARTITIONS, READS,
    RETURNS, SAME_PLAN_FOR, USES,
};

/// All, in the order of the language reference.
pub static ASSERTIONS: &[&Assertion] = &[
    &USES,
    &NEVER,
    &READS,
    &RETURNS,
    &PARTITIONS,
    &INDEX_ONLY,
    &COST,
    &BUFFERS,
    &ESTIMATES,
    &SAME_PLAN_FOR,
    &LARGE_SEQ_SCAN,
    &LARGE_SORT,
];

/// An assertion by its name.
pub fn assertion(name: &str) -> Option<&'static Assertion> {
    ASSERTIONS
        .iter()
        .copied()
        .find(|assertion| assertion.about.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_assertion_has_a_name_of_its_own_and_an_example() {
        for assertion in ASSERTIONS {
            let about = assertion.about;
            assert!(std::ptr::eq(
                super::assertion(about.name).expect("it is known by its name"),
                *assertion
            ));
            assert!(about.docs.contains("```yaml"), "{}", about.name);
            assert!(!about.title.ends_with('.'), "{}", about.name);
        }
    }
}
