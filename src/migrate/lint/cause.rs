//! Which part of a statement does it, in words.

use crate::migrate::chain::Chain;
use crate::migrate::effect::{Effects, effects_of, shown};
use crate::sql::{ConstraintForm, ConstraintKind, Ddl, Object, Rename as NameChange, TableAction};

/// The part of a statement of which something is true, with its own form: one action of ALTER TABLE, or the whole.
pub(super) fn part(form: &Ddl, chain: &Chain, is: impl Fn(&Effects) -> bool) -> Ddl {
    let Ddl::AlterTable {
        table,
        only,
        if_exists,
        actions,
    } = form
    else {
        return form.clone();
    };
    if actions.len() == 1 {
        return form.clone();
    }
    let alone = actions.iter().map(|action| Ddl::AlterTable {
        table: table.clone(),
        only: *only,
        if_exists: *if_exists,
        actions: vec![action.clone()],
    });
    let mut alone = alone.filter(|own| {
        is(&effects_of(
            own,
            &chain.catalog,
            &chain.beside,
            chain.version,
        ))
    });
    alone.next().unwrap_or_else(|| form.clone())
}

/// A part with what the same statement adds for it: a column that comes without nulls is one that is added so.
pub(super) fn with_its_column(part: &Ddl, whole: &Ddl) -> Ddl {
    let (
        Ddl::AlterTable { actions, .. },
        Ddl::AlterTable {
            table,
            only,
            if_exists,
            actions: all,
        },
    ) = (part, whole)
    else {
        return part.clone();
    };
    let [TableAction::SetNotNull(column)] = actions.as_slice() else {
        return part.clone();
    };
    let mut added = all.iter().filter_map(|action| match action {
        TableAction::AddColumn {
            column: new,
            if_not_exists,
        } if new.name == *column => Some((new.clone(), *if_not_exists)),
        _ => None,
    });
    let Some((mut new, if_not_exists)) = added.next() else {
        return part.clone();
    };
    new.constraints.push(ConstraintForm {
        name: None,
        kind: ConstraintKind::NotNull(None),
        not_valid: false,
        not_enforced: false,
        no_inherit: false,
        deferred: false,
        written: "NOT NULL".to_owned(),
    });
    Ddl::AlterTable {
        table: table.clone(),
        only: *only,
        if_exists: *if_exists,
        actions: vec![TableAction::AddColumn {
            column: new,
            if_not_exists,
        }],
    }
}

/// What is done, as the subject of a sentence.
pub(super) fn what(form: &Ddl) -> String {
    match form {
        Ddl::AlterTable { actions, .. } => actions.first().map_or("ALTER TABLE".to_owned(), action),
        Ddl::CreateIndex(index) => match index.unique {
            true => "CREATE UNIQUE INDEX".to_owned(),
            false => "CREATE INDEX".to_owned(),
        },
        Ddl::CreateTable(table) => match table.partition_of {
            Some(_) => "CREATE TABLE … PARTITION OF".to_owned(),
            None => "CREATE TABLE".to_owned(),
        },
        Ddl::Drop { what, .. } => match what {
            Object::Table => "DROP TABLE",
            Object::View => "DROP VIEW",
            Object::MaterializedView => "DROP MATERIALIZED VIEW",
            Object::Type => "DROP TYPE",
            Object::Domain => "DROP DOMAIN",
            Object::Schema => "DROP SCHEMA",
            Object::Function => "DROP FUNCTION",
            Object::Extension => "DROP EXTENSION",
            Object::Sequence => "DROP SEQUENCE",
            _ => "DROP",
        }
        .to_owned(),
        Ddl::DropIndex { .. } => "DROP INDEX".to_owned(),
        Ddl::Reindex { .. } => "REINDEX".to_owned(),
        Ddl::Vacuum { full: true, .. } => "VACUUM FULL".to_owned(),
        Ddl::Vacuum { .. } => "VACUUM".to_owned(),
        Ddl::Cluster { .. } => "CLUSTER".to_owned(),
        Ddl::Refresh { .. } => "REFRESH MATERIALIZED VIEW".to_owned(),
        Ddl::Truncate { .. } => "TRUNCATE".to_owned(),
        Ddl::AlterDomain { .. } => "ALTER DOMAIN".to_owned(),
        Ddl::AlterType { .. } => "ALTER TYPE".to_owned(),
        Ddl::AlterIndex { .. } => "ALTER INDEX".to_owned(),
        Ddl::AlterView { .. } => "ALTER VIEW".to_owned(),
        Ddl::Update { .. } => "UPDATE".to_owned(),
        Ddl::Delete { .. } => "DELETE".to_owned(),
        Ddl::With(parts) => parts.first().map_or("the statement".to_owned(), what),
        Ddl::CreateTrigger { .. } => "CREATE TRIGGER".to_owned(),
        Ddl::DropTrigger { .. } => "DROP TRIGGER".to_owned(),
        _ => "the statement".to_owned(),
    }
}

fn action(action: &TableAction) -> String {
    use TableAction::*;
    match action {
        AddColumn { column, .. } => {
            let why = column.constraints.iter().find_map(|own| match &own.kind {
                ConstraintKind::Identity { .. } => Some(" as identity"),
                ConstraintKind::Generated { stored: true, .. } => {
                    Some(" that is computed and stored")
                }
                _ => None,
            });
            format!(
                "adding column {}{}",
                column.name.as_str(),
                why.unwrap_or_default()
            )
        }
        DropColumn { column, .. } => format!("dropping column {}", column.as_str()),
        SetType { column, .. } => format!("changing the type of {}", column.as_str()),
        SetNotNull(column) => format!("SET NOT NULL on {}", column.as_str()),
        SetExpression(column, _) => format!("SET EXPRESSION on {}", column.as_str()),
        AddConstraint(form) => constraint(form),
        DropConstraint { name, .. } => format!("dropping constraint {}", name.as_str()),
        ValidateConstraint(name) => format!("validating {}", name.as_str()),
        AlterConstraint { name, .. } => format!("altering constraint {}", name.as_str()),
        AttachPartition { partition, .. } => format!("attaching {}", partition.name.as_str()),
        DetachPartition { partition, .. } => format!("detaching {}", partition.name.as_str()),
        SetLogged => "SET LOGGED".to_owned(),
        SetUnlogged => "SET UNLOGGED".to_owned(),
        SetAccessMethod => "SET ACCESS METHOD".to_owned(),
        SetTablespace(_) => "SET TABLESPACE".to_owned(),
        TableAction::Rename(NameChange::Column(from, _)) => {
            format!("renaming column {}", from.as_str())
        }
        TableAction::Rename(NameChange::To(_)) => "renaming the table".to_owned(),
        TableAction::Rename(NameChange::Schema(_)) => "SET SCHEMA".to_owned(),
        _ => "ALTER TABLE".to_owned(),
    }
}

fn constraint(form: &ConstraintForm) -> String {
    let kind = match form.kind {
        ConstraintKind::Check(_) => "a check",
        ConstraintKind::NotNull(_) => "a not-null constraint",
        ConstraintKind::PrimaryKey { .. } => "a primary key",
        ConstraintKind::Unique { .. } => "a unique constraint",
        ConstraintKind::ForeignKey { .. } => "a foreign key",
        ConstraintKind::Exclude { .. } => "an exclusion constraint",
        _ => "a constraint",
    };
    match &form.name {
        Some(name) => format!("adding {kind} ({})", name.as_str()),
        None => format!("adding {kind}"),
    }
}

/// Names with `and` between them; many are counted.
pub(super) fn listed<'n>(names: impl IntoIterator<Item = &'n crate::sql::QualifiedName>) -> String {
    let names: Vec<String> = names
        .into_iter()
        .map(|name| format!("`{}`", shown(name)))
        .collect();
    match names.len() {
        0..=3 => names.join(" and "),
        many => format!("{} and {} more", names[..2].join(", "), many - 2),
    }
}
