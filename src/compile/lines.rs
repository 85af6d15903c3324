//! Lines and clauses of statements: a column, a constraint, a key of an index.

use crate::catalog::{
    Check, Column, ColumnDefault, Exclusion, ForeignKey, OnDelete, PartitionBound, PartitionMethod,
    Partitioning, Statistics, Table, Unique,
};
use crate::sql::{
    Ident, QualifiedName, SqlText, fill, fixed, idents, join, literal, number, pad, quote_ident,
    quote_qualified,
};

/// `fillfactor = 80, …`.
pub fn parameters(with: &std::collections::BTreeMap<String, String>) -> SqlText {
    join(
        with.iter().map(|(key, value)| {
            let value = if value.parse::<f64>().is_ok() {
                SqlText::made(value.clone())
            } else {
                literal(value)
            };
            fill(
                "{key} = {value}",
                &[
                    ("key", &quote_ident(&Ident::new(key.as_str()))),
                    ("value", &value),
                ],
            )
        }),
        ", ",
    )
}

/// `CREATE STATISTICS`. Those of a live database may look at expressions, and one alone has no kinds.
pub fn statistics(name: &Ident, table: &QualifiedName, made: &Statistics) -> SqlText {
    let own = QualifiedName::new(table.schema.clone(), name.clone());
    let kinds = made.kinds.iter().map(|kind| fixed(kind.sql()));
    let kinds = match made.kinds.is_empty() {
        true => fixed(""),
        false => fill(" ({kinds})", &[("kinds", &join(kinds, ", "))]),
    };
    let columns = made.columns.iter().map(quote_ident);
    let expressions = made
        .expressions
        .iter()
        .map(|expression| fill("({it}\n)", &[("it", expression)]));
    fill(
        "CREATE STATISTICS {name}{kinds}\n    ON {columns} FROM {table}",
        &[
            ("name", &quote_qualified(&own)),
            ("kinds", &kinds),
            ("columns", &join(columns.chain(expressions), ", ")),
            ("table", &quote_qualified(table)),
        ],
    )
}

/// Columns that line up, then constraints: key, unique, checks, exclusions, references.
pub fn table_lines(table: &Table, ready: &dyn Fn(&ForeignKey) -> bool) -> Vec<SqlText> {
    let quoted: Vec<SqlText> = table
        .columns
        .iter()
        .map(|column| quote_ident(&column.name))
        .collect();
    let names = quoted
        .iter()
        .map(|name| name.as_str().chars().count())
        .max()
        .unwrap_or(0);
    let types = table
        .columns
        .iter()
        .map(|column| column.data_type.as_str().chars().count())
        .max()
        .unwrap_or(0);
    let columns = table.columns.iter().zip(&quoted).map(|(column, name)| {
        let rest = column_rest(column);
        let data_type = if rest.as_str().is_empty() {
            column.data_type.clone()
        } else {
            pad(&column.data_type, types)
        };
        let line = fill(
            "{name} {type} {rest}",
            &[
                ("name", &pad(name, names)),
                ("type", &data_type),
                ("rest", &rest),
            ],
        );
        SqlText::made(line.as_str().trim_end().to_owned())
    });
    let mut lines: Vec<SqlText> = columns.collect();
    if let Some((name, key)) = &table.primary_key {
        lines.push(primary_key(name, key));
    }
    lines.extend(table.uniques.iter().map(|(name, made)| unique(name, made)));
    lines.extend(table.checks.iter().map(|(name, made)| check(name, made)));
    let exclusions = table.exclusions.iter();
    lines.extend(exclusions.map(|(name, made)| exclusion(name, made)));
    lines.extend(
        table
            .foreign_keys
            .iter()
            .filter(|(_, key)| ready(key))
            .map(|(name, key)| foreign_key(name, key)),
    );
    lines
}

/// `CONSTRAINT … PRIMARY KEY`.
pub fn primary_key(name: &Ident, key: &Unique) -> SqlText {
    let parts = [
        ("name", &quote_ident(name)),
        ("columns", &idents(&key.columns)),
    ];
    fill("CONSTRAINT {name} PRIMARY KEY ({columns})", &parts)
}

/// `CONSTRAINT … UNIQUE`.
pub fn unique(name: &Ident, unique: &Unique) -> SqlText {
    let parts = [
        ("name", &quote_ident(name)),
        ("columns", &idents(&unique.columns)),
        ("deferred", &deferral(unique.deferred)),
    ];
    fill("CONSTRAINT {name} UNIQUE ({columns}){deferred}", &parts)
}

/// ` DEFERRABLE INITIALLY DEFERRED`, or nothing.
pub fn deferral(deferred: bool) -> SqlText {
    fixed(if deferred {
        " DEFERRABLE INITIALLY DEFERRED"
    } else {
        ""
    })
}

/// `CONSTRAINT … CHECK`.
pub fn check(name: &Ident, check: &Check) -> SqlText {
    let parts = [
        ("name", &quote_ident(name)),
        ("expression", &check.expression),
    ];
    fill("CONSTRAINT {name} CHECK ({expression})", &parts)
}

/// `CONSTRAINT … EXCLUDE`.
pub fn exclusion(name: &Ident, exclusion: &Exclusion) -> SqlText {
    let elements = exclusion.elements.iter().map(|(expression, operator)| {
        let operator = SqlText::made(operator.clone());
        let parts = [("expression", expression), ("operator", &operator)];
        fill("{expression} WITH {operator}", &parts)
    });
    let predicate = exclusion.predicate.as_ref();
    let predicate = predicate.map(|p| fill(" WHERE ({p})", &[("p", p)]));
    let parts = [
        ("name", &quote_ident(name)),
        ("method", &quote_ident(&exclusion.method)),
        ("elements", &join(elements, ", ")),
        ("predicate", &predicate.unwrap_or_else(|| fixed(""))),
        ("deferred", &deferral(exclusion.deferred)),
    ];
    fill(
        "CONSTRAINT {name} EXCLUDE USING {method} ({elements}){predicate}{deferred}",
        &parts,
    )
}

/// What follows a column's type.
pub fn column_rest(column: &Column) -> SqlText {
    let mut parts = Vec::new();
    if let Some(collation) = &column.collation {
        parts.push(fill("COLLATE {collation}", &[("collation", collation)]));
    }
    if !column.nullable {
        parts.push(fixed("NOT NULL"));
    }
    match &column.default {
        Some(ColumnDefault::Expression(expression)) => {
            parts.push(fill("DEFAULT {expression}", &[("expression", expression)]));
        }
        Some(ColumnDefault::IdentityAlways) => parts.push(fixed("GENERATED ALWAYS AS IDENTITY")),
        Some(ColumnDefault::IdentityByDefault) => {
            parts.push(fixed("GENERATED BY DEFAULT AS IDENTITY"))
        }
        Some(ColumnDefault::Generated(expression)) => {
            parts.push(fill(
                "GENERATED ALWAYS AS ({expression}) STORED",
                &[("expression", expression)],
            ));
        }
        None => {}
    }
    join(parts, " ")
}

/// `CONSTRAINT … FOREIGN KEY`.
pub fn foreign_key(name: &Ident, key: &ForeignKey) -> SqlText {
    let mut parts = vec![fill(
        "CONSTRAINT {name} FOREIGN KEY ({columns})\n    REFERENCES {table} ({key})",
        &[
            ("name", &quote_ident(name)),
            ("columns", &idents(&key.columns)),
            ("table", &quote_qualified(&key.table)),
            ("key", &idents(&key.key)),
        ],
    )];
    parts.push(fill(
        "ON DELETE {action}",
        &[("action", &fixed(key.on_delete.sql()))],
    ));
    if key.on_update != OnDelete::NoAction {
        parts.push(fill(
            "ON UPDATE {action}",
            &[("action", &fixed(key.on_update.sql()))],
        ));
    }
    if key.deferred {
        parts.push(fixed("DEFERRABLE INITIALLY DEFERRED"));
    }
    join(parts, " ")
}

/// `RANGE (column)`.
pub fn partition_by(partitioning: &Partitioning) -> SqlText {
    let method = fixed(match partitioning.method {
        PartitionMethod::Range => "RANGE",
        PartitionMethod::List => "LIST",
        PartitionMethod::Hash => "HASH",
    });
    fill(
        "{method} ({column})",
        &[
            ("method", &method),
            ("column", &quote_ident(&partitioning.column)),
        ],
    )
}

/// `FOR VALUES …`.
pub fn bound(bound: &PartitionBound) -> SqlText {
    match bound {
        PartitionBound::Range(from, to) => fill(
            "FOR VALUES FROM ({from}) TO ({to})",
            &[("from", from), ("to", to)],
        ),
        PartitionBound::List(values) => fill(
            "FOR VALUES IN ({values})",
            &[("values", &join(values.iter().cloned(), ", "))],
        ),
        PartitionBound::Hash(modulus, remainder) => fill(
            "FOR VALUES WITH (MODULUS {modulus}, REMAINDER {remainder})",
            &[
                ("modulus", &number(*modulus)),
                ("remainder", &number(*remainder)),
            ],
        ),
        PartitionBound::Default => fixed("DEFAULT"),
    }
}

/// A key of an index, with its order.
pub fn index_key(key: &crate::catalog::IndexKey) -> SqlText {
    let mut parts = vec![key.expression.clone()];
    if let Some(collation) = &key.collation {
        parts.push(fill("COLLATE {collation}", &[("collation", collation)]));
    }
    parts.extend(key.opclass.clone());
    if key.descending {
        parts.push(fixed("DESC"));
    }
    if key.nulls_first != key.descending {
        parts.push(fixed(if key.nulls_first {
            "NULLS FIRST"
        } else {
            "NULLS LAST"
        }));
    }
    join(parts, " ")
}
