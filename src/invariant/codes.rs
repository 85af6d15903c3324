//! A page for each thing that can be wrong with what keeps an invariant.

use crate::finding::About;

/// A page for each code.
pub static FAULTS: &[About] = &[
    About::first(
        "append-only-granted",
        "a role may change rows of a table that is append-only",
        "The trigger would refuse it, and a role that cannot do a thing does not try: what is never to happen is not granted.\n\n\
         ```yaml\nsecurity:\n  roles:\n    app: {grants: {entry: [select, insert]}}   # no update, delete or truncate\n```\n",
    ),
    About::first(
        "idempotency-without-key",
        "nothing remembers the key of an idempotent command",
        "Two calls with the same key are told apart by a unique key over what the command writes for it, and by nothing else.\n\n\
         ```yaml\nunique: {uq_request: [tenant_id, request_key]}\n```\n",
    ),
    About::first(
        "no-range-type",
        "intervals are of a type that makes no range",
        "Overlap is excluded over a range. PostgreSQL makes ranges of date, timestamptz, timestamp, integer, bigint and numeric; a column \
         may be of a range type itself.\n\n\
         ```yaml\nno_overlap: {in: stay, per: [room_id], from: arrives_on, to: leaves_on}   # both date\n```\n",
    ),
    About::first(
        "rule-across-tenants",
        "a trigger keeps a rule over rows that policies hide from it",
        "A rule's function runs as the owner of the tables, and policies that are forced confine the owner too. It looks as the tenant of the \
         row that was written. A row of a table that belongs to no tenant says none, so the function would see the rows of whichever tenant the \
         caller has set, or of none, and would let pass what breaks the rule for all others. Foreign keys and unique indexes look past policies.\n\n\
         ```yaml\nreferences: {in: price, columns: [currency], to: currency}\nenforced: constraint   # not trigger: `price` is isolated, `currency` is not\n```\n",
    ),
];

#[cfg(test)]
mod tests {
    use super::FAULTS;

    #[test]
    fn pages_are_complete() {
        for page in FAULTS {
            assert!(page.docs.ends_with("```\n"), "{}", page.name);
            assert_eq!(page.docs.matches("```").count() % 2, 0, "{}", page.name);
        }
    }
}
