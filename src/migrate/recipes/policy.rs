//! Policies and row-level security.

use std::collections::BTreeSet;

use crate::catalog::{Catalog, ObjectPath, Table};
use crate::compile::Writer;
use crate::error::Error;
use crate::migrate::change::{Change, What};
use crate::migrate::draft::{Draft, Slot, alter};
use crate::migrate::plan::{Hazard, HazardKind, Part};
use crate::migrate::recipe::Recipe;
use crate::sql::{Ident, QualifiedName, SqlText, fill, fold, quote_ident, quote_qualified, tokens};

pub(in crate::migrate) static POLICY: Recipe = Recipe {
    name: "policy",
    doc: "policies change at the switch, all of a table's in one transaction, so that no row is ever open or shut by half",
    handles: |change| matches!(change.object, ObjectPath::Policy(..)),
    steps: policy,
};

fn create_policy(
    draft: &Draft<'_>,
    catalog: &Catalog,
    table: &QualifiedName,
    name: &Ident,
) -> Result<Option<SqlText>, Error> {
    let Some(made) = catalog.tables.get(table).and_then(|t| t.policies.get(name)) else {
        return Ok(None);
    };
    let mut writer = Writer::new(draft.environment);
    writer.policy(table, name, made)?;
    Ok(writer.take().into_iter().next().map(|made| made.sql))
}

fn policy(change: &Change, draft: &mut Draft<'_>) -> Result<(), Error> {
    let ObjectPath::Policy(table, name) = &change.object else {
        return Ok(());
    };
    let was = match &change.what {
        What::Renamed(from) => create_policy(draft, draft.from, table, from)?,
        _ => create_policy(draft, draft.from, table, name)?,
    };
    let now = create_policy(draft, draft.to, table, name)?;
    let drop = |name: &Ident| {
        let parts = [
            ("name", &quote_ident(name)),
            ("table", &quote_qualified(table)),
        ];
        fill("DROP POLICY {name} ON {table}", &parts)
    };
    let old = match &change.what {
        What::Renamed(from) => from,
        _ => name,
    };
    if let Some(was) = was {
        let pair = (drop(old), vec![Part::new(was)]);
        draft.switch(table, Slot::DropRules, &change.object, pair);
    }
    if let Some(now) = now {
        let pair = (now, vec![Part::new(drop(name))]);
        draft.switch(table, Slot::Rules, &change.object, pair);
    }
    Ok(())
}

pub(in crate::migrate) static ROW_SECURITY: Recipe = Recipe {
    name: "row-security",
    doc: "row-level security is turned on and off at the switch, together with the policies",
    handles: |change| {
        matches!(
            change.object,
            ObjectPath::RowSecurity(_) | ObjectPath::ForceRowSecurity(_)
        )
    },
    steps: |change, draft| {
        let (table, on, off) = match &change.object {
            ObjectPath::RowSecurity(table) => (
                table,
                alter(table, "ENABLE ROW LEVEL SECURITY", &[]),
                alter(table, "DISABLE ROW LEVEL SECURITY", &[]),
            ),
            ObjectPath::ForceRowSecurity(table) => (
                table,
                alter(table, "FORCE ROW LEVEL SECURITY", &[]),
                alter(table, "NO FORCE ROW LEVEL SECURITY", &[]),
            ),
            _ => return Ok(()),
        };
        let (forward, back) = if change.what == What::Created {
            (on, off)
        } else {
            (off, on)
        };
        let pair = (forward, vec![Part::new(back)]);
        draft.switch(table, Slot::Rules, &change.object, pair);
        let is_new =
            matches!(change.object, ObjectPath::RowSecurity(_)) && change.what == What::Created;
        if let Some(asked) = is_new.then(|| asked_anew(draft, table)).flatten() {
            let subject = table.name.as_str().to_owned();
            let text = format!(
                "programs of the old version that do not {asked} see no row of {subject} from here on, and write none: let them do so before"
            );
            let kind = HazardKind::BreaksOld;
            draft.switch_hazard(
                table,
                Hazard {
                    kind,
                    subject,
                    text,
                },
            );
        }
        Ok(())
    },
};

/// What the policies of a table ask of a session, where no policy of the old schema asks it.
fn asked_anew(draft: &Draft<'_>, table: &QualifiedName) -> Option<String> {
    let known: BTreeSet<String> = draft.from.tables.values().flat_map(settings).collect();
    let now = settings(draft.to.tables.get(table)?);
    let new: Vec<&str> = now.difference(&known).map(String::as_str).collect();
    match new.is_empty() {
        true if now.is_empty() => Some("have a role that its policies let in".to_owned()),
        true => None,
        false => Some(format!("set {}", new.join(" and "))),
    }
}

/// The settings that policies of a table read.
fn settings(table: &Table) -> BTreeSet<String> {
    let policies = table.policies.values();
    let said = policies.flat_map(|policy| policy.using.iter().chain(&policy.check));
    let read = said.flat_map(|sql| {
        let all: Vec<&str> = tokens(sql.as_str())
            .iter()
            .map(|token| token.text(sql.as_str()))
            .collect();
        let calls = all
            .windows(3)
            .filter(|call| fold(call[0]) == "current_setting" && call[1] == "(");
        calls
            .map(|call| call[2].trim_matches('\'').to_owned())
            .collect::<Vec<_>>()
    });
    read.collect()
}
