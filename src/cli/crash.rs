//! What happens when pgproof itself is wrong.

use std::panic::PanicHookInfo;
use std::sync::{Mutex, PoisonError};

/// What the last panic said. Recorded, not printed: a library may panic where its caller has a way on, and only a panic
/// that ends the run is worth a reader's time.
static LAST: Mutex<Option<String>> = Mutex::new(None);

/// From here on panics are recorded in silence.
pub(super) fn record_panics() {
    std::panic::set_hook(Box::new(|info| {
        *LAST.lock().unwrap_or_else(PoisonError::into_inner) = Some(told(info));
    }));
}

/// What the panic said that ended the run.
pub(super) fn last_words() -> String {
    LAST.lock()
        .unwrap_or_else(PoisonError::into_inner)
        .take()
        .unwrap_or_else(|| "it panicked without a word".to_owned())
}

fn told(info: &PanicHookInfo<'_>) -> String {
    let what = info.payload_as_str().unwrap_or("it panicked");
    match info.location() {
        Some(at) => format!("{what} ({}:{})", at.file(), at.line()),
        None => what.to_owned(),
    }
}
