//! Indexes, built while others go on.

use super::words::{authored, made, table_name, text, written};
use crate::migrate::chain::Chain;
use crate::sql::{IndexForm, SqlText, fill, fixed, idents, join, quote_ident};

pub(super) fn create_index(chain: &Chain, index: &IndexForm) -> String {
    let (name, _) = chain.look().relation(&index.table);
    let keys: Vec<SqlText> = index
        .keys
        .iter()
        .map(|key| {
            let order = match (key.descending, key.nulls_first) {
                (true, None | Some(true)) => " DESC",
                (true, Some(false)) => " DESC NULLS LAST",
                (false, Some(true)) => " NULLS FIRST",
                _ => "",
            };
            authored(&[&key.expression, order].concat())
        })
        .collect();
    let plain: Vec<String> = index
        .keys
        .iter()
        .filter_map(|key| key.column.as_ref())
        .map(|column| column.as_str().to_owned())
        .collect();
    let own = index.name.as_ref().map_or_else(
        || made(&name, &plain.join("_"), "idx"),
        |own| own.name.clone(),
    );
    let method = match index.method.as_str() {
        "btree" => fixed(""),
        _ => fill(
            "USING {method} ",
            &[("method", &quote_ident(&index.method))],
        ),
    };
    let tail = {
        let include = match index.include.is_empty() {
            true => fixed(""),
            false => fill(
                " INCLUDE ({columns})",
                &[("columns", &idents(&index.include))],
            ),
        };
        let filter = index.predicate.as_ref().map_or(fixed(""), |predicate| {
            fill(" WHERE {predicate}", &[("predicate", &authored(predicate))])
        });
        join([include, filter], "")
    };
    let parts = [
        ("unique", &fixed(if index.unique { "UNIQUE " } else { "" })),
        ("name", &quote_ident(&own)),
        ("table", &table_name(&name)),
        ("method", &method),
        ("keys", &join(keys, ", ")),
        ("tail", &tail),
    ];
    let parted = chain
        .look()
        .table(&name)
        .filter(|own| own.partitioning.is_some());
    if parted.is_none() || chain.beside.partitions.contains_key(&name) {
        return text(fill(
            "CREATE {unique}INDEX CONCURRENTLY {name} ON {table} {method}({keys}){tail};",
            &parts,
        ));
    }
    let mut lines = vec![fill(
        "CREATE {unique}INDEX {name} ON ONLY {table} {method}({keys}){tail};",
        &parts,
    )];
    for part in chain.look().below(&name) {
        let own_part = quote_ident(&made(&part, &plain.join("_"), "idx"));
        let part = table_name(&part);
        let mut parts = parts.to_vec();
        parts.push(("own", &own_part));
        parts.push(("part", &part));
        lines.push(fill(
            "CREATE {unique}INDEX CONCURRENTLY {own} ON {part} {method}({keys}){tail};\nALTER INDEX {name} ATTACH PARTITION {own};",
            &parts,
        ));
    }
    text(join(lines, "\n"))
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
