//! Whether a session waits for a lock, read from the lock table. A session that is merely slow is never mistaken for one that
//! waits, however loaded the machine is.

use std::pin::pin;
use std::time::Duration;

use futures_util::future::{Either, select};

use crate::error::Error;
use crate::postgres::{Observer, Pending};

/// How long a statement that nobody should hold up may run before the lock table is asked all the same. Timers are no finer.
const LONG: Duration = Duration::from_millis(1);
/// How long to look at the socket before the lock table is asked at all: where the session's process runs on the same core, it has by then
/// answered or begun to wait.
const FIRST: Duration = Duration::from_micros(1);
/// How long to look at the socket between two looks at the lock table, at first: a statement needs a moment before it waits.
const SHORT: [Duration; 3] = [
    Duration::ZERO,
    Duration::from_micros(40),
    Duration::from_micros(120),
];

/// What came of waiting for an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wait {
    /// It is here.
    Answered,
    /// The session waits for another one.
    Blocked,
}

/// Waits until a statement answered, or waits for one of `others` itself. Where that is likely the lock table is asked
/// almost at once, while the statement runs; it decides in any case.
pub(super) async fn wait(
    observer: &Observer,
    pid: i32,
    others: &[i32],
    pending: &mut Pending,
    likely: bool,
) -> Result<Wait, Error> {
    if others.is_empty() {
        pending.answered().await;
        return Ok(Wait::Answered);
    }
    let is_quick = match likely {
        true => pending.settle(FIRST).await,
        false => pending.within(LONG).await,
    };
    if is_quick {
        return Ok(Wait::Answered);
    }
    let mut short = SHORT.iter();
    let mut long = LONG;
    loop {
        let asked = pin!(observer.is_blocked(pid, others));
        let is_blocked = match select(pin!(pending.answered()), asked).await {
            Either::Left(_) => return Ok(Wait::Answered),
            Either::Right((answer, _)) => answer?,
        };
        let answered = match (is_blocked, short.next()) {
            // An answer that came meanwhile wins.
            (true, _) => pending.settle(Duration::ZERO).await,
            (false, Some(short)) => pending.settle(*short).await,
            (false, None) => {
                long = (long * 2).min(Duration::from_millis(8));
                pending.within(long).await
            }
        };
        if answered {
            return Ok(Wait::Answered);
        }
        if is_blocked {
            return Ok(Wait::Blocked);
        }
    }
}
