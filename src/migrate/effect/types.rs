//! Data types: whether a change of one to another leaves the rows as they are.

use super::look::Look;
use crate::catalog::UserType;
use crate::sql::{Named, TokenKind, fold, tokens};

/// A type taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::migrate) struct Type {
    /// PostgreSQL's own name, in lower case: `character varying`.
    pub(in crate::migrate) name: String,
    /// Length, precision and scale.
    pub(in crate::migrate) modifiers: Vec<i64>,
    /// Array.
    pub(in crate::migrate) is_array: bool,
    /// `smallserial`, `serial`, `bigserial` under another name.
    pub(in crate::migrate) is_serial: bool,
}

/// What a change of type asks of the rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    /// Nothing: the bytes stay, indexes stay.
    None,
    /// The bytes stay, but they sort by other rules: indexes on them are built anew.
    Reindex,
    /// All rows are written anew.
    Rewrite,
}

impl Type {
    /// Reads `numeric(12,2)`, `timestamp(3) with time zone`, `shop."State"[]`.
    pub(in crate::migrate) fn parse(text: &str) -> Type {
        let mut words: Vec<String> = Vec::new();
        let mut modifiers = Vec::new();
        let mut depth = 0;
        let mut is_array = false;
        let mut glued = false;
        for token in tokens(text) {
            let own = token.text(text);
            match token.kind {
                TokenKind::Symbol if own == "(" => depth += 1,
                TokenKind::Symbol if own == ")" => depth -= 1,
                TokenKind::Symbol if own == "[" => is_array = true,
                TokenKind::Symbol if own == "." => glued = true,
                TokenKind::Number if depth > 0 => modifiers.extend(own.parse::<i64>().ok()),
                TokenKind::Word | TokenKind::QuotedIdent => {
                    let word = fold(own);
                    match words.last_mut() {
                        Some(last) if glued => *last = format!("{last}.{word}"),
                        _ if word == "array" => is_array = true,
                        _ => words.push(word),
                    }
                    glued = false;
                }
                _ => {}
            }
        }
        let joined = words.join(" ");
        let bare = joined.strip_prefix("pg_catalog.").unwrap_or(&joined);
        let is_serial = bare.contains("serial");
        let name = match bare {
            "int" | "int4" | "serial" | "serial4" => "integer",
            "int8" | "bigserial" | "serial8" => "bigint",
            "int2" | "smallserial" | "serial2" => "smallint",
            "varchar" | "char varying" | "national character varying" => "character varying",
            "char" | "nchar" | "bpchar" | "national character" => "character",
            "decimal" | "dec" => "numeric",
            "bool" => "boolean",
            "float4" => "real",
            "float8" | "float" => "double precision",
            "timestamptz" => "timestamp with time zone",
            "timestamp without time zone" => "timestamp",
            "timetz" => "time with time zone",
            "time without time zone" => "time",
            "varbit" => "bit varying",
            other => other,
        };
        let name = name.to_owned();
        if matches!(bare, "char" | "nchar" | "character") && modifiers.is_empty() {
            modifiers.push(1);
        }
        Type {
            name,
            modifiers,
            is_array,
            is_serial,
        }
    }

    /// What it is in the schema, where it is no type of PostgreSQL's own.
    pub(in crate::migrate) fn domain<'a>(&self, look: &Look<'a>) -> Option<(&'a str, bool)> {
        let named = Named::parse(&self.name)?;
        match look.user_type(&named).1? {
            UserType::Domain { base, checks } => {
                let text = base.as_str();
                let says = |word: &str| text.to_ascii_uppercase().contains(word);
                Some((text, says(" NOT NULL") || !checks.is_empty()))
            }
            UserType::Enum(_) => None,
        }
    }
}

/// What a change asks for, without USING.
pub(super) fn change(from: &str, to: &str, look: &Look) -> Change {
    let (old, new) = (Type::parse(from), Type::parse(to));
    let (one, other) = (resolved(&old, look), resolved(&new, look));
    let same = bare(&one) == bare(&other);
    if same && old.is_array == new.is_array && old.modifiers == new.modifiers {
        return Change::None;
    }
    if old.is_array || new.is_array {
        return Change::Rewrite;
    }
    if let Some((base, is_bound)) = new.domain(look) {
        return match is_bound {
            true => Change::Rewrite,
            false => change(from, base_of(base), look),
        };
    }
    if let Some((base, _)) = old.domain(look) {
        return change(base_of(base), to, look);
    }
    between(&old, &new)
}

fn resolved(own: &Type, look: &Look) -> String {
    let named = Named::parse(&own.name);
    let known = named.map(|named| look.user_type(&named));
    match known {
        Some((name, Some(_))) => format!("{}.{}", name.schema.as_str(), name.name.as_str()),
        _ => own.name.clone(),
    }
}

/// The type of a domain, without what is said behind it.
pub(in crate::migrate) fn base_of(base: &str) -> &str {
    let upper = base.to_ascii_uppercase();
    let ends = [" NOT NULL", " DEFAULT "]
        .iter()
        .filter_map(|word| upper.find(word));
    &base[..ends.min().unwrap_or(base.len())]
}

/// The name of a type of an extension, whatever schema it was put into.
fn bare(name: &str) -> &str {
    match name.rsplit_once('.') {
        Some((_, last)) if last == "citext" => last,
        _ => name,
    }
}

/// Types of PostgreSQL's own.
fn between(old: &Type, new: &Type) -> Change {
    let wider = |from: &[i64], to: &[i64]| match (from.first(), to.first()) {
        (_, None) => true,
        (None, Some(_)) => false,
        (Some(from), Some(to)) => to >= from,
    };
    let stays = |is: bool| if is { Change::None } else { Change::Rewrite };
    let precise = |own: &Type| own.modifiers.first().copied().unwrap_or(6);
    match (bare(&old.name), bare(&new.name)) {
        ("character varying", "character varying") | ("bit varying", "bit varying") => {
            stays(wider(&old.modifiers, &new.modifiers))
        }
        ("character varying" | "text", "text") => Change::None,
        ("text", "character varying") => stays(new.modifiers.is_empty()),
        ("numeric", "numeric") => {
            let scale = |own: &Type| own.modifiers.get(1).copied().unwrap_or(0);
            let free = new.modifiers.is_empty();
            let fits = !old.modifiers.is_empty()
                && scale(old) == scale(new)
                && wider(&old.modifiers, &new.modifiers);
            stays(free || fits)
        }
        ("timestamp", "timestamp")
        | ("timestamp with time zone", "timestamp with time zone")
        | ("time", "time")
        | ("time with time zone", "time with time zone")
        | ("interval", "interval") => stays(precise(new) >= precise(old)),
        ("timestamp", "timestamp with time zone") | ("timestamp with time zone", "timestamp") => {
            // In UTC the bytes are the same; but which zone the session of a migration has is seldom known.
            Change::Rewrite
        }
        ("cidr", "inet") => Change::None,
        ("text" | "character varying", "citext") | ("citext", "text" | "character varying") => {
            if new.modifiers.is_empty() {
                Change::Reindex
            } else {
                Change::Rewrite
            }
        }
        ("integer", "oid") | ("oid", "integer") => Change::Reindex,
        ("regclass" | "regtype" | "regproc", "oid") => Change::None,
        ("xml", "text") => Change::None,
        _ => Change::Rewrite,
    }
}

/// Whether a change keeps the bytes where the session's time zone is UTC.
pub(super) fn is_same_in_utc(from: &str, to: &str) -> bool {
    let (old, new) = (Type::parse(from), Type::parse(to));
    let zones = ["timestamp", "timestamp with time zone"];
    zones.contains(&old.name.as_str())
        && zones.contains(&new.name.as_str())
        && old.name != new.name
        && !old.is_array
        && !new.is_array
        && new.modifiers.first().copied().unwrap_or(6)
            >= old.modifiers.first().copied().unwrap_or(6)
}
