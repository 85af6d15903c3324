//! The program as its users run it.

use assert_cmd::assert::Assert;

/// The program, with nothing of this machine's settings.
pub fn pgproof(args: &[&str]) -> assert_cmd::Command {
    let mut command = assert_cmd::Command::cargo_bin("pgproof").expect("the program is built");
    command
        .args(args)
        .env_remove("PGPROOF_POSTGRES")
        .env_remove("COLUMNS")
        .env("NO_COLOR", "1");
    command
}

/// What it said on standard output.
pub fn stdout(assert: &Assert) -> String {
    String::from_utf8(assert.get_output().stdout.clone()).expect("output is UTF-8")
}

/// What it said on standard error.
pub fn stderr(assert: &Assert) -> String {
    String::from_utf8(assert.get_output().stderr.clone()).expect("output is UTF-8")
}
