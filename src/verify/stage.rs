//! A design's schema in a real database: applied as an unprivileged owner, copied as often as needed.

use crate::catalog::ObjectPath;
use crate::compile::{self, Compiled};
use crate::design::Model;
use crate::error::Error;
use crate::finding::Finding;
use crate::postgres::{Database, Server, Session, SqlFailure};
use crate::source::Span;
use crate::sql::{self, Ident, SqlText, fill, fixed, quote_ident};
use crate::template::Environment;

/// A design, compiled and applied.
pub struct Stage<'a> {
    /// Where.
    pub server: &'a Server,
    /// The design.
    pub model: &'a Model,
    /// What was compiled from it.
    pub compiled: &'a Compiled,
    /// The schema without rows. Nobody has a session here, so that it can be copied.
    pub template: Database,
    /// How many statements were applied.
    pub statements: usize,
    /// Writes rows without being held up by row-level security: a role of pgproof's own with all rights on the tables, and no others.
    player: Ident,
}

/// Whether the schema could be applied.
pub enum Staged<'a> {
    /// It could.
    Ready(Box<Stage<'a>>),
    /// The server refused; what it said, at the place in the design.
    Refused(Finding),
}

impl<'a> Stage<'a> {
    /// Applies the schema in a database of its own. Extensions and roles are made by pgproof, everything else by the owner.
    pub async fn open(
        server: &'a Server,
        model: &'a Model,
        compiled: &'a Compiled,
        environment: &Environment,
    ) -> Result<Staged<'a>, Error> {
        let script = compile::ddl(&compiled.catalog, environment)?;
        let template = server.create_database(model.name.as_str()).await?;
        for (role, made) in &compiled.catalog.roles {
            server.ensure_role(role, made.bypass_rls).await?;
        }
        let player = player(server, compiled).await?;
        let mut admin = template.steward().await?;
        let mut owner = template.session().await?;
        for statement in &script.statements {
            let applied = match &statement.object {
                // Roles belong to the server; `ensure_role` has made them.
                ObjectPath::Role(_) if !is_grant(&statement.sql) => Ok(()),
                ObjectPath::Extension(_) => template.extend(&statement.sql).await?,
                _ => owner.batch(&statement.sql).await,
            };
            if let Err(failure) = applied {
                drop((admin, owner));
                template.drop().await?;
                let finding = refused(model, compiled, &statement.object, &failure);
                return Ok(Staged::Refused(finding));
            }
        }
        let stage = Stage {
            server,
            model,
            compiled,
            template,
            statements: script.statements.len(),
            player,
        };
        let prepared = stage.prepare_player(&mut admin, &mut owner).await;
        prepared.map_err(|failure| failure.into_error("prepare a role of pgproof's own"))?;
        Ok(Staged::Ready(Box::new(stage)))
    }

    async fn prepare_player(
        &self,
        admin: &mut Session,
        owner: &mut Session,
    ) -> Result<(), SqlFailure> {
        admin
            .batch(&sql::grant_role(&self.player, self.server.owner()))
            .await?;
        let parts = [
            ("schema", &quote_ident(&self.model.database.schema)),
            ("player", &quote_ident(&self.player)),
        ];
        for grant in [
            "GRANT USAGE ON SCHEMA {schema} TO {player}",
            "GRANT ALL ON ALL TABLES IN SCHEMA {schema} TO {player}",
            "GRANT ALL ON ALL SEQUENCES IN SCHEMA {schema} TO {player}",
        ] {
            owner.batch(&fill(grant, &parts)).await?;
        }
        Ok(())
    }

    /// A copy of the schema, to write to.
    pub async fn copy(&self) -> Result<Database, Error> {
        self.server.clone_database(&self.template).await
    }

    /// A session of the owner, in which the names of the design need no schema. `pass_policies` lets it read and write all rows.
    pub async fn session(&self, database: &Database) -> Result<Session, Error> {
        let mut session = database.session().await?;
        self.set_path(&mut session).await?;
        Ok(session)
    }

    /// A session in a role of the design, in which the names of the design need no schema.
    pub async fn session_as(&self, database: &Database, role: &Ident) -> Result<Session, Error> {
        let mut session = database.session_as(role).await?;
        self.set_path(&mut session).await?;
        Ok(session)
    }

    async fn set_path(&self, session: &mut Session) -> Result<(), Error> {
        let set = session.batch(&self.search_path()).await;
        set.map_err(|failure| failure.into_error("set up a session"))
    }

    /// `SET search_path` to the design's schema.
    pub fn search_path(&self) -> SqlText {
        let schema = quote_ident(&self.model.database.schema);
        fill("SET search_path = {schema}, public", &[("schema", &schema)])
    }

    /// The role of pgproof's own that has all rights on the tables.
    pub(super) fn player(&self) -> &Ident {
        &self.player
    }

    /// Lets the transaction of a session read and write rows past row-level security.
    pub(super) async fn pass_policies(&self, session: &mut Session) -> Result<(), SqlFailure> {
        let player = quote_ident(&self.player);
        let role = fill("SET LOCAL ROLE {player}", &[("player", &player)]);
        session.batch(&role).await
    }

    /// A role with all the owner's rights that passes policies by where there are any: whoever moves rows during a migration. It is no superuser,
    /// because what it runs a design may have written.
    pub(super) async fn mover(&self, secured: bool) -> Result<Ident, Error> {
        let kind = if secured {
            "mover_past_policies"
        } else {
            "mover"
        };
        let mover = role_of_ours(self.server, kind, secured).await?;
        let mut admin = self.template.steward().await?;
        let granted = admin
            .batch(&sql::grant_role(self.server.owner(), &mover))
            .await;
        granted.map_err(|failure| failure.into_error("prepare a role of pgproof's own"))?;
        Ok(mover)
    }

    /// Where the design asks for an object; its table, or the design's name, where that cannot be told.
    pub fn place(&self, object: &ObjectPath) -> Span {
        place(self.model, self.compiled, object)
    }

    /// Drops the database.
    pub async fn close(self) -> Result<(), Error> {
        self.template.drop().await
    }
}

/// One for designs with row-level security, one for the others: passing it by is a right that not every server gives.
async fn player(server: &Server, compiled: &Compiled) -> Result<Ident, Error> {
    let secured = compiled
        .catalog
        .tables
        .values()
        .any(|table| table.row_security);
    let kind = if secured {
        "player_past_policies"
    } else {
        "player"
    };
    role_of_ours(server, kind, secured).await
}

async fn role_of_ours(server: &Server, kind: &str, passes: bool) -> Result<Ident, Error> {
    let owner = server.owner().as_str();
    let name = match owner.strip_suffix("owner") {
        Some(prefix) => format!("{prefix}{kind}"),
        None => format!("{owner}_{kind}"),
    };
    let name = Ident::new(name);
    server.ensure_role(&name, passes).await?;
    Ok(name)
}

fn is_grant(sql: &SqlText) -> bool {
    sql.as_str().starts_with("GRANT ")
}

pub(super) fn place(model: &Model, compiled: &Compiled, object: &ObjectPath) -> Span {
    let known = |path: &ObjectPath| compiled.provenance.get(path).copied();
    known(object)
        .or_else(|| known(&ObjectPath::Table(object.table()?.clone())))
        .unwrap_or(model.name.at)
}

fn refused(
    model: &Model,
    compiled: &Compiled,
    object: &ObjectPath,
    failure: &SqlFailure,
) -> Finding {
    let code = failure.sqlstate.code();
    let at = place(model, compiled, object);
    let message = format!("PostgreSQL refuses {object}: {} ({code})", failure.message);
    let mut finding =
        Finding::error("ddl-refused", object.to_string(), message, at).of(model.name.as_str());
    if let Some(more) = failure.hint.as_ref().or(failure.detail.as_ref()) {
        finding = finding.help(more.clone());
    }
    finding
}

/// `BEGIN`, for what is tried and taken back.
pub(super) fn begin() -> SqlText {
    fixed("BEGIN")
}

/// `ROLLBACK`.
pub(super) fn rollback() -> SqlText {
    fixed("ROLLBACK")
}
