//! What sets two tables apart.

use std::collections::{BTreeMap, BTreeSet};

use super::constraint::{Exclusion, ForeignKey, Unique};
use super::difference::{Differences, debug, list, text};
use super::index::{Index, IndexKey};
use super::routine::{Policy, Trigger};
use super::schema::{ObjectPath, Privilege};
use super::statistics::Statistics;
use super::table::{Column, ColumnDefault, Partitioning, Table};
use crate::sql::{Ident, QualifiedName, SqlText};

pub(super) fn table_differences(
    out: &mut Differences,
    path: &ObjectPath,
    expected: &Table,
    found: &Table,
) {
    let ObjectPath::Table(name) = path else {
        return;
    };
    out.property(path, "comment", (&expected.comment, &found.comment), text);
    out.property(
        path,
        "storage parameters",
        (&expected.with, &found.with),
        debug,
    );
    columns(out, path, name, expected, found);
    let security = (&expected.row_security, &found.row_security);
    out.property(
        &ObjectPath::RowSecurity(name.clone()),
        "enabled",
        security,
        bool::to_string,
    );
    let forced = (&expected.force_row_security, &found.force_row_security);
    out.property(
        &ObjectPath::ForceRowSecurity(name.clone()),
        "forced",
        forced,
        bool::to_string,
    );
    partitioning(out, path, &expected.partitioning, &found.partitioning);
    constraints(out, name, expected, found);
    let at = |make: fn(QualifiedName, Ident) -> ObjectPath| {
        let name = name.clone();
        move |object: &Ident| make(name.clone(), object.clone())
    };
    out.named(
        (&expected.indexes, &found.indexes),
        at(ObjectPath::Index),
        index,
    );
    out.named(
        (&expected.statistics, &found.statistics),
        at(ObjectPath::Statistics),
        statistics,
    );
    out.named(
        (&expected.triggers, &found.triggers),
        at(ObjectPath::Trigger),
        trigger,
    );
    out.named(
        (&expected.policies, &found.policies),
        at(ObjectPath::Policy),
        policy,
    );
    out.named(
        (&expected.grants, &found.grants),
        at(ObjectPath::Grants),
        |out, path, expected, found| {
            out.property(path, "list", (expected, found), privileges);
        },
    );
}

fn statistics(out: &mut Differences, path: &ObjectPath, expected: &Statistics, found: &Statistics) {
    let kinds = |made: &Statistics| {
        let words: Vec<&str> = made.kinds.iter().map(|kind| kind.sql()).collect();
        words.join(", ")
    };
    let on = |made: &Statistics| {
        let columns = made.columns.iter().map(Ident::as_str);
        let all: Vec<&str> = columns
            .chain(made.expressions.iter().map(SqlText::as_str))
            .collect();
        all.join(", ")
    };
    out.property(
        path,
        "list of kinds",
        (&kinds(expected), &kinds(found)),
        String::clone,
    );
    out.property(
        path,
        "list of columns",
        (&on(expected), &on(found)),
        String::clone,
    );
}

fn privileges(privileges: &BTreeSet<Privilege>) -> String {
    let words: Vec<&str> = privileges.iter().map(|privilege| privilege.sql()).collect();
    words.join(", ")
}

fn columns(
    out: &mut Differences,
    path: &ObjectPath,
    table: &QualifiedName,
    expected: &Table,
    found: &Table,
) {
    let names =
        |table: &Table| -> Vec<Ident> { table.columns.iter().map(|c| c.name.clone()).collect() };
    let (wanted, there) = (names(expected), names(found));
    let by_name = |table: &Table| -> BTreeMap<Ident, Column> {
        table
            .columns
            .iter()
            .map(|c| (c.name.clone(), c.clone()))
            .collect()
    };
    let same_set = wanted.iter().collect::<BTreeSet<_>>() == there.iter().collect::<BTreeSet<_>>();
    if same_set {
        out.property(
            path,
            "order of columns",
            (wanted.as_slice(), there.as_slice()),
            list,
        );
    }
    let object = |column: &Ident| ObjectPath::Column(table.clone(), column.clone());
    out.named(
        (&by_name(expected), &by_name(found)),
        object,
        |out, path, expected, found| {
            out.property(
                path,
                "type",
                (&expected.data_type, &found.data_type),
                |kind| kind.to_string(),
            );
            let nulls = (&expected.nullable, &found.nullable);
            out.property(path, "nullability", nulls, |nullable| {
                if *nullable { "NULL" } else { "NOT NULL" }.to_owned()
            });
            out.property(
                path,
                "default",
                (&expected.default, &found.default),
                default,
            );
            out.property(
                path,
                "collation",
                (&expected.collation, &found.collation),
                text,
            );
            out.property(path, "comment", (&expected.comment, &found.comment), text);
        },
    );
}

fn default(default: &Option<ColumnDefault>) -> String {
    match default {
        None => "none".to_owned(),
        Some(ColumnDefault::Expression(expression)) => format!("`{expression}`"),
        Some(ColumnDefault::Generated(expression)) => format!("generated as `{expression}`"),
        Some(ColumnDefault::IdentityAlways) => "identity always".to_owned(),
        Some(ColumnDefault::IdentityByDefault) => "identity by default".to_owned(),
    }
}

fn partitioning(
    out: &mut Differences,
    path: &ObjectPath,
    expected: &Option<Partitioning>,
    found: &Option<Partitioning>,
) {
    match (expected, found) {
        (None, None) => {}
        (Some(_), None) => out.say(path, "is not partitioned"),
        (None, Some(_)) => out.say(path, "is partitioned"),
        (Some(expected), Some(found)) => {
            out.property(
                path,
                "partition method",
                (&expected.method, &found.method),
                debug,
            );
            out.property(
                path,
                "partition column",
                (&expected.column, &found.column),
                |c| c.as_str().to_owned(),
            );
            let by_name = |partitioning: &Partitioning| -> BTreeMap<Ident, _> {
                let partitions = partitioning.partitions.iter();
                partitions
                    .map(|p| (p.name.clone(), p.bound.clone()))
                    .collect()
            };
            let ObjectPath::Table(table) = path else {
                return;
            };
            let at = |name: &Ident| {
                ObjectPath::Table(QualifiedName::new(table.schema.clone(), name.clone()))
            };
            out.named(
                (&by_name(expected), &by_name(found)),
                at,
                |out, path, expected, found| {
                    out.property(path, "bound", (expected, found), debug);
                },
            );
        }
    }
}

fn constraints(out: &mut Differences, table: &QualifiedName, expected: &Table, found: &Table) {
    let keys =
        |table: &Table| -> BTreeMap<Ident, Unique> { table.primary_key.iter().cloned().collect() };
    let at = |make: fn(QualifiedName, Ident) -> ObjectPath| {
        move |name: &Ident| make(table.clone(), name.clone())
    };
    let primary = |_: &Ident| ObjectPath::PrimaryKey(table.clone());
    let (key, other) = (keys(expected), keys(found));
    out.property(
        &ObjectPath::PrimaryKey(table.clone()),
        "name",
        (
            &key.keys().collect::<Vec<_>>(),
            &other.keys().collect::<Vec<_>>(),
        ),
        |names| {
            names
                .first()
                .map_or("none".to_owned(), |name| name.as_str().to_owned())
        },
    );
    if key.keys().eq(other.keys()) {
        out.named((&key, &other), primary, unique);
    }
    out.named(
        (&expected.uniques, &found.uniques),
        at(ObjectPath::Unique),
        unique,
    );
    out.named(
        (&expected.checks, &found.checks),
        at(ObjectPath::Check),
        |out, path, expected, found| {
            let expressions = (&expected.expression, &found.expression);
            out.property(path, "expression", expressions, |e| format!("`{e}`"));
        },
    );
    out.named(
        (&expected.foreign_keys, &found.foreign_keys),
        at(ObjectPath::ForeignKey),
        foreign_key,
    );
    out.named(
        (&expected.exclusions, &found.exclusions),
        at(ObjectPath::Exclusion),
        exclusion,
    );
}

fn unique(out: &mut Differences, path: &ObjectPath, expected: &Unique, found: &Unique) {
    out.property(
        path,
        "list of columns",
        (expected.columns.as_slice(), found.columns.as_slice()),
        list,
    );
    out.property(
        path,
        "deferral",
        (&expected.deferred, &found.deferred),
        bool::to_string,
    );
}

fn foreign_key(
    out: &mut Differences,
    path: &ObjectPath,
    expected: &ForeignKey,
    found: &ForeignKey,
) {
    out.property(
        path,
        "list of columns",
        (expected.columns.as_slice(), found.columns.as_slice()),
        list,
    );
    out.property(path, "table", (&expected.table, &found.table), |table| {
        table.name.as_str().to_owned()
    });
    out.property(
        path,
        "key",
        (expected.key.as_slice(), found.key.as_slice()),
        list,
    );
    out.property(
        path,
        "ON DELETE",
        (&expected.on_delete, &found.on_delete),
        |action| action.sql().to_owned(),
    );
    out.property(
        path,
        "ON UPDATE",
        (&expected.on_update, &found.on_update),
        |action| action.sql().to_owned(),
    );
    out.property(
        path,
        "deferral",
        (&expected.deferred, &found.deferred),
        bool::to_string,
    );
}

fn exclusion(out: &mut Differences, path: &ObjectPath, expected: &Exclusion, found: &Exclusion) {
    out.property(
        path,
        "method",
        (&expected.method, &found.method),
        |method| method.as_str().to_owned(),
    );
    out.property(
        path,
        "list of elements",
        (&expected.elements, &found.elements),
        |elements| {
            let elements: Vec<String> = elements
                .iter()
                .map(|(e, op)| format!("{e} WITH {op}"))
                .collect();
            elements.join(", ")
        },
    );
    out.property(
        path,
        "predicate",
        (&expected.predicate, &found.predicate),
        text,
    );
    out.property(
        path,
        "deferral",
        (&expected.deferred, &found.deferred),
        bool::to_string,
    );
}

fn index(out: &mut Differences, path: &ObjectPath, expected: &Index, found: &Index) {
    out.property(
        path,
        "method",
        (&expected.method, &found.method),
        |method| method.as_str().to_owned(),
    );
    out.property(
        path,
        "uniqueness",
        (&expected.unique, &found.unique),
        bool::to_string,
    );
    out.property(
        path,
        "list of keys",
        (&expected.keys, &found.keys),
        |keys| {
            let keys: Vec<String> = keys.iter().map(key).collect();
            keys.join(", ")
        },
    );
    out.property(
        path,
        "list of included columns",
        (expected.include.as_slice(), found.include.as_slice()),
        list,
    );
    out.property(
        path,
        "predicate",
        (&expected.predicate, &found.predicate),
        text,
    );
    out.property(
        path,
        "storage parameters",
        (&expected.with, &found.with),
        debug,
    );
}

fn key(key: &IndexKey) -> String {
    let mut text = key.expression.to_string();
    if let Some(collation) = &key.collation {
        text += &format!(" COLLATE {collation}");
    }
    if let Some(opclass) = &key.opclass {
        text += &format!(" {opclass}");
    }
    text += if key.descending { " DESC" } else { " ASC" };
    text + if key.nulls_first {
        " NULLS FIRST"
    } else {
        " NULLS LAST"
    }
}

fn trigger(out: &mut Differences, path: &ObjectPath, expected: &Trigger, found: &Trigger) {
    out.property(path, "timing", (&expected.timing, &found.timing), debug);
    let events = |trigger: &Trigger| -> BTreeSet<String> {
        trigger
            .events
            .iter()
            .map(|event| event.to_uppercase())
            .collect()
    };
    out.property(path, "events", (&events(expected), &events(found)), debug);
    out.property(
        path,
        "list of columns",
        (expected.columns.as_slice(), found.columns.as_slice()),
        list,
    );
    out.property(path, "condition", (&expected.when, &found.when), text);
    let functions = (&expected.function, &found.function);
    out.property(path, "function", functions, |function| {
        function.name.as_str().to_owned()
    });
}

fn policy(out: &mut Differences, path: &ObjectPath, expected: &Policy, found: &Policy) {
    out.property(path, "command", (&expected.command, &found.command), debug);
    let roles = |policy: &Policy| -> BTreeSet<Ident> { policy.roles.iter().cloned().collect() };
    out.property(
        path,
        "list of roles",
        (&roles(expected), &roles(found)),
        debug,
    );
    out.property(path, "USING", (&expected.using, &found.using), text);
    out.property(path, "WITH CHECK", (&expected.check, &found.check), text);
}
