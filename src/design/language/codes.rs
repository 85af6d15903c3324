//! Codes of what can be wrong with a file before its names are looked up.

use crate::finding::About;

pub(super) const UNKNOWN_KEY: &str = "unknown-key";
pub(in crate::design) const MISSING_KEY: &str = "missing-key";
pub(super) const CONFLICTING_KEYS: &str = "conflicting-keys";
pub(in crate::design) const WRONG_TYPE: &str = "wrong-type";
pub(super) const OUT_OF_RANGE: &str = "out-of-range";
pub(super) const UNKNOWN_VALUE: &str = "unknown-value";
pub(super) const BAD_NAME: &str = "bad-name";
pub(super) const UNSUPPORTED_VERSION: &str = "unsupported-version";
/// One section of a design in two of its files.
pub(in crate::design) const SECTION_TWICE: &str = "section-twice";

/// A page for each code.
pub static CODES: &[About] = &[
    About {
        name: crate::source::SYNTAX,
        title: "the file is not YAML that a design can be read from",
        docs: "The text cannot be read as YAML, or uses a part of YAML that designs do without: a second document, tags, keys \
               that are lists, tabs for indentation. A comma inside braces ends a plain value, so `{type: numeric(12,2)}` needs \
               quotes:\n\n```yaml\namount: {type: \"numeric(12,2)\"}\n```\n",
        since: "0.1.0",
    },
    About {
        name: crate::source::DUPLICATE_KEY,
        title: "one key is given twice in one mapping",
        docs: "YAML readers keep the last of equal keys and forget the others in silence; here each is reported with the first.\n\n\
               ```yaml\ntables:\n  customer: {columns: {customer_id: uuid}}\n  customer: {columns: {name: text}}   # reported\n```\n",
        since: "0.1.0",
    },
    About {
        name: crate::source::TOO_LARGE,
        title: "the file is larger, deeper or more repetitive than a design can be",
        docs: "Designs may come from strangers, so there are bounds: 10 MB, 64 levels, 500,000 keys and values, of which aliases may \
               copy 50,000. A design holds no data; a large one is split into a folder:\n\n\
               ```yaml\n# designs/shop/tables.yaml, beside designs/shop/design.yaml\ntables:\n  customer: {columns: {customer_id: uuid}}\n```\n",
        since: "0.1.0",
    },
    About {
        name: UNKNOWN_KEY,
        title: "the language has no such key here",
        docs: "A key that is not known would be ignored, and what it says would not be true. The message names the nearest key, or \
               the level at which the key belongs.\n\n```yaml\ntables:\n  customer:\n    colums: {customer_id: uuid}   # did you mean `columns`?\n```\n",
        since: "0.1.0",
    },
    About {
        name: MISSING_KEY,
        title: "a key is missing",
        docs: "Some keys carry the meaning of the others: a query without `sql`, an index without `columns`, an invariant without its \
               clause cannot be understood. A key whose value is empty or `null` counts as missing.\n\n\
               ```yaml\nqueries:\n  open-cases:\n    sql: SELECT case_id FROM regulatory_case   # without it: missing\n```\n",
        since: "0.1.0",
    },
    About {
        name: CONFLICTING_KEYS,
        title: "two keys exclude each other",
        docs: "Of some keys only one can be true: a step is a statement or a condition, a type is an enum or a domain, an invariant \
               has one clause. Two rules take two entries.\n\n```yaml\nsteps:\n  - sql: SELECT 1\n    require: found.rows == 1   # reported: a step of its own\n```\n",
        since: "0.1.0",
    },
    About {
        name: WRONG_TYPE,
        title: "a value is of the wrong kind",
        docs: "A list where a mapping is expected, text where a number is, a duration without its unit.\n\n\
               ```yaml\nvolume: {rows: 20M, horizon: 12 months}   # not `horizon: 12`\n```\n",
        since: "0.1.0",
    },
    About {
        name: OUT_OF_RANGE,
        title: "a number is out of range",
        docs: "PostgreSQL or the language bounds it: a version from 14 to 18, a share from 0 to 1, a fillfactor from 10 to 100.\n\n\
               ```yaml\ndatabase: {version: 15}\n```\n",
        since: "0.1.0",
    },
    About {
        name: UNKNOWN_VALUE,
        title: "a word is none of those the key takes",
        docs: "The message names the nearest one. Blanks, `-` and `_` between words are alike.\n\n\
               ```yaml\ntables:\n  audit_log: {role: log, columns: {log_id: bigint}}   # not `role: logging`\n```\n",
        since: "0.1.0",
    },
    About {
        name: BAD_NAME,
        title: "a name cannot be used",
        docs: "Designs are named in lower-case letters, digits and `-`; invariants, commands, queries, events and states begin with \
               a letter and have no blanks, since they are used on the command line and in reports.\n\n\
               ```yaml\ndesign: case-assignment   # not `Case Assignment`\n```\n",
        since: "0.1.0",
    },
    About {
        name: UNSUPPORTED_VERSION,
        title: "the design is written in a language version this program does not know",
        docs: "`pgproof:` says in which version of the language a file is written. This program knows version 1.\n\n\
               ```yaml\npgproof: 1\n```\n",
        since: "0.1.0",
    },
    About {
        name: SECTION_TWICE,
        title: "a section is in two files of one design",
        docs: "A design that is a folder may hold some of its top-level sections in files beside `design.yaml`, each section in one of them.\n\n\
               ```yaml\n# designs/shop/queries.yaml: all queries are here, none in design.yaml\nqueries:\n  open-orders: {sql: SELECT 1}\n```\n",
        since: "0.1.0",
    },
];
