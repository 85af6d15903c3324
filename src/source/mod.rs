//! Text, files, byte spans, and where each YAML node sits. Imports nothing of ours.
//!
//! Start with [`SourceMap`] and [`Span`]; [`read`] turns a text into a [`Node`] tree; [`Text`] is a scalar that can point into
//! itself.

mod fault;
mod map;
mod node;
mod positions;
mod span;
mod syntax;
#[cfg(test)]
mod tests;
mod text;
mod torn;
mod tree;
mod yaml;

pub use fault::{DUPLICATE_KEY, Fault, SYNTAX, TOO_LARGE};
pub use map::SourceMap;
pub use node::{Entry, Node, NodeKind, Style};
pub use span::{LineColumn, SourceId, Span};
pub use text::{Run, Text};
pub use yaml::{FILE_SIZE, Parsed, parse, read};
