//! Rules whose condition is more than a line. Each has its file here, its YAML under `checks/`, and a line in [`BUILTINS`].

mod missing_section;
mod query_without_index;
mod question_open;
mod question_without_owner;
mod reads_out_of_reach;
mod registry;

pub(super) use query_without_index::reaches;
pub use registry::{BUILTINS, Builtin};
pub(super) use registry::{Hit, How, Run};
