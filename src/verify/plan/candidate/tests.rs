//! What is proposed for which query, and what never is.

use std::path::Path;

use super::{Candidate, candidates};
use crate::catalog::{Catalog, Column, Index, Table, Unique};
use crate::compile::compile;
use crate::design::{Expectation, Model, resolve};
use crate::finding::Severity;
use crate::source::{SourceMap, parse};
use crate::sql::{
    Ident, QualifiedName, SqlText, SyntaxKind, TokenKind, check_syntax, parse_expression, tokens,
};

const WORKED: [&str; 6] = [
    "case-assignment",
    "case-owner",
    "commerce",
    "ledger",
    "notifications",
    "review-operations",
];

fn model(text: &str) -> Model {
    let mut sources = SourceMap::new();
    let id = sources.add("design.yaml", text.to_owned());
    let root = parse(&sources, id).expect("the design is YAML");
    let (model, findings) = resolve(&root);
    let errors: Vec<_> = findings
        .iter()
        .filter(|finding| finding.severity == Severity::Error)
        .map(|finding| &finding.message)
        .collect();
    assert!(errors.is_empty(), "{errors:#?}\n{text}");
    model.expect("the design is a mapping")
}

fn worked(name: &str) -> Model {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("designs")
        .join(name)
        .join("design.yaml");
    model(&std::fs::read_to_string(path).expect("the design is there"))
}

fn bare(catalog: &Catalog) -> Catalog {
    let mut bare = catalog.clone();
    for table in bare.tables.values_mut() {
        table.indexes.clear();
    }
    bare
}

/// `message` and `person`, without indexes but their primary keys.
fn chat() -> Catalog {
    let mut catalog = Catalog::default();
    catalog.schemas.insert(Ident::new("chat"));
    let mut table = |name: &str, columns: &[(&str, &str)]| {
        let columns = columns.iter().map(|(name, data_type)| Column {
            name: Ident::new(*name),
            data_type: SqlText::authored(*data_type),
            nullable: *name == "deleted_at",
            default: None,
            collation: None,
            comment: None,
        });
        let key = Unique {
            columns: vec![Ident::new("id")],
            deferred: false,
        };
        let table = Table {
            columns: columns.collect(),
            primary_key: Some((Ident::new(format!("{name}_pkey")), key)),
            ..Table::default()
        };
        let name = QualifiedName::new(Ident::new("chat"), Ident::new(name));
        catalog.tables.insert(name, table);
    };
    table(
        "message",
        &[
            ("id", "uuid"),
            ("room", "integer"),
            ("author", "uuid"),
            ("status", "text"),
            ("body", "text"),
            ("sent_at", "timestamptz"),
            ("local_at", "timestamp"),
            ("deleted_at", "timestamptz"),
            ("pinned", "boolean"),
            ("payload", "jsonb"),
            ("tags", "text[]"),
            ("words", "tsvector"),
            ("shown", "tstzrange"),
            ("userId", "uuid"),
            ("state", "chat.message_state"),
        ],
    );
    table(
        "person",
        &[
            ("id", "uuid"),
            ("room", "integer"),
            ("email", "text"),
            ("name", "text"),
        ],
    );
    catalog
}

fn with_extension(name: &str) -> Catalog {
    let mut catalog = chat();
    catalog.extensions.insert(Ident::new(name));
    catalog
}

/// `table using (columns) include (…) where …`, what is usual left out.
fn shown(candidate: &Candidate) -> String {
    let mut text = candidate.table.name.as_str().to_owned();
    if candidate.using != "btree" {
        text += &format!(" {}", candidate.using);
    }
    text += &format!(" ({})", candidate.columns.join(", "));
    if !candidate.include.is_empty() {
        let names: Vec<&str> = candidate.include.iter().map(Ident::as_str).collect();
        text += &format!(" include ({})", names.join(", "));
    }
    match &candidate.predicate {
        Some(predicate) => text + &format!(" where {predicate}"),
        None => text,
    }
}

fn proposed(sql: &str, catalog: &Catalog) -> Vec<String> {
    let found = candidates(sql, catalog);
    for candidate in &found {
        sound(candidate, catalog, sql);
    }
    found.iter().map(shown).collect()
}

/// Nothing that PostgreSQL would refuse, nothing of another table.
fn sound(candidate: &Candidate, catalog: &Catalog, sql: &str) {
    let create = candidate.create();
    let create = create.as_str();
    assert_eq!(check_syntax(create, SyntaxKind::Statement), [], "{create}");
    let table = &catalog.tables[&candidate.table];
    assert!(candidate.name.as_str().len() <= 63, "{create}");
    assert!(!table.indexes.contains_key(&candidate.name), "{create}");
    assert!(
        candidate
            .include
            .iter()
            .all(|name| table.column(name).is_some()),
        "{create}"
    );
    for word in ["now(", "current_", "random(", "clock_timestamp"] {
        assert!(!create.contains(word), "{create}\n{sql}");
    }
    for token in tokens(create) {
        let is_param = matches!(token.kind, TokenKind::Param | TokenKind::Positional);
        assert!(!is_param, "{create}\n{sql}");
    }
    if let Some(predicate) = &candidate.predicate {
        let read = parse_expression(predicate).expect("a predicate can be read");
        for column in read.columns() {
            assert!(table.column(&column).is_some(), "{create}\n{sql}");
        }
    }
}

#[track_caller]
fn has(sql: &str, catalog: &Catalog, expected: &[&str]) {
    let found = proposed(sql, catalog);
    for one in expected {
        assert!(
            found.iter().any(|known| known == one),
            "{one} is not in\n{}",
            found.join("\n")
        );
    }
}

#[track_caller]
fn are(sql: &str, catalog: &Catalog, expected: &[&str]) {
    assert_eq!(proposed(sql, catalog), expected, "{sql}");
}

#[test]
fn equalities_come_first_then_a_range_or_the_order() {
    are(
        "SELECT id, body FROM message WHERE sent_at > :since AND room = :room AND author = :author",
        &chat(),
        &[
            "message (room, author, sent_at)",
            "message (room, author, sent_at) include (id, body)",
            "message (room, author)",
        ],
    );
    are(
        "SELECT * FROM message m WHERE m.room = :room ORDER BY m.sent_at DESC NULLS LAST, m.id LIMIT 10",
        &chat(),
        &[
            "message (room, sent_at desc nulls last, id)",
            "message (room)",
        ],
    );
    has(
        "SELECT * FROM message WHERE room IN (:a, :b) AND author = ANY(:authors) AND sent_at BETWEEN :from AND :to",
        &chat(),
        &["message (room, author, sent_at)"],
    );
    // An order over two tables, or by what is not the same for ever, is no index's.
    are(
        "SELECT * FROM message m, person p WHERE m.room = :room ORDER BY m.sent_at, p.name",
        &chat(),
        &["message (room)"],
    );
    are(
        "SELECT * FROM message ORDER BY random() LIMIT 1",
        &chat(),
        &[],
    );
}

#[test]
fn what_is_written_down_makes_an_index_partial() {
    are(
        "SELECT * FROM message WHERE room = :room AND status = 'open' AND deleted_at IS NULL",
        &chat(),
        &[
            "message (room, status) where deleted_at IS NULL",
            "message (room) where status = 'open' AND deleted_at IS NULL",
            "message (room, status, deleted_at)",
            "message (room, status)",
        ],
    );
    are(
        "SELECT * FROM message WHERE NOT pinned AND status <> 'sent' ORDER BY sent_at LIMIT 5",
        &chat(),
        &[
            "message (sent_at) where NOT pinned AND status <> 'sent'",
            "message (pinned, sent_at)",
            "message (sent_at)",
        ],
    );
    has(
        "SELECT * FROM message WHERE room = :room AND (pinned OR status = 'open') AND (pinned OR author = :me)",
        &chat(),
        &["message (room) where (pinned OR status = 'open')"],
    );
    // What is compared is not null: the planner knows.
    are(
        "SELECT * FROM message WHERE deleted_at < :at",
        &chat(),
        &[
            "message (deleted_at) where deleted_at IS NOT NULL",
            "message (deleted_at)",
            "message brin (deleted_at)",
        ],
    );
    // Half of a table is found no better by an index.
    are("SELECT * FROM message WHERE pinned", &chat(), &[]);
}

#[test]
fn few_columns_are_included() {
    has(
        "SELECT author, body FROM message WHERE room = :room",
        &chat(),
        &["message (room) include (author, body)"],
    );
    // What the predicate says need not be there; large values must not; rows that are locked are fetched anyway.
    has(
        "SELECT author FROM message WHERE room = :room AND deleted_at IS NULL",
        &chat(),
        &["message (room) include (author) where deleted_at IS NULL"],
    );
    for sql in [
        "SELECT author, payload FROM message WHERE room = :room",
        "SELECT author FROM message WHERE room = :room FOR UPDATE",
        "SELECT * FROM message WHERE room = :room",
        "SELECT m FROM message m WHERE room = :room",
        "UPDATE message SET body = :body WHERE room = :room",
    ] {
        are(sql, &chat(), &["message (room)"]);
    }
}

#[test]
fn joins_ask_for_the_inner_side() {
    has(
        "SELECT m.payload, p.name FROM person p JOIN message m ON m.author = p.id AND m.room = p.room \
         WHERE p.email = :email AND m.status = :status",
        &chat(),
        &[
            "person (email)",
            "message (status, author, room)",
            "message (status, author)",
            "message (status, room)",
        ],
    );
    has(
        "SELECT p.name FROM person p LEFT JOIN message m USING (room) WHERE p.id = :id",
        &chat(),
        &["message (room)"],
    );
    // The side that an outer join keeps is never read by the other.
    let found = proposed(
        "SELECT p.name, m.payload FROM person p LEFT JOIN message m ON m.author = p.id AND p.room = 3",
        &chat(),
    );
    assert!(
        found.iter().all(|one| one.starts_with("message (author)")),
        "{found:?}"
    );
    has(
        "WITH mine AS (SELECT id FROM person WHERE email = :e) \
         SELECT 1 FROM message m JOIN mine ON mine.id = m.author WHERE EXISTS (SELECT FROM person q WHERE q.room = m.room)",
        &chat(),
        &["person (email)", "message (author)", "person (room)"],
    );
}

#[test]
fn expressions_are_indexed_where_they_last() {
    are(
        "SELECT p.name FROM person p WHERE lower(p.email) = :email",
        &chat(),
        &["person (lower(email))"],
    );
    are(
        "SELECT * FROM message WHERE payload ->> 'kind' = :kind AND \"userId\" = :user",
        &chat(),
        &["message ((payload ->> 'kind'), \"userId\")"],
    );
    are(
        "SELECT * FROM message WHERE date_trunc('day', local_at) = :day",
        &chat(),
        &["message (date_trunc('day', local_at))"],
    );
    for condition in [
        "date_trunc('day', sent_at) = :day",
        "sent_at::date = :day",
        "sent_at::text = :text",
        "body::timestamptz > :at",
        "state::text = 'open'",
        "date_trunc(:unit, local_at) = :at",
        "to_char(sent_at, 'YYYY') = '2026'",
        "sent_at > now() - interval '1 day' OR pinned",
        "coalesce(sent_at, now()) > :at",
        "deleted_at IS NULL OR deleted_at > :at",
    ] {
        are(
            &format!("SELECT * FROM message WHERE {condition}"),
            &chat(),
            &[],
        );
    }
}

#[test]
fn methods_follow_tests_and_types() {
    for (condition, expected) in [
        ("payload @> :part", "message gin (payload jsonb_path_ops)"),
        ("payload ? :key", "message gin (payload)"),
        (
            "payload ?| :keys AND payload @> :part",
            "message gin (payload)",
        ),
        ("tags && :tags", "message gin (tags)"),
        ("tags @> ARRAY[:tag]", "message gin (tags)"),
        ("words @@ to_tsquery('english', :q)", "message gin (words)"),
        (
            "to_tsvector('english', body) @@ plainto_tsquery('english', :q)",
            "message gin (to_tsvector('english', body))",
        ),
        ("shown && :span", "message gist (shown)"),
        ("shown @> :at::timestamptz", "message gist (shown)"),
        ("body LIKE 'abc%'", "message (body text_pattern_ops)"),
        ("body LIKE :pattern", "message (body text_pattern_ops)"),
    ] {
        let sql = format!("SELECT * FROM message WHERE {condition}");
        assert_eq!(
            proposed(&sql, &chat()).first().map(String::as_str),
            Some(expected)
        );
    }
    for condition in [
        "body LIKE '%abc'",
        "body ILIKE :pattern",
        "body % :word",
        "body ~ :pattern",
    ] {
        let sql = format!("SELECT * FROM message WHERE {condition}");
        are(&sql, &chat(), &[]);
        are(
            &sql,
            &with_extension("pg_trgm"),
            &["message gin (body gin_trgm_ops)"],
        );
    }
    has(
        "SELECT * FROM message WHERE room = :room AND shown && :span",
        &with_extension("btree_gist"),
        &[
            "message gist (room, shown)",
            "message gist (shown)",
            "message (room)",
        ],
    );
    let brin = |sql: &str| proposed(sql, &chat()).contains(&"message brin (sent_at)".to_owned());
    assert!(brin(
        "SELECT * FROM message WHERE sent_at >= :from AND sent_at < :to"
    ));
    assert!(!brin(
        "SELECT * FROM message WHERE sent_at >= :from AND room = :room"
    ));
}

#[test]
fn what_is_there_is_not_proposed() {
    let sql = "SELECT * FROM message WHERE room = :room AND author = :author AND status IN ('a', 'b') ORDER BY sent_at DESC LIMIT 9";
    let wanted = "message (room, author, sent_at desc) where status IN ('a', 'b')";
    has(sql, &chat(), &[wanted]);
    let key = |column: &str, descending: bool| crate::catalog::IndexKey {
        expression: SqlText::authored(column),
        column: Some(Ident::new(column)),
        collation: None,
        opclass: None,
        descending,
        nulls_first: descending,
    };
    let keys = |descending| {
        vec![
            key("author", false),
            key("room", true),
            key("sent_at", descending),
        ]
    };
    for (keys, predicate, same) in [
        (keys(true), "status in ('a', 'b')", true),
        (
            keys(false),
            "(status = ANY (ARRAY['a'::text, 'b'::text]))",
            true,
        ),
        (keys(true), "status in ('a', 'c')", false),
        (keys(true), "status in ('a', 'b') and pinned", false),
        (keys(true)[..2].to_vec(), "status in ('a', 'b')", false),
    ] {
        let mut catalog = chat();
        let name = QualifiedName::new(Ident::new("chat"), Ident::new("message"));
        let index = Index {
            method: Ident::new("btree"),
            unique: false,
            keys,
            include: Vec::new(),
            predicate: Some(SqlText::authored(predicate)),
            with: Default::default(),
        };
        let table = catalog.tables.get_mut(&name).expect("the table is there");
        table.indexes.insert(Ident::new("known"), index);
        let found = proposed(sql, &catalog);
        assert_eq!(
            !found.contains(&wanted.to_owned()),
            same,
            "{predicate}: {found:#?}"
        );
    }
    are("SELECT * FROM person WHERE id = :id", &chat(), &[]);
}

#[test]
fn what_cannot_be_read_gets_nothing() {
    for sql in [
        "",
        "not sql",
        "SELECT (((",
        "SELECT * FROM nowhere WHERE x = 1",
        "TRUNCATE message",
        "\u{0}é'",
    ] {
        assert_eq!(candidates(sql, &chat()), [], "{sql}");
    }
    let sql = "SELECT * FROM message WHERE room = 1";
    assert_eq!(candidates(sql, &Catalog::default()), []);
    let deep = format!(
        "SELECT * FROM message WHERE {}room = 1{}",
        "(".repeat(3000),
        ")".repeat(3000)
    );
    assert_eq!(candidates(&deep, &chat()), []);
    let long = format!(
        "SELECT * FROM message WHERE room = 1{}",
        " AND author = :a".repeat(1500)
    );
    assert!(!candidates(&long, &chat()).is_empty());
}

#[test]
fn the_worked_designs_get_the_indexes_that_they_have() {
    let mut checked = 0;
    for name in WORKED {
        let model = worked(name);
        let catalog = compile(&model).catalog;
        let bare = bare(&catalog);
        for query in &model.queries {
            let sql = query.sql.as_str();
            let all = proposed(sql, &bare);
            assert!(all.len() <= 12);
            assert_eq!(all, proposed(sql, &bare));
            proposed(sql, &catalog);
            for (expectation, _) in &query.plan {
                let Expectation::Uses(index) = expectation else {
                    continue;
                };
                let owner = catalog
                    .tables
                    .iter()
                    .find(|(_, table)| table.indexes.contains_key(&index.ident));
                let Some((owner, table)) = owner else {
                    continue;
                };
                let mut with = bare.clone();
                let one = table.indexes[&index.ident].clone();
                let keys = one.keys.len();
                if let Some(table) = with.tables.get_mut(owner) {
                    table.indexes.insert(index.ident.clone(), one);
                }
                let left = proposed(sql, &with);
                let gone = candidates(sql, &bare).into_iter().find(|candidate| {
                    candidate.columns.len() <= keys && !left.contains(&shown(candidate))
                });
                assert!(
                    gone.is_some(),
                    "{name}, {}: {}\n{}",
                    query.name.as_str(),
                    index.as_str(),
                    all.join("\n")
                );
                checked += 1;
            }
        }
    }
    assert!(checked > 10, "{checked}");
}

const LENDING: &str = "pgproof: 1
design: lending
database: {version: 16, schema: lending, extensions: [pg_trgm]}
problem: items are lent twice
tables:
  loan:
    grain: one lending of one item
    role: history
    columns:
      loan_id: uuid
      item_id: {type: uuid, means: what is lent}
      title: text
      payload: jsonb
      lent_at: timestamptz
      returned_at: {type: timestamptz, nullable: not returned yet}
    key: [loan_id]
INDEXES
queries:
  wanted:
    does: finds loans
    sql: |
      QUERY
";

#[test]
fn what_is_pasted_into_a_design_is_the_index() {
    let mut checked = 0;
    for sql in [
        "SELECT loan_id FROM loan WHERE item_id = :item AND returned_at IS NULL ORDER BY lent_at DESC LIMIT 3",
        "SELECT loan_id FROM loan WHERE lower(title) = :title AND title <> 'a, \"b\": #c'",
        "SELECT loan_id FROM loan WHERE payload ->> 'a:b' = :x AND payload @> :y",
        "SELECT loan_id FROM loan WHERE title ILIKE :title",
        "SELECT loan_id FROM loan WHERE title LIKE 'a%' AND lent_at > :since",
        "SELECT loan_id FROM loan WHERE lent_at > :since",
    ] {
        let text = |indexes: &str| {
            LENDING
                .replace("INDEXES\n", indexes)
                .replace("QUERY", "SELECT 1")
        };
        let catalog = compile(&model(&text(""))).catalog;
        for candidate in candidates(sql, &catalog) {
            sound(&candidate, &catalog, sql);
            let lines: Vec<String> = candidate
                .yaml()
                .iter()
                .map(|line| format!("      {line}\n"))
                .collect();
            let indexes = format!("    indexes:\n{}        serves: [wanted]\n", lines.concat());
            let with = compile(&model(&text(&indexes))).catalog;
            let table = &with.tables[&candidate.table];
            assert!(table.indexes.contains_key(&candidate.name), "{indexes}");
            let left: Vec<String> = candidates(sql, &with).iter().map(shown).collect();
            assert!(!left.contains(&shown(&candidate)), "{indexes}\n{left:#?}");
            checked += 1;
        }
    }
    assert!(checked > 12, "{checked}");
}

#[test]
fn names_are_free_and_short() {
    let sql = "SELECT * FROM message WHERE room = :room";
    let mut catalog = chat();
    let first = candidates(sql, &catalog).remove(0);
    assert_eq!(first.name.as_str(), "ix_message_room");
    assert_eq!(
        first.create().as_str(),
        "CREATE INDEX ix_message_room ON chat.message USING btree (room)"
    );
    assert_eq!(first.yaml(), ["ix_message_room:", "  columns: [room]"]);
    let table = catalog.tables.values().next().cloned().unwrap_or_default();
    catalog
        .tables
        .insert(QualifiedName::new(Ident::new("chat"), first.name), table);
    let second = candidates(sql, &catalog).remove(0);
    assert_eq!(second.name.as_str(), "ix_message_room_2");
}
