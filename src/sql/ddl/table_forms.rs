//! The forms of tables: columns, constraints, and what is done to them.

use super::forms::Rename;
use super::names::Named;
use crate::sql::Ident;

/// CREATE TABLE.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NewTable {
    /// Name.
    pub table: Option<Named>,
    /// TEMPORARY.
    pub temporary: bool,
    /// UNLOGGED.
    pub unlogged: bool,
    /// IF NOT EXISTS.
    pub if_not_exists: bool,
    /// TABLESPACE.
    pub tablespace: Option<Ident>,
    /// PARTITION OF, with its bound as written (`DEFAULT`, `FOR VALUES …`).
    pub partition_of: Option<(Named, String)>,
    /// INHERITS.
    pub inherits: Vec<Named>,
    /// LIKE.
    pub like: Vec<LikeForm>,
    /// Columns in order.
    pub columns: Vec<NewColumn>,
    /// Constraints of the table.
    pub constraints: Vec<ConstraintForm>,
    /// PARTITION BY: method and keys as written.
    pub partition_by: Option<(String, Vec<String>)>,
}

/// LIKE, with what of the other table is taken over beside columns and NOT NULL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LikeForm {
    /// The other table.
    pub table: Named,
    /// INCLUDING CONSTRAINTS: its checks.
    pub checks: bool,
    /// INCLUDING INDEXES, with primary key and unique constraints.
    pub indexes: bool,
    /// INCLUDING DEFAULTS.
    pub defaults: bool,
    /// INCLUDING GENERATED.
    pub generated: bool,
    /// INCLUDING IDENTITY.
    pub identity: bool,
}

/// A column with what is written behind its type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewColumn {
    /// Name.
    pub name: Ident,
    /// As written.
    pub data_type: String,
    /// COLLATE.
    pub collation: Option<String>,
    /// In order; NOT NULL, DEFAULT and GENERATED are among them.
    pub constraints: Vec<ConstraintForm>,
}

/// A constraint of a table, a column or a domain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConstraintForm {
    /// CONSTRAINT name.
    pub name: Option<Ident>,
    /// What it says.
    pub kind: ConstraintKind,
    /// NOT VALID.
    pub not_valid: bool,
    /// NOT ENFORCED (18).
    pub not_enforced: bool,
    /// NO INHERIT.
    pub no_inherit: bool,
    /// DEFERRABLE INITIALLY DEFERRED.
    pub deferred: bool,
    /// The whole, as written.
    pub written: String,
}

/// Kinds of constraint.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "PostgreSQL's own words")]
pub enum ConstraintKind {
    Check(String),
    /// Of this column where it stands alone (18); of its own column otherwise.
    NotNull(Option<Ident>),
    Null,
    Default(String),
    Identity {
        always: bool,
    },
    Generated {
        expression: String,
        stored: bool,
    },
    PrimaryKey {
        columns: Vec<Ident>,
        using_index: Option<Ident>,
        without_overlaps: bool,
    },
    Unique {
        columns: Vec<Ident>,
        using_index: Option<Ident>,
        without_overlaps: bool,
    },
    ForeignKey {
        columns: Vec<Ident>,
        table: Named,
        key: Vec<Ident>,
        on_delete: Option<String>,
        on_update: Option<String>,
    },
    Exclude {
        method: Option<Ident>,
        elements: Vec<(String, String)>,
        predicate: Option<String>,
    },
}

/// One action of ALTER TABLE.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "PostgreSQL's own words")]
pub enum TableAction {
    AddColumn {
        column: NewColumn,
        if_not_exists: bool,
    },
    DropColumn {
        column: Ident,
        if_exists: bool,
        cascade: bool,
    },
    SetType {
        column: Ident,
        data_type: String,
        collation: Option<String>,
        using: Option<String>,
    },
    SetDefault(Ident, String),
    DropDefault(Ident),
    SetNotNull(Ident),
    DropNotNull(Ident),
    SetExpression(Ident, String),
    DropExpression(Ident),
    AddIdentity {
        column: Ident,
        always: bool,
    },
    SetIdentity(Ident),
    DropIdentity(Ident),
    SetStatistics(Ident),
    SetAttributes(Ident),
    SetStorage(Ident),
    SetCompression(Ident),
    AddConstraint(ConstraintForm),
    DropConstraint {
        name: Ident,
        if_exists: bool,
        cascade: bool,
    },
    ValidateConstraint(Ident),
    /// With what is said of it: `enforced` is ENFORCED or NOT ENFORCED, `None` DEFERRABLE and the like.
    AlterConstraint {
        name: Ident,
        enforced: Option<bool>,
        inherit: Option<bool>,
    },
    RenameConstraint(Ident, Ident),
    Rename(Rename),
    AttachPartition {
        partition: Named,
        bound: String,
    },
    DetachPartition {
        partition: Named,
        concurrently: bool,
        finalize: bool,
    },
    SetLogged,
    SetUnlogged,
    SetAccessMethod,
    SetTablespace(Option<Ident>),
    SetOptions(Vec<String>),
    Trigger(TriggerState),
    Rule,
    RowSecurity(bool),
    ForceRowSecurity(bool),
    ReplicaIdentity,
    OwnerTo,
    Inherit(Named),
    NoInherit(Named),
    ClusterOn,
    SetWithoutCluster,
    OfType,
    /// Its words, for actions without a form.
    Other(String),
}

/// ENABLE TRIGGER and the like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "PostgreSQL's own words")]
pub enum TriggerState {
    Enable,
    Disable,
}
