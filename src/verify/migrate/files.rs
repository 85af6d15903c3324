//! Migration files that were written by hand, run on a throw-away server to see what they make.

use std::collections::BTreeSet;

use crate::error::Error;
use crate::migrate::files::{MigrationFile, Migrations, Source, Statement};
use crate::postgres::{Database, Server, Session, SqlFailure, SqlState};
use crate::sql::{Ddl, Ident, SqlText, Token, TokenKind, ddl, fill, fixed, fold, literal, tokens};

/// Runs the files in their order, statement by statement, as the role that owns the database: they may be anybody's. What only a superuser may, roles and
/// extensions, is made for them. What the tool would put into one transaction need not be in one here. Handed back is what was passed over.
pub(super) async fn run(
    server: &Server,
    database: &Database,
    migrations: &Migrations,
    sources: &[Source],
) -> Result<Vec<String>, Error> {
    let mut owner = database.session().await?;
    let path = owner.query(&fixed("SHOW search_path")).await;
    let path = path.map_err(|failure| failure.into_error("set up a session"))?;
    let path = literal(path.scalar().unwrap_or_default());
    // Each file has a session of its own, as psql and most tools give it one.
    let fresh = fill(
        "SELECT set_config('search_path', {path}, false), set_config('role', 'none', false)",
        &[("path", &path)],
    );
    let mut passed = Passed::default();
    for file in &migrations.files {
        for statement in &file.up {
            let made = make(server, database, &mut owner, statement, &mut passed).await?;
            made.map_err(|failure| told(file, statement, sources, &failure))?;
        }
        let done = owner.query(&fresh).await;
        done.map_err(|failure| failure.into_error("begin the next file"))?;
    }
    Ok(passed.notes())
}

/// Statements that were not run, counted.
#[derive(Default)]
struct Passed {
    owners: usize,
    rows: usize,
    rights: Vec<String>,
    /// Roles that were made.
    roles: BTreeSet<Ident>,
}

impl Passed {
    fn notes(self) -> Vec<String> {
        let mut notes = Vec::new();
        if self.owners > 0 {
            notes.push(format!(
                "{} statements about owners are passed over: whose objects are no design says",
                self.owners
            ));
        }
        if self.rows > 0 {
            notes.push(format!(
                "rows of {} are passed over: they make no schema",
                match self.rows {
                    1 => "a COPY".to_owned(),
                    many => format!("{many} COPYs"),
                }
            ));
        }
        for statement in self.rights {
            notes.push(format!(
                "`{statement}` is passed over: it needs rights over the server"
            ));
        }
        notes
    }
}

async fn make(
    server: &Server,
    database: &Database,
    owner: &mut Session,
    statement: &Statement,
    passed: &mut Passed,
) -> Result<Result<(), SqlFailure>, Error> {
    let sql = SqlText::authored(statement.sql.clone());
    let form = ddl(&statement.sql).ok();
    if let Some(Ddl::CreateExtension { .. }) = form {
        return database.extend(&sql).await;
    }
    if let Some((role, passes)) = made_role(&statement.sql) {
        passed.roles.insert(role.clone());
        return server.ensure_role(&role, passes).await.map(Ok);
    }
    let words = words(&statement.sql);
    if matches!(form, Some(Ddl::CopyFrom { .. })) && has(&words, &["from", "stdin"]) {
        passed.rows += 1;
        return Ok(Ok(()));
    }
    // There is nobody else here, and the transaction that it would need is not opened.
    if matches!(form, Some(Ddl::LockTable { .. })) {
        return Ok(Ok(()));
    }
    let is_owner = words.first().is_some_and(|word| word == "alter")
        && has(&words[..words.len().saturating_sub(1)], &["owner", "to"]);
    if is_owner || has(&words, &["on", "extension"]) && words[0] == "comment" {
        passed.owners += 1;
        return Ok(Ok(()));
    }
    // A dump names roles that it does not make.
    for role in named_roles(form.as_ref(), &statement.sql) {
        if passed.roles.insert(role.clone()) {
            server.ensure_role(&role, false).await?;
        }
    }
    let Err(failure) = owner.batch(&sql).await else {
        return Ok(Ok(()));
    };
    let is_apart = matches!(form, Some(Ddl::Apart));
    if is_apart && failure.sqlstate == SqlState::INSUFFICIENT_PRIVILEGE {
        passed.rights.push(first_line(&statement.sql).to_owned());
        return Ok(Ok(()));
    }
    Ok(Err(failure))
}

/// Roles to which a statement gives something, or from which it takes it.
fn named_roles(form: Option<&Ddl>, sql: &str) -> Vec<Ident> {
    let is_grant = match form {
        Some(Ddl::Grant { .. } | Ddl::CreatePolicy { .. } | Ddl::AlterPolicy { .. }) => true,
        Some(Ddl::CreateSchema { .. }) => true,
        _ => has(&words(sql), &["default", "privileges"]),
    };
    if !is_grant {
        return Vec::new();
    }
    let all: Vec<Token> = tokens(sql)
        .into_iter()
        .filter(|token| token.kind != TokenKind::Comment)
        .collect();
    let is_name = |at: usize| {
        all.get(at)
            .is_some_and(|token| matches!(token.kind, TokenKind::Word | TokenKind::QuotedIdent))
    };
    let mut found = Vec::new();
    for at in 0..all.len() {
        let leads = ["to", "from", "role", "user", "authorization"];
        if !leads.iter().any(|word| all[at].is(sql, word)) {
            continue;
        }
        let mut next = at + 1;
        while is_name(next) {
            found.push(fold(all[next].text(sql)));
            if !all
                .get(next + 1)
                .is_some_and(|token| token.is_symbol(sql, ","))
            {
                break;
            }
            next += 2;
        }
    }
    let known = [
        "public",
        "current_user",
        "current_role",
        "session_user",
        "role",
        "group",
    ];
    found.retain(|name| !known.contains(&name.as_str()) && !name.starts_with("pg_"));
    found.into_iter().map(Ident::new).collect()
}

fn told(
    file: &MigrationFile,
    statement: &Statement,
    sources: &[Source],
    failure: &SqlFailure,
) -> Error {
    let source = sources.iter().find(|source| source.path == file.path);
    let line = source.and_then(|source| {
        let start = statement.at.start + before(&statement.sql);
        let text = source.text.get(..start)?;
        Some(text.matches('\n').count() + 1)
    });
    let place = line.map_or(file.path.clone(), |line| format!("{}:{line}", file.path));
    Error::Usage(format!(
        "{place}: the statement `{}` fails on a server on which all before it were run: {failure}",
        first_line(&statement.sql)
    ))
}

/// Bytes of the comments before a statement.
fn before(sql: &str) -> usize {
    let all = tokens(sql);
    let first = all.iter().find(|token| token.kind != TokenKind::Comment);
    first.map_or(0, |token| token.range.start)
}

fn first_line(sql: &str) -> &str {
    sql[before(sql)..].lines().next().unwrap_or_default().trim()
}

fn words(sql: &str) -> Vec<String> {
    let all = tokens(sql).into_iter();
    let is_word = |token: &Token| matches!(token.kind, TokenKind::Word | TokenKind::QuotedIdent);
    all.filter(is_word)
        .map(|token| fold(token.text(sql)))
        .collect()
}

/// Whether words stand one behind the other.
fn has(words: &[String], wanted: &[&str]) -> bool {
    words.windows(wanted.len()).any(|own| own == wanted)
}

/// The role of `CREATE ROLE` or `CREATE USER`, and whether it passes policies by.
fn made_role(sql: &str) -> Option<(Ident, bool)> {
    let all = tokens(sql);
    let mut words = all.iter().filter(|token| token.kind != TokenKind::Comment);
    let create = words.next()?;
    let kind = words.next()?;
    let name = words.next()?;
    let is_role = kind.is(sql, "role") || kind.is(sql, "user");
    // CREATE USER MAPPING is about another server.
    if !create.is(sql, "create") || !is_role || name.is(sql, "mapping") {
        return None;
    }
    let passes = words.any(|word| word.is(sql, "bypassrls"));
    Some((Ident::new(fold(name.text(sql))), passes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_are_read_with_what_they_may() {
        let role =
            |sql: &str| made_role(sql).map(|(name, passes)| (name.as_str().to_owned(), passes));
        assert_eq!(
            role("CREATE ROLE clerk NOLOGIN"),
            Some(("clerk".to_owned(), false))
        );
        assert_eq!(
            role("-- a\ncreate user \"An\" WITH BYPASSRLS"),
            Some(("An".to_owned(), true))
        );
        assert_eq!(role("CREATE USER MAPPING FOR x SERVER y"), None);
        assert_eq!(role("CREATE TABLE role (a int)"), None);
    }

    #[test]
    fn a_statement_is_shown_without_the_comments_before_it() {
        let sql = "-- why\n/* more */ ALTER TABLE a\n  ADD b int";
        assert_eq!(first_line(sql), "ALTER TABLE a");
        let roles = |sql: &str| named_roles(ddl(sql).ok().as_ref(), sql);
        assert_eq!(
            roles("GRANT SELECT ON a TO clerk, \"An\" WITH GRANT OPTION"),
            ["clerk".into(), "An".into()]
        );
        assert_eq!(
            roles("CREATE POLICY p ON a TO clerk USING (b > 0)"),
            ["clerk".into()]
        );
        assert_eq!(roles("SELECT a FROM b"), []);
        assert!(has(&words("COPY a FROM stdin"), &["from", "stdin"]));
        assert!(!has(&words("COPY a TO stdout"), &["from", "stdin"]));
    }
}
