//! The assertions, one file each.

mod buffers;
mod cost;
mod estimates;
mod index_only;
mod large_seq_scan;
mod large_sort;
mod never;
mod partitions;
mod reads;
mod returns;
mod same_plan_for;
#[cfg(test)]
mod samples;
mod uses;

pub use buffers::BUFFERS;
pub use cost::COST;
pub use estimates::ESTIMATES;
pub use index_only::INDEX_ONLY;
pub use large_seq_scan::LARGE_SEQ_SCAN;
pub use large_sort::LARGE_SORT;
pub use never::NEVER;
pub use partitions::PARTITIONS;
pub use reads::READS;
pub use returns::RETURNS;
pub use same_plan_for::SAME_PLAN_FOR;
pub use uses::USES;
