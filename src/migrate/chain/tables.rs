//! New tables and their columns and constraints.

use super::follow::Chain;
use super::names::{is_taken, joined, made};
use super::partitions;
use super::words;
use crate::catalog::{
    Check, Column, ColumnDefault, Exclusion, ForeignKey, OnDelete, Table, Unique,
};
use crate::migrate::effect::{Found, Look, Type};
use crate::sql::{
    ConstraintForm, ConstraintKind, Ident, Named, NewColumn, NewTable, QualifiedName, SqlText,
};

pub(super) fn create(chain: &mut Chain, form: &NewTable) {
    let Some(named) = &form.table else { return };
    let look = chain.look();
    let name = look.made(named);
    if form.if_not_exists && !matches!(look.found(&name), Found::Nothing) {
        return;
    }
    if let Some((parent, bound)) = &form.partition_of {
        let (parent, _) = look.relation(parent);
        partitions::create(chain, form, &parent, &name, bound);
        chain.beside.fresh.insert(name);
        return;
    }
    let mut table = Table::default();
    let mut unproven = Vec::new();
    for like in &form.like {
        let (source, _) = look.relation(&like.table);
        if let Some(source) = look.table(&source) {
            super::like::take_over(&name, &mut table, like, source);
        }
    }
    for source in &form.inherits {
        let (source, _) = look.relation(source);
        if let Some(source) = look.table(&source) {
            table.columns.extend(source.columns.iter().cloned());
            table.checks.extend(source.checks.clone());
        }
    }
    for column in &form.columns {
        add_column(&look, &name, &mut table, column, &mut unproven);
    }
    for constraint in &form.constraints {
        add_constraint(&look, &name, &mut table, None, constraint, &mut unproven);
    }
    if form.unlogged {
        table.with.insert("unlogged".to_owned(), "true".to_owned());
    }
    table.partitioning = partitions::by(form);
    let parents: Vec<_> = form
        .inherits
        .iter()
        .map(|parent| look.relation(parent).0)
        .collect();
    for parent in parents {
        let children = chain.beside.children.entry(parent).or_default();
        children.insert(name.clone());
    }
    chain.put(&name, table);
    if form.tablespace.is_some() {
        chain.beside.put_into(&name, form.tablespace.as_ref());
    }
    chain.beside.fresh.insert(name.clone());
    // What is new has no rows that could be against it.
    let _ = unproven;
}

pub(super) fn create_as(chain: &mut Chain, named: &Named, if_not_exists: bool) {
    let look = chain.look();
    let name = look.made(named);
    if if_not_exists && !matches!(look.found(&name), Found::Nothing) {
        return;
    }
    chain.put(&name, Table::default());
    chain.beside.fresh.insert(name);
}

/// A column with what is written behind its type.
pub(super) fn add_column(
    look: &Look,
    name: &QualifiedName,
    table: &mut Table,
    form: &NewColumn,
    unproven: &mut Vec<Ident>,
) {
    let own = Type::parse(&form.data_type);
    let data_type = if own.is_serial {
        own.name.as_str()
    } else {
        form.data_type.as_str()
    };
    let mut column = Column {
        name: form.name.clone(),
        data_type: SqlText::authored(data_type),
        nullable: !own.is_serial,
        default: own
            .is_serial
            .then(|| ColumnDefault::Expression(SqlText::authored("nextval('')"))),
        collation: form.collation.as_ref().map(SqlText::authored),
        comment: None,
    };
    for constraint in &form.constraints {
        match &constraint.kind {
            ConstraintKind::NotNull(_) | ConstraintKind::PrimaryKey { .. } => {
                column.nullable = false
            }
            ConstraintKind::Default(text) => {
                column.default = Some(ColumnDefault::Expression(SqlText::authored(text)));
            }
            ConstraintKind::Identity { always } => {
                column.nullable = false;
                column.default = Some(match always {
                    true => ColumnDefault::IdentityAlways,
                    false => ColumnDefault::IdentityByDefault,
                });
            }
            ConstraintKind::Generated { expression, stored } => {
                let kind = if *stored { "" } else { " VIRTUAL" };
                let text = format!("{expression}{kind}");
                column.default = Some(ColumnDefault::Generated(SqlText::authored(text)));
            }
            _ => {}
        }
    }
    let of = form.name.clone();
    table.columns.push(column);
    for constraint in &form.constraints {
        add_constraint(look, name, table, Some(&of), constraint, unproven);
    }
}

/// A constraint of a table, or of one column.
pub(super) fn add_constraint(
    look: &Look,
    name: &QualifiedName,
    table: &mut Table,
    column: Option<&Ident>,
    form: &ConstraintForm,
    unproven: &mut Vec<Ident>,
) {
    let named = |table: &Table, middle: &str, suffix: &str| {
        form.name.clone().unwrap_or_else(|| {
            made(name.name.as_str(), middle, suffix, |own| {
                is_taken(table, own)
            })
        })
    };
    let alone = |columns: &[Ident]| match column {
        Some(column) if columns.is_empty() => vec![column.clone()],
        _ => columns.to_vec(),
    };
    let deferred = form.deferred;
    match &form.kind {
        ConstraintKind::Check(expression) => {
            let middle = column.map(Ident::as_str).map(str::to_owned).or_else(|| {
                let spoken = words(expression);
                let mut own = table
                    .columns
                    .iter()
                    .filter(|own| spoken.contains(own.name.as_str()));
                let first = own.next().map(|own| own.name.as_str().to_owned());
                first.filter(|_| own.next().is_none())
            });
            let own = named(table, middle.as_deref().unwrap_or_default(), "check");
            let mut text = expression.clone();
            if form.no_inherit {
                text.push_str(" NO INHERIT");
            }
            if form.not_valid || form.not_enforced {
                text.push_str(" NOT VALID");
            }
            let expression = SqlText::authored(text);
            table.checks.insert(own, Check { expression });
        }
        ConstraintKind::NotNull(of) => {
            if let Some(of) = of.as_ref().filter(|_| !form.not_valid) {
                set_nullable(table, of, false);
            }
        }
        ConstraintKind::PrimaryKey {
            columns,
            using_index,
            ..
        } => {
            let columns = match using_index {
                Some(index) => from_index(table, index),
                None => alone(columns),
            };
            for of in &columns {
                set_nullable(table, of, false);
            }
            let own = match (&form.name, using_index) {
                (None, Some(index)) => index.clone(),
                _ => named(table, "", "pkey"),
            };
            table.primary_key = Some((own, Unique { columns, deferred }));
        }
        ConstraintKind::Unique {
            columns,
            using_index,
            ..
        } => {
            let columns = match using_index {
                Some(index) => from_index(table, index),
                None => alone(columns),
            };
            let own = match (&form.name, using_index) {
                (None, Some(index)) => index.clone(),
                _ => named(table, &joined(&columns), "key"),
            };
            table.uniques.insert(own, Unique { columns, deferred });
        }
        ConstraintKind::ForeignKey {
            columns,
            table: parent,
            key,
            on_delete,
            on_update,
        } => {
            let columns = alone(columns);
            let own = named(table, &joined(&columns), "fkey");
            let (parent, _) = look.relation(parent);
            let key = match key.is_empty() {
                true => look
                    .table(&parent)
                    .and_then(|parent| parent.primary_key.as_ref())
                    .map_or(Vec::new(), |(_, key)| key.columns.clone()),
                false => key.clone(),
            };
            if form.not_valid || form.not_enforced {
                unproven.push(own.clone());
            }
            let key = ForeignKey {
                columns,
                table: parent,
                key,
                on_delete: action(on_delete.as_deref()),
                on_update: action(on_update.as_deref()),
                deferred,
            };
            table.foreign_keys.insert(own, key);
        }
        ConstraintKind::Exclude {
            method,
            elements,
            predicate,
        } => {
            let own = named(table, "", "excl");
            let exclusion = Exclusion {
                method: method.clone().unwrap_or_else(|| Ident::new("gist")),
                elements: elements
                    .iter()
                    .map(|(text, with)| (SqlText::authored(text), with.clone()))
                    .collect(),
                predicate: predicate.as_ref().map(SqlText::authored),
                deferred,
            };
            table.exclusions.insert(own, exclusion);
        }
        _ => {}
    }
}

/// The columns of an index that becomes a constraint; as an index of its own it is no more.
fn from_index(table: &mut Table, index: &Ident) -> Vec<Ident> {
    let taken = table.indexes.remove(index);
    taken.map_or(Vec::new(), |index| {
        index
            .keys
            .into_iter()
            .filter_map(|key| key.column)
            .collect()
    })
}

pub(super) fn set_nullable(table: &mut Table, column: &Ident, nullable: bool) {
    if let Some(own) = table.columns.iter_mut().find(|own| own.name == *column) {
        own.nullable = nullable;
    }
}

fn action(words: Option<&str>) -> OnDelete {
    let words = words.unwrap_or_default().to_ascii_uppercase();
    let first: Vec<&str> = words.split_whitespace().take(2).collect();
    match first[..] {
        ["RESTRICT", ..] => OnDelete::Restrict,
        ["CASCADE", ..] => OnDelete::Cascade,
        ["SET", "NULL"] => OnDelete::SetNull,
        ["SET", "DEFAULT"] => OnDelete::SetDefault,
        _ => OnDelete::NoAction,
    }
}
