//! The safe way, as SQL that can be run. Each is run in thought by the tests: none of its statements may be a hazard itself.

use crate::catalog::Table;
use crate::migrate::chain::Chain;
use crate::migrate::effect::{Type, shown};
use crate::sql::{
    ConstraintForm, ConstraintKind, Ddl, DomainAction, Ident, IndexForm, Named, NewColumn,
    NewTable, QualifiedName, ReindexTarget, Rename, SqlText, TableAction, fill, fixed, idents,
    join, quote_ident, quote_qualified,
};

/// Where there is none.
const WINDOW: &str = "there is no way that lets others go on: do it in a maintenance window, or into a new table that takes the old one's place";

/// For what is short, but has to come to its lock.
pub(super) const PATIENCE: &str =
    "SET lock_timeout, and try again until it comes through, in a migration of its own";

/// How a backfill is told.
const BATCHES: &str =
    "-- again and again, each time in a transaction of its own, until no row is left:";

/// The safe way for a statement; of ALTER TABLE, for its first action.
pub(super) fn of(form: &Ddl, chain: &Chain) -> String {
    let version = chain.version;
    match form {
        Ddl::AlterTable { table, actions, .. } => {
            let (name, _) = chain.look().relation(table);
            actions
                .first()
                .map_or(String::new(), |action| alter(chain, &name, action))
        }
        Ddl::CreateIndex(index) => create_index(chain, index),
        Ddl::DropIndex { indexes, .. } if indexes.iter().any(|index| is_of_parted(chain, index)) => {
            "SET lock_timeout, and try again until it comes through: there is no CONCURRENTLY for an index of a partitioned table".to_owned()
        }
        Ddl::DropIndex { indexes, .. }
            if indexes.iter().any(|index| is_of_constraint(chain, index)) =>
        {
            "drop the constraint; its index goes with it".to_owned()
        }
        Ddl::DropIndex { indexes, .. } => {
            let lines = indexes.iter().map(|index| {
                fill(
                    "DROP INDEX CONCURRENTLY {index};",
                    &[("index", &written(index))],
                )
            });
            text(join(lines, "\n"))
        }
        Ddl::Reindex { target, .. } => match target {
            ReindexTarget::Table(own) => text(fill(
                "REINDEX TABLE CONCURRENTLY {own};",
                &[("own", &written(own))],
            )),
            ReindexTarget::Index(own) => text(fill(
                "REINDEX INDEX CONCURRENTLY {own};",
                &[("own", &written(own))],
            )),
            ReindexTarget::Schema(own) => text(fill(
                "REINDEX SCHEMA CONCURRENTLY {own};",
                &[("own", &quote_ident(own))],
            )),
            ReindexTarget::Database => "REINDEX DATABASE CONCURRENTLY;".to_owned(),
        },
        Ddl::Refresh { view, .. } => text(fill(
            "-- needs a unique index over columns of the view\nREFRESH MATERIALIZED VIEW CONCURRENTLY {view};",
            &[("view", &written(view))],
        )),
        Ddl::AlterDomain { name, action } => domain(name, action),
        Ddl::CreateTable(table) => partition_of(chain, table),
        Ddl::Vacuum { full: true, .. } | Ddl::Cluster { .. } => {
            "run pg_repack, which does the same and lets others go on, or use a maintenance window"
                .to_owned()
        }
        Ddl::Drop { .. } => {
            "SET lock_timeout, and drop the foreign key in a migration of its own, before"
                .to_owned()
        }
        _ if version == 0 => String::new(),
        _ => WINDOW.to_owned(),
    }
}

fn is_of_parted(chain: &Chain, index: &Named) -> bool {
    let (_, table) = chain.look().index(index);
    let own = table.and_then(|table| chain.catalog.tables.get(&table));
    own.is_some_and(|own| own.partitioning.is_some())
}

fn is_of_constraint(chain: &Chain, index: &Named) -> bool {
    let (name, table) = chain.look().index(index);
    let own = table.and_then(|table| chain.catalog.tables.get(&table));
    own.is_some_and(|own| !own.indexes.contains_key(&name.name))
}

fn text(sql: SqlText) -> String {
    sql.as_str().to_owned()
}

fn authored(text: &str) -> SqlText {
    SqlText::authored(text)
}

/// A name as the statement wrote it.
fn written(named: &Named) -> SqlText {
    match &named.schema {
        Some(schema) => quote_qualified(&QualifiedName::new(schema.clone(), named.name.clone())),
        None => quote_ident(&named.name),
    }
}

/// A name without `public`.
fn table_name(name: &QualifiedName) -> SqlText {
    match name.schema.as_str() {
        "public" => quote_ident(&name.name),
        _ => quote_qualified(name),
    }
}

/// A made name of a part of a table, not longer than names can be.
fn made(table: &QualifiedName, middle: &str, ending: &str) -> Ident {
    let mut text = [table.name.as_str(), "_", middle].concat();
    while text.len() + ending.len() + 1 > 63 {
        if text.pop().is_none() {
            break;
        }
    }
    Ident::new([&text, "_", ending].concat())
}

fn alter(chain: &Chain, name: &QualifiedName, action: &TableAction) -> String {
    use TableAction::*;
    let table = table_name(name);
    match action {
        AddColumn { column, .. } => add_column(chain, name, column),
        SetType {
            column,
            data_type,
            using,
            ..
        } => set_type(chain, name, column, data_type, using.as_deref()),
        SetNotNull(column) => text(not_null(chain, name, column)),
        AddConstraint(form) => constraint(chain, name, form),
        AttachPartition { partition, bound } => attach(chain, name, partition, bound),
        DetachPartition { partition, .. } => {
            let has_default = chain.look().table(name).is_some_and(|own| {
                own.partitioning
                    .iter()
                    .flat_map(|by| &by.partitions)
                    .any(|part| part.bound == crate::catalog::PartitionBound::Default)
            });
            if has_default {
                return "SET lock_timeout, and try again until it comes through: beside a DEFAULT partition there is no CONCURRENTLY".to_owned();
            }
            text(fill(
                "ALTER TABLE {table} DETACH PARTITION {partition} CONCURRENTLY;",
                &[("table", &table), ("partition", &written(partition))],
            ))
        }
        DropConstraint { .. } => PATIENCE.to_owned(),
        _ => WINDOW.to_owned(),
    }
}

fn add_column(chain: &Chain, name: &QualifiedName, column: &NewColumn) -> String {
    let table = table_name(name);
    let own = quote_ident(&column.name);
    let parsed = Type::parse(&column.data_type);
    let domain = parsed.domain(&chain.look());
    let data_type = match (parsed.is_serial, &domain) {
        (true, _) => authored(&parsed.name),
        (_, Some((base, true))) => authored(crate::migrate::effect::base_of(base)),
        _ => authored(&column.data_type),
    };
    let parts = [("table", &table), ("column", &own), ("type", &data_type)];
    let mut lines = Vec::new();
    let is_virtual = chain.version >= 18;
    let mut filled: Option<SqlText> = None;
    let mut is_not_null = parsed.is_serial;
    let mut after = Vec::new();
    for constraint in &column.constraints {
        match &constraint.kind {
            ConstraintKind::Generated { expression, .. } if is_virtual => {
                let expression = authored(expression);
                let mut parts = parts.to_vec();
                parts.push(("expression", &expression));
                return text(fill(
                    "ALTER TABLE {table} ADD COLUMN {column} {type} GENERATED ALWAYS AS ({expression}) VIRTUAL;",
                    &parts,
                ));
            }
            ConstraintKind::Generated { expression, .. } => {
                let expression = authored(expression);
                let mut parts = parts.to_vec();
                parts.push(("expression", &expression));
                lines.push(fill("ALTER TABLE {table} ADD COLUMN {column} {type};\n-- a trigger BEFORE INSERT OR UPDATE that sets {column} to {expression}, then:", &parts));
                filled = Some(expression);
            }
            ConstraintKind::Default(expression) => filled = Some(authored(expression)),
            ConstraintKind::Identity { .. } => is_not_null = true,
            ConstraintKind::NotNull(_) => is_not_null = true,
            ConstraintKind::Check(expression) => {
                after.push(checked(name, &column.name, expression))
            }
            ConstraintKind::Unique { .. } => {
                after.push(unique(
                    name,
                    std::slice::from_ref(&column.name),
                    false,
                    None,
                ));
            }
            ConstraintKind::PrimaryKey { .. } => {
                is_not_null = true;
                after.push(unique(name, std::slice::from_ref(&column.name), true, None));
            }
            ConstraintKind::ForeignKey {
                table: parent, key, ..
            } => {
                after.push(foreign(
                    chain,
                    name,
                    std::slice::from_ref(&column.name),
                    parent,
                    key,
                    None,
                ));
            }
            _ => {}
        }
    }
    let identity = column
        .constraints
        .iter()
        .any(|constraint| matches!(constraint.kind, ConstraintKind::Identity { .. }));
    if lines.is_empty() {
        lines.push(fill(
            "ALTER TABLE {table} ADD COLUMN {column} {type};",
            &parts,
        ));
    }
    if parsed.is_serial || identity {
        let sequence = quote_ident(&made(name, column.name.as_str(), "seq"));
        let mut parts = parts.to_vec();
        parts.push(("sequence", &sequence));
        lines.push(fill("CREATE SEQUENCE {sequence} OWNED BY {table}.{column};\nALTER TABLE {table} ALTER COLUMN {column} SET DEFAULT nextval('{sequence}');", &parts));
        filled = Some(fill("nextval('{sequence}')", &parts));
    } else if let Some(value) = &filled {
        let is_generated = column
            .constraints
            .iter()
            .any(|constraint| matches!(constraint.kind, ConstraintKind::Generated { .. }));
        if !is_generated {
            let mut parts = parts.to_vec();
            parts.push(("value", value));
            lines.push(fill(
                "ALTER TABLE {table} ALTER COLUMN {column} SET DEFAULT {value};",
                &parts,
            ));
        }
    }
    if let Some(value) = &filled {
        let mut parts = parts.to_vec();
        parts.push(("value", value));
        let batches = fixed(BATCHES);
        parts.push(("batches", &batches));
        lines.push(fill(
            "{batches}\nUPDATE {table} SET {column} = {value} WHERE ctid = ANY (ARRAY(SELECT ctid FROM {table} WHERE {column} IS NULL LIMIT 1000));",
            &parts,
        ));
    } else if is_not_null {
        lines.push(fixed(
            "-- fill it in batches, each in a transaction of its own, then:",
        ));
    }
    if let Some((_, true)) = &domain {
        lines.push(fixed(
            "-- the rule of the domain as a CHECK, NOT VALID, then validated",
        ));
    }
    if is_not_null {
        lines.push(not_null(chain, name, &column.name));
    }
    lines.extend(after);
    text(join(lines, "\n"))
}

/// A check that is added without reading rows, then validated while others go on.
fn checked(name: &QualifiedName, column: &Ident, expression: &str) -> SqlText {
    let own = made(name, column.as_str(), "check");
    two_steps(
        name,
        &own,
        &authored(&["CHECK (", expression, ")"].concat()),
    )
}

fn two_steps(name: &QualifiedName, constraint: &Ident, body: &SqlText) -> SqlText {
    fill(
        "ALTER TABLE {table} ADD CONSTRAINT {name} {body} NOT VALID;\n-- in a later transaction:\nALTER TABLE {table} VALIDATE CONSTRAINT {name};",
        &[
            ("table", &table_name(name)),
            ("name", &quote_ident(constraint)),
            ("body", body),
        ],
    )
}

fn not_null(chain: &Chain, name: &QualifiedName, column: &Ident) -> SqlText {
    let constraint = made(name, column.as_str(), "not_null");
    let (table, own) = (table_name(name), quote_ident(column));
    let quoted = quote_ident(&constraint);
    let parts = [("table", &table), ("column", &own), ("name", &quoted)];
    if chain.version >= 18 {
        return fill(
            "ALTER TABLE {table} ADD CONSTRAINT {name} NOT NULL {column} NOT VALID;\n-- in a later transaction:\nALTER TABLE {table} VALIDATE CONSTRAINT {name};",
            &parts,
        );
    }
    fill(
        "ALTER TABLE {table} ADD CONSTRAINT {name} CHECK ({column} IS NOT NULL) NOT VALID;\n-- in a later transaction:\nALTER TABLE {table} VALIDATE CONSTRAINT {name};\n-- the check proves it, so no row is read:\nALTER TABLE {table} ALTER COLUMN {column} SET NOT NULL;\nALTER TABLE {table} DROP CONSTRAINT {name};",
        &parts,
    )
}

fn unique(
    name: &QualifiedName,
    columns: &[Ident],
    primary: bool,
    given: Option<&Ident>,
) -> SqlText {
    let joined: Vec<&str> = columns.iter().map(Ident::as_str).collect();
    let (ending, kind) = match primary {
        true => ("pkey", fixed("PRIMARY KEY")),
        false => ("key", fixed("UNIQUE")),
    };
    let constraint = given.cloned().unwrap_or_else(|| match primary {
        true => Ident::new([name.name.as_str(), "_pkey"].concat()),
        false => made(name, &joined.join("_"), ending),
    });
    fill(
        "CREATE UNIQUE INDEX CONCURRENTLY {name} ON {table} ({columns});\n-- when pg_index.indisvalid says that it is valid:\nALTER TABLE {table} ADD CONSTRAINT {name} {kind} USING INDEX {name};",
        &[
            ("name", &quote_ident(&constraint)),
            ("table", &table_name(name)),
            ("columns", &idents(columns)),
            ("kind", &kind),
        ],
    )
}

fn foreign(
    chain: &Chain,
    name: &QualifiedName,
    columns: &[Ident],
    parent: &Named,
    key: &[Ident],
    given: Option<&Ident>,
) -> SqlText {
    let joined: Vec<&str> = columns.iter().map(Ident::as_str).collect();
    let constraint = given
        .cloned()
        .unwrap_or_else(|| made(name, &joined.join("_"), "fkey"));
    let key = match key.is_empty() {
        true => fixed(""),
        false => fill(" ({key})", &[("key", &idents(key))]),
    };
    let body = fill(
        "FOREIGN KEY ({columns}) REFERENCES {parent}{key}",
        &[
            ("columns", &idents(columns)),
            ("parent", &written(parent)),
            ("key", &key),
        ],
    );
    let is_parted = chain
        .look()
        .table(name)
        .is_some_and(|own| own.partitioning.is_some());
    if is_parted && chain.version < 18 {
        let parts = chain.look().below(name);
        let mut lines: Vec<SqlText> = parts
            .iter()
            .map(|part| two_steps(part, &constraint, &body))
            .collect();
        lines.push(fill(
            "-- it finds those of the partitions, and reads no row:\nALTER TABLE {table} ADD CONSTRAINT {name} {body};",
            &[
                ("table", &table_name(name)),
                ("name", &quote_ident(&constraint)),
                ("body", &body),
            ],
        ));
        return join(lines, "\n");
    }
    two_steps(name, &constraint, &body)
}

fn constraint(chain: &Chain, name: &QualifiedName, form: &ConstraintForm) -> String {
    let given = form.name.as_ref();
    let sql = match &form.kind {
        ConstraintKind::Check(expression) => {
            let own = given.cloned().unwrap_or_else(|| made(name, "check", "1"));
            two_steps(
                name,
                &own,
                &authored(&["CHECK (", expression, ")"].concat()),
            )
        }
        ConstraintKind::NotNull(Some(column)) => not_null(chain, name, column),
        ConstraintKind::ForeignKey {
            columns,
            table,
            key,
            ..
        } => foreign(chain, name, columns, table, key, given),
        ConstraintKind::PrimaryKey {
            using_index: Some(index),
            ..
        } => {
            let known = chain
                .look()
                .table(name)
                .and_then(|own| own.indexes.get(index));
            let columns = known.into_iter().flat_map(|index| &index.keys);
            let nullable = columns
                .filter_map(|key| key.column.as_ref())
                .filter(|column| {
                    chain
                        .look()
                        .column(name, column)
                        .is_none_or(|own| own.nullable)
                });
            let mut lines: Vec<SqlText> = nullable
                .map(|column| not_null(chain, name, column))
                .collect();
            lines.push(fixed("-- then the primary key"));
            join(lines, "\n")
        }
        ConstraintKind::PrimaryKey { columns, .. } => {
            let nullable = columns.iter().filter(|column| {
                chain
                    .look()
                    .column(name, column)
                    .is_none_or(|own| own.nullable)
            });
            let mut lines: Vec<SqlText> = nullable
                .map(|column| not_null(chain, name, column))
                .collect();
            lines.push(unique(name, columns, true, given));
            join(lines, "\n")
        }
        ConstraintKind::Unique {
            columns,
            using_index: None,
            ..
        } => unique(name, columns, false, given),
        _ => return WINDOW.to_owned(),
    };
    text(sql)
}

fn set_type(
    chain: &Chain,
    name: &QualifiedName,
    column: &Ident,
    data_type: &str,
    using: Option<&str>,
) -> String {
    let known: Option<&Table> = chain.look().table(name);
    let rewrites = known
        .and_then(|own| own.column(column))
        .is_none_or(|own| own.data_type.as_str() != data_type);
    if !rewrites {
        return WINDOW.to_owned();
    }
    let fresh = Ident::new([column.as_str(), "_new"].concat());
    let cast = [
        ("column", &quote_ident(column)),
        ("type", &authored(data_type)),
    ];
    let value = using.map_or_else(|| fill("{column}::{type}", &cast), authored);
    let parsed = Type::parse(data_type);
    let data_type = match parsed.domain(&chain.look()) {
        // The rule of the domain comes as a CHECK, NOT VALID, then validated.
        Some((base, true)) => crate::migrate::effect::base_of(base),
        _ => data_type,
    };
    let parts = [
        ("table", &table_name(name)),
        ("column", &quote_ident(column)),
        ("value", &value),
        ("new", &quote_ident(&fresh)),
        ("type", &authored(data_type)),
        ("batches", &fixed(BATCHES)),
    ];
    text(fill(
        "ALTER TABLE {table} ADD COLUMN {new} {type};\n-- a trigger BEFORE INSERT OR UPDATE that writes {new} too, then:\n{batches}\nUPDATE {table} SET {new} = {value} WHERE ctid = ANY (ARRAY(SELECT ctid FROM {table} WHERE {new} IS NULL AND {column} IS NOT NULL LIMIT 1000));\n-- programs use {new}; {column} is dropped in a later migration",
        &parts,
    ))
}

fn create_index(chain: &Chain, index: &IndexForm) -> String {
    let (name, _) = chain.look().relation(&index.table);
    let keys: Vec<SqlText> = index
        .keys
        .iter()
        .map(|key| {
            let order = match (key.descending, key.nulls_first) {
                (true, None | Some(true)) => " DESC",
                (true, Some(false)) => " DESC NULLS LAST",
                (false, Some(true)) => " NULLS FIRST",
                _ => "",
            };
            authored(&[&key.expression, order].concat())
        })
        .collect();
    let plain: Vec<String> = index
        .keys
        .iter()
        .filter_map(|key| key.column.as_ref())
        .map(|column| column.as_str().to_owned())
        .collect();
    let own = index.name.as_ref().map_or_else(
        || made(&name, &plain.join("_"), "idx"),
        |own| own.name.clone(),
    );
    let method = match index.method.as_str() {
        "btree" => fixed(""),
        _ => fill(
            "USING {method} ",
            &[("method", &quote_ident(&index.method))],
        ),
    };
    let tail = {
        let include = match index.include.is_empty() {
            true => fixed(""),
            false => fill(
                " INCLUDE ({columns})",
                &[("columns", &idents(&index.include))],
            ),
        };
        let filter = index.predicate.as_ref().map_or(fixed(""), |predicate| {
            fill(" WHERE {predicate}", &[("predicate", &authored(predicate))])
        });
        join([include, filter], "")
    };
    let parts = [
        ("unique", &fixed(if index.unique { "UNIQUE " } else { "" })),
        ("name", &quote_ident(&own)),
        ("table", &table_name(&name)),
        ("method", &method),
        ("keys", &join(keys, ", ")),
        ("tail", &tail),
    ];
    let parted = chain
        .look()
        .table(&name)
        .filter(|own| own.partitioning.is_some());
    if parted.is_none() || chain.beside.partitions.contains_key(&name) {
        return text(fill(
            "CREATE {unique}INDEX CONCURRENTLY {name} ON {table} {method}({keys}){tail};",
            &parts,
        ));
    }
    let mut lines = vec![fill(
        "CREATE {unique}INDEX {name} ON ONLY {table} {method}({keys}){tail};",
        &parts,
    )];
    for part in chain.look().below(&name) {
        let own_part = quote_ident(&made(&part, &plain.join("_"), "idx"));
        let part = table_name(&part);
        let mut parts = parts.to_vec();
        parts.push(("own", &own_part));
        parts.push(("part", &part));
        lines.push(fill(
            "CREATE {unique}INDEX CONCURRENTLY {own} ON {part} {method}({keys}){tail};\nALTER INDEX {name} ATTACH PARTITION {own};",
            &parts,
        ));
    }
    text(join(lines, "\n"))
}

/// After a failure the invalid index is dropped, and only then built again.
pub(super) fn build_again(chain: &Chain, index: &IndexForm) -> String {
    let name = index.name.as_ref().map_or(fixed("the_index"), written);
    text(fill(
        "DROP INDEX CONCURRENTLY IF EXISTS {name};\n{build}",
        &[
            ("name", &name),
            ("build", &authored(&create_index(chain, index))),
        ],
    ))
}

fn attach(chain: &Chain, parent: &QualifiedName, partition: &Named, bound: &str) -> String {
    let (part, _) = chain.look().relation(partition);
    let column = chain
        .look()
        .table(parent)
        .and_then(|own| own.partitioning.as_ref())
        .map(|by| by.column.clone());
    let Some(condition) = column.and_then(|column| condition(&column, bound)) else {
        return WINDOW.to_owned();
    };
    let check = made(&part, "bound", "check");
    let body = fill("CHECK ({condition})", &[("condition", &condition)]);
    let steps = join(
        [
            missing_indexes(chain, parent, &part),
            beside_default(chain, parent, bound),
            vec![two_steps(&part, &check, &body)],
        ]
        .concat(),
        "\n",
    );
    text(fill(
        "{steps}\n-- the check proves it, so no row is read:\nALTER TABLE {parent} ATTACH PARTITION {part} {bound};\nALTER TABLE {part} DROP CONSTRAINT {check};",
        &[
            ("steps", &steps),
            ("parent", &table_name(parent)),
            ("part", &table_name(&part)),
            ("bound", &authored(bound)),
            ("check", &quote_ident(&check)),
        ],
    ))
}

/// Indexes that the parent has and the partition lacks would be built while it is attached.
fn missing_indexes(chain: &Chain, parent: &QualifiedName, part: &QualifiedName) -> Vec<SqlText> {
    let look = chain.look();
    let (Some(above), Some(own)) = (look.table(parent), look.table(part)) else {
        return Vec::new();
    };
    let mut steps = Vec::new();
    if let (Some((_, key)), None) = (&above.primary_key, &own.primary_key) {
        steps.push(unique(part, &key.columns, true, None));
    }
    for key in above.uniques.values() {
        if !own
            .uniques
            .values()
            .any(|other| other.columns == key.columns)
        {
            steps.push(unique(part, &key.columns, false, None));
        }
    }
    let missing = above.indexes.values().filter(|index| {
        !own.indexes
            .values()
            .any(|other| other.keys == index.keys && other.predicate == index.predicate)
    });
    for index in missing {
        let keys = index.keys.iter().map(|key| key.expression.clone());
        let filter = index.predicate.as_ref().map_or(fixed(""), |predicate| {
            fill(" WHERE {predicate}", &[("predicate", predicate)])
        });
        steps.push(fill(
            "CREATE {unique}INDEX CONCURRENTLY ON {part} USING {method} ({keys}){filter};",
            &[
                ("unique", &fixed(if index.unique { "UNIQUE " } else { "" })),
                ("part", &table_name(part)),
                ("method", &quote_ident(&index.method)),
                ("keys", &join(keys, ", ")),
                ("filter", &filter),
            ],
        ));
    }
    steps
}

/// A check that no row of the DEFAULT partition belongs into the new one.
fn beside_default(chain: &Chain, parent: &QualifiedName, bound: &str) -> Vec<SqlText> {
    let by = chain
        .catalog
        .tables
        .get(parent)
        .and_then(|own| own.partitioning.as_ref());
    let Some(by) = by else { return Vec::new() };
    let default = by
        .partitions
        .iter()
        .find(|part| part.bound == crate::catalog::PartitionBound::Default);
    let Some((default, (own, low, high))) = default.zip(range(&by.column, bound)) else {
        return Vec::new();
    };
    let default = QualifiedName::new(parent.schema.clone(), default.name.clone());
    let check = made(&default, "outside", "check");
    let body = fill(
        "CHECK ({own} < {low} OR {own} >= {high})",
        &[("own", &own), ("low", &low), ("high", &high)],
    );
    vec![two_steps(&default, &check, &body)]
}

/// What a bound asks of a row.
fn condition(column: &Ident, bound: &str) -> Option<SqlText> {
    let (own, low, high) = range(column, bound)?;
    Some(fill(
        "{own} IS NOT NULL AND {own} >= {low} AND {own} < {high}",
        &[("own", &own), ("low", &low), ("high", &high)],
    ))
}

/// The column and both ends of a range over one column.
fn range(column: &Ident, bound: &str) -> Option<(SqlText, SqlText, SqlText)> {
    let lower = bound.to_ascii_lowercase();
    let from = lower.find(" from")?;
    let to = lower[from..].find(" to").map(|at| at + from)?;
    let value = |text: &str| {
        let text = text.trim().trim_start_matches('(').trim_end_matches(')');
        authored(text.trim())
    };
    let (low, high) = (value(&bound[from + 5..to]), value(&bound[to + 3..]));
    let is_open = |end: &SqlText| {
        ["minvalue", "maxvalue"].contains(&end.as_str().to_ascii_lowercase().as_str())
    };
    if low.as_str().contains(',') || is_open(&low) || is_open(&high) {
        return None;
    }
    Some((quote_ident(column), low, high))
}

fn partition_of(chain: &Chain, table: &NewTable) -> String {
    let (Some(own), Some((parent, bound))) = (&table.table, &table.partition_of) else {
        return WINDOW.to_owned();
    };
    let (name, _) = chain.look().relation(parent);
    let mut steps = beside_default(chain, &name, bound);
    steps.push(fill(
        "CREATE TABLE {own} (LIKE {parent} INCLUDING ALL);\nALTER TABLE {parent} ATTACH PARTITION {own} {bound};",
        &[
            ("own", &written(own)),
            ("parent", &written(parent)),
            ("bound", &authored(bound)),
        ],
    ));
    text(join(steps, "\n"))
}

fn domain(name: &Named, action: &DomainAction) -> String {
    let (constraint, body) = match action {
        DomainAction::Add(ConstraintForm {
            name: own,
            kind: ConstraintKind::Check(expression),
            ..
        }) => (own.clone(), authored(expression)),
        DomainAction::SetNotNull => (None, fixed("VALUE IS NOT NULL")),
        _ => return WINDOW.to_owned(),
    };
    let constraint =
        constraint.unwrap_or_else(|| Ident::new([name.name.as_str(), "_rule"].concat()));
    text(fill(
        "ALTER DOMAIN {domain} ADD CONSTRAINT {name} CHECK ({body}) NOT VALID;\n-- values that are there are checked in the tables themselves; VALIDATE would keep their writers out before PostgreSQL 18",
        &[
            ("domain", &written(name)),
            ("name", &quote_ident(&constraint)),
            ("body", &body),
        ],
    ))
}

/// A change of all rows, some at a time.
pub(super) fn batches(form: &Ddl, chain: &Chain) -> String {
    let (Ddl::Update { table, .. } | Ddl::Delete { table, .. }) = form else {
        return WINDOW.to_owned();
    };
    let (name, _) = chain.look().relation(table);
    let key = chain
        .look()
        .table(&name)
        .and_then(|own| own.primary_key.as_ref())
        .map_or("its key".to_owned(), |(_, key)| {
            let columns: Vec<&str> = key.columns.iter().map(Ident::as_str).collect();
            columns.join(", ")
        });
    format!(
        "some thousand rows of `{}` at a time, by {key}, each batch in a transaction of its own and outside of the migration's",
        shown(&name)
    )
}

/// A name that others use is not taken from them.
pub(super) fn rename(form: &Ddl) -> String {
    match form {
        Ddl::AlterTable { actions, .. } => match actions.first() {
            Some(TableAction::Rename(Rename::Column(..))) => "add the new column, write both, fill it in batches, and drop the old one in a later migration".to_owned(),
            Some(TableAction::Rename(_)) => "leave a view of the old name until no program uses it".to_owned(),
            _ => WINDOW.to_owned(),
        },
        Ddl::AlterType { .. } => "add the new one, let programs take both, and leave the old one".to_owned(),
        _ => "release programs that no longer use it before".to_owned(),
    }
}
