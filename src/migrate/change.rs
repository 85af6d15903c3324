//! What sets two catalogs apart, as a closed list of changes.

use crate::catalog::ObjectPath;
use crate::sql::Ident;

/// One difference. The object is named as in the new schema; one that is dropped as in the old.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// What differs.
    pub object: ObjectPath,
    /// How.
    pub what: What,
}

/// How an object differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// Only the new schema has it.
    Created,
    /// Only the old schema has it.
    Dropped,
    /// The same under another name: the design says so (`was:`), or its definition is the same to the letter.
    Renamed(Ident),
    /// Both have it, and this of it differs.
    Altered(Facet),
}

/// What of an object differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Facet {
    /// What it is: the columns of a key, the expression of a check, the body of a function.
    Definition,
    /// Something it speaks of is replaced: it is built anew, though it reads the same.
    Rebuilt,
    /// A column's type, to one that has the same bytes.
    WiderType,
    /// A column's type, to one that has other bytes, or a column's name.
    Replaced,
    /// NOT NULL comes.
    NotNull,
    /// NOT NULL goes.
    Nullable,
    /// The default, or whether it is an identity.
    Default,
    /// GENERATED … STORED goes.
    NoLongerGenerated,
    /// COMMENT.
    Comment,
    /// Storage parameters.
    Storage,
    /// Whether and how a table is partitioned.
    Partitioning,
    /// The list of partitions.
    Partitions,
    /// Labels are added to an enum.
    LabelsAdded,
    /// Labels of an enum go or change places.
    LabelsReplaced,
    /// What a domain stands on, or its conditions.
    Domain,
}
