//! Parsers recurse; designs are untrusted. Long texts are parsed on a thread with a stack that fits them.

/// Texts of more tokens than this are not parsed at all: time grows with the square of the depth.
pub(super) const LONGEST: usize = 10_000;

/// Up to so many tokens the deepest tree fits on any thread's stack.
const SHORT: usize = 150;

/// Stack for one level of the deepest tree a token can add, in a build without optimisation, with room to spare.
const STACK_PER_TOKEN: usize = 16 * 1024;

/// Runs `parse` over a text of so many tokens. `None` where the text is too long, or the parser fell over.
pub(super) fn guarded<T: Send>(tokens: usize, parse: impl FnOnce() -> T + Send) -> Option<T> {
    if tokens > LONGEST {
        return None;
    }
    if tokens <= SHORT {
        return Some(parse());
    }
    std::thread::scope(|scope| {
        std::thread::Builder::new()
            .stack_size(2 * 1024 * 1024 + tokens * STACK_PER_TOKEN)
            .spawn_scoped(scope, parse)
            .ok()?
            .join()
            .ok()
    })
}
