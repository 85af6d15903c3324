//! What values a type has, as text.

use crate::sql::{Expression, parse_expression};

/// Where enumerated times start: hour `n` of this day is value `n`.
const EPOCH: &str = "2026-01-01T00:00:00";

/// A type, as far as making values for it goes.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Kind {
    Bool,
    Integer {
        low: i64,
        high: i64,
    },
    Decimal {
        precision: Option<u32>,
        scale: u32,
    },
    Float,
    Text {
        max: Option<usize>,
    },
    Bytes,
    Uuid,
    Date,
    Time,
    Timestamp {
        zone: bool,
    },
    Interval,
    Json,
    Inet,
    Cidr,
    Mac,
    Bits(usize),
    Enum(Vec<String>),
    Range(Box<Kind>),
    Multirange(Box<Kind>),
    Array(Box<Kind>),
    Geometry(&'static str),
    /// A place in a tree of ten branches each (`ltree`).
    Path,
    Other,
}

/// A type with the conditions that its domains put on it (over `value`).
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Typed {
    pub kind: Kind,
    pub checks: Vec<Expression>,
}

/// A type of the design.
pub(super) enum Defined {
    Enum(Vec<String>),
    Domain { base: String, checks: Vec<String> },
}

impl Typed {
    /// Reads a type; `defined` finds the design's own by bare name.
    pub(super) fn read(text: &str, defined: &dyn Fn(&str) -> Option<Defined>) -> Typed {
        let text = text.trim();
        if let Some(element) = text
            .strip_suffix(']')
            .and_then(|rest| rest.rsplit_once('['))
        {
            let element = Typed::read(element.0, defined);
            let kind = match element.kind {
                nested @ Kind::Array(_) => nested,
                kind => Kind::Array(Box::new(kind)),
            };
            return Typed {
                kind,
                checks: Vec::new(),
            };
        }
        match defined(&bare_name(text)) {
            Some(Defined::Enum(labels)) => Typed {
                kind: Kind::Enum(labels),
                checks: Vec::new(),
            },
            Some(Defined::Domain { base, checks }) => {
                let mut typed = Typed::read(&base, defined);
                typed
                    .checks
                    .extend(checks.iter().filter_map(|check| parse_expression(check)));
                typed
            }
            None => Typed {
                kind: builtin(&text.to_lowercase()),
                checks: Vec::new(),
            },
        }
    }
}

/// The last part of a possibly qualified and quoted name.
fn bare_name(text: &str) -> String {
    let last = text.rsplit('.').next().unwrap_or(text).trim();
    match last
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'))
    {
        Some(quoted) => quoted.replace("\"\"", "\""),
        None => last.to_lowercase(),
    }
}

/// PostgreSQL's own types, by any of their spellings.
fn builtin(text: &str) -> Kind {
    let (name, rest) = match text.split_once('(') {
        Some((name, rest)) => (name.trim(), rest),
        None => (text.trim(), ""),
    };
    let (arguments, suffix) = rest.split_once(')').unwrap_or((rest, ""));
    let numbers: Vec<i64> = arguments
        .split(',')
        .filter_map(|part| part.trim().parse().ok())
        .collect();
    let first = numbers.first().map(|n| *n as usize);
    let zoned = suffix.contains("with time zone") || name.contains("with time zone");
    match name.strip_prefix("pg_catalog.").unwrap_or(name) {
        "bool" | "boolean" => Kind::Bool,
        "smallint" | "int2" | "smallserial" | "serial2" => {
            integer(i16::MIN.into(), i16::MAX.into())
        }
        "int" | "integer" | "int4" | "serial" | "serial4" => {
            integer(i32::MIN.into(), i32::MAX.into())
        }
        "bigint" | "int8" | "bigserial" | "serial8" => integer(i64::MIN, i64::MAX),
        "oid" | "xid" | "cid" => integer(0, u32::MAX.into()),
        "numeric" | "decimal" | "dec" => Kind::Decimal {
            precision: numbers.first().map(|n| *n as u32),
            scale: numbers.get(1).map_or(0, |n| (*n).max(0) as u32),
        },
        "money" => Kind::Decimal {
            precision: Some(17),
            scale: 2,
        },
        "real" | "float4" | "float8" | "float" | "double precision" => Kind::Float,
        "char" | "character" | "bpchar" if !name.contains("varying") => Kind::Text {
            max: Some(first.unwrap_or(1)),
        },
        "varchar" | "character varying" => Kind::Text { max: first },
        "text" | "citext" | "name" => Kind::Text { max: None },
        "ltree" => Kind::Path,
        "bytea" => Kind::Bytes,
        "uuid" => Kind::Uuid,
        "date" => Kind::Date,
        "time" | "timetz" | "time with time zone" | "time without time zone" => Kind::Time,
        "timestamptz" | "timestamp with time zone" => Kind::Timestamp { zone: true },
        "timestamp" | "timestamp without time zone" => Kind::Timestamp { zone: zoned },
        "interval" => Kind::Interval,
        "json" | "jsonb" => Kind::Json,
        "inet" => Kind::Inet,
        "cidr" => Kind::Cidr,
        "macaddr" | "macaddr8" => Kind::Mac,
        "bit" | "bit varying" | "varbit" => Kind::Bits(first.unwrap_or(1)),
        "int4range" => range(integer(i32::MIN.into(), i32::MAX.into())),
        "int8range" => range(integer(i64::MIN, i64::MAX)),
        "numrange" => range(Kind::Decimal {
            precision: None,
            scale: 0,
        }),
        "daterange" => range(Kind::Date),
        "tsrange" => range(Kind::Timestamp { zone: false }),
        "tstzrange" => range(Kind::Timestamp { zone: true }),
        "int4multirange" => multirange(integer(i32::MIN.into(), i32::MAX.into())),
        "int8multirange" => multirange(integer(i64::MIN, i64::MAX)),
        "nummultirange" => multirange(Kind::Decimal {
            precision: None,
            scale: 0,
        }),
        "datemultirange" => multirange(Kind::Date),
        "tsmultirange" => multirange(Kind::Timestamp { zone: false }),
        "tstzmultirange" => multirange(Kind::Timestamp { zone: true }),
        "point" => Kind::Geometry("({n},{n})"),
        "box" | "lseg" => Kind::Geometry("(({n},{n}),(0,0))"),
        "circle" => Kind::Geometry("<(0,0),{n}>"),
        "path" | "polygon" => Kind::Geometry("((0,0),(0,{n}),({n},0))"),
        "line" => Kind::Geometry("{{n},1,0}"),
        "tsvector" | "tsquery" => Kind::Geometry("word{n}"),
        "xml" => Kind::Geometry("<n>{n}</n>"),
        "hstore" => Kind::Geometry("n=>{n}"),
        "pg_lsn" => Kind::Geometry("0/{n}"),
        _ => Kind::Other,
    }
}

fn integer(low: i64, high: i64) -> Kind {
    Kind::Integer { low, high }
}

fn range(of: Kind) -> Kind {
    Kind::Range(Box::new(of))
}

fn multirange(of: Kind) -> Kind {
    Kind::Multirange(Box::new(of))
}

impl Kind {
    /// The `n`th value: different for different `n` as far as the type has so many. `hint` flavours text.
    pub(super) fn value(&self, n: i64, hint: &str) -> String {
        match self {
            Kind::Bool => (n % 2 != 0).to_string(),
            Kind::Integer { low, high } => n.clamp(*low, *high).to_string(),
            Kind::Decimal {
                precision: Some(precision),
                scale,
            } if precision == scale => {
                format!("0.{n:0width$}", width = *scale as usize)
            }
            Kind::Decimal { .. } | Kind::Float => n.to_string(),
            Kind::Text { max } => text(n, hint, *max),
            Kind::Bytes => format!("\\x{n:08x}"),
            Kind::Uuid => format!(
                "00000000-0000-0000-{:04x}-{:012x}",
                (n >> 48) & 0xffff,
                n & 0xffff_ffff_ffff
            ),
            Kind::Date => time(n * 24, "%Y-%m-%d"),
            Kind::Time => format!("{:02}:{:02}:00", (n / 60).rem_euclid(24), n.rem_euclid(60)),
            Kind::Timestamp { zone: true } => time(n, "%Y-%m-%d %H:%M:%S+00"),
            Kind::Timestamp { zone: false } => time(n, "%Y-%m-%d %H:%M:%S"),
            Kind::Interval => format!("{n} hours"),
            Kind::Json => format!("{{\"n\": {n}}}"),
            Kind::Inet | Kind::Cidr => {
                format!("10.{}.{}.{}", (n >> 16) & 255, (n >> 8) & 255, n & 255)
            }
            Kind::Mac => format!(
                "08:00:2b:{:02x}:{:02x}:{:02x}",
                (n >> 16) & 255,
                (n >> 8) & 255,
                n & 255
            ),
            Kind::Bits(width) => {
                let digits = format!("{n:0width$b}");
                digits[digits.len() - (*width).min(digits.len())..].to_owned()
            }
            Kind::Enum(labels) => match labels.len() {
                0 => String::new(),
                count => labels[n.rem_euclid(count as i64) as usize].clone(),
            },
            Kind::Range(of) => format!("[{},{})", of.value(n, hint), of.value(n + 1, hint)),
            Kind::Multirange(of) => {
                format!("{{[{},{})}}", of.value(n, hint), of.value(n + 1, hint))
            }
            Kind::Array(of) => format!("{{{}}}", array_element(&of.value(n, hint))),
            Kind::Geometry(pattern) => pattern.replace("{n}", &n.to_string()),
            Kind::Path => {
                let digits = n.to_string();
                let steps = digits.chars().map(|digit| format!(".{digit}"));
                std::iter::once("top".to_owned()).chain(steps).collect()
            }
            Kind::Other => n.to_string(),
        }
    }

    /// A value as people write it short, made whole: `1` becomes a UUID, an hour, a range; what is whole already stays.
    pub(super) fn widen(&self, short: &str) -> String {
        let number = short.trim().parse::<i64>().ok();
        match (self, number) {
            (Kind::Bool, Some(n)) => (n != 0).to_string(),
            (
                Kind::Uuid
                | Kind::Date
                | Kind::Time
                | Kind::Timestamp { .. }
                | Kind::Interval
                | Kind::Inet
                | Kind::Cidr
                | Kind::Mac
                | Kind::Bytes
                | Kind::Range(_)
                | Kind::Multirange(_)
                | Kind::Geometry(_)
                | Kind::Path,
                Some(n),
            ) => self.value(n, ""),
            (Kind::Array(of), _) if !short.starts_with('{') => {
                format!("{{{}}}", array_element(&of.widen(short)))
            }
            (Kind::Json, None) if serde_json::from_str::<serde_json::Value>(short).is_err() => {
                serde_json::Value::String(short.to_owned()).to_string()
            }
            _ => short.to_owned(),
        }
    }
}

fn array_element(text: &str) -> String {
    let plain = !text.is_empty()
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "-._:+".contains(c));
    if plain && !text.eq_ignore_ascii_case("null") {
        text.to_owned()
    } else {
        format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
    }
}

fn text(n: i64, hint: &str, max: Option<usize>) -> String {
    let long = if hint.is_empty() {
        n.to_string()
    } else {
        format!("{hint}-{n}")
    };
    match max {
        Some(max) if long.chars().count() > max => {
            let mut digits = Vec::new();
            let mut rest = n.unsigned_abs();
            while digits.len() < max && (rest > 0 || digits.is_empty()) {
                digits.push(b"abcdefghijklmnopqrstuvwxyz"[(rest % 26) as usize]);
                rest /= 26;
            }
            digits.reverse();
            String::from_utf8_lossy(&digits).into_owned()
        }
        _ => long,
    }
}

/// The time `hours` after the epoch.
fn time(hours: i64, format: &str) -> String {
    seconds_to_text(epoch_seconds() + hours as f64 * 3600.0, format)
}

fn epoch_seconds() -> f64 {
    text_to_seconds(EPOCH).unwrap_or(0.0)
}

/// A time as seconds since 1970, its zone disregarded (everything pgproof makes is UTC).
pub(super) fn text_to_seconds(text: &str) -> Option<f64> {
    let text = text.trim();
    let date: jiff::civil::Date = text.get(..10)?.parse().ok()?;
    let clock = text
        .get(11..)
        .map(|rest| rest.split(['+', 'Z', '-']).next().unwrap_or(""))
        .unwrap_or("");
    let time: jiff::civil::Time = match clock.trim() {
        "" => jiff::civil::Time::midnight(),
        clock => clock.parse().ok()?,
    };
    let since = date
        .to_datetime(time)
        .duration_since(jiff::civil::date(1970, 1, 1).to_datetime(jiff::civil::Time::midnight()));
    Some(since.as_secs_f64())
}

/// The reverse of [`text_to_seconds`].
pub(super) fn seconds_to_text(seconds: f64, format: &str) -> String {
    let since = jiff::SignedDuration::from_micros((seconds * 1e6) as i64);
    match jiff::Timestamp::UNIX_EPOCH.checked_add(since) {
        Ok(time) => time.strftime(format).to_string(),
        Err(_) => EPOCH.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(text: &str) -> Kind {
        Typed::read(text, &|name| {
            (name == "state").then(|| Defined::Enum(vec!["open".into(), "closed".into()]))
        })
        .kind
    }

    #[test]
    fn short_values_become_whole_ones() {
        assert_eq!(
            kind("uuid").widen("1"),
            "00000000-0000-0000-0000-000000000001"
        );
        assert_eq!(kind("timestamptz").widen("25"), "2026-01-02 01:00:00+00");
        assert_eq!(
            kind("timestamp(3) with time zone").widen("2026-05-01"),
            "2026-05-01"
        );
        assert_eq!(kind("date").widen("1"), "2026-01-02");
        assert_eq!(kind("int[]").widen("7"), "{7}");
        assert_eq!(kind("jsonb").widen("hello"), "\"hello\"");
        assert_eq!(
            kind("tstzrange").widen("1"),
            "[2026-01-01 01:00:00+00,2026-01-01 02:00:00+00)"
        );
        assert_eq!(kind("casework.state").value(1, ""), "closed");
    }

    #[test]
    fn values_fit_their_type() {
        assert_eq!(kind("varchar(2)").value(27, "name"), "bb");
        assert_eq!(kind("numeric(4,4)").value(1, ""), "0.0001");
        assert_eq!(kind("character varying(40)").value(3, "name"), "name-3");
        assert_eq!(kind("bit(3)").value(5, ""), "101");
        assert_eq!(kind("ltree").value(205, "path"), "top.2.0.5");
        assert_eq!(kind("text[]").value(1, "a b"), "{\"a b-1\"}");
    }

    #[test]
    fn times_go_both_ways() {
        let seconds = text_to_seconds("2026-01-02 03:04:05+00").expect("a time");
        assert_eq!(
            seconds_to_text(seconds, "%Y-%m-%d %H:%M:%S"),
            "2026-01-02 03:04:05"
        );
        assert_eq!(
            text_to_seconds("2026-01-02"),
            text_to_seconds("2026-01-02T00:00:00Z")
        );
    }
}
