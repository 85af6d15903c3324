//! Constraints: first for new rows, then for those that are there.

use super::tails;
use super::words::{WINDOW, authored, made, table_name, text, two_steps};
use crate::migrate::chain::Chain;
use crate::sql::{
    ConstraintForm, ConstraintKind, Ident, QualifiedName, SqlText, fill, fixed, idents, join,
    quote_ident,
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

/// What is unique, or the primary key; `form` where a statement says it.
pub(super) fn unique(
    name: &QualifiedName,
    columns: &[Ident],
    primary: bool,
    form: Option<&ConstraintForm>,
) -> SqlText {
    let constraint = key_name(name, columns, primary, form);
    let written = form.map_or("", |form| form.written.as_str());
    fill(
        "CREATE UNIQUE INDEX CONCURRENTLY {name} ON {table} ({columns}){options};\n-- when pg_index.indisvalid says that it is valid:\nALTER TABLE {table} ADD CONSTRAINT {name} {kind} USING INDEX {name}{when};",
        &[
            ("name", &quote_ident(&constraint)),
            ("table", &table_name(name)),
            ("columns", &idents(columns)),
            ("options", &tails::of_index(written)),
            (
                "kind",
                &fixed(if primary { "PRIMARY KEY" } else { "UNIQUE" }),
            ),
            ("when", &tails::of_constraint(written)),
        ],
    )
}

fn key_name(
    name: &QualifiedName,
    columns: &[Ident],
    primary: bool,
    form: Option<&ConstraintForm>,
) -> Ident {
    let joined: Vec<&str> = columns.iter().map(Ident::as_str).collect();
    let given = form.and_then(|form| form.name.clone());
    given.unwrap_or_else(|| match primary {
        true => Ident::new([name.name.as_str(), "_pkey"].concat()),
        false => made(name, &joined.join("_"), "key"),
    })
}

/// A key of a partitioned table takes up those that its partitions have.
fn unique_on_parts(
    chain: &Chain,
    name: &QualifiedName,
    columns: &[Ident],
    primary: bool,
    form: &ConstraintForm,
) -> SqlText {
    let parts = chain.look().leaves(name);
    let own = |part: &QualifiedName| {
        let unnamed = ConstraintForm {
            name: None,
            ..form.clone()
        };
        unique(part, columns, primary, Some(&unnamed))
    };
    let mut lines: Vec<SqlText> = parts.iter().map(own).collect();
    let constraint = key_name(name, columns, primary, Some(form));
    lines.push(fill(
        "-- it finds those of the partitions, and builds nothing:\nALTER TABLE {table} ADD CONSTRAINT {name} {kind} ({columns}){options}{when};",
        &[
            ("table", &table_name(name)),
            ("name", &quote_ident(&constraint)),
            ("columns", &idents(columns)),
            ("options", &tails::of_index(&form.written)),
            ("kind", &fixed(if primary { "PRIMARY KEY" } else { "UNIQUE" })),
            ("when", &tails::of_constraint(&form.written)),
        ],
    ));
    join(lines, "\n")
}

fn key(
    chain: &Chain,
    name: &QualifiedName,
    columns: &[Ident],
    primary: bool,
    form: &ConstraintForm,
) -> SqlText {
    match chain.look().partitioning(name).is_some() {
        true => unique_on_parts(chain, name, columns, primary, form),
        false => unique(name, columns, primary, Some(form)),
    }
}

/// A foreign key over these columns, with all that the statement says of it.
pub(super) fn foreign(
    chain: &Chain,
    name: &QualifiedName,
    columns: &[Ident],
    form: &ConstraintForm,
) -> SqlText {
    let joined: Vec<&str> = columns.iter().map(Ident::as_str).collect();
    let given = form.name.clone();
    let constraint = given.unwrap_or_else(|| made(name, &joined.join("_"), "fkey"));
    let body = fill(
        "FOREIGN KEY ({columns}) {references}",
        &[
            ("columns", &idents(columns)),
            (
                "references",
                &tails::references(&form.written).unwrap_or_else(|| fixed("")),
            ),
        ],
    );
    if chain.look().partitioning(name).is_some() && chain.version < 18 {
        let parts = chain.look().leaves(name);
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
        ConstraintKind::ForeignKey { columns, .. } => foreign(chain, name, columns, form),
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
            lines.push(key(chain, name, columns, true, form));
            join(lines, "\n")
        }
        ConstraintKind::Unique {
            columns,
            using_index: None,
            ..
        } => key(chain, name, columns, false, form),
        _ => return WINDOW.to_owned(),
    };
    text(sql)
}
