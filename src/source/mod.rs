//! Text, files, byte spans, and where each YAML node sits. Imports nothing of ours.
//!
//! Start with [`SourceMap`] and [`Span`]; [`Text`] is a scalar that can point into itself.

mod map;
mod node;
mod span;
mod text;

pub use map::SourceMap;
pub use node::{Entry, Node, NodeKind, Style};
pub use span::{LineColumn, SourceId, Span};
pub use text::Text;
