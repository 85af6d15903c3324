//! The rows that the queries return, typed.

use std::collections::BTreeMap;

use serde::Deserialize;

/// A schema, an extension or a role.
#[derive(Debug, Deserialize)]
pub(super) struct NameRow {
    pub kind: String,
    pub name: String,
    pub login: bool,
    pub bypass_rls: bool,
}

#[derive(Debug, Deserialize)]
pub(super) struct TypeRow {
    pub schema: String,
    pub name: String,
    pub comment: Option<String>,
    pub labels: Option<Vec<String>>,
    pub base: Option<String>,
    pub checks: Option<Vec<CheckRow>>,
}

#[derive(Debug, Deserialize)]
pub(super) struct CheckRow {
    pub name: String,
    pub expression: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct TableRow {
    pub schema: String,
    pub name: String,
    pub comment: Option<String>,
    pub row_security: bool,
    pub force_row_security: bool,
    pub options: Vec<String>,
    pub strategy: Option<String>,
    pub by: Option<Vec<String>>,
}

#[derive(Debug, Deserialize)]
pub(super) struct ColumnRow {
    pub schema: String,
    pub table: String,
    pub name: String,
    pub data_type: String,
    /// The type under a domain; otherwise its own.
    pub base: String,
    pub nullable: bool,
    pub comment: Option<String>,
    pub default: Option<String>,
    pub identity: String,
    pub generated: String,
    pub collation: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct PartitionRow {
    pub schema: String,
    pub table: String,
    pub name: String,
    pub bound: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct ElementRow {
    pub expression: String,
    pub operator: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct ConstraintRow {
    pub schema: String,
    pub table: String,
    pub name: String,
    pub kind: String,
    pub deferred: bool,
    pub columns: Option<Vec<String>>,
    pub expression: Option<String>,
    pub to_schema: Option<String>,
    pub to_table: Option<String>,
    pub key: Option<Vec<String>>,
    pub on_delete: String,
    pub on_update: String,
    pub method: Option<String>,
    pub predicate: Option<String>,
    pub elements: Option<Vec<ElementRow>>,
}

#[derive(Debug, Deserialize)]
pub(super) struct KeyRow {
    pub expression: String,
    pub column: Option<String>,
    pub descending: bool,
    pub nulls_first: bool,
    pub opclass: Option<String>,
    pub collation: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct IndexRow {
    pub schema: String,
    pub table: String,
    pub name: String,
    pub method: String,
    pub unique: bool,
    pub predicate: Option<String>,
    pub options: Vec<String>,
    pub keys: Vec<KeyRow>,
    pub include: Option<Vec<String>>,
}

#[derive(Debug, Deserialize)]
pub(super) struct StatisticsRow {
    pub schema: String,
    pub table: String,
    pub name: String,
    pub kinds: Vec<String>,
    pub columns: Option<Vec<String>>,
    pub expressions: Option<Vec<String>>,
}

#[derive(Debug, Deserialize)]
pub(super) struct TriggerRow {
    pub schema: String,
    pub table: String,
    pub name: String,
    #[serde(rename = "type")]
    pub bits: i32,
    pub definition: String,
    pub constraint: bool,
    pub deferred: bool,
    pub function_schema: String,
    pub function: String,
    pub columns: Option<Vec<String>>,
}

#[derive(Debug, Deserialize)]
pub(super) struct PolicyRow {
    pub schema: String,
    pub table: String,
    pub name: String,
    pub command: String,
    pub roles: Option<Vec<String>>,
    pub using: Option<String>,
    pub check: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct GrantRow {
    pub schema: String,
    pub table: String,
    pub role: String,
    pub privileges: Vec<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct FunctionRow {
    pub schema: String,
    pub name: String,
    pub body: String,
    pub definition: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct ViewRow {
    pub schema: String,
    pub name: String,
    pub query: String,
    pub materialized: bool,
    pub options: Vec<String>,
    pub comment: Option<String>,
}

/// `name=value` options as a map.
pub(super) fn options(options: Vec<String>) -> BTreeMap<String, String> {
    options
        .into_iter()
        .map(|option| match option.split_once('=') {
            Some((name, value)) => (name.to_owned(), value.to_owned()),
            None => (option, String::new()),
        })
        .collect()
}
