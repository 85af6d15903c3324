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
        "verify",
        "replay",
        "merge",
        "migrate",
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
    for absent in ["import", "drift", " ci ", " ops "] {
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
fn without_a_postgresql_a_run_ends_with_3_and_says_what_to_do() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    pgproof(&["new", "a", "--compact"])
        .current_dir(folder.path())
        .assert()
        .code(0);
    let verify = |args: &[&str]| {
        pgproof(&["verify"])
            .args(args)
            .current_dir(folder.path())
            .env("DOCKER_HOST", "unix:///nonexistent.sock")
            .assert()
    };
    let docker = verify(&["--postgres", "docker"]).code(3);
    assert!(stderr(&docker).contains("help: "), "{}", stderr(&docker));
    let url = "postgres://nobody:secret@127.0.0.1:1/nothing";
    let refused = verify(&["--postgres", url, "--allow-server"]).code(3);
    assert!(!stderr(&refused).contains("secret"), "{}", stderr(&refused));
    let forbidden = verify(&["--postgres", url]).code(2);
    assert!(
        stderr(&forbidden).contains("--allow-server"),
        "{}",
        stderr(&forbidden)
    );
    verify(&["--postgres", "nonsense"]).code(2);
    verify(&["--only", "nonsense"]).code(2);
    verify(&["--budget", "0"]).code(2);
}
