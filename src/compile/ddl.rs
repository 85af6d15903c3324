//! A catalog written down: statements in dependency order, laid out as a careful person would.

use serde::Serialize;

use super::order;
use crate::catalog::{
    Catalog, Column, ColumnDefault, ForeignKey, Index, ObjectPath, OnDelete, PartitionBound,
    PartitionMethod, Partitioning, PolicyCommand, Privilege, Table, TriggerTiming, UserType, View,
};
use crate::error::Error;
use crate::sql::{
    Ident, QualifiedName, SqlText, fill, fixed, idents, join, literal, number, pad, quote_ident,
    quote_qualified,
};
use crate::template::Environment;

/// One statement with what it makes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// Without the semicolon.
    pub sql: SqlText,
    /// The object it makes or completes.
    pub object: ObjectPath,
}

/// A schema as statements.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Script {
    /// In an order that applies.
    pub statements: Vec<Statement>,
}

impl Script {
    /// The whole, as a file for people and for `psql`.
    pub fn text(&self) -> String {
        let mut out = String::new();
        let mut last: Option<&ObjectPath> = None;
        for statement in &self.statements {
            let sql = statement.sql.as_str().trim_end();
            // Statements about one table stand together; a blank line sets groups apart.
            let brief = !sql.contains('\n') || sql.starts_with("COMMENT ON");
            let together =
                last.is_some_and(|last| group(last) == group(&statement.object)) && brief;
            if last.is_some() && !together {
                out.push('\n');
            }
            out.push_str(sql);
            out.push_str(";\n");
            last = Some(&statement.object);
        }
        out
    }
}

/// Statements with the same group stand without a blank line between them.
fn group(path: &ObjectPath) -> String {
    match path {
        ObjectPath::Schema(_) | ObjectPath::Extension(_) | ObjectPath::Role(_) => "0".to_owned(),
        ObjectPath::Table(name) | ObjectPath::Column(name, _) => {
            format!("table {}", name.name.as_str())
        }
        ObjectPath::Index(name, _) => format!("index {}", name.name.as_str()),
        ObjectPath::Grants(..) => "grants".to_owned(),
        ObjectPath::RowSecurity(name) | ObjectPath::ForceRowSecurity(name) => {
            format!("rls {}", name.name.as_str())
        }
        other => format!("{other:?}"),
    }
}

/// Writes a catalog down. The same catalog gives the same bytes.
pub fn ddl(catalog: &Catalog, environment: &Environment) -> Result<Script, Error> {
    let mut writer = Writer {
        catalog,
        environment,
        script: Script::default(),
    };
    writer.surroundings()?;
    writer.routines(true)?;
    let tables = order::tables(catalog);
    let mut later: Vec<(&QualifiedName, &Ident, &ForeignKey)> = Vec::new();
    for (position, name) in tables.iter().enumerate() {
        let Some(table) = catalog.tables.get(*name) else {
            continue;
        };
        let ready =
            |key: &ForeignKey| key.table == **name || tables[..position].contains(&&key.table);
        later.extend(
            table
                .foreign_keys
                .iter()
                .filter(|(_, key)| !ready(key))
                .map(|(key, made)| (*name, key, made)),
        );
        writer.table(name, table, &ready)?;
    }
    for (name, key, made) in later {
        let sql = fill(
            "ALTER TABLE {table}\n    ADD {constraint}",
            &[
                ("table", &quote_qualified(name)),
                ("constraint", &foreign_key(key, made)),
            ],
        );
        writer.push(sql, ObjectPath::ForeignKey(name.clone(), key.clone()));
    }
    writer.routines(false)?;
    for name in &tables {
        let Some(table) = catalog.tables.get(*name) else {
            continue;
        };
        writer.triggers(name, table)?;
    }
    for name in &tables {
        let Some(table) = catalog.tables.get(*name) else {
            continue;
        };
        writer.security(name, table)?;
    }
    for (name, view) in &catalog.views {
        writer.view(name, view)?;
    }
    writer.grants()?;
    Ok(writer.script)
}

struct Writer<'a> {
    catalog: &'a Catalog,
    environment: &'a Environment,
    script: Script,
}

#[derive(Serialize)]
struct TableContext<'a> {
    name: &'a QualifiedName,
    lines: Vec<SqlText>,
    partition_by: Option<SqlText>,
    with: Option<SqlText>,
}

#[derive(Serialize)]
struct PartitionContext<'a> {
    name: QualifiedName,
    parent: &'a QualifiedName,
    bound: SqlText,
    with: Option<SqlText>,
}

#[derive(Serialize)]
struct IndexContext<'a> {
    name: &'a Ident,
    table: &'a QualifiedName,
    unique: bool,
    method: Option<&'a Ident>,
    keys: Vec<SqlText>,
    include: &'a [Ident],
    with: Option<SqlText>,
    predicate: Option<&'a SqlText>,
}

#[derive(Serialize)]
struct TriggerContext<'a> {
    name: &'a Ident,
    table: &'a QualifiedName,
    constraint: bool,
    timing: SqlText,
    events: SqlText,
    each_row: bool,
    when: Option<&'a SqlText>,
    function: &'a QualifiedName,
}

#[derive(Serialize)]
struct PolicyContext<'a> {
    name: &'a Ident,
    table: &'a QualifiedName,
    command: SqlText,
    roles: &'a [Ident],
    using: Option<&'a SqlText>,
    check: Option<&'a SqlText>,
}

#[derive(Serialize)]
struct ViewContext<'a> {
    name: &'a QualifiedName,
    materialized: bool,
    security_invoker: bool,
    query: &'a SqlText,
}

impl<'a> Writer<'a> {
    fn push(&mut self, sql: SqlText, object: ObjectPath) {
        self.script.statements.push(Statement { sql, object });
    }

    fn render<T: Serialize>(
        &mut self,
        template: &str,
        context: &T,
        object: ObjectPath,
    ) -> Result<(), Error> {
        let sql = self.environment.sql(template, context)?;
        let sql = SqlText::made(sql.as_str().trim_end().to_owned());
        self.push(sql, object);
        Ok(())
    }

    fn comment(
        &mut self,
        kind: &'static str,
        name: SqlText,
        text: &Option<String>,
        object: ObjectPath,
    ) {
        if let Some(text) = text {
            let sql = fill(
                "COMMENT ON {kind} {name} IS {text}",
                &[
                    ("kind", &fixed(kind)),
                    ("name", &name),
                    ("text", &literal(text)),
                ],
            );
            self.push(sql, object);
        }
    }

    fn surroundings(&mut self) -> Result<(), Error> {
        for role in self.catalog.roles.iter() {
            let (name, role) = role;
            let login = fixed(if role.login { "LOGIN" } else { "NOLOGIN" });
            let bypass = fixed(if role.bypass_rls { " BYPASSRLS" } else { "" });
            let sql = fill(
                "CREATE ROLE {name} {login}{bypass}",
                &[
                    ("name", &quote_ident(name)),
                    ("login", &login),
                    ("bypass", &bypass),
                ],
            );
            self.push(sql, ObjectPath::Role(name.clone()));
        }
        for extension in &self.catalog.extensions {
            let sql = fill(
                "CREATE EXTENSION IF NOT EXISTS {name}",
                &[("name", &quote_ident(extension))],
            );
            self.push(sql, ObjectPath::Extension(extension.clone()));
        }
        for schema in &self.catalog.schemas {
            let object = ObjectPath::Schema(schema.clone());
            self.push(
                fill("CREATE SCHEMA {name}", &[("name", &quote_ident(schema))]),
                object.clone(),
            );
            // Expressions and routines of the design name its objects without the schema.
            self.push(
                fill(
                    "SET search_path = {name}, public",
                    &[("name", &quote_ident(schema))],
                ),
                object,
            );
        }
        for (name, (user_type, comment)) in &self.catalog.types {
            let quoted = quote_qualified(name);
            let object = ObjectPath::Type(name.clone());
            match user_type {
                UserType::Enum(labels) => {
                    let labels = join(labels.iter().map(|label| literal(label)), ", ");
                    let sql = fill(
                        "CREATE TYPE {name} AS ENUM ({labels})",
                        &[("name", &quoted), ("labels", &labels)],
                    );
                    self.push(sql, object.clone());
                    self.comment("TYPE", quoted, comment, object);
                }
                UserType::Domain { base, checks } => {
                    let checks = join(
                        checks.iter().map(|(check, made)| {
                            fill(
                                "\n    CONSTRAINT {name} CHECK ({expression})",
                                &[
                                    ("name", &quote_ident(check)),
                                    ("expression", &made.expression),
                                ],
                            )
                        }),
                        "",
                    );
                    let sql = fill(
                        "CREATE DOMAIN {name} AS {base}{checks}",
                        &[("name", &quoted), ("base", base), ("checks", &checks)],
                    );
                    self.push(sql, object.clone());
                    self.comment("DOMAIN", quoted, comment, object);
                }
            }
        }
        Ok(())
    }

    /// Functions of the design that tables lean on come before them, all others after.
    fn routines(&mut self, before_tables: bool) -> Result<(), Error> {
        for (name, function) in &self.catalog.functions {
            if (function.body.is_empty() && tables_use(self.catalog, &name.name)) == before_tables {
                self.push(
                    function.definition.clone(),
                    ObjectPath::Function(name.clone()),
                );
            }
        }
        Ok(())
    }

    fn table(
        &mut self,
        name: &'a QualifiedName,
        table: &'a Table,
        ready: &dyn Fn(&ForeignKey) -> bool,
    ) -> Result<(), Error> {
        let object = ObjectPath::Table(name.clone());
        let with = (!table.with.is_empty() && table.partitioning.is_none())
            .then(|| parameters(&table.with));
        let context = TableContext {
            name,
            lines: table_lines(table, ready),
            partition_by: table.partitioning.as_ref().map(partition_by),
            with: with.clone(),
        };
        self.render("sql/create_table.sql.j2", &context, object.clone())?;
        for partition in table
            .partitioning
            .iter()
            .flat_map(|partitioning| &partitioning.partitions)
        {
            let context = PartitionContext {
                name: QualifiedName::new(name.schema.clone(), partition.name.clone()),
                parent: name,
                bound: bound(&partition.bound),
                with: (!table.with.is_empty()).then(|| parameters(&table.with)),
            };
            self.render("sql/create_partition.sql.j2", &context, object.clone())?;
        }
        self.comment(
            "TABLE",
            quote_qualified(name),
            &table.comment,
            object.clone(),
        );
        for column in &table.columns {
            let quoted = fill(
                "{table}.{column}",
                &[
                    ("table", &quote_qualified(name)),
                    ("column", &quote_ident(&column.name)),
                ],
            );
            self.comment("COLUMN", quoted, &column.comment, object.clone());
        }
        for (index, made) in &table.indexes {
            self.index(name, index, made)?;
        }
        Ok(())
    }

    fn index(&mut self, table: &QualifiedName, name: &Ident, index: &Index) -> Result<(), Error> {
        let context = IndexContext {
            name,
            table,
            unique: index.unique,
            method: (index.method.as_str() != "btree").then_some(&index.method),
            keys: index.keys.iter().map(index_key).collect(),
            include: &index.include,
            with: (!index.with.is_empty()).then(|| parameters(&index.with)),
            predicate: index.predicate.as_ref(),
        };
        self.render(
            "sql/create_index.sql.j2",
            &context,
            ObjectPath::Index(table.clone(), name.clone()),
        )
    }

    fn triggers(&mut self, table: &QualifiedName, made: &Table) -> Result<(), Error> {
        for (name, trigger) in &made.triggers {
            let events = trigger.events.iter().map(|event| {
                let of = trigger.columns.iter();
                if event == "UPDATE" && !trigger.columns.is_empty() {
                    fill("UPDATE OF {columns}", &[("columns", &idents(of))])
                } else {
                    SqlText::made(event.clone())
                }
            });
            let context = TriggerContext {
                name,
                table,
                constraint: trigger.timing == TriggerTiming::Deferred,
                timing: fixed(match trigger.timing {
                    TriggerTiming::BeforeRow | TriggerTiming::BeforeStatement => "BEFORE",
                    TriggerTiming::AfterRow | TriggerTiming::Deferred => "AFTER",
                }),
                events: join(events, " OR "),
                each_row: trigger.timing != TriggerTiming::BeforeStatement,
                when: trigger.when.as_ref(),
                function: &trigger.function,
            };
            self.render(
                "sql/create_trigger.sql.j2",
                &context,
                ObjectPath::Trigger(table.clone(), name.clone()),
            )?;
        }
        Ok(())
    }

    fn security(&mut self, name: &QualifiedName, table: &Table) -> Result<(), Error> {
        let quoted = quote_qualified(name);
        if table.row_security {
            let sql = fill(
                "ALTER TABLE {table} ENABLE ROW LEVEL SECURITY",
                &[("table", &quoted)],
            );
            self.push(sql, ObjectPath::RowSecurity(name.clone()));
        }
        if table.force_row_security {
            let sql = fill(
                "ALTER TABLE {table} FORCE ROW LEVEL SECURITY",
                &[("table", &quoted)],
            );
            self.push(sql, ObjectPath::ForceRowSecurity(name.clone()));
        }
        for (policy, made) in &table.policies {
            let context = PolicyContext {
                name: policy,
                table: name,
                command: fixed(match made.command {
                    PolicyCommand::All => "ALL",
                    PolicyCommand::Select => "SELECT",
                    PolicyCommand::Insert => "INSERT",
                    PolicyCommand::Update => "UPDATE",
                    PolicyCommand::Delete => "DELETE",
                }),
                roles: &made.roles,
                using: made.using.as_ref(),
                check: made.check.as_ref(),
            };
            self.render(
                "sql/create_policy.sql.j2",
                &context,
                ObjectPath::Policy(name.clone(), policy.clone()),
            )?;
        }
        Ok(())
    }

    fn view(&mut self, name: &QualifiedName, view: &View) -> Result<(), Error> {
        let object = ObjectPath::View(name.clone());
        let context = ViewContext {
            name,
            materialized: view.materialized,
            security_invoker: view.security_invoker,
            query: &view.query,
        };
        self.render("sql/create_view.sql.j2", &context, object.clone())?;
        if !view.key.is_empty() {
            // REFRESH … CONCURRENTLY asks for a unique index.
            let index = super::names::derived(&[name.name.as_str(), "key"]);
            let sql = fill(
                "CREATE UNIQUE INDEX {index}\n    ON {view} ({key})",
                &[
                    ("index", &quote_ident(&index)),
                    ("view", &quote_qualified(name)),
                    ("key", &idents(&view.key)),
                ],
            );
            self.push(sql, object.clone());
        }
        let kind = if view.materialized {
            "MATERIALIZED VIEW"
        } else {
            "VIEW"
        };
        self.comment(kind, quote_qualified(name), &view.comment, object);
        Ok(())
    }

    fn grants(&mut self) -> Result<(), Error> {
        let tables = self
            .catalog
            .tables
            .iter()
            .map(|(name, table)| (name, &table.grants));
        let views = self
            .catalog
            .views
            .iter()
            .map(|(name, view)| (name, &view.grants));
        let all: Vec<_> = tables.chain(views).collect();
        for role in self.catalog.roles.keys() {
            if !all.iter().any(|(_, grants)| grants.contains_key(role)) {
                continue;
            }
            for schema in &self.catalog.schemas {
                let sql = fill(
                    "GRANT USAGE ON SCHEMA {schema} TO {role}",
                    &[
                        ("schema", &quote_ident(schema)),
                        ("role", &quote_ident(role)),
                    ],
                );
                self.push(sql, ObjectPath::Role(role.clone()));
            }
        }
        for (name, grants) in all {
            for (role, privileges) in grants {
                let given = join(
                    Privilege::ALL
                        .iter()
                        .filter(|p| privileges.contains(p))
                        .map(|p| fixed(p.sql())),
                    ", ",
                );
                let sql = fill(
                    "GRANT {privileges} ON {table} TO {role}",
                    &[
                        ("privileges", &given),
                        ("table", &quote_qualified(name)),
                        ("role", &quote_ident(role)),
                    ],
                );
                self.push(sql, ObjectPath::Grants(name.clone(), role.clone()));
            }
        }
        Ok(())
    }
}

/// Whether a default, a generated column, a check or an index calls a function of this name.
fn tables_use(catalog: &Catalog, function: &Ident) -> bool {
    let calls = |sql: &SqlText| {
        sql.as_str()
            .to_lowercase()
            .contains(&format!("{}(", function.as_str().to_lowercase()))
    };
    catalog.tables.values().any(|table| {
        table.columns.iter().any(|column| match &column.default {
            Some(ColumnDefault::Expression(sql) | ColumnDefault::Generated(sql)) => calls(sql),
            _ => false,
        }) || table.checks.values().any(|check| calls(&check.expression))
            || table.indexes.values().any(|index| {
                index.keys.iter().any(|key| calls(&key.expression))
                    || index.predicate.as_ref().is_some_and(calls)
            })
    })
}

fn parameters(with: &std::collections::BTreeMap<String, String>) -> SqlText {
    join(
        with.iter().map(|(key, value)| {
            let value = if value.parse::<f64>().is_ok() {
                SqlText::made(value.clone())
            } else {
                literal(value)
            };
            fill(
                "{key} = {value}",
                &[
                    ("key", &quote_ident(&Ident::new(key.as_str()))),
                    ("value", &value),
                ],
            )
        }),
        ", ",
    )
}

/// Columns that line up, then constraints: key, unique, checks, exclusions, references.
fn table_lines(table: &Table, ready: &dyn Fn(&ForeignKey) -> bool) -> Vec<SqlText> {
    let quoted: Vec<SqlText> = table
        .columns
        .iter()
        .map(|column| quote_ident(&column.name))
        .collect();
    let names = quoted
        .iter()
        .map(|name| name.as_str().chars().count())
        .max()
        .unwrap_or(0);
    let types = table
        .columns
        .iter()
        .map(|column| column.data_type.as_str().chars().count())
        .max()
        .unwrap_or(0);
    let columns = table.columns.iter().zip(&quoted).map(|(column, name)| {
        let rest = column_rest(column);
        let data_type = if rest.as_str().is_empty() {
            column.data_type.clone()
        } else {
            pad(&column.data_type, types)
        };
        let line = fill(
            "{name} {type} {rest}",
            &[
                ("name", &pad(name, names)),
                ("type", &data_type),
                ("rest", &rest),
            ],
        );
        SqlText::made(line.as_str().trim_end().to_owned())
    });
    let mut lines: Vec<SqlText> = columns.collect();
    if let Some((name, key)) = &table.primary_key {
        lines.push(fill(
            "CONSTRAINT {name} PRIMARY KEY ({columns})",
            &[
                ("name", &quote_ident(name)),
                ("columns", &idents(&key.columns)),
            ],
        ));
    }
    for (name, unique) in &table.uniques {
        let deferred = fixed(if unique.deferred {
            " DEFERRABLE INITIALLY DEFERRED"
        } else {
            ""
        });
        lines.push(fill(
            "CONSTRAINT {name} UNIQUE ({columns}){deferred}",
            &[
                ("name", &quote_ident(name)),
                ("columns", &idents(&unique.columns)),
                ("deferred", &deferred),
            ],
        ));
    }
    for (name, check) in &table.checks {
        lines.push(fill(
            "CONSTRAINT {name} CHECK ({expression})",
            &[
                ("name", &quote_ident(name)),
                ("expression", &check.expression),
            ],
        ));
    }
    for (name, exclusion) in &table.exclusions {
        let elements = exclusion.elements.iter().map(|(expression, operator)| {
            fill(
                "{expression} WITH {operator}",
                &[
                    ("expression", expression),
                    ("operator", &SqlText::made(operator.clone())),
                ],
            )
        });
        let predicate = exclusion
            .predicate
            .as_ref()
            .map(|p| fill(" WHERE ({p})", &[("p", p)]));
        lines.push(fill(
            "CONSTRAINT {name} EXCLUDE USING {method} ({elements}){predicate}",
            &[
                ("name", &quote_ident(name)),
                ("method", &quote_ident(&exclusion.method)),
                ("elements", &join(elements, ", ")),
                ("predicate", &predicate.unwrap_or_else(|| fixed(""))),
            ],
        ));
    }
    lines.extend(
        table
            .foreign_keys
            .iter()
            .filter(|(_, key)| ready(key))
            .map(|(name, key)| foreign_key(name, key)),
    );
    lines
}

fn column_rest(column: &Column) -> SqlText {
    let mut parts = Vec::new();
    if let Some(collation) = &column.collation {
        parts.push(fill("COLLATE {collation}", &[("collation", collation)]));
    }
    if !column.nullable {
        parts.push(fixed("NOT NULL"));
    }
    match &column.default {
        Some(ColumnDefault::Expression(expression)) => {
            parts.push(fill("DEFAULT {expression}", &[("expression", expression)]));
        }
        Some(ColumnDefault::IdentityAlways) => parts.push(fixed("GENERATED ALWAYS AS IDENTITY")),
        Some(ColumnDefault::IdentityByDefault) => {
            parts.push(fixed("GENERATED BY DEFAULT AS IDENTITY"))
        }
        Some(ColumnDefault::Generated(expression)) => {
            parts.push(fill(
                "GENERATED ALWAYS AS ({expression}) STORED",
                &[("expression", expression)],
            ));
        }
        None => {}
    }
    join(parts, " ")
}

fn foreign_key(name: &Ident, key: &ForeignKey) -> SqlText {
    let mut parts = vec![fill(
        "CONSTRAINT {name} FOREIGN KEY ({columns})\n    REFERENCES {table} ({key})",
        &[
            ("name", &quote_ident(name)),
            ("columns", &idents(&key.columns)),
            ("table", &quote_qualified(&key.table)),
            ("key", &idents(&key.key)),
        ],
    )];
    parts.push(fill(
        "ON DELETE {action}",
        &[("action", &fixed(key.on_delete.sql()))],
    ));
    if key.on_update != OnDelete::NoAction {
        parts.push(fill(
            "ON UPDATE {action}",
            &[("action", &fixed(key.on_update.sql()))],
        ));
    }
    if key.deferred {
        parts.push(fixed("DEFERRABLE INITIALLY DEFERRED"));
    }
    join(parts, " ")
}

fn partition_by(partitioning: &Partitioning) -> SqlText {
    let method = fixed(match partitioning.method {
        PartitionMethod::Range => "RANGE",
        PartitionMethod::List => "LIST",
        PartitionMethod::Hash => "HASH",
    });
    fill(
        "{method} ({column})",
        &[
            ("method", &method),
            ("column", &quote_ident(&partitioning.column)),
        ],
    )
}

fn bound(bound: &PartitionBound) -> SqlText {
    match bound {
        PartitionBound::Range(from, to) => fill(
            "FOR VALUES FROM ({from}) TO ({to})",
            &[("from", from), ("to", to)],
        ),
        PartitionBound::List(values) => fill(
            "FOR VALUES IN ({values})",
            &[("values", &join(values.iter().cloned(), ", "))],
        ),
        PartitionBound::Hash(modulus, remainder) => fill(
            "FOR VALUES WITH (MODULUS {modulus}, REMAINDER {remainder})",
            &[
                ("modulus", &number(*modulus)),
                ("remainder", &number(*remainder)),
            ],
        ),
        PartitionBound::Default => fixed("DEFAULT"),
    }
}

fn index_key(key: &crate::catalog::IndexKey) -> SqlText {
    let mut parts = vec![key.expression.clone()];
    if let Some(collation) = &key.collation {
        parts.push(fill("COLLATE {collation}", &[("collation", collation)]));
    }
    parts.extend(key.opclass.clone());
    if key.descending {
        parts.push(fixed("DESC"));
    }
    if key.nulls_first != key.descending {
        parts.push(fixed(if key.nulls_first {
            "NULLS FIRST"
        } else {
            "NULLS LAST"
        }));
    }
    join(parts, " ")
}
