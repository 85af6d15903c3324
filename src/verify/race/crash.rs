//! A connection that is lost at COMMIT: the client cannot know whether the server had committed, and sends the same request again.

use super::arena::prepare;
use super::play::Play;
use super::program::Act;
use crate::error::Error;

/// When the connection is lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Crash {
    /// Before COMMIT reaches the server: nothing has happened.
    BeforeCommit,
    /// After the server has committed, before the client hears of it.
    AfterCommit,
}

impl Play<'_, '_> {
    /// Whether the connection of this seat is lost at this step.
    pub(super) fn is_lost(&self, at: usize, act: &Act, when: Crash) -> bool {
        let actor = &self.seats[at].actor;
        !actor.crashed && *act == Act::Commit && actor.program.script.crash == Some(when)
    }

    /// Ends the server process of a seat, and seats the same client again, with a new connection and the request it has no answer to.
    pub(super) async fn lose(&mut self, at: usize, when: Crash) -> Result<(), Error> {
        let pid = self.seats[at].session.pid();
        self.arena.observer.terminate_backend(pid).await?;
        self.arena.observer.gone(pid).await?;
        self.recorder.lost(at, when);
        let who = self.seats[at].actor.program.script.who.clone();
        let mut session = self.arena.open_session(&who).await?;
        // The statements were taken once, by the session that is gone.
        let script = self.seats[at].actor.program.script.clone();
        let prepared = prepare(&mut session, &script)
            .await
            .map_err(|failure| failure.into_error("prepare a command again"))?;
        let seat = &mut self.seats[at];
        seat.session = session;
        seat.prepared = prepared.into();
        seat.actor.send_again();
        Ok(())
    }
}
