//! What an error may be called in `outcomes` and `retry`.

use super::super::nearest::nearest;
use super::context::Context;
use crate::source::Text;
use crate::sql;

/// Judges a condition name, or a code of five characters.
pub(super) fn check(cx: &Context<'_>, condition: &Text, subject: &str) {
    let raw = condition.as_str();
    if sql::sqlstate(raw).is_some() {
        return;
    }
    let names = sql::condition_names();
    let help = match nearest(raw, names) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "write a condition name such as `unique_violation`, or a code such as `23505`"
            .to_owned(),
    };
    let message = format!("there is no error condition `{raw}` in PostgreSQL");
    cx.error("condition-unknown", subject, message, condition.at(), help);
}
