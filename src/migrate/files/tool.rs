//! Tools that run migrations, and how their files are told apart.

use super::forms::Source;

/// Whose migrations they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Tool {
    /// SQL files without marks of any tool, run by psql or the like in the order of their names.
    Plain,
    /// `V1__x.sql`, `U1__x.sql`, `R__x.sql`.
    Flyway,
    /// `--liquibase formatted sql`.
    Liquibase,
    /// `1_x.up.sql` and `1_x.down.sql` with `-- no-transaction`, or `1_x.sql`.
    Sqlx,
    /// `-- migrate:up`.
    Dbmate,
    /// `1_x.up.sql` and `1_x.down.sql`.
    GolangMigrate,
    /// `deploy/`, `revert/`, `verify/`.
    Sqitch,
    /// `-- +goose Up`.
    Goose,
    /// `-- +migrate Up`.
    SqlMigrate,
    /// `2024-01-01-120000_x/up.sql` and `down.sql`.
    Diesel,
    /// `20240101120000_x/migration.sql`.
    Prisma,
}

impl Tool {
    /// All.
    pub const ALL: [Tool; 11] = [
        Tool::Plain,
        Tool::Flyway,
        Tool::Liquibase,
        Tool::Sqlx,
        Tool::Dbmate,
        Tool::GolangMigrate,
        Tool::Sqitch,
        Tool::Goose,
        Tool::SqlMigrate,
        Tool::Diesel,
        Tool::Prisma,
    ];

    /// As its makers call it.
    pub fn name(self) -> &'static str {
        match self {
            Tool::Plain => "plain SQL",
            Tool::Flyway => "Flyway",
            Tool::Liquibase => "Liquibase",
            Tool::Sqlx => "sqlx",
            Tool::Dbmate => "dbmate",
            Tool::GolangMigrate => "golang-migrate",
            Tool::Sqitch => "Sqitch",
            Tool::Goose => "goose",
            Tool::SqlMigrate => "sql-migrate",
            Tool::Diesel => "Diesel",
            Tool::Prisma => "Prisma",
        }
    }

    /// Whether it tells migrations apart by the number at the beginning of their names.
    pub(super) fn numbers(self) -> bool {
        !matches!(
            self,
            Tool::Plain | Tool::Liquibase | Tool::Sqitch | Tool::Diesel | Tool::Prisma
        )
    }

    /// How this tool is told to run a migration outside of a transaction.
    pub fn outside(self) -> &'static str {
        match self {
            Tool::Plain => "run it in a file of its own, without BEGIN",
            Tool::Flyway => {
                "put it into a file of its own; Flyway then runs it outside of a transaction"
            }
            Tool::Liquibase => "put it into a changeset of its own with runInTransaction:false",
            Tool::Sqlx => {
                "put it into a migration of its own whose first line is -- no-transaction"
            }
            Tool::Dbmate => {
                "put it into a migration of its own with -- migrate:up transaction:false"
            }
            Tool::GolangMigrate => {
                "put it into a file of its own: several statements are one transaction"
            }
            Tool::Sqitch => "put it into a change of its own, without BEGIN and COMMIT",
            Tool::Goose => "put it into a migration of its own with -- +goose NO TRANSACTION",
            Tool::SqlMigrate => {
                "put it into a migration of its own with -- +migrate Up notransaction"
            }
            Tool::Diesel => {
                "put it into a migration of its own whose metadata.toml says run_in_transaction = false"
            }
            Tool::Prisma => {
                "put it into a migration of its own: several statements are one transaction"
            }
        }
    }
}

/// Whose files these are, by what is in them and how they are called.
pub(super) fn recognise(sources: &[Source]) -> Tool {
    let any = |is: fn(&Source) -> bool| sources.iter().any(is);
    if any(|source| says(source, "liquibase formatted sql")) {
        return Tool::Liquibase;
    }
    if any(|source| says(source, "migrate:up")) {
        return Tool::Dbmate;
    }
    if any(|source| says(source, "+goose up")) {
        return Tool::Goose;
    }
    if any(|source| says(source, "+migrate up")) {
        return Tool::SqlMigrate;
    }
    let in_folder = |source: &Source, name: &str| {
        source.path.starts_with(&format!("{name}/")) || source.path.contains(&format!("/{name}/"))
    };
    if any(|source| file_name(&source.path) == "sqitch.plan")
        || (sources.iter().any(|s| in_folder(s, "deploy"))
            && sources.iter().any(|s| in_folder(s, "revert")))
        || any(|source| {
            source
                .text
                .lines()
                .take(3)
                .any(|line| line.starts_with("-- Deploy ") && line.contains(" to pg"))
        })
    {
        return Tool::Sqitch;
    }
    if any(|source| flyway(file_name(&source.path)).is_some_and(|(kind, _)| kind == 'V')) {
        return Tool::Flyway;
    }
    if any(|source| no_transaction(&source.text)) {
        return Tool::Sqlx;
    }
    if any(|source| {
        let name = file_name(&source.path);
        name.ends_with(".up.sql") && name.starts_with(|c: char| c.is_ascii_digit())
    }) {
        return Tool::GolangMigrate;
    }
    if any(|source| in_own_folder(source, "migration.sql")) {
        return Tool::Prisma;
    }
    if any(|source| in_own_folder(source, "up.sql")) {
        return Tool::Diesel;
    }
    Tool::Plain
}

/// Whether a file of this name is in a folder whose name begins with a number.
fn in_own_folder(source: &Source, name: &str) -> bool {
    let path = source.path.strip_suffix(name);
    let folder = path.and_then(|path| path.strip_suffix('/'));
    folder.is_some_and(|folder| file_name(folder).starts_with(|c: char| c.is_ascii_digit()))
}

/// Whether a comment of a text begins with these words.
fn says(source: &Source, words: &str) -> bool {
    source.text.lines().any(|line| {
        let line = line.trim_start_matches('\u{feff}').trim_start();
        line.strip_prefix("--")
            .is_some_and(|rest| starts_with(rest.trim_start(), words))
    })
}

/// The start of a text, whatever its case.
pub(super) fn starts_with(text: &str, words: &str) -> bool {
    text.get(..words.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(words))
}

/// sqlx reads this in the first line only.
pub(super) fn no_transaction(text: &str) -> bool {
    let first = text.trim_start_matches('\u{feff}').lines().next();
    first.is_some_and(|line| line.starts_with("-- no-transaction"))
}

/// The last part of a path.
pub(super) fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// Kind and version of a file of Flyway's: `V1_2__x.sql` is `('V', "1.2")`.
pub(super) fn flyway(name: &str) -> Option<(char, String)> {
    let stem = name.strip_suffix(".sql")?;
    let kind = stem.chars().next()?;
    let (version, _) = stem[kind.len_utf8()..].split_once("__")?;
    let is_version = !version.is_empty()
        && version
            .chars()
            .all(|c| c.is_ascii_digit() || matches!(c, '.' | '_'));
    match kind {
        'V' | 'U' | 'B' if is_version => Some((kind, version.replace('_', "."))),
        'R' if version.is_empty() => Some((kind, String::new())),
        _ => None,
    }
}
