//! Plays one trial and says what came of it.

use super::player::{Manner, Player, Rowset, Stop};
use super::trial::{Effect, Trial};
use crate::catalog::{Catalog, ObjectPath};
use crate::error::Error;
use crate::finding::Counterexample;
use crate::postgres::{Database, Session, SqlFailure};
use crate::sql::{Ident, SqlText, fill, fixed, literal};
use crate::verify::seed::Maker;
use crate::verify::stage::{Stage, begin, rollback};

/// Where trials are played.
pub(crate) struct Bench<'a> {
    pub stage: &'a Stage<'a>,
    pub catalog: &'a Catalog,
    pub maker: &'a Maker,
    session: Session,
    database: Database,
}

/// What came of a trial.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Outcome {
    /// Refused by what should refuse it, and the legal neighbour was accepted.
    AsClaimed,
    /// The illegal write went through, or a legal one was refused by the object itself, or an effect did not happen.
    Wrong(String, Counterexample),
    /// Somebody else refused it first: what was said, and who.
    Otherwise(String, Option<String>),
    /// The rows for it could not be made.
    Unable(String),
}

/// How one phase of a trial ended.
enum Phase {
    Through,
    Refused(SqlFailure),
    Unable(String),
}

impl<'a> Bench<'a> {
    /// A bench in a copy of its own: while somebody has a session in a database it cannot be copied.
    pub(crate) async fn open(stage: &'a Stage<'a>, maker: &'a Maker) -> Result<Bench<'a>, Error> {
        let database = stage.copy().await?;
        let session = stage.session(&database).await?;
        Ok(Bench {
            stage,
            catalog: &stage.compiled.catalog,
            maker,
            session,
            database,
        })
    }

    /// Drops the copy.
    pub(crate) async fn close(self) -> Result<(), Error> {
        let Bench {
            session, database, ..
        } = self;
        drop(session);
        database.drop().await
    }

    /// Plays a trial in a transaction that is taken back. `mutation` is run first, as the owner: what is taken out of the schema.
    ///
    /// Parents of an illegal row come bare first: what they need may be what makes it legal. Then with what they need: without it
    /// somebody else may refuse them.
    pub(crate) async fn try_out(
        &mut self,
        trial: &Trial,
        mutation: &[SqlText],
    ) -> Result<Outcome, Error> {
        let bare = self.try_with(trial, mutation, false).await?;
        if bare == Outcome::AsClaimed {
            return Ok(bare);
        }
        self.try_with(trial, mutation, true).await
    }

    async fn try_with(
        &mut self,
        trial: &Trial,
        mutation: &[SqlText],
        parents_whole: bool,
    ) -> Result<Outcome, Error> {
        let failed = |failure: SqlFailure| failure.into_error("prepare a trial");
        self.session.batch(&begin()).await.map_err(failed)?;
        for statement in mutation {
            if let Err(failure) = self.session.batch(statement).await {
                self.session.batch(&rollback()).await.map_err(failed)?;
                return Ok(Outcome::Unable(format!(
                    "it could not be taken out: {failure}"
                )));
            }
        }
        self.stage
            .pass_policies(&mut self.session)
            .await
            .map_err(failed)?;
        let outcome = self.play(trial, parents_whole).await;
        self.session.batch(&rollback()).await.map_err(failed)?;
        outcome
    }

    async fn play(&mut self, trial: &Trial, parents_whole: bool) -> Result<Outcome, Error> {
        let mut player = Player {
            session: &mut self.session,
            model: self.stage.model,
            catalog: self.catalog,
            maker: self.maker,
            set: Rowset::default(),
            log: Vec::new(),
            without: parent(self.catalog, trial),
            wanted: trial.names.clone(),
        };
        let alone = if parents_whole {
            Manner::Alone
        } else {
            Manner::Bare
        };
        for write in &trial.case.before {
            match phase(&mut player, std::slice::from_ref(write), alone).await? {
                Phase::Through => {}
                Phase::Refused(failure) => {
                    return Ok(Outcome::Unable(format!(
                        "a legal write before it was refused: {failure}"
                    )));
                }
                Phase::Unable(reason) => return Ok(Outcome::Unable(reason)),
            }
        }
        let (before, log) = (player.set.clone(), player.log.len());
        if !trial.case.illegal.is_empty() {
            mark(&mut player).await?;
            let came = phase(
                &mut player,
                &trial.case.illegal,
                Manner::Illegal { parents_whole },
            )
            .await?;
            if let Some(outcome) = refusal(self.catalog, trial, came, &player.log) {
                return Ok(outcome);
            }
            back(&mut player).await?;
            player.set = before;
            player.log.truncate(log);
        }
        match phase(&mut player, &trial.case.legal, Manner::Legal).await? {
            Phase::Through => {}
            Phase::Refused(failure) if is_by(self.catalog, trial, &failure) => {
                let found = format!("refused: {failure}");
                return Ok(wrong(
                    "the nearest legal write is refused",
                    &player.log,
                    "accepted",
                    found,
                ));
            }
            // Somebody else refuses the neighbour; what should be refused was.
            Phase::Refused(_) | Phase::Unable(_) if !trial.case.illegal.is_empty() => {
                return Ok(Outcome::AsClaimed);
            }
            Phase::Refused(failure) => {
                return Ok(Outcome::Otherwise(
                    failure.to_string(),
                    failure.constraint.clone(),
                ));
            }
            Phase::Unable(reason) => return Ok(Outcome::Unable(reason)),
        }
        match &trial.effect {
            Some(effect) => after(&mut player, effect).await,
            None => Ok(Outcome::AsClaimed),
        }
    }
}

/// The table whose rows a trial of a reference must do without.
fn parent(catalog: &Catalog, trial: &Trial) -> Option<Ident> {
    trial.objects.iter().find_map(|object| match object {
        ObjectPath::ForeignKey(table, name) => {
            let key = catalog.tables.get(table)?.foreign_keys.get(name)?;
            Some(key.table.name.clone())
        }
        _ => None,
    })
}

/// Writes of one transaction, to its end: deferred constraints and triggers speak at COMMIT, here when they are called in.
async fn phase(
    player: &mut Player<'_>,
    writes: &[crate::invariant::Write],
    manner: Manner,
) -> Result<Phase, Error> {
    for write in writes {
        match player.play(write, manner).await? {
            Ok(()) => {}
            Err(Stop::Refused(failure)) => return Ok(Phase::Refused(failure)),
            Err(Stop::Unable(reason)) => return Ok(Phase::Unable(reason)),
        }
    }
    if manner == Manner::Legal
        && let Err(stop) = player.finish().await?
    {
        return Ok(Phase::Unable(stop.reason()));
    }
    if let Err(failure) = player
        .session
        .batch(&fixed("SET CONSTRAINTS ALL IMMEDIATE"))
        .await
    {
        return Ok(Phase::Refused(failure));
    }
    let deferred = player
        .session
        .batch(&fixed("SET CONSTRAINTS ALL DEFERRED"))
        .await;
    deferred.map_err(|failure| failure.into_error("prepare a trial"))?;
    Ok(Phase::Through)
}

async fn mark(player: &mut Player<'_>) -> Result<(), Error> {
    let set = player.session.batch(&fixed("SAVEPOINT before")).await;
    set.map_err(|failure| failure.into_error("prepare a trial"))
}

async fn back(player: &mut Player<'_>) -> Result<(), Error> {
    let statement = fixed("ROLLBACK TO SAVEPOINT before; SET CONSTRAINTS ALL DEFERRED");
    let set = player.session.batch(&statement).await;
    set.map_err(|failure| failure.into_error("prepare a trial"))
}

/// What the illegal part came to; `None` where it was refused as claimed.
fn refusal(catalog: &Catalog, trial: &Trial, came: Phase, log: &[String]) -> Option<Outcome> {
    match came {
        Phase::Refused(failure) if is_by(catalog, trial, &failure) => None,
        Phase::Refused(failure) => {
            let by = failure
                .constraint
                .as_deref()
                .map(|name| format!(" by {name}"))
                .unwrap_or_default();
            let said = format!("{} is refused{by} first: {failure}", trial.case.title);
            Some(Outcome::Otherwise(said, failure.constraint.clone()))
        }
        Phase::Unable(reason) => Some(Outcome::Unable(reason)),
        Phase::Through => {
            let expected = format!("refused with {}", trial.case.sqlstates.join(" or "));
            Some(wrong(
                &format!("{} is accepted", trial.case.title),
                log,
                &expected,
                "accepted".to_owned(),
            ))
        }
    }
}

/// Whether it was refused with the right code, by one that should refuse it.
fn is_by(catalog: &Catalog, trial: &Trial, failure: &SqlFailure) -> bool {
    let code = trial
        .case
        .sqlstates
        .iter()
        .any(|state| failure.sqlstate.is(state));
    let constraint = match &failure.constraint {
        Some(name) => {
            trial.names.is_empty()
                || trial.names.iter().any(|known| known.as_str() == name)
                || is_partition(catalog, failure)
        }
        None => true,
    };
    let column = match (&trial.column, &failure.column) {
        (Some(wanted), Some(named)) => wanted.as_str() == named,
        _ => true,
    };
    code && constraint && column
}

/// A partition has constraints and indexes of its own that stand for those of its table, under other names.
fn is_partition(catalog: &Catalog, failure: &SqlFailure) -> bool {
    let Some(named) = &failure.table else {
        return false;
    };
    let partitions = catalog
        .tables
        .values()
        .filter_map(|table| table.partitioning.as_ref());
    partitions
        .flat_map(|partitioning| &partitioning.partitions)
        .any(|partition| partition.name.as_str() == named)
}

async fn after(player: &mut Player<'_>, effect: &Effect) -> Result<Outcome, Error> {
    let (row, expected) = match effect {
        Effect::Gone(row) => (*row, "the child is gone".to_owned()),
        Effect::Cleared(row, columns) => (*row, format!("{} is null", super::keys::words(columns))),
        Effect::Confined { row, by, setting } => return confined(player, *row, by, setting).await,
    };
    let now = match player.look(row).await? {
        Ok(now) => now,
        Err(stop) => return Ok(Outcome::Unable(stop.reason())),
    };
    let so = match (effect, &now) {
        (Effect::Cleared(_, columns), Some(now)) => {
            columns.iter().all(|column| now.get(column) == Some(&None))
        }
        (Effect::Cleared(..), None) => false,
        _ => now.is_none(),
    };
    if so {
        return Ok(Outcome::AsClaimed);
    }
    let found = if now.is_some() {
        "the child is as before"
    } else {
        "the child is gone"
    };
    Ok(wrong(
        "the reference does not act as declared",
        &player.log,
        &expected,
        found.to_owned(),
    ))
}

/// The owner reads: forced row-level security holds for it as for everybody.
async fn confined(
    player: &mut Player<'_>,
    row: usize,
    by: &Ident,
    setting: &str,
) -> Result<Outcome, Error> {
    let Some((table, own)) = player.value(row, by) else {
        return Ok(Outcome::Unable("the row has no tenant".to_owned()));
    };
    let other = player.maker.different(&table, by, Some(&own));
    let reset = player.session.batch(&fixed("RESET ROLE")).await;
    reset.map_err(|failure| failure.into_error("read as the owner"))?;
    let sessions = [
        (Some(own), true, "its own tenant"),
        (other, false, "another tenant"),
        (Some(String::new()), false, "a session that names no tenant"),
    ];
    for (tenant, sees, who) in sessions {
        let Some(tenant) = tenant else { continue };
        let parts = [
            ("setting", &literal(setting)),
            ("tenant", &literal(&tenant)),
        ];
        let name = fill("SELECT set_config({setting}, {tenant}, true)", &parts);
        let named = player.session.query(&name).await;
        named.map_err(|failure| failure.into_error("read as the owner"))?;
        // A policy that fails shows nothing either.
        let seen = player.guarded_look(row).await?;
        if seen != sees {
            let expected = format!(
                "{who} {} the row",
                if sees { "sees" } else { "does not see" }
            );
            let found = format!("{who} {} it", if seen { "sees" } else { "does not see" });
            let mut log = player.log.clone();
            log.push(name.as_str().to_owned());
            return Ok(wrong(
                &format!("a row of {}: {found}", table.as_str()),
                &log,
                &expected,
                found,
            ));
        }
    }
    Ok(Outcome::AsClaimed)
}

fn wrong(reason: &str, log: &[String], expected: &str, found: String) -> Outcome {
    let counterexample = Counterexample::Statements {
        sql: log.to_vec(),
        expected: expected.to_owned(),
        found,
    };
    Outcome::Wrong(reason.to_owned(), counterexample)
}
