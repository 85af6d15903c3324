//! ALTER TABLE, followed.

use super::follow::Chain;
use super::partitions;
use super::tables::{add_column, add_constraint, set_nullable};
use super::words;
use crate::catalog::{ColumnDefault, Table};
use crate::migrate::effect::Found;
use crate::sql::{ConstraintKind, Ident, Named, QualifiedName, Rename, SqlText, TableAction};

pub(super) fn alter_table(chain: &mut Chain, named: &Named, actions: &[TableAction]) {
    let (name, found) = chain.look().relation(named);
    let is_table = matches!(found, Found::Table(_));
    // What is done to a partition alone is not in the catalog.
    let is_part = matches!(found, Found::Partition(..));
    let is_unknown = matches!(found, Found::Nothing);
    for action in actions {
        learn(chain, &name, action, is_unknown);
        match action {
            TableAction::Rename(rename) => super::objects::rename(chain, &name, rename),
            TableAction::AttachPartition { partition, bound } => {
                let (partition, _) = chain.look().relation(partition);
                if let Some(own) = chain.take(&partition) {
                    chain.beside.own.insert(partition.clone(), own);
                }
                partitions::add(chain, &name, &partition, bound);
            }
            TableAction::DetachPartition { partition, .. } => {
                let (partition, _) = chain.look().relation(partition);
                detach(chain, &name, &partition);
            }
            TableAction::Inherit(parent) => {
                let (parent, _) = chain.look().relation(parent);
                let children = chain.beside.children.entry(parent).or_default();
                children.insert(name.clone());
            }
            TableAction::NoInherit(parent) => {
                let (parent, _) = chain.look().relation(parent);
                if let Some(children) = chain.beside.children.get_mut(&parent) {
                    children.remove(&name);
                }
            }
            TableAction::SetTablespace(to) => chain.beside.put_into(&name, to.as_ref()),
            _ if is_table => change(chain, &name, action),
            _ if is_part => change_part(chain, &name, action),
            _ => {}
        }
    }
}

/// What is known of columns beside the catalog: which are new, and, of tables that no file makes, their types.
fn learn(chain: &mut Chain, name: &QualifiedName, action: &TableAction, is_unknown: bool) {
    let of = |column: &Ident| (name.clone(), column.clone());
    let told = match action {
        TableAction::AddColumn { column, .. } => {
            let known = chain.look().table(name);
            if known.is_none_or(|known| known.column(&column.name).is_none()) {
                chain.beside.fresh_columns.insert(of(&column.name));
            }
            (of(&column.name), Some(column.data_type.clone()))
        }
        TableAction::SetType {
            column,
            data_type,
            collation: None,
            ..
        } => (of(column), Some(data_type.clone())),
        TableAction::SetType { column, .. } | TableAction::DropColumn { column, .. } => {
            (of(column), None)
        }
        TableAction::Rename(Rename::Column(from, to)) => {
            if chain.beside.fresh_columns.remove(&of(from)) {
                chain.beside.fresh_columns.insert(of(to));
            }
            (of(to), chain.beside.learnt.remove(&of(from)))
        }
        TableAction::Rename(_) => {
            chain.beside.learnt.retain(|(own, _), _| own != name);
            return;
        }
        _ => return,
    };
    match told {
        (column, Some(data_type)) if is_unknown => {
            chain.beside.learnt.insert(column, data_type);
        }
        (column, _) => {
            chain.beside.learnt.remove(&column);
        }
    }
}

/// A constraint of a partition alone.
fn change_part(chain: &mut Chain, name: &QualifiedName, action: &TableAction) {
    use TableAction::*;
    let mut own = chain.beside.own.remove(name).unwrap_or_default();
    let mut unproven = Vec::new();
    match action {
        AddConstraint(form) => {
            add_constraint(&chain.look(), name, &mut own, None, form, &mut unproven);
        }
        ValidateConstraint(constraint) => {
            prove(&mut own, constraint);
            chain
                .beside
                .unproven
                .remove(&(name.clone(), constraint.clone()));
        }
        DropConstraint {
            name: constraint, ..
        } => drop_constraint(&mut own, constraint),
        _ => {}
    }
    for constraint in unproven {
        chain.beside.unproven.insert((name.clone(), constraint));
    }
    chain.beside.own.insert(name.clone(), own);
}

/// A check that is NOT VALID is so no more.
fn prove(table: &mut Table, constraint: &Ident) {
    if let Some(check) = table.checks.get_mut(constraint) {
        let text = check.expression.as_str();
        let text = text.strip_suffix(" NOT VALID").unwrap_or(text).to_owned();
        check.expression = SqlText::authored(text);
    }
}

/// A partition becomes a table like its parent.
fn detach(chain: &mut Chain, parent: &QualifiedName, partition: &QualifiedName) {
    let like = chain.look().table(parent).cloned();
    let by = partitions::remove(chain, partition);
    if let Some(mut own) = like {
        own.partitioning = by;
        // Names of constraints behind which there are indexes are the partition's own, and not known.
        own.indexes.clear();
        chain.put(partition, own);
    }
}

fn change(chain: &mut Chain, name: &QualifiedName, action: &TableAction) {
    use TableAction::*;
    let Some(mut table) = chain.take(name) else {
        return;
    };
    let mut unproven = Vec::new();
    let look = chain.look();
    match action {
        AddColumn { column, .. } if table.column(&column.name).is_none() => {
            add_column(&look, name, &mut table, column, &mut unproven);
            if table
                .column(&column.name)
                .is_some_and(|own| own.default.is_none())
            {
                chain
                    .beside
                    .empty
                    .insert((name.clone(), column.name.clone()));
            }
        }
        AddConstraint(form) => add_constraint(&look, name, &mut table, None, form, &mut unproven),
        DropColumn { column, .. } => drop_column(&mut table, column),
        SetType {
            column,
            data_type,
            collation,
            ..
        } => {
            if let Some(own) = column_mut(&mut table, column) {
                own.data_type = SqlText::authored(data_type);
                own.collation = collation.as_ref().map(SqlText::authored);
            }
        }
        SetDefault(column, text) => {
            if let Some(own) = column_mut(&mut table, column) {
                own.default = Some(ColumnDefault::Expression(SqlText::authored(text)));
            }
        }
        SetExpression(column, text) => {
            if let Some(own) = column_mut(&mut table, column) {
                own.default = Some(ColumnDefault::Generated(SqlText::authored(text)));
            }
        }
        DropDefault(column) | DropIdentity(column) | DropExpression(column) => {
            if let Some(own) = column_mut(&mut table, column) {
                own.default = None;
            }
        }
        AddIdentity { column, always } => {
            if let Some(own) = column_mut(&mut table, column) {
                own.default = Some(match always {
                    true => ColumnDefault::IdentityAlways,
                    false => ColumnDefault::IdentityByDefault,
                });
            }
        }
        SetNotNull(column) => set_nullable(&mut table, column, false),
        DropNotNull(column) => set_nullable(&mut table, column, true),
        DropConstraint { name: own, .. } => drop_constraint(&mut table, own),
        ValidateConstraint(own) => prove(&mut table, own),
        RenameConstraint(from, to) => rename_constraint(&mut table, from, to),
        SetLogged => {
            table.with.remove("unlogged");
        }
        SetUnlogged => {
            table.with.insert("unlogged".to_owned(), "true".to_owned());
        }
        RowSecurity(on) => table.row_security = *on,
        ForceRowSecurity(on) => table.force_row_security = *on,
        _ => {}
    }
    if let ValidateConstraint(own) = action {
        let key = (name.clone(), own.clone());
        chain.beside.unproven.remove(&key);
        if let Some(column) = chain.beside.unproven_not_null.remove(&key) {
            set_nullable(&mut table, &column, false);
        }
    }
    if let AddConstraint(form) = action
        && let (Some(own), ConstraintKind::NotNull(Some(column)), true) =
            (&form.name, &form.kind, form.not_valid)
    {
        let key = (name.clone(), own.clone());
        chain.beside.unproven_not_null.insert(key, column.clone());
    }
    for own in unproven {
        chain.beside.unproven.insert((name.clone(), own));
    }
    chain.put(name, table);
}

fn column_mut<'t>(table: &'t mut Table, column: &Ident) -> Option<&'t mut crate::catalog::Column> {
    table.columns.iter_mut().find(|own| own.name == *column)
}

/// A column goes with all that is over it.
pub(super) fn drop_column(table: &mut Table, column: &Ident) {
    let speaks = |text: &str| words(text).contains(column.as_str());
    table.columns.retain(|own| own.name != *column);
    table
        .checks
        .retain(|_, check| !speaks(check.expression.as_str()));
    table
        .uniques
        .retain(|_, unique| !unique.columns.contains(column));
    table
        .foreign_keys
        .retain(|_, key| !key.columns.contains(column));
    table
        .exclusions
        .retain(|_, own| !own.elements.iter().any(|(text, _)| speaks(text.as_str())));
    table.indexes.retain(|_, index| {
        let in_keys = index.keys.iter().any(|key| match &key.column {
            Some(own) => own == column,
            None => speaks(key.expression.as_str()),
        });
        let in_predicate = index
            .predicate
            .as_ref()
            .is_some_and(|text| speaks(text.as_str()));
        !(in_keys || in_predicate || index.include.contains(column))
    });
    table
        .statistics
        .retain(|_, own| !own.columns.contains(column));
    if table
        .primary_key
        .as_ref()
        .is_some_and(|(_, key)| key.columns.contains(column))
    {
        table.primary_key = None;
    }
}

fn drop_constraint(table: &mut Table, name: &Ident) {
    table.checks.remove(name);
    table.uniques.remove(name);
    table.foreign_keys.remove(name);
    table.exclusions.remove(name);
    if table
        .primary_key
        .as_ref()
        .is_some_and(|(own, _)| own == name)
    {
        table.primary_key = None;
    }
}

fn rename_constraint(table: &mut Table, from: &Ident, to: &Ident) {
    if let Some(own) = table.checks.remove(from) {
        table.checks.insert(to.clone(), own);
    } else if let Some(own) = table.uniques.remove(from) {
        table.uniques.insert(to.clone(), own);
    } else if let Some(own) = table.foreign_keys.remove(from) {
        table.foreign_keys.insert(to.clone(), own);
    } else if let Some(own) = table.exclusions.remove(from) {
        table.exclusions.insert(to.clone(), own);
    } else if let Some((own, _)) = table.primary_key.as_mut().filter(|(own, _)| own == from) {
        *own = to.clone();
    }
}

/// A column of another name: in the table and in what is over it.
pub(super) fn rename_column(table: &mut Table, from: &Ident, to: &Ident) {
    if let Some(own) = column_mut(table, from) {
        own.name = to.clone();
    }
    let swap = |columns: &mut Vec<Ident>| {
        for own in columns.iter_mut().filter(|own| *own == from) {
            *own = to.clone();
        }
    };
    if let Some((_, key)) = &mut table.primary_key {
        swap(&mut key.columns);
    }
    table
        .uniques
        .values_mut()
        .for_each(|unique| swap(&mut unique.columns));
    table
        .foreign_keys
        .values_mut()
        .for_each(|key| swap(&mut key.columns));
    for index in table.indexes.values_mut() {
        for key in index
            .keys
            .iter_mut()
            .filter(|key| key.column.as_ref() == Some(from))
        {
            key.column = Some(to.clone());
        }
        swap(&mut index.include);
    }
    for own in table.statistics.values_mut() {
        if own.columns.remove(from) {
            own.columns.insert(to.clone());
        }
    }
    for check in table.checks.values_mut() {
        check.expression = SqlText::authored(swapped(check.expression.as_str(), from, to));
    }
}

/// A condition in which a column has another name.
fn swapped(text: &str, from: &Ident, to: &Ident) -> String {
    let mut out = String::new();
    let mut at = 0;
    for token in crate::sql::tokens(text) {
        if crate::sql::fold(token.text(text)) == from.as_str() {
            out.push_str(&text[at..token.range.start]);
            out.push_str(crate::sql::quote_ident(to).as_str());
            at = token.range.end;
        }
    }
    out.push_str(&text[at..]);
    out
}
