//! The design as a whole.

use std::collections::BTreeMap;

use super::claim::{Invariant, Projection};
use super::command::{Command, Event, State};
use super::query::Query;
use super::table::{Table, View};
use crate::catalog::Privilege;
use crate::source::{Span, Text};
use crate::sql::{Ident, QualifiedName};

/// A name where it was written.
#[derive(Clone, Debug)]
pub struct Name {
    /// The name.
    pub ident: Ident,
    /// Where.
    pub at: Span,
}

impl Name {
    /// The raw name, for comparing and for messages.
    pub fn as_str(&self) -> &str {
        self.ident.as_str()
    }
}

impl PartialEq for Name {
    fn eq(&self, other: &Name) -> bool {
        self.ident == other.ident
    }
}

impl Eq for Name {}

/// Kind of change; decides which sections a design must have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "language.md: document.change")]
pub enum Change {
    Column,
    Table,
    Lifecycle,
    Redesign,
    Regulated,
    Distributed,
}

/// `high` and `critical` count as high.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "language.md: document.risk")]
pub enum Risk {
    Low,
    Medium,
    High,
    Critical,
}

/// `document:`.
#[derive(Clone, Debug, Default)]
pub struct Document {
    /// draft, in_review, approved, superseded.
    pub status: Option<Text>,
    /// Team that owns the design.
    pub owner: Option<Text>,
    /// Kind of change.
    pub change: Option<Change>,
    /// Risk.
    pub risk: Option<Risk>,
    /// The design this one replaces.
    pub supersedes: Option<Text>,
}

/// `database:`.
#[derive(Clone, Debug)]
pub struct Database {
    /// Major version, 14 to 18.
    pub version: u16,
    /// Schema of every unqualified object.
    pub schema: Ident,
    /// Where `schema` (or the design) is named.
    pub at: Span,
    /// Extensions.
    pub extensions: Vec<Name>,
    /// Production's planner settings.
    pub settings: BTreeMap<String, String>,
}

/// A named enum or domain.
#[derive(Clone, Debug)]
pub struct UserType {
    /// Name.
    pub name: Name,
    /// What it is.
    pub kind: UserTypeKind,
    /// Becomes its comment.
    pub means: Option<Text>,
}

/// What a named type is.
#[derive(Clone, Debug)]
pub enum UserTypeKind {
    /// Labels in order.
    Enum(Vec<Text>),
    /// A base type with a condition over `value`.
    Domain {
        /// Base type, as SQL.
        base: Text,
        /// Condition.
        check: Option<Text>,
    },
}

/// A role with its grants.
#[derive(Clone, Debug)]
pub struct Role {
    /// Name.
    pub name: Name,
    /// LOGIN.
    pub login: bool,
    /// BYPASSRLS.
    pub bypass_rls: bool,
    /// Table (or view, or projection) with privileges.
    pub grants: Vec<Grant>,
    /// What it is for.
    pub means: Option<Text>,
}

/// What a role may do to one table.
#[derive(Clone, Debug)]
pub struct Grant {
    /// Table, view or projection.
    pub on: Name,
    /// Privileges.
    pub privileges: Vec<Privilege>,
}

/// `waivers:`, one entry.
#[derive(Clone, Debug)]
pub struct Waiver {
    /// Code that is waived.
    pub rule: Text,
    /// Subject, as `table.object`, or the design as a whole when absent.
    pub subject: Option<Text>,
    /// Why.
    pub because: Text,
    /// `YYYY-MM-DD`; the waiver ends there.
    pub until: Option<Text>,
}

/// A top-level section that no later stage takes apart yet (risks, rollout, decisions …): its place and what it says.
#[derive(Clone, Debug)]
pub struct Section {
    /// The key.
    pub name: String,
    /// The key's place.
    pub at: Span,
    /// Number of entries (items, keys), or characters of a text.
    pub size: usize,
    /// Where each entry stands: an item, or a key.
    pub entries: Vec<Span>,
    /// The section as data; dates, durations and counts as written.
    pub data: serde_json::Value,
}

/// A design, resolved.
#[derive(Clone, Debug)]
pub struct Model {
    /// `design:`.
    pub name: Name,
    /// `title:`, else the name.
    pub title: String,
    /// `document:`.
    pub document: Document,
    /// `database:`.
    pub database: Database,
    /// `types:`.
    pub types: Vec<UserType>,
    /// `tables:`, in the order written.
    pub tables: Vec<Table>,
    /// `views:` and `routines:`.
    pub views: Vec<View>,
    /// `invariants:`.
    pub invariants: Vec<Invariant>,
    /// `commands:`.
    pub commands: Vec<Command>,
    /// `events:`.
    pub events: Vec<Event>,
    /// `states:`.
    pub states: Vec<State>,
    /// `queries:`.
    pub queries: Vec<Query>,
    /// `security.roles`.
    pub roles: Vec<Role>,
    /// `projections:`.
    pub projections: Vec<Projection>,
    /// `waivers:`.
    pub waivers: Vec<Waiver>,
    /// Every top-level section that is present, in order, also those taken apart above.
    pub sections: Vec<Section>,
}

impl Model {
    /// A table by name.
    pub fn table(&self, name: &Ident) -> Option<&Table> {
        self.tables.iter().find(|table| table.name.ident == *name)
    }

    /// A table, and one of its columns.
    pub fn column(&self, table: &Ident, column: &Ident) -> Option<&super::table::Column> {
        self.table(table)?.column(column)
    }

    /// A command by name.
    pub fn command(&self, name: &str) -> Option<&Command> {
        self.commands
            .iter()
            .find(|command| command.name.as_str() == name)
    }

    /// A named type.
    pub fn user_type(&self, name: &str) -> Option<&UserType> {
        self.types
            .iter()
            .find(|user_type| user_type.name.as_str() == name)
    }

    /// A top-level section.
    pub fn section(&self, name: &str) -> Option<&Section> {
        self.sections.iter().find(|section| section.name == name)
    }

    /// The name with the design's schema.
    pub fn qualified(&self, name: &Ident) -> QualifiedName {
        QualifiedName::new(self.database.schema.clone(), name.clone())
    }
}
