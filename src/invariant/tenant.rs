//! What a rule's function sees under forced policies.
//!
//! It runs as the owner of the tables, whom forced policies confine to the tenant in the setting as they do everybody. The caller's setting is
//! no guide: maintenance passes policies by and has set none, and a deferred trigger fires when the transaction may have gone on to another
//! tenant. So the function looks as the tenant of the row that it was called for, and puts the caller's setting back. A caller that does not
//! want to miss rows (a dump, a backfill) has set `row_security` to off, under which the owner could not look at all.

use super::derived::Derived;
use super::subject::Subject;
use crate::design::{Name, Rule};
use crate::finding::Finding;
use crate::source::Text;
use crate::sql::{Ident, SqlText, column_of, fill, literal};

/// Settings that policies on a table compare, each with the table's column.
fn tenants<'a>(subject: &Subject<'a>, table: &Ident) -> Vec<(&'a Text, &'a Ident)> {
    let mut found: Vec<(&Text, &Ident)> = Vec::new();
    for invariant in &subject.model.invariants {
        if let Rule::Isolated {
            tables,
            by,
            setting,
            ..
        } = &invariant.rule
            && invariant.enforced.is_databases()
            && tables.iter().any(|name| name.ident == *table)
            && !found.iter().any(|(other, _)| *other == setting)
        {
            found.push((setting, &by.ident));
        }
    }
    found
}

impl Derived<'_> {
    /// `statements` of a function that is called for `row` of `on` and looks at `seen`, looking as the tenant of the row. A statement that
    /// raises takes the setting back with all else that it did.
    pub(crate) fn as_tenant(
        &mut self,
        subject: &Subject,
        (on, row): (&Name, &'static str),
        seen: &[&Name],
        statements: SqlText,
    ) -> SqlText {
        let own = tenants(subject, &on.ident);
        for table in seen {
            let hidden = tenants(subject, &table.ident)
                .into_iter()
                .find(|(setting, _)| !own.iter().any(|(other, _)| other == setting));
            if let Some((setting, _)) = hidden {
                self.blind(subject, on, table, setting);
            }
        }
        if !seen
            .iter()
            .any(|table| !tenants(subject, &table.ident).is_empty())
        {
            return statements;
        }
        own.into_iter().fold(statements, |statements, (setting, by)| {
            fill(
                "DECLARE\n  pgproof_caller text := current_setting({setting}, true);\n  pgproof_policies text := current_setting('row_security');\nBEGIN\n  PERFORM set_config({setting}, ({tenant})::text, true), set_config('row_security', 'on', true);\n  {statements}\n  PERFORM set_config({setting}, pgproof_caller, true), set_config('row_security', pgproof_policies, true);\nEND;",
                &[
                    ("setting", &literal(setting.as_str())),
                    ("tenant", &column_of(row, by)),
                    ("statements", &statements),
                ],
            )
        })
    }

    /// A row of no tenant is judged by rows of all tenants, of which the function sees one tenant's.
    fn blind(&mut self, subject: &Subject, on: &Name, seen: &Name, setting: &Text) {
        let message = format!(
            "a trigger on `{}` keeps the rule, and sees of `{}` only the rows of the tenant in `{setting}`",
            on.as_str(),
            seen.as_str(),
        );
        let of = format!("invariant {}", subject.invariant.name.as_str());
        let at = subject.invariant.name.at;
        let is_said = |finding: &Finding| finding.message == message && finding.subject == of;
        if self.findings.iter().any(is_said) {
            return;
        }
        let help = format!(
            "isolate `{}` by the same setting, or keep the rule by a constraint: foreign keys and unique indexes see the rows of all tenants",
            on.as_str()
        );
        self.findings
            .push(Finding::error("rule-across-tenants", of, message, at).help(help));
    }
}
