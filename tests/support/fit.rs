//! Whether a migration stopped because rows that the old design allowed do not fit the new one: only where the new design says something of them that the old
//! one does not.

use std::collections::{BTreeMap, BTreeSet};

use pgproof::catalog::{Catalog, Column, ColumnDefault, ObjectPath, Table, UserType};
use pgproof::invariant::drift;
use pgproof::migrate::{Renames, Step};
use pgproof::postgres::SqlFailure;
use pgproof::sql::words::{mentions, renamed};
use pgproof::sql::{Ident, QualifiedName, SqlText, derived};

use super::Side;

/// What both designs say, in the names of the old one.
pub struct Fit<'f> {
    from: &'f Side,
    to: &'f Side,
    renames: Renames,
}

/// A rule of a catalog: its name and what it says.
type Rules = BTreeMap<String, BTreeSet<String>>;

impl<'f> Fit<'f> {
    pub fn new(from: &'f Side, to: &'f Side) -> Fit<'f> {
        Fit {
            from,
            to,
            renames: Renames::of(&to.model),
        }
    }

    fn table(&self, new: &QualifiedName) -> QualifiedName {
        let was = self.renames.tables.get(new);
        was.unwrap_or(new).clone()
    }

    fn column(&self, table: &QualifiedName, new: &Ident) -> Ident {
        let was = self.renames.columns.get(&(table.clone(), new.clone()));
        was.unwrap_or(new).clone()
    }

    /// The column as it was.
    fn old(&self, table: &QualifiedName, new: &Ident) -> Option<&Column> {
        let was = self.from.compiled.catalog.tables.get(&self.table(table))?;
        was.column(&self.column(table, new))
    }

    /// Whether what a step met is what rows must not be in the new design, and could be in the old one.
    pub fn is_of_rows(&self, step: &Step, failure: &SqlFailure) -> bool {
        let code = failure.sqlstate.code();
        let constraint = failure.constraint.as_deref().unwrap_or_default();
        let tables: Vec<&QualifiedName> = step.causes.iter().filter_map(|c| c.table()).collect();
        match code {
            // Times that make no range, which nobody asked for one before.
            "22000" => step.causes.iter().any(|cause| match cause {
                ObjectPath::Exclusion(table, name) => {
                    let old = self.from.compiled.catalog.tables.get(&self.table(table));
                    old.is_none_or(|old| !old.exclusions.contains_key(name))
                }
                _ => false,
            }),
            // A value that the new type does not have.
            _ if code.starts_with("22") => tables.iter().any(|table| self.has_other_types(table)),
            "23502" => self.is_newly_needed(failure.column.as_deref().unwrap_or_default(), &tables),
            "23514" if constraint.is_empty() => {
                failure.message.contains("no partition of relation")
                    && tables.iter().any(|table| self.is_cut_otherwise(table))
            }
            "23514" if self.proofs().contains(constraint) => true,
            "23503" | "23505" | "23514" | "23P01" => self.is_new_rule(constraint),
            "P0001" if step.is_parity => tables.iter().any(|table| self.has_new_key(table)),
            _ => false,
        }
    }

    /// Whether a rule that counts is one that the old design did not have in these words.
    pub fn is_new_invariant(&self, guard: &QualifiedName) -> bool {
        let drift = |side: &Side| {
            let mut all = side.compiled.tallies.iter();
            let found = all.find(|tally| tally.guard == *guard);
            found.map(|tally| (tally.drift.clone(), tally.per.clone()))
        };
        drift(self.from) != drift(self.to)
    }

    fn has_other_types(&self, table: &QualifiedName) -> bool {
        let now = self.to.compiled.catalog.tables.get(table);
        now.is_some_and(|now| {
            now.columns.iter().any(|column| {
                let was = self.old(table, &column.name);
                was.is_some_and(|was| {
                    was.data_type != column.data_type || self.is_relabelled(column)
                }) || matches!(&column.default, Some(ColumnDefault::Generated(_)))
                    && was.is_none_or(|was| was.default != column.default)
            })
        })
    }

    fn is_relabelled(&self, column: &Column) -> bool {
        let labels = |side: &Side| {
            let mut all = side.compiled.catalog.types.iter();
            let found = all.find(|(name, _)| mentions(&column.data_type, &name.name));
            found.map(|(_, (kind, _))| kind.clone())
        };
        labels(self.from) != labels(self.to)
    }

    /// Columns of the design's own tables that rows of the old one may leave empty, and rows of the new one may not.
    fn newly_needed(&self) -> impl Iterator<Item = (&QualifiedName, &Column)> {
        let own: BTreeSet<QualifiedName> = self
            .to
            .model
            .tables
            .iter()
            .map(|table| self.to.model.qualified(&table.name.ident))
            .collect();
        let tables = self.to.compiled.catalog.tables.iter();
        let tables = tables.filter(move |(name, _)| own.contains(*name));
        tables
            .flat_map(|(name, table)| table.columns.iter().map(move |column| (name, column)))
            .filter(|(name, column)| {
                let computed = matches!(column.default, Some(ColumnDefault::Generated(_)));
                let may_be_empty = match self.old(name, &column.name) {
                    Some(was) => was.nullable || computed && was.default != column.default,
                    None => computed || column.default.is_none(),
                };
                !column.nullable && may_be_empty
            })
    }

    fn is_newly_needed(&self, column: &str, tables: &[&QualifiedName]) -> bool {
        self.newly_needed().any(|(table, needed)| {
            let name = &needed.name;
            let built = derived(&[name.as_str(), "new"]);
            tables.contains(&table) && [name.as_str(), built.as_str()].contains(&column)
        })
    }

    fn proofs(&self) -> BTreeSet<String> {
        let mut out = BTreeSet::new();
        for (table, column) in self.newly_needed() {
            let built = derived(&[column.name.as_str(), "new"]);
            for name in [&column.name, &built] {
                let parts = [table.name.as_str(), name.as_str(), "not_null_proof"];
                out.insert(derived(&parts).as_str().to_owned());
            }
        }
        out
    }

    fn is_cut_otherwise(&self, table: &QualifiedName) -> bool {
        let (old, new) = (&self.from.compiled.catalog, &self.to.compiled.catalog);
        let was = old.tables.get(&self.table(table));
        let now = new.tables.get(table);
        was.map(|was| &was.partitioning) != now.map(|now| &now.partitioning)
    }

    fn has_new_key(&self, table: &QualifiedName) -> bool {
        let keys = |catalog: &Catalog, name: &QualifiedName, is_new: bool| -> BTreeSet<String> {
            let found = catalog.tables.get(name).into_iter();
            let rules = found.flat_map(|found| self.of_table(catalog, name, found, is_new));
            let keys = rules.filter(|(_, says)| says.starts_with("unique "));
            keys.map(|(_, says)| says).collect()
        };
        let was = keys(&self.from.compiled.catalog, &self.table(table), false);
        let now = keys(&self.to.compiled.catalog, table, true);
        !now.is_subset(&was)
    }

    fn is_new_rule(&self, name: &str) -> bool {
        let was: BTreeSet<String> = self.rules(false).into_values().flatten().collect();
        let now = self.rules(true);
        let called = now.iter().filter(|(rule, _)| {
            let built = derived(&[rule.as_str(), "new"]);
            name == rule.as_str() || name == built.as_str()
        });
        let mut says = called.flat_map(|(_, says)| says);
        says.any(|says| !was.contains(says))
    }

    fn rules(&self, is_new: bool) -> Rules {
        let side = if is_new { self.to } else { self.from };
        let catalog = &side.compiled.catalog;
        let mut out = Rules::new();
        for (name, table) in &catalog.tables {
            for (rule, says) in self.of_table(catalog, name, table, is_new) {
                out.entry(rule).or_default().insert(says);
            }
        }
        for (name, (kind, _)) in &catalog.types {
            if let UserType::Domain { checks, .. } = kind {
                for (rule, check) in checks {
                    let says = format!(
                        "domain {} {}",
                        name.name.as_str(),
                        check.expression.as_str()
                    );
                    out.entry(rule.as_str().to_owned())
                        .or_default()
                        .insert(says);
                }
            }
        }
        // What triggers raise is called as its rule.
        for own in &side.model.invariants {
            let rule = own.name.as_str().replace('-', "_");
            let says = format!("never {:?}", drift(&side.model, own));
            out.entry(rule).or_default().insert(says);
        }
        out
    }

    fn of_table(
        &self,
        catalog: &Catalog,
        name: &QualifiedName,
        table: &Table,
        is_new: bool,
    ) -> Vec<(String, String)> {
        let was = |table: &QualifiedName| match is_new {
            true => self.table(table),
            false => table.clone(),
        };
        // With its type: values that were different may be the same in another one.
        let typed = |of: &QualifiedName, column: &Ident| {
            let found = catalog
                .tables
                .get(of)
                .and_then(|table| table.column(column));
            let data_type = found.map_or("", |found| found.data_type.as_str());
            let old = if is_new {
                self.column(of, column)
            } else {
                column.clone()
            };
            format!("{} {data_type}", old.as_str())
        };
        let list = |of: &QualifiedName, columns: &[Ident]| -> String {
            let all: Vec<String> = columns.iter().map(|column| typed(of, column)).collect();
            all.join(", ")
        };
        let set = |columns: &[Ident]| -> String {
            let all: BTreeSet<String> = columns.iter().map(|column| typed(name, column)).collect();
            all.into_iter().collect::<Vec<_>>().join(", ")
        };
        let text = |sql: &SqlText| {
            let spoken = table
                .columns
                .iter()
                .filter(|column| mentions(sql, &column.name));
            let mut out = sql.clone();
            let mut types = Vec::new();
            for column in spoken {
                types.push(typed(name, &column.name));
                if is_new {
                    out = renamed(&out, &column.name, &self.column(name, &column.name));
                }
            }
            format!("{} [{}]", out.as_str(), types.join(", "))
        };
        let option = |sql: &Option<SqlText>| sql.as_ref().map(&text).unwrap_or_default();
        let on = was(name).name.as_str().to_owned();
        let mut out = Vec::new();
        let mut say = |rule: &Ident, says: String| out.push((rule.as_str().to_owned(), says));
        for (rule, key) in table
            .primary_key
            .iter()
            .map(|(rule, key)| (rule, key))
            .chain(&table.uniques)
        {
            say(rule, format!("unique {on} {}", set(&key.columns)));
        }
        for (rule, index) in table.indexes.iter().filter(|(_, index)| index.unique) {
            let keys: Option<Vec<Ident>> =
                index.keys.iter().map(|key| key.column.clone()).collect();
            let keys = match keys {
                Some(columns) => set(&columns),
                None => index.keys.iter().map(|key| text(&key.expression)).collect(),
            };
            let rest = index
                .predicate
                .as_ref()
                .map(|sql| format!(" where {}", text(sql)));
            say(
                rule,
                format!("unique {on} {keys}{}", rest.unwrap_or_default()),
            );
        }
        for (rule, check) in &table.checks {
            say(rule, format!("check {on} {}", text(&check.expression)));
        }
        for (rule, key) in &table.foreign_keys {
            let (columns, others) = (list(name, &key.columns), list(&key.table, &key.key));
            say(
                rule,
                format!(
                    "reference {on} {columns} to {} {others}",
                    was(&key.table).name.as_str()
                ),
            );
        }
        for (rule, own) in &table.exclusions {
            let elements: Vec<String> = own
                .elements
                .iter()
                .map(|(sql, with)| format!("{} {with}", text(sql)))
                .collect();
            say(
                rule,
                format!(
                    "exclusion {on} {} {}",
                    elements.join(", "),
                    option(&own.predicate)
                ),
            );
        }
        out
    }
}
