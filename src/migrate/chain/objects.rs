//! Everything but columns and constraints, followed.

use std::collections::{BTreeMap, BTreeSet};

use super::follow::Chain;
use super::indexes;
use super::names::made;
use crate::catalog::{Check, Function, Statistics, Trigger, TriggerTiming, UserType, View};
use crate::migrate::effect::{Found, base_of, views_of};
use crate::sql::words::relation_renamed;
use crate::sql::{
    ConstraintForm, ConstraintKind, Ddl, DomainAction, Ident, IndexAction, Named, Object,
    QualifiedName, Rename, SqlText, TypeAction,
};

pub(super) fn follow(chain: &mut Chain, form: &Ddl) {
    match form {
        Ddl::With(parts) => parts.iter().for_each(|part| follow(chain, part)),
        Ddl::Update { table, .. } => {
            let (table, _) = chain.look().relation(table);
            chain.beside.empty.retain(|(own, _)| *own != table);
        }
        Ddl::CreateIndex(form) => indexes::create(chain, form),
        Ddl::DropIndex { indexes, .. } => indexes::drop(chain, indexes),
        Ddl::AlterIndex {
            index,
            action: IndexAction::Rename(to),
        } => indexes::rename(chain, index, to),
        Ddl::CreateStatistics {
            name: Some(name),
            table: Some(table),
        } => {
            let (table, _) = chain.look().relation(table);
            let name = chain.look().made(name).name;
            // What they are about is not asked here: only whose they are.
            let statistics = Statistics {
                kinds: BTreeSet::new(),
                columns: BTreeSet::new(),
                expressions: Vec::new(),
            };
            chain.edit(&table, |table| {
                table.statistics.insert(name, statistics);
            });
        }
        Ddl::RenameStatistics { name, to } => {
            let (name, table) = chain.look().statistics(name);
            if let Some(table) = table {
                chain.edit(&table, |table| {
                    if let Some(own) = table.statistics.remove(&name.name) {
                        table.statistics.insert(to.clone(), own);
                    }
                });
            }
        }
        Ddl::AlterView {
            view,
            rename: Some(to),
        } => {
            let (name, _) = chain.look().relation(view);
            rename(chain, &name, to);
        }
        Ddl::Drop { what, names, .. } => drop(chain, *what, names),
        Ddl::CreateView {
            view,
            materialized,
            query,
            with_data,
            ..
        } => {
            create_view(chain, view, *materialized, query);
            fill(chain, view, *with_data || !materialized);
        }
        Ddl::Refresh {
            view, with_data, ..
        } => fill(chain, view, *with_data),
        Ddl::CreateType { name, labels } => {
            let name = chain.look().made(name);
            if let Some(labels) = labels {
                let own = UserType::Enum(labels.clone());
                chain.catalog.types.insert(name.clone(), (own, None));
            }
            chain.beside.fresh.insert(name);
        }
        Ddl::AlterType { name, action } => alter_type(chain, name, action),
        Ddl::CreateDomain {
            name,
            base,
            constraints,
        } => create_domain(chain, name, base, constraints),
        Ddl::AlterDomain { name, action } => alter_domain(chain, name, action),
        Ddl::CreateFunction { name, definition } => {
            let name = chain.look().made(name);
            let function = Function {
                body: String::new(),
                definition: SqlText::authored(definition),
            };
            chain.catalog.functions.insert(name, function);
        }
        Ddl::CreateTrigger {
            table,
            name,
            function: Some(function),
            ..
        } => {
            let (table, _) = chain.look().relation(table);
            // When it fires is not asked here: only that it is there, and what it calls.
            let trigger = Trigger {
                timing: TriggerTiming::BeforeRow,
                events: Vec::new(),
                columns: Vec::new(),
                when: None,
                function: chain.look().made(function),
            };
            let name = name.clone();
            chain.edit(&table, |table| {
                table.triggers.insert(name, trigger);
            });
        }
        Ddl::DropTrigger { table, name, .. } => {
            let (table, _) = chain.look().relation(table);
            chain.edit(&table, |table| {
                table.triggers.remove(name);
            });
        }
        Ddl::CreateSchema {
            name: Some(name), ..
        } => {
            chain.catalog.schemas.insert(name.clone());
        }
        Ddl::CreateExtension { name } => {
            chain.catalog.extensions.insert(name.clone());
        }
        Ddl::Set(setting) if setting.name == "timezone" => {
            let zone = setting.value.to_ascii_uppercase();
            chain.beside.is_utc = ["UTC", "ETC/UTC", "GMT", "Z"].contains(&zone.as_str());
        }
        Ddl::Set(setting) if setting.name == "search_path" => {
            let parts = setting
                .value
                .split(',')
                .map(|part| part.trim_matches(['\'', ' ']))
                // Of the role that runs it nothing is known: there is no schema of its name.
                .filter(|part| *part != "\"$user\"" && *part != "$user")
                .filter_map(Named::parse);
            chain.beside.search_path = match setting.reset {
                true => Vec::new(),
                false => parts
                    .map(|part| part.name)
                    .filter(|name| !matches!(name.as_str(), "user" | "pg_catalog" | ""))
                    .collect(),
            };
        }
        _ => {}
    }
}

/// WITH DATA, WITH NO DATA.
fn fill(chain: &mut Chain, view: &Named, is_filled: bool) {
    let (name, _) = chain.look().relation(view);
    match is_filled {
        true => chain.beside.unfilled.remove(&name),
        false => chain.beside.unfilled.insert(name),
    };
}

fn create_view(chain: &mut Chain, view: &Named, materialized: bool, query: &str) {
    let look = chain.look();
    let name = look.made(view);
    if !matches!(look.found(&name), Found::View(_)) {
        chain.beside.fresh.insert(name.clone());
    }
    take_view(chain, &name);
    chain.beside.enter_view(&name, query);
    let own = View {
        query: SqlText::authored(query),
        materialized,
        security_invoker: false,
        key: Vec::new(),
        grants: BTreeMap::new(),
        comment: None,
    };
    chain.catalog.views.push((name, own));
}

fn take_view(chain: &mut Chain, name: &QualifiedName) -> Option<View> {
    if !chain.beside.has_view(name) {
        return None;
    }
    let at = chain
        .catalog
        .views
        .iter()
        .position(|(own, _)| own == name)?;
    let (_, view) = chain.catalog.views.remove(at);
    chain.beside.leave_view(name, view.query.as_str());
    Some(view)
}

fn drop(chain: &mut Chain, what: Object, names: &[Named]) {
    for named in names {
        match what {
            Object::Table => {
                let (name, _) = chain.look().relation(named);
                drop_table(chain, &name);
            }
            Object::View | Object::MaterializedView => {
                let (name, _) = chain.look().relation(named);
                take_view(chain, &name);
            }
            Object::Statistics => {
                let (name, table) = chain.look().statistics(named);
                if let Some(table) = table {
                    chain.edit(&table, |table| {
                        table.statistics.remove(&name.name);
                    });
                }
            }
            Object::Type | Object::Domain => {
                let (name, _) = chain.look().user_type(named);
                chain.catalog.types.remove(&name);
            }
            Object::Schema => {
                let schema = &named.name;
                chain.catalog.schemas.remove(schema);
                let tables = chain.catalog.tables.keys();
                let tables: Vec<_> = tables
                    .filter(|name| name.schema == *schema)
                    .cloned()
                    .collect();
                for table in tables {
                    drop_table(chain, &table);
                }
                chain.catalog.types.retain(|name, _| name.schema != *schema);
                let views = chain.catalog.views.iter().map(|(name, _)| name);
                let views: Vec<_> = views
                    .filter(|name| name.schema == *schema)
                    .cloned()
                    .collect();
                for view in views {
                    take_view(chain, &view);
                }
            }
            _ => {}
        }
    }
}

fn drop_table(chain: &mut Chain, name: &QualifiedName) {
    if chain.beside.partitions.contains_key(name) {
        super::partitions::remove(chain, name);
    }
    let pointing: Vec<_> = chain
        .beside
        .pointing
        .get(name)
        .into_iter()
        .flatten()
        .cloned()
        .collect();
    for (other, key) in pointing {
        chain.edit(&other, |table| {
            table.foreign_keys.remove(&key);
        });
    }
    // CASCADE took the views with it; without it the server would have refused.
    let views: Vec<_> = views_of(&chain.look(), name)
        .into_iter()
        .map(|(view, _)| view)
        .collect();
    for view in views {
        take_view(chain, &view);
    }
    chain.take(name);
    chain.beside.children.remove(name);
    for children in chain.beside.children.values_mut() {
        children.remove(name);
    }
    chain.beside.fresh.remove(name);
}

/// A relation or column of another name.
pub(super) fn rename(chain: &mut Chain, name: &QualifiedName, rename: &Rename) {
    let to = match rename {
        Rename::Column(from, to) => {
            chain.edit(name, |table| super::alter::rename_column(table, from, to));
            // What partitions have of their own is over the same columns.
            for part in chain.look().below(name) {
                if let Some(own) = chain.beside.own.get_mut(&part) {
                    super::alter::rename_column(own, from, to);
                }
            }
            let pointing: Vec<_> = chain
                .beside
                .pointing
                .get(name)
                .into_iter()
                .flatten()
                .cloned()
                .collect();
            for (other, key) in pointing {
                chain.edit(&other, |table| {
                    let key = table.foreign_keys.get_mut(&key);
                    for own in key
                        .into_iter()
                        .flat_map(|key| &mut key.key)
                        .filter(|own| *own == from)
                    {
                        *own = to.clone();
                    }
                });
            }
            return;
        }
        Rename::To(to) => QualifiedName::new(name.schema.clone(), to.clone()),
        Rename::Schema(schema) => QualifiedName::new(schema.clone(), name.name.clone()),
    };
    if chain.beside.fresh.remove(name) {
        chain.beside.fresh.insert(to.clone());
    }
    if let Some(view) = take_view(chain, name) {
        chain.beside.enter_view(&to, view.query.as_str());
        chain.catalog.views.push((to, view));
        return;
    }
    if let Some(parent) = chain.beside.partitions.get(name).cloned() {
        chain.edit(&parent, |table| {
            let parts = table
                .partitioning
                .iter_mut()
                .flat_map(|by| &mut by.partitions);
            for part in parts.filter(|part| part.name == name.name) {
                part.name = to.name.clone();
            }
        });
        return;
    }
    let pointing: Vec<_> = chain
        .beside
        .pointing
        .get(name)
        .into_iter()
        .flatten()
        .cloned()
        .collect();
    let Some(table) = chain.take(name) else {
        return;
    };
    let views = views_of(&chain.look(), name);
    let views: Vec<QualifiedName> = views.into_iter().map(|(view, _)| view).collect();
    chain.put(&to, table);
    for view in views {
        // What a view reads it reads by what it is, not by how it was called.
        if let Some(mut own) = take_view(chain, &view) {
            own.query = relation_renamed(&own.query, &name.name, &to.name);
            chain.beside.enter_view(&view, own.query.as_str());
            chain.catalog.views.push((view, own));
        }
    }
    for (other, key) in pointing {
        let other = if other == *name { to.clone() } else { other };
        chain.edit(&other, |table| {
            if let Some(key) = table.foreign_keys.get_mut(&key) {
                key.table = to.clone();
            }
        });
    }
}

fn alter_type(chain: &mut Chain, named: &Named, action: &TypeAction) {
    let (name, _) = chain.look().user_type(named);
    let is_fresh = chain.beside.fresh.contains(&name);
    match action {
        TypeAction::AddValue { value, .. } => {
            let own = chain.catalog.types.get(&name);
            let has = matches!(own, Some((UserType::Enum(labels), _)) if labels.contains(value));
            if let Some((UserType::Enum(labels), _)) = chain.catalog.types.get_mut(&name)
                && !labels.contains(value)
            {
                labels.push(value.clone());
            }
            // Values of a type that the transaction made itself can be used at once.
            if !is_fresh && !has {
                chain.beside.fresh_values.insert((name, value.clone()));
            }
        }
        TypeAction::RenameValue { from, to } => {
            if let Some((UserType::Enum(labels), _)) = chain.catalog.types.get_mut(&name) {
                for label in labels.iter_mut().filter(|label| *label == from) {
                    label.clone_from(to);
                }
            }
        }
        TypeAction::Rename(to) => {
            if let Some(own) = chain.catalog.types.remove(&name) {
                let to = QualifiedName::new(name.schema, to.clone());
                chain.catalog.types.insert(to, own);
            }
        }
        _ => {}
    }
}

fn create_domain(chain: &mut Chain, named: &Named, base: &str, constraints: &[ConstraintForm]) {
    let name = chain.look().made(named);
    let mut text = base.to_owned();
    let mut checks = BTreeMap::new();
    for constraint in constraints {
        match &constraint.kind {
            ConstraintKind::NotNull(_) => text.push_str(" NOT NULL"),
            ConstraintKind::Check(expression) => {
                let own = constraint.name.clone();
                let own = own.unwrap_or_else(|| {
                    made(name.name.as_str(), "", "check", |own| {
                        checks.contains_key(own)
                    })
                });
                let expression = SqlText::authored(expression);
                checks.insert(own, Check { expression });
            }
            _ => {}
        }
    }
    let base = SqlText::authored(text);
    let own = UserType::Domain { base, checks };
    chain.catalog.types.insert(name.clone(), (own, None));
    chain.beside.fresh.insert(name);
}

fn alter_domain(chain: &mut Chain, named: &Named, action: &DomainAction) {
    let (name, _) = chain.look().user_type(named);
    let Some((UserType::Domain { base, checks }, _)) = chain.catalog.types.get_mut(&name) else {
        return;
    };
    match action {
        DomainAction::Add(form) => {
            if let ConstraintKind::Check(expression) = &form.kind {
                let own = form.name.clone();
                let own = own.unwrap_or_else(|| {
                    made(name.name.as_str(), "", "check", |own| {
                        checks.contains_key(own)
                    })
                });
                let mut text = expression.clone();
                if form.not_valid {
                    text.push_str(" NOT VALID");
                }
                let expression = SqlText::authored(text);
                checks.insert(own, Check { expression });
            }
        }
        DomainAction::Validate(own) => {
            if let Some(check) = checks.get_mut(own) {
                let text = check.expression.as_str();
                let text = text.strip_suffix(" NOT VALID").unwrap_or(text).to_owned();
                check.expression = SqlText::authored(text);
            }
        }
        DomainAction::Drop(own) => {
            checks.remove(own);
        }
        DomainAction::SetNotNull => {
            let text = [base_of(base.as_str()), " NOT NULL"].concat();
            *base = SqlText::authored(text);
        }
        DomainAction::DropNotNull => {
            let text = base_of(base.as_str()).to_owned();
            *base = SqlText::authored(text);
        }
        DomainAction::Rename(to) => {
            let to: Ident = to.clone();
            if let Some(own) = chain.catalog.types.remove(&name) {
                chain
                    .catalog
                    .types
                    .insert(QualifiedName::new(name.schema, to), own);
            }
        }
        _ => {}
    }
}
