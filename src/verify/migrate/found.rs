//! Where a migration begins that no design says: migration files that were written by hand, or a database that is there.
//!
//! Both are read back from a server, so the new design is, too: two spellings of one expression would be a difference.

use super::apply::{Side, forget_own, of_stage, read};
use super::files;
use crate::catalog::Catalog;
use crate::error::Error;
use crate::migrate::files::{Migrations, Source};
use crate::postgres::{Scope, Server, ServerOptions, Target, beyond};
use crate::sql::fixed;
use crate::template::Environment;
use crate::verify::stage::{Stage, Staged};

/// So many things that no design can say are named; the others are counted.
const MOST: usize = 20;

/// What a migration begins with.
pub enum Found<'a> {
    /// Migration files, with their texts: run on a throw-away server.
    Files(&'a Migrations, &'a [Source]),
    /// A database, which is only read.
    Database(&'a Target),
}

/// Two schemas as one server spells them, and what is to be said of the first.
#[derive(Debug)]
pub struct Both {
    /// The schema that is there.
    pub from: Catalog,
    /// The new design's.
    pub to: Catalog,
    /// What was passed over, and what is there that no design can say.
    pub notes: Vec<String>,
}

/// The schema that is there, and the new design's, both as a server spells them.
pub async fn catalogs(
    options: &ServerOptions,
    found: &Found<'_>,
    new: &Side<'_>,
    environment: &Environment,
) -> Result<Both, Error> {
    let server = Server::start(options).await?;
    let both = on(&server, found, new, environment).await;
    server.stop().await?;
    let mut both = both?;
    // `public` is there without being made, and other extensions are nobody's concern.
    for catalog in [&mut both.from, &mut both.to] {
        catalog.schemas.retain(|name| name.as_str() != "public");
    }
    let needed = &both.to.extensions;
    both.from.extensions.retain(|name| needed.contains(name));
    Ok(both)
}

async fn on(
    server: &Server,
    found: &Found<'_>,
    new: &Side<'_>,
    environment: &Environment,
) -> Result<Both, Error> {
    let schema = &new.model.database.schema;
    let scope = Scope {
        schemas: vec![schema.clone()],
        roles: new.compiled.catalog.roles.keys().cloned().collect(),
    };
    let mut notes = Vec::new();
    let (from, more) = match found {
        Found::Database(target) => {
            let mut session = target.session().await?;
            let begun = session
                .batch(&fixed("SET default_transaction_read_only = on"))
                .await;
            begun.map_err(|failure| failure.into_error("set up a session"))?;
            let more = beyond(&mut session, schema).await;
            let mut from = read(&mut session, &scope).await?;
            forget_own(&mut from, &new.model.database.schema);
            (from, more)
        }
        Found::Files(migrations, sources) => {
            let database = server.create_database("migrations").await?;
            notes = files::run(server, &database, migrations, sources).await?;
            let mut session = database.session().await?;
            let more = beyond(&mut session, schema).await;
            let from = read(&mut session, &scope).await?;
            drop(session);
            database.drop().await?;
            (from, more)
        }
    };
    let more = more.map_err(|failure| failure.into_error("read the catalog"))?;
    if let Some(first) = more.first() {
        notes.push(format!(
            "{} of what is there a design has no word for; the plan neither makes it nor knows of it: {}",
            more.len(),
            match more.len() {
                ..=MOST => more.join(", "),
                _ => format!("{first}, {} and so on", more[1..MOST].join(", ")),
            }
        ));
    }
    match Stage::open(server, new.model, new.compiled, environment).await? {
        Staged::Ready(stage) => {
            let to = of_stage(&stage, new).await?;
            stage.close().await?;
            Ok(Both { from, to, notes })
        }
        Staged::Refused(finding) => Err(Error::Usage(format!(
            "the design {} cannot be built: {}",
            new.model.name.as_str(),
            finding.message
        ))),
    }
}
