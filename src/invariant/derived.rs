//! What an invariant adds to the schema, and what is remembered of it.

use std::collections::BTreeMap;

use super::guard::counter;
use super::registry::drift;
use super::subject::Subject;
use super::tally::Tally;
use crate::catalog::{
    Catalog, Column, Function, Index, IndexKey, ObjectPath, Table, Trigger, TriggerTiming, Unique,
};
use crate::finding::Finding;
use crate::source::Span;
use crate::sql::{Ident, QualifiedName, SqlText, fill, fixed, quote_ident, quote_qualified};

/// Something that enforces something; taken out by `mutate` to see whether anybody notices.
#[derive(Clone, Debug)]
pub struct Mechanism {
    /// Invariant it is credited with; `None` for a constraint that stands for itself.
    pub invariant: Option<String>,
    /// What people call it.
    pub title: String,
    /// Taken out together.
    pub objects: Vec<ObjectPath>,
    /// Where the design asks for it.
    pub at: Span,
}

/// The schema under construction.
pub struct Derived<'a> {
    /// Schema so far.
    pub catalog: &'a mut Catalog,
    /// Mechanisms so far.
    pub mechanisms: &'a mut Vec<Mechanism>,
    /// Origins so far.
    pub provenance: &'a mut BTreeMap<ObjectPath, Span>,
    /// What is wrong.
    pub findings: &'a mut Vec<Finding>,
    /// Guard tables so far.
    pub tallies: &'a mut Vec<Tally>,
}

/// A unique index over whole columns; over nothing at all it allows one row.
pub fn unique_index(columns: &[Ident], predicate: Option<SqlText>) -> Index {
    let key = |expression, column| IndexKey {
        expression,
        column,
        collation: None,
        opclass: None,
        descending: false,
        nulls_first: false,
    };
    let mut keys: Vec<IndexKey> = columns
        .iter()
        .map(|column| key(quote_ident(column), Some(column.clone())))
        .collect();
    if keys.is_empty() {
        keys.push(key(fixed("(true)"), None));
    }
    Index {
        method: Ident::new("btree"),
        unique: true,
        keys,
        include: Vec::new(),
        predicate,
        with: BTreeMap::new(),
    }
}

/// A trigger still without its function.
pub(crate) struct TriggerShape {
    pub timing: TriggerTiming,
    pub events: &'static [&'static str],
    pub columns: Vec<Ident>,
    pub when: Option<SqlText>,
}

impl TriggerShape {
    pub fn new(timing: TriggerTiming, events: &'static [&'static str]) -> TriggerShape {
        TriggerShape {
            timing,
            events,
            columns: Vec::new(),
            when: None,
        }
    }

    pub fn of(mut self, columns: Vec<Ident>) -> TriggerShape {
        self.columns = columns;
        self
    }
}

impl Derived<'_> {
    /// The catalog's table, where it exists.
    pub(crate) fn table(&mut self, name: &QualifiedName) -> Option<&mut Table> {
        self.catalog.tables.get_mut(name)
    }

    /// Credits the invariant with objects. A constraint that was a mechanism by itself becomes this invariant's.
    pub(crate) fn credit(&mut self, subject: &Subject, objects: Vec<ObjectPath>) {
        self.mechanisms.retain(|other| {
            other.invariant.is_some() || !other.objects.iter().all(|o| objects.contains(o))
        });
        for object in &objects {
            self.provenance
                .entry(object.clone())
                .or_insert(subject.invariant.name.at);
        }
        self.mechanisms.push(Mechanism {
            invariant: Some(subject.invariant.name.as_str().to_owned()),
            title: objects
                .iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>()
                .join(" with "),
            objects,
            at: subject.invariant.name.at,
        });
    }

    /// A trigger function in the design's schema. It runs with its owner's rights on a fixed path, so that the rule holds for roles that
    /// may not see what it looks at.
    pub(crate) fn function(
        &mut self,
        subject: &Subject,
        name: Ident,
        body: SqlText,
    ) -> QualifiedName {
        let name = subject.model.qualified(&name);
        // A column may be called as a variable is: `new`, `total`.
        let body = fill("#variable_conflict use_column\n{body}", &[("body", &body)]);
        let definition = fill(
            "CREATE FUNCTION {name}() RETURNS trigger\n    LANGUAGE plpgsql\n    SECURITY DEFINER\n    SET search_path = {schema}, public, pg_temp\nAS $$\n{body}\n$$",
            &[
                ("name", &quote_qualified(&name)),
                ("schema", &quote_ident(&subject.model.database.schema)),
                ("body", &body),
            ],
        );
        let function = Function {
            body: format!("\n{}\n", body.as_str().trim_end()),
            definition,
        };
        self.provenance.insert(
            ObjectPath::Function(name.clone()),
            subject.invariant.name.at,
        );
        self.catalog.functions.insert(name.clone(), function);
        name
    }

    /// A trigger; its path.
    pub(crate) fn trigger(
        &mut self,
        subject: &Subject,
        on: &QualifiedName,
        name: Ident,
        shape: TriggerShape,
        function: &QualifiedName,
    ) -> Option<ObjectPath> {
        let path = ObjectPath::Trigger(on.clone(), name.clone());
        self.provenance
            .insert(path.clone(), subject.invariant.name.at);
        let trigger = Trigger {
            timing: shape.timing,
            events: shape
                .events
                .iter()
                .map(|event| (*event).to_owned())
                .collect(),
            columns: shape.columns,
            when: shape.when,
            function: function.clone(),
        };
        self.table(on)?.triggers.insert(name, trigger);
        Some(path)
    }

    /// A table that serialises the writers of one group: one row per group, written before anything is counted.
    pub(crate) fn guard_table(
        &mut self,
        subject: &Subject,
        of: &QualifiedName,
        name: Ident,
        per: &[Ident],
        counters: &[&'static str],
    ) -> QualifiedName {
        let guard = subject.model.qualified(&name);
        let source = self.catalog.tables.get(of);
        let mut columns: Vec<Column> = per
            .iter()
            .filter_map(|column| source?.column(column))
            .map(|column| Column {
                nullable: false,
                default: None,
                comment: None,
                ..column.clone()
            })
            .collect();
        let mut key = per.to_vec();
        let plain = |name: &str, data_type: &'static str, default: &'static str| Column {
            name: Ident::new(name),
            data_type: fixed(data_type),
            nullable: false,
            default: Some(crate::catalog::ColumnDefault::Expression(fixed(default))),
            collation: None,
            comment: None,
        };
        if per.is_empty() {
            columns.push(plain("only", "boolean", "true"));
            key.push(Ident::new("only"));
        }
        columns.extend(
            counters
                .iter()
                .map(|name| plain(counter(name, per).as_str(), "numeric", "0")),
        );
        let comment = format!(
            "one group of {}; locked and counted by the triggers that keep `{}`",
            of.name.as_str(),
            subject.invariant.name.as_str()
        );
        let primary_key = Some((
            super::subject::short(&format!("{}_pkey", name.as_str())),
            Unique {
                columns: key,
                deferred: false,
            },
        ));
        let table = Table {
            columns,
            primary_key,
            comment: Some(comment),
            ..Table::default()
        };
        self.provenance
            .insert(ObjectPath::Table(guard.clone()), subject.invariant.name.at);
        self.catalog.tables.insert(guard.clone(), table);
        self.tallies.push(Tally {
            guard: guard.clone(),
            table: of.clone(),
            per: per.to_vec(),
            function: None,
            totals: Vec::new(),
            drift: drift(subject.model, subject.invariant),
        });
        guard
    }

    /// Says what the counters of a guard table hold, and which function keeps them.
    pub(crate) fn counts(
        &mut self,
        guard: &QualifiedName,
        function: &QualifiedName,
        totals: Vec<(Ident, SqlText)>,
    ) {
        let mut tallies = self.tallies.iter_mut();
        if let Some(tally) = tallies.find(|tally| tally.guard == *guard) {
            tally.function = Some(function.clone());
            tally.totals = totals;
        }
    }
}
