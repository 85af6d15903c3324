//! Constraints: first for new rows, then for those that are there.

use super::words::{WINDOW, authored, made, table_name, text, two_steps, written};
use crate::migrate::chain::Chain;
use crate::sql::{
    ConstraintForm, ConstraintKind, Ident, Named, QualifiedName, SqlText, fill, fixed, idents,
    join, quote_ident,
};

pub(super) fn not_null(chain: &Chain, name: &QualifiedName, column: &Ident) -> SqlText {
    let constraint = made(name, column.as_str(), "not_null");
    let (table, own) = (table_name(name), quote_ident(column));
    let quoted = quote_ident(&constraint);
    let parts = [("table", &table), ("column", &own), ("name", &quoted)];
    if chain.version >= 18 {
        return fill(
            "ALTER TABLE {table} ADD CONSTRAINT {name} NOT NULL {column} NOT VALID;\n-- in a later transaction:\nALTER TABLE {table} VALIDATE CONSTRAINT {name};",
            &parts,
        );
    }
    fill(
        "ALTER TABLE {table} ADD CONSTRAINT {name} CHECK ({column} IS NOT NULL) NOT VALID;\n-- in a later transaction:\nALTER TABLE {table} VALIDATE CONSTRAINT {name};\n-- the check proves it, so no row is read:\nALTER TABLE {table} ALTER COLUMN {column} SET NOT NULL;\nALTER TABLE {table} DROP CONSTRAINT {name};",
        &parts,
    )
}

pub(super) fn unique(
    chain: &Chain,
    name: &QualifiedName,
    columns: &[Ident],
    primary: bool,
    given: Option<&Ident>,
) -> SqlText {
    let joined: Vec<&str> = columns.iter().map(Ident::as_str).collect();
    let (ending, kind) = match primary {
        true => ("pkey", fixed("PRIMARY KEY")),
        false => ("key", fixed("UNIQUE")),
    };
    let constraint = given.cloned().unwrap_or_else(|| match primary {
        true => Ident::new([name.name.as_str(), "_pkey"].concat()),
        false => made(name, &joined.join("_"), ending),
    });
    let beside = |table: &QualifiedName, constraint: &Ident| {
        fill(
            "CREATE UNIQUE INDEX CONCURRENTLY {name} ON {table} ({columns});\n-- when pg_index.indisvalid says that it is valid:\nALTER TABLE {table} ADD CONSTRAINT {name} {kind} USING INDEX {name};",
            &[
                ("name", &quote_ident(constraint)),
                ("table", &table_name(table)),
                ("columns", &idents(columns)),
                ("kind", &kind),
            ],
        )
    };
    let look = chain.look();
    let own = look.table(name);
    if own.is_none_or(|own| own.partitioning.is_none()) {
        return beside(name, &constraint);
    }
    let parts = look.below(name).into_iter();
    let each = parts.map(|part| beside(&part, &made(&part, &joined.join("_"), ending)));
    let last = fill(
        "-- it takes up those of the partitions, and builds nothing:\nALTER TABLE {table} ADD CONSTRAINT {name} {kind} ({columns});",
        &[
            ("name", &quote_ident(&constraint)),
            ("table", &table_name(name)),
            ("columns", &idents(columns)),
            ("kind", &kind),
        ],
    );
    join(each.chain([last]), "\n")
}

pub(super) fn foreign(
    chain: &Chain,
    name: &QualifiedName,
    columns: &[Ident],
    parent: &Named,
    key: &[Ident],
    given: Option<&Ident>,
) -> SqlText {
    let joined: Vec<&str> = columns.iter().map(Ident::as_str).collect();
    let constraint = given
        .cloned()
        .unwrap_or_else(|| made(name, &joined.join("_"), "fkey"));
    let key = match key.is_empty() {
        true => fixed(""),
        false => fill(" ({key})", &[("key", &idents(key))]),
    };
    let body = fill(
        "FOREIGN KEY ({columns}) REFERENCES {parent}{key}",
        &[
            ("columns", &idents(columns)),
            ("parent", &written(parent)),
            ("key", &key),
        ],
    );
    let is_parted = chain
        .look()
        .table(name)
        .is_some_and(|own| own.partitioning.is_some());
    if is_parted && chain.version < 18 {
        let parts = chain.look().below(name);
        let mut lines: Vec<SqlText> = parts
            .iter()
            .map(|part| two_steps(part, &constraint, &body))
            .collect();
        lines.push(fill(
            "-- it finds those of the partitions, and reads no row:\nALTER TABLE {table} ADD CONSTRAINT {name} {body};",
            &[
                ("table", &table_name(name)),
                ("name", &quote_ident(&constraint)),
                ("body", &body),
            ],
        ));
        return join(lines, "\n");
    }
    two_steps(name, &constraint, &body)
}

pub(super) fn constraint(chain: &Chain, name: &QualifiedName, form: &ConstraintForm) -> String {
    let given = form.name.as_ref();
    let sql = match &form.kind {
        ConstraintKind::Check(expression) => {
            let own = given.cloned().unwrap_or_else(|| made(name, "check", "1"));
            two_steps(
                name,
                &own,
                &authored(&["CHECK (", expression, ")"].concat()),
            )
        }
        ConstraintKind::NotNull(Some(column)) => not_null(chain, name, column),
        ConstraintKind::ForeignKey {
            columns,
            table,
            key,
            ..
        } => foreign(chain, name, columns, table, key, given),
        ConstraintKind::PrimaryKey {
            using_index: Some(index),
            ..
        } => {
            let known = chain
                .look()
                .table(name)
                .and_then(|own| own.indexes.get(index));
            let columns = known.into_iter().flat_map(|index| &index.keys);
            let nullable = columns
                .filter_map(|key| key.column.as_ref())
                .filter(|column| {
                    chain
                        .look()
                        .column(name, column)
                        .is_none_or(|own| own.nullable)
                });
            let mut lines: Vec<SqlText> = nullable
                .map(|column| not_null(chain, name, column))
                .collect();
            lines.push(fixed("-- then the primary key"));
            join(lines, "\n")
        }
        ConstraintKind::PrimaryKey { columns, .. } => {
            let nullable = columns.iter().filter(|column| {
                chain
                    .look()
                    .column(name, column)
                    .is_none_or(|own| own.nullable)
            });
            let mut lines: Vec<SqlText> = nullable
                .map(|column| not_null(chain, name, column))
                .collect();
            lines.push(unique(chain, name, columns, true, given));
            join(lines, "\n")
        }
        ConstraintKind::Unique {
            columns,
            using_index: None,
            ..
        } => unique(chain, name, columns, false, given),
        _ => return WINDOW.to_owned(),
    };
    text(sql)
}
