//! What a session sends.

use super::play::Seat;
use super::program::{Act, Actor};
use crate::sql::{self, Ident, SqlText, fill, fixed, join, literal, quote_ident};

/// What is sent for a step.
pub(super) fn message(seat: &Seat, act: &Act) -> SqlText {
    match act {
        Act::Statement(step) => {
            let call = seat
                .prepared
                .get(*step)
                .and_then(Option::as_ref)
                .map(|prepared| prepared.call(&seat.actor.params(*step)));
            let call = call.unwrap_or_else(|| fixed("SELECT"));
            match seat.actor.open {
                true => call,
                false => sql::sequence(&begin(&seat.actor, call)),
            }
        }
        Act::Commit | Act::Nothing => fixed("COMMIT"),
        Act::Rollback(_) => fixed("ROLLBACK"),
    }
}

/// BEGIN travels with the first statement: nobody can come between the two and see a difference.
pub(super) fn begin(actor: &Actor, call: SqlText) -> Vec<SqlText> {
    let script = &actor.program.script;
    let level = fixed(script.isolation.sql());
    let mut statements = vec![fill("BEGIN ISOLATION LEVEL {level}", &[("level", &level)])];
    if let Some((setting, param)) = &script.setting
        && let Some(value) = actor.program.args.get(param).cloned().flatten()
    {
        let name = join(
            setting
                .as_str()
                .split('.')
                .map(|part| quote_ident(&Ident::from(part))),
            ".",
        );
        statements.push(fill(
            "SET LOCAL {name} TO {value}",
            &[("name", &name), ("value", &literal(&value))],
        ));
    }
    statements.push(call);
    statements
}

/// The same for people.
pub(super) fn shown(actor: &Actor, act: &Act) -> String {
    match act {
        Act::Statement(step) if actor.open => actor.shown(*step),
        Act::Statement(step) => match actor.program.script.isolation {
            crate::design::Isolation::ReadCommitted => format!("BEGIN; {}", actor.shown(*step)),
            level => format!(
                "BEGIN ISOLATION LEVEL {}; {}",
                level.sql(),
                actor.shown(*step)
            ),
        },
        Act::Commit | Act::Nothing => "COMMIT".to_owned(),
        Act::Rollback(outcome) => format!("ROLLBACK -- {outcome}"),
    }
}
