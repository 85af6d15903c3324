//! The types there are.

/// Spelling, the one name, and how many modifiers it takes.
pub(super) const BUILTIN: &[(&str, &str, usize)] = &[
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
pub(super) const SYSTEM: &[&str] = &["cid", "name", "oid", "tid", "xid", "xid8"];

/// Extension and the types it brings.
pub(super) const EXTENSIONS: &[(&str, &[&str])] = &[
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

/// Whether a name without its schema means one of PostgreSQL's own types.
pub(in crate::design::resolve) fn is_builtin(name: &str) -> bool {
    BUILTIN
        .binary_search_by_key(&name, |(spelling, _, _)| spelling)
        .is_ok()
}

/// What other databases and languages call PostgreSQL's types.
pub(super) fn common(name: &str) -> Option<String> {
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

#[cfg(test)]
mod tests {
    use super::BUILTIN;

    #[test]
    fn builtins_are_sorted_for_the_search() {
        assert!(BUILTIN.windows(2).all(|pair| pair[0].0 < pair[1].0));
    }
}
