//! What is said of each kind of mistake, and what is advised.

use super::super::validate;
use crate::source::{SourceMap, read};

/// `line:column code subject: message (help)` of each finding.
fn said(text: &str) -> Vec<String> {
    let mut map = SourceMap::new();
    let id = map.add("t", format!("pgproof: 1\ndesign: d\n{text}"));
    let parsed = read(&map, id);
    let root = parsed.root.expect("it can be read");
    validate(&root, &map)
        .into_iter()
        .map(|finding| {
            let at = map.line_column(finding.labels[0].at).0;
            format!(
                "{}:{} {} {}: {} ({})",
                at.line,
                at.column,
                finding.code,
                finding.subject,
                finding.message,
                finding.help.unwrap_or_default()
            )
        })
        .collect()
}

/// One mistake each: the text from line 3 on, and what is said.
const CASES: &[(&str, &str)] = &[
    (
        "querys: {}",
        "3:1 unknown-key design: unknown key `querys` (did you mean `queries`?)",
    ),
    (
        "owner: me",
        "3:1 unknown-key design: unknown key `owner` (it belongs inside `document:`)",
    ),
    (
        "tables: {t: {columns: {a: {type: uuid, grain: x}}}}",
        "3:40 unknown-key table t / column a: unknown key `grain` (it belongs to the table around it: indent it less)",
    ),
    (
        "tables: {t: {columns: {a: uuid}, primary_key: [a]}}",
        "3:34 unknown-key table t: unknown key `primary_key` (here it is called `key`)",
    ),
    (
        "tables: {t: {columns: {a: {type: uuid, means: one, or two}}}}",
        "3:52 unknown-key table t / column a: unknown key `or two` (a comma inside braces starts a new key: put the value before it in quotes)",
    ),
    (
        "tables: {t: {columns: {a: {type: uuid, one-of: [x]}}}}",
        "3:40 unknown-key table t / column a: unknown key `one-of` (it is written `one_of`)",
    ),
    (
        "database: {zzz: 1}",
        "3:12 unknown-key database: unknown key `zzz` (known here: `engine`, `version`, `schema`, `extensions`, `settings`, `topology`)",
    ),
    (
        "tables: {t: {columns: {a: uuid}, key: {a: b}}}",
        "3:39 wrong-type table t: expected a column name, or a list of column names, found a mapping ()",
    ),
    (
        "tables: {t: [a]}",
        "3:13 wrong-type table t: expected a mapping (table), found a list ()",
    ),
    (
        "tables: {t: }",
        "3:10 missing-key table t: `columns` is missing (add it, such as `columns: {case_id: uuid, ended_at: timestamptz?}`)",
    ),
    (
        "tables: {t: {columns: {a: }}}",
        "3:24 wrong-type table t / column a: expected an SQL type, or a mapping (column), found nothing (write a value after the colon)",
    ),
    (
        "tables: {t: {columns: {a: {type: jsonb, default: {}}}}}",
        "3:50 wrong-type table t / column a: expected an SQL expression, found a mapping (put the value in quotes if it is meant to start with a bracket)",
    ),
    (
        "tables: {t: {columns: {a: uuid}, key: [1]}}",
        "3:40 wrong-type table t: expected a column name, found `1` (put it in quotes if it is meant as text)",
    ),
    (
        "security: {roles: {app: {login: yes}}}",
        "3:33 wrong-type role app: expected `true` or `false`, found `yes` (write `true`, without quotes)",
    ),
    (
        "database: {version: 13}",
        "3:21 out-of-range database: `13` is out of range (give a whole number from 14 to 18)",
    ),
    (
        "database: {version: '15'}",
        "3:21 wrong-type database: expected a whole number from 14 to 18, found `15` (take the quotes off)",
    ),
    (
        "tables: {t: {columns: {a: uuid}, volume: {rows: 5m}}}",
        "3:49 wrong-type table t / volume: expected a count such as `500k`, found `5m` (a million is a capital `M`)",
    ),
    (
        "tables: {t: {columns: {a: uuid}, volume: {rows: 5M, horizon: 12}}}",
        "3:62 wrong-type table t / volume: expected a duration such as `30 days`, found `12` (the unit is missing)",
    ),
    (
        "tables: {t: {columns: {a: {type: int, data: {nulls: 1.5}}}}}",
        "3:53 out-of-range table t / column a / data: a share lies between 0 and 1 (give a share from 0 to 1)",
    ),
    (
        "document: {created: 2026-02-30}",
        "3:21 out-of-range document: `2026-02-30` is no day of the calendar (give a date such as `2026-03-01`)",
    ),
    (
        "tables: {t: {columns: {a: uuid}, role: logs}}",
        "3:40 unknown-value table t: `logs` is none of the values of `role` (did you mean `log`?)",
    ),
    (
        "queries: {q: {sql: SELECT 1, within: {p96: 1 s}}}",
        "3:39 unknown-value query q / percentile p96: `p96` is none of the values of `percentile` (did you mean `p90`?)",
    ),
    (
        "queries: {q: {does: nothing}}",
        "3:11 missing-key query q: `sql` is missing (add it, such as `sql: SELECT case_id FROM case_assignment WHERE actor_id = :actor_id LIMIT :limit`)",
    ),
    (
        "queries: {q: {sql: SELECT 1, plan: {never: [seq scans]}}}",
        "3:45 unknown-value query q / plan: `seq scans` is no plan node that can be ruled out (did you mean `seq scan`?)",
    ),
    (
        "queries: {my query: {sql: SELECT 1}}",
        "3:11 bad-name query my query: `my query` is no name for a query (begin with a letter; then letters, digits, `-`, `_` and `.`, no blanks)",
    ),
    (
        "invariants: {i: {never: x}}",
        "3:14 missing-key invariant i: one of `required`, `unique`, `at_most_one`, `exactly_one`, `at_most`, `check`, `no_overlap`, `references`, `balanced`, `append_only`, `immutable`, `transitions`, `monotonic`, `isolated`, `idempotent`, `mirrors`, `retained` or `holds` is missing (add the one that is meant)",
    ),
    (
        "invariants: {i: {at_most_on: {in: t, per: [a]}}}",
        "3:18 unknown-key invariant i: unknown key `at_most_on` (did you mean `at_most_one`?)",
    ),
    (
        "invariants: {i: {append_only: t, holds: SELECT 1}}",
        "3:34 conflicting-keys invariant i: `append_only` and `holds` exclude each other (keep one of the two; what both say takes two entries)",
    ),
    (
        "commands: {c: {steps: [{sql: SELECT 1}, {otherwise: x, sql: SELECT 1}]}}",
        "3:42 missing-key command c / steps 2: `otherwise` says nothing without `require` (add `require:` beside it)",
    ),
    (
        "commands: {c: {steps: {sql: SELECT 1}}}",
        "3:23 wrong-type command c: expected a list of steps, found a mapping (start each entry with a dash)",
    ),
    (
        "waivers:\n- rule: x\n",
        "4:3 missing-key waivers 1: `because` is missing (add it, such as `because: measured twice`)",
    ),
    (
        "glossary: {word: {means: [a, b]}}",
        "3:26 wrong-type term word: expected text, found a list (put the value in quotes if it is meant to start with a bracket)",
    ),
];

#[test]
fn each_mistake_is_named_with_its_place_and_the_next_step() {
    let found: Vec<_> = CASES
        .iter()
        .map(|(text, _)| said(text).join("\n"))
        .collect();
    let wanted: Vec<_> = CASES
        .iter()
        .map(|(_, wanted)| (*wanted).to_owned())
        .collect();
    let differ: Vec<_> = found.iter().zip(&wanted).filter(|(a, b)| a != b).collect();
    assert!(differ.is_empty(), "{differ:#?}");
}

#[test]
fn all_mistakes_of_a_file_are_said_in_one_run() {
    let all = CASES
        .iter()
        .filter(|(text, _)| text.starts_with("tables: {t: {"))
        .enumerate()
        .map(|(number, (text, _))| {
            let inner = text.trim_start_matches("tables: {t: ");
            format!("  t{number}: {}\n", &inner[..inner.len() - 1])
        })
        .collect::<String>();
    let found = said(&format!("tables:\n{all}"));
    assert_eq!(found.len(), all.lines().count(), "{found:#?}");
}

#[test]
fn what_stands_under_a_misspelt_key_is_judged_too() {
    let found = said("documnet: {status: drafty}");
    assert_eq!(found.len(), 2, "{found:#?}");
    assert!(
        found[1].contains("unknown-value document: `drafty`"),
        "{found:#?}"
    );
}

#[test]
fn null_is_as_good_as_absent() {
    for text in [
        "tables: {t: {columns: {a: uuid}, key: ~, volume: null, indexes: }}",
        "commands: {c: {idempotent_by: null, steps: }}",
        "invariants: {i: {append_only: t, holds: null}}",
        "tables:",
    ] {
        assert_eq!(said(text), Vec::<String>::new(), "{text}");
    }
}
