//! Types and domains that columns have: what is done to the type is done to their tables.

use super::look::Look;
use super::types::Type;
use super::work::Work;
use crate::migrate::lock::LockMode::*;
use crate::sql::{ConstraintKind, DomainAction, Ident, Named, QualifiedName, TypeAction};

/// Columns of a type of the schema.
pub(super) fn columns_of_type(look: &Look, name: &QualifiedName) -> Vec<(QualifiedName, Ident)> {
    let mut found = Vec::new();
    for (table, own) in &look.catalog.tables {
        for column in &own.columns {
            let text = Type::parse(column.data_type.as_str()).name;
            let is = Named::parse(&text)
                .filter(|named| named.name == name.name)
                .is_some_and(|named| look.user_type(&named).0 == *name);
            if is {
                found.push((table.clone(), column.name.clone()));
            }
        }
    }
    found
}

pub(super) fn alter_type(work: &mut Work, named: &Named, action: &TypeAction) {
    let (name, _) = work.look.user_type(named);
    match action {
        TypeAction::RenameValue { from, .. } => {
            work.out
                .breaks
                .push(format!("value '{from}' of {}", name.name.as_str()));
        }
        TypeAction::Rename(_) | TypeAction::SetSchema(_) => {
            work.out.breaks.push(format!("type {}", name.name.as_str()));
        }
        TypeAction::Attributes => {
            let used = columns_of_type(&work.look, &name);
            if !used.is_empty() {
                work.unknown("tables with a column of a composite type may be locked or refuse it");
            }
        }
        TypeAction::AddValue { .. } | TypeAction::OwnerTo => {}
        TypeAction::Other => work.unknown("nothing is known of this form of ALTER TYPE"),
    }
}

pub(super) fn alter_domain(work: &mut Work, named: &Named, action: &DomainAction) {
    let (name, known) = work.look.user_type(named);
    let checks = match action {
        DomainAction::Add(form) if form.not_valid => false,
        DomainAction::Add(form) => {
            matches!(
                form.kind,
                ConstraintKind::Check(_) | ConstraintKind::NotNull(_)
            )
        }
        DomainAction::SetNotNull => true,
        DomainAction::Validate(_) => true,
        DomainAction::Rename(_) => {
            work.out.breaks.push(format!("type {}", name.name.as_str()));
            false
        }
        DomainAction::Other => {
            work.unknown("nothing is known of this form of ALTER DOMAIN");
            false
        }
        _ => false,
    };
    if !checks {
        return;
    }
    if known.is_none() {
        work.unknown("which tables have a column of the domain is not known: each is read, and its writers wait");
        return;
    }
    for (table, _) in columns_of_type(&work.look, &name) {
        let leaves = work.look.leaves(&table);
        for leaf in leaves {
            work.lock(&leaf, Share);
            work.out.scans.insert(leaf);
        }
    }
    work.depends("a value that the domain does not allow makes it fail");
}
