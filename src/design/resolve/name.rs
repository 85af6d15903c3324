//! Names that become PostgreSQL's: what it would cut, refuse or confuse.

use std::collections::BTreeMap;

use super::super::model::Name;
use super::context::Context;
use crate::finding::{Finding, Severity};

/// PostgreSQL keeps 63 bytes of a name.
const LONGEST: usize = 63;

/// Columns every table has already.
const SYSTEM_COLUMNS: &[&str] = &["cmax", "cmin", "ctid", "tableoid", "xmax", "xmin"];

/// Judges a name that becomes one of PostgreSQL's. `noun`: `table`, `index`.
pub(super) fn check(cx: &Context<'_>, noun: &str, name: &Name, subject: &str) {
    let raw = name.as_str();
    if raw.trim().is_empty() {
        let message = format!("the name of this {noun} is empty");
        cx.error("name-invalid", subject, message, name.at, "give it a name");
    } else if raw.chars().any(char::is_control) {
        let message = format!("the name of this {noun} holds a control character");
        let help = "use letters, digits and `_`";
        cx.error("name-invalid", subject, message, name.at, help);
    } else if raw.len() > LONGEST {
        let message = format!(
            "the name of this {noun} is {} bytes long, PostgreSQL keeps {LONGEST}",
            raw.len()
        );
        let help = "shorten it, or two names may become the same";
        cx.error("name-too-long", subject, message, name.at, help);
    }
}

/// Judges the name of a column.
pub(super) fn check_column(cx: &Context<'_>, name: &Name, subject: &str) {
    check(cx, "column", name, subject);
    if SYSTEM_COLUMNS.contains(&name.as_str()) {
        let message = format!(
            "every table has a system column `{}` already",
            name.as_str()
        );
        let help = "choose another name";
        cx.error("name-reserved", subject, message, name.at, help);
    }
}

/// Judges the name of a schema or role, which must not look like PostgreSQL's own.
pub(super) fn check_unreserved(cx: &Context<'_>, noun: &str, name: &Name, subject: &str) {
    check(cx, noun, name, subject);
    let is_reserved = name.as_str().starts_with("pg_")
        || noun == "role" && matches!(name.as_str(), "public" | "none");
    if is_reserved {
        let message = format!(
            "the {noun} name `{}` is one that PostgreSQL keeps for itself",
            name.as_str()
        );
        let help = "choose another name; those that start with `pg_` are not to be had";
        cx.error("name-reserved", subject, message, name.at, help);
    }
}

/// Says where two names differ only in the case of their letters: SQL without quotes cannot tell them apart.
pub(super) fn check_case<'n>(
    cx: &Context<'_>,
    noun: &str,
    subject: &str,
    names: impl IntoIterator<Item = &'n Name>,
) {
    let mut seen: BTreeMap<String, &Name> = BTreeMap::new();
    for name in names {
        let Some(first) = seen.insert(name.as_str().to_lowercase(), name) else {
            continue;
        };
        let message = format!(
            "{noun}s `{}` and `{}` differ only in the case of their letters",
            first.as_str(),
            name.as_str()
        );
        let finding = Finding::new("name-case", Severity::Warning, subject, message, name.at)
            .label(first.at, "the other one")
            .help("rename one: SQL without quotes cannot tell them apart");
        cx.report(finding);
    }
}
