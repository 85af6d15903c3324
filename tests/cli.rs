//! The program as its users run it: exit codes, streams, help.

#[path = "support/golden.rs"]
mod golden;
#[path = "support/program.rs"]
mod program;

use std::process::{Command, Stdio};

use program::{pgproof, stderr, stdout};

#[test]
fn help_lists_every_command_and_none_that_is_not_there() {
    let help = stdout(&pgproof(&["--help"]).assert().code(0));
    for command in [
        "new",
        "check",
        "compile",
        "rule",
        "schema",
        "doctor",
        "completions",
    ] {
        assert!(
            help.contains(&format!("\n  {command} ")),
            "{command} in {help}"
        );
    }
    for absent in ["migrate", "import", "drift", "replay", " ci ", " ops "] {
        assert!(
            !help.contains(&format!("\n  {}", absent.trim_start())),
            "{absent} in {help}"
        );
    }
    assert!(help.contains("Exit codes"));
}

#[test]
fn version_is_one_line() {
    let version = stdout(&pgproof(&["--version"]).assert().code(0));
    assert_eq!(version, format!("pgproof {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn an_unknown_option_is_wrong_use() {
    let assert = pgproof(&["schema", "--nonsense"]).assert().code(2);
    assert!(stderr(&assert).contains("--nonsense"));
    assert_eq!(stdout(&assert), "");
}

#[test]
fn an_unknown_command_names_the_nearest() {
    let assert = pgproof(&["shema"]).assert().code(2);
    assert!(stderr(&assert).contains("schema"), "{}", stderr(&assert));
}

#[test]
fn no_command_is_wrong_use_and_shows_help() {
    let assert = pgproof(&[]).assert().code(2);
    assert!(stderr(&assert).contains("Usage: pgproof"));
}

#[test]
fn completions_know_the_commands() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = stdout(&pgproof(&["completions", shell]).assert().code(0));
        assert!(script.contains("schema"), "{shell}");
    }
}

#[test]
fn schemas_are_json() {
    for (args, title) in [
        (vec!["schema"], "pgproof design"),
        (vec!["schema", "--report"], "pgproof report"),
    ] {
        let text = stdout(&pgproof(&args).assert().code(0));
        let schema: serde_json::Value = serde_json::from_str(&text).expect("the schema is JSON");
        assert_eq!(schema["title"], title);
    }
}

/// What `check` makes of a text on standard input.
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
fn a_report_goes_into_a_file() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let assert = pgproof(&[
        "check",
        "-",
        "--format",
        "markdown",
        "--output",
        "report.md",
    ])
    .current_dir(folder.path())
    .write_stdin("pgproof: 1\n")
    .assert()
    .code(1);
    assert_eq!(stdout(&assert), "");
    let report = std::fs::read_to_string(folder.path().join("report.md")).expect("the report");
    assert!(report.starts_with("## ✖ pgproof"), "{report}");
}

#[test]
fn compile_writes_sql_and_nothing_else_twice_the_same() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    pgproof(&["new", "a"])
        .current_dir(folder.path())
        .assert()
        .code(0);
    let compile = || {
        pgproof(&["compile", "designs/a"])
            .current_dir(folder.path())
            .assert()
            .code(0)
    };
    let sql = stdout(&compile());
    assert!(sql.contains("CREATE TABLE a.item"), "{sql}");
    assert_eq!(sql, stdout(&compile()));
}

#[test]
fn compile_of_a_broken_design_writes_no_sql() {
    let assert = pgproof(&["compile", "-"])
        .write_stdin("pgproof: 1\ntabls: {}\n")
        .assert()
        .code(1);
    assert_eq!(stdout(&assert), "");
    assert!(stderr(&assert).contains("tabls"), "{}", stderr(&assert));
}

#[test]
fn a_reader_that_goes_away_is_no_fault() {
    let mut child = Command::new(assert_cmd::cargo::cargo_bin!("pgproof"))
        .args(["completions", "zsh"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    // Closed before anything is written: every write is into a broken pipe.
    drop(child.stdout.take());
    let ended = child.wait_with_output().expect("the program ends");
    assert_eq!(ended.status.code(), Some(0));
    assert_eq!(String::from_utf8_lossy(&ended.stderr), "");
}

#[test]
fn the_page_about_the_command_line_is_current() {
    golden::check("docs/cli.md", &pgproof::cli::reference());
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
fn doctor_says_what_is_missing_and_ends_with_3() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    // Nothing in reach: no programs, no engine.
    let assert = pgproof(&["doctor"])
        .env("PATH", folder.path())
        .env("PGPROOF_PG_BIN", folder.path())
        .env("DOCKER_HOST", "unix:///nonexistent.sock")
        .assert();
    let told = stdout(&assert);
    assert!(told.contains("container engine"), "{told}");
    // Programs may still be found in the places where distributions put them.
    let fit = told
        .lines()
        .last()
        .is_some_and(|line| line.starts_with('✔'));
    assert.code(if fit { 0 } else { 3 });
}

#[test]
fn every_finding_of_a_rule_can_be_explained() {
    let page = stdout(&pgproof(&["rule", "grain-missing"]).assert().code(0));
    assert!(
        page.contains("Prevents") && page.contains("No finding"),
        "{page}"
    );
    let kind = stdout(&pgproof(&["rule", "at_most_one"]).assert().code(0));
    assert!(kind.contains("since"), "{kind}");
    let list = stdout(&pgproof(&["rule", "--all"]).assert().code(0));
    for code in ["select-star", "at_most_one", "syntax"] {
        assert!(list.contains(&format!("  {code} ")), "{code} in {list}");
    }
    pgproof(&["rule", "nonsense"]).assert().code(2);
    pgproof(&["rule"]).assert().code(2);
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
