//! Columns: added, of another type.

use super::constraint::{foreign, not_null, unique};
use super::words::{BATCHES, WINDOW, authored, made, table_name, text, two_steps};
use crate::catalog::Table;
use crate::migrate::chain::Chain;
use crate::migrate::effect::Type;
use crate::sql::{
    ConstraintKind, Ident, NewColumn, QualifiedName, SqlText, fill, fixed, join, quote_ident,
};

pub(super) fn add_column(chain: &Chain, name: &QualifiedName, column: &NewColumn) -> String {
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
                    Some(constraint),
                ));
            }
            ConstraintKind::PrimaryKey { .. } => {
                is_not_null = true;
                after.push(unique(
                    name,
                    std::slice::from_ref(&column.name),
                    true,
                    Some(constraint),
                ));
            }
            ConstraintKind::ForeignKey { .. } => {
                let own = std::slice::from_ref(&column.name);
                after.push(foreign(chain, name, own, constraint));
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
        let sequence = made(name, column.name.as_str(), "seq");
        let sequence = table_name(&QualifiedName::new(name.schema.clone(), sequence));
        let quoted = crate::sql::literal(sequence.as_str());
        let mut parts = parts.to_vec();
        parts.push(("sequence", &sequence));
        parts.push(("quoted", &quoted));
        lines.push(fill("CREATE SEQUENCE {sequence} OWNED BY {table}.{column};\nALTER TABLE {table} ALTER COLUMN {column} SET DEFAULT nextval({quoted});", &parts));
        filled = Some(fill("nextval({quoted})", &parts));
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
pub(super) fn checked(name: &QualifiedName, column: &Ident, expression: &str) -> SqlText {
    let own = made(name, column.as_str(), "check");
    two_steps(
        name,
        &own,
        &authored(&["CHECK (", expression, ")"].concat()),
    )
}

pub(super) fn set_type(
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
