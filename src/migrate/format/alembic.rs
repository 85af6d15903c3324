//! Alembic: one revision a step.

use super::form::File;
use super::script::{path, time};
use crate::migrate::plan::{Part, Plan, Reverse, Step};

pub(super) fn alembic(plan: &Plan, start: u64) -> Vec<File> {
    let mut files = Vec::new();
    let mut before: Option<String> = None;
    for step in &plan.steps {
        let revision = format!("{:04}", start + step.number as u64 - 1);
        files.push(File {
            path: format!("versions/{revision}_{}.py", &step.file_stem()[4..]),
            text: revision_text(plan, step, &revision, before.as_deref()),
        });
        before = Some(revision);
    }
    files
}

/// A Python string of several lines. Quotes that would end it are escaped: the last one, and those before another one.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"\"\"");
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        let ends = c == '"' && matches!(rest.peek(), None | Some('"'));
        if c == '\\' || ends {
            out.push('\\');
        }
        out.push(c);
    }
    out + "\"\"\""
}

fn operations(plan: &Plan, parts: &[Part]) -> String {
    let mut out = String::new();
    let path = path(plan);
    let again = "    op.execute(\"SET LOCAL search_path TO DEFAULT\")\n";
    let mut is_set = false;
    for part in parts {
        // A colon begins a parameter of SQLAlchemy's text, so the driver gets the statement as it is.
        let call = format!(
            "op.get_bind().exec_driver_sql({})",
            quoted(&part.sql.as_str().replace('%', "%%"))
        );
        if part.alone {
            if is_set {
                out.push_str(again);
            }
            out.push_str("    with op.get_context().autocommit_block():\n");
            out.push_str(&format!("        {call}\n"));
            is_set = false;
        } else {
            if !is_set {
                for setting in [
                    format!("SET LOCAL search_path = {path}"),
                    format!("SET LOCAL lock_timeout = '{}'", time(plan.lock_timeout_ms)),
                    format!(
                        "SET LOCAL statement_timeout = '{}'",
                        time(plan.statement_timeout_ms)
                    ),
                ] {
                    out.push_str(&format!("    op.execute({})\n", quoted(&setting)));
                }
                is_set = true;
            }
            out.push_str(&format!("    {call}\n"));
        }
    }
    if is_set {
        out.push_str(again);
    }
    if out.is_empty() {
        out.push_str("    pass\n");
    }
    out
}

fn revision_text(plan: &Plan, step: &Step, revision: &str, before: Option<&str>) -> String {
    let before = before.map_or_else(|| "None".to_owned(), |before| format!("\"{before}\""));
    let down = match &step.reverse {
        Reverse::Parts(parts) => operations(plan, parts),
        Reverse::ForwardOnly(reason) => format!(
            "    raise NotImplementedError({})\n",
            quoted(&format!("cannot be undone: {reason}"))
        ),
    };
    format!(
        "\"\"\"{} {}: {}\"\"\"\n\nfrom alembic import op\n\nrevision = \"{revision}\"\ndown_revision = {before}\nbranch_labels = None\ndepends_on = None\n\n\ndef upgrade() -> None:\n{}\n\ndef downgrade() -> None:\n{down}",
        step.number,
        step.phase,
        step.title.replace('"', "'"),
        operations(plan, &step.parts),
    )
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn what_would_end_a_string_of_python_is_escaped() {
        for (text, expected) in [
            ("a", r#""""a""""#),
            (r#"COLLATE "C""#, r#""""COLLATE "C\"""""#),
            (r#"'"""'"#, r#""""'\"\""'""""#),
            (r#"x""""#, r#""""x\"\"\"""""#),
            (r"'\d'", r#""""'\\d'""""#),
        ] {
            assert_eq!(quoted(text), expected);
        }
    }
}
