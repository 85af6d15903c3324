//! Rows: lost, hidden, or written all at once.

use super::cause::what;
use super::fault::Fault;
use super::recipe;
use super::transactions::fault;
use super::walk::{At, State};
use crate::catalog::Table;
use crate::migrate::effect::{Loss, shown};
use crate::migrate::lock::LockMode;
use crate::sql::{Ddl, TableAction};

pub(super) fn judge(state: &State, known: &At, found: &mut Vec<Fault>) {
    let effects = known.effects;
    // What is refused does nothing.
    if effects.refused.is_some() {
        return;
    }
    if let Ddl::AlterTable { table, actions, .. } = known.form
        && actions.contains(&TableAction::RowSecurity(true))
    {
        let (name, _) = state.chain.look().relation(table);
        let is_on = |own: &Table| own.row_security;
        let was_on = state.chain.look().table(&name).is_some_and(is_on);
        if !was_on && !state.chain.beside.fresh.contains(&name) {
            found.push(Fault {
                what: what(known.form),
                table: shown(&name),
                instead: "first release programs that do what the policies ask of them (set their tenant, take their role), then turn it on".to_owned(),
                ..fault("hides-rows")
            });
        }
    }
    let whole = effects.writes.iter().find(|(_, whole)| **whole);
    let is_lost = !effects.loses_data.is_empty();
    if let Some((name, _)) = whole.filter(|_| !is_lost) {
        found.push(Fault {
            what: what(known.form),
            table: shown(name),
            lock: LockMode::RowExclusive.sql().to_owned(),
            instead: recipe::batches(known.form, &state.chain),
            ..fault("whole-table-at-once")
        });
    }
    if is_lost {
        // Partitions go with their parent.
        let parted = |loss: &&Loss| {
            let parent = loss
                .relation()
                .and_then(|own| state.chain.beside.partitions.get(own));
            parent.is_none_or(|parent| {
                !effects
                    .loses_data
                    .iter()
                    .any(|other| other.relation() == Some(parent))
            })
        };
        let lost: Vec<String> = effects.loses_data.iter().filter(parted).map(told).collect();
        let drops: Vec<&str> = effects.drops.iter().map(String::as_str).collect();
        let more = match drops.is_empty() {
            true => String::new(),
            false => format!("; with it go {}", drops.join(", ")),
        };
        found.push(Fault {
            what: what(known.form),
            table: lost.join(" and "),
            more,
            instead: "release programs that no longer use it, keep a copy, and drop it in a later migration".to_owned(),
            ..fault("loses-data")
        });
    } else if let Some(broken) = effects.breaks.first() {
        found.push(Fault {
            what: what(known.form),
            table: broken.clone(),
            instead: recipe::rename(known.form),
            ..fault("breaks-old-programs")
        });
    }
}

fn told(loss: &Loss) -> String {
    match loss {
        Loss::Table(name) => format!("table `{}` with its rows", shown(name)),
        Loss::Column(name, column) => {
            format!(
                "column `{}` of `{}` with its values",
                column.as_str(),
                shown(name)
            )
        }
        Loss::Rows(name) => format!("every row of `{}`", shown(name)),
        Loss::Schema(schema) => format!("schema `{}` with all in it", schema.as_str()),
        Loss::Extension(extension) => format!(
            "every column and index that needs extension `{}`",
            extension.as_str()
        ),
    }
}
