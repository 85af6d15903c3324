//! What statements do to tables that are in use.

use std::collections::BTreeSet;

use super::cause::{listed, part, what, with_its_column};
use super::fault::Fault;
use super::recipe;
use super::transactions::fault;
use super::walk::{At, State};
use crate::migrate::effect::{Effects, Type, shown};
use crate::migrate::lock::LockMode;
use crate::sql::{Ddl, QualifiedName, TableAction};

pub(super) fn judge(state: &State, known: &At, found: &mut Vec<Fault>) {
    let effects = known.effects;
    if let Some(why) = &effects.refused {
        found.push(Fault {
            what: what(&part(known.form, &state.chain, |own| own.refused.is_some())),
            more: why.clone(),
            instead: recipe::of_refused(known.form, &state.chain),
            ..fault("refused-by-server")
        });
        return;
    }
    let stops = effects.stops();
    let of = |work: &BTreeSet<QualifiedName>| -> BTreeSet<QualifiedName> {
        work.iter()
            .filter(|name| stops.contains_key(*name))
            .cloned()
            .collect()
    };
    let rewrites = of(&effects.rewrites);
    let builds: BTreeSet<_> = of(&effects.builds_index)
        .difference(&rewrites)
        .cloned()
        .collect();
    let scans: BTreeSet<_> = of(&effects.scans)
        .into_iter()
        .filter(|name| !rewrites.contains(name) && !builds.contains(name))
        .collect();
    // LOCK TABLE and a whole table's DELETE are told of by other rules.
    let by_row = matches!(
        known.form,
        Ddl::Update { .. } | Ddl::Delete { .. } | Ddl::Truncate { .. } | Ddl::With(_)
    );
    if by_row {
        return;
    }
    // That it fails on a table with rows is the worse news.
    let fails = effects
        .depends_on_rows
        .as_deref()
        .is_some_and(|why| why.contains("no default"));
    if !rewrites.is_empty() {
        let form = part(known.form, &state.chain, |own| !own.rewrites.is_empty());
        found.push(work(state, known, "rewrites-table", &form, &rewrites));
    }
    if !builds.is_empty() {
        let form = part(known.form, &state.chain, |own| !own.builds_index.is_empty());
        found.push(work(
            state,
            known,
            "builds-index-under-lock",
            &form,
            &builds,
        ));
    }
    if !scans.is_empty() && !fails {
        let form = part(known.form, &state.chain, |own| !own.scans.is_empty());
        found.push(work(state, known, "scans-under-lock", &form, &scans));
    }
    if rewrites.is_empty() && builds.is_empty() && scans.is_empty() {
        short(state, known, found);
    }
}

fn work(
    state: &State,
    known: &At,
    code: &'static str,
    form: &Ddl,
    tables: &BTreeSet<QualifiedName>,
) -> Fault {
    let effects = known.effects;
    let mode = tables.iter().filter_map(|name| effects.lock_of(name)).max();
    let mode = mode.unwrap_or(LockMode::AccessExclusive);
    let shut = effects.index_locks.values().any(|mode| mode.blocks_reads());
    let waits = match shut && !mode.blocks_reads() {
        true => {
            "everybody waits who writes, and who reads too: the indexes are locked ACCESS EXCLUSIVE"
        }
        false => mode.plainly(),
    };
    let assumed = tables.iter().filter(|name| effects.assumed.contains(*name));
    let assumed = listed(assumed);
    let more = match assumed.is_empty() {
        true => String::new(),
        false => format!(
            " (nothing is known of {assumed} from these files: it is taken to be in use and large{})",
            unless(form)
        ),
    };
    Fault {
        what: what(form),
        table: listed(tables),
        lock: mode.sql().to_owned(),
        waits: waits.to_owned(),
        more,
        instead: recipe::of(&with_its_column(form, known.form), &state.chain),
        ..fault(code)
    }
}

/// What a change of type does not do where the old type, which is not known, is one that stays as it is.
fn unless(form: &Ddl) -> &'static str {
    let to = match form {
        Ddl::AlterTable { actions, .. } => actions.iter().find_map(|action| match action {
            TableAction::SetType { data_type, .. } => Some(Type::parse(data_type).name),
            _ => None,
        }),
        _ => None,
    };
    match to.as_deref() {
        Some("text" | "character varying") => {
            "; where the column is a varchar that is no longer than the new type, nothing is written"
        }
        _ => "",
    }
}

/// Locks that are held for a moment, but on tables of which the statement does not speak.
fn short(state: &State, known: &At, found: &mut Vec<Fault>) {
    let effects = known.effects;
    if let Ddl::DropIndex {
        concurrently: false,
        ..
    } = known.form
    {
        let shut = effects.locks.iter().find(|(_, mode)| mode.blocks_reads());
        let table = shut.map(|(name, _)| shown(name));
        if table.is_some() || !effects.assumed.is_empty() {
            found.push(Fault {
                what: what(known.form),
                table: table.unwrap_or_else(|| "its table".to_owned()),
                lock: LockMode::AccessExclusive.sql().to_owned(),
                waits: LockMode::AccessExclusive.plainly().to_owned(),
                instead: recipe::of(known.form, &state.chain),
                ..fault("drops-index-under-lock")
            });
        }
        return;
    }
    if let Some((parent, form)) = detached(state, known.form)
        && effects.locks.contains_key(&parent)
    {
        found.push(Fault {
            what: what(&form),
            table: shown(&parent),
            lock: LockMode::AccessExclusive.sql().to_owned(),
            waits: LockMode::AccessExclusive.plainly().to_owned(),
            instead: recipe::of(&form, &state.chain),
            ..fault("detaches-under-lock")
        });
        return;
    }
    let others = others(state, known.form, effects);
    if let Some((name, mode)) = others {
        found.push(Fault {
            what: what(known.form),
            table: shown(&name),
            lock: mode.sql().to_owned(),
            waits: mode.plainly().to_owned(),
            instead: match known.form {
                Ddl::CreateTable(_) => recipe::of(known.form, &state.chain),
                _ => recipe::PATIENCE.to_owned(),
            },
            ..fault("locks-other-table")
        });
    }
}

/// A partition that is detached while others wait, where there is a way in which they do not: the parent, and this action alone.
fn detached(state: &State, form: &Ddl) -> Option<(QualifiedName, Ddl)> {
    let Ddl::AlterTable { table, actions, .. } = form else {
        return None;
    };
    let is_it = |action: &TableAction| {
        matches!(
            action,
            TableAction::DetachPartition {
                concurrently: false,
                finalize: false,
                ..
            }
        )
    };
    let (name, _) = state.chain.look().relation(table);
    // Beside a DEFAULT partition there is no CONCURRENTLY.
    let is_detached = actions.iter().any(is_it) && state.chain.look().default_of(&name).is_none();
    is_detached.then(|| (name, form.clone()))
}

/// Partitions that are attached or detached: the statement says that it is about them too.
fn spoken_of(state: &State, actions: &[TableAction]) -> Vec<QualifiedName> {
    let named = actions.iter().filter_map(|action| match action {
        TableAction::AttachPartition { partition, .. }
        | TableAction::DetachPartition { partition, .. } => Some(partition),
        _ => None,
    });
    named
        .map(|partition| state.chain.look().relation(partition).0)
        .collect()
}

fn others(state: &State, form: &Ddl, effects: &Effects) -> Option<(QualifiedName, LockMode)> {
    let own = match form {
        Ddl::AlterTable { table, actions, .. } => {
            let (name, _) = state.chain.look().relation(table);
            let mut family: BTreeSet<QualifiedName> =
                state.chain.look().below(&name).into_iter().collect();
            family.insert(name);
            family.extend(spoken_of(state, actions));
            family
        }
        Ddl::CreateTable(_) => BTreeSet::new(),
        Ddl::Drop { .. } if effects.loses_data.is_empty() => return None,
        Ddl::Drop { names, .. } => {
            let names = names
                .iter()
                .map(|named| state.chain.look().relation(named).0);
            names.collect()
        }
        _ => return None,
    };
    let lost: BTreeSet<&QualifiedName> = effects
        .loses_data
        .iter()
        .filter_map(|loss| loss.relation())
        .collect();
    let locks = effects.locks.iter();
    let mut locks = locks
        .filter(|(name, mode)| mode.blocks_reads() && !own.contains(*name) && !lost.contains(name));
    locks.next().map(|(name, mode)| (name.clone(), *mode))
}
