//! The forms.

use super::fires::Fires;
use super::names::Named;
use super::table_forms::{ConstraintForm, NewTable, TableAction};
use crate::sql::Ident;

/// What a statement says.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(
    missing_docs,
    reason = "each variant is the statement of its name, each field a word of it"
)]
pub enum Ddl {
    CreateTable(Box<NewTable>),
    /// Also `SELECT … INTO`.
    CreateTableAs {
        table: Named,
        temporary: bool,
        if_not_exists: bool,
        query: String,
    },
    /// Also of foreign tables and materialised views.
    AlterTable {
        table: Named,
        only: bool,
        if_exists: bool,
        actions: Vec<TableAction>,
    },
    AlterIndex {
        index: Named,
        action: IndexAction,
    },
    /// `rename` where that is what it does.
    AlterView {
        view: Named,
        rename: Option<Rename>,
    },
    CreateIndex(Box<IndexForm>),
    DropIndex {
        indexes: Vec<Named>,
        concurrently: bool,
        if_exists: bool,
        cascade: bool,
    },
    /// Tables, views, types, domains, schemas, functions, sequences …
    Drop {
        what: Object,
        names: Vec<Named>,
        if_exists: bool,
        cascade: bool,
    },
    CreateType {
        name: Named,
        labels: Option<Vec<String>>,
    },
    AlterType {
        name: Named,
        action: TypeAction,
    },
    CreateDomain {
        name: Named,
        base: String,
        constraints: Vec<ConstraintForm>,
    },
    AlterDomain {
        name: Named,
        action: DomainAction,
    },
    CreateTrigger {
        table: Named,
        name: Ident,
        constraint: bool,
        or_replace: bool,
        /// FROM of a constraint trigger.
        from: Option<Named>,
        /// What it calls.
        function: Option<Named>,
        /// When it fires, where that is all there is to it.
        fires: Option<Box<Fires>>,
    },
    DropTrigger {
        table: Named,
        name: Ident,
        if_exists: bool,
    },
    AlterTrigger {
        table: Named,
    },
    CreateRule {
        table: Named,
        or_replace: bool,
    },
    DropRule {
        table: Named,
        if_exists: bool,
    },
    AlterRule {
        table: Named,
    },
    CreatePolicy {
        table: Named,
        name: Ident,
    },
    AlterPolicy {
        table: Named,
    },
    DropPolicy {
        table: Named,
        name: Ident,
        if_exists: bool,
    },
    CreateView {
        view: Named,
        or_replace: bool,
        materialized: bool,
        with_data: bool,
        query: String,
    },
    Refresh {
        view: Named,
        concurrently: bool,
        with_data: bool,
    },
    Truncate {
        tables: Vec<(Named, bool)>,
        cascade: bool,
    },
    /// Without tables: the whole database.
    Vacuum {
        full: bool,
        tables: Vec<Named>,
    },
    Analyze {
        tables: Vec<Named>,
    },
    Cluster {
        table: Option<Named>,
    },
    Reindex {
        target: ReindexTarget,
        concurrently: bool,
    },
    LockTable {
        tables: Vec<Named>,
        /// `ACCESS EXCLUSIVE` where none is written.
        mode: String,
    },
    Comment {
        on: Option<(Object, Named)>,
    },
    CreateStatistics {
        name: Option<Named>,
        table: Option<Named>,
    },
    RenameStatistics {
        name: Named,
        to: Ident,
    },
    CreateSchema {
        name: Option<Ident>,
        /// It holds further CREATE statements.
        has_elements: bool,
    },
    CreateExtension {
        name: Ident,
    },
    CreateSequence {
        name: Named,
        owned_by: Option<Named>,
    },
    AlterSequence {
        name: Named,
        owned_by: Option<Named>,
    },
    /// Also procedures. The definition is the whole statement.
    CreateFunction {
        name: Named,
        definition: String,
    },
    /// Tables that are named; empty where it is about something else.
    Grant {
        tables: Vec<Named>,
    },
    Transaction(Transaction),
    Set(Setting),
    /// `conditions`: none means every row.
    Update {
        table: Named,
        condition: Option<String>,
    },
    Delete {
        table: Named,
        condition: Option<String>,
    },
    Insert {
        table: Named,
    },
    Merge {
        table: Named,
    },
    /// A statement that changes rows in its WITH: what is changed there, then the statement itself.
    With(Vec<Ddl>),
    /// SELECT, VALUES, TABLE: with what is locked by FOR UPDATE and the like.
    Select,
    CopyFrom {
        table: Option<Named>,
    },
    /// An anonymous block: what it runs is not seen.
    Do,
    /// CALL, EXECUTE: what they run is not seen.
    Call,
    /// Touches no relation that anybody uses: roles, publications, text search …
    Apart,
    CreateDatabase,
    AlterSystem,
    /// Its leading words, for statements without a form.
    Other(String),
}

/// What DROP, COMMENT and the like are about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "PostgreSQL's own words")]
pub enum Object {
    Table,
    View,
    MaterializedView,
    Type,
    Domain,
    Schema,
    Sequence,
    Function,
    Extension,
    Database,
    Owned,
    Index,
    Column,
    Constraint,
    Statistics,
    Other,
}

/// From one name to another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rename {
    /// RENAME TO.
    To(Ident),
    /// RENAME COLUMN … TO.
    Column(Ident, Ident),
    /// SET SCHEMA.
    Schema(Ident),
}

/// ALTER INDEX.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "PostgreSQL's own words")]
pub enum IndexAction {
    Rename(Ident),
    Attach(Named),
    SetTablespace(Option<Ident>),
    SetOptions,
    SetStatistics,
    Other,
}

/// CREATE INDEX.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IndexForm {
    /// Name, where one is given.
    pub name: Option<Named>,
    /// Its table.
    pub table: Named,
    /// ON ONLY.
    pub only: bool,
    /// UNIQUE.
    pub unique: bool,
    /// CONCURRENTLY.
    pub concurrently: bool,
    /// IF NOT EXISTS.
    pub if_not_exists: bool,
    /// USING; `btree` where none is written.
    pub method: Ident,
    /// In order.
    pub keys: Vec<KeyForm>,
    /// INCLUDE.
    pub include: Vec<Ident>,
    /// WHERE.
    pub predicate: Option<String>,
    /// All behind the table, as written: method, keys with their operator classes, options.
    pub written: String,
}

/// One key of an index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyForm {
    /// As written, without order and operator class.
    pub expression: String,
    /// The column, where it is one.
    pub column: Option<Ident>,
    /// DESC.
    pub descending: bool,
    /// NULLS FIRST or LAST, where written.
    pub nulls_first: Option<bool>,
}

/// REINDEX what.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "PostgreSQL's own words")]
pub enum ReindexTarget {
    Table(Named),
    Index(Named),
    Schema(Ident),
    Database,
}

/// ALTER TYPE.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "PostgreSQL's own words")]
pub enum TypeAction {
    AddValue {
        value: String,
        if_not_exists: bool,
    },
    RenameValue {
        from: String,
        to: String,
    },
    Rename(Ident),
    SetSchema(Ident),
    OwnerTo,
    /// Of a composite type: ADD, DROP, ALTER ATTRIBUTE.
    Attributes,
    Other,
}

/// ALTER DOMAIN.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "PostgreSQL's own words")]
pub enum DomainAction {
    Add(ConstraintForm),
    Drop(Ident),
    Validate(Ident),
    SetNotNull,
    DropNotNull,
    Default,
    Rename(Ident),
    Other,
}

/// What speaks of the transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "PostgreSQL's own words")]
pub enum Transaction {
    Begin,
    Commit,
    Rollback,
    Savepoint(Ident),
    RollbackTo(Ident),
    Release,
    Prepare,
    /// SET TRANSACTION, SET CONSTRAINTS.
    Mode,
}

/// SET and RESET.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// `lock_timeout`, in lower case; empty where it is another form of SET.
    pub name: String,
    /// As written, without quotes around a single string.
    pub value: String,
    /// SET LOCAL.
    pub local: bool,
    /// RESET, or TO DEFAULT.
    pub reset: bool,
}
