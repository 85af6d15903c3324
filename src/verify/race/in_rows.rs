//! Sets of arguments that never meet: each around another row, with keys of its own.

use super::argument::{APART, Arguments, anchors, around, known, met};
use super::reset::Snapshot;
use crate::catalog::Catalog;
use crate::design::Command;
use crate::sql::Ident;
use crate::verify::seed::Maker;

/// Number of a row that no sample has.
const FAR: u64 = 10_000_000;

/// So many sets of arguments for the command whose turn it is, each around another row of the tables that its parameters meet, with keys of its own for new rows.
pub(super) fn in_rows(
    command: &Command,
    maker: &Maker,
    catalog: &Catalog,
    snapshot: &Snapshot,
    (turn, many): (usize, usize),
) -> Vec<Arguments> {
    let met = met(command, maker);
    let known = known(command, &met, maker, catalog);
    let anchors = anchors(&known, snapshot);
    let mut sets = Vec::with_capacity(many);
    for at in 0..many {
        // Rows of the table that most parameters meet, and in turn of the others.
        let anchor = match anchors.as_slice() {
            [] => None,
            [only] => Some((&only.0, at % only.1)),
            [first, others @ ..] => match at % 2 {
                0 => Some((&first.0, at / 2 % first.1)),
                _ => others
                    .get(at / 2 % others.len())
                    .map(|(table, rows)| (table, at / 2 % rows)),
            },
        };
        let number = FAR * (turn as u64 + 1) + at as u64 * APART * APART;
        let mut set = around(&known, (anchor, at), maker, catalog, snapshot, number);
        let has_other_keys = |name: &Ident| {
            let mut others = known.iter().filter(|other| other.param.name.ident != *name);
            others.any(|other| other.makes_a_key(maker))
        };
        for known in &known {
            // What happens now comes after all that has; only other keys tell it from the rest.
            if has_other_keys(&known.param.name.ident)
                && let Some(latest) = known.latest(maker, snapshot)
            {
                set.insert(known.param.name.ident.clone(), Some(latest));
            }
        }
        sets.push(set);
    }
    sets
}
