//! What of a design is in somebody's database.

use std::collections::BTreeSet;

use crate::explain::Relations;
use crate::postgres::{Session, SqlFailure};
use crate::sql::{Ident, fill, fixed, literal};

/// Tables and indexes of the design's schema as they are there.
pub(super) struct Found {
    /// `15.18`, as the server says it.
    pub version: String,
    /// What the names in a plan stand for, with the rows that the planner believes there are.
    pub relations: Relations,
    /// Tables that were never analysed.
    pub unknown: BTreeSet<String>,
    indexes: BTreeSet<String>,
}

/// Partitions may lie in another schema than their table.
const RELATIONS: &str = "\
SELECT c.relname, r.relname, c.relkind IN ('i', 'I'), c.relkind IN ('r', 'm'), c.reltuples\n\
FROM pg_catalog.pg_class AS c\n\
JOIN pg_catalog.pg_class AS r ON r.oid = coalesce(pg_catalog.pg_partition_root(c.oid), c.oid)\n\
JOIN pg_catalog.pg_namespace AS n ON n.oid = r.relnamespace\n\
WHERE n.nspname = {schema} AND c.relkind IN ('r', 'p', 'm', 'i', 'I')";

impl Found {
    pub(super) async fn read(session: &mut Session, schema: &Ident) -> Result<Found, SqlFailure> {
        let version = session
            .query(&fixed(
                "SELECT split_part(current_setting('server_version'), ' ', 1)",
            ))
            .await?;
        let all = fill(RELATIONS, &[("schema", &literal(schema.as_str()))]);
        let mut found = Found {
            version: version.scalar().unwrap_or_default().to_owned(),
            relations: Relations::default(),
            unknown: BTreeSet::new(),
            indexes: BTreeSet::new(),
        };
        for row in session.query(&all).await?.rows {
            let mut row = row.into_iter().map(Option::unwrap_or_default);
            let mut next = || row.next().unwrap_or_default();
            let (name, root) = (next(), next());
            let (is_index, has_rows) = (next() == "t", next() == "t");
            let rows: f64 = next().parse().unwrap_or(0.0);
            match (is_index, has_rows) {
                (true, _) => found.index(name, root),
                (false, true) => found.table(name, root, rows),
                (false, false) => {
                    found.relations.rows.entry(root).or_insert(0.0);
                }
            }
        }
        found.relations.loaded = found.relations.rows.clone();
        Ok(found)
    }

    fn index(&mut self, name: String, root: String) {
        self.indexes.insert(root.clone());
        if name != root {
            self.relations.index_of.insert(name, root);
        }
    }

    fn table(&mut self, name: String, root: String, rows: f64) {
        // Less than none: nobody has counted yet.
        if rows < 0.0 {
            self.unknown.insert(root.clone());
        }
        *self.relations.rows.entry(root.clone()).or_insert(0.0) += rows.max(0.0);
        if name != root {
            self.relations.table_of.insert(name, root);
        }
    }

    pub(super) fn has_index(&self, name: &Ident) -> bool {
        self.indexes.contains(name.as_str())
    }
}
