//! Tables and what belongs to one: columns, partitions, constraints, indexes.

use super::bound::bound;
use super::rows::{
    self, ColumnRow, ConstraintRow, IndexRow, KeyRow, PartitionRow, StatisticsRow, TableRow,
};
use crate::catalog::{
    Catalog, Check, Column, ColumnDefault, Exclusion, ForeignKey, Index, IndexKey, OnDelete,
    Partition, PartitionMethod, Partitioning, Statistics, StatisticsKind, Table, Unique,
};
use crate::sql::{Ident, QualifiedName, SqlText, settled};

pub(super) fn qualified(schema: &str, name: &str) -> QualifiedName {
    QualifiedName::new(schema.into(), name.into())
}

pub(super) fn sql(text: Option<String>) -> Option<SqlText> {
    text.map(|text| expression(&text))
}

/// What the server says of a default. A literal keeps the type of which its column was when it got it, and is the same.
fn default(text: &str, base: &str) -> SqlText {
    const TYPES: [&str; 2] = ["character varying", "text"];
    let now = TYPES.iter().find(|name| base.starts_with(**name));
    let kept = |name: &&str| text.strip_suffix(name)?.strip_suffix("'::");
    match now.zip(TYPES.iter().find_map(kept)) {
        Some((now, literal)) => expression(&[literal, "'::", now].concat()),
        None => expression(text),
    }
}

/// What the server says of an expression, in one spelling.
pub(super) fn expression(text: &str) -> SqlText {
    SqlText::made(settled(text))
}

fn idents(names: Option<Vec<String>>) -> Vec<Ident> {
    names.into_iter().flatten().map(Ident::new).collect()
}

pub(super) fn tables(catalog: &mut Catalog, rows: Vec<TableRow>) {
    for row in rows {
        let partitioning = row.strategy.as_deref().map(|strategy| Partitioning {
            method: match strategy {
                "l" => PartitionMethod::List,
                "h" => PartitionMethod::Hash,
                _ => PartitionMethod::Range,
            },
            // One column in every design; more than one cannot be mistaken for it.
            column: Ident::new(row.by.clone().unwrap_or_default().join(", ")),
            partitions: Vec::new(),
        });
        let table = Table {
            row_security: row.row_security,
            force_row_security: row.force_row_security,
            partitioning,
            with: rows::options(row.options),
            comment: row.comment,
            ..Table::default()
        };
        catalog
            .tables
            .insert(qualified(&row.schema, &row.name), table);
    }
}

fn table<'a>(catalog: &'a mut Catalog, schema: &str, name: &str) -> Option<&'a mut Table> {
    catalog.tables.get_mut(&qualified(schema, name))
}

pub(super) fn columns(catalog: &mut Catalog, rows: Vec<ColumnRow>) {
    for row in rows {
        let default = match (row.identity.as_str(), row.generated.as_str()) {
            ("a", _) => Some(ColumnDefault::IdentityAlways),
            ("d", _) => Some(ColumnDefault::IdentityByDefault),
            (_, "") => row
                .default
                .map(|text| ColumnDefault::Expression(default(&text, &row.base))),
            (_, stored) => row.default.map(|text| {
                let kind = if stored == "s" { "" } else { " VIRTUAL" };
                ColumnDefault::Generated(expression(&(text + kind)))
            }),
        };
        let column = Column {
            name: Ident::new(row.name),
            data_type: SqlText::made(row.data_type),
            nullable: row.nullable,
            default,
            collation: sql(row.collation),
            comment: row.comment,
        };
        if let Some(table) = table(catalog, &row.schema, &row.table) {
            table.columns.push(column);
        }
    }
}

pub(super) fn partitions(catalog: &mut Catalog, rows: Vec<PartitionRow>) {
    for row in rows {
        let partitioning =
            table(catalog, &row.schema, &row.table).and_then(|table| table.partitioning.as_mut());
        if let (Some(partitioning), Some(bound)) = (partitioning, bound(&row.bound)) {
            partitioning.partitions.push(Partition {
                name: Ident::new(row.name),
                bound,
            });
        }
    }
}

fn action(code: &str) -> OnDelete {
    match code {
        "r" => OnDelete::Restrict,
        "c" => OnDelete::Cascade,
        "n" => OnDelete::SetNull,
        "d" => OnDelete::SetDefault,
        _ => OnDelete::NoAction,
    }
}

pub(super) fn constraints(catalog: &mut Catalog, rows: Vec<ConstraintRow>) {
    for row in rows {
        let Some(table) = table(catalog, &row.schema, &row.table) else {
            continue;
        };
        let name = Ident::new(row.name);
        let columns = idents(row.columns);
        let deferred = row.deferred;
        match row.kind.as_str() {
            "p" => table.primary_key = Some((name, Unique { columns, deferred })),
            "u" => {
                table.uniques.insert(name, Unique { columns, deferred });
            }
            "c" => {
                let expression = expression(&row.expression.unwrap_or_default());
                table.checks.insert(name, Check { expression });
            }
            "f" => {
                let to = qualified(
                    &row.to_schema.unwrap_or_default(),
                    &row.to_table.unwrap_or_default(),
                );
                let (on_delete, on_update) = (action(&row.on_delete), action(&row.on_update));
                let key = ForeignKey {
                    columns,
                    table: to,
                    key: idents(row.key),
                    on_delete,
                    on_update,
                    deferred,
                };
                table.foreign_keys.insert(name, key);
            }
            _ => {
                let elements = row.elements.into_iter().flatten();
                let exclusion = Exclusion {
                    method: Ident::new(row.method.unwrap_or_default()),
                    elements: elements
                        .map(|e| (expression(&e.expression), e.operator))
                        .collect(),
                    predicate: sql(row.predicate),
                    deferred,
                };
                table.exclusions.insert(name, exclusion);
            }
        }
    }
}

pub(super) fn indexes(catalog: &mut Catalog, rows: Vec<IndexRow>) {
    for row in rows {
        let owner = qualified(&row.schema, &row.table);
        if let Some((name, view)) = catalog.views.iter_mut().find(|(name, _)| *name == owner) {
            // The one index that a materialised view of a design has.
            if row.unique && row.name.strip_suffix("_key") == Some(name.name.as_str()) {
                view.key = row
                    .keys
                    .into_iter()
                    .filter_map(|key| key.column)
                    .map(Ident::new)
                    .collect();
            }
            continue;
        }
        if let Some(table) = catalog.tables.get_mut(&owner) {
            let index = Index {
                method: Ident::new(row.method),
                unique: row.unique,
                keys: row.keys.into_iter().map(key).collect(),
                include: idents(row.include),
                predicate: sql(row.predicate),
                with: rows::options(row.options),
            };
            table.indexes.insert(Ident::new(row.name), index);
        }
    }
}

pub(super) fn statistics(catalog: &mut Catalog, rows: Vec<StatisticsRow>) {
    for row in rows {
        let Some(table) = table(catalog, &row.schema, &row.table) else {
            continue;
        };
        let kinds = row.kinds.iter().filter_map(|kind| match kind.as_str() {
            "f" => Some(StatisticsKind::Dependencies),
            "m" => Some(StatisticsKind::Mcv),
            "d" => Some(StatisticsKind::Ndistinct),
            _ => None,
        });
        let expressions = row.expressions.into_iter().flatten();
        let statistics = Statistics {
            kinds: kinds.collect(),
            columns: idents(row.columns).into_iter().collect(),
            expressions: expressions.map(|text| expression(&text)).collect(),
        };
        table.statistics.insert(Ident::new(row.name), statistics);
    }
}

fn key(row: KeyRow) -> IndexKey {
    IndexKey {
        expression: expression(&row.expression),
        column: row.column.map(Ident::new),
        collation: sql(row.collation),
        opclass: sql(row.opclass),
        descending: row.descending,
        nulls_first: row.nulls_first,
    }
}
