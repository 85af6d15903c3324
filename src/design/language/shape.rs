//! What the table of the language is made of: objects with keys, and the shapes that values take.

use crate::source::{Node, NodeKind};

/// A mapping with known keys.
#[derive(Debug)]
pub struct Object {
    /// Its name in the JSON Schema and in the reference: `column`.
    pub name: &'static str,
    /// What it is, in Markdown.
    pub doc: &'static str,
    /// Its keys, in the order in which people write them.
    pub keys: &'static [Key],
    /// What must be true of its keys together.
    pub rules: &'static [Rule],
}

/// A key of an object.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    /// As it is written.
    pub name: &'static str,
    /// What it takes.
    pub shape: Shape,
    /// Whether it must be there.
    pub is_required: bool,
    /// What it means, in Markdown; the first sentence can stand alone.
    pub doc: &'static str,
    /// A value, in YAML; may be empty.
    pub example: &'static str,
}

impl Key {
    /// An optional key.
    pub const fn new(name: &'static str, shape: Shape, doc: &'static str) -> Key {
        Key {
            name,
            shape,
            is_required: false,
            doc,
            example: "",
        }
    }

    /// The key must be there.
    pub const fn required(mut self) -> Key {
        self.is_required = true;
        self
    }

    /// Shows a value.
    pub const fn example(mut self, example: &'static str) -> Key {
        self.example = example;
        self
    }
}

/// What must be true of several keys of one object.
#[derive(Clone, Copy, Debug)]
pub enum Rule {
    /// One of these keys, and no second.
    ExactlyOne(&'static [&'static str]),
    /// None or one of these keys.
    AtMostOne(&'static [&'static str]),
    /// At least one of these keys.
    AnyOf(&'static [&'static str]),
    /// Where the first is, the second must be too.
    Needs(&'static str, &'static str),
}

/// What kind of SQL a text holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sql {
    /// One statement.
    Statement,
    /// One SELECT.
    Query,
    /// A value or condition.
    Expression,
    /// A type, as in CREATE TABLE.
    Type,
}

/// A word and what it says.
pub type Word = (&'static str, &'static str);

/// What a value looks like.
#[derive(Clone, Copy, Debug)]
pub enum Shape {
    /// Words for people.
    Text,
    /// SQL.
    Sql(Sql),
    /// A name that becomes PostgreSQL's, of the kind said: `column`.
    Name(&'static str),
    /// A name of pgproof's own, of the kind said: `command`.
    Label(&'static str),
    /// `[a-z][a-z0-9-]*`
    Slug,
    /// `true` or `false`.
    Bool,
    /// A whole number between two bounds.
    Integer(i64, i64),
    /// A number between two bounds.
    Number(f64, f64),
    /// The language version.
    Version,
    /// `500k`
    Count,
    /// `500k/month`
    Rate,
    /// `7 years`
    Duration,
    /// `8GB`
    Size,
    /// 0 to 1, or `5%`.
    Share,
    /// `2026-03-01`
    Date,
    /// `<= 200 rows`
    AtMost,
    /// `<= 3 of TABLE`
    Partitions,
    /// `within 10x`
    Within,
    /// `seq scan on TABLE`
    PlanNode,
    /// A condition over captured rows and parameters.
    Condition,
    /// Text, number, boolean or nothing.
    Scalar,
    /// One of these words.
    Choice(&'static [Word]),
    /// A list.
    List(&'static Shape),
    /// A list of exactly two.
    Pair(&'static Shape),
    /// A list, or the one value that stands for a list of one.
    OneOrMore(&'static Shape),
    /// A mapping with free keys; the noun is what people call an entry: `table`.
    Map(&'static str, &'static Shape, &'static Shape),
    /// A mapping with known keys.
    Object(&'static Object),
    /// One of several shapes, told apart by what kind of value there is.
    Either(&'static [Shape]),
    /// Anything.
    Any,
}

/// Words for people, in a list or alone.
pub const TEXTS: Shape = Shape::OneOrMore(&Shape::Text);
/// An SQL expression.
pub const EXPRESSION: Shape = Shape::Sql(Sql::Expression);
/// An SQL query.
pub const QUERY: Shape = Shape::Sql(Sql::Query);
/// An SQL statement.
pub const STATEMENT: Shape = Shape::Sql(Sql::Statement);
/// An SQL type.
pub const TYPE: Shape = Shape::Sql(Sql::Type);
/// A column's name.
pub const COLUMN: Shape = Shape::Name("column");
/// A table's name.
pub const TABLE_NAME: Shape = Shape::Name("table");
/// Columns, in a list or alone.
pub const COLUMNS: Shape = Shape::OneOrMore(&COLUMN);
/// Tables, in a list or alone.
pub const TABLES: Shape = Shape::OneOrMore(&TABLE_NAME);

impl Object {
    /// A key by name.
    pub fn key(&self, name: &str) -> Option<&'static Key> {
        self.keys.iter().find(|key| key.name == name)
    }
}

impl Shape {
    /// Whether a value of this kind (not of this content) can have the shape.
    pub(super) fn fits(&self, node: &Node) -> bool {
        match (&node.kind, self) {
            (_, Shape::Any) => true,
            (NodeKind::Mapping(_), _) => self.takes_mapping(),
            (NodeKind::Sequence(_), Shape::List(_) | Shape::Pair(_) | Shape::OneOrMore(_)) => true,
            (NodeKind::Sequence(_), _) => false,
            (NodeKind::Null, _) => self.takes_null(),
            (NodeKind::Scalar(..), Shape::OneOrMore(item)) => item.fits(node),
            (NodeKind::Scalar(..), shape) => !matches!(
                shape,
                Shape::List(_) | Shape::Pair(_) | Shape::Map(..) | Shape::Object(_)
            ),
        }
    }

    /// Whether a mapping can have the shape.
    pub(super) fn takes_mapping(&self) -> bool {
        match self {
            Shape::Map(..) | Shape::Object(_) | Shape::Any => true,
            Shape::OneOrMore(item) => item.takes_mapping(),
            Shape::Either(shapes) => shapes.iter().any(Shape::takes_mapping),
            _ => false,
        }
    }

    /// Whether nothing is as good as an empty value: lists, mappings without a key that must be there.
    pub(super) fn takes_null(&self) -> bool {
        match self {
            Shape::List(_) | Shape::OneOrMore(_) | Shape::Map(..) | Shape::Scalar | Shape::Any => {
                true
            }
            Shape::Object(object) => {
                let is_bound = |rule: &Rule| matches!(rule, Rule::ExactlyOne(_) | Rule::AnyOf(_));
                !object.keys.iter().any(|key| key.is_required) && !object.rules.iter().any(is_bound)
            }
            Shape::Either(shapes) => shapes.iter().any(Shape::takes_null),
            _ => false,
        }
    }

    /// What people call such a value: `a list of column names`.
    pub fn words(&self) -> String {
        match self {
            Shape::Text => "text".to_owned(),
            Shape::Sql(Sql::Statement) => "an SQL statement".to_owned(),
            Shape::Sql(Sql::Query) => "an SQL query".to_owned(),
            Shape::Sql(Sql::Expression) => "an SQL expression".to_owned(),
            Shape::Sql(Sql::Type) => "an SQL type".to_owned(),
            Shape::Name(noun) | Shape::Label(noun) => format!("{} name", with_article(noun)),
            Shape::Slug => "a name of lower-case letters, digits and `-`".to_owned(),
            Shape::Bool => "`true` or `false`".to_owned(),
            Shape::Integer(low, high) if *high == i64::MAX => {
                format!("a whole number from {low} on")
            }
            Shape::Integer(low, high) => format!("a whole number from {low} to {high}"),
            Shape::Number(low, high) => range_words(*low, *high),
            Shape::Version => "the language version, `1`".to_owned(),
            Shape::Count => "a count such as `500k`".to_owned(),
            Shape::Rate => "a rate such as `500k/month`".to_owned(),
            Shape::Duration => "a duration such as `30 days`".to_owned(),
            Shape::Size => "a size such as `8GB`".to_owned(),
            Shape::Share => "a share from 0 to 1".to_owned(),
            Shape::Date => "a date such as `2026-03-01`".to_owned(),
            Shape::AtMost => "an upper bound such as `<= 200 rows`".to_owned(),
            Shape::Partitions => "a bound such as `<= 2 of audit_log`".to_owned(),
            Shape::Within => "a factor such as `within 10x`".to_owned(),
            Shape::PlanNode => "a plan node such as `seq scan`".to_owned(),
            Shape::Condition => "a condition".to_owned(),
            Shape::Scalar => "a single value".to_owned(),
            Shape::Choice(words) => one_of(words),
            Shape::List(item) => format!("a list of {}", item.plural()),
            Shape::Pair(item) => format!("a list of two {}", item.plural()),
            Shape::OneOrMore(item) => format!("{}, or a list of {}", item.words(), item.plural()),
            Shape::Map(noun, _, value) => {
                format!("a mapping from {noun} names to {}", value.plural())
            }
            Shape::Object(object) => {
                let noun = object.name.replace('_', " ");
                format!("a mapping ({noun})")
            }
            Shape::Either(shapes) => {
                let words: Vec<_> = shapes.iter().map(Shape::words).collect();
                words.join(", or ")
            }
            Shape::Any => "anything".to_owned(),
        }
    }

    /// Several of them: `column names`.
    fn plural(&self) -> String {
        match self {
            Shape::Text => "texts".to_owned(),
            Shape::Sql(Sql::Statement) => "SQL statements".to_owned(),
            Shape::Sql(Sql::Query) => "SQL queries".to_owned(),
            Shape::Sql(Sql::Expression) => "SQL expressions".to_owned(),
            Shape::Sql(Sql::Type) => "SQL types".to_owned(),
            Shape::Name(noun) | Shape::Label(noun) => format!("{noun} names"),
            Shape::Duration => "durations".to_owned(),
            Shape::Share => "shares".to_owned(),
            Shape::PlanNode => "plan nodes".to_owned(),
            Shape::Scalar | Shape::Any => "values".to_owned(),
            Shape::Choice(_) => "words".to_owned(),
            Shape::List(item) | Shape::OneOrMore(item) => format!("lists of {}", item.plural()),
            Shape::Object(object) => plural(&object.name.replace('_', " ")),
            Shape::Map(..) => "mappings".to_owned(),
            Shape::Either([first, ..]) => first.plural(),
            other => other.words(),
        }
    }
}

fn with_article(noun: &str) -> String {
    let article = if noun.starts_with(['a', 'e', 'i', 'o', 'u']) {
        "an"
    } else {
        "a"
    };
    format!("{article} {noun}")
}

fn plural(noun: &str) -> String {
    match noun.strip_suffix('y') {
        Some(stem) if !stem.ends_with(['a', 'e', 'o']) => format!("{stem}ies"),
        _ if noun.ends_with('s') => noun.to_owned(),
        _ => format!("{noun}s"),
    }
}

fn range_words(low: f64, high: f64) -> String {
    if high == f64::MAX {
        format!("a number from {low} on")
    } else {
        format!("a number from {low} to {high}")
    }
}

/// `a`, `b` or `c`.
pub(super) fn one_of(words: &[Word]) -> String {
    let words: Vec<_> = words.iter().map(|(word, _)| format!("`{word}`")).collect();
    match words.as_slice() {
        [] => String::new(),
        [only] => only.clone(),
        [first @ .., last] => format!("{} or {last}", first.join(", ")),
    }
}
