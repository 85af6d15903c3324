//! Indexes, built while others go on.

use super::words::{authored, made, table_name, text, written};
use crate::migrate::chain::Chain;
use crate::sql::{Ident, IndexForm, QualifiedName, SqlText, fill, fixed, join, quote_ident};

pub(super) fn create_index(chain: &Chain, index: &IndexForm) -> String {
    let (name, _) = chain.look().relation(&index.table);
    let keys: Vec<&str> = index
        .keys
        .iter()
        .map(|key| key.column.as_ref().map_or("expr", Ident::as_str))
        .collect();
    let given = index.name.as_ref().map(|own| own.name.clone());
    let own = given.unwrap_or_else(|| made(&name, &keys.join("_"), "idx"));
    let new = New {
        unique: fixed(if index.unique { "UNIQUE " } else { "" }),
        keys: keys.join("_"),
        rest: authored(&index.written),
    };
    if chain.look().partitioning(&name).is_none() {
        return text(new.made(
            "CREATE {unique}INDEX CONCURRENTLY {name} ON {table} {rest};",
            &name,
            &own,
        ));
    }
    let mut lines = Vec::new();
    on_parts(chain, &name, &own, &new, &mut lines);
    text(join(lines, "\n"))
}

/// What the indexes of a table and of its partitions have in common.
struct New {
    unique: SqlText,
    keys: String,
    rest: SqlText,
}

impl New {
    fn made(&self, statement: &'static str, table: &QualifiedName, name: &Ident) -> SqlText {
        let parts = [
            ("unique", &self.unique),
            ("name", &quote_ident(name)),
            ("table", &table_name(table)),
            ("rest", &self.rest),
        ];
        fill(statement, &parts)
    }
}

/// An index of a partitioned table is made of those of its partitions.
fn on_parts(
    chain: &Chain,
    table: &QualifiedName,
    name: &Ident,
    new: &New,
    lines: &mut Vec<SqlText>,
) {
    lines.push(new.made(
        "CREATE {unique}INDEX {name} ON ONLY {table} {rest};",
        table,
        name,
    ));
    let index = |table: &QualifiedName, name: &Ident| {
        table_name(&QualifiedName::new(table.schema.clone(), name.clone()))
    };
    for part in chain.look().parts(table) {
        let own = made(&part, &new.keys, "idx");
        match chain.look().partitioning(&part).is_some() {
            true => on_parts(chain, &part, &own, new, lines),
            false => lines.push(new.made(
                "CREATE {unique}INDEX CONCURRENTLY {name} ON {table} {rest};",
                &part,
                &own,
            )),
        }
        lines.push(fill(
            "ALTER INDEX {above} ATTACH PARTITION {own};",
            &[("above", &index(table, name)), ("own", &index(&part, &own))],
        ));
    }
}

/// After a failure the invalid index is dropped, and only then built again.
pub(in crate::migrate::lint) fn build_again(chain: &Chain, index: &IndexForm) -> String {
    let name = index.name.as_ref().map_or(fixed("the_index"), written);
    text(fill(
        "DROP INDEX CONCURRENTLY IF EXISTS {name};\n{build}",
        &[
            ("name", &name),
            ("build", &authored(&create_index(chain, index))),
        ],
    ))
}
