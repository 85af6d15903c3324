//! The facts.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::super::statement::StatementKind;

/// What is known of the names in a statement.
pub trait Names {
    /// The schema whose name may stand before a table without changing it.
    fn schema(&self) -> &str;
    /// Whether a table has a column; `None` where the table's columns are not known.
    fn has_column(&self, table: &str, column: &str) -> Option<bool>;
}

/// A column, resolved through aliases. Names as the catalog stores them.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ColumnRef {
    /// The table; `None` for a column of a subquery, a common table expression or a function, or where it cannot be told.
    pub table: Option<String>,
    /// The column.
    pub column: String,
}

/// A column where it is used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ColumnUse {
    /// Which.
    pub column: ColumnRef,
    /// Where.
    pub range: Range<usize>,
    /// Nothing in scope has it, and the columns of everything in scope are known; or nothing in scope bears the name before the dot.
    pub missing: bool,
}

/// What a statement does to rows of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verb {
    /// Reads them: FROM, USING, and the target of UPDATE, DELETE and MERGE.
    Read,
    /// INSERT.
    Insert,
    /// UPDATE, also as ON CONFLICT DO UPDATE.
    Update,
    /// DELETE.
    Delete,
    /// TRUNCATE.
    Truncate,
    /// Locks them: FOR UPDATE and the like, LOCK TABLE.
    Lock,
}

/// A table where it is used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableUse {
    /// Name; with its schema where that is not the design's.
    pub table: String,
    /// What is done.
    pub verb: Verb,
    /// Where.
    pub range: Range<usize>,
}

/// Row locks, weakest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "PostgreSQL's own words")]
pub enum RowLock {
    KeyShare,
    Share,
    NoKeyUpdate,
    Update,
    /// LOCK TABLE.
    Table,
}

/// How a column is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PredicateOp {
    /// `=`, `IS NOT DISTINCT FROM`, a boolean column by itself.
    Equal,
    /// `IN`, `= ANY`.
    In,
    /// `<`, `<=`, `>`, `>=`, BETWEEN, also as a row: `(a, b) > (…)`.
    Range,
    /// IS NULL.
    IsNull,
    /// IS NOT NULL.
    NotNull,
    /// LIKE, ILIKE, `~`.
    Like,
    /// Anything else, and everything under OR and NOT.
    Other,
}

/// A condition that every row must meet: of WHERE, or of a join.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Predicate {
    /// The column.
    pub column: ColumnRef,
    /// How it is compared.
    pub op: PredicateOp,
    /// Whether the column itself is compared, not an expression over it: `email = …`, not `lower(email) = …`.
    pub plain: bool,
    /// Where the column stands.
    pub range: Range<usize>,
    /// 0 for the statement itself, more inside subqueries and common table expressions.
    pub level: usize,
}

/// One key of the outermost ORDER BY.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderKey {
    /// The column, where it is one.
    pub column: Option<ColumnRef>,
    /// DESC.
    pub descending: bool,
    /// Where.
    pub range: Range<usize>,
}

/// What a statement touches, and how. All ranges are bytes of the text that was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueryFacts {
    /// What it is.
    pub kind: StatementKind,
    /// Tables as they are mentioned; common table expressions are none.
    pub tables: Vec<TableUse>,
    /// Tables whose rows it reads.
    pub reads: BTreeSet<String>,
    /// Tables whose rows it writes.
    pub writes: BTreeSet<String>,
    /// Tables whose rows it locks without writing them, and how strongly.
    pub locks: BTreeMap<String, RowLock>,
    /// Whether it passes by rows that others have locked (SKIP LOCKED).
    pub skips_locked: bool,
    /// Columns that it sets, by table; `*` where an INSERT names none.
    pub assigned: BTreeMap<String, BTreeSet<String>>,
    /// Columns as they are used, those that are set included.
    pub columns: Vec<ColumnUse>,
    /// Conditions.
    pub predicates: Vec<Predicate>,
    /// Equalities between columns, also of USING.
    pub joins: Vec<(ColumnRef, ColumnRef)>,
    /// The outermost ORDER BY.
    pub order_by: Vec<OrderKey>,
    /// A `*` whose columns change with a table: in what is returned, or in what is inserted.
    pub select_star: Option<Range<usize>>,
    /// The same in RETURNING.
    pub returning_star: Option<Range<usize>>,
    /// OFFSET, unless it is 0.
    pub offset: Option<Range<usize>>,
    /// Whether the outermost query has LIMIT or FETCH.
    pub limit: bool,
    /// Whether the outermost query has GROUP BY.
    pub group_by: bool,
    /// Whether the outermost query has DISTINCT.
    pub distinct: bool,
    /// Functions that are called, names as the catalog stores them.
    pub functions: BTreeSet<String>,
}

impl QueryFacts {
    pub(super) fn new(kind: StatementKind) -> QueryFacts {
        QueryFacts {
            kind,
            tables: Vec::new(),
            reads: BTreeSet::new(),
            writes: BTreeSet::new(),
            locks: BTreeMap::new(),
            skips_locked: false,
            assigned: BTreeMap::new(),
            columns: Vec::new(),
            predicates: Vec::new(),
            joins: Vec::new(),
            order_by: Vec::new(),
            select_star: None,
            returning_star: None,
            offset: None,
            limit: false,
            group_by: false,
            distinct: false,
            functions: BTreeSet::new(),
        }
    }

    /// Whether the statement does this to rows of the table.
    pub fn does(&self, verb: Verb, table: &str) -> bool {
        self.tables
            .iter()
            .any(|used| used.verb == verb && used.table == table)
    }

    /// Every table that is read, written or locked.
    pub fn touched(&self) -> BTreeSet<&str> {
        self.tables.iter().map(|used| used.table.as_str()).collect()
    }

    pub(super) fn table(&mut self, table: &str, verb: Verb, range: &Range<usize>) {
        match verb {
            Verb::Read => self.reads.insert(table.to_owned()),
            Verb::Lock => false,
            _ => self.writes.insert(table.to_owned()),
        };
        self.tables.push(TableUse {
            table: table.to_owned(),
            verb,
            range: range.clone(),
        });
    }

    /// Leads every range through a map.
    pub(super) fn map_ranges(&mut self, map: &dyn Fn(&Range<usize>) -> Range<usize>) {
        let tables = self.tables.iter_mut().map(|used| &mut used.range);
        let columns = self.columns.iter_mut().map(|used| &mut used.range);
        let predicates = self.predicates.iter_mut().map(|used| &mut used.range);
        let order = self.order_by.iter_mut().map(|used| &mut used.range);
        let stars = self.select_star.iter_mut().chain(&mut self.returning_star);
        let single = stars.chain(&mut self.offset);
        for range in tables
            .chain(columns)
            .chain(predicates)
            .chain(order)
            .chain(single)
        {
            *range = map(range);
        }
    }
}
