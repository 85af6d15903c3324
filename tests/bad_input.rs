//! What no design should be: a clear message with a place and a next step, the right exit code, no panic.

#[path = "support/program.rs"]
mod program;

use assert_cmd::assert::Assert;
use program::{pgproof, stderr, stdout};

fn check(text: impl Into<Vec<u8>>) -> Assert {
    pgproof(&["check", "-"]).write_stdin(text.into()).assert()
}

#[test]
fn what_cannot_be_read_as_a_design_ends_with_2_and_says_where() {
    let deep = "[".repeat(1_000);
    let many = "- x\n".repeat(10);
    let bomb = (0..20).fold("a: &a0 [x, x]\n".to_owned(), |text, n| {
        format!("{text}b{n}: &a{} [*a{n}, *a{n}, *a{n}, *a{n}]\n", n + 1)
    });
    let texts: [(&str, Vec<u8>); 9] = [
        ("empty", Vec::new()),
        ("only comments", b"# nothing\n".to_vec()),
        ("not a mapping", many.into_bytes()),
        ("binary", (0..=255).collect()),
        ("NUL", b"pgproof: 1\ndesign: a\0b\n".to_vec()),
        ("1,000 levels", deep.into_bytes()),
        ("alias bomb", bomb.into_bytes()),
        ("two documents", b"pgproof: 1\n---\npgproof: 1\n".to_vec()),
        ("unknown version", b"pgproof: 99\ndesign: a\n".to_vec()),
    ];
    for (what, text) in texts {
        let assert = check(text);
        let told = stdout(&assert);
        assert_eq!(assert.get_output().status.code(), Some(2), "{what}: {told}");
        assert!(
            told.contains("<stdin>:") && told.contains("help: "),
            "{what}: {told}"
        );
        assert_eq!(stderr(&assert), "", "{what}");
    }
}

#[test]
fn a_hundred_megabytes_are_refused_at_once() {
    let assert = check(vec![b'a'; 100 * 1024 * 1024]).code(2);
    assert!(stdout(&assert).contains("10 MB"), "{}", stdout(&assert));
}

#[test]
fn carriage_returns_and_a_byte_order_mark_are_no_fault() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    pgproof(&["new", "a", "--compact"])
        .current_dir(folder.path())
        .assert()
        .code(0);
    let path = folder.path().join("designs/a/design.yaml");
    let text = std::fs::read_to_string(path).expect("the design is there");
    let foreign = format!("\u{feff}{}", text.replace('\n', "\r\n"));
    check(foreign).code(0);
}

#[test]
fn three_faults_are_told_in_one_run() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    pgproof(&["new", "a"])
        .current_dir(folder.path())
        .assert()
        .code(0);
    let path = folder.path().join("designs/a/design.yaml");
    let text = std::fs::read_to_string(&path).expect("the design is there");
    let broken = text
        .replace("type: text, one_of", "tipe: text, one_of")
        .replace("serves: [open-items]", "serves: [opn-items]")
        .replace("FROM item\n", "FROM FROM item\n");
    std::fs::write(&path, broken).expect("the design can be written");
    let assert = pgproof(&["check", "designs/a"])
        .current_dir(folder.path())
        .assert();
    let told = stdout(&assert);
    for part in ["tipe", "opn-items", "open-items", "FROM FROM"] {
        assert!(told.contains(part), "{part} in {told}");
    }
    assert.code(1);
}

#[test]
fn a_path_that_is_not_there_is_an_error_of_use() {
    let assert = pgproof(&["check", "no/such/file.yaml"]).assert().code(2);
    assert!(stderr(&assert).contains("no/such/file.yaml"));
    assert_eq!(stdout(&assert), "");
}

#[test]
fn a_folder_without_designs_says_how_to_begin_one() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let assert = pgproof(&["check"])
        .current_dir(folder.path())
        .assert()
        .code(2);
    assert!(
        stderr(&assert).contains("pgproof new"),
        "{}",
        stderr(&assert)
    );
}

#[test]
fn settings_with_a_fault_are_told_with_their_place() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    pgproof(&["new", "a", "--compact"])
        .current_dir(folder.path())
        .assert()
        .code(0);
    std::fs::write(folder.path().join("pgproof.yaml"), "warnings_as: loud\n")
        .expect("settings can be written");
    let assert = pgproof(&["check"])
        .current_dir(folder.path())
        .assert()
        .code(2);
    assert!(
        stdout(&assert).contains("pgproof.yaml:1:14"),
        "{}",
        stdout(&assert)
    );
}

/// A design with one table of this name, and these further sections.
fn with_table(name: &str, sections: &str) -> String {
    format!(
        "pgproof: 1\ndesign: x\ntables:\n  {name}:\n    grain: one thing\n    role: truth\n    columns: {{id: uuid, \"the \\\"n\\\"\": text}}\n    key: [id]\n{sections}"
    )
}

#[test]
fn names_that_need_quotes_are_quoted() {
    for (name, quoted) in [("\"select\"", "x.\"select\""), ("'a\"b'", "x.\"a\"\"b\"")] {
        let text = with_table(name, "");
        check(text.clone()).code(0);
        let assert = pgproof(&["compile", "-"])
            .write_stdin(text)
            .assert()
            .code(0);
        assert!(
            stdout(&assert).contains(&format!("CREATE TABLE {quoted} (")),
            "{}",
            stdout(&assert)
        );
        assert!(
            stdout(&assert).contains("\"the \"\"n\"\"\""),
            "{}",
            stdout(&assert)
        );
    }
}

#[test]
fn a_name_of_64_bytes_is_too_long_and_one_of_63_is_not() {
    check(with_table(&"x".repeat(63), "")).code(0);
    let assert = check(with_table(&"x".repeat(64), "")).code(1);
    assert!(stdout(&assert).contains("64 bytes"), "{}", stdout(&assert));
}

#[test]
fn names_that_differ_only_in_case_are_told() {
    let other = "  ITEM: {grain: one other thing, role: truth, columns: {id: uuid}, key: [id]}\n";
    let assert = check(with_table("item", other)).code(1);
    assert!(stdout(&assert).contains("case"), "{}", stdout(&assert));
}

#[test]
fn faults_in_sql_are_shown_inside_the_sql() {
    let query = |params: &str, sql: &str| {
        let query = format!(
            "queries:\n  q:\n    does: reads\n    kind: batch\n    params: {{{params}}}\n    sql: |\n      {sql}\n"
        );
        with_table("item", &query)
    };
    for (params, sql, place, told) in [
        ("", "SELECT id FROM item WHERE AND", ":15:33", "syntax"),
        ("", "SELECT 1; DROP TABLE item", ":15:17", "one statement"),
        (
            "",
            "SELECT id FROM item WHERE id = :a",
            ":15:38",
            "not declared",
        ),
        ("a: uuid", "SELECT id FROM item", ":13:", "never used"),
    ] {
        let assert = check(query(params, sql)).code(1);
        let found = stdout(&assert);
        assert!(
            found.contains(place) && found.contains(told),
            "{place} {told} in {found}"
        );
    }
    let fine = "SELECT ':a', id::text /* :b */ FROM item WHERE id = :id -- :c";
    check(query("id: uuid", fine)).code(0);
}

#[test]
fn a_thousand_tables_are_no_trouble() {
    let table = |n: usize| {
        format!("  t{n}: {{grain: one thing, role: truth, columns: {{id: uuid}}, key: [id]}}\n")
    };
    let tables: String = (0..1_000).map(table).collect();
    let design = format!("pgproof: 1\ndesign: x\ntables:\n{tables}");
    check(design.clone()).code(0);
    let sql = stdout(
        &pgproof(&["compile", "-"])
            .write_stdin(design)
            .assert()
            .code(0),
    );
    assert_eq!(sql.matches("CREATE TABLE").count(), 1_000);
}

#[test]
fn a_rule_that_looks_across_tenants_is_told() {
    let design = |enforced: &str| {
        format!(
            "pgproof: 1
design: prices
tables:
  currency:
    grain: one currency
    columns: {{code: text}}
    key: [code]
  price:
    grain: one price of a customer
    columns: {{tenant_id: uuid, price_id: uuid, code: text}}
    key: [tenant_id, price_id]
    indexes:
      ix_price_code: {{columns: [code], because: the reference}}
invariants:
  currency-exists:
    never: a price is in a currency that is not there
    because: nobody could pay it
    references: {{in: price, columns: [code], to: currency}}
    enforced: {enforced}
  tenants-are-apart:
    never: a customer sees the prices of another
    because: contracts
    isolated: {{tables: [price], by: tenant_id, setting: app.tenant_id, role: app}}
    enforced: policy
security:
  roles:
    app: {{login: false, grants: {{price: [select, insert, delete]}}}}
"
        )
    };
    let assert = check(design("trigger")).code(1);
    let told = stdout(&assert);
    assert!(told.contains("rule-across-tenants"), "{told}");
    assert!(told.contains("a trigger on `currency`"), "{told}");
    let assert = check(design("constraint"));
    let told = stdout(&assert);
    assert!(!told.contains("rule-across-tenants"), "{told}");
}
