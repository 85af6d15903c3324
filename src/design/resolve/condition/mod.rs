//! The conditions of `require:`: comparisons over parameters and captured rows, read by a parser of their own so that a
//! fault has its place and the verifier can evaluate them between two statements.
//!
//! ```text
//! or      = and { "or" and }
//! and     = not { "and" not }
//! not     = "not" not | compare
//! compare = sum [ ("==" | "!=" | "<" | "<=" | ">" | ">=") sum | ["not"] "in" "[" sum { "," sum } "]" ]
//! sum     = value { ("+" | "-") value }
//! value   = number | 'text' | true | false | null | name | capture "." column | "-" value | "(" or ")"
//! ```

mod meaning;
mod parser;
mod token;

#[cfg(test)]
mod tests;

pub(super) use parser::parse;
#[cfg(test)]
pub(super) use token::Fault;
