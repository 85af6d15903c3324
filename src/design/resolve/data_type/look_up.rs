//! From a type's text to the type that is meant.

use super::super::super::model::Name;
use super::super::super::nearest::nearest;
use super::super::context::Context;
use super::known::{BUILTIN, EXTENSIONS, SYSTEM, common};
use super::parts::{Fault, check_modifiers, no_modifiers, parts};
use crate::finding::Finding;
use crate::source::{Node, Text};

/// A type, as far as two of them must be compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::design::resolve) struct DataType {
    /// One name for all spellings: `int8` for `bigint` and `bigserial`; of `types:`, the name as declared.
    pub(in crate::design::resolve) base: String,
    /// Dimensions of an array.
    pub(in crate::design::resolve) dimensions: usize,
}

/// Looks a type up; says so where there is none. `subject` is what has this type.
pub(in crate::design::resolve) fn check(
    cx: &Context<'_>,
    text: &Text,
    subject: &str,
) -> Option<DataType> {
    match look_up(cx, text.as_str()) {
        Ok(found) => found,
        Err(fault) => {
            let finding =
                Finding::error("type-unknown", subject, fault.message, text.at()).help(fault.help);
            cx.report(finding);
            None
        }
    }
}

/// The type meant, in silence; a domain is its base type.
pub(in crate::design::resolve) fn settle(cx: &Context<'_>, text: &Text) -> Option<DataType> {
    let mut found = look_up(cx, text.as_str()).ok().flatten()?;
    // Domains over domains end at a builtin, or the design says nonsense: eight steps are enough for either.
    for _ in 0..8 {
        let named = cx.symbols.types.get(found.base.as_str());
        let Some(base) = named
            .and_then(|node| node.get("domain"))
            .and_then(Node::as_str)
        else {
            break;
        };
        let inner = look_up(cx, base).ok().flatten()?;
        found = DataType {
            dimensions: found.dimensions + inner.dimensions,
            base: inner.base,
        };
    }
    Some(found)
}

/// `None`: a type only the server can judge (of an extension we do not know, or in another schema).
fn look_up(cx: &Context<'_>, text: &str) -> Result<Option<DataType>, Fault> {
    let parts = parts(text)?;
    let dimensions = parts.dimensions;
    let typed = |base: &str| {
        Some(DataType {
            base: base.to_owned(),
            dimensions,
        })
    };
    let own = without_schema(&parts.name, &cx.symbols.schema);
    if cx.symbols.types.contains_key(own) {
        return match parts.modifiers.is_empty() {
            true => Ok(typed(own)),
            false => Err(no_modifiers(own)),
        };
    }
    let lower = parts.name.to_ascii_lowercase();
    let plain = lower.strip_prefix("pg_catalog.").unwrap_or(&lower);
    if let Ok(slot) = BUILTIN.binary_search_by_key(&plain, |entry| entry.0) {
        let (name, base, most) = BUILTIN[slot];
        check_modifiers(name, &parts.modifiers, most)?;
        return Ok(typed(base));
    }
    if plain.starts_with("interval ") {
        return Ok(typed("interval"));
    }
    if let Some((extension, _)) = EXTENSIONS.iter().find(|(_, types)| types.contains(&plain)) {
        if cx.symbols.extensions.contains(extension) {
            return Ok(typed(plain));
        }
        return Err(Fault {
            message: format!(
                "type `{plain}` comes with an extension that the design does not name"
            ),
            help: format!("add `{extension}` to `database.extensions`"),
        });
    }
    let is_servers = parts.name.contains(['.', '"'])
        || cx
            .symbols
            .extensions
            .iter()
            .any(|name| EXTENSIONS.iter().all(|(known, _)| known != name));
    if is_servers {
        return Ok(None);
    }
    Err(unknown(cx, &parts.name))
}

fn unknown(cx: &Context<'_>, name: &str) -> Fault {
    let builtin = BUILTIN
        .iter()
        .map(|(spelling, _, _)| *spelling)
        .filter(|spelling| !SYSTEM.contains(spelling) && !spelling.starts_with("reg"));
    let near = nearest(name, cx.symbols.types.keys().copied()).or_else(|| nearest(name, builtin));
    let help = match near {
        Some(near) => format!("did you mean `{near}`?"),
        None => common(name).unwrap_or_else(|| {
            "name a PostgreSQL type, or declare an enum or a domain under `types:`".to_owned()
        }),
    };
    Fault {
        message: format!("there is no type `{name}`"),
        help,
    }
}

/// The name without the design's own schema before it, and without quotes.
fn without_schema<'t>(name: &'t str, schema: &str) -> &'t str {
    let own = name
        .strip_prefix(schema)
        .and_then(|rest| rest.strip_prefix('.'))
        .unwrap_or(name);
    own.strip_prefix('"')
        .and_then(|own| own.strip_suffix('"'))
        .unwrap_or(own)
}

/// The type of a column, settled; `None` where it is unknown or only the server knows it.
pub(in crate::design::resolve) fn of_column(
    cx: &Context<'_>,
    table: &Name,
    column: &Name,
) -> Option<DataType> {
    let table = cx.symbols.tables.get(table.as_str())?;
    let column = table.columns.get(column.as_str())?;
    settle(cx, column.data_type.as_ref()?)
}
