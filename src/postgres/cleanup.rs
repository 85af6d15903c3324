//! Nothing stays behind: what must be undone is written down before it is done, and undone once, by whoever comes first: a
//! normal end, an early return, a panic, or a signal.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::error::Error;

type Task = Box<dyn FnOnce() -> Result<(), Error> + Send>;
/// A task to be done once; who finds it taken waits on the lock until it is done.
type Slot = Arc<Mutex<Option<Task>>>;

static LIVE: Mutex<BTreeMap<u64, Slot>> = Mutex::new(BTreeMap::new());
static ENDING: AtomicBool = AtomicBool::new(false);
static NEXT: AtomicU64 = AtomicU64::new(0);

/// A promise to clean up. Dropping it keeps the promise.
pub(super) struct Cleanup {
    number: u64,
    slot: Slot,
}

impl Cleanup {
    /// Writes down what is to be done. The task must not need the runtime it was made in.
    pub(super) fn register(task: impl FnOnce() -> Result<(), Error> + Send + 'static) -> Cleanup {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let slot: Slot = Arc::new(Mutex::new(Some(Box::new(task))));
        LIVE.lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(number, slot.clone());
        Cleanup { number, slot }
    }

    /// Does it, unless it is done.
    pub(super) fn finish(&self) -> Result<(), Error> {
        LIVE.lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&self.number);
        perform(&self.slot)
    }
}

impl Drop for Cleanup {
    fn drop(&mut self) {
        // Whoever wants to know calls `finish`; the next run sweeps what could not be removed.
        let _ = self.finish();
    }
}

fn perform(slot: &Slot) -> Result<(), Error> {
    let mut slot = slot.lock().unwrap_or_else(PoisonError::into_inner);
    match slot.take() {
        Some(task) => task(),
        None => Ok(()),
    }
}

/// Whether [`stop_all`] was called: nothing more is to be started.
pub(super) fn is_ending() -> bool {
    ENDING.load(Ordering::Acquire)
}

/// Stops every server that this process still has, also those that are just being started, and removes what belongs to them. For the
/// moment between a signal and the end of the process; servers that are dropped or stopped in order need it not.
pub fn stop_all() {
    ENDING.store(true, Ordering::Release);
    let live = std::mem::take(&mut *LIVE.lock().unwrap_or_else(PoisonError::into_inner));
    for slot in live.values() {
        let _ = perform(slot);
    }
}

/// A signal that asks the process to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// Ctrl-C.
    Interrupt,
    /// A polite `kill`.
    Terminate,
    /// The terminal is gone.
    Hangup,
}

impl Signal {
    /// The exit code that shells expect.
    pub fn exit_code(self) -> u8 {
        128 + match self {
            Signal::Hangup => 1,
            Signal::Interrupt => 2,
            Signal::Terminate => 15,
        }
    }
}

/// Waits until somebody wants the process to end. Listens from the moment it is called, not from the first poll.
pub fn until_signal() -> impl Future<Output = Signal> {
    use tokio::signal::unix::{SignalKind, signal};
    let listeners = [
        (SignalKind::interrupt(), Signal::Interrupt),
        (SignalKind::terminate(), Signal::Terminate),
        (SignalKind::hangup(), Signal::Hangup),
    ];
    let mut listeners: Vec<_> = listeners
        .into_iter()
        .filter_map(|(kind, name)| Some((signal(kind).ok()?, name)))
        .collect();
    std::future::poll_fn(move |context| {
        for (listener, name) in &mut listeners {
            if listener.poll_recv(context).is_ready() {
                return std::task::Poll::Ready(*name);
            }
        }
        std::task::Poll::Pending
    })
}

/// Runs async work to its end from anywhere: another thread, another runtime, inside a `Drop`, during a panic.
pub(super) fn block_on<T: Send + 'static>(
    work: impl Future<Output = Result<T, Error>> + Send + 'static,
) -> Result<T, Error> {
    let thread = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        let runtime =
            runtime.map_err(|e| Error::Internal(format!("no runtime to clean up with: {e}")))?;
        runtime.block_on(work)
    });
    thread
        .join()
        .unwrap_or_else(|_| Err(Error::Internal("cleaning up panicked".to_owned())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicU32;

    #[test]
    fn a_cleanup_is_done_once_whoever_comes_first() {
        let done = Arc::new(AtomicU32::new(0));
        let count = done.clone();
        let cleanup = Cleanup::register(move || {
            count.fetch_add(1, Ordering::Relaxed);
            Err(Error::Usage("told once".to_owned()))
        });
        assert!(cleanup.finish().is_err());
        assert!(cleanup.finish().is_ok());
        drop(cleanup);
        assert_eq!(done.load(Ordering::Relaxed), 1);
    }

    #[test]
    fn a_panic_cleans_up() {
        let done = Arc::new(AtomicU32::new(0));
        let count = done.clone();
        let thread = std::thread::spawn(move || {
            let _cleanup = Cleanup::register(move || {
                count.fetch_add(1, Ordering::Relaxed);
                Ok(())
            });
            std::panic::resume_unwind(Box::new("on purpose"));
        });
        assert!(thread.join().is_err());
        assert_eq!(done.load(Ordering::Relaxed), 1);
    }
}
