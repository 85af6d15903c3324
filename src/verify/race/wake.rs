//! What one session's step does to those that wait: who is let go, who goes on first, who waits for whom in a ring.
//!
//! Where one event lets several go, PostgreSQL leaves it to the operating system which of them runs first, and that may decide how
//! all ends. They are therefore stopped before the event, and made to go on one by one, in every order.

use super::block::Wait;
use super::play::Play;
use crate::error::Error;
use crate::postgres::Waits;

impl Play<'_, '_> {
    fn waiting(&self) -> Vec<usize> {
        let all = 0..self.seats.len();
        all.filter(|at| self.seats[*at].waiting.is_some()).collect()
    }

    fn pids(&self, sessions: &[usize]) -> Vec<i32> {
        let pid = |at: &usize| self.seats[*at].session.pid();
        sessions.iter().map(pid).collect()
    }

    /// Stops those that wait where the next event could let several of them go.
    pub(super) async fn hold_back(&mut self) -> Result<(), Error> {
        let waiting = self.waiting();
        if waiting.len() < 2 {
            return Ok(());
        }
        if !self.arena.observer.can_freeze() {
            self.played.loose = true;
            return Ok(());
        }
        self.arena.observer.freeze(&self.pids(&waiting)).await?;
        for at in waiting {
            self.seats[at].frozen = true;
        }
        Ok(())
    }

    /// Lets everybody run again.
    pub(super) async fn let_go(&mut self) -> Result<(), Error> {
        let all = 0..self.seats.len();
        let frozen: Vec<usize> = all.filter(|at| self.seats[*at].frozen).collect();
        self.arena.observer.thaw(&self.pids(&frozen)).await?;
        for at in frozen {
            self.seats[at].frozen = false;
        }
        Ok(())
    }

    /// Lets those go on that wait for nobody any more, until all that wait do so for somebody. Locks are handed over before the answer
    /// of the one that held them arrives, so what the lock table says is final until the next of them goes on. Says whether anybody
    /// went on.
    pub(super) async fn wake(&mut self, preemptions: usize) -> Result<bool, Error> {
        let mut woke = false;
        loop {
            let waiting = self.waiting();
            let ready = match waiting.as_slice() {
                [] => break,
                // Waiting for its answer tells as much.
                [only] => vec![*only],
                _ => {
                    let waits = self.waits(&waiting).await?;
                    let mut ready = waiting.clone();
                    let mut blocked = waits.iter().map(|waits| waits.is_blocked);
                    ready.retain(|_| !blocked.next().unwrap_or(false));
                    if ready.is_empty() {
                        self.ring = self.ring_of(&waiting, &waits);
                        return Ok(woke);
                    }
                    ready
                }
            };
            let first = match ready.as_slice() {
                [only] => *only,
                several if self.seats[several[0]].frozen => {
                    match self.first_of(several, preemptions) {
                        Some(first) => first,
                        None => break,
                    }
                }
                several => several[0],
            };
            let Some((act, mut pending)) = self.seats[first].waiting.take() else {
                break;
            };
            let held = std::mem::take(&mut self.seats[first].frozen);
            if held {
                self.arena.observer.thaw(&self.pids(&[first])).await?;
            }
            let alone = waiting.len() == 1;
            // What others hold beside those that let it go may stop it again.
            let likely = alone && self.may_wait(first, &act);
            match self.wait(first, &mut pending, likely).await? {
                Wait::Blocked => {
                    self.seats[first].waiting = Some((act, pending));
                    if held {
                        self.arena.observer.freeze(&self.pids(&[first])).await?;
                        self.seats[first].frozen = true;
                    }
                    if alone {
                        break;
                    }
                }
                Wait::Answered => {
                    woke = true;
                    self.recorder.resumed(first);
                    self.take(first, act, pending).await?;
                    if self.stopped {
                        break;
                    }
                }
            }
        }
        self.ring = self.ring().await?;
        Ok(woke)
    }

    async fn waits(&self, sessions: &[usize]) -> Result<Vec<Waits>, Error> {
        let all: Vec<usize> = (0..self.seats.len()).collect();
        let (asked, by) = (self.pids(sessions), self.pids(&all));
        self.arena.observer.waits(&asked, &by).await
    }

    /// Sessions that wait for each other in a ring; PostgreSQL would cancel one of them.
    pub(super) async fn ring(&self) -> Result<Vec<usize>, Error> {
        let waiting = self.waiting();
        if waiting.len() < 2 {
            return Ok(Vec::new());
        }
        let waits = self.waits(&waiting).await?;
        Ok(self.ring_of(&waiting, &waits))
    }

    fn ring_of(&self, waiting: &[usize], waits: &[Waits]) -> Vec<usize> {
        let mut edges: Vec<Vec<usize>> = vec![Vec::new(); self.seats.len()];
        for (at, waits) in waiting.iter().zip(waits) {
            let session = |at: &usize| waits.by.contains(&self.seats[*at].session.pid());
            edges[*at] = waiting.iter().copied().filter(session).collect();
        }
        ring(&edges)
    }
}

/// Those from which a way along the edges leads back to themselves.
fn ring(edges: &[Vec<usize>]) -> Vec<usize> {
    let returns = |start: &usize| {
        let mut seen = vec![false; edges.len()];
        let mut next = edges[*start].clone();
        while let Some(at) = next.pop() {
            if at == *start {
                return true;
            }
            if !std::mem::replace(&mut seen[at], true) {
                next.extend(&edges[at]);
            }
        }
        false
    };
    (0..edges.len()).filter(returns).collect()
}

#[cfg(test)]
mod tests {
    use super::ring;

    #[test]
    fn a_ring_leaves_out_those_who_only_wait_for_it() {
        // 0 and 1 wait for each other, 2 waits for 1.
        assert_eq!(ring(&[vec![1], vec![0], vec![1]]), [0, 1]);
        assert_eq!(ring(&[vec![1], vec![2], vec![0]]), [0, 1, 2]);
        assert_eq!(ring(&[vec![1], vec![2], vec![]]), Vec::<usize>::new());
    }
}
