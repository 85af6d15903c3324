//! Which recipe a statement has.

use super::column::{add_column, set_type};
use super::constraint::{constraint, not_null};
use super::index::create_index;
use super::partition::{attach, partition_of};
use super::words::{WINDOW, authored, table_name, text, written};
use crate::migrate::chain::Chain;
use crate::migrate::effect::shown;
use crate::sql::{
    ConstraintForm, ConstraintKind, Ddl, DomainAction, Ident, Named, QualifiedName, ReindexTarget,
    Rename, TableAction, fill, fixed, join, quote_ident,
};

/// For what is short, but has to come to its lock.
pub(in crate::migrate::lint) const PATIENCE: &str =
    "SET lock_timeout, and try again until it comes through, in a migration of its own";

/// What to do about a statement that the server refuses.
pub(in crate::migrate::lint) fn of_refused(form: &Ddl, chain: &Chain) -> String {
    match form {
        Ddl::Drop { .. } => {
            "drop what depends on it before, in a migration of its own, or say CASCADE where that may go too".to_owned()
        }
        Ddl::Refresh { view, .. } => text(fill(
            "REFRESH MATERIALIZED VIEW {view};",
            &[("view", &written(view))],
        )),
        Ddl::AlterTable { actions, .. } => match actions.first() {
            Some(TableAction::AttachPartition { .. }) => {
                "give both tables the same columns, of the same types, before".to_owned()
            }
            Some(TableAction::AddConstraint(ConstraintForm {
                kind: ConstraintKind::PrimaryKey { .. },
                ..
            })) => "drop the other key before, where this one is to take its place".to_owned(),
            _ => of(form, chain),
        },
        _ => of(form, chain),
    }
}

/// The safe way for a statement; of ALTER TABLE, for its first action.
pub(in crate::migrate::lint) fn of(form: &Ddl, chain: &Chain) -> String {
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
            if chain.look().default_of(name).is_some() {
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
pub(in crate::migrate::lint) fn batches(form: &Ddl, chain: &Chain) -> String {
    let table = match form {
        Ddl::Update { table, .. } | Ddl::Delete { table, .. } => table,
        Ddl::With(parts) => {
            return parts
                .first()
                .map_or(String::new(), |part| batches(part, chain));
        }
        _ => return WINDOW.to_owned(),
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
pub(in crate::migrate::lint) fn rename(form: &Ddl) -> String {
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
