//! The statements of a file, read.

use crate::migrate::files::Statement;
use crate::sql::{Ddl, SyntaxFault, ddl};

/// Fewer statements than this are not worth a thread.
const FEW: usize = 200;
/// More threads than this wait for each other's memory.
const MOST: usize = 8;
/// What a short statement needs in a build without optimisation, with room to spare.
const STACK: usize = 4 * 1024 * 1024;

/// Each statement by itself: reading is most of the work, and none needs another.
pub(super) fn forms(statements: &[Statement]) -> Vec<Result<Ddl, SyntaxFault>> {
    let read = |part: &[Statement]| -> Vec<_> { part.iter().map(|own| ddl(&own.sql)).collect() };
    let hands = std::thread::available_parallelism().map_or(1, usize::from);
    let hands = hands.min(MOST).min(statements.len() / FEW);
    if hands < 2 {
        return read(statements);
    }
    let parts: Vec<&[Statement]> = statements
        .chunks(statements.len().div_ceil(hands))
        .collect();
    std::thread::scope(|scope| {
        let begun: Vec<_> = parts
            .iter()
            .map(|part| {
                let builder = std::thread::Builder::new().stack_size(STACK);
                (*part, builder.spawn_scoped(scope, move || read(part)))
            })
            .collect();
        let done = begun.into_iter().flat_map(|(part, begun)| {
            let done = begun.ok().and_then(|begun| begun.join().ok());
            done.unwrap_or_else(|| read(part))
        });
        done.collect()
    })
}
