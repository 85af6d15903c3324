//! A core for a thread and the server processes that it talks to. Each of them waits for the other all the time; on one core nobody has
//! to wake a second one for every word, which takes longer than a small statement.

#[cfg(target_os = "linux")]
pub use linux::Core;
#[cfg(target_os = "linux")]
pub(super) use linux::everywhere;
#[cfg(not(target_os = "linux"))]
pub use other::Core;
#[cfg(not(target_os = "linux"))]
pub(super) use other::everywhere;

#[cfg(target_os = "linux")]
mod linux {
    use std::collections::BTreeMap;
    use std::sync::{Mutex, OnceLock, PoisonError};

    use rustix::process::Pid;
    use rustix::thread::{CpuSet, gettid, sched_getaffinity, sched_getcpu, sched_setaffinity};

    /// What this process could use before anything of it was bound.
    static ALLOWED: OnceLock<Option<CpuSet>> = OnceLock::new();
    /// Threads that are bound: to which core, and how often they asked for it.
    static BOUND: Mutex<BTreeMap<i32, (usize, usize)>> = Mutex::new(BTreeMap::new());

    fn allowed() -> Option<CpuSet> {
        *ALLOWED.get_or_init(|| sched_getaffinity(None).ok())
    }

    fn number(thread: Pid) -> i32 {
        thread.as_raw_nonzero().get()
    }

    /// Where the calling thread runs until this is dropped.
    #[derive(Debug)]
    pub struct Core {
        core: usize,
        thread: Pid,
    }

    impl Core {
        /// Binds the calling thread to the core that fewest threads of this process are bound to; one that is bound stays where it is.
        /// Nothing where there is no choice.
        pub(in crate::postgres) fn take() -> Option<Core> {
            let allowed = allowed().filter(|allowed| allowed.count() > 1)?;
            let thread = gettid();
            let mut bound = BOUND.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some((core, times)) = bound.get_mut(&number(thread)) {
                *times += 1;
                return Some(Core {
                    core: *core,
                    thread,
                });
            }
            let here = sched_getcpu();
            let users = |core: usize| bound.values().filter(|(other, _)| *other == core).count();
            let core = (0..CpuSet::MAX_CPU)
                .filter(|core| allowed.is_set(*core))
                .min_by_key(|core| (users(*core), *core != here))?;
            let found = Core { core, thread };
            found.bind(thread)?;
            bound.insert(number(thread), (core, 1));
            Some(found)
        }

        /// Binds a process to the same core; nothing where that is not allowed.
        pub(in crate::postgres) fn bind(&self, process: Pid) -> Option<()> {
            let mut only = CpuSet::new();
            only.set(self.core);
            sched_setaffinity(Some(process), &only).ok()
        }
    }

    impl Drop for Core {
        fn drop(&mut self) {
            let mut bound = BOUND.lock().unwrap_or_else(PoisonError::into_inner);
            let Some((_, times)) = bound.get_mut(&number(self.thread)) else {
                return;
            };
            *times -= 1;
            if *times == 0 {
                bound.remove(&number(self.thread));
                if let Some(allowed) = allowed() {
                    // A thread that is gone needs no core.
                    let _ = sched_setaffinity(Some(self.thread), &allowed);
                }
            }
        }
    }

    /// Lets the calling thread, and what it starts, run on every core again: both take after the thread that made them.
    pub(in crate::postgres) fn everywhere() {
        if let Some(allowed) = allowed() {
            let _ = sched_setaffinity(None, &allowed);
        }
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        fn cores() -> u32 {
            sched_getaffinity(None)
                .expect("a thread may look at itself")
                .count()
        }

        #[test]
        fn a_thread_is_bound_until_all_that_asked_for_it_are_done() {
            let before = cores();
            let Some(one) = Core::take() else {
                assert_eq!(before, 1, "there was a choice");
                return;
            };
            let two = Core::take().expect("the same core");
            assert_eq!(one.core, two.core);
            assert_eq!(cores(), 1);
            drop(one);
            assert_eq!(cores(), 1);
            let child = std::thread::spawn(|| (cores(), everywhere(), cores()));
            let (inherited, (), own) = child.join().expect("it ends");
            assert_eq!((inherited, own), (1, before));
            drop(two);
            assert_eq!(cores(), before);
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod other {
    use rustix::process::Pid;

    /// Elsewhere than on Linux the system decides who runs where.
    #[derive(Debug)]
    pub struct Core(std::convert::Infallible);

    impl Core {
        pub(in crate::postgres) fn take() -> Option<Core> {
            None
        }

        pub(in crate::postgres) fn bind(&self, _: Pid) -> Option<()> {
            match self.0 {}
        }
    }

    pub(in crate::postgres) fn everywhere() {}
}
