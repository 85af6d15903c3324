//! Rules of a team: what is refused when they are read, and that they run beside ours.

#[path = "support/judged.rs"]
#[expect(dead_code, reason = "shared with tests that use more of it")]
mod judged;

use std::fs;
use std::path::Path;

use judged::judge;
use pgproof::assets::Assets;
use pgproof::check::{about, environment, load};

const RULE: &str = r#"
code: owner-missing
title: table without an owner
on: table
level: error
since: 1.0.0
when: table.owner is blank
message: "table `{{ table.name }}` has no owner"
why: somebody is called at night
prevents: nobody is
"#;

const DESIGN: &str = "
pgproof: 1
design: d
tables:
  item:
    grain: one item
    columns: {item_id: uuid}
    key: [item_id]
";

fn write(workspace: &Path, path: &str, text: &str) {
    let path = workspace.join(path);
    fs::create_dir_all(path.parent().expect("a file has a folder")).expect("folders can be made");
    fs::write(path, text).expect("files can be written");
}

/// What is said when a workspace with one rule is loaded.
fn refused(path: &str, rule: &str) -> String {
    let workspace = tempfile::tempdir().expect("a folder can be made");
    write(workspace.path(), path, rule);
    let assets = Assets::new(&[workspace.path().to_owned()]).expect("it can be read");
    let environment = environment(&assets);
    match load(&assets, &environment) {
        Ok(_) => String::new(),
        Err(error) => error.to_string(),
    }
}

#[test]
fn a_rule_of_the_team_runs_beside_ours() {
    let workspace = tempfile::tempdir().expect("a folder can be made");
    write(workspace.path(), "checks/team/owner-missing.yaml", RULE);
    let assets = Assets::new(&[workspace.path().to_owned()]).expect("it can be read");
    let environment = environment(&assets);
    let pack = load(&assets, &environment).expect("the rule is right");
    assert!(about(&pack, "owner-missing").is_some() && about(&pack, "grain-missing").is_some());
    let findings = judge(&pack, DESIGN).expect("the design is right");
    let found: Vec<_> = findings
        .iter()
        .map(|f| (f.code.as_str(), f.message.as_str()))
        .collect();
    assert_eq!(found, [("owner-missing", "table `item` has no owner")]);
    assert_eq!(findings[0].subject, "table item");
    assert_eq!(findings[0].design, "d");
}

#[test]
fn a_rule_of_ours_can_be_replaced() {
    let workspace = tempfile::tempdir().expect("a folder can be made");
    let ours = "code: grain-missing\nreplaces: grain-missing\ntitle: t\non: table\nlevel: advice\nsince: 1.0.0\n\
        when: 'false'\nmessage: never\nwhy: w\nprevents: p\n";
    write(workspace.path(), "checks/team/grain-missing.yaml", ours);
    let other = RULE.replace("on: table", "on: table\nreplaces: select-star");
    write(workspace.path(), "checks/team/owner-missing.yaml", &other);
    let assets = Assets::new(&[workspace.path().to_owned()]).expect("it can be read");
    let environment = environment(&assets);
    let pack = load(&assets, &environment).expect("the rules are right");
    assert!(about(&pack, "select-star").is_none());
    let grain = about(&pack, "grain-missing").expect("the team's is there");
    assert_eq!(grain.when.as_deref(), Some("false"));
    let alone = pack
        .checks()
        .iter()
        .filter(|c| c.rule.code == "grain-missing");
    assert_eq!(alone.count(), 1);
}

#[test]
fn what_is_wrong_with_a_rule_is_said_when_it_is_read() {
    let file = "checks/team/owner-missing.yaml";
    for (from, to, expected) in [
        (
            "table.owner is blank",
            "table.ownr is blank",
            "`table.ownr` is unknown; `table` has",
        ),
        (
            "table.owner is blank",
            "tabel.owner is blank",
            "`tabel.owner` is unknown; facts begin with design, table",
        ),
        (
            "table.owner is blank",
            "column.name is blank",
            "`column.name` is unknown",
        ),
        (
            "{{ table.name }}",
            "{{ table.nam }}",
            "`table.nam` is unknown",
        ),
        ("table.owner is blank", "table.owner ==", "syntax error"),
        ("table.owner is blank", "table.owner is nice", "nice"),
        (
            "when: table.owner is blank",
            "builtin: no-such-thing",
            "there is no builtin `no-such-thing`",
        ),
        (
            "when: table.owner is blank",
            "builtin: missing-section",
            "is `on: design`",
        ),
        (
            "when: table.owner is blank",
            "",
            "one of `when` and `builtin`",
        ),
        ("on: table", "on: tables", "tables"),
        (
            "on: table",
            "on: table\nat: column",
            "`at: column` is no place of a table",
        ),
        ("level: error", "level: fatal", "fatal"),
        ("why: somebody", "wy: somebody", "wy"),
        (
            "code: owner-missing",
            "code: no-owner",
            "the file of rule `no-owner` is called no-owner.yaml",
        ),
    ] {
        let message = refused(file, &RULE.replace(from, to));
        assert!(message.contains(expected), "{to}: {message}");
        assert!(message.contains("owner-missing.yaml"), "{to}: {message}");
    }
    assert_eq!(refused(file, RULE), "");
    let twin = RULE.replace("owner-missing", "grain-missing");
    let message = refused("checks/team/grain-missing.yaml", &twin);
    assert!(
        message.contains("there is already a rule `grain-missing`"),
        "{message}"
    );
    let message = refused("checks/grain/grain-missing.yaml", &twin);
    assert!(message.contains("replaces: grain-missing"), "{message}");
}
