//! The schema as plain data: equal, orderable, without OIDs. Made by `compile` from a model and by `postgres` from a live
//! database; `build` compares the two.

mod compare;
mod constraint;
mod difference;
mod index;
mod routine;
mod schema;
mod statistics;
mod table;

pub use constraint::{Check, Exclusion, ForeignKey, OnDelete, Unique};
pub use difference::{Difference, differences};
pub use index::{Index, IndexKey};
pub use routine::{Function, Policy, PolicyCommand, Trigger, TriggerTiming, View};
pub use schema::{Catalog, ObjectPath, Privilege, Role, UserType};
pub use statistics::{Statistics, StatisticsKind};
pub use table::{
    Column, ColumnDefault, Partition, PartitionBound, PartitionMethod, Partitioning, Table,
};
