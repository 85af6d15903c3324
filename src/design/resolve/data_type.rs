//! Types by name: PostgreSQL's own, those of well-known extensions, and those of `types:`.

use super::super::model::Name;
use super::super::nearest::nearest;
use super::context::Context;
use crate::finding::Finding;
use crate::source::{Node, Text};

/// A type, as far as two of them must be compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct DataType {
    /// One name for all spellings: `int8` for `bigint` and `bigserial`; of `types:`, the name as declared.
    pub(super) base: String,
    /// Dimensions of an array.
    pub(super) dimensions: usize,
}

/// Spelling, the one name, and how many modifiers it takes.
const BUILTIN: &[(&str, &str, usize)] = &[
    ("bigint", "int8", 0),
    ("bigserial", "int8", 0),
    ("bit", "bit", 1),
    ("bit varying", "varbit", 1),
    ("bool", "bool", 0),
    ("boolean", "bool", 0),
    ("box", "box", 0),
    ("bpchar", "bpchar", 1),
    ("bytea", "bytea", 0),
    ("char", "bpchar", 1),
    ("char varying", "varchar", 1),
    ("character", "bpchar", 1),
    ("character varying", "varchar", 1),
    ("cid", "cid", 0),
    ("cidr", "cidr", 0),
    ("circle", "circle", 0),
    ("date", "date", 0),
    ("datemultirange", "datemultirange", 0),
    ("daterange", "daterange", 0),
    ("dec", "numeric", 2),
    ("decimal", "numeric", 2),
    ("double precision", "float8", 0),
    ("float", "float8", 1),
    ("float4", "float4", 0),
    ("float8", "float8", 0),
    ("inet", "inet", 0),
    ("int", "int4", 0),
    ("int2", "int2", 0),
    ("int4", "int4", 0),
    ("int4multirange", "int4multirange", 0),
    ("int4range", "int4range", 0),
    ("int8", "int8", 0),
    ("int8multirange", "int8multirange", 0),
    ("int8range", "int8range", 0),
    ("integer", "int4", 0),
    ("interval", "interval", 1),
    ("json", "json", 0),
    ("jsonb", "jsonb", 0),
    ("jsonpath", "jsonpath", 0),
    ("line", "line", 0),
    ("lseg", "lseg", 0),
    ("macaddr", "macaddr", 0),
    ("macaddr8", "macaddr8", 0),
    ("money", "money", 0),
    ("name", "name", 0),
    ("numeric", "numeric", 2),
    ("nummultirange", "nummultirange", 0),
    ("numrange", "numrange", 0),
    ("oid", "oid", 0),
    ("path", "path", 0),
    ("pg_lsn", "pg_lsn", 0),
    ("pg_snapshot", "pg_snapshot", 0),
    ("point", "point", 0),
    ("polygon", "polygon", 0),
    ("real", "float4", 0),
    ("regclass", "regclass", 0),
    ("regcollation", "regcollation", 0),
    ("regconfig", "regconfig", 0),
    ("regdictionary", "regdictionary", 0),
    ("regnamespace", "regnamespace", 0),
    ("regoper", "regoper", 0),
    ("regoperator", "regoperator", 0),
    ("regproc", "regproc", 0),
    ("regprocedure", "regprocedure", 0),
    ("regrole", "regrole", 0),
    ("regtype", "regtype", 0),
    ("serial", "int4", 0),
    ("serial2", "int2", 0),
    ("serial4", "int4", 0),
    ("serial8", "int8", 0),
    ("smallint", "int2", 0),
    ("smallserial", "int2", 0),
    ("text", "text", 0),
    ("tid", "tid", 0),
    ("time", "time", 1),
    ("time with time zone", "timetz", 1),
    ("time without time zone", "time", 1),
    ("timestamp", "timestamp", 1),
    ("timestamp with time zone", "timestamptz", 1),
    ("timestamp without time zone", "timestamp", 1),
    ("timestamptz", "timestamptz", 1),
    ("timetz", "timetz", 1),
    ("tsmultirange", "tsmultirange", 0),
    ("tsquery", "tsquery", 0),
    ("tsrange", "tsrange", 0),
    ("tstzmultirange", "tstzmultirange", 0),
    ("tstzrange", "tstzrange", 0),
    ("tsvector", "tsvector", 0),
    ("txid_snapshot", "txid_snapshot", 0),
    ("uuid", "uuid", 0),
    ("varbit", "varbit", 1),
    ("varchar", "varchar", 1),
    ("xid", "xid", 0),
    ("xid8", "xid8", 0),
    ("xml", "xml", 0),
];

/// Types of the server's own tables: known, but never what was meant.
const SYSTEM: &[&str] = &["cid", "name", "oid", "tid", "xid", "xid8"];

/// Extension and the types it brings.
const EXTENSIONS: &[(&str, &[&str])] = &[
    ("btree_gin", &[]),
    ("btree_gist", &[]),
    ("citext", &["citext"]),
    ("cube", &["cube"]),
    ("fuzzystrmatch", &[]),
    ("hstore", &["hstore"]),
    ("intarray", &["query_int"]),
    (
        "isn",
        &[
            "ean13", "isbn", "isbn13", "ismn", "ismn13", "issn", "issn13", "upc",
        ],
    ),
    ("ltree", &["ltree", "lquery", "ltxtquery"]),
    ("pg_stat_statements", &[]),
    ("pg_trgm", &[]),
    ("pgcrypto", &[]),
    (
        "postgis",
        &[
            "geometry",
            "geography",
            "box2d",
            "box3d",
            "geometry_dump",
            "valid_detail",
        ],
    ),
    ("seg", &["seg"]),
    ("semver", &["semver"]),
    ("unaccent", &[]),
    ("uuid-ossp", &[]),
    ("vector", &["vector", "halfvec", "sparsevec"]),
];

/// What is wrong with a type's name.
struct Fault {
    message: String,
    help: String,
}

/// A type taken apart as text.
struct Parts {
    name: String,
    modifiers: Vec<String>,
    dimensions: usize,
}

/// Looks a type up; says so where there is none. `subject` is what has this type.
pub(super) fn check(cx: &Context<'_>, text: &Text, subject: &str) -> Option<DataType> {
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
pub(super) fn settle(cx: &Context<'_>, text: &Text) -> Option<DataType> {
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

/// Whether a name without its schema means one of PostgreSQL's own types.
pub(super) fn is_builtin(name: &str) -> bool {
    BUILTIN
        .binary_search_by_key(&name, |(spelling, _, _)| spelling)
        .is_ok()
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
    let own = without_schema(&parts.name, cx.symbols.schema);
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

/// What other databases and languages call PostgreSQL's types.
fn common(name: &str) -> Option<String> {
    let meant = match name.to_ascii_lowercase().as_str() {
        "string" | "str" | "nvarchar" | "varchar2" | "clob" | "longtext" | "mediumtext" => "text",
        "datetime" | "datetime2" | "instant" => "timestamptz",
        "double" | "float64" => "double precision",
        "number" => "numeric",
        "guid" | "uniqueidentifier" => "uuid",
        "blob" | "binary" | "varbinary" | "longblob" => "bytea",
        "tinyint" | "byte" => "smallint",
        "long" => "bigint",
        "object" | "map" | "document" => "jsonb",
        _ => return None,
    };
    Some(format!("PostgreSQL calls it `{meant}`"))
}

fn no_modifiers(name: &str) -> Fault {
    Fault {
        message: format!("type `{name}` takes nothing in parentheses"),
        help: "leave the parentheses out".to_owned(),
    }
}

fn check_modifiers(name: &str, modifiers: &[String], most: usize) -> Result<(), Fault> {
    if modifiers.is_empty() {
        return Ok(());
    }
    if most == 0 {
        return Err(no_modifiers(name));
    }
    let numbers = modifiers.iter().map(|text| text.parse::<i32>().ok());
    if modifiers.len() > most || numbers.clone().any(|number| number.is_none()) {
        let takes = ["", "one whole number", "a precision and a scale"][most];
        return Err(Fault {
            message: format!("type `{name}` takes {takes} in parentheses"),
            help: format!("write `{name}({})`", if most == 2 { "12,2" } else { "3" }),
        });
    }
    let first = numbers.flatten().next().unwrap_or(1);
    let is_length = !matches!(name, "interval") && !name.starts_with("time");
    let (least, greatest) = match name {
        "numeric" | "decimal" | "dec" => (1, 1000),
        "float" => (1, 53),
        _ if is_length => (1, 10_485_760),
        _ => (0, 6),
    };
    if (least..=greatest).contains(&first) {
        return Ok(());
    }
    Err(Fault {
        message: format!("`{name}({first})` is out of range"),
        help: format!("write a number from {least} to {greatest}"),
    })
}

/// The name without the design's own schema before it, and without quotes.
fn without_schema<'t>(name: &'t str, schema: Option<&str>) -> &'t str {
    let own = schema
        .and_then(|schema| name.strip_prefix(schema)?.strip_prefix('.'))
        .unwrap_or(name);
    own.strip_prefix('"')
        .and_then(|own| own.strip_suffix('"'))
        .unwrap_or(own)
}

/// Takes `timestamp(3) with time zone[]` apart.
fn parts(text: &str) -> Result<Parts, Fault> {
    let malformed = || Fault {
        message: format!("`{}` cannot be read as a type", text.trim()),
        help: "write a type as in SQL: `numeric(12,2)`, `timestamptz`, `text[]`".to_owned(),
    };
    let mut rest = text.trim();
    let mut dimensions = 0;
    while let Some(open) = rest.strip_suffix(']') {
        let (before, size) = open.rsplit_once('[').ok_or_else(malformed)?;
        if !size.trim().bytes().all(|b| b.is_ascii_digit()) {
            return Err(malformed());
        }
        dimensions += 1;
        rest = before.trim_end();
    }
    let (name, modifiers) = match rest.split_once('(') {
        Some((before, tail)) => {
            let (inner, after) = tail.split_once(')').ok_or_else(malformed)?;
            let modifiers = inner.split(',').map(|m| m.trim().to_owned()).collect();
            (format!("{} {}", before, after), modifiers)
        }
        None => (rest.to_owned(), Vec::new()),
    };
    let name = name.split_whitespace().collect::<Vec<_>>().join(" ");
    let is_name = |c: char| c.is_alphanumeric() || "_ .$\"-".contains(c);
    if name.is_empty() || !name.chars().all(is_name) || modifiers.iter().any(String::is_empty) {
        return Err(malformed());
    }
    if let Some(element) = name
        .strip_suffix(" array")
        .or_else(|| name.strip_suffix(" ARRAY"))
    {
        return Ok(Parts {
            name: element.to_owned(),
            modifiers,
            dimensions: dimensions.max(1),
        });
    }
    Ok(Parts {
        name,
        modifiers,
        dimensions,
    })
}

/// How two types of columns that must be equal get on with each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Match {
    /// The same.
    Same,
    /// PostgreSQL compares them, at a price.
    Converted,
    /// PostgreSQL refuses to.
    None,
}

/// Compares the type of a referencing column with that of the referenced one.
pub(super) fn compare(child: &DataType, parent: &DataType) -> Match {
    if child == parent {
        return Match::Same;
    }
    if child.dimensions != parent.dimensions || child.dimensions > 0 {
        return Match::None;
    }
    match (rank(&child.base), rank(&parent.base)) {
        (Some((one, child)), Some((other, parent))) if one == other && child <= parent => {
            Match::Converted
        }
        _ => Match::None,
    }
}

/// Types between which an equality exists, in classes; within one the lower converts to the higher by itself.
fn rank(base: &str) -> Option<(&'static str, u8)> {
    Some(match base {
        "int2" | "int4" | "int8" => ("number", 0),
        "numeric" => ("number", 1),
        "float4" | "float8" => ("number", 2),
        "text" | "varchar" | "bpchar" | "name" | "citext" => ("text", 0),
        "date" | "timestamp" | "timestamptz" => ("time", 0),
        "bit" | "varbit" => ("bits", 0),
        "inet" | "cidr" => ("address", 0),
        _ => return None,
    })
}

/// Whether values of the type are points in time.
pub(super) fn is_time(data_type: &DataType) -> bool {
    data_type.dimensions == 0
        && matches!(
            data_type.base.as_str(),
            "date" | "timestamp" | "timestamptz"
        )
}

/// Whether values of the type are numbers.
pub(super) fn is_number(data_type: &DataType) -> bool {
    data_type.dimensions == 0 && rank(&data_type.base).is_some_and(|(class, _)| class == "number")
}

/// The type of a column, settled; `None` where it is unknown or only the server knows it.
pub(super) fn of_column(cx: &Context<'_>, table: &Name, column: &Name) -> Option<DataType> {
    let table = cx.symbols.tables.get(table.as_str())?;
    let column = table.columns.get(column.as_str())?;
    settle(cx, column.data_type.as_ref()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn builtins_are_sorted_for_the_search() {
        assert!(BUILTIN.windows(2).all(|pair| pair[0].0 < pair[1].0));
    }

    #[test]
    fn types_come_apart() {
        let of = |text: &str| {
            parts(text)
                .map(|p| (p.name, p.modifiers.len(), p.dimensions))
                .ok()
        };
        assert_eq!(of("numeric(12, 2)"), Some(("numeric".to_owned(), 2, 0)));
        assert_eq!(
            of("timestamp (3)  with time zone"),
            Some(("timestamp with time zone".to_owned(), 1, 0))
        );
        assert_eq!(of("text[][3]"), Some(("text".to_owned(), 0, 2)));
        assert_eq!(of("integer array"), Some(("integer".to_owned(), 0, 1)));
        for wrong in ["", "numeric(", "numeric()", "text]", "text[a]", "a;b", "?"] {
            assert!(parts(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn types_compare_as_the_server_compares_them() {
        let of = |base: &str, dimensions| DataType {
            base: base.to_owned(),
            dimensions,
        };
        assert_eq!(compare(&of("int8", 0), &of("int8", 0)), Match::Same);
        assert_eq!(compare(&of("int4", 0), &of("int8", 0)), Match::Converted);
        assert_eq!(compare(&of("int4", 0), &of("numeric", 0)), Match::Converted);
        assert_eq!(compare(&of("numeric", 0), &of("int4", 0)), Match::None);
        assert_eq!(compare(&of("uuid", 0), &of("text", 0)), Match::None);
        assert_eq!(compare(&of("int4", 1), &of("int8", 1)), Match::None);
    }
}
