//! From a statement to what it does.

use super::alter::alter_table;
use super::look::Look;
use super::report::Effects;
use super::work::Work;
use super::{drop, index, object, partition, rows, types_in_use};
use crate::catalog::Catalog;
use crate::migrate::chain::Beside;
use crate::sql::{Ddl, ddl};

/// What a statement does to the schema before it, on a server of this major version. What cannot be read or is not known says so.
///
/// The schema is taken to be whole and in use; [`Chain`](crate::migrate::Chain) follows several statements, and knows which tables
/// they have made themselves.
pub fn effects(statement: &str, schema: &Catalog, version: u16) -> Effects {
    effects_beside(statement, schema, &Beside::of(schema), version)
}

/// The same, with what the catalog itself does not say.
pub fn effects_beside(statement: &str, schema: &Catalog, beside: &Beside, version: u16) -> Effects {
    match ddl(statement) {
        Ok(form) => effects_of(&form, schema, beside, version),
        Err(fault) => Effects {
            unknown: Some(format!("it cannot be read: {}", fault.message)),
            ..Effects::default()
        },
    }
}

/// The same, of a statement that was read already.
pub fn effects_of(form: &Ddl, schema: &Catalog, beside: &Beside, version: u16) -> Effects {
    let look = Look {
        catalog: schema,
        beside,
        version,
    };
    let mut work = Work::new(look);
    dispatch(&mut work, form);
    work.done()
}

fn dispatch(work: &mut Work, form: &Ddl) {
    match form {
        Ddl::CreateTable(table) => partition::create_table(work, table),
        Ddl::CreateTableAs { query, .. } => rows::reads(work, query),
        Ddl::AlterTable {
            table,
            only,
            if_exists,
            actions,
        } => alter_table(work, table, *only, *if_exists, actions),
        Ddl::AlterIndex { index, action } => index::alter(work, index, action),
        Ddl::AlterView { view, rename } => object::alter_view(work, view, rename.as_ref()),
        Ddl::CreateIndex(form) => index::create(work, form),
        Ddl::DropIndex {
            indexes,
            concurrently,
            if_exists,
            ..
        } => index::drop(work, indexes, *concurrently, *if_exists),
        Ddl::Reindex {
            target,
            concurrently,
        } => index::reindex(work, target, *concurrently),
        Ddl::Drop {
            what,
            names,
            if_exists,
            cascade,
        } => drop::drop(work, *what, names, *if_exists, *cascade),
        Ddl::AlterType { name, action } => types_in_use::alter_type(work, name, action),
        Ddl::AlterDomain { name, action } => types_in_use::alter_domain(work, name, action),
        Ddl::Update { .. }
        | Ddl::Delete { .. }
        | Ddl::Insert { .. }
        | Ddl::Merge { .. }
        | Ddl::CopyFrom { .. }
        | Ddl::Truncate { .. }
        | Ddl::LockTable { .. } => rows::change(work, form),
        Ddl::With(parts) => parts.iter().for_each(|part| dispatch(work, part)),
        Ddl::Select | Ddl::Transaction(_) | Ddl::Set(_) | Ddl::Apart => {}
        Ddl::Do => work.unknown("what a DO block runs is not seen"),
        Ddl::Call => work.unknown("what a procedure runs is not seen"),
        Ddl::Other(words) => work.unknown(format!("nothing is known of {words}")),
        _ => object::other(work, form),
    }
}
