//! One step on a session, forward or back, with what the journal says about it.

use std::time::{Duration, SystemTime};

use super::journal::{Journal, Outcome};
use super::watch::{Teller, look, watched};
use crate::migrate::{Lone, Manner, Part, Plan, Step, groups};
use crate::postgres::{Session, SqlFailure, SqlState};
use crate::sql::{SqlText, fill, literal};
use crate::verify::migrate::steps::{finalized, is_lock_timeout, path, together};

/// How often a statement that did not get its lock is tried again.
const TRIES: u32 = 20;

/// The first pause between two tries, and the longest.
const PAUSES: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(20));

/// Whether a step is made or taken back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    Forward,
    Back,
}

impl Way {
    fn during(self) -> Outcome {
        match self {
            Way::Forward => Outcome::Running,
            Way::Back => Outcome::Undoing,
        }
    }

    fn after(self) -> Outcome {
        match self {
            Way::Forward => Outcome::Done,
            Way::Back => Outcome::Undone,
        }
    }
}

/// What runs a plan.
pub(super) struct Player<'a> {
    /// Holds the lock and does the work.
    pub(super) session: Session,
    /// Looks at how far it is.
    pub(super) eye: Session,
    pub(super) plan: &'a Plan,
    pub(super) journal: Journal,
    pub(super) teller: &'a mut dyn Teller,
}

/// A step and where to take it up.
#[derive(Clone, Copy)]
pub(super) struct Turn<'a> {
    pub(super) step: &'a Step,
    pub(super) way: Way,
    /// Parts that are done already.
    pub(super) from: usize,
    /// Whether an earlier try may have left something.
    pub(super) is_resumed: bool,
}

impl Player<'_> {
    /// Runs the parts of a turn. What fails is written down.
    pub(super) async fn play(&mut self, turn: Turn<'_>, parts: &[Part]) -> Result<(), SqlFailure> {
        let begins = self.journal.begins(turn.step, turn.way.during(), turn.from);
        self.session.batch(&begins).await?;
        let played = self.parts(turn, parts).await;
        if let Err(failure) = &played {
            let fails = self.journal.fails(turn.step, &failure.to_string());
            // The failure itself is told; where the server is gone nothing can be written.
            let _ = self.session.batch(&fails).await;
        }
        played
    }

    async fn parts(&mut self, turn: Turn<'_>, parts: &[Part]) -> Result<(), SqlFailure> {
        let groups = groups(parts);
        let count = groups.len();
        if count <= turn.from {
            let ends = self.journal.ends(turn.step, turn.way.after());
            return self.session.batch(&ends).await;
        }
        for (at, group) in groups.into_iter().enumerate().skip(turn.from) {
            let mark = if at + 1 == count {
                self.journal.ends(turn.step, turn.way.after())
            } else {
                self.journal.reaches(turn.step, at + 1)
            };
            match group {
                [part] if Lone::of(part).is_some() => {
                    let is_resumed = turn.is_resumed && at == turn.from;
                    self.by_itself(turn, part, is_resumed).await?;
                    self.session.batch(&mark).await?;
                }
                group => {
                    // In the same transaction: both are there, or neither.
                    let with_mark: Vec<Part> =
                        group.iter().cloned().chain([Part::new(mark)]).collect();
                    self.in_transaction(&with_mark).await?;
                }
            }
        }
        Ok(())
    }

    /// Tries until nobody is in the way, with pauses that grow and differ, so that two runners of two schemas do not keep step.
    async fn in_transaction(&mut self, group: &[Part]) -> Result<(), SqlFailure> {
        let mut pause = PAUSES.0;
        let mut tries = 0;
        loop {
            match together(&mut self.session, self.plan, group).await {
                Err(failure) if is_in_the_way(&failure) && tries < TRIES => {
                    tries += 1;
                    let rest = pause.mul_f64(0.5 + jitter());
                    self.teller.tell(&format!(
                        "  {}; nothing has happened, try {} of {} in {:.1} s",
                        failure.message,
                        tries + 1,
                        TRIES + 1,
                        rest.as_secs_f64()
                    ));
                    tokio::time::sleep(rest).await;
                    pause = (pause * 2).min(PAUSES.1);
                }
                ended => return ended,
            }
        }
    }

    /// A statement that refuses a transaction. After an interruption it is found done, half done or not begun.
    async fn by_itself(
        &mut self,
        turn: Turn<'_>,
        part: &Part,
        is_resumed: bool,
    ) -> Result<(), SqlFailure> {
        self.session.batch(&path(self.plan, false)).await?;
        if is_resumed {
            let lone = Lone::of(part);
            if turn.way == Way::Forward && !is_built(&mut self.session, lone.as_ref()).await? {
                for part in &turn.step.resume {
                    self.session.batch(&part.sql).await?;
                }
            }
            match lone {
                Some(Lone::Builds(index)) => match validity(&mut self.session, &index).await? {
                    Some(true) => return Ok(()),
                    Some(false) => {
                        let parts = [("index", &index)];
                        let drop = fill("DROP INDEX CONCURRENTLY IF EXISTS {index}", &parts);
                        self.session.batch(&drop).await?;
                    }
                    None => {}
                },
                Some(Lone::Detaches { parent, child }) => {
                    if !is_attached(&mut self.session, part, &parent, &child).await? {
                        return Ok(());
                    }
                }
                Some(Lone::Again) | None => {}
            }
        }
        let look = look(self.plan, turn.step, self.session.pid());
        let work = self.session.batch(&part.sql);
        watched(work, &mut self.eye, &look, self.teller).await
    }

    /// What a backfill's check returns shows that it has not done its work. It then begins at the first row again.
    pub(super) async fn check(&mut self, step: &Step) -> Result<Option<String>, SqlFailure> {
        let Some(check) = step
            .check
            .as_ref()
            .filter(|_| step.manner() == Manner::Chunks)
        else {
            return Ok(None);
        };
        let rows = self.session.query(check).await?;
        if rows.rows.is_empty() {
            return Ok(None);
        }
        let said = format!(
            "rows are left that it should have written ({} seen); the next try begins at the first row: {}",
            rows.rows.len(),
            check.as_str()
        );
        if let crate::migrate::Reverse::Parts(parts) = &step.reverse {
            for part in parts {
                self.session.batch(&part.sql).await?;
            }
        }
        let begins = self.journal.begins(step, Outcome::Running, 0);
        self.session.batch(&begins).await?;
        let fails = self.journal.fails(step, &said);
        self.session.batch(&fails).await?;
        Ok(Some(said))
    }

    /// What a half-done detachment left is brought to an end first; says whether the partition is still in.
    pub(super) async fn settle(&mut self, step: &Step) -> Result<bool, SqlFailure> {
        for part in &step.parts {
            if let Some(Lone::Detaches { parent, child }) = Lone::of(part) {
                return is_attached(&mut self.session, part, &parent, &child).await;
            }
        }
        Ok(false)
    }
}

/// Somebody held a lock too long, or the server chose us to end a deadlock: in both cases nothing has happened.
fn is_in_the_way(failure: &SqlFailure) -> bool {
    is_lock_timeout(failure) || failure.sqlstate == SqlState::DEADLOCK_DETECTED
}

/// Between 0 and 1; need not be good.
fn jitter() -> f64 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    now.map_or(0.5, |now| f64::from(now.subsec_nanos() % 1000) / 1000.0)
}

async fn is_built(session: &mut Session, lone: Option<&Lone>) -> Result<bool, SqlFailure> {
    match lone {
        Some(Lone::Builds(index)) => Ok(validity(session, index).await? == Some(true)),
        _ => Ok(false),
    }
}

/// Whether an index is valid; none where it is not there.
async fn validity(session: &mut Session, index: &SqlText) -> Result<Option<bool>, SqlFailure> {
    let sql = fill(
        "SELECT indisvalid AND indisready FROM pg_index WHERE indexrelid = to_regclass({index})",
        &[("index", &literal(index.as_str()))],
    );
    Ok(session.query(&sql).await?.scalar().map(|is| is == "t"))
}

/// Whether a partition is in. A detachment that was broken off is brought to its end first: it can only go on.
async fn is_attached(
    session: &mut Session,
    detach: &Part,
    parent: &SqlText,
    child: &SqlText,
) -> Result<bool, SqlFailure> {
    let parts = [
        ("parent", &literal(parent.as_str())),
        ("child", &literal(child.as_str())),
    ];
    let sql = fill(
        "SELECT inhdetachpending FROM pg_inherits WHERE inhparent = to_regclass({parent}) AND inhrelid = to_regclass({child})",
        &parts,
    );
    match session.query(&sql).await?.scalar() {
        Some("t") => {
            session.batch(&finalized(&detach.sql)).await?;
            Ok(false)
        }
        found => Ok(found.is_some()),
    }
}
