//! Queries against their expectations: every statement of the design is put to the server, and every catalogued query is planned and run
//! on a generated, analysed sample.
//!
//! Start with [`plans`]. `prepare` finds what the server would not accept; `sample` loads rows; `params` chooses values; `expect` asks the
//! assertions of `explain`. Plans at the declared volume are not made here: an expectation that a sample cannot decide is `unchecked`.

#[cfg_attr(
    not(test),
    expect(
        dead_code,
        unused_imports,
        reason = "asked for by the advice that is being written"
    )
)]
mod candidate;
mod expect;
mod params;
mod prepare;
mod query;
mod sample;

pub use prepare::refused_statements;
pub use query::{Plans, plans};
pub(super) use query::{claim, plans_of};
