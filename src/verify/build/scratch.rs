//! A throw-away schema that holds every expression and type of a catalog, so that the server spells them its own way.

use crate::catalog::{
    Catalog, Column, ColumnDefault, Exclusion, Index, PartitionBound, PartitionMethod, Policy,
    PolicyCommand, Table, Trigger, TriggerTiming, UserType,
};
use crate::sql::{
    Ident, QualifiedName, SqlText, fill, fixed, join, number, quote_ident, quote_qualified,
};

/// The schema's name.
pub(super) fn schema() -> Ident {
    Ident::from("pgproof_scratch")
}

/// The same name in the scratch schema: conditions of policies and triggers name their table.
pub(super) fn moved(name: &QualifiedName) -> QualifiedName {
    QualifiedName::new(schema(), name.name.clone())
}

/// Statements that build it. Written from the catalog, not by the compiler, so that what the compiler forgets is missed.
pub(super) fn statements(catalog: &Catalog) -> Vec<SqlText> {
    let name = quote_ident(&schema());
    let mut out = vec![fill("CREATE SCHEMA {name}", &[("name", &name)])];
    for (name, (kind, _)) in &catalog.types {
        if let UserType::Domain { base, checks } = kind {
            let checks = checks.iter().map(|(check, made)| {
                let parts = [
                    ("name", &quote_ident(check)),
                    ("expression", &made.expression),
                ];
                fill(" CONSTRAINT {name} CHECK ({expression}\n)", &parts)
            });
            let parts = [
                ("name", &target(name)),
                ("base", base),
                ("checks", &join(checks, "")),
            ];
            out.push(fill("CREATE DOMAIN {name} AS {base}{checks}", &parts));
        }
    }
    for (name, table) in &catalog.tables {
        table_statements(&mut out, name, table);
    }
    for (name, view) in &catalog.views {
        let parts = [("name", &target(name)), ("query", &view.query)];
        // What a materialised view holds does not matter here, so it is not filled.
        out.push(fill("CREATE VIEW {name} AS {query}", &parts));
    }
    out
}

fn target(name: &QualifiedName) -> SqlText {
    quote_qualified(&moved(name))
}

fn table_statements(out: &mut Vec<SqlText>, name: &QualifiedName, table: &Table) {
    let target = target(name);
    let mut lines: Vec<SqlText> = table.columns.iter().map(column).collect();
    for (check, made) in &table.checks {
        let parts = [
            ("name", &quote_ident(check)),
            ("expression", &made.expression),
        ];
        lines.push(fill("CONSTRAINT {name} CHECK ({expression}\n)", &parts));
    }
    for (exclusion, made) in &table.exclusions {
        lines.push(excluded(exclusion, made));
    }
    let partition_by = match &table.partitioning {
        Some(partitioning) => {
            let method = fixed(match partitioning.method {
                PartitionMethod::Range => "RANGE",
                PartitionMethod::List => "LIST",
                PartitionMethod::Hash => "HASH",
            });
            let parts = [
                ("method", &method),
                ("column", &quote_ident(&partitioning.column)),
            ];
            fill(" PARTITION BY {method} ({column})", &parts)
        }
        None => fixed(""),
    };
    let parts = [
        ("table", &target),
        ("lines", &join(lines, ",\n")),
        ("by", &partition_by),
    ];
    out.push(fill("CREATE TABLE {table} ({lines}){by}", &parts));
    for partition in table
        .partitioning
        .iter()
        .flat_map(|partitioning| &partitioning.partitions)
    {
        let name = quote_qualified(&QualifiedName::new(schema(), partition.name.clone()));
        let parts = [
            ("name", &name),
            ("table", &target),
            ("bound", &bound(&partition.bound)),
        ];
        out.push(fill(
            "CREATE TABLE {name} PARTITION OF {table} {bound}",
            &parts,
        ));
    }
    out.extend(
        table
            .indexes
            .iter()
            .map(|(name, made)| index(&target, name, made)),
    );
    out.extend(
        table
            .policies
            .iter()
            .map(|(name, made)| policy(&target, name, made)),
    );
    let conditional = table
        .triggers
        .iter()
        .filter(|(_, made)| made.when.is_some());
    out.extend(conditional.map(|(name, made)| trigger(&target, name, made)));
}

fn column(column: &Column) -> SqlText {
    let collation = match &column.collation {
        Some(collation) => fill(" COLLATE {collation}", &[("collation", collation)]),
        None => fixed(""),
    };
    let default = match &column.default {
        Some(ColumnDefault::Expression(text)) => fill(" DEFAULT {text}", &[("text", text)]),
        Some(ColumnDefault::Generated(text)) => {
            fill(" GENERATED ALWAYS AS ({text}\n) STORED", &[("text", text)])
        }
        _ => fixed(""),
    };
    let parts = [
        ("name", &quote_ident(&column.name)),
        ("type", &column.data_type),
        ("collation", &collation),
        ("default", &default),
    ];
    fill("{name} {type}{collation}{default}", &parts)
}

fn excluded(name: &Ident, exclusion: &Exclusion) -> SqlText {
    let elements = exclusion.elements.iter().map(|(element, operator)| {
        let operator = SqlText::authored(operator.clone());
        fill(
            "{element} WITH {operator}",
            &[("element", element), ("operator", &operator)],
        )
    });
    let parts = [
        ("name", &quote_ident(name)),
        ("method", &quote_ident(&exclusion.method)),
        ("elements", &join(elements, ", ")),
        ("predicate", &predicate(exclusion.predicate.as_ref())),
    ];
    fill(
        "CONSTRAINT {name} EXCLUDE USING {method} ({elements}){predicate}",
        &parts,
    )
}

fn predicate(predicate: Option<&SqlText>) -> SqlText {
    match predicate {
        Some(text) => fill(" WHERE ({text}\n)", &[("text", text)]),
        None => fixed(""),
    }
}

fn index(table: &SqlText, name: &Ident, index: &Index) -> SqlText {
    let keys = index.keys.iter().map(|key| {
        let mut parts = vec![key.expression.clone()];
        if let Some(collation) = &key.collation {
            parts.push(fill("COLLATE {collation}", &[("collation", collation)]));
        }
        parts.extend(key.opclass.clone());
        join(parts, " ")
    });
    let parts = [
        ("name", &quote_ident(name)),
        ("table", table),
        ("method", &quote_ident(&index.method)),
        ("keys", &join(keys, ", ")),
        ("predicate", &predicate(index.predicate.as_ref())),
    ];
    fill(
        "CREATE INDEX {name} ON {table} USING {method} ({keys}){predicate}",
        &parts,
    )
}

fn policy(table: &SqlText, name: &Ident, policy: &Policy) -> SqlText {
    let command = fixed(match policy.command {
        PolicyCommand::All => "ALL",
        PolicyCommand::Select => "SELECT",
        PolicyCommand::Insert => "INSERT",
        PolicyCommand::Update => "UPDATE",
        PolicyCommand::Delete => "DELETE",
    });
    let clause = |words: &'static str, text: Option<&SqlText>| match text {
        Some(text) => fill(
            "{words} ({text}\n)",
            &[("words", &fixed(words)), ("text", text)],
        ),
        None => fixed(""),
    };
    let parts = [
        ("name", &quote_ident(name)),
        ("table", table),
        ("command", &command),
        ("using", &clause(" USING", policy.using.as_ref())),
        ("check", &clause(" WITH CHECK", policy.check.as_ref())),
    ];
    fill(
        "CREATE POLICY {name} ON {table} FOR {command}{using}{check}",
        &parts,
    )
}

fn trigger(table: &SqlText, name: &Ident, trigger: &Trigger) -> SqlText {
    let (head, each) = match trigger.timing {
        TriggerTiming::BeforeRow => (" BEFORE ", "ROW"),
        TriggerTiming::AfterRow => (" AFTER ", "ROW"),
        TriggerTiming::BeforeStatement => (" BEFORE ", "STATEMENT"),
        TriggerTiming::Deferred => (" AFTER ", "ROW"),
    };
    let events = trigger
        .events
        .iter()
        .map(|event| SqlText::authored(event.clone()));
    let parts = [
        ("name", &quote_ident(name)),
        ("table", table),
        ("head", &fixed(head)),
        ("events", &join(events, " OR ")),
        ("each", &fixed(each)),
        (
            "when",
            &trigger.when.clone().unwrap_or_else(|| fixed("true")),
        ),
        ("function", &quote_qualified(&trigger.function)),
    ];
    fill(
        "CREATE TRIGGER {name}{head}{events} ON {table} FOR EACH {each} WHEN ({when}\n) EXECUTE FUNCTION {function}()",
        &parts,
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
