//! Rules that forbid changes, while a backfill writes what they guard.
//!
//! A trigger that refuses updates (`append_only`, `immutable`, `transitions`, or one written by hand) would refuse a backfill too. It is given a condition for
//! as long as rows are filled: it passes the chunks by, which say so in their transaction, and nobody else. To say so is not enough: the login must be
//! allowed to write the table of progress, which only the owner of the schema is.

use super::backfill::progress_table;
use super::change::What;
use super::draft::{Draft, Item, Rank, drop_trigger};
use super::plan::{Part, Phase};
use crate::catalog::{ObjectPath, Trigger};
use crate::compile::Writer;
use crate::error::Error;
use crate::sql::words as text;
use crate::sql::{
    Ident, QualifiedName, SqlText, TokenKind, fill, fixed, literal, quote_qualified, tokens,
};

/// What a chunk says before it writes.
pub(super) fn said() -> SqlText {
    fixed("PERFORM set_config('pgproof.filling', 'on', true);\n")
}

/// Lets the rules of a table that would refuse the filling of columns stand aside meanwhile. Says whether there are any.
pub(super) fn stand(
    draft: &mut Draft<'_>,
    table: &QualifiedName,
    columns: &[Ident],
    cause: &ObjectPath,
) -> Result<bool, Error> {
    let Some(old) = draft.from.tables.get(table) else {
        return Ok(false);
    };
    let forbidding: Vec<(Ident, Trigger)> = old
        .triggers
        .iter()
        .filter(|(_, trigger)| forbids(draft, trigger, columns))
        .map(|(name, trigger)| (now_called(draft, table, name), trigger.clone()))
        .collect();
    for (name, trigger) in &forbidding {
        let named = format!("{} of {}", name.as_str(), table.name.as_str());
        let title = format!("let {named} stand aside for the backfill");
        if draft.has(&title) {
            continue;
        }
        let create = |trigger: &Trigger| -> Result<SqlText, Error> {
            let mut writer = Writer::new(draft.environment);
            writer.trigger(table, name, trigger)?;
            let made = writer.take().into_iter().next();
            made.map(|made| made.sql)
                .ok_or_else(|| Error::Internal("a trigger was written as nothing".to_owned()))
        };
        let progress = quote_qualified(&progress_table(&draft.policy.schema));
        let parts = [("progress", &literal(progress.as_str()))];
        let others = fill(
            "NOT (coalesce(current_setting('pgproof.filling', true), '') = 'on' AND has_table_privilege(session_user, {progress}, 'UPDATE'))",
            &parts,
        );
        let when = match &trigger.when {
            None => others,
            Some(when) => fill(
                "({when}) AND {others}",
                &[("when", when), ("others", &others)],
            ),
        };
        let aside = create(&Trigger {
            when: Some(when),
            ..trigger.clone()
        })?;
        let whole = create(trigger)?;
        let drop = drop_trigger(table, name);
        let step = |rank: Rank, title: String, made: &SqlText, before: &SqlText| {
            Item::new(Phase::Backfill, rank, title, cause)
                .part(drop.clone())
                .part(made.clone())
                .undo_parts([Part::new(drop.clone()), Part::new(before.clone())])
        };
        let first = step(Rank::Aside, title, &aside, &whole).because(
            "it would refuse the backfill; it holds for everybody else, because nobody else may write the table of progress",
        );
        let last = step(
            Rank::Again,
            format!("{named} holds for everybody again"),
            &whole,
            &aside,
        );
        draft.push(first);
        draft.push(last);
    }
    Ok(!forbidding.is_empty())
}

/// The name of a trigger after the expansion.
fn now_called(draft: &Draft<'_>, table: &QualifiedName, name: &Ident) -> Ident {
    let mut changes = draft.diff.changes.iter();
    let renamed = changes.find_map(|change| match (&change.object, &change.what) {
        (ObjectPath::Trigger(on, now), What::Renamed(was)) if on == table && was == name => {
            Some(now.clone())
        }
        _ => None,
    });
    renamed.unwrap_or_else(|| name.clone())
}

/// Whether a trigger does nothing but refuse changes, and might refuse one of these columns. A trigger that judges only the new values stays: a backfill has
/// to keep its rule.
fn forbids(draft: &Draft<'_>, trigger: &Trigger, columns: &[Ident]) -> bool {
    let fires = trigger.events.iter().any(|event| event == "UPDATE")
        && (trigger.columns.is_empty() || trigger.columns.iter().any(|c| columns.contains(c)));
    let Some(function) = draft.from.functions.get(&trigger.function) else {
        return false;
    };
    let body = function.body.as_str();
    let words: Vec<String> = tokens(body)
        .iter()
        .filter(|token| token.kind == TokenKind::Word)
        .map(|token| token.text(body).to_ascii_lowercase())
        .collect();
    let has = |word: &str| words.iter().any(|found| found == word);
    let does_more = ["insert", "update", "delete", "perform", "execute", "notify"];
    if !fires || !has("raise") || body.contains(":=") || does_more.iter().any(|word| has(word)) {
        return false;
    }
    let sql = SqlText::authored(body.to_owned());
    let is_about_rows = !body.to_ascii_lowercase().contains("new.");
    let is_unconditional = !has("if") && !has("case");
    is_unconditional
        || must_grow(body)
        || (has("old") && (is_about_rows || columns.iter().any(|name| text::mentions(&sql, name))))
}

/// Whether a function refuses each update that leaves a column as it is: a backfill of another column is one.
fn must_grow(body: &str) -> bool {
    body.split_once(" > OLD.").is_some_and(|(before, after)| {
        let column = before.rsplit("NEW.").next();
        column.is_some_and(|column| after.starts_with(column))
    })
}
