//! Kinds of values, as coarse as indexes ask for.

/// What a type is, as far as it decides which index can serve it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "PostgreSQL's own words")]
pub enum Kind {
    Text,
    Number,
    Bool,
    Date,
    Timestamp,
    Timestamptz,
    Interval,
    Uuid,
    Jsonb,
    Array,
    Range,
    TsVector,
    /// `json`, `xml`, geometric types: there is no order on them.
    Unordered,
    /// A string or NULL that takes the type of what stands beside it.
    Literal,
    /// Enums and whatever else there is.
    Other,
}

impl Kind {
    /// The kind of a type as SQL writes it.
    pub fn of(data_type: &str) -> Kind {
        let text = data_type.trim().to_lowercase();
        if text.contains('[') || text.ends_with(" array") {
            return Kind::Array;
        }
        if text.starts_with("timestamp") {
            let zoned = text.starts_with("timestamptz") || text.contains("with time zone");
            return if zoned {
                Kind::Timestamptz
            } else {
                Kind::Timestamp
            };
        }
        if text.starts_with("interval") {
            return Kind::Interval;
        }
        let base = text.split('(').next().unwrap_or(&text).trim();
        match base {
            "text" | "varchar" | "character varying" => Kind::Text,
            "smallint" | "int2" | "int" | "integer" | "int4" | "bigint" | "int8" | "numeric"
            | "decimal" | "real" | "float4" | "float" | "float8" | "double precision" => {
                Kind::Number
            }
            "bool" | "boolean" => Kind::Bool,
            "date" => Kind::Date,
            "uuid" => Kind::Uuid,
            "jsonb" => Kind::Jsonb,
            "tsvector" => Kind::TsVector,
            "json" | "xml" | "point" | "line" | "lseg" | "box" | "path" | "polygon" | "circle" => {
                Kind::Unordered
            }
            _ if is_range(base) => Kind::Range,
            _ => Kind::Other,
        }
    }

    /// Whether a btree can hold it and be of use.
    pub fn is_sortable(self) -> bool {
        !matches!(
            self,
            Kind::Unordered | Kind::Jsonb | Kind::Array | Kind::TsVector | Kind::Range
        )
    }

    /// A point on the calendar: what grows with the table, as a rule.
    pub fn is_time(self) -> bool {
        matches!(self, Kind::Date | Kind::Timestamp | Kind::Timestamptz)
    }
}

fn is_range(base: &str) -> bool {
    ["int4", "int8", "num", "ts", "tstz", "date"]
        .iter()
        .filter_map(|prefix| base.strip_prefix(prefix))
        .any(|rest| matches!(rest, "range" | "multirange"))
}
