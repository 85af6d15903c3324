//! First pages and roots of the sample's btrees, for them to be made higher.

use std::collections::BTreeMap;

use super::graft::{PAGE, top};
use super::relation::Relation;
use crate::postgres::{Session, SqlFailure};
use crate::sql::{SqlText, fill, fixed, join, literal, number};

/// Of one index.
#[derive(Clone, Debug)]
pub(super) struct Tops {
    pub first: Vec<u8>,
    pub root: Vec<u8>,
}

/// Reads them from the files, once everything is there, and tells each index how high it is.
pub(super) async fn read_tops(
    admin: &mut Session,
    relations: &mut [Relation],
) -> Result<BTreeMap<u32, Tops>, SqlFailure> {
    admin.batch(&fixed("CHECKPOINT")).await?;
    let mut wanted: Vec<usize> = (0..relations.len())
        .filter(|at| relations[*at].method == "btree" && relations[*at].pages > 1.0)
        .collect();
    let firsts = pages(admin, relations, wanted.iter().map(|at| (*at, 0))).await?;
    wanted.retain(|at| firsts.get(at).is_some_and(|first| top(first).is_some()));
    let root = |at: &usize| {
        firsts
            .get(at)
            .and_then(|first| top(first))
            .map_or(0, |top| top.root)
    };
    let roots = pages(admin, relations, wanted.iter().map(|at| (*at, root(at)))).await?;
    let mut tops = BTreeMap::new();
    for at in wanted {
        let (Some(first), Some(root)) = (firsts.get(&at), roots.get(&at)) else {
            continue;
        };
        let level = top(first).map_or(0, |top| top.level);
        relations[at].height = Some((level, level));
        tops.insert(
            relations[at].oid,
            Tops {
                first: first.clone(),
                root: root.clone(),
            },
        );
    }
    Ok(tops)
}

/// Pages of the files of relations, by the place of the relation.
async fn pages(
    admin: &mut Session,
    relations: &[Relation],
    wanted: impl Iterator<Item = (usize, u32)>,
) -> Result<BTreeMap<usize, Vec<u8>>, SqlFailure> {
    let one = |(at, block): (usize, u32)| {
        fill(
            "SELECT {at}, encode(pg_read_binary_file({path}, {from}, {length}), 'hex')",
            &[
                ("at", &number(at as i64)),
                ("path", &literal(relations[at].own_path())),
                ("from", &number(i64::from(block) * PAGE as i64)),
                ("length", &number(PAGE as i64)),
            ],
        )
    };
    let all: Vec<SqlText> = wanted.map(one).collect();
    if all.is_empty() {
        return Ok(BTreeMap::new());
    }
    let rows = admin.query(&join(all, "\nUNION ALL ")).await?;
    let read = |row: &Vec<Option<String>>| {
        let at = row.first()?.as_deref()?.parse().ok()?;
        Some((at, bytes(row.get(1)?.as_deref()?)?))
    };
    Ok(rows.rows.iter().filter_map(read).collect())
}

fn bytes(hex: &str) -> Option<Vec<u8>> {
    let digit = |digit: u8| char::from(digit).to_digit(16);
    let pairs = hex.as_bytes().chunks_exact(2);
    pairs
        .map(|pair| Some((digit(pair[0])? << 4 | digit(pair[1])?) as u8))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::bytes;

    #[test]
    fn hex_is_read() {
        assert_eq!(bytes("00ff7a"), Some(vec![0, 255, 122]));
        assert_eq!(bytes("zz"), None);
    }
}
