//! Names, and the one place that quotes them.

use std::fmt;

/// A PostgreSQL identifier as the catalog stores it: unquoted, case preserved. It has no `Display`:
/// the only way into SQL is [`quote_ident`](super::quote_ident).
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Ident(String);

impl Ident {
    /// Takes a name as the catalog would store it. Length and characters are judged by `design`.
    pub fn new(name: impl Into<String>) -> Ident {
        Ident(name.into())
    }

    /// The raw name, for comparing and for messages, never for SQL.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Ident {
    fn from(name: &str) -> Ident {
        Ident::new(name)
    }
}

impl serde::Serialize for Ident {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

/// A name with its schema.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize)]
pub struct QualifiedName {
    /// Schema.
    pub schema: Ident,
    /// Name within the schema.
    pub name: Ident,
}

impl QualifiedName {
    /// `schema.name`.
    pub fn new(schema: Ident, name: Ident) -> QualifiedName {
        QualifiedName { schema, name }
    }
}

/// SQL that was put together safely: made only in `sql` and by `.sql.j2` templates, or taken whole from a design.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(transparent)]
pub struct SqlText(String);

impl SqlText {
    /// The SQL.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// SQL that the author of a design wrote, taken as it is.
    pub fn authored(text: impl Into<String>) -> SqlText {
        SqlText(text.into())
    }

    /// SQL made by this storey or by a template.
    pub(crate) fn made(text: impl Into<String>) -> SqlText {
        SqlText(text.into())
    }
}

impl fmt::Display for SqlText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
