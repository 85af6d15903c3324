//! The plan while it is made: recipes push steps with a phase and a rank, and collect what one table's switch is to do in one transaction.

use std::collections::{BTreeMap, BTreeSet};

use super::change::{Facet, What};
use super::diff::Diff;
use super::plan::{Backfill, Hazard, HazardKind, Part, Phase, Plan, Reverse, Step};
use super::policy::Policy;
pub(super) use super::rank::{Rank, Slot};
use crate::catalog::{Catalog, ObjectPath, Table};
use crate::compile::derived;
use crate::error::Error;
use crate::sql::words::renamed;
use crate::sql::{Ident, QualifiedName, SqlText, fill, quote_ident, quote_qualified};
use crate::template::Environment;

/// A step without its number.
pub(super) struct Item {
    pub rank: Rank,
    pub step: Step,
    /// What a backfill fills; no columns where it brings whole rows.
    pub fills: Option<(QualifiedName, Vec<Ident>)>,
    /// The statement of a backfill of the design's own.
    pub reads: Option<SqlText>,
}

impl Item {
    pub(super) fn new(
        phase: Phase,
        rank: Rank,
        title: impl Into<String>,
        cause: &ObjectPath,
    ) -> Item {
        Item {
            rank,
            fills: None,
            reads: None,
            step: Step {
                number: 0,
                phase,
                title: title.into(),
                because: None,
                causes: vec![cause.clone()],
                parts: Vec::new(),
                reverse: Reverse::Parts(Vec::new()),
                resume: Vec::new(),
                check: None,
                hazards: Vec::new(),
                is_parity: false,
                past_policies: false,
                locks: Vec::new(),
                backfill: None,
            },
        }
    }

    pub(super) fn part(mut self, sql: SqlText) -> Item {
        self.step.parts.push(Part::new(sql));
        self
    }

    pub(super) fn parts(mut self, all: impl IntoIterator<Item = SqlText>) -> Item {
        self.step.parts.extend(all.into_iter().map(Part::new));
        self
    }

    /// A statement that is no part of a transaction.
    pub(super) fn alone(mut self, sql: SqlText) -> Item {
        self.step.parts.push(Part::alone(sql));
        self
    }

    pub(super) fn undo(self, sql: SqlText) -> Item {
        self.undo_parts([Part::new(sql)])
    }

    pub(super) fn undo_parts(mut self, all: impl IntoIterator<Item = Part>) -> Item {
        if let Reverse::Parts(parts) = &mut self.step.reverse {
            parts.extend(all);
        }
        self
    }

    pub(super) fn forward_only(mut self, reason: impl Into<String>) -> Item {
        self.step.reverse = Reverse::ForwardOnly(reason.into());
        self
    }

    pub(super) fn hazard(
        mut self,
        kind: HazardKind,
        subject: impl Into<String>,
        text: impl Into<String>,
    ) -> Item {
        self.step.hazards.push(Hazard {
            kind,
            subject: subject.into(),
            text: text.into(),
        });
        self
    }

    pub(super) fn because(mut self, reason: &'static str) -> Item {
        self.step.because = Some(reason);
        self
    }

    pub(super) fn check(mut self, sql: SqlText) -> Item {
        self.step.check = Some(sql);
        self
    }

    pub(super) fn resume(mut self, sql: SqlText) -> Item {
        self.step.resume.push(Part::alone(sql));
        self
    }

    /// Says that it must see rows that policies hide from the owner.
    pub(super) fn past_policies(mut self, does: bool) -> Item {
        self.step.past_policies |= does;
        self
    }

    pub(super) fn fills(mut self, table: &QualifiedName, columns: Vec<Ident>) -> Item {
        self.fills = Some((table.clone(), columns));
        self
    }

    pub(super) fn backfill(mut self, backfill: Backfill) -> Item {
        self.step.parts.push(Part::alone(backfill.call.clone()));
        self.step.backfill = Some(backfill);
        self
    }
}

#[derive(Default)]
struct Switch {
    forward: Vec<(Slot, SqlText)>,
    back: Vec<(Slot, Vec<Part>)>,
    /// What stood ready for the switch and went with it, made again when it is taken back.
    again: Vec<(Slot, Vec<Part>)>,
    causes: Vec<ObjectPath>,
    hazards: Vec<Hazard>,
    views: BTreeSet<QualifiedName>,
}

/// The plan while it is made.
pub(super) struct Draft<'a> {
    pub diff: &'a Diff,
    /// The old schema, with tables under their new names.
    pub from: &'a Catalog,
    pub to: &'a Catalog,
    pub policy: &'a Policy,
    pub environment: &'a Environment,
    pub notes: Vec<String>,
    items: Vec<Item>,
    switches: BTreeMap<QualifiedName, Switch>,
}

impl<'a> Draft<'a> {
    pub(super) fn new(
        diff: &'a Diff,
        to: &'a Catalog,
        policy: &'a Policy,
        environment: &'a Environment,
    ) -> Draft<'a> {
        Draft {
            diff,
            from: &diff.from,
            to,
            policy,
            environment,
            notes: Vec::new(),
            items: Vec::new(),
            switches: BTreeMap::new(),
        }
    }

    pub(super) fn push(&mut self, item: Item) {
        self.items.push(item);
    }

    /// Whether a step of this title is there.
    pub(super) fn has(&self, title: &str) -> bool {
        self.items.iter().any(|item| item.step.title == title)
    }

    pub(super) fn has_backfill(&self) -> bool {
        self.items.iter().any(|item| item.step.backfill.is_some())
    }

    /// A statement of a table's switch, with what takes it back.
    pub(super) fn switch(
        &mut self,
        table: &QualifiedName,
        slot: Slot,
        cause: &ObjectPath,
        (forward, back): (SqlText, Vec<Part>),
    ) {
        let switch = self.switches.entry(table.clone()).or_default();
        switch.forward.push((slot, forward));
        switch.back.push((slot, back));
        if !switch.causes.contains(cause) {
            switch.causes.push(cause.clone());
        }
    }

    /// What is done at a place of the way back only.
    pub(super) fn switch_back(&mut self, table: &QualifiedName, slot: Slot, parts: Vec<Part>) {
        let switch = self.switches.entry(table.clone()).or_default();
        switch.back.push((slot, parts));
    }

    /// What stood ready for a table's switch, and is made again after the switch was taken back.
    pub(super) fn ready_again(&mut self, table: &QualifiedName, slot: Slot, parts: Vec<Part>) {
        let switch = self.switches.entry(table.clone()).or_default();
        switch.again.push((slot, parts));
    }

    pub(super) fn switch_hazard(&mut self, table: &QualifiedName, hazard: Hazard) {
        let switch = self.switches.entry(table.clone()).or_default();
        switch.hazards.push(hazard);
    }

    /// Says that a view is dropped and made again in a table's switch, so that all tables of the view switch together.
    pub(super) fn switch_view(&mut self, table: &QualifiedName, view: &QualifiedName) {
        let switch = self.switches.entry(table.clone()).or_default();
        switch.views.insert(view.clone());
    }

    /// Both sides of a table that is in both.
    pub(super) fn both(&self, table: &QualifiedName) -> Option<(&'a Table, &'a Table)> {
        Some((self.from.tables.get(table)?, self.to.tables.get(table)?))
    }

    /// A type under another name where a new one of the same name is built beside it: `new` before the switch, `old` after it.
    pub(super) fn swapped(&self, data_type: &SqlText, wanted: &'static str) -> SqlText {
        let mut out = data_type.clone();
        for change in &self.diff.changes {
            if let (ObjectPath::Type(name), What::Altered(Facet::LabelsReplaced)) =
                (&change.object, &change.what)
            {
                let other = derived(&[name.name.as_str(), wanted]);
                out = renamed(&out, &name.name, &other);
            }
        }
        out
    }

    /// The name under which something is built while the old one has its name.
    pub(super) fn built(&self, name: &Ident) -> Ident {
        derived(&[name.as_str(), "new"])
    }

    /// The name under which something old stays until it goes.
    pub(super) fn kept(&self, name: &Ident) -> Ident {
        derived(&[name.as_str(), "old"])
    }

    pub(super) fn finish(mut self) -> Result<Plan, Error> {
        self.join_switches();
        let switches = std::mem::take(&mut self.switches);
        for (table, switch) in switches {
            self.items.push(switched(&table, switch));
        }
        self.items.sort_by_key(|item| (item.step.phase, item.rank));
        let steps = super::declared::ordered(self.items).into_iter().enumerate();
        Ok(Plan {
            schema: self.policy.schema.as_str().to_owned(),
            version: self.policy.version,
            // Writers queue behind a step while it waits for its lock, and again while it holds it.
            lock_timeout_ms: (self.policy.lock * 1e3 / 2.0) as u64,
            statement_timeout_ms: (self.policy.statement * 1e3) as u64,
            contract_after: self.policy.contract_after,
            compatibility: self.policy.compatibility.clone(),
            steps: steps
                .map(|(at, item)| Step {
                    number: at + 1,
                    ..item.step
                })
                .collect(),
            notes: self.notes,
        })
    }

    /// Tables whose views are made again switch in one transaction: a view must never be away. What joins may bring further ones along.
    fn join_switches(&mut self) {
        while let Some((name, other)) = self.sharing() {
            if let Some(joined) = self.switches.remove(&other)
                && let Some(switch) = self.switches.get_mut(&name)
            {
                switch.forward.extend(joined.forward);
                switch.back.extend(joined.back);
                switch.again.extend(joined.again);
                switch.causes.extend(joined.causes);
                switch.hazards.extend(joined.hazards);
                switch.views.extend(joined.views);
            }
        }
    }

    fn sharing(&self) -> Option<(QualifiedName, QualifiedName)> {
        self.switches.iter().find_map(|(name, one)| {
            let mut later = self.switches.range(name..).skip(1);
            let other = later.find(|(_, other)| !one.views.is_disjoint(&other.views))?;
            Some((name.clone(), other.0.clone()))
        })
    }
}

fn switched(table: &QualifiedName, mut switch: Switch) -> Item {
    switch.forward.sort_by_key(|(slot, _)| *slot);
    switch.back.sort_by_key(|(slot, _)| *slot);
    let names: BTreeSet<&str> = switch
        .causes
        .iter()
        .filter_map(|cause| Some(cause.table()?.name.as_str()))
        .chain([table.name.as_str()])
        .collect();
    let names: Vec<&str> = names.into_iter().collect();
    let cause = ObjectPath::Table(table.clone());
    let mut item = Item::new(
        Phase::Switch,
        Rank::Tables,
        format!("switch {}", names.join(", ")),
        &cause,
    )
    .because("everything that changes its place at once does so in one short transaction");
    let mut seen = BTreeSet::new();
    for (_, sql) in switch.forward {
        if is_repeated(&sql) || seen.insert(sql.as_str().to_owned()) {
            item = item.part(sql);
        }
    }
    item.step.causes = switch.causes;
    item.step.hazards = switch.hazards;
    let mut seen = BTreeSet::new();
    let mut back: Vec<Part> = Vec::new();
    for (_, parts) in switch.back.into_iter().rev() {
        for part in parts {
            if is_repeated(&part.sql) || seen.insert(part.sql.as_str().to_owned()) {
                back.push(part);
            }
        }
    }
    // What refuses a transaction is prepared before it, or proven after it: never in the middle.
    let (alone, together): (Vec<Part>, Vec<Part>) = back.into_iter().partition(|part| part.alone);
    let (first, last): (Vec<Part>, Vec<Part>) = alone
        .into_iter()
        .partition(|part| part.sql.as_str().starts_with("CREATE"));
    switch.again.sort_by_key(|(slot, _)| *slot);
    let again = switch.again.into_iter().flat_map(|(_, parts)| parts);
    item.undo_parts(first.into_iter().chain(together).chain(last).chain(again))
}

/// Whether a statement may stand in a switch more than once: policies are forced again after each proof.
fn is_repeated(sql: &SqlText) -> bool {
    sql.as_str().ends_with(" FORCE ROW LEVEL SECURITY")
}

/// `ALTER TABLE …`.
pub(super) fn alter(
    table: &QualifiedName,
    rest: &'static str,
    parts: &[(&str, &SqlText)],
) -> SqlText {
    let rest = fill(rest, parts);
    fill(
        "ALTER TABLE {table}\n    {rest}",
        &[("table", &quote_qualified(table)), ("rest", &rest)],
    )
}

/// `ALTER TABLE … ALTER COLUMN …`.
pub(super) fn alter_column(
    table: &QualifiedName,
    column: &Ident,
    rest: &'static str,
    parts: &[(&str, &SqlText)],
) -> SqlText {
    let rest = fill(rest, parts);
    let column = quote_ident(column);
    let parts = [("column", &column), ("rest", &rest)];
    alter(table, "ALTER COLUMN {column} {rest}", &parts)
}

/// `ALTER TABLE … RENAME CONSTRAINT …`.
pub(super) fn rename_constraint(table: &QualifiedName, from: &Ident, to: &Ident) -> SqlText {
    let parts = [("from", &quote_ident(from)), ("to", &quote_ident(to))];
    alter(table, "RENAME CONSTRAINT {from} TO {to}", &parts)
}

/// `ALTER TABLE … DROP CONSTRAINT …`.
pub(super) fn drop_constraint(table: &QualifiedName, name: &Ident) -> SqlText {
    let name = quote_ident(name);
    alter(table, "DROP CONSTRAINT {name}", &[("name", &name)])
}

/// `ALTER TABLE … ADD CONSTRAINT …`, where `rest` is the constraint with what follows it.
pub(super) fn add_constraint(
    table: &QualifiedName,
    constraint: &SqlText,
    rest: &'static str,
) -> SqlText {
    let rest = fill(rest, &[]);
    let parts = [("constraint", constraint), ("rest", &rest)];
    alter(table, "ADD {constraint}{rest}", &parts)
}

/// `ALTER TABLE … VALIDATE CONSTRAINT …`.
pub(super) fn validate(table: &QualifiedName, name: &Ident) -> SqlText {
    let name = quote_ident(name);
    alter(table, "VALIDATE CONSTRAINT {name}", &[("name", &name)])
}

/// `name` in the schema of a table.
pub(super) fn beside(table: &QualifiedName, name: &Ident) -> SqlText {
    quote_qualified(&QualifiedName::new(table.schema.clone(), name.clone()))
}

/// `DROP TRIGGER …`.
pub(super) fn drop_trigger(table: &QualifiedName, name: &Ident) -> SqlText {
    let parts = [
        ("name", &quote_ident(name)),
        ("table", &quote_qualified(table)),
    ];
    fill("DROP TRIGGER {name} ON {table}", &parts)
}

/// `DROP FUNCTION …` of a trigger function in the schema of a table.
pub(super) fn drop_function(table: &QualifiedName, name: &Ident) -> SqlText {
    fill("DROP FUNCTION {name}()", &[("name", &beside(table, name))])
}

/// `ALTER INDEX … RENAME TO …`.
pub(super) fn rename_index(table: &QualifiedName, from: &Ident, to: &Ident) -> SqlText {
    let parts = [("from", &beside(table, from)), ("to", &quote_ident(to))];
    fill("ALTER INDEX {from} RENAME TO {to}", &parts)
}
