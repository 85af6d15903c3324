//! The report for a person at a terminal: what is wrong with its place, what was claimed and what came of it, each
//! counterexample drawn, and one line that says it all.
//!
//! The order is that of a terminal, where the end is what one sees: findings, tables, counterexamples, closing line. Nothing
//! else in the program may name `miette`: findings stay plain data until they are drawn here.

mod excerpt;
mod finding;
mod page;
mod paint;
mod table;

pub(super) use page::render;
