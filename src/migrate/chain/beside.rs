//! What is so of a schema, and is not in the catalog.

use std::collections::{BTreeMap, BTreeSet};

use crate::sql::{Ident, QualifiedName};

/// Facts beside the catalog that statements of a chain bring about. All empty: every constraint is validated, every table logged and
/// older than the transaction.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Beside {
    /// Constraints that are NOT VALID, by table (or domain) and name.
    pub unproven: BTreeSet<(QualifiedName, Ident)>,
    /// Relations made in the open transaction, or made empty and in no use yet: nobody waits for them.
    pub fresh: BTreeSet<QualifiedName>,
    /// Tables that are UNLOGGED.
    pub unlogged: BTreeSet<QualifiedName>,
    /// Types and enum values made in the open transaction.
    pub fresh_values: BTreeSet<(QualifiedName, String)>,
    /// Tables that inherit, by parent (partitions apart).
    pub children: BTreeMap<QualifiedName, BTreeSet<QualifiedName>>,
    /// Locks held by the open transaction.
    pub held: BTreeMap<QualifiedName, crate::migrate::LockMode>,
}
