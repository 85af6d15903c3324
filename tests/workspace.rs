//! Workspaces as their teams use them: beginning designs, settings, rules of one's own.

#[path = "support/program.rs"]
mod program;

use program::{pgproof, stderr, stdout};

#[test]
fn what_new_writes_is_accepted_with_its_questions_open() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    pgproof(&["new", "full"])
        .current_dir(folder.path())
        .assert()
        .code(0);
    pgproof(&["new", "short", "--compact"])
        .current_dir(folder.path())
        .assert()
        .code(0);
    let assert = pgproof(&["check", "--format", "json"])
        .current_dir(folder.path())
        .assert();
    let report: serde_json::Value =
        serde_json::from_str(&stdout(&assert)).expect("the report is JSON");
    assert_eq!(report["designs"], serde_json::json!(["full", "short"]));
    assert_eq!(report["summary"]["findings"]["error"], 0, "{report:#}");
    assert_eq!(report["summary"]["findings"]["warning"], 0, "{report:#}");
    let codes = report["findings"].as_array().expect("a list of findings");
    assert!(
        !codes.is_empty() && codes.iter().all(|f| f["code"] == "question-open"),
        "{report:#}"
    );
    assert.code(0);
}

#[test]
fn new_begins_a_design_once() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let new = |args: &[&str]| pgproof(args).current_dir(folder.path()).assert();
    let told = stdout(&new(&["new", "order-intake"]).code(0));
    assert!(
        told.contains("wrote designs/order-intake/design.yaml"),
        "{told}"
    );
    let path = folder.path().join("designs/order-intake/design.yaml");
    let text = std::fs::read_to_string(&path).expect("the design is there");
    assert!(text.contains("design: order-intake") && text.contains("schema: order_intake"));

    let again = new(&["new", "order-intake", "--compact"]).code(2);
    assert!(
        stderr(&again).contains("already there"),
        "{}",
        stderr(&again)
    );
    assert_eq!(std::fs::read_to_string(&path).expect("still there"), text);
}

#[test]
fn new_refuses_names_that_are_none_and_examples_that_are_not_there() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for name in ["Orders", "1st", "a/b", "..", "", "a b"] {
        pgproof(&["new", name])
            .current_dir(folder.path())
            .assert()
            .code(2);
    }
    let assert = pgproof(&["new", "a", "--from", "nonsense"])
        .current_dir(folder.path())
        .assert()
        .code(2);
    assert!(stderr(&assert).contains("ledger"), "{}", stderr(&assert));
    assert!(!folder.path().join("designs").exists());
}

#[test]
fn a_team_sets_levels_of_rules() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    pgproof(&["new", "a"])
        .current_dir(folder.path())
        .assert()
        .code(0);
    let settle = |text: &str| {
        std::fs::write(folder.path().join("pgproof.yaml"), text).expect("settings can be written");
        pgproof(&["check"]).current_dir(folder.path()).assert()
    };
    settle("levels: {question-open: error}\n").code(1);
    let off = settle("levels: {question-open: off}\n").code(0);
    assert!(stdout(&off).contains("no findings"), "{}", stdout(&off));
    let unknown = settle("levels: {dangling-table: off}\n").code(2);
    assert!(
        stdout(&unknown).contains("no rule `dangling-table`"),
        "{}",
        stdout(&unknown)
    );
}

#[test]
fn a_team_brings_rules_of_its_own() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let write = |path: &str, text: &str| {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder can be made");
        std::fs::write(path, text).expect("a file can be written");
    };
    let rule = |code: &str, when: &str| {
        format!(
            "code: {code}\ntitle: table of ours\non: table\nlevel: warning\nsince: 0.1.0\nwhen: {when}\nat: table\nmessage: \"`{{{{ table.name }}}}` is told by {code}\"\nwhy: it is ours\nprevents: nothing\nexamples: []\n"
        )
    };
    pgproof(&["new", "a"])
        .current_dir(folder.path())
        .assert()
        .code(0);
    write("checks/own/here.yaml", &rule("here", "true"));
    write("team/rules/own/elsewhere.yaml", &rule("elsewhere", "true"));
    write("pgproof.yaml", "checks: [team/rules]\n");
    let check = || pgproof(&["check"]).current_dir(folder.path()).assert();
    let told = stdout(&check().code(1));
    assert!(
        told.contains("`item` is told by here") && told.contains("told by elsewhere"),
        "{told}"
    );

    write("checks/own/here.yaml", &rule("here", "table.nonsense"));
    let wrong = check().code(2);
    assert!(stderr(&wrong).contains("nonsense"), "{}", stderr(&wrong));
}

#[test]
fn two_designs_of_one_name_are_told() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for name in ["a", "b"] {
        pgproof(&["new", name, "--compact"])
            .current_dir(folder.path())
            .assert()
            .code(0);
    }
    let path = folder.path().join("designs/b/design.yaml");
    let text = std::fs::read_to_string(&path).expect("the design is there");
    std::fs::write(&path, text.replace("design: b", "design: a")).expect("it can be written");
    let assert = pgproof(&["check"])
        .current_dir(folder.path())
        .assert()
        .code(1);
    assert!(
        stdout(&assert).contains("two designs are called `a`"),
        "{}",
        stdout(&assert)
    );
}
