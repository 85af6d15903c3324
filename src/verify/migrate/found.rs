//! Where a migration begins that no design says: migration files that were written by hand, or a database that is there.
//!
//! Both are read back from a server, so the new design is, too: two spellings of one expression would be a difference.

use super::apply::{Side, forget_own, of_stage, read};
use crate::catalog::Catalog;
use crate::error::Error;
use crate::migrate::files::Migrations;
use crate::postgres::{Database, Scope, Server, ServerOptions, Target};
use crate::sql::{Ddl, Ident, SqlText, TokenKind, ddl, fixed, fold, tokens};
use crate::template::Environment;
use crate::verify::stage::{Stage, Staged};

/// What a migration begins with.
pub enum Found<'a> {
    /// Migration files: run on a throw-away server.
    Files(&'a Migrations),
    /// A database, which is only read.
    Database(&'a Target),
}

/// The schema that is there, and the new design's, both as a server spells them.
pub async fn catalogs(
    options: &ServerOptions,
    found: &Found<'_>,
    new: &Side<'_>,
    environment: &Environment,
) -> Result<(Catalog, Catalog), Error> {
    let server = Server::start(options).await?;
    let both = on(&server, found, new, environment).await;
    server.stop().await?;
    let (mut from, mut to) = both?;
    // `public` is there without being made, and other extensions are nobody's concern.
    for catalog in [&mut from, &mut to] {
        catalog.schemas.retain(|name| name.as_str() != "public");
    }
    from.extensions.retain(|name| to.extensions.contains(name));
    Ok((from, to))
}

async fn on(
    server: &Server,
    found: &Found<'_>,
    new: &Side<'_>,
    environment: &Environment,
) -> Result<(Catalog, Catalog), Error> {
    let scope = Scope {
        schemas: vec![new.model.database.schema.clone()],
        roles: new.compiled.catalog.roles.keys().cloned().collect(),
    };
    let from = match found {
        Found::Database(target) => {
            let mut session = target.session().await?;
            let begun = session
                .batch(&fixed("SET default_transaction_read_only = on"))
                .await;
            begun.map_err(|failure| failure.into_error("set up a session"))?;
            let mut from = read(&mut session, &scope).await?;
            forget_own(&mut from, &new.model.database.schema);
            from
        }
        Found::Files(migrations) => {
            let database = server.create_database("migrations").await?;
            run(server, &database, migrations).await?;
            let from = read(&mut database.session().await?, &scope).await?;
            database.drop().await?;
            from
        }
    };
    match Stage::open(server, new.model, new.compiled, environment).await? {
        Staged::Ready(stage) => {
            let to = of_stage(&stage, new).await?;
            stage.close().await?;
            Ok((from, to))
        }
        Staged::Refused(finding) => Err(Error::Usage(format!(
            "the design {} cannot be built: {}",
            new.model.name.as_str(),
            finding.message
        ))),
    }
}

/// Runs the files in their order, statement by statement, as the role that owns the database: they may be anybody's. What only a superuser may, roles and
/// extensions, is made for them. What the tool would put into one transaction need not be in one here.
async fn run(server: &Server, database: &Database, migrations: &Migrations) -> Result<(), Error> {
    let mut owner = database.session().await?;
    for file in &migrations.files {
        for statement in &file.up {
            if let Ok(Ddl::CreateExtension { name }) = ddl(&statement.sql) {
                database.create_extension(&name).await?;
                continue;
            }
            if let Some((role, passes)) = made_role(&statement.sql) {
                server.ensure_role(&role, passes).await?;
                continue;
            }
            let sql = SqlText::authored(statement.sql.clone());
            owner.batch(&sql).await.map_err(|failure| {
                let first = statement.sql.trim().lines().next().unwrap_or_default();
                Error::Usage(format!(
                    "{}: the statement `{first}` fails on a server on which the files before it were run: {failure}",
                    file.path
                ))
            })?;
        }
    }
    Ok(())
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
}
