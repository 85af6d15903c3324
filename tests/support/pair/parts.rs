//! A design as data. Everything has a number that stays when its name changes, so that a rename is known as one.

pub type Id = u32;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Smallint,
    Integer,
    Bigint,
    Numeric(u8, u8),
    Double,
    Text,
    Varchar(u16),
    Bool,
    Uuid,
    Date,
    Timestamp,
    Timestamptz,
    Interval,
    Jsonb,
    Bytea,
    Texts,
    Span,
    Inet,
    Real,
    Clock,
    Json,
    Ints,
    Enum(Id),
    Domain(Id),
    /// A domain over text.
    Words(Id),
}

/// What expressions may be made of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    Number,
    Text,
    Time,
    Bool,
    Json,
    Span,
    Labels(Id),
    Any,
}

impl Kind {
    pub fn is_whole(self) -> bool {
        matches!(self, Kind::Smallint | Kind::Integer | Kind::Bigint)
    }

    pub fn is_text(self) -> bool {
        matches!(self, Kind::Text | Kind::Varchar(_))
    }

    /// Whether a B-tree can order it.
    pub fn is_ordered(self) -> bool {
        !matches!(self, Kind::Jsonb | Kind::Json)
    }

    pub fn class(self) -> Class {
        match self {
            Kind::Smallint
            | Kind::Integer
            | Kind::Bigint
            | Kind::Numeric(..)
            | Kind::Double
            | Kind::Real => Class::Number,
            Kind::Text | Kind::Varchar(_) => Class::Text,
            Kind::Date | Kind::Timestamp | Kind::Timestamptz => Class::Time,
            Kind::Bool => Class::Bool,
            Kind::Jsonb => Class::Json,
            Kind::Span => Class::Span,
            Kind::Enum(id) => Class::Labels(id),
            Kind::Domain(_) => Class::Number,
            _ => Class::Any,
        }
    }
}

/// `$0`, `$1`, … are columns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sql {
    pub text: String,
    pub uses: Vec<(Id, Class)>,
    /// Labels of enums that it names.
    pub labels: Vec<(Id, String)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Default {
    Literal(usize),
    Now,
    Random,
    Routine(Id),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    pub id: Id,
    pub name: String,
    pub kind: Kind,
    pub nullable: bool,
    pub default: Option<Default>,
    /// Whether it is ALWAYS.
    pub identity: Option<bool>,
    pub generated: Option<Sql>,
    pub one_of: Vec<String>,
    pub check: Option<Sql>,
    pub collate: bool,
    pub means: u32,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unique {
    pub name: String,
    pub columns: Vec<Id>,
    pub filter: Option<Sql>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    pub name: String,
    pub columns: Vec<Id>,
    pub to: Id,
    pub key: Vec<Id>,
    pub on_delete: &'static str,
    pub on_update: Option<&'static str>,
    pub deferrable: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exclude {
    pub name: String,
    pub equal: Vec<Id>,
    pub span: Sql,
    pub filter: Option<Sql>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Index {
    pub id: Id,
    pub name: String,
    /// With what stands after it.
    pub keys: Vec<(Sql, &'static str)>,
    pub using: Option<&'static str>,
    pub unique: bool,
    pub filter: Option<Sql>,
    pub include: Vec<Id>,
    pub fillfactor: Option<u32>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statistics {
    pub name: String,
    pub columns: Vec<Id>,
    /// All where there are none.
    pub kinds: Vec<&'static str>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Form {
    Every { months: bool, ahead: u32 },
    Hash(u32),
    List(Vec<(String, Vec<String>)>),
    Ranges(Vec<(String, [&'static str; 2])>),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Partition {
    pub by: Id,
    pub form: Form,
    pub default: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    pub id: Id,
    pub name: String,
    pub columns: Vec<Column>,
    pub key: Vec<Id>,
    pub uniques: Vec<Unique>,
    pub references: Vec<Reference>,
    pub checks: Vec<(String, Sql)>,
    pub excludes: Vec<Exclude>,
    pub indexes: Vec<Index>,
    pub statistics: Vec<Statistics>,
    pub partition: Option<Partition>,
    pub fillfactor: Option<u32>,
    pub tenant: Option<Id>,
    pub grain: u32,
}

impl Table {
    pub fn column(&self, id: Id) -> Option<&Column> {
        self.columns.iter().find(|column| column.id == id)
    }

    /// Keys, and unique constraints over all rows.
    pub fn keys(&self) -> impl Iterator<Item = &Vec<Id>> {
        let whole = self.uniques.iter().filter(|unique| unique.filter.is_none());
        let key = (!self.key.is_empty()).then_some(&self.key);
        key.into_iter().chain(whole.map(|unique| &unique.columns))
    }

    /// Columns that somebody gives values to.
    pub fn plain(&self) -> impl Iterator<Item = &Column> {
        self.columns
            .iter()
            .filter(|column| column.generated.is_none())
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TypeOf {
    Labels(Vec<String>),
    Number {
        big: bool,
        check: Option<&'static str>,
    },
    Words {
        check: Option<&'static str>,
    },
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Type {
    pub id: Id,
    pub name: String,
    pub of: TypeOf,
    pub means: u32,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct View {
    pub name: String,
    pub table: Id,
    pub columns: Vec<Id>,
    /// Whether it says its own names for the columns.
    pub own_names: bool,
    pub filter: Option<Sql>,
    /// Joins the table that this reference leads to.
    pub join: Option<String>,
    pub invoker: bool,
    pub means: u32,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Does {
    /// Adds to a number.
    Adds(u32),
    /// A trigger on a table that looks at a column.
    Looks {
        table: Id,
        column: Id,
        updates_only: bool,
        /// Looks afterwards, and only where there is something.
        late: bool,
    },
    /// Counts the rows of a table.
    Counts(Id),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Routine {
    pub id: Id,
    pub name: String,
    pub does: Does,
    pub means: u32,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rule {
    Required(Vec<Id>, Option<Sql>),
    Child(Id),
    /// What a reference says, kept by triggers.
    Parent(String, Option<Sql>),
    Unique(Vec<Id>, Option<Sql>),
    AtMostOne(Vec<Id>, Option<Sql>),
    ExactlyOne(Vec<Id>, Sql),
    AtMostCount(Vec<Id>, u32, Option<Sql>),
    AtMostSum(Vec<Id>, Id, Option<Sql>),
    AtMostOfParent {
        reference: String,
        sum: Id,
        limit: Id,
    },
    Check(Sql),
    NoOverlap {
        per: Vec<Id>,
        from: Id,
        to: Id,
    },
    /// Ranges; kept by a trigger, or not.
    NoOverlapOf(Vec<Id>, Id, bool),
    Balanced(Vec<Id>, Id),
    AppendOnly,
    Immutable(Vec<Id>, Option<Sql>),
    Transitions(Id, Vec<String>),
    Monotonic(Id, bool),
    Isolated(Vec<Id>),
    Holds(Sql),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invariant {
    pub id: Id,
    pub name: String,
    pub table: Id,
    pub rule: Rule,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Role {
    pub name: &'static str,
    pub grants: Vec<(Id, Vec<&'static str>)>,
    pub on_views: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Design {
    pub last: Id,
    pub types: Vec<Type>,
    pub tables: Vec<Table>,
    pub views: Vec<View>,
    pub routines: Vec<Routine>,
    pub invariants: Vec<Invariant>,
    pub roles: Vec<Role>,
    pub trigrams: bool,
}

impl Design {
    pub fn table(&self, id: Id) -> Option<&Table> {
        self.tables.iter().find(|table| table.id == id)
    }

    pub fn next(&mut self) -> Id {
        self.last += 1;
        self.last
    }

    pub fn labels(&self, id: Id) -> &[String] {
        match self
            .types
            .iter()
            .find(|own| own.id == id)
            .map(|own| &own.of)
        {
            Some(TypeOf::Labels(labels)) => labels,
            _ => &[],
        }
    }
}
