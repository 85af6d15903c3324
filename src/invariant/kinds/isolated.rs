//! `isolated`: a tenant never sees or touches another tenant's rows.

use crate::catalog::{ObjectPath, Policy, PolicyCommand};
use crate::design::{InvariantKind, Name, Rule};
use crate::finding::About;
use crate::invariant::case::Case;
use crate::invariant::derived::Derived;
use crate::invariant::registry::Kind;
use crate::invariant::subject::{Subject, authored, short};
use crate::source::Text;
use crate::sql::{SqlText, fill, literal, quote_ident};

pub(crate) static KIND: Kind = Kind {
    about: About {
        name: "isolated",
        title: "a tenant never sees or touches another tenant's rows",
        docs: "Enforced by row-level security, enabled and forced (so that the owner is subject to it too), with one policy per table that compares \
               `by` with the setting. Where the setting is missing or empty, no row is visible. Rules that triggers keep look as the tenant of \
               the row that was written, whoever writes it and whatever the setting says by the time they look.\n\n\
               It is attacked as the role and as the owner of the tables: directly, by unique and foreign keys that do not name the tenant (they say \
               whether another tenant has a value), and through views, functions that run as their owner, and commands.\n\n\
               ```yaml\nisolated: {tables: [invoice, payment], by: tenant_id, setting: app.tenant_id, role: app}\n```",
        since: "0.1.0",
    },
    kind: InvariantKind::Isolated,
    drift,
    enforce,
    cases,
};

fn parts<'a>(subject: &Subject<'a>) -> Option<(&'a [Name], &'a Name, &'a Text)> {
    match &subject.invariant.rule {
        Rule::Isolated {
            tables,
            by,
            setting,
            ..
        } => Some((tables, by, setting)),
        _ => None,
    }
}

/// What a row looks like does not say who saw it.
fn drift(_: &Subject) -> Option<SqlText> {
    None
}

fn enforce(subject: &Subject, derived: &mut Derived) {
    let Some((tables, by, setting)) = parts(subject) else {
        return;
    };
    for name in tables {
        let on = subject.qualified(name);
        let Some(data_type) = subject.column_type(name, &by.ident) else {
            continue;
        };
        let condition = fill(
            "{by} = nullif(current_setting({setting}, true), '')::{type}",
            &[
                ("by", &quote_ident(&by.ident)),
                ("setting", &literal(setting.as_str())),
                ("type", &authored(data_type)),
            ],
        );
        let policy = match &subject.invariant.derived_name {
            Some(name) => name.ident.clone(),
            None => short(&subject.slug()),
        };
        let Some(table) = derived.table(&on) else {
            continue;
        };
        table.row_security = true;
        table.force_row_security = true;
        let made = Policy {
            command: PolicyCommand::All,
            roles: Vec::new(),
            using: Some(condition.clone()),
            check: Some(condition),
        };
        table.policies.insert(policy.clone(), made);
        derived.credit(subject, vec![ObjectPath::Policy(on.clone(), policy)]);
        derived.credit(subject, vec![ObjectPath::RowSecurity(on.clone())]);
        derived.credit(subject, vec![ObjectPath::ForceRowSecurity(on)]);
    }
}

/// Needs two tenants and a role, which the player of cases does not know; `verify` attacks it itself.
fn cases(_: &Subject) -> Vec<Case> {
    Vec::new()
}
