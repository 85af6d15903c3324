//! Every piece of SQL in the design is put to the server, which checks it without running it.

use crate::design::{Model, Param, Rule, StepKind};
use crate::error::Error;
use crate::finding::Finding;
use crate::postgres::{Session, SqlFailure};
use crate::source::Text;
use crate::sql::{self, SqlText};
use crate::verify::Stage;

/// "could not determine data type of parameter": only the types are missing, the statement may be right.
const INDETERMINATE_DATATYPE: &str = "42P18";

/// Findings for statements that the server does not accept, each at its place inside the block.
pub async fn refused_statements(stage: &Stage<'_>) -> Result<Vec<Finding>, Error> {
    let database = stage.copy().await?;
    let mut session = stage.session(&database).await?;
    let mut findings = Vec::new();
    for (subject, text, params) in statements(stage.model) {
        if let Some(finding) = refused(&mut session, stage.model, &subject, text, params).await {
            findings.push(finding.of(stage.model.name.as_str()));
        }
    }
    drop(session);
    database.drop().await?;
    Ok(findings)
}

/// What it belongs to, the SQL, and the parameters it may name.
fn statements(model: &Model) -> Vec<(String, &Text, &[Param])> {
    let mut all: Vec<(String, &Text, &[Param])> = Vec::new();
    for query in &model.queries {
        all.push((
            format!("query {}", query.name.as_str()),
            &query.sql,
            &query.params,
        ));
    }
    for command in &model.commands {
        for (number, step) in command.steps.iter().enumerate() {
            if let StepKind::Sql { sql, .. } = &step.kind {
                let subject = format!("command {} / step {}", command.name.as_str(), number + 1);
                all.push((subject, sql, &command.params));
            }
        }
    }
    for invariant in &model.invariants {
        if let Rule::Holds { sql } = &invariant.rule {
            all.push((format!("invariant {}", invariant.name.as_str()), sql, &[]));
        }
    }
    for projection in &model.projections {
        if let Some(rebuild) = &projection.rebuild {
            all.push((
                format!("projection {} / rebuild", projection.name.as_str()),
                rebuild,
                &[],
            ));
        }
    }
    all
}

async fn refused(
    session: &mut Session,
    model: &Model,
    subject: &str,
    text: &Text,
    params: &[Param],
) -> Option<Finding> {
    let bound = sql::bind(text.as_str());
    let statement = SqlText::authored(bound.sql.clone());
    let failure = match session.prepare_types(&statement).await {
        Ok(_) => return None,
        Err(failure) if failure.sqlstate.is(INDETERMINATE_DATATYPE) => {
            // Told the declared types, the server may know.
            let typed = sql::substitute(text.as_str(), &|name| typed_null(model, params, name));
            match session.prepare_types(&typed).await {
                Ok(_) => return None,
                Err(again) if again.sqlstate.is(INDETERMINATE_DATATYPE) => return None,
                // Positions no longer fit the text as written.
                Err(again) => return Some(finding(subject, text, None, &again)),
            }
        }
        Err(failure) => failure,
    };
    let range = failure.position.map(|position| {
        let start = byte_of(&bound.sql, position);
        let end = start + word_length(&bound.sql[start..]);
        bound.original_range(start..end)
    });
    Some(finding(subject, text, range, &failure))
}

/// NULL of a parameter's declared type.
fn typed_null(model: &Model, params: &[Param], name: &str) -> SqlText {
    match params.iter().find(|param| param.name.as_str() == name) {
        Some(param) => {
            let data_type = crate::compile::data_type(model, param.data_type.as_str());
            sql::fill("CAST(NULL AS {type})", &[("type", &data_type)])
        }
        None => sql::fixed("NULL"),
    }
}

fn finding(
    subject: &str,
    text: &Text,
    range: Option<std::ops::Range<usize>>,
    failure: &SqlFailure,
) -> Finding {
    let at = range.map_or_else(|| text.at(), |range| text.part(range));
    let message = format!(
        "PostgreSQL refuses it: {} ({})",
        failure.message,
        failure.sqlstate.code()
    );
    let mut finding = Finding::error("sql-refused", subject, message, at);
    if let Some(more) = failure.hint.as_ref().or(failure.detail.as_ref()) {
        finding = finding.help(more.clone());
    }
    finding
}

/// The byte of a character counted from 1.
fn byte_of(text: &str, position: u32) -> usize {
    let skipped = position.saturating_sub(1) as usize;
    text.char_indices()
        .nth(skipped)
        .map_or(text.len(), |(byte, _)| byte)
}

/// Bytes of the word, or the one character, that stands first.
fn word_length(text: &str) -> usize {
    let word = text
        .find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '.'))
        .unwrap_or(text.len());
    if word > 0 {
        word
    } else {
        text.chars().next().map_or(0, char::len_utf8)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_count_characters() {
        assert_eq!(byte_of("é x", 3), 3);
        assert_eq!(word_length("a_b.c d"), 5);
        assert_eq!(word_length("(a"), 1);
        assert_eq!(byte_of("a", 9), 1);
    }
}
