//! The tables of a catalog, for the reader of SQL.

use crate::catalog::{Catalog, Table, UserType};
use crate::sql::{Ident, Names, QualifiedName, TypedNames, quote_ident, quote_qualified};

/// Domains over domains are looked through so deep.
const DEPTH: usize = 8;

pub(super) struct Columns<'c>(pub &'c Catalog);

impl<'c> Columns<'c> {
    /// The table that a name in a query means.
    pub(super) fn table(&self, name: &str) -> Option<(&'c QualifiedName, &'c Table)> {
        let (schema, table) = name.rsplit_once('.').unwrap_or((self.schema(), name));
        let name = QualifiedName::new(Ident::new(schema), Ident::new(table));
        self.0.tables.get_key_value(&name)
    }

    fn base(&self, data_type: &str) -> String {
        let mut text = data_type.to_owned();
        for _ in 0..DEPTH {
            let domain = self.0.types.iter().find_map(|(name, (kind, _))| {
                let names = [quote_qualified(name), quote_ident(&name.name)];
                match kind {
                    UserType::Domain { base, .. }
                        if names.iter().any(|name| name.as_str() == text) =>
                    {
                        Some(base.as_str().to_owned())
                    }
                    _ => None,
                }
            });
            match domain {
                Some(base) => text = base,
                None => break,
            }
        }
        text
    }
}

impl Names for Columns<'_> {
    /// The schema of the design; of several, the first one with a table.
    fn schema(&self) -> &str {
        let tables = self.0.tables.keys().map(|name| &name.schema);
        let first = tables.chain(&self.0.schemas).next();
        first.map_or("public", Ident::as_str)
    }

    fn has_column(&self, table: &str, column: &str) -> Option<bool> {
        let (_, table) = self.table(table)?;
        Some(table.column(&Ident::new(column)).is_some())
    }
}

impl TypedNames for Columns<'_> {
    fn type_of(&self, table: &str, column: &str) -> Option<String> {
        let (_, table) = self.table(table)?;
        let column = table.column(&Ident::new(column))?;
        Some(self.base(column.data_type.as_str()))
    }
}
