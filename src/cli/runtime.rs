//! Work with servers, until it is done or somebody wants it to end.

use std::future::Future;

use crate::error::{Error, ExitCode};
use crate::postgres::{Signal, stop_all, until_signal};

/// Runs the work. A signal ends it: what it holds is dropped, which stops its servers, and the code is the one that shells
/// expect.
pub(super) fn until_done_or_told<T>(
    work: impl Future<Output = Result<T, Error>>,
) -> Result<Result<T, ExitCode>, Error> {
    // One thread: what a session answers is wanted at once, and waking another thread takes as long as a small statement.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|source| Error::Io {
            path: "the machinery for sessions".to_owned(),
            source,
        })?;
    let ended = runtime.block_on(async {
        tokio::select! {
            done = work => done.map(Ok),
            signal = until_signal() => Ok(Err(code(signal))),
        }
    });
    // Sessions may still be open in tasks of the runtime; they end with it, and nothing of ours outlives them.
    runtime.shutdown_background();
    stop_all();
    ended
}

fn code(signal: Signal) -> ExitCode {
    match signal {
        Signal::Hangup => ExitCode::Hangup,
        Signal::Interrupt => ExitCode::Interrupted,
        Signal::Terminate => ExitCode::Terminated,
    }
}
