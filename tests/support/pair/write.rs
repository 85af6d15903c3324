//! A design as the text that a team would keep.

use serde_json::{Map, Value, json};

use super::parts::*;

/// The whole design. What has another name in `was` says so.
pub fn text(design: &Design, was: Option<&Design>, version: u16) -> String {
    let writer = Writer { design, was };
    serde_json::to_string_pretty(&writer.whole(version)).expect("JSON can be written")
}

struct Writer<'d> {
    design: &'d Design,
    was: Option<&'d Design>,
}

/// A name inside SQL.
pub fn quoted(name: &str) -> String {
    let plain = name
        .chars()
        .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    let reserved = ["order", "user", "group", "limit", "primary"];
    match plain && !reserved.contains(&name) {
        true => name.to_owned(),
        false => format!("\"{name}\""),
    }
}

/// An expression over columns of a table.
pub fn filled(sql: &Sql, table: &Table) -> String {
    let mut out = sql.text.clone();
    for (at, (id, _)) in sql.uses.iter().enumerate() {
        let name = table
            .column(*id)
            .map_or("gone", |column| column.name.as_str());
        out = out.replace(&format!("${at}"), &quoted(name));
    }
    out
}

fn put(map: &mut Map<String, Value>, key: &str, value: Option<Value>) {
    if let Some(value) = value {
        map.insert(key.to_owned(), value);
    }
}

fn map(entries: impl IntoIterator<Item = (String, Value)>) -> Option<Value> {
    let made: Map<String, Value> = entries.into_iter().collect();
    (!made.is_empty()).then_some(Value::Object(made))
}

impl Writer<'_> {
    fn whole(&self, version: u16) -> Value {
        let design = self.design;
        let extensions = match design.trigrams {
            true => json!(["btree_gist", "pg_trgm"]),
            false => json!(["btree_gist"]),
        };
        let mut out = Map::new();
        put(&mut out, "pgproof", Some(json!(1)));
        put(&mut out, "design", Some(json!("shop")));
        put(
            &mut out,
            "database",
            Some(json!({"version": version, "schema": "shop", "extensions": extensions})),
        );
        put(
            &mut out,
            "types",
            map(design
                .types
                .iter()
                .map(|own| (own.name.clone(), type_of(own)))),
        );
        put(
            &mut out,
            "tables",
            map(design
                .tables
                .iter()
                .map(|table| (table.name.clone(), self.table(table)))),
        );
        put(
            &mut out,
            "views",
            map(design
                .views
                .iter()
                .filter_map(|view| Some((view.name.clone(), self.view(view)?)))),
        );
        put(
            &mut out,
            "routines",
            map(design.routines.iter().flat_map(|own| self.routine(own))),
        );
        put(
            &mut out,
            "invariants",
            map(design
                .invariants
                .iter()
                .filter_map(|own| Some((own.name.clone(), self.invariant(own)?)))),
        );
        let role = |own: &Role| {
            let tables = own
                .grants
                .iter()
                .filter_map(|(id, words)| Some((design.table(*id)?.name.clone(), json!(words))));
            let views = design
                .views
                .iter()
                .filter(|_| own.on_views)
                .map(|view| (view.name.clone(), json!(["select"])));
            let mut made = Map::new();
            put(&mut made, "login", Some(json!(false)));
            put(&mut made, "grants", map(tables.chain(views)));
            (own.name.to_owned(), Value::Object(made))
        };
        let roles = map(design.roles.iter().map(role));
        put(
            &mut out,
            "security",
            roles.map(|roles| json!({"roles": roles})),
        );
        Value::Object(out)
    }

    fn old(&self, table: &Table) -> Option<&Table> {
        self.was?.table(table.id)
    }

    fn table(&self, table: &Table) -> Value {
        let names = |ids: &[Id]| {
            json!(
                ids.iter()
                    .filter_map(|id| table.column(*id))
                    .map(|column| column.name.clone())
                    .collect::<Vec<_>>()
            )
        };
        let sql = |sql: &Option<Sql>| sql.as_ref().map(|sql| json!(filled(sql, table)));
        let mut out = Map::new();
        put(
            &mut out,
            "grain",
            Some(json!(format!("one thing, said {} times", table.grain))),
        );
        let old = self.old(table);
        put(
            &mut out,
            "was",
            old.filter(|old| old.name != table.name)
                .map(|old| json!(old.name)),
        );
        put(
            &mut out,
            "columns",
            map(table
                .columns
                .iter()
                .map(|column| (column.name.clone(), self.column(table, column)))),
        );
        put(
            &mut out,
            "key",
            (!table.key.is_empty()).then(|| names(&table.key)),
        );
        put(
            &mut out,
            "fillfactor",
            table.fillfactor.map(|percent| json!(percent)),
        );
        put(
            &mut out,
            "tenant",
            table
                .tenant
                .and_then(|id| table.column(id))
                .map(|column| json!(column.name)),
        );
        let uniques = table.uniques.iter().map(|own| {
            let mut made = Map::new();
            put(&mut made, "columns", Some(names(&own.columns)));
            put(&mut made, "where", sql(&own.filter));
            (own.name.clone(), Value::Object(made))
        });
        put(&mut out, "unique", map(uniques));
        let references = table.references.iter().filter_map(|own| {
            let to = self.design.table(own.to)?;
            let key: Vec<&str> = own
                .key
                .iter()
                .filter_map(|id| to.column(*id))
                .map(|column| column.name.as_str())
                .collect();
            let mut made = Map::new();
            put(&mut made, "columns", Some(names(&own.columns)));
            put(&mut made, "to", Some(json!(to.name)));
            put(&mut made, "key", Some(json!(key)));
            put(&mut made, "on_delete", Some(json!(own.on_delete)));
            put(
                &mut made,
                "on_update",
                own.on_update.map(|what| json!(what)),
            );
            put(
                &mut made,
                "deferrable",
                own.deferrable.then_some(json!(true)),
            );
            Some((own.name.clone(), Value::Object(made)))
        });
        put(&mut out, "references", map(references));
        put(
            &mut out,
            "checks",
            map(table
                .checks
                .iter()
                .map(|(name, check)| (name.clone(), json!(filled(check, table))))),
        );
        let excludes = table.excludes.iter().map(|own| {
            let elements = own
                .equal
                .iter()
                .filter_map(|id| Some(format!("{} with =", quoted(&table.column(*id)?.name))));
            let elements: Vec<String> = elements
                .chain([format!("{} with &&", filled(&own.span, table))])
                .collect();
            let mut made = Map::new();
            put(&mut made, "elements", Some(json!(elements)));
            put(&mut made, "where", sql(&own.filter));
            (own.name.clone(), Value::Object(made))
        });
        put(&mut out, "exclude", map(excludes));
        let indexes = table.indexes.iter().map(|own| {
            let keys: Vec<String> = own
                .keys
                .iter()
                .map(|(key, rest)| format!("{}{rest}", filled(key, table)))
                .collect();
            let was = old.and_then(|old| {
                old.indexes
                    .iter()
                    .find(|other| other.id == own.id && other.name != own.name)
            });
            let mut made = Map::new();
            put(&mut made, "columns", Some(json!(keys)));
            put(&mut made, "using", own.using.map(|using| json!(using)));
            put(&mut made, "unique", own.unique.then_some(json!(true)));
            put(&mut made, "where", sql(&own.filter));
            put(
                &mut made,
                "include",
                (!own.include.is_empty()).then(|| names(&own.include)),
            );
            put(
                &mut made,
                "with",
                own.fillfactor.map(|percent| json!({"fillfactor": percent})),
            );
            put(&mut made, "was", was.map(|was| json!(was.name)));
            (own.name.clone(), Value::Object(made))
        });
        put(&mut out, "indexes", map(indexes));
        let statistics = table.statistics.iter().map(|own| {
            let mut made = Map::new();
            put(&mut made, "columns", Some(names(&own.columns)));
            put(
                &mut made,
                "kinds",
                (!own.kinds.is_empty()).then(|| json!(own.kinds)),
            );
            (own.name.clone(), Value::Object(made))
        });
        put(&mut out, "statistics", map(statistics));
        let partition = table
            .partition
            .as_ref()
            .and_then(|own| Some((own, table.column(own.by)?)));
        put(
            &mut out,
            "partition",
            partition.map(|(own, by)| cut(own, by)),
        );
        Value::Object(out)
    }

    fn column(&self, table: &Table, column: &Column) -> Value {
        let old = self.old(table).and_then(|old| old.column(column.id));
        let mut out = Map::new();
        put(&mut out, "type", Some(json!(self.kind(column.kind))));
        put(
            &mut out,
            "was",
            old.filter(|old| old.name != column.name)
                .map(|old| json!(old.name)),
        );
        put(
            &mut out,
            "nullable",
            column.nullable.then_some(json!("not known")),
        );
        put(
            &mut out,
            "default",
            column
                .default
                .and_then(|own| self.default(own, column))
                .map(|text| json!(text)),
        );
        put(
            &mut out,
            "identity",
            column
                .identity
                .map(|always| json!(if always { "always" } else { "by default" })),
        );
        put(
            &mut out,
            "generated",
            column
                .generated
                .as_ref()
                .map(|own| json!(filled(own, table))),
        );
        put(
            &mut out,
            "one_of",
            (!column.one_of.is_empty()).then(|| json!(column.one_of)),
        );
        put(
            &mut out,
            "check",
            column.check.as_ref().map(|own| json!(filled(own, table))),
        );
        put(&mut out, "collate", column.collate.then_some(json!("C")));
        put(
            &mut out,
            "means",
            Some(json!(format!("said {} times", column.means))),
        );
        Value::Object(out)
    }

    fn kind(&self, kind: Kind) -> String {
        let named = |id: Id| {
            self.design
                .types
                .iter()
                .find(|own| own.id == id)
                .map_or_else(|| "gone".to_owned(), |own| own.name.clone())
        };
        match kind {
            Kind::Enum(id) | Kind::Domain(id) | Kind::Words(id) => named(id),
            other => data_type(other),
        }
    }

    fn default(&self, default: Default, column: &Column) -> Option<String> {
        let number = match default {
            Default::Now => return Some("now()".to_owned()),
            Default::Random => return Some("gen_random_uuid()".to_owned()),
            Default::Routine(id) => {
                let own = self.design.routines.iter().find(|own| own.id == id)?;
                return Some(format!("{}(1)", own.name));
            }
            Default::Literal(number) => number,
        };
        let text = match column.kind {
            Kind::Text | Kind::Varchar(_) => match column.one_of.is_empty() {
                true => ["x", "it's", "y"][number].to_owned(),
                false => column.one_of[number % column.one_of.len()].clone(),
            },
            Kind::Bool => return Some(["true", "false", "true"][number].to_owned()),
            Kind::Uuid => format!("00000000-0000-0000-0000-00000000000{number}"),
            Kind::Date | Kind::Timestamp | Kind::Timestamptz => format!("2026-01-0{}", number + 1),
            Kind::Interval => format!("{number} hours"),
            Kind::Clock => format!("0{number}:00"),
            Kind::Ints => "{1,2}".to_owned(),
            Kind::Jsonb | Kind::Json => format!("{{\"a\": {number}}}"),
            Kind::Bytea => "\\x00".to_owned(),
            Kind::Texts => "{}".to_owned(),
            Kind::Span => return None,
            Kind::Inet => "127.0.0.1".to_owned(),
            Kind::Words(_) => ["x", "it's", "y"][number].to_owned(),
            Kind::Enum(id) => {
                let labels = self.design.labels(id);
                labels.get(number % labels.len().max(1))?.clone()
            }
            _ => return Some(number.to_string()),
        };
        Some(format!("'{}'", text.replace('\'', "''")))
    }

    fn view(&self, view: &View) -> Option<Value> {
        let table = self.design.table(view.table)?;
        let columns: Vec<String> = view
            .columns
            .iter()
            .filter_map(|id| table.column(*id))
            .map(|column| {
                let alias = if view.own_names {
                    format!(" AS v{}", column.id)
                } else {
                    String::new()
                };
                format!("t.{}{alias}", quoted(&column.name))
            })
            .collect();
        let mut sql = format!(
            "SELECT {} FROM {} t",
            columns.join(", "),
            quoted(&table.name)
        );
        if let Some(own) = table
            .references
            .iter()
            .find(|own| Some(&own.name) == view.join.as_ref())
        {
            let to = self.design.table(own.to)?;
            let pairs = own.columns.iter().zip(&own.key);
            let pairs = pairs.filter_map(|(one, other)| {
                Some(format!(
                    "t.{} = o.{}",
                    quoted(&table.column(*one)?.name),
                    quoted(&to.column(*other)?.name)
                ))
            });
            sql = format!(
                "{sql} JOIN {} o ON {}",
                quoted(&to.name),
                pairs.collect::<Vec<_>>().join(" AND ")
            );
        } else if let Some(filter) = &view.filter {
            sql = format!("{sql} WHERE {}", filled(filter, table));
        }
        Some(
            json!({"sql": sql, "means": format!("said {} times", view.means), "security_invoker": view.invoker}),
        )
    }

    fn routine(&self, own: &Routine) -> Vec<(String, Value)> {
        let means = format!("said {} times", own.means);
        let name = &own.name;
        let one = |sql: String| vec![(name.clone(), json!({"sql": sql, "means": means}))];
        match &own.does {
            Does::Adds(number) => one(format!(
                "CREATE FUNCTION {name}(n integer) RETURNS integer LANGUAGE sql IMMUTABLE AS $$ SELECT n + {number} $$"
            )),
            Does::Counts(id) => {
                let Some(table) = self.design.table(*id) else {
                    return Vec::new();
                };
                one(format!(
                    "CREATE FUNCTION {name}() RETURNS bigint LANGUAGE sql STABLE AS $$ SELECT count(*) FROM {} $$",
                    quoted(&table.name)
                ))
            }
            Does::Looks {
                table,
                column,
                updates_only,
                late,
            } => {
                let Some(table) = self.design.table(*table) else {
                    return Vec::new();
                };
                let Some(column) = table.column(*column) else {
                    return Vec::new();
                };
                let body = format!(
                    "CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NEW.{} IS NULL THEN NULL; END IF; RETURN NEW; END $$",
                    quoted(&column.name)
                );
                let when = match updates_only {
                    true => format!("UPDATE OF {}", quoted(&column.name)),
                    false => "INSERT OR UPDATE".to_owned(),
                };
                let mut all = one(body);
                let (timing, only) = match late {
                    true => (
                        "AFTER",
                        format!(" WHEN (NEW.{} IS NOT NULL)", quoted(&column.name)),
                    ),
                    false => ("BEFORE", String::new()),
                };
                let trigger = format!(
                    "CREATE TRIGGER tr_{name} {timing} {when} ON {} FOR EACH ROW{only} EXECUTE FUNCTION {name}()",
                    quoted(&table.name)
                );
                all.push((
                    format!("tr_{name}"),
                    json!({"sql": trigger, "means": means, "after": [name]}),
                ));
                all
            }
        }
    }

    fn invariant(&self, own: &Invariant) -> Option<Value> {
        let table = self.design.table(own.table)?;
        let names = |ids: &[Id]| -> Vec<String> {
            ids.iter()
                .filter_map(|id| table.column(*id))
                .map(|column| column.name.clone())
                .collect()
        };
        let name = |id: Id| table.column(id).map(|column| column.name.clone());
        let within = &table.name;
        let with = |mut made: Value, filter: &Option<Sql>| {
            if let (Some(filter), Some(made)) = (filter, made.as_object_mut()) {
                made.insert("where".to_owned(), json!(filled(filter, table)));
            }
            made
        };
        let (key, clause) = match &own.rule {
            Rule::Required(columns, filter) => (
                "required",
                with(json!({"in": within, "columns": names(columns)}), filter),
            ),
            Rule::Parent(reference, filter) => {
                let own = table.references.iter();
                let own = own.clone().find(|own| own.name == *reference)?;
                let to = self.design.table(own.to)?;
                let key: Option<Vec<&str>> = own
                    .key
                    .iter()
                    .map(|id| Some(to.column(*id)?.name.as_str()))
                    .collect();
                let made = json!({"in": within, "columns": names(&own.columns), "to": to.name, "key": key?});
                ("references", with(made, filter))
            }
            Rule::Child(child) => (
                "required",
                json!({"in": within, "child": self.design.table(*child)?.name}),
            ),
            Rule::Unique(columns, filter) => (
                "unique",
                with(json!({"in": within, "columns": names(columns)}), filter),
            ),
            Rule::AtMostOne(columns, filter) => (
                "at_most_one",
                with(json!({"in": within, "per": names(columns)}), filter),
            ),
            Rule::ExactlyOne(columns, filter) => (
                "exactly_one",
                json!({"in": within, "per": names(columns), "where": filled(filter, table)}),
            ),
            Rule::AtMostCount(columns, limit, filter) => (
                "at_most",
                with(
                    json!({"in": within, "per": names(columns), "count": true, "limit": limit}),
                    filter,
                ),
            ),
            Rule::AtMostSum(columns, sum, filter) => (
                "at_most",
                with(
                    json!({"in": within, "per": names(columns), "sum": quoted(&name(*sum)?), "limit": 1_000_000}),
                    filter,
                ),
            ),
            Rule::NoOverlapOf(columns, period, _) => (
                "no_overlap",
                json!({"in": within, "per": names(columns), "period": name(*period)?}),
            ),
            Rule::AtMostOfParent {
                reference,
                sum,
                limit,
            } => {
                let reference = table
                    .references
                    .iter()
                    .find(|other| other.name == *reference)?;
                let to = self.design.table(reference.to)?;
                let limit = format!("{}.{}", to.name, to.column(*limit)?.name);
                (
                    "at_most",
                    json!({"in": within, "per": names(&reference.columns), "sum": quoted(&name(*sum)?), "limit": limit}),
                )
            }
            Rule::Check(is) => ("check", json!({"in": within, "is": filled(is, table)})),
            Rule::NoOverlap { per, from, to } => (
                "no_overlap",
                json!({"in": within, "per": names(per), "from": name(*from)?, "to": name(*to)?}),
            ),
            Rule::Balanced(per, sum) => (
                "balanced",
                json!({"in": within, "per": names(per), "sum": quoted(&name(*sum)?)}),
            ),
            Rule::AppendOnly => ("append_only", json!({"in": within})),
            Rule::Immutable(columns, once) => {
                let mut made = json!({"in": within, "columns": names(columns)});
                if let (Some(once), Some(made)) = (once, made.as_object_mut()) {
                    made.insert("once".to_owned(), json!(filled(once, table)));
                }
                ("immutable", made)
            }
            Rule::Transitions(column, labels) => {
                let allow: Map<String, Value> = labels
                    .iter()
                    .zip(labels.iter().skip(1))
                    .map(|(from, to)| (from.clone(), json!([to])))
                    .collect();
                (
                    "transitions",
                    json!({"in": within, "column": name(*column)?, "initial": [labels.first()?], "allow": allow}),
                )
            }
            Rule::Monotonic(column, strictly) => (
                "monotonic",
                json!({"in": within, "column": name(*column)?, "strictly": strictly}),
            ),
            Rule::Isolated(tables) => {
                let tables: Vec<&str> = tables
                    .iter()
                    .filter_map(|id| self.design.table(*id))
                    .map(|table| table.name.as_str())
                    .collect();
                (
                    "isolated",
                    json!({"tables": tables, "by": "tenant_id", "setting": "app.tenant_id", "role": "pair_clerk"}),
                )
            }
            Rule::Holds(is) => {
                let sql = format!(
                    "SELECT 1 FROM {} WHERE NOT ({})",
                    quoted(within),
                    filled(is, table)
                );
                return Some(
                    json!({"never": own.name, "holds": sql, "enforced": "reconciliation"}),
                );
            }
        };
        let mut made = Map::new();
        put(&mut made, "never", Some(json!(own.name)));
        put(&mut made, key, Some(clause));
        let is_triggers = matches!(own.rule, Rule::Parent(..) | Rule::NoOverlapOf(_, _, true));
        put(
            &mut made,
            "enforced",
            is_triggers.then_some(json!("trigger")),
        );
        let was = self.was.and_then(|was| {
            was.invariants
                .iter()
                .find(|other| other.id == own.id && other.name != own.name)
        });
        put(&mut made, "was", was.map(|was| json!(was.name)));
        Some(Value::Object(made))
    }
}

fn type_of(own: &Type) -> Value {
    let means = format!("said {} times", own.means);
    match &own.of {
        TypeOf::Labels(labels) => json!({"enum": labels, "means": means}),
        TypeOf::Words { check } => {
            let mut made = Map::new();
            put(&mut made, "domain", Some(json!("text")));
            put(&mut made, "check", check.map(|check| json!(check)));
            put(&mut made, "means", Some(json!(means)));
            Value::Object(made)
        }
        TypeOf::Number { big, check } => {
            let mut made = Map::new();
            put(
                &mut made,
                "domain",
                Some(json!(if *big { "bigint" } else { "integer" })),
            );
            put(&mut made, "check", check.map(|check| json!(check)));
            put(&mut made, "means", Some(json!(means)));
            Value::Object(made)
        }
    }
}

fn cut(own: &Partition, by: &Column) -> Value {
    let mut made = Map::new();
    put(&mut made, "by", Some(json!(by.name)));
    put(&mut made, "default", own.default.then_some(json!(true)));
    match &own.form {
        Form::Every { months, ahead } => {
            put(
                &mut made,
                "every",
                Some(json!(if *months { "1 month" } else { "1 week" })),
            );
            put(&mut made, "from", Some(json!("2026-01-01")));
            put(&mut made, "ahead", Some(json!(ahead)));
        }
        Form::Hash(count) => put(&mut made, "hash", Some(json!(count))),
        Form::List(parts) => put(
            &mut made,
            "list",
            map(parts
                .iter()
                .map(|(name, values)| (name.clone(), json!(values)))),
        ),
        Form::Ranges(parts) => put(
            &mut made,
            "ranges",
            map(parts
                .iter()
                .map(|(name, bounds)| (name.clone(), json!(bounds)))),
        ),
    }
    Value::Object(made)
}

/// A type that every database has.
pub fn data_type(kind: Kind) -> String {
    match kind {
        Kind::Numeric(precision, scale) => format!("numeric({precision},{scale})"),
        Kind::Varchar(length) => format!("varchar({length})"),
        Kind::Double => "double precision".to_owned(),
        Kind::Texts => "text[]".to_owned(),
        Kind::Ints => "integer[]".to_owned(),
        Kind::Clock => "time".to_owned(),
        Kind::Span => "tstzrange".to_owned(),
        other => format!("{other:?}")
            .to_lowercase()
            .replace("bool", "boolean"),
    }
}
