//! Routines of a design, which are written as whole statements.

use crate::catalog::{Function, ObjectPath, Trigger, TriggerTiming};
use crate::design::{self, Model};
use crate::sql::{Ddl, Fires, Ident, Named, QualifiedName, SqlText, ddl};

use super::Compiled;

/// A trigger belongs to its table, where the catalog can say all that it says; everything else is kept as it is written.
pub(super) fn routine(model: &Model, view: &design::View, sql: SqlText, compiled: &mut Compiled) {
    if let Some((table, name, made)) = trigger(model, &sql)
        && let Some(of) = compiled.catalog.tables.get_mut(&table)
    {
        of.triggers.insert(name.clone(), made);
        let path = ObjectPath::Trigger(table, name);
        compiled.provenance.insert(path, view.name.at);
        return;
    }
    let name = model.qualified(&view.name.ident);
    compiled
        .provenance
        .insert(ObjectPath::Function(name.clone()), view.name.at);
    compiled.catalog.functions.insert(
        name,
        Function {
            body: String::new(),
            definition: sql,
        },
    );
}

fn trigger(model: &Model, sql: &SqlText) -> Option<(QualifiedName, Ident, Trigger)> {
    let Ok(Ddl::CreateTrigger {
        table,
        name,
        constraint,
        function: Some(function),
        fires: Some(fires),
        ..
    }) = ddl(sql.as_str())
    else {
        return None;
    };
    let timing = timing(constraint, &fires)?;
    let within = |named: Named| match named.schema {
        Some(schema) => QualifiedName::new(schema, named.name),
        None => model.qualified(&named.name),
    };
    let made = Trigger {
        timing,
        events: fires
            .events
            .iter()
            .map(|event| (*event).to_owned())
            .collect(),
        columns: fires.columns,
        when: fires.when.map(SqlText::authored),
        function: within(function),
    };
    Some((within(table), name, made))
}

fn timing(constraint: bool, fires: &Fires) -> Option<TriggerTiming> {
    match (constraint, fires.each_row, fires.before) {
        (true, true, false) if fires.deferred => Some(TriggerTiming::Deferred),
        (true, ..) => None,
        (false, true, true) => Some(TriggerTiming::BeforeRow),
        (false, true, false) => Some(TriggerTiming::AfterRow),
        (false, false, true) => Some(TriggerTiming::BeforeStatement),
        (false, false, false) => None,
    }
}
