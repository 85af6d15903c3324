//! How many bytes a value takes at least and at most, as far as its type tells.

use super::super::model::Column;
use super::context::Context;
use super::data_type;
use crate::source::Text;

/// A value of variable length, and its head.
const GIGABYTE: f64 = 1_073_741_824.0;
const LONG_HEAD: f64 = 4.0;
/// Bytes of a character of UTF-8.
const CHARACTER: f64 = 4.0;

/// Bytes of types of fixed length (`pg_type.typlen`).
const FIXED: &[(&str, f64)] = &[
    ("bool", 1.0),
    ("date", 4.0),
    ("float4", 4.0),
    ("float8", 8.0),
    ("int2", 2.0),
    ("int4", 4.0),
    ("int8", 8.0),
    ("interval", 16.0),
    ("macaddr", 6.0),
    ("macaddr8", 8.0),
    ("money", 8.0),
    ("name", 64.0),
    ("oid", 4.0),
    ("pg_lsn", 8.0),
    ("point", 16.0),
    ("time", 8.0),
    ("timestamp", 8.0),
    ("timestamptz", 8.0),
    ("timetz", 12.0),
    ("uuid", 16.0),
    ("xid", 4.0),
    ("xid8", 8.0),
];

fn fixed(cx: &Context<'_>, data_type: &Text) -> Option<f64> {
    let found = data_type::settle(cx, data_type)?;
    let is_enum = cx.symbols.types.get(found.base.as_str());
    if found.dimensions > 0 {
        return None;
    }
    if is_enum.is_some_and(|node| node.get("enum").is_some()) {
        return Some(4.0);
    }
    let mut all = FIXED.iter();
    all.find(|(name, _)| *name == found.base)
        .map(|(_, bytes)| *bytes)
}

/// The most bytes of a value, where its type is known.
pub(super) fn most(cx: &Context<'_>, data_type: &Text) -> Option<f64> {
    let found = data_type::settle(cx, data_type)?;
    let is_text = found.dimensions == 0 && matches!(found.base.as_str(), "varchar" | "bpchar");
    let length = data_type::length(data_type.as_str()).filter(|_| is_text);
    Some(match (fixed(cx, data_type), length) {
        (Some(fixed), _) => fixed,
        (_, Some(length)) => length * CHARACTER + LONG_HEAD,
        _ => GIGABYTE,
    })
}

/// The fewest bytes that values of a column take on average.
pub(super) fn least(cx: &Context<'_>, column: &Column) -> f64 {
    let there = match column.nullable {
        true => column.data.nulls.map_or(0.0, |nulls| 1.0 - nulls),
        false => 1.0,
    };
    let said = column.data.width.unwrap_or(1.0);
    there * fixed(cx, &column.data_type).unwrap_or(said)
}
