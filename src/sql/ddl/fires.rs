//! When a trigger fires.

use squawk_syntax::ast::{self, AstNode};
use squawk_syntax::{SyntaxKind, SyntaxNode};

use super::names::named;
use super::read::{child, children, has, text};
use crate::sql::Ident;

/// When a trigger fires, for what it calls without arguments or tables of changed rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fires {
    /// BEFORE; else AFTER.
    pub before: bool,
    /// FOR EACH ROW.
    pub each_row: bool,
    /// DEFERRABLE INITIALLY DEFERRED.
    pub deferred: bool,
    /// `INSERT`, `UPDATE`, `DELETE`, `TRUNCATE`, in this order.
    pub events: Vec<&'static str>,
    /// `UPDATE OF` these.
    pub columns: Vec<Ident>,
    /// The condition of `WHEN (…)`.
    pub when: Option<String>,
}

/// Nothing where a trigger says more than that.
pub(super) fn fires(node: &SyntaxNode) -> Option<Fires> {
    let made = ast::CreateTrigger::cast(node.clone())?;
    let timing = text(made.timing()?.syntax()).to_ascii_uppercase();
    let call = text(made.call_expr()?.syntax());
    let has_arguments = !call.split_once('(')?.1.trim_start().starts_with(')');
    if has_arguments || made.referencing().is_some() || timing.starts_with("INSTEAD") {
        return None;
    }
    let list = made.trigger_event_list()?;
    let mut events = Vec::new();
    let mut columns = Vec::new();
    for event in list.syntax().children() {
        let words = text(&event).to_ascii_uppercase();
        let known = ["INSERT", "UPDATE", "DELETE", "TRUNCATE"];
        events.push(known.into_iter().find(|word| words.starts_with(word))?);
        let of = children::<ast::ColumnNameRef>(&event);
        for column in of {
            columns.push(named(column.syntax())?.name);
        }
    }
    let order = |word: &&str| {
        ["INSERT", "UPDATE", "DELETE", "TRUNCATE"]
            .iter()
            .position(|other| other == word)
    };
    events.sort_by_key(order);
    let level = made.trigger_level();
    let options = made
        .constraint_options()
        .map(|option| text(option.syntax()).to_ascii_uppercase());
    Some(Fires {
        before: timing == "BEFORE",
        each_row: level
            .is_some_and(|level| text(level.syntax()).to_ascii_uppercase().ends_with("ROW")),
        deferred: has(node, SyntaxKind::CONSTRAINT_KW)
            && options
                .into_iter()
                .any(|option| option.ends_with("INITIALLY DEFERRED")),
        events,
        columns,
        when: child::<ast::WhenCondition>(node)
            .and_then(|when| when.expr())
            .map(|expr| text(expr.syntax())),
    })
}
