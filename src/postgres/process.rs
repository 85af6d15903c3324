//! A server process of ours: started as the right user, ended with us.

use std::fs::DirBuilder;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, ExitStatus};
use std::sync::{Arc, Condvar, Mutex, PoisonError, mpsc};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use super::cores::everywhere;
use super::lease::io_error;
use crate::error::Error;

/// A user of this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct User {
    pub(super) name: String,
    pub(super) uid: u32,
    pub(super) gid: u32,
}

/// Whom to run the server as: PostgreSQL refuses to run as root, so root hands it to `postgres`, or else `nobody`.
/// None: as who we are.
pub(super) fn server_user() -> Option<User> {
    if !rustix::process::geteuid().is_root() {
        return None;
    }
    let passwd = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    let user = find_user(&passwd, "postgres").or_else(|| find_user(&passwd, "nobody"));
    Some(user.unwrap_or(User {
        name: "nobody".to_owned(),
        uid: 65534,
        gid: 65534,
    }))
}

fn find_user(passwd: &str, name: &str) -> Option<User> {
    let line = passwd
        .lines()
        .find(|line| line.split(':').next() == Some(name))?;
    let fields: Vec<&str> = line.split(':').collect();
    let number = |at: usize| fields.get(at)?.parse().ok();
    Some(User {
        name: name.to_owned(),
        uid: number(2)?,
        gid: number(3)?,
    })
}

/// A folder that only `user`, or else only we, can enter.
pub(super) fn make_folder(path: &Path, user: Option<&User>) -> Result<(), Error> {
    DirBuilder::new()
        .mode(0o700)
        .create(path)
        .map_err(|e| io_error(path, e))?;
    give(path, user)
}

/// Makes it the user's.
pub(super) fn give(path: &Path, user: Option<&User>) -> Result<(), Error> {
    let Some(user) = user else { return Ok(()) };
    std::os::unix::fs::lchown(path, Some(user.uid), Some(user.gid)).map_err(|e| io_error(path, e))
}

/// The command, to be run as `user`, in the root folder, with nothing of our environment but `PATH`, and out of reach of the terminal:
/// Ctrl-C goes to everything in its process group, and what runs here is ended by us, in order.
pub(super) fn prepared(mut command: Command, user: Option<&User>) -> Command {
    command
        .env_clear()
        .env("LC_ALL", "C")
        .env("PATH", "/usr/local/bin:/usr/bin:/bin")
        .current_dir("/");
    command.stdin(std::process::Stdio::null()).process_group(0);
    if let Some(user) = user {
        command.gid(user.gid).uid(user.uid);
    }
    command
}

/// A running child, kept by a thread of its own.
#[derive(Debug)]
pub(super) struct Process {
    pid: Pid,
    exit: Arc<(Mutex<Option<ExitStatus>>, Condvar)>,
}

impl Process {
    /// Starts the command. The system ends the child when the thread that started it ends, so a thread is made
    /// that lives exactly as long as the child; the runtime's threads come and go.
    pub(super) fn spawn(mut command: Command) -> io::Result<Process> {
        end_with_parent(&mut command);
        let exit = Arc::new((Mutex::new(None), Condvar::new()));
        let seen = exit.clone();
        let (sender, receiver) = mpsc::channel();
        std::thread::Builder::new()
            .name("postgres".to_owned())
            .spawn(move || {
                everywhere();
                let mut child = match command.spawn() {
                    Ok(child) => child,
                    Err(error) => {
                        let _ = sender.send(Err(error));
                        return;
                    }
                };
                let _ = sender.send(Ok(child.id()));
                let status = child.wait().unwrap_or_default();
                *seen.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(status);
                seen.1.notify_all();
            })?;
        let id = receiver
            .recv()
            .map_err(|_| io::Error::other("the thread that keeps the server ended"))??;
        let pid = i32::try_from(id)
            .ok()
            .and_then(Pid::from_raw)
            .ok_or_else(|| io::Error::other("no process"))?;
        Ok(Process { pid, exit })
    }

    /// How it ended, if it has.
    pub(super) fn exited(&self) -> Option<ExitStatus> {
        *self.exit.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends it at once; its data is thrown away.
    pub(super) fn stop(&self) {
        // SIGQUIT is PostgreSQL's immediate shutdown: it ends its own children first, within five seconds.
        if self.signal(Signal::QUIT)
            && !self.wait(Duration::from_secs(8))
            && self.signal(Signal::KILL)
        {
            self.wait(Duration::from_secs(2));
        }
    }

    fn signal(&self, signal: Signal) -> bool {
        // The lock keeps the process from being reaped, and its number from being given to another, meanwhile.
        let exit = self.exit.0.lock().unwrap_or_else(PoisonError::into_inner);
        exit.is_none() && kill_process(self.pid, signal).is_ok()
    }

    fn wait(&self, limit: Duration) -> bool {
        let exit = self.exit.0.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self
            .exit
            .1
            .wait_timeout_while(exit, limit, |exit| exit.is_none());
        waited.map_or_else(|e| e.into_inner().0.is_some(), |(exit, _)| exit.is_some())
    }
}

/// Has the kernel end the child when we are killed and cannot. Elsewhere than on Linux the next run's sweep does it.
#[cfg(target_os = "linux")]
#[expect(
    unsafe_code,
    reason = "the only way to say this to a child is between fork and exec"
)]
fn end_with_parent(command: &mut Command) {
    let set = || {
        rustix::process::set_parent_process_death_signal(Some(Signal::QUIT))?;
        Ok(())
    };
    // SAFETY: `set` makes one system call; it allocates nothing, locks nothing and touches no memory of ours.
    unsafe {
        command.pre_exec(set);
    }
}

#[cfg(not(target_os = "linux"))]
fn end_with_parent(_: &mut Command) {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_are_found_by_their_whole_name() {
        let passwd = "root:x:0:0:root:/root:/bin/sh\npostgresql:x:1:1::/:\npostgres:x:101:104:,,,:/var:/bin/sh\n";
        let found = find_user(passwd, "postgres");
        assert_eq!(
            found,
            Some(User {
                name: "postgres".to_owned(),
                uid: 101,
                gid: 104
            })
        );
        assert_eq!(find_user(passwd, "nobody"), None);
        assert_eq!(find_user("postgres:x:no", "postgres"), None);
    }

    #[test]
    fn a_process_is_stopped_and_its_end_seen() {
        let mut command = Command::new("sleep");
        command.arg("600");
        let process = Process::spawn(command).expect("every Unix has sleep");
        assert!(process.exited().is_none());
        process.stop();
        assert!(process.exited().is_some_and(|status| !status.success()));
        process.stop();
    }

    #[test]
    fn a_program_that_is_missing_is_an_error() {
        assert!(Process::spawn(Command::new("/no/such/program")).is_err());
    }
}
