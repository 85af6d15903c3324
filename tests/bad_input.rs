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
