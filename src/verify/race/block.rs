//! Whether a session waits for a lock, read from the lock table. A session that is merely slow is never mistaken for one that
//! waits, however loaded the machine is.

use std::time::Duration;

use crate::error::Error;
use crate::postgres::{Observer, Pending};

/// How long to look at the socket before the lock table is asked: shorter asks needlessly, longer waits needlessly.
const LOOK: Duration = Duration::from_micros(150);

/// What came of waiting for an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wait {
    /// It is here.
    Answered,
    /// The session waits for another one.
    Blocked,
}

/// Waits until a statement answered, or waits for one of `others` itself.
pub(super) async fn wait(
    observer: &Observer,
    pid: i32,
    others: &[i32],
    pending: &mut Pending,
) -> Result<Wait, Error> {
    let mut patience = LOOK;
    loop {
        if pending.settle(patience).await {
            return Ok(Wait::Answered);
        }
        if !others.is_empty() && observer.is_blocked(pid, others).await? {
            // An answer that came meanwhile wins.
            let answered = pending.settle(Duration::ZERO).await;
            return Ok(if answered {
                Wait::Answered
            } else {
                Wait::Blocked
            });
        }
        patience = (patience * 2).min(Duration::from_millis(5));
    }
}
