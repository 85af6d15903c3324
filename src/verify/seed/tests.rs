//! The maker against small catalogs.

use std::collections::BTreeMap;

use super::{Maker, NewRow};
use crate::catalog::{Catalog, Check, Column, ColumnDefault, ForeignKey, OnDelete, Table, Unique};
use crate::design::{Database, Document, Enforcement, Invariant, Limit, Model, Name, Rule};
use crate::source::{SourceMap, Span, Text};
use crate::sql::{Ident, QualifiedName, SqlText};

fn span() -> Span {
    let mut map = SourceMap::default();
    Span::new(map.add("design.yaml", String::new()), 0, 0)
}

fn name(text: &str) -> Name {
    Name {
        ident: text.into(),
        at: span(),
    }
}

fn text(text: &str) -> Text {
    Text::at_once(text, span())
}

fn model(rules: Vec<Rule>) -> Model {
    let invariants = rules
        .into_iter()
        .map(|rule| Invariant {
            name: name("rule"),
            never: None,
            because: None,
            rule,
            rule_at: span(),
            enforced: Enforcement::Trigger,
            enforced_at: None,
            derived_name: None,
            raced_by: Vec::new(),
            raced_only: false,
            monitor: None,
            repair: None,
        })
        .collect();
    Model {
        name: name("small"),
        title: String::new(),
        document: Document::default(),
        database: Database {
            version: 15,
            schema: "app".into(),
            at: span(),
            extensions: Vec::new(),
            settings: BTreeMap::new(),
        },
        types: Vec::new(),
        tables: Vec::new(),
        views: Vec::new(),
        invariants,
        commands: Vec::new(),
        events: Vec::new(),
        states: Vec::new(),
        queries: Vec::new(),
        roles: Vec::new(),
        projections: Vec::new(),
        waivers: Vec::new(),
        sections: Vec::new(),
    }
}

/// `id uuid`, `n int?`, `at timestamptz = now()`: name, type, `?` for nullable, `=` for a default.
fn table(columns: &[&str], key: &[&str], checks: &[&str]) -> Table {
    let column = |text: &&str| {
        let (text, default) = text
            .split_once(" = ")
            .map_or((*text, None), |(text, default)| (text, Some(default)));
        let (name, data_type) = text.split_once(' ').expect("a name and a type");
        Column {
            name: name.into(),
            data_type: SqlText::authored(data_type.trim_end_matches('?')),
            nullable: data_type.ends_with('?'),
            default: default.map(|text| ColumnDefault::Expression(SqlText::authored(text))),
            collation: None,
            comment: None,
        }
    };
    let idents = |names: &[&str]| names.iter().map(|name| Ident::from(*name)).collect();
    Table {
        columns: columns.iter().map(column).collect(),
        primary_key: Some((
            "pk".into(),
            Unique {
                columns: idents(key),
                deferred: false,
            },
        )),
        checks: checks
            .iter()
            .enumerate()
            .map(|(n, check)| {
                (
                    Ident::new(format!("ck{n}")),
                    Check {
                        expression: SqlText::authored(*check),
                    },
                )
            })
            .collect(),
        ..Table::default()
    }
}

fn refers(table: &mut Table, columns: &[&str], to: &str, key: &[&str]) {
    let idents = |names: &[&str]| names.iter().map(|name| Ident::from(*name)).collect();
    let number = table.foreign_keys.len();
    table.foreign_keys.insert(
        Ident::new(format!("fk{number}")),
        ForeignKey {
            columns: idents(columns),
            table: QualifiedName::new("app".into(), to.into()),
            key: idents(key),
            on_delete: OnDelete::Restrict,
            on_update: OnDelete::NoAction,
            deferred: false,
        },
    );
}

fn maker(tables: Vec<(&str, Table)>, rules: Vec<Rule>) -> Maker {
    let tables = tables
        .into_iter()
        .map(|(name, table)| (QualifiedName::new("app".into(), name.into()), table));
    let catalog = Catalog {
        tables: tables.collect(),
        ..Catalog::default()
    };
    Maker::new(&model(rules), &catalog)
}

fn show(rows: &[NewRow]) -> Vec<String> {
    rows.iter()
        .map(|row| {
            let values = row.values.iter().map(|(name, value)| {
                format!("{}={}", name.as_str(), value.as_deref().unwrap_or("null"))
            });
            format!(
                "{}({})",
                row.table.as_str(),
                values.collect::<Vec<_>>().join(", ")
            )
        })
        .collect()
}

const ONE: &str = "00000000-0000-0000-0000-000000000001";

#[test]
fn parents_come_first_and_share_the_tenant() {
    let tenant = table(&["tenant_id uuid"], &["tenant_id"], &[]);
    let mut case = table(
        &["tenant_id uuid", "case_id int"],
        &["tenant_id", "case_id"],
        &[],
    );
    refers(&mut case, &["tenant_id"], "tenant", &["tenant_id"]);
    let mut work = table(
        &[
            "id int",
            "tenant_id uuid",
            "case_id int",
            "ended_at timestamptz?",
        ],
        &["id"],
        &[],
    );
    refers(
        &mut work,
        &["tenant_id", "case_id"],
        "case",
        &["tenant_id", "case_id"],
    );
    let maker = maker(
        vec![("tenant", tenant), ("case", case), ("work", work)],
        vec![],
    );
    let rows = maker.row(&"work".into(), &[("tenant_id".into(), Some("1".into()))], 4);
    let wanted = [
        format!("tenant(tenant_id={ONE})"),
        format!("case(tenant_id={ONE}, case_id=5)"),
        format!("work(id=5, tenant_id={ONE}, case_id=5, ended_at=null)"),
    ];
    assert_eq!(show(&rows), wanted);
    let mut both = rows.clone();
    maker.add(
        &mut both,
        &"work".into(),
        &[
            ("tenant_id".into(), Some("1".into())),
            ("case_id".into(), Some("5".into())),
        ],
        9,
    );
    assert_eq!(
        both.len(),
        4,
        "the parents are there already: {:?}",
        show(&both)
    );
}

#[test]
fn a_parent_that_only_a_rule_names_comes_first_as_well() {
    let folder = table(&["id int"], &["id"], &[]);
    let document = table(&["id int", "folder_id int"], &["id"], &[]);
    let rule = Rule::References {
        table: name("document"),
        columns: vec![name("folder_id")],
        to: name("folder"),
        key: vec![name("id")],
        predicate: None,
    };
    let maker = maker(vec![("document", document), ("folder", folder)], vec![rule]);
    let rows = maker.row(
        &"document".into(),
        &[("folder_id".into(), Some("9".into()))],
        0,
    );
    assert_eq!(show(&rows), ["folder(id=9)", "document(id=1, folder_id=9)"]);
}

#[test]
fn two_references_to_one_table_take_two_parents() {
    let account = table(&["id int"], &["id"], &[]);
    let mut transfer = table(
        &["id int", "source int", "target int", "cents bigint"],
        &["id"],
        &["source <> target", "cents >= 100"],
    );
    refers(&mut transfer, &["source"], "account", &["id"]);
    refers(&mut transfer, &["target"], "account", &["id"]);
    let maker = maker(vec![("account", account), ("transfer", transfer)], vec![]);
    let rows = maker.row(&"transfer".into(), &[], 0);
    assert_eq!(rows.len(), 3);
    assert_eq!(
        show(&rows)[2],
        "transfer(id=1, source=1, target=1001, cents=100)"
    );
}

#[test]
fn references_to_itself_end() {
    let mut tree = table(&["id int", "root int", "parent int?"], &["id"], &[]);
    refers(&mut tree, &["root"], "tree", &["id"]);
    refers(&mut tree, &["parent"], "tree", &["id"]);
    let maker = maker(vec![("tree", tree)], vec![]);
    assert_eq!(
        show(&maker.row(&"tree".into(), &[], 0)),
        ["tree(id=1, root=1, parent=null)"]
    );
}

#[test]
fn defaults_are_left_out_except_in_keys() {
    let event = table(
        &[
            "id uuid = gen_random_uuid()",
            "at timestamptz = now()",
            "version int = 0",
        ],
        &["id"],
        &[],
    );
    let maker = maker(vec![("event", event)], vec![]);
    assert_eq!(
        show(&maker.row(&"event".into(), &[], 0)),
        [format!("event(id={ONE})")]
    );
}

#[test]
fn states_are_reached_along_the_lifecycle() {
    let case = table(
        &["id int", "state text", "closed_at timestamptz?"],
        &["id"],
        &["(state = 'closed') = (closed_at is not null)"],
    );
    let rule = Rule::Transitions {
        table: name("case"),
        column: name("state"),
        initial: vec![text("draft")],
        allow: vec![
            (text("draft"), vec![text("open")]),
            (text("open"), vec![text("closed")]),
        ],
        terminal: Vec::new(),
        predicate: None,
    };
    let maker = maker(vec![("case", case)], vec![rule]);
    let rows = maker.row(
        &"case".into(),
        &[("state".into(), Some("closed".into()))],
        0,
    );
    assert_eq!(show(&rows), ["case(id=1, state=draft, closed_at=null)"]);
    let sql = maker.statements(&rows);
    assert_eq!(
        sql[1].as_str(),
        "UPDATE app.\"case\" SET state = 'open' WHERE id = '1'"
    );
    assert!(sql[2].as_str().contains("closed_at = '2026-"), "{}", sql[2]);
}

#[test]
fn sums_are_balanced_by_a_second_row() {
    let mut entry = table(
        &["id int", "posting int", "side text", "cents int"],
        &["id"],
        &["cents > 0", "side in ('debit', 'credit')"],
    );
    refers(&mut entry, &["posting"], "posting", &["id"]);
    let posting = table(&["id int"], &["id"], &[]);
    let rule = Rule::Balanced {
        table: name("entry"),
        per: vec![name("posting")],
        sum: text("case when side = 'debit' then cents else -cents end"),
        equals: Limit::Number(text("0")),
        predicate: None,
    };
    let maker = maker(vec![("entry", entry), ("posting", posting)], vec![rule]);
    let rows = maker.row(&"entry".into(), &[("cents".into(), Some("70".into()))], 0);
    assert_eq!(rows.len(), 3, "{:?}", show(&rows));
    assert!(show(&rows)[2].ends_with("cents=70)"), "{:?}", show(&rows));
    assert_ne!(rows[1].value(&"side".into()), rows[2].value(&"side".into()));
}

#[test]
fn samples_are_consistent_and_follow_the_data() {
    let mut case = table(
        &["tenant_id uuid", "case_id int", "state text"],
        &["tenant_id", "case_id"],
        &["state in ('open', 'closed')"],
    );
    refers(&mut case, &["tenant_id"], "tenant", &["tenant_id"]);
    let mut work = table(
        &[
            "id int",
            "tenant_id uuid",
            "case_id int",
            "begun date",
            "ended date?",
        ],
        &["id"],
        &["ended is null or ended > begun"],
    );
    refers(
        &mut work,
        &["tenant_id", "case_id"],
        "case",
        &["tenant_id", "case_id"],
    );
    let tenant = table(&["tenant_id uuid"], &["tenant_id"], &[]);
    let maker = maker(
        vec![("tenant", tenant), ("case", case), ("work", work)],
        vec![],
    );
    let counts = [
        ("tenant".into(), 5),
        ("case".into(), 200),
        ("work".into(), 2000),
    ];
    let bulks = maker.sample(&counts, 1);
    let sizes: Vec<usize> = bulks.iter().map(|bulk| bulk.rows.len()).collect();
    assert_eq!(sizes, [5, 200, 2000]);
    let cases: std::collections::BTreeSet<_> =
        bulks[1].rows.iter().map(|row| (&row[0], &row[1])).collect();
    assert!(
        bulks[2]
            .rows
            .iter()
            .all(|row| cases.contains(&(&row[1], &row[2])))
    );
    assert!(
        bulks[2]
            .rows
            .iter()
            .all(|row| row[4].is_none() || row[4] > row[3])
    );
    assert!(
        bulks[1]
            .rows
            .iter()
            .all(|row| ["open", "closed"].contains(&row[2].as_deref().unwrap_or("")))
    );
    assert_eq!(bulks[2].rows, maker.sample(&counts, 1)[2].rows);
}

/// A query that follows such a reference would go round for ever.
#[test]
fn references_to_the_table_itself_lead_to_rows_before() {
    let mut topic = table(
        &["id int", "tenant_id uuid", "up int?"],
        &["tenant_id", "id"],
        &[],
    );
    refers(
        &mut topic,
        &["tenant_id", "up"],
        "topic",
        &["tenant_id", "id"],
    );
    refers(&mut topic, &["tenant_id"], "tenant", &["tenant_id"]);
    let tenant = table(&["tenant_id uuid"], &["tenant_id"], &[]);
    let maker = maker(vec![("tenant", tenant), ("topic", topic)], vec![]);
    let bulks = maker.sample(&[("tenant".into(), 3), ("topic".into(), 300)], 1);
    let bulk = bulks.iter().find(|bulk| bulk.table == "topic".into());
    let rows = &bulk.expect("topics").rows;
    let (mut under, mut seen) = (0, std::collections::BTreeSet::new());
    for row in rows {
        let [id, tenant, up] = row.as_slice() else {
            unreachable!("three columns");
        };
        under += usize::from(up.is_some());
        assert!(up.is_none() || seen.contains(&(tenant, up)), "{row:?}");
        seen.insert((tenant, id));
    }
    assert!(under > 200, "{under}");
}

#[test]
fn a_chain_of_references_longer_than_is_followed_is_cut() {
    let mut yaml = String::from(
        "pgproof: 1\ndesign: chain\ndatabase: {engine: postgres, version: 15, schema: chain}\ntables:\n",
    );
    for n in 0..20 {
        yaml.push_str(&format!(
            "  t{n}:\n    grain: one\n    columns: {{id: bigint, up: bigint}}\n    key: [id]\n"
        ));
        if n > 0 {
            yaml.push_str(&format!(
                "    references: {{fk_t{n}: {{columns: [up], to: t{}, key: [id]}}}}\n",
                n - 1
            ));
        }
    }
    let rows = of_design(&yaml).row(&"t19".into(), &[], 1);
    let last = rows.last().expect("the row that was asked for");
    assert_eq!(last.table, "t19".into());
    assert!(rows.len() > 5 && rows.len() < 20, "{}", rows.len());
}

/// Rows that need one another can never come; what is tried for them has an end.
#[test]
fn rows_that_need_one_another_come_to_an_end() {
    let yaml = "pgproof: 1\ndesign: ring\ndatabase: {version: 15, schema: ring}\ntables:\n  \
        a:\n    grain: one\n    columns: {t: int, id: int, b: int, p: {type: int, nullable: maybe}}\n    key: [id, b]\n    \
        unique: {uq: [t, id]}\n    references: {fk_b: {columns: [t, b], to: b, key: [t, id]}}\n  \
        b:\n    grain: one\n    columns: {t: int, id: int, x: int, y: int}\n    key: [t, id]\n    \
        references: {fk_x: {columns: [t, x], to: a, key: [t, id]}, fk_y: {columns: [t, y], to: a, key: [t, id]}}\n\
        invariants:\n  one: {never: none, exactly_one: {in: a, per: [id], where: p is not null}}\n";
    let rows = of_design(yaml).row(&"a".into(), &[], 1);
    assert!(rows.len() < 10_000, "{}", rows.len());
}

fn of_design(yaml: &str) -> Maker {
    let mut map = SourceMap::new();
    let id = map.add("design.yaml", yaml.to_owned());
    let node = crate::source::parse(&map, id).expect("YAML");
    let model = crate::design::resolve(&node).0.expect("a design");
    Maker::new(&model, &crate::compile::compile(&model).catalog)
}

/// Of two references the one to the tenants says how many there are, and how often each is met.
#[test]
fn a_skewed_tenant_is_one_of_all_tenants() {
    let yaml = "pgproof: 1\ndesign: desk\ndatabase: {engine: postgres, version: 15, schema: desk}\ntables:\n  \
        tenant:\n    grain: one\n    columns: {tenant_id: int}\n    key: [tenant_id]\n  \
        agent:\n    grain: one\n    columns: {tenant_id: {type: int, data: {skew: 0.9}}, agent_id: int}\n    key: [tenant_id, agent_id]\n    \
        references: {fk_tenant: {columns: [tenant_id], to: tenant}}\n  \
        ticket:\n    grain: one\n    columns: {tenant_id: {type: int, data: {skew: 0.9}}, agent_id: int, ticket_id: int}\n    key: [ticket_id]\n    \
        references: {fk_agent: {columns: [tenant_id, agent_id], to: agent}, fk_tenant: {columns: [tenant_id], to: tenant}}\n  \
        note:\n    grain: one\n    columns: {tenant_id: {type: int, data: {skew: 0.9}}, agent_id: int, note_id: int}\n    key: [note_id]\n    \
        references: {fk_agent: {columns: [tenant_id, agent_id], to: agent}}\n";
    let maker = of_design(yaml);
    let rows = |table: &Ident| match table.as_str() {
        "tenant" => 1_000.0,
        _ => 500_000.0,
    };
    for table in ["ticket", "note"] {
        let profile = maker.profile(&table.into(), &"tenant_id".into(), &rows);
        let expected = super::Profile::Drawn {
            size: 1_000.0,
            exponent: 0.9,
        };
        assert_eq!(profile, Some(expected), "{table}");
        let ranked = maker.ranked(&table.into(), &"tenant_id".into(), 3);
        assert_eq!(ranked.unwrap_or_default(), ["1", "2", "3"], "{table}");
    }
}
