//! Whole designs: the language's own example, ten faults at once, a thousand tables, and nonsense.

use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::source::{Entry, Node, NodeKind, Span, Style, Text};

/// The complete example of the language, with SQL in place of its ellipses.
const EXAMPLE: &str = include_str!("example.yaml");

#[test]
fn the_example_of_the_language_is_without_fault() {
    let read = read(EXAMPLE);
    assert_eq!(read.said(), []);
    let model = read.model;
    assert_eq!(model.tables.len(), 2);
    assert_eq!(model.invariants.len(), 5);
    assert_eq!(model.commands[0].steps.len(), 3);
    assert_eq!(model.queries[0].plan.len(), 4);
    assert_eq!(model.queries[0].runs, Some(500.0));
    assert_eq!(model.roles.len(), 2);
    assert_eq!(model.waivers.len(), 1);
    let names: Vec<&str> = model.sections.iter().map(|s| s.name.as_str()).collect();
    assert_eq!(&names[..4], ["pgproof", "design", "title", "document"]);
    assert_eq!(names.len(), 27);
    let reference = &model.tables[1].references[0];
    assert_eq!(reference.key.len(), 2);
    assert_eq!(model.database.version, 15);
}

#[test]
fn ten_faults_are_all_told_at_their_place() {
    let broken = EXAMPLE
        .replace(
            "case_id: uuid\n      case_number: text",
            "case_id: uuid\n      case_number: txt",
        )
        .replace("key: [case_id]\n", "key: [case_idd]\n")
        .replace("to: regulatory_case, key:", "to: regulatory_cas, key:")
        .replace("serves: [active-queue]", "serves: [active-queues]")
        .replace(
            "ended_at is null or ended_at > assigned_at",
            "ended_at is null or > assigned_at",
        )
        .replace("initial: [draft]", "initial: [drafd]")
        .replace(
            "tables: [regulatory_case, case_assignment], by",
            "tables: [regulatory_case, case_assignments], by",
        )
        .replace("found.rows == 1 and", "found.rows = 1 and")
        .replace("c.priority, a.assigned_at\n", "c.priority a.assigned_at\n")
        .replace(
            "uses: [ix_assignment_actor_active]",
            "uses: [ix_assignment_actor]",
        );
    let read = read(&broken);
    let told: Vec<(String, &str)> = read
        .findings
        .iter()
        .filter(|f| f.severity == Severity::Error)
        .map(|f| (place(&read.map, f).0, f.code.as_str()))
        .collect();
    let wanted = [
        ("type-unknown", "txt"),
        ("dangling-column", "case_idd"),
        ("dangling-table", "regulatory_cas,"),
        ("sql-syntax", "> assigned_at"),
        ("dangling-query", "active-queues"),
        ("state-unknown", "drafd"),
        ("dangling-table", "case_assignments"),
        ("bad-condition", "= 1 and"),
        ("sql-syntax", ".assigned_at\n"),
        ("dangling-index", "ix_assignment_actor]"),
    ];
    let wanted: Vec<(String, &str)> = wanted
        .iter()
        .map(|(code, text)| (position(&broken, text), *code))
        .collect();
    assert_eq!(told, wanted, "{:#?}", read.findings);
}

/// Line and column of the first occurrence.
fn position(text: &str, part: &str) -> String {
    let at = text.find(part).unwrap_or_else(|| unreachable!("{part}"));
    let line = text[..at].matches('\n').count() + 1;
    let column = at - text[..at].rfind('\n').map_or(0, |newline| newline + 1) + 1;
    format!("{line}:{column}")
}

#[test]
fn placeholders_of_the_language_are_no_errors() {
    let read = and(
        "projections: {seen: {source: [sale], rebuild: SELECT ..., updated_by: {event: Sold, sql: '...upsert...'}}}\n",
    );
    let codes: Vec<&str> = read.said().iter().map(|(code, _)| *code).collect();
    assert_eq!(codes, ["sql-placeholder", "sql-placeholder"]);
    assert!(read.findings.iter().all(|f| f.severity == Severity::Advice));
    assert!(read.model.projections[0].rebuild.is_none());
}

#[test]
fn the_worked_designs_resolve_without_error() {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/designs");
    let mut seen = 0;
    for folder in std::fs::read_dir(root).expect("the designs are there") {
        let path = folder
            .expect("a folder can be read")
            .path()
            .join("design.yaml");
        let Ok(text) = std::fs::read_to_string(&path) else {
            continue;
        };
        let read = read(&text);
        let told: Vec<_> = read
            .findings
            .iter()
            .map(|f| (place(&read.map, f), f))
            .collect();
        assert!(told.is_empty(), "{}: {told:#?}", path.display());
        seen += 1;
    }
    assert!(seen > 0);
}

/// Time that this thread was running, where the system tells (Linux does). Time on the wall would judge the machine's load.
fn running() -> Option<Duration> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    let nanoseconds = text.split(' ').next()?.parse().ok()?;
    Some(Duration::from_nanos(nanoseconds))
}

/// A design of so many tables, each with a reference to the one before it, an index, a query and an invariant.
fn many(tables: usize) -> String {
    use std::fmt::Write as _;
    let mut text = String::from("design: many\ntables:\n");
    let mut rest = (String::from("queries:\n"), String::from("invariants:\n"));
    for n in 0..tables {
        let before = n.saturating_sub(1);
        let _ = write!(
            text,
            "  table_{n}:\n    columns: {{id_{n}: uuid, other: uuid, at: timestamptz, note: text?}}\n    key: [id_{n}]\n    \
             references: {{fk_{n}: {{columns: [other], to: table_{before}}}}}\n    \
             checks: {{ck_{n}: note <> ''}}\n    indexes: {{ix_{n}: {{columns: [other, at desc], serves: [query-{n}]}}}}\n"
        );
        let _ = write!(
            rest.0,
            "  query-{n}:\n    params: {{other: uuid}}\n    sql: SELECT at FROM table_{n} WHERE other = :other ORDER BY at DESC\n    plan: {{uses: [ix_{n}]}}\n"
        );
        let _ = writeln!(
            rest.1,
            "  rule-{n}: {{unique: {{in: table_{n}, columns: [other, at]}}}}"
        );
    }
    text + &rest.0 + &rest.1
}

#[test]
fn time_grows_with_the_number_of_tables_and_not_faster() {
    let time = |tables| {
        let text = many(tables);
        let mut map = SourceMap::new();
        let id = map.add("t", text);
        let root = parse(&map, id).expect("well formed");
        let before = running();
        let (model, findings) = resolve(&root);
        let spent = running().zip(before).map(|(after, before)| after - before);
        assert_eq!(findings, []);
        assert_eq!(model.map(|m| m.tables.len()), Some(tables));
        spent
    };
    time(50);
    let Some((small, large)) = time(100).zip(time(1_000)) else {
        return;
    };
    // Ten times the tables: much less than the hundredfold that nested scans would take, with room for a busy machine.
    assert!(large < small * 30, "{small:?} and {large:?}");
}

/// Words that mean something somewhere, so that nonsense gets past the first look.
const WORDS: &[&str] = &[
    "design",
    "tables",
    "columns",
    "key",
    "unique",
    "references",
    "to",
    "checks",
    "indexes",
    "where",
    "serves",
    "partition",
    "by",
    "every",
    "from",
    "hash",
    "list",
    "ranges",
    "retention",
    "after",
    "of",
    "do",
    "volume",
    "rows",
    "invariants",
    "in",
    "per",
    "at_most",
    "sum",
    "limit",
    "equals",
    "transitions",
    "allow",
    "initial",
    "terminal",
    "column",
    "isolated",
    "role",
    "holds",
    "commands",
    "params",
    "steps",
    "sql",
    "as",
    "require",
    "otherwise",
    "outcomes",
    "retry",
    "queries",
    "plan",
    "uses",
    "never",
    "partitions",
    "same_plan_for",
    "types",
    "enum",
    "domain",
    "check",
    "states",
    "events",
    "payload",
    "projections",
    "source",
    "rebuild",
    "updated_by",
    "event",
    "security",
    "roles",
    "grants",
    "waivers",
    "rule",
    "at",
    "because",
    "database",
    "schema",
    "version",
    "extensions",
    "data",
    "values",
    "range",
    "nulls",
    "distinct",
    "type",
    "default",
    "one_of",
    "generated",
    "identity",
    "process",
    "actors",
    "authority",
    "store",
    "migration",
    "backfill",
    "validate",
    "operations",
    "signals",
    "query",
    "views",
    "routines",
    "t",
    "a",
    "b",
    "1",
    "-1",
    "1 month",
    "t.a",
    "t.",
    ".",
    "a desc",
    "lower(a",
    "'x'",
    "\"",
    "numeric(12,2)",
    "text?",
    "?",
    "SELECT :a",
    "SELECT 1; SELECT 2",
    "...",
    "a == 1",
    "((((a",
    "not not a",
    "<= 2 of t",
    "seq scan on t",
    "within 3x",
    "2026-01-01",
    "",
    "ü:ß",
    "unique_violation",
    "exclude",
    "with",
    "using",
    "include",
    "mirrors",
    "retained",
    "idempotent",
    "command",
    "request",
    "projection",
    "no_overlap",
    "to",
    "period",
];

fn word() -> impl Strategy<Value = String> {
    prop_oneof![
        9 => proptest::sample::select(WORDS).prop_map(str::to_owned),
        1 => ".{0,12}",
    ]
}

fn at() -> Span {
    let mut map = SourceMap::new();
    Span::new(map.add("t", String::new()), 0, 0)
}

fn node() -> impl Strategy<Value = Node> {
    let leaf = prop_oneof![
        Just(NodeKind::Null),
        (word(), any::<bool>()).prop_map(|(text, quoted)| {
            let style = if quoted { Style::Quoted } else { Style::Plain };
            NodeKind::Scalar(Text::new(text, at(), Vec::new()), style)
        }),
    ]
    .prop_map(|kind| Node { at: at(), kind });
    leaf.prop_recursive(6, 64, 6, |inner| {
        let entry = (word(), inner.clone()).prop_map(|(key, value)| Entry {
            key: Text::at_once(key, at()),
            value,
        });
        prop_oneof![
            proptest::collection::vec(inner, 0..5).prop_map(NodeKind::Sequence),
            proptest::collection::vec(entry, 0..6).prop_map(NodeKind::Mapping),
        ]
        .prop_map(|kind| Node { at: at(), kind })
    })
}

/// The base with one node anywhere in it replaced.
fn damaged(root: &mut Node, at: &mut usize, by: &Node) {
    if *at == 0 {
        *root = by.clone();
    }
    *at = at.wrapping_sub(1);
    match &mut root.kind {
        NodeKind::Mapping(entries) => {
            entries
                .iter_mut()
                .for_each(|entry| damaged(&mut entry.value, at, by));
        }
        NodeKind::Sequence(items) => items.iter_mut().for_each(|item| damaged(item, at, by)),
        NodeKind::Null | NodeKind::Scalar(..) => {}
    }
}

/// The places of all nodes, in the order in which `damaged` counts them.
fn places(node: &Node, found: &mut Vec<Span>) {
    found.push(node.at);
    match &node.kind {
        NodeKind::Mapping(entries) => entries.iter().for_each(|entry| places(&entry.value, found)),
        NodeKind::Sequence(items) => items.iter().for_each(|item| places(item, found)),
        NodeKind::Null | NodeKind::Scalar(..) => {}
    }
}

#[test]
fn what_validation_says_is_not_said_again() {
    let mut map = SourceMap::new();
    let id = map.add("t", EXAMPLE.to_owned());
    let root = parse(&map, id).expect("well formed");
    let mut all = Vec::new();
    places(&root, &mut all);
    // Every seventh place is enough to meet every section, and soon done.
    for (number, at) in all.into_iter().enumerate().skip(1).step_by(7) {
        for text in ["zzz", "17"] {
            let kind = NodeKind::Scalar(Text::at_once(text, at), Style::Plain);
            let mut copy = root.clone();
            damaged(&mut copy, &mut number.clone(), &Node { at, kind });
            let validated = crate::design::language::validate(&copy, &map);
            let (_, resolved) = resolve(&copy);
            for finding in validated {
                let place = finding.labels[0].at;
                let again = resolved.iter().find(|other| other.labels[0].at == place);
                assert!(again.is_none(), "{finding:#?} {again:#?}");
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn nonsense_never_panics(root in node()) {
        let _ = resolve(&root);
    }

    #[test]
    fn a_damaged_design_never_panics(mut at in 0usize..900, by in node()) {
        let mut map = SourceMap::new();
        let id = map.add("t", EXAMPLE.to_owned());
        let mut root = parse(&map, id).expect("well formed");
        damaged(&mut root, &mut at, &by);
        let _ = resolve(&root);
    }

    #[test]
    fn conditions_never_panic(text in prop_oneof![".{0,40}", "[a-c0-9 .'<>=!()\\[\\],+-]{0,40}"]) {
        let _ = super::super::condition::parse(&text);
    }
}
