//! What a design means: resolved, every node with its place. No `Option` that resolution has settled.

mod claim;
mod command;
mod document;
mod query;
mod table;

pub use claim::{
    Enforcement, Invariant, InvariantKind, Limit, Monitor, Overlap, Projection, ProjectionKind,
    Rule,
};
pub use command::{
    Batch, Capture, Command, Condition, Event, Isolation, Operand, Operator, Outcome, Param, State,
    StateRow, Step, StepKind,
};
pub use document::{
    Change, Database, Document, Grant, Model, Name, Risk, Role, Section, UserType, UserTypeKind,
    Waiver,
};
pub use query::{Expectation, Pagination, Query, QueryKind};
pub use table::{
    Bound, Check, Column, Data, Exclusion, ForeignKey, Index, IndexKey, PartitionBy, PartitionRule,
    Retention, RetentionAction, Sensitivity, Statistics, Table, TableRole, TimeKind, Unique, View,
    ViewKind, Volume, Writes,
};
