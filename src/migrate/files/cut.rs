//! Cutting a text into statements.

use std::ops::Range;

use super::forms::{Statement, Wrapping};
use crate::sql::statements;

/// The statements of a part of a file. `masked` has the bytes of `text`, with what is no SQL blanked.
pub(super) fn cut(
    masked: &str,
    part: Range<usize>,
    wrapping: Wrapping,
    unit: usize,
) -> Vec<Statement> {
    let found = statements(&masked[part.clone()]);
    let transactional = match wrapping {
        Wrapping::Transaction => true,
        Wrapping::Each => false,
        Wrapping::Message => found.len() > 1,
    };
    found
        .into_iter()
        .map(|range| Statement {
            sql: masked[part.start + range.start..part.start + range.end].to_owned(),
            at: part.start + range.start..part.start + range.end,
            transactional,
            unit,
        })
        .collect()
}
