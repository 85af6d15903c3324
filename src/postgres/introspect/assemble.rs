//! Everything that is not a table or part of one, and what hangs on tables: triggers, policies, grants.

use std::collections::BTreeMap;

use super::bound::bracketed;
use super::rows::{self, FunctionRow, GrantRow, NameRow, PolicyRow, TriggerRow, TypeRow, ViewRow};
use super::tables::{expression, qualified, sql};
use crate::catalog::{
    Catalog, Check, Function, Policy, PolicyCommand, Privilege, Role, Trigger, TriggerTiming,
    UserType, View,
};
use crate::sql::{Ident, SqlText};

pub(super) fn names(catalog: &mut Catalog, rows: Vec<NameRow>) {
    for row in rows {
        let name = Ident::new(row.name);
        match row.kind.as_str() {
            "schema" => {
                catalog.schemas.insert(name);
            }
            "extension" => {
                catalog.extensions.insert(name);
            }
            _ => {
                let role = Role {
                    login: row.login,
                    bypass_rls: row.bypass_rls,
                };
                catalog.roles.insert(name, role);
            }
        }
    }
}

pub(super) fn types(catalog: &mut Catalog, rows: Vec<TypeRow>) {
    for row in rows {
        let kind = match row.base {
            Some(base) => {
                let checks = row.checks.into_iter().flatten();
                let checks: BTreeMap<Ident, Check> = checks
                    .map(|check| {
                        let expression = expression(&check.expression);
                        (Ident::new(check.name), Check { expression })
                    })
                    .collect();
                UserType::Domain {
                    base: SqlText::made(base),
                    checks,
                }
            }
            None => UserType::Enum(row.labels.unwrap_or_default()),
        };
        catalog
            .types
            .insert(qualified(&row.schema, &row.name), (kind, row.comment));
    }
}

/// Bits of `pg_trigger.tgtype`.
const ROW: i32 = 1;
const BEFORE: i32 = 2;
const EVENTS: [(i32, &str); 4] = [
    (4, "INSERT"),
    (16, "UPDATE"),
    (8, "DELETE"),
    (32, "TRUNCATE"),
];
const INSTEAD: i32 = 64;

pub(super) fn triggers(catalog: &mut Catalog, rows: Vec<TriggerRow>) {
    for row in rows {
        let Some(table) = catalog.tables.get_mut(&qualified(&row.schema, &row.table)) else {
            continue;
        };
        let has = |bit: i32| row.bits & bit != 0;
        let mut events: Vec<String> = EVENTS
            .iter()
            .filter(|(bit, _)| has(*bit))
            .map(|(_, word)| (*word).to_owned())
            .collect();
        let timing = match (row.constraint, has(ROW), has(BEFORE)) {
            (true, ..) if row.deferred => TriggerTiming::Deferred,
            (_, true, true) => TriggerTiming::BeforeRow,
            (_, true, false) => TriggerTiming::AfterRow,
            (_, false, true) => TriggerTiming::BeforeStatement,
            (_, false, false) => {
                // No design has one; as an event it cannot be mistaken for one that a design has.
                events.push("AFTER STATEMENT".to_owned());
                TriggerTiming::BeforeStatement
            }
        };
        if has(INSTEAD) {
            events.push("INSTEAD OF".to_owned());
        }
        let trigger = Trigger {
            timing,
            events,
            columns: row.columns.into_iter().flatten().map(Ident::new).collect(),
            when: condition(&row.definition).map(expression),
            function: qualified(&row.function_schema, &row.function),
        };
        table.triggers.insert(Ident::new(row.name), trigger);
    }
}

/// The condition in `CREATE TRIGGER … WHEN (…) EXECUTE FUNCTION …`. The server prints it only as part of the whole.
fn condition(definition: &str) -> Option<&str> {
    let when = definition.find(" WHEN (")?;
    bracketed(&definition[when + " WHEN ".len()..]).map(|(inside, _)| inside)
}

pub(super) fn policies(catalog: &mut Catalog, rows: Vec<PolicyRow>) {
    for row in rows {
        let Some(table) = catalog.tables.get_mut(&qualified(&row.schema, &row.table)) else {
            continue;
        };
        let policy = Policy {
            command: match row.command.as_str() {
                "r" => PolicyCommand::Select,
                "a" => PolicyCommand::Insert,
                "w" => PolicyCommand::Update,
                "d" => PolicyCommand::Delete,
                _ => PolicyCommand::All,
            },
            roles: row.roles.into_iter().flatten().map(Ident::new).collect(),
            using: sql(row.using),
            check: sql(row.check),
        };
        table.policies.insert(Ident::new(row.name), policy);
    }
}

pub(super) fn grants(catalog: &mut Catalog, rows: Vec<GrantRow>) {
    for row in rows {
        let on = qualified(&row.schema, &row.table);
        let of_table = catalog.tables.get_mut(&on).map(|table| &mut table.grants);
        let mut views = catalog.views.iter_mut();
        let of_view = || {
            views
                .find(|(name, _)| *name == on)
                .map(|(_, view)| &mut view.grants)
        };
        let Some(grants) = of_table.or_else(of_view) else {
            continue;
        };
        let privileges = Privilege::ALL
            .into_iter()
            .filter(|privilege| row.privileges.iter().any(|word| word == privilege.sql()))
            .collect();
        grants.insert(Ident::new(row.role), privileges);
    }
}

pub(super) fn functions(catalog: &mut Catalog, rows: Vec<FunctionRow>) {
    for row in rows {
        let name = qualified(&row.schema, &row.name);
        let function = Function {
            body: row.body,
            definition: SqlText::made(row.definition),
        };
        // Functions of one name that differ in their parameters are one entry, in the order of their parameters.
        match catalog.functions.get_mut(&name) {
            Some(known) => {
                let both = [known.definition.as_str(), function.definition.as_str()].join("\n");
                known.definition = SqlText::made(both);
                known.body.push_str(&function.body);
            }
            None => {
                catalog.functions.insert(name, function);
            }
        }
    }
}

pub(super) fn views(catalog: &mut Catalog, rows: Vec<ViewRow>) {
    for row in rows {
        let options = rows::options(row.options);
        let invoker = options.get("security_invoker");
        let view = View {
            query: SqlText::made(row.query),
            materialized: row.materialized,
            security_invoker: invoker
                .is_some_and(|value| matches!(value.as_str(), "true" | "on" | "1")),
            key: Vec::new(),
            grants: BTreeMap::new(),
            comment: row.comment,
        };
        catalog
            .views
            .push((qualified(&row.schema, &row.name), view));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_condition_of_a_trigger_is_found_among_quotes_and_brackets() {
        let definition = "CREATE TRIGGER t BEFORE UPDATE ON s.t FOR EACH ROW WHEN ((old.a <> ')'::text)) EXECUTE FUNCTION s.f()";
        assert_eq!(condition(definition), Some("(old.a <> ')'::text)"));
        assert_eq!(
            condition("CREATE TRIGGER t BEFORE UPDATE ON s.t FOR EACH ROW EXECUTE FUNCTION s.f()"),
            None
        );
    }
}
