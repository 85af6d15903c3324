//! What is known of each kind of subject. A name here is a name that rules of teams use, so it stays.

use serde::Serialize;

use super::super::rule::SubjectKind;

/// Facts about the design; every rule has them, as `design`.
#[derive(Serialize, Default)]
pub(super) struct DesignFacts {
    pub(super) name: String,
    pub(super) title: String,
    pub(super) status: Option<String>,
    pub(super) owner: Option<String>,
    pub(super) change: Option<String>,
    pub(super) risk: Option<String>,
    pub(super) version: u16,
    pub(super) schema: String,
    /// Top-level sections that say something.
    pub(super) sections: Vec<String>,
    pub(super) tables: usize,
    pub(super) queries: usize,
}

/// Facts about a table; rules on its parts have them too, as `table`.
#[derive(Serialize, Default)]
pub(super) struct TableFacts {
    pub(super) name: String,
    pub(super) grain: Option<String>,
    pub(super) role: Option<String>,
    pub(super) owner: Option<String>,
    pub(super) means: Option<String>,
    pub(super) columns: Vec<String>,
    pub(super) key: Vec<String>,
    /// Rows declared.
    pub(super) rows: Option<f64>,
    /// Rows added a second.
    pub(super) grows: Option<f64>,
    /// Catalogued queries that read it.
    pub(super) queries: Vec<String>,
    /// Whether reading all of it is no loss.
    pub(super) is_small: bool,
    /// Column that says whose rows they are.
    pub(super) tenant: Option<String>,
    pub(super) partition: Option<String>,
    pub(super) is_append_only: bool,
    /// Whether `projections:` says how it comes about.
    pub(super) is_projected: bool,
    pub(super) has_retention: bool,
    /// Leading columns of everything by which whole rows can be found.
    pub(super) access: Vec<Vec<String>>,
}

/// Facts about a column.
#[derive(Serialize, Default)]
pub(super) struct ColumnFacts {
    pub(super) name: String,
    /// As written.
    #[serde(rename = "type")]
    pub(super) data_type: String,
    /// Through domains, lower case, without modifiers and arrays; `enum` for an enum.
    pub(super) base: String,
    /// Labels of its enum, or the values it is restricted to.
    pub(super) values: Vec<String>,
    pub(super) nullable: bool,
    pub(super) nullable_because: Option<String>,
    pub(super) default: Option<String>,
    pub(super) is_identity: bool,
    pub(super) is_generated: bool,
    pub(super) means: Option<String>,
    pub(super) time: Option<String>,
    pub(super) sensitivity: Option<String>,
    pub(super) is_derived: bool,
    pub(super) is_key: bool,
    pub(super) is_reference: bool,
    pub(super) has_transitions: bool,
    /// Whether its name means a sum of money.
    pub(super) is_money: bool,
    /// Whether its name or its type says where something stands in its life.
    pub(super) is_state: bool,
    /// Whether its name says when a row was changed last.
    pub(super) is_update_time: bool,
    /// Whether its name says that it tells who somebody is.
    pub(super) is_personal: bool,
}

/// Facts about a foreign key.
#[derive(Serialize, Default)]
pub(super) struct ReferenceFacts {
    pub(super) name: String,
    pub(super) columns: Vec<String>,
    pub(super) to: String,
    pub(super) key: Vec<String>,
    pub(super) on_delete: Option<String>,
    pub(super) on_update: Option<String>,
    pub(super) is_deferrable: bool,
    pub(super) because: Option<String>,
    /// The tenant column that both tables have and the reference leaves out.
    pub(super) forgets: Option<String>,
    /// Whether rows of the referenced table are never deleted.
    pub(super) to_is_append_only: bool,
}

/// Facts about an index.
#[derive(Serialize, Default)]
pub(super) struct IndexFacts {
    pub(super) name: String,
    pub(super) using: String,
    pub(super) is_unique: bool,
    /// Columns and expressions.
    pub(super) columns: Vec<String>,
    pub(super) include: Vec<String>,
    #[serde(rename = "where")]
    pub(super) predicate: Option<String>,
    pub(super) serves: Vec<String>,
    pub(super) because: Option<String>,
    pub(super) drop_when: Option<String>,
    /// Another index or key that finds all that it finds.
    pub(super) covered_by: Option<String>,
    /// How many different keys it holds at most, where the design says so.
    pub(super) groups: Option<f64>,
    /// Commands that update columns that it holds.
    pub(super) updated_by: Vec<String>,
    /// The day in `drop_when`, where it is over.
    pub(super) over_since: Option<String>,
    /// References whose columns it starts with.
    pub(super) backs: Vec<String>,
    /// Queries, commands, projections and retention rules that look for what it starts with.
    pub(super) used_by: Vec<String>,
}

/// Facts about a catalogued query.
#[derive(Serialize, Default)]
pub(super) struct QueryItem {
    pub(super) name: String,
    pub(super) does: Option<String>,
    pub(super) kind: String,
    pub(super) runs: Option<f64>,
    pub(super) pages_by: Option<String>,
    pub(super) owner: Option<String>,
    pub(super) params: Vec<String>,
    pub(super) tables: Vec<String>,
}

/// Facts about a piece of SQL.
#[derive(Serialize, Default)]
pub(super) struct StatementFacts {
    /// `query`, `command`, `view`, `projection`.
    pub(super) of: String,
    /// Whose it is.
    pub(super) name: String,
    /// Of a query: how it pages.
    pub(super) pages_by: Option<String>,
    /// Whether a `*` in it changes with a table.
    pub(super) has_star: bool,
    /// Whether it has OFFSET, other than 0.
    pub(super) has_offset: bool,
    /// Whether a comment in it is a planner hint.
    pub(super) has_hint: bool,
    pub(super) reads: Vec<String>,
    pub(super) writes: Vec<String>,
    pub(super) functions: Vec<String>,
}

/// Facts about an invariant.
#[derive(Serialize, Default)]
pub(super) struct InvariantFacts {
    pub(super) name: String,
    pub(super) kind: String,
    pub(super) never: Option<String>,
    pub(super) because: Option<String>,
    pub(super) enforced: String,
    pub(super) preferred: String,
    /// Whether something that its kind prefers would hold more.
    pub(super) is_weaker: bool,
    /// Whether the database itself keeps it.
    pub(super) is_databases: bool,
    pub(super) has_monitor: bool,
    pub(super) has_repair: bool,
}

/// Facts about a command.
#[derive(Serialize, Default)]
pub(super) struct CommandFacts {
    pub(super) name: String,
    pub(super) actor: Option<String>,
    pub(super) does: Option<String>,
    pub(super) isolation: String,
    pub(super) params: Vec<String>,
    pub(super) steps: usize,
    pub(super) retry: Vec<String>,
    pub(super) idempotent_by: Option<String>,
    pub(super) emits: Vec<String>,
    pub(super) writes: Vec<String>,
}

/// Facts about a projection.
#[derive(Serialize, Default)]
pub(super) struct ProjectionFacts {
    pub(super) name: String,
    pub(super) kind: String,
    pub(super) source: Vec<String>,
    pub(super) owner: Option<String>,
    pub(super) freshness: Option<String>,
    pub(super) has_rebuild: bool,
    pub(super) is_updated: bool,
}

/// Facts with nothing in them: their paths are those that rules may use.
pub(in crate::check) fn sample(kind: SubjectKind) -> serde_json::Value {
    fn value(facts: &impl Serialize) -> serde_json::Value {
        serde_json::to_value(facts).unwrap_or_default()
    }
    match kind {
        SubjectKind::Design => value(&DesignFacts::default()),
        SubjectKind::Table => value(&TableFacts::default()),
        SubjectKind::Column => value(&ColumnFacts::default()),
        SubjectKind::Reference => value(&ReferenceFacts::default()),
        SubjectKind::Index => value(&IndexFacts::default()),
        SubjectKind::Query => value(&QueryItem::default()),
        SubjectKind::Statement => value(&StatementFacts::default()),
        SubjectKind::Invariant => value(&InvariantFacts::default()),
        SubjectKind::Command => value(&CommandFacts::default()),
        SubjectKind::Projection => value(&ProjectionFacts::default()),
        SubjectKind::Migration => serde_json::Value::Object(serde_json::Map::new()),
    }
}
