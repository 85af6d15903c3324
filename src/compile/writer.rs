//! The statement that makes each object of a catalog.

use std::collections::BTreeSet;

use serde::Serialize;

use super::ddl::Statement;
use super::lines::{bound, index_key, parameters, partition_by, statistics, table_lines};
use crate::catalog::{
    Catalog, ColumnDefault, ForeignKey, Index, ObjectPath, Partition, Policy, PolicyCommand,
    Privilege, Table, Trigger, TriggerTiming, View,
};
use crate::error::Error;
use crate::sql::{
    Ident, QualifiedName, SqlText, fill, fixed, idents, join, literal, quote_ident, quote_qualified,
};
use crate::template::Environment;

/// Writes statements, one object after the other.
pub struct Writer<'a> {
    environment: &'a Environment,
    statements: Vec<Statement>,
}

/// How an index is built.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Build {
    /// `CONCURRENTLY`: writers go on.
    pub concurrently: bool,
    /// `ONLY`: on the partitioned table alone, to which the partitions' own are attached.
    pub only: bool,
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
    build: Build,
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
    /// Nothing written yet.
    pub fn new(environment: &'a Environment) -> Writer<'a> {
        Writer {
            environment,
            statements: Vec::new(),
        }
    }

    /// What was written since the last time.
    pub fn take(&mut self) -> Vec<Statement> {
        std::mem::take(&mut self.statements)
    }

    pub(super) fn push(&mut self, sql: SqlText, object: ObjectPath) {
        self.statements.push(Statement { sql, object });
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

    pub(super) fn comment(
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

    /// `CREATE TABLE` with its partitions, comments and indexes; of its foreign keys only those that are `ready`.
    pub fn table(
        &mut self,
        name: &QualifiedName,
        table: &Table,
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
        for partition in table.partitioning.iter().flat_map(|by| &by.partitions) {
            self.partition(name, table, partition)?;
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
            self.index(name, index, made, Build::default())?;
        }
        for (own, made) in &table.statistics {
            let object = ObjectPath::Statistics(name.clone(), own.clone());
            self.push(statistics(own, name, made), object);
        }
        Ok(())
    }

    /// `CREATE TABLE … PARTITION OF`.
    pub fn partition(
        &mut self,
        name: &QualifiedName,
        table: &Table,
        partition: &Partition,
    ) -> Result<(), Error> {
        let context = PartitionContext {
            name: QualifiedName::new(name.schema.clone(), partition.name.clone()),
            parent: name,
            bound: bound(&partition.bound),
            with: (!table.with.is_empty()).then(|| parameters(&table.with)),
        };
        self.render(
            "sql/create_partition.sql.j2",
            &context,
            ObjectPath::Table(name.clone()),
        )
    }

    /// `CREATE INDEX`.
    pub fn index(
        &mut self,
        table: &QualifiedName,
        name: &Ident,
        index: &Index,
        build: Build,
    ) -> Result<(), Error> {
        let context = IndexContext {
            name,
            table,
            build,
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

    pub(super) fn triggers(&mut self, table: &QualifiedName, made: &Table) -> Result<(), Error> {
        for (name, trigger) in &made.triggers {
            self.trigger(table, name, trigger)?;
        }
        Ok(())
    }

    /// `CREATE TRIGGER`.
    pub fn trigger(
        &mut self,
        table: &QualifiedName,
        name: &Ident,
        trigger: &Trigger,
    ) -> Result<(), Error> {
        {
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
            )
        }
    }

    /// Row-level security, and the policies.
    pub fn security(&mut self, name: &QualifiedName, table: &Table) -> Result<(), Error> {
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
            self.policy(name, policy, made)?;
        }
        Ok(())
    }

    /// `CREATE POLICY`.
    pub fn policy(
        &mut self,
        name: &QualifiedName,
        policy: &Ident,
        made: &Policy,
    ) -> Result<(), Error> {
        {
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
            )
        }
    }

    /// `CREATE VIEW`, with its key and comment.
    pub fn view(&mut self, name: &QualifiedName, view: &View) -> Result<(), Error> {
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
            let index = super::derived(&[name.name.as_str(), "key"]);
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

    pub(super) fn grants(&mut self, catalog: &Catalog) {
        let tables = catalog.tables.iter();
        let views = catalog.views.iter();
        let all: Vec<_> = tables
            .map(|(name, table)| (name, &table.grants))
            .chain(views.map(|(name, view)| (name, &view.grants)))
            .collect();
        for role in catalog.roles.keys() {
            if all.iter().any(|(_, grants)| grants.contains_key(role)) {
                for schema in &catalog.schemas {
                    self.usage(schema, role);
                }
            }
        }
        for (name, grants) in all {
            for (role, privileges) in grants {
                self.grant(name, role, privileges);
            }
        }
    }

    /// `GRANT USAGE ON SCHEMA`.
    pub fn usage(&mut self, schema: &Ident, role: &Ident) {
        let parts = [
            ("schema", &quote_ident(schema)),
            ("role", &quote_ident(role)),
        ];
        let sql = fill("GRANT USAGE ON SCHEMA {schema} TO {role}", &parts);
        self.push(sql, ObjectPath::Role(role.clone()));
    }

    /// `GRANT` on a table or a view.
    pub fn grant(&mut self, name: &QualifiedName, role: &Ident, privileges: &BTreeSet<Privilege>) {
        let parts = [
            ("privileges", &privilege_list(privileges)),
            ("table", &quote_qualified(name)),
            ("role", &quote_ident(role)),
        ];
        let sql = fill("GRANT {privileges} ON {table} TO {role}", &parts);
        self.push(sql, ObjectPath::Grants(name.clone(), role.clone()));
    }
}

/// Privileges in PostgreSQL's order.
pub fn privilege_list(privileges: &BTreeSet<Privilege>) -> SqlText {
    let given = Privilege::ALL.iter().filter(|p| privileges.contains(p));
    join(given.map(|p| fixed(p.sql())), ", ")
}

/// Whether a function of the design has to be there before the tables are.
pub fn comes_before_tables(catalog: &Catalog, name: &QualifiedName) -> bool {
    let plain = catalog
        .functions
        .get(name)
        .is_some_and(|made| made.body.is_empty());
    plain && tables_use(catalog, &name.name)
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
