//! Facts made from a design.

use std::collections::BTreeSet;

use super::super::subject::Subject;
use super::super::words;
use super::super::world::{Owner, Statement, World};
use super::index;
use super::shape::{
    ColumnFacts, CommandFacts, DesignFacts, IndexFacts, InvariantFacts, ProjectionFacts, QueryItem,
    ReferenceFacts, StatementFacts, TableFacts,
};
use crate::design::{
    self, Column, Command, Enforcement, ForeignKey, Index, Invariant, InvariantKind, Model,
    Projection, Query, Table,
};
use crate::source::Text;
use crate::sql::Ident;
use crate::template::Fact;

fn said(text: Option<&Text>) -> Option<String> {
    text.map(|text| text.as_str().trim().to_owned())
        .filter(|text| !text.is_empty())
}

/// A variant's name as the language writes it: `MaterializedView` is `materialized view`.
fn word(variant: impl std::fmt::Debug) -> String {
    let mut word = String::new();
    for c in format!("{variant:?}").chars() {
        if c.is_uppercase() && !word.is_empty() {
            word.push(' ');
        }
        word.extend(c.to_lowercase());
    }
    word
}

fn names<'m>(names: impl IntoIterator<Item = &'m design::Name>) -> Vec<String> {
    names
        .into_iter()
        .map(|name| name.as_str().to_owned())
        .collect()
}

pub(in crate::check) fn design(model: &Model) -> Fact {
    let document = &model.document;
    Fact::new(&DesignFacts {
        name: model.name.as_str().to_owned(),
        title: model.title.clone(),
        status: said(document.status.as_ref()),
        owner: said(document.owner.as_ref()),
        change: document.change.map(word),
        risk: document.risk.map(word),
        version: model.database.version,
        schema: model.database.schema.as_str().to_owned(),
        sections: model
            .sections
            .iter()
            .filter(|section| section.size > 0)
            .map(|section| section.name.clone())
            .collect(),
        tables: model.tables.len(),
        queries: model.queries.len(),
    })
}

pub(in crate::check) fn table(world: &World, table: &Table) -> Fact {
    let name = table.name.as_str();
    let whole = world.access(name).iter().filter(|access| {
        // A partial unique index is what an invariant of the design asks for; the rows it leaves out are those that are over.
        (access.whole || access.unique)
            && matches!(access.method.as_str(), "btree" | "hash" | "gist")
    });
    Fact::new(&TableFacts {
        name: name.to_owned(),
        grain: said(table.grain.as_ref()),
        role: table.role.map(word),
        owner: said(table.owner.as_ref()),
        means: said(table.means.as_ref()),
        columns: table
            .columns
            .iter()
            .map(|c| c.name.as_str().to_owned())
            .collect(),
        key: names(&table.key),
        rows: table.volume.as_ref().map(|volume| volume.rows),
        grows: table.volume.as_ref().map(|volume| volume.grows),
        queries: queries(world, name),
        is_small: world.is_small(table),
        tenant: world.tenant(name).map(|tenant| tenant.as_str().to_owned()),
        partition: table.partition.as_ref().map(|p| p.by.as_str().to_owned()),
        is_append_only: world.is_append_only(name),
        is_projected: world.is_projected(name),
        has_retention: !table.retention.is_empty(),
        access: whole
            .map(|access| {
                let keys = access.keys.iter().map_while(Option::as_ref);
                keys.map(|key| key.as_str().to_owned()).collect()
            })
            .collect(),
    })
}

/// Catalogued queries that read a table.
fn queries(world: &World, table: &str) -> Vec<String> {
    let reads = world.statements.iter().filter(|statement| {
        let facts = statement.facts.as_ref();
        facts.is_some_and(|facts| facts.reads.contains(table))
    });
    let name = |statement: &Statement| match statement.owner {
        Owner::Query(query) => Some(query.name.as_str().to_owned()),
        _ => None,
    };
    reads.filter_map(name).collect()
}

/// Facts of the subject itself.
pub(in crate::check) fn own(world: &World, subject: &Subject) -> Fact {
    match subject {
        Subject::Design(model) => design(model),
        Subject::Table(of) => table(world, of),
        Subject::Column(of, column) => Fact::new(&column_facts(world, of, column)),
        Subject::Reference(of, key) => Fact::new(&reference_facts(world, of, key)),
        Subject::Index(of, index) => Fact::new(&index_facts(world, of, index)),
        Subject::Query(query) => Fact::new(&query_facts(world, query)),
        Subject::Statement(statement) => Fact::new(&statement_facts(statement)),
        Subject::Invariant(invariant) => Fact::new(&invariant_facts(invariant)),
        Subject::Command(command) => Fact::new(&command_facts(world, command)),
        Subject::Projection(projection) => Fact::new(&projection_facts(projection)),
    }
}

fn column_facts(world: &World, table: &Table, column: &Column) -> ColumnFacts {
    let name = column.name.as_str();
    let declared = column.data_type.as_str().trim();
    let means = said(column.means.as_ref());
    let about = means.clone().unwrap_or_default();
    let is_user_type = world.model.user_type(declared).is_some();
    ColumnFacts {
        name: name.to_owned(),
        data_type: declared.to_owned(),
        base: world.base_type(declared),
        values: world
            .values(column)
            .into_iter()
            .map(str::to_owned)
            .collect(),
        nullable: column.nullable,
        nullable_because: said(column.nullable_because.as_ref()),
        default: said(column.default.as_ref()),
        is_identity: column.identity.is_some(),
        is_generated: column.generated.is_some(),
        time: column.time.map(word),
        sensitivity: column.sensitivity.map(word),
        is_derived: column.derived,
        is_key: table.key.contains(&column.name),
        is_reference: table
            .references
            .iter()
            .any(|key| key.columns.contains(&column.name)),
        has_transitions: world.has_transitions(table.name.as_str(), name),
        is_money: words::is_money(name, &about),
        is_state: words::is_state(name) || (is_user_type && words::is_state(declared)),
        is_update_time: words::is_update_time(name),
        is_personal: words::is_personal(name),
        means,
    }
}

fn reference_facts(world: &World, table: &Table, key: &ForeignKey) -> ReferenceFacts {
    let own = world.tenant(table.name.as_str());
    let theirs = world.tenant(key.to.as_str());
    let forgets = match (own, theirs) {
        (Some(own), Some(theirs)) => {
            let holds = |columns: &[design::Name], tenant: &Ident| {
                columns.iter().position(|column| column.ident == *tenant)
            };
            let place = holds(&key.columns, own);
            let both = place.is_some() && place == holds(&key.key, theirs);
            (!both).then(|| own.as_str().to_owned())
        }
        _ => None,
    };
    ReferenceFacts {
        name: key.name.as_str().to_owned(),
        columns: names(&key.columns),
        to: key.to.as_str().to_owned(),
        key: names(&key.key),
        on_delete: key.on_delete.map(word),
        on_update: key.on_update.map(word),
        is_deferrable: key.deferrable,
        because: said(key.because.as_ref()),
        forgets,
        to_is_append_only: world.is_append_only(key.to.as_str()),
    }
}

fn index_facts(world: &World, table: &Table, index: &Index) -> IndexFacts {
    let keys: Vec<Option<&str>> = index
        .keys
        .iter()
        .map(|key| key.column.as_ref().map(Ident::as_str))
        .collect();
    let backs = table.references.iter().filter(|reference| {
        let first = keys.iter().take(reference.columns.len());
        let found: BTreeSet<&str> = first.copied().flatten().collect();
        found.len() == reference.columns.len()
            && reference
                .columns
                .iter()
                .all(|column| found.contains(column.as_str()))
    });
    let backs = backs.map(|reference| reference.name.as_str().to_owned());
    IndexFacts {
        name: index.name.as_str().to_owned(),
        using: index.using.as_str().to_owned(),
        is_unique: index.unique,
        columns: index
            .keys
            .iter()
            .map(|key| key.expression.as_str().to_owned())
            .collect(),
        include: names(&index.include),
        predicate: said(index.predicate.as_ref()),
        serves: names(&index.serves),
        because: said(index.because.as_ref()),
        drop_when: said(index.drop_when.as_ref()),
        covered_by: index::covered_by(table, index),
        groups: index::groups(world, table, index),
        updated_by: index::updated_by(world, table, index),
        over_since: index::over_since(world, index),
        backs: backs.collect(),
        used_by: used_by(world, table, index),
    }
}

/// Who looks for what an index starts with.
fn used_by(world: &World, table: &Table, index: &Index) -> Vec<String> {
    let name = table.name.as_str();
    let access = world
        .access(name)
        .iter()
        .find(|access| access.name == index.name.ident);
    let Some(access) = access else {
        return Vec::new();
    };
    let mut users: Vec<String> = world
        .statements
        .iter()
        .filter(|statement| {
            let facts = statement.facts.as_ref();
            facts.is_some_and(|facts| super::super::builtin::reaches(access, table, facts))
        })
        .map(|statement| owner(statement).1)
        .collect();
    let leading = access.keys.first().and_then(Option::as_ref);
    let ages = table.retention.iter().filter_map(|rule| rule.of.as_ref());
    if ages.into_iter().any(|of| Some(&of.ident) == leading) {
        users.push(format!("retention of {name}"));
    }
    users.dedup();
    users
}

fn owner(statement: &Statement) -> (&'static str, String) {
    match statement.owner {
        Owner::Query(query) => ("query", query.name.as_str().to_owned()),
        Owner::Step(command, _) => ("command", command.name.as_str().to_owned()),
        Owner::View(view) => ("view", view.to_owned()),
        Owner::Projection(projection) => ("projection", projection.name.as_str().to_owned()),
    }
}

fn query_facts(world: &World, query: &Query) -> QueryItem {
    let statement = world
        .statements
        .iter()
        .find(|statement| matches!(statement.owner, Owner::Query(of) if of.name == query.name));
    let facts = statement.and_then(|statement| statement.facts.as_ref());
    QueryItem {
        name: query.name.as_str().to_owned(),
        does: said(query.does.as_ref()),
        kind: word(query.kind),
        runs: query.runs,
        pages_by: query.pages_by.map(word),
        owner: said(query.owner.as_ref()),
        params: names(query.params.iter().map(|param| &param.name)),
        tables: facts
            .map(|facts| facts.reads.iter().cloned().collect())
            .unwrap_or_default(),
    }
}

fn statement_facts(statement: &Statement) -> StatementFacts {
    let (of, name) = owner(statement);
    let pages_by = match statement.owner {
        Owner::Query(query) => query.pages_by.map(word),
        _ => None,
    };
    let facts = statement.facts.as_ref();
    let list = |pick: fn(&crate::sql::QueryFacts) -> &BTreeSet<String>| {
        facts
            .map(|facts| pick(facts).iter().cloned().collect())
            .unwrap_or_default()
    };
    StatementFacts {
        of: of.to_owned(),
        name,
        pages_by,
        has_star: facts.is_some_and(|facts| facts.select_star.is_some()),
        has_offset: facts.is_some_and(|facts| facts.offset.is_some()),
        has_hint: !statement.hints.is_empty(),
        reads: list(|facts| &facts.reads),
        writes: list(|facts| &facts.writes),
        functions: list(|facts| &facts.functions),
    }
}

fn invariant_facts(invariant: &Invariant) -> InvariantFacts {
    let kind = invariant.rule.kind();
    InvariantFacts {
        name: invariant.name.as_str().to_owned(),
        kind: kind.word().to_owned(),
        never: said(invariant.never.as_ref()),
        because: said(invariant.because.as_ref()),
        enforced: invariant.enforced.word().to_owned(),
        preferred: kind.preferred().word().to_owned(),
        is_weaker: is_weaker(kind, invariant.enforced),
        is_databases: invariant.enforced.is_databases(),
        has_monitor: invariant.monitor.is_some(),
        has_repair: said(invariant.repair.as_ref()).is_some(),
    }
}

/// Whether what a kind prefers would hold more than this. The words are ordered from what holds against every statement to what
/// only finds out later; a row that is locked or updated under a condition is as good as a trigger for a limit or a counter.
fn is_weaker(kind: InvariantKind, enforced: Enforcement) -> bool {
    let guarded = matches!(kind, InvariantKind::AtMost | InvariantKind::Monotonic);
    enforced > kind.preferred() && !(guarded && enforced == Enforcement::Transaction)
}

fn command_facts(world: &World, command: &Command) -> CommandFacts {
    let writes: BTreeSet<String> = world
        .statements
        .iter()
        .filter(
            |statement| matches!(statement.owner, Owner::Step(of, _) if of.name == command.name),
        )
        .filter_map(|statement| statement.facts.as_ref())
        .flat_map(|facts| facts.writes.iter().cloned())
        .collect();
    CommandFacts {
        name: command.name.as_str().to_owned(),
        actor: command
            .actor
            .as_ref()
            .map(|actor| actor.as_str().to_owned()),
        does: said(command.does.as_ref()),
        isolation: word(command.isolation),
        params: names(command.params.iter().map(|param| &param.name)),
        steps: command.steps.len(),
        retry: command
            .retry
            .iter()
            .map(|name| name.as_str().to_owned())
            .collect(),
        idempotent_by: command
            .idempotent_by
            .as_ref()
            .map(|name| name.as_str().to_owned()),
        emits: names(&command.emits),
        writes: writes.into_iter().collect(),
    }
}

fn projection_facts(projection: &Projection) -> ProjectionFacts {
    ProjectionFacts {
        name: projection.name.as_str().to_owned(),
        kind: word(projection.kind),
        source: names(&projection.source),
        owner: said(projection.owner.as_ref()),
        freshness: said(projection.freshness.as_ref()),
        has_rebuild: said(projection.rebuild.as_ref()).is_some(),
        is_updated: projection.updated_by.is_some(),
    }
}
