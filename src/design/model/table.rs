//! Tables and what is in them.

use std::collections::{BTreeMap, BTreeSet};

use super::document::Name;
use crate::catalog::{OnDelete, StatisticsKind};
use crate::source::{Span, Text};
use crate::sql::Ident;

/// What kind of data a table holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "language.md: table.role")]
pub enum TableRole {
    Truth,
    History,
    Log,
    Projection,
    Reference,
    Queue,
}

/// Which clock a time column follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "language.md: column.time")]
pub enum TimeKind {
    Event,
    Transaction,
    Effective,
    Processing,
    Snapshot,
}

/// How sensitive a column is, from least to most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "language.md: column.sensitivity")]
pub enum Sensitivity {
    Public,
    Internal,
    Confidential,
    Personal,
    Secret,
    Regulated,
}

/// A table.
#[derive(Clone, Debug)]
pub struct Table {
    /// Name.
    pub name: Name,
    /// What one row is.
    pub grain: Option<Text>,
    /// What kind of data it holds.
    pub role: Option<TableRole>,
    /// Team.
    pub owner: Option<Text>,
    /// Longer explanation.
    pub means: Option<Text>,
    /// In order.
    pub columns: Vec<Column>,
    /// Primary key; empty where the design gives none.
    pub key: Vec<Name>,
    /// Where `key` is written, else the table's name.
    pub key_at: Span,
    /// `unique:`.
    pub unique: Vec<Unique>,
    /// `references:`.
    pub references: Vec<ForeignKey>,
    /// `checks:`.
    pub checks: Vec<Check>,
    /// `exclude:`.
    pub exclusions: Vec<Exclusion>,
    /// `indexes:`.
    pub indexes: Vec<Index>,
    /// `statistics:`.
    pub statistics: Vec<Statistics>,
    /// `partition:`.
    pub partition: Option<PartitionBy>,
    /// `retention:`.
    pub retention: Vec<Retention>,
    /// `volume:`.
    pub volume: Option<Volume>,
    /// `writes:`, where it says which kind of write.
    pub writes: Option<Writes>,
    /// 10 to 100.
    pub fillfactor: Option<u16>,
    /// Tenant column, as declared by `tenant:`.
    pub tenant: Option<Name>,
    /// Earlier name.
    pub was: Option<Name>,
}

impl Table {
    /// A column by name.
    pub fn column(&self, name: &Ident) -> Option<&Column> {
        self.columns
            .iter()
            .find(|column| column.name.ident == *name)
    }

    /// Rows declared, or 10,000 where the design is silent.
    pub fn rows(&self) -> f64 {
        self.volume.as_ref().map_or(10_000.0, |volume| volume.rows)
    }
}

/// A column.
#[derive(Clone, Debug)]
pub struct Column {
    /// Name.
    pub name: Name,
    /// Type as SQL, checked for syntax; a name of `types:` or PostgreSQL's own.
    pub data_type: Text,
    /// Whether it may be null, and the reason (`type?` gives none).
    pub nullable: bool,
    /// Why it may be null.
    pub nullable_because: Option<Text>,
    /// DEFAULT, as SQL.
    pub default: Option<Text>,
    /// `identity: always` (true) or `by default` (false).
    pub identity: Option<bool>,
    /// GENERATED ALWAYS AS (…) STORED.
    pub generated: Option<Text>,
    /// Allowed values, as text.
    pub one_of: Vec<Text>,
    /// CHECK over this column.
    pub check: Option<Text>,
    /// COLLATE.
    pub collate: Option<Text>,
    /// What it means.
    pub means: Option<Text>,
    /// Which clock.
    pub time: Option<TimeKind>,
    /// How sensitive.
    pub sensitivity: Option<Sensitivity>,
    /// Whether `derived:` is given.
    pub derived: bool,
    /// Distribution of values.
    pub data: Data,
    /// Earlier name.
    pub was: Option<Name>,
}

/// How a column's values are spread.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Data {
    /// A count, or a fraction of the rows where below 1.
    pub distinct: Option<f64>,
    /// Values with their shares (0 to 1).
    pub values: Vec<(String, f64)>,
    /// Zipf exponent.
    pub skew: Option<f64>,
    /// Share of nulls.
    pub nulls: Option<f64>,
    /// Lowest and highest, as text.
    pub range: Option<(String, String)>,
    /// With physical order, -1 to 1.
    pub correlation: Option<f64>,
    /// Average bytes.
    pub width: Option<f64>,
    /// Pattern of generated text.
    pub pattern: Option<String>,
}

/// A unique constraint (or, with `where`, a partial unique index).
#[derive(Clone, Debug)]
pub struct Unique {
    /// Name.
    pub name: Name,
    /// Columns.
    pub columns: Vec<Name>,
    /// Partial predicate.
    pub predicate: Option<Text>,
}

/// A foreign key.
#[derive(Clone, Debug)]
pub struct ForeignKey {
    /// Name.
    pub name: Name,
    /// Referencing columns.
    pub columns: Vec<Name>,
    /// Referenced table.
    pub to: Name,
    /// Referenced columns, settled: as given, else same names where the parent has them all, else its primary key.
    pub key: Vec<Name>,
    /// ON DELETE; absent where the design is silent.
    pub on_delete: Option<OnDelete>,
    /// ON UPDATE.
    pub on_update: Option<OnDelete>,
    /// DEFERRABLE INITIALLY DEFERRED.
    pub deferrable: bool,
    /// Why.
    pub because: Option<Text>,
}

/// A named check.
#[derive(Clone, Debug)]
pub struct Check {
    /// Name.
    pub name: Name,
    /// Expression.
    pub expression: Text,
}

/// A named exclusion.
#[derive(Clone, Debug)]
pub struct Exclusion {
    /// Name.
    pub name: Name,
    /// Index method; `gist` where silent.
    pub using: Ident,
    /// Expression with operator.
    pub elements: Vec<(Text, Text)>,
    /// Partial predicate.
    pub predicate: Option<Text>,
}

/// A key of an index.
#[derive(Clone, Debug)]
pub struct IndexKey {
    /// As written, options taken off.
    pub expression: Text,
    /// The column, where it is one.
    pub column: Option<Ident>,
    /// COLLATE.
    pub collation: Option<String>,
    /// Operator class.
    pub opclass: Option<String>,
    /// `desc`.
    pub descending: bool,
    /// `nulls first` / `nulls last`, where written.
    pub nulls_first: Option<bool>,
}

/// An index.
#[derive(Clone, Debug)]
pub struct Index {
    /// Name.
    pub name: Name,
    /// Method; `btree` where silent.
    pub using: Ident,
    /// UNIQUE.
    pub unique: bool,
    /// Keys.
    pub keys: Vec<IndexKey>,
    /// INCLUDE.
    pub include: Vec<Name>,
    /// Partial predicate.
    pub predicate: Option<Text>,
    /// Storage parameters.
    pub with: BTreeMap<String, String>,
    /// Queries it is there for.
    pub serves: Vec<Name>,
    /// Why, where no query is named.
    pub because: Option<Text>,
    /// When it may go.
    pub drop_when: Option<Text>,
    /// Earlier name.
    pub was: Option<Name>,
}

/// Extended statistics.
#[derive(Clone, Debug)]
pub struct Statistics {
    /// Name.
    pub name: Name,
    /// Columns.
    pub columns: Vec<Name>,
    /// What is gathered.
    pub kinds: BTreeSet<StatisticsKind>,
    /// Different combinations there are.
    pub distinct: Option<f64>,
}

/// `partition:`.
#[derive(Clone, Debug)]
pub struct PartitionBy {
    /// Partition column.
    pub by: Name,
    /// How.
    pub rule: PartitionRule,
    /// Whether a default partition is asked for.
    pub default: bool,
    /// Where it is written.
    pub at: Span,
}

/// How a table is cut.
#[derive(Clone, Debug, PartialEq)]
pub enum PartitionRule {
    /// Ranges of `every` months, days or hours, from `from` on, `ahead` of them.
    Every {
        /// Number of units.
        count: u32,
        /// `hour`, `day`, `week`, `month`, `year`.
        unit: String,
        /// `YYYY-MM-DD`.
        from: String,
        /// Partitions made from `from` on.
        ahead: u32,
    },
    /// Ranges with explicit bounds (`name: [from, to]`), as literals.
    Ranges(Vec<(Ident, String, String)>),
    /// Named lists of values.
    List(Vec<(Ident, Vec<String>)>),
    /// Modulus.
    Hash(u32),
}

/// A value bound.
pub type Bound = String;

/// `retention:`, one rule.
#[derive(Clone, Debug)]
pub struct Retention {
    /// Age in seconds (months of 30.44 days); absent for a hold.
    pub after: Option<f64>,
    /// Age as written.
    pub after_text: Option<Text>,
    /// Time column.
    pub of: Option<Name>,
    /// Which rows.
    pub predicate: Option<Text>,
    /// What is done.
    pub action: Option<RetentionAction>,
    /// Where to.
    pub to: Option<Text>,
    /// A condition that suspends every rule.
    pub hold: Option<Text>,
    /// Where it is written.
    pub at: Span,
}

/// What is done to rows that are old enough.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "language.md: retention `do`")]
pub enum RetentionAction {
    Archive,
    Delete,
    DropPartition,
    Anonymise,
    Export,
}

/// `volume:`.
#[derive(Clone, Debug, PartialEq)]
pub struct Volume {
    /// Rows now.
    pub rows: f64,
    /// Rows a second.
    pub grows: f64,
    /// Seconds to look ahead.
    pub horizon: f64,
}

/// `writes:`, by kind: rows a second.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Writes {
    /// Rows inserted.
    pub inserts: f64,
    /// Rows updated.
    pub updates: f64,
    /// Rows deleted.
    pub deletes: f64,
}

/// A view or routine: plain SQL with a name.
#[derive(Clone, Debug)]
pub struct View {
    /// Name.
    pub name: Name,
    /// View or routine.
    pub kind: ViewKind,
    /// Of a view the query, of a routine the whole CREATE statement.
    pub sql: Text,
    /// What it is for.
    pub means: Option<Text>,
    /// Views: run with the caller's rights (true where silent).
    pub security_invoker: bool,
    /// Objects that must exist before.
    pub after: Vec<Name>,
}

/// What a piece of plain SQL makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ViewKind {
    /// `views:`
    View,
    /// `routines:`
    Routine,
}
