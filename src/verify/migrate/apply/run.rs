//! Forward: from the old design to the new one, as far as is wished.

use super::catalog::{apart, expected};
use super::journal::{Entry, Journal, Outcome, is_contraction};
use super::lock;
use super::play::{Player, Turn, Way};
use super::watch::Teller;
use crate::catalog::Catalog;
use crate::compile::Compiled;
use crate::design::Model;
use crate::error::Error;
use crate::migrate::{Phase, Plan, Step};
use crate::postgres::{ServerOptions, Session, SqlFailure, Target};
use crate::sql::Ident;
use crate::template::Environment;

/// A design at one end of the way.
pub struct Side<'a> {
    /// What it means.
    pub model: &'a Model,
    /// Its schema.
    pub compiled: &'a Compiled,
}

/// What is to be applied, and to what.
pub struct Migration<'a> {
    /// The database.
    pub target: &'a Target,
    /// The way.
    pub plan: &'a Plan,
    /// Where it begins.
    pub old: Side<'a>,
    /// Where it ends.
    pub new: Side<'a>,
    /// Writes the statements of both.
    pub environment: &'a Environment,
    /// Where both are built to be compared with the database. The major version is that of the database, whatever is said here.
    pub builder: &'a ServerOptions,
}

/// How far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wish {
    /// The last phase; the whole plan where none is given.
    pub until: Option<Phase>,
    /// Whether what is old goes although `contract_after` has not passed.
    pub now: bool,
}

/// How it ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// As was wished.
    Done(String),
    /// Not, and why, with lines that say more.
    Refused(String, Vec<String>),
}

/// A session that holds the lock, one that looks, and the journal as it is.
pub(super) struct Opened {
    pub(super) session: Session,
    pub(super) eye: Session,
    pub(super) journal: Option<Journal>,
    pub(super) major: u16,
}

/// What a failed statement of ours means for the user.
pub(super) fn failed(what: &'static str) -> impl Fn(SqlFailure) -> Error {
    move |failure| failure.into_error(what)
}

/// Opens the sessions and takes the lock. Whoever else has it is said.
pub(super) async fn open(
    migration: &Migration<'_>,
    teller: &mut dyn Teller,
) -> Result<Result<Opened, End>, Error> {
    let target = migration.target;
    let mut session = target.session().await?;
    let major = target.major(&mut session).await?;
    if major < migration.plan.version {
        return Err(Error::Usage(format!(
            "{} runs PostgreSQL {major}, and the plan is made for {}: say `database.version: {major}` in the new design",
            target.display(),
            migration.plan.version
        )));
    }
    let schema = schema(migration);
    let taken = lock::take(&mut session, &schema, teller).await;
    if let Err(holder) = taken.map_err(failed("take the lock of migrations"))? {
        let why = "another runner is at work on this schema";
        return Ok(Err(End::Refused(why.to_owned(), vec![holder])));
    }
    let journal = Journal::find(&mut session, &schema).await;
    let eye = target.session().await?;
    Ok(Ok(Opened {
        session,
        eye,
        journal: journal.map_err(failed("read the journal"))?,
        major,
    }))
}

pub(super) fn schema(migration: &Migration<'_>) -> Ident {
    migration.new.model.database.schema.clone()
}

/// The catalogs of some sides, as the server of the database spells them.
pub(super) async fn build(
    migration: &Migration<'_>,
    major: u16,
    sides: &[&Side<'_>],
    teller: &mut dyn Teller,
) -> Result<Vec<Catalog>, Error> {
    teller.tell(&format!(
        "building {} on a throw-away PostgreSQL {major}, to compare the database with",
        if sides.len() > 1 {
            "both designs"
        } else {
            "the design"
        }
    ));
    let options = ServerOptions {
        major,
        ..migration.builder.clone()
    };
    expected(&options, sides, migration.environment).await
}

/// What the journal of the database says of its latest run; nothing where nothing was ever applied.
pub async fn status(target: &Target, plan: &Plan) -> Result<Vec<Entry>, Error> {
    let mut session = target.session().await?;
    let schema = Ident::from(plan.schema.as_str());
    let journal = Journal::find(&mut session, &schema).await;
    let journal = journal.map_err(failed("read the journal"))?;
    Ok(journal.map(|journal| journal.entries).unwrap_or_default())
}

/// Applies the plan, or goes on with it.
pub async fn apply(
    migration: &Migration<'_>,
    wish: Wish,
    teller: &mut dyn Teller,
) -> Result<End, Error> {
    let mut opened = match open(migration, teller).await? {
        Ok(opened) => opened,
        Err(end) => return Ok(end),
    };
    let plan = migration.plan;
    let known = opened.journal.take();
    let begun = known.filter(|journal| {
        let is_this = journal.unlike(plan).is_empty();
        journal.is_begun() && (!journal.is_done() || is_this)
    });
    let (journal, new) = match begun {
        Some(journal) => {
            if let Some(refused) = other(&journal, plan) {
                return Ok(refused);
            }
            (journal, None)
        }
        None => match begin(migration, &mut opened, teller).await? {
            Ok((journal, new)) => (journal, Some(new)),
            Err(refused) => return Ok(refused),
        },
    };
    let mut player = Player {
        session: opened.session,
        eye: opened.eye,
        plan,
        journal,
        teller,
    };
    if let Some(stopped) = go(&mut player, wish).await? {
        return Ok(stopped);
    }
    let new = match new {
        Some(new) => new,
        None => {
            let mut built =
                build(migration, opened.major, &[&migration.new], player.teller).await?;
            built.pop().unwrap_or_default()
        }
    };
    let apart = apart(&mut player.session, &migration.new, &new).await?;
    if apart.is_empty() {
        let done = "the database is as the new design says; the journal stays";
        return Ok(End::Done(done.to_owned()));
    }
    let why = "every step is done, and the database is not as the new design says";
    Ok(End::Refused(why.to_owned(), apart))
}

/// Why the run that the journal is about cannot be gone on with.
pub(super) fn other(journal: &Journal, plan: &Plan) -> Option<End> {
    let mut unlike = journal.unlike(plan);
    if !unlike.is_empty() {
        let more = unlike.len().saturating_sub(10);
        unlike.truncate(10);
        if more > 0 {
            unlike.push(format!("and {more} more"));
        }
        let why = "another plan was begun on this database; end it or take it back (--undo) with the designs it was made from";
        return Some(End::Refused(why.to_owned(), unlike));
    }
    let mut entries = journal.entries.iter();
    let undoing = entries.find(|entry| entry.outcome == Outcome::Undoing)?;
    let why = format!(
        "step {} ({}) is half taken back: end that first with --undo",
        undoing.number, undoing.title
    );
    Some(End::Refused(why, undoing.said.iter().cloned().collect()))
}

/// Sees that the database is as the old design says, and writes the run down.
async fn begin(
    migration: &Migration<'_>,
    opened: &mut Opened,
    teller: &mut dyn Teller,
) -> Result<Result<(Journal, Catalog), End>, Error> {
    let sides = [&migration.old, &migration.new];
    let mut built = build(migration, opened.major, &sides, teller).await?;
    let (new, old) = (
        built.pop().unwrap_or_default(),
        built.pop().unwrap_or_default(),
    );
    let apart = apart(&mut opened.session, &migration.old, &old).await?;
    if !apart.is_empty() {
        let why = "the database is not as the old design says; nothing was done";
        return Ok(Err(End::Refused(why.to_owned(), apart)));
    }
    let session = &mut opened.session;
    let schema = schema(migration);
    let made = async {
        Journal::make(session, &schema).await?;
        let found = Journal::find(session, &schema).await?;
        match found {
            Some(mut journal) => {
                journal.begin(session, migration.plan).await?;
                Ok(Some(journal))
            }
            None => Ok(None),
        }
    };
    let made: Result<_, SqlFailure> = made.await;
    match made.map_err(failed("write the journal"))? {
        Some(journal) => Ok(Ok((journal, new))),
        None => Err(Error::Internal(
            "the journal was made and is not there".to_owned(),
        )),
    }
}

/// Runs what is left. Returns why it stopped before the end.
async fn go(player: &mut Player<'_>, wish: Wish) -> Result<Option<End>, Error> {
    let plan = player.plan;
    let count = plan.steps.len();
    let mut did = 0;
    for step in &plan.steps {
        let entry = player.journal.entry(step).cloned();
        let outcome = entry
            .as_ref()
            .map_or(Outcome::Waiting, |entry| entry.outcome);
        if outcome == Outcome::Done {
            continue;
        }
        if let Some(last) = wish.until.filter(|last| step.phase > *last) {
            let text = format!(
                "every step up to {last} is done; {} of {count} are left, the next is {}: {}",
                count + 1 - step.number,
                step.phase,
                step.title
            );
            return Ok(Some(End::Done(text)));
        }
        if is_contraction(step)
            && !wish.now
            && let Some(text) = too_early(player).await?
        {
            let left = count + 1 - step.number;
            let text = format!("{text}; {left} of {count} steps are left (--now does not wait)");
            return Ok(Some(match did {
                0 => End::Refused(text, Vec::new()),
                _ => End::Done(text),
            }));
        }
        let is_resumed = matches!(outcome, Outcome::Running | Outcome::Failed);
        player.teller.tell(&format!(
            "step {} of {count}, {}: {}{}",
            step.number,
            step.phase,
            step.title,
            if is_resumed { " (again)" } else { "" }
        ));
        let turn = Turn {
            step,
            way: Way::Forward,
            from: entry.filter(|_| is_resumed).map_or(0, |entry| entry.part),
            is_resumed,
        };
        let said = match player.play(turn, &step.parts).await {
            Ok(()) => player.check(step).await.map_err(failed("check a step"))?,
            Err(failure) => Some(because(player, step, &failure).await),
        };
        if let Some(said) = said {
            let why = format!("step {} ({}) failed", step.number, step.title);
            let next = "what was done before it stays; run the same command again when the reason is gone, or go back with --undo";
            return Ok(Some(End::Refused(why, vec![said, next.to_owned()])));
        }
        did += 1;
    }
    Ok(None)
}

/// Why the contraction must wait.
async fn too_early(player: &mut Player<'_>) -> Result<Option<String>, Error> {
    let Some(seconds) = player.plan.contract_after else {
        return Ok(None);
    };
    let sql = player.journal.contraction(seconds);
    let rows = player.session.query(&sql).await;
    let rows = rows.map_err(failed("read the journal"))?;
    let row = rows.rows.first().cloned().unwrap_or_default();
    let text = |at: usize| row.get(at).cloned().flatten();
    let left: i64 = text(0).and_then(|left| left.parse().ok()).unwrap_or(0);
    Ok((left > 0).then(|| {
        format!(
            "what is old may go from {} on, as `migration.contract_after` says",
            text(1).unwrap_or_default()
        )
    }))
}

/// What the server said, and how many rows stand in the way where the step knows how to find them.
async fn because(player: &mut Player<'_>, step: &Step, failure: &SqlFailure) -> String {
    let said = failure.to_string();
    let Some(check) = &step.check else {
        return said;
    };
    match player.eye.query(check).await {
        Ok(rows) if !rows.rows.is_empty() => {
            format!("{said}; rows that stand in the way: {}", check.as_str())
        }
        _ => said,
    }
}
