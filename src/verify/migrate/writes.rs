//! Writes that no program of a design makes, but any of the old version could.

use super::rehearse::Rehearsal;
use crate::catalog::ObjectPath;
use crate::migrate::Renames;
use crate::sql::{
    self, Ident, QualifiedName, SqlText, fill, literal, number, quote_ident, quote_qualified,
    sequence,
};

/// Labels of a column that are written.
const LABELS: usize = 6;
/// Rows that are tried to be deleted one by one, where others may stand on them.
const GOING: i64 = 5;

/// Statements that belong together.
pub(super) struct Writes {
    /// `table.column`, or what happens to rows of a table.
    pub to: String,
    pub statements: Vec<SqlText>,
}

impl Rehearsal<'_> {
    /// Values of the old design's columns that change: of all rows and of one, up, to what other rows have, to every label, to nothing; rows that come and go.
    pub(super) fn old_writes(&self, written: &[ObjectPath]) -> Vec<Writes> {
        let renames = Renames::of(self.new.model);
        let mut out = Vec::new();
        for cause in written {
            let Some(now) = cause.table() else { continue };
            let table = renames.tables.get(now).unwrap_or(now);
            let Some(old) = self.old.compiled.catalog.tables.get(table) else {
                continue;
            };
            let mut columns: Vec<Ident> = Vec::new();
            if let ObjectPath::Column(_, column) = cause {
                let was = renames.columns.get(&(now.clone(), column.clone()));
                columns.push(was.unwrap_or(column).clone());
            } else {
                columns.extend(old.columns.iter().map(|column| column.name.clone()));
            }
            for column in columns {
                let statements = self.values(table, &column);
                let to = format!("{}.{}", table.name.as_str(), column.as_str());
                out.push(Writes { to, statements });
            }
            out.push(Writes {
                to: format!("{} (a new row)", table.name.as_str()),
                statements: vec![self.new_row(table)],
            });
        }
        // Rows that nothing stands on go first.
        let order = self.old.maker.parents_first();
        let tables = written.iter().filter_map(ObjectPath::table);
        let tables = tables.map(|now| renames.tables.get(now).unwrap_or(now));
        let mut tables: Vec<&QualifiedName> = tables.collect();
        tables.sort_by_key(|table| {
            std::cmp::Reverse(order.iter().position(|own| **own == table.name))
        });
        tables.dedup();
        for table in tables {
            let name = quote_qualified(table);
            let statements = (0..GOING).map(|at| {
                let parts = [("table", &name), ("at", &number(at))];
                fill(
                    "DELETE FROM {table} WHERE ctid = (SELECT ctid FROM {table} ORDER BY ctid OFFSET {at} LIMIT 1)",
                    &parts,
                )
            });
            out.push(Writes {
                to: format!("{} (rows that go)", table.name.as_str()),
                statements: statements.collect(),
            });
        }
        out
    }

    fn new_row(&self, table: &QualifiedName) -> SqlText {
        let made = self.old.maker.row(&table.name, &[], 7_001);
        let rows = made.into_iter().map(|row| row.at_once());
        let inserts = rows.map(|row| {
            let (columns, values): (Vec<_>, Vec<_>) = row.values.into_iter().unzip();
            let table = self.old.model.qualified(&row.table);
            sql::insert(&table, &columns, &[values])
        });
        sequence(&inserts.collect::<Vec<_>>())
    }

    fn values(&self, table: &QualifiedName, column: &Ident) -> Vec<SqlText> {
        let catalog = &self.old.compiled.catalog;
        let found = catalog.tables.get(table).and_then(|own| own.column(column));
        let (name, quoted) = (quote_qualified(table), quote_ident(column));
        let mut out = Vec::new();
        if let Some(found) = found {
            if let Some(other) = another(column, found.data_type.as_str()) {
                let parts = [("table", &name), ("column", &quoted), ("other", &other)];
                let all = fill("UPDATE {table} SET {column} = {other}", &parts);
                let parts = [("all", &all), ("table", &name)];
                out.push(fill(
                    "{all} WHERE ctid = (SELECT max(ctid) FROM {table})",
                    &parts,
                ));
                out.push(all);
            }
            let maker = &self.old.maker;
            let mut labels = maker.allowed(&table.name, column);
            labels.extend(maker.labels(found.data_type.as_str(), catalog));
            labels.sort();
            labels.dedup();
            labels.truncate(LABELS);
            let count = number(labels.len() as i64);
            for (at, label) in labels.iter().enumerate() {
                let (label, at) = (literal(label), number(at as i64));
                let parts = [
                    ("table", &name),
                    ("column", &quoted),
                    ("label", &label),
                    ("count", &count),
                    ("at", &at),
                ];
                out.push(fill(
                    "UPDATE {table} SET {column} = {label} WHERE abs(hashtext(ctid::text)) % {count} = {at}",
                    &parts,
                ));
            }
        }
        let parts = [("table", &name), ("column", &quoted)];
        let all = fill(
            "UPDATE {table} AS row SET {column} = other.{column}\n    FROM (SELECT {column} FROM {table} WHERE {column} IS NOT NULL ORDER BY {column} DESC LIMIT 1) AS other\n    WHERE row.{column} IS DISTINCT FROM other.{column}",
            &parts,
        );
        out.push(all.clone());
        let parts = [("all", &all), ("table", &name), ("column", &quoted)];
        out.push(fill(
            "{all}\n    AND row.ctid = (SELECT max(found.ctid) FROM {table} AS found WHERE found.{column} IS DISTINCT FROM other.{column})",
            &parts,
        ));
        if found.is_some_and(|found| found.nullable && !found.is_generated()) {
            let parts = [("table", &name), ("column", &quoted)];
            // Last, so that nothing comes after it that would heal it.
            let all = fill("UPDATE {table} SET {column} = NULL", &parts);
            out.push(fill(
                "{all} WHERE abs(hashtext(ctid::text)) % 3 = 0",
                &[("all", &all)],
            ));
        }
        out
    }
}

/// A value that a column does not have yet.
pub(super) fn another(column: &Ident, data_type: &str) -> Option<SqlText> {
    let data_type = data_type.to_ascii_lowercase();
    let column = quote_ident(column);
    let parts = [("column", &column)];
    let is = |words: &[&str]| words.iter().any(|word| data_type.starts_with(word));
    if data_type.ends_with("[]") {
        return Some(fill("array_append({column}, '7')", &parts));
    }
    if is(&["text", "varchar", "character varying"]) {
        return Some(fill("coalesce({column}, '') || 'x'", &parts));
    }
    if is(&["int4", "int8", "int2", "integer", "bigint", "smallint"]) || data_type == "int" {
        return Some(fill("coalesce({column}, 0) + 1", &parts));
    }
    if is(&["numeric", "decimal", "real", "double", "float"]) {
        return Some(fill("coalesce({column}, 0) + 1.25", &parts));
    }
    if is(&["bool"]) {
        return Some(fill("NOT coalesce({column}, false)", &parts));
    }
    if is(&["timestamp", "date"]) {
        return Some(fill("coalesce({column}, now()) + interval '1 day'", &parts));
    }
    None
}
