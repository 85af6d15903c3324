//! What evidence depends on: a design without its prose and without its places.
//!
//! Every type of the model is taken apart field by field, so that a new field does not compile before somebody has said whether it
//! counts. In doubt it does: what counts too much costs a run, what counts too little costs the truth.

use super::words::{Counts, Words, counted, plain};
use crate::catalog::{Catalog, Privilege};
use crate::design::{
    Command, Condition, Database, Expectation, Grant, Invariant, Isolation, Limit, Model, Outcome,
    Overlap, Pagination, Param, Projection, ProjectionKind, Query, QueryKind, Role, Rule, State,
    Step, StepKind, UserType, UserTypeKind,
};

plain!(
    Condition,
    Isolation,
    Pagination,
    Privilege,
    ProjectionKind,
    QueryKind,
);

/// The schema as declared. What invariants add to it is in its DDL.
pub(super) fn structure(words: &mut Words, model: &Model) {
    let Model {
        name,
        database,
        types,
        tables,
        views,
        roles,
        projections,
        // Each counts where it is tried.
        invariants: _,
        commands: _,
        states: _,
        queries: _,
        // Prose, and what no method tries.
        title: _,
        document: _,
        events: _,
        waivers: _,
        sections: _,
    } = model;
    // The name is part of the names of databases and of every line of a report.
    counted!(words; name, database, types, tables, views, roles, projections);
}

/// A catalog without its comments, which change nothing but themselves.
pub(super) fn without_comments(catalog: &Catalog) -> Catalog {
    let mut catalog = catalog.clone();
    for (_, comment) in catalog.types.values_mut() {
        *comment = None;
    }
    for table in catalog.tables.values_mut() {
        table.comment = None;
        for column in &mut table.columns {
            column.comment = None;
        }
    }
    for (_, view) in &mut catalog.views {
        view.comment = None;
    }
    catalog
}

/// What can be false about rows: of all invariants, because a state that breaks any of them is no state to start from.
pub(super) fn rules(words: &mut Words, model: &Model) {
    for invariant in &model.invariants {
        counted!(words; &invariant.name, &invariant.rule);
    }
}

/// Which tenant a query is for.
pub(super) fn tenants(words: &mut Words, model: &Model) {
    for invariant in &model.invariants {
        if let Rule::Isolated { .. } = &invariant.rule {
            words.add(&invariant.rule);
        }
    }
}

impl Counts for Database {
    fn count(&self, words: &mut Words) {
        let Database {
            version,
            schema,
            extensions,
            settings,
            at: _,
        } = self;
        counted!(words; version, schema, extensions, settings);
    }
}

impl Counts for UserType {
    fn count(&self, words: &mut Words) {
        let UserType {
            name,
            kind,
            means: _,
        } = self;
        words.add(name);
        match kind {
            UserTypeKind::Enum(labels) => words.add(labels),
            UserTypeKind::Domain { base, check } => counted!(words; base, check),
        }
    }
}

impl Counts for Role {
    fn count(&self, words: &mut Words) {
        let Role {
            name,
            login,
            bypass_rls,
            grants,
            means: _,
        } = self;
        counted!(words; name, login, bypass_rls, grants);
    }
}

impl Counts for Grant {
    fn count(&self, words: &mut Words) {
        let Grant { on, privileges } = self;
        counted!(words; on, privileges);
    }
}

impl Counts for Projection {
    fn count(&self, words: &mut Words) {
        let Projection {
            name,
            source,
            kind,
            columns,
            key,
            rebuild,
            updated_by,
            freshness,
            owner: _,
        } = self;
        counted!(words; name, source, kind, columns, key, rebuild, updated_by, freshness);
    }
}

impl Counts for Invariant {
    fn count(&self, words: &mut Words) {
        let Invariant {
            name,
            rule,
            enforced,
            derived_name,
            raced_by,
            raced_only,
            never: _,
            because: _,
            rule_at: _,
            enforced_at: _,
            monitor: _,
            repair: _,
        } = self;
        words.word(enforced.word());
        words.word(if *raced_only { "only" } else { "beside" });
        counted!(words; name, rule, derived_name, raced_by);
    }
}

impl Counts for Limit {
    fn count(&self, words: &mut Words) {
        match self {
            Limit::Number(number) => words.add(number),
            Limit::Column { table, column } => counted!(words; table, column),
        }
    }
}

impl Counts for Overlap {
    fn count(&self, words: &mut Words) {
        match self {
            Overlap::FromTo(from, to) => counted!(words; from, to),
            Overlap::Period(period) => words.add(period),
        }
    }
}

impl Counts for Rule {
    fn count(&self, words: &mut Words) {
        words.word(self.kind().word());
        match self {
            Rule::RequiredColumns {
                table,
                columns,
                predicate,
            }
            | Rule::Unique {
                table,
                columns,
                predicate,
            } => counted!(words; table, columns, predicate),
            Rule::RequiredChild {
                table,
                child,
                predicate,
            } => counted!(words; table, child, predicate),
            Rule::AtMostOne {
                table,
                per,
                predicate,
            }
            | Rule::ExactlyOne {
                table,
                per,
                predicate,
            } => counted!(words; table, per, predicate),
            Rule::AtMost {
                table,
                per,
                sum,
                limit,
                predicate,
            } => counted!(words; table, per, sum, limit, predicate),
            Rule::Check {
                table,
                is,
                predicate,
            } => counted!(words; table, is, predicate),
            Rule::NoOverlap {
                table,
                per,
                interval,
                predicate,
            } => counted!(words; table, per, interval, predicate),
            Rule::References {
                table,
                columns,
                to,
                key,
                predicate,
            } => counted!(words; table, columns, to, key, predicate),
            Rule::Balanced {
                table,
                per,
                sum,
                equals,
                predicate,
            } => counted!(words; table, per, sum, equals, predicate),
            Rule::AppendOnly { table, predicate } => counted!(words; table, predicate),
            Rule::Immutable {
                table,
                columns,
                once,
            } => counted!(words; table, columns, once),
            Rule::Transitions {
                table,
                column,
                initial,
                allow,
                terminal,
                predicate,
            } => counted!(words; table, column, initial, allow, terminal, predicate),
            Rule::Monotonic {
                table,
                column,
                strictly,
                predicate,
            } => counted!(words; table, column, strictly, predicate),
            Rule::Isolated {
                tables,
                by,
                setting,
                role,
            } => counted!(words; tables, by, setting, role),
            Rule::Idempotent {
                command,
                key,
                request,
            } => counted!(words; command, key, request),
            Rule::Mirrors { projection } => words.add(projection),
            Rule::Retained { table } => words.add(table),
            Rule::Holds { sql } => words.add(sql),
        }
    }
}

impl Counts for Command {
    fn count(&self, words: &mut Words) {
        let Command {
            name,
            actor,
            params,
            isolation,
            steps,
            outcomes,
            retry,
            idempotent_by,
            emits,
            does: _,
            // What it must reach counts where it is measured.
            runs: _,
            within: _,
            batch: _,
        } = self;
        counted!(words; name, actor, params, isolation, steps, outcomes, retry, idempotent_by, emits);
    }
}

impl Counts for Param {
    fn count(&self, words: &mut Words) {
        let Param {
            name,
            data_type,
            value,
        } = self;
        counted!(words; name, data_type, value);
    }
}

impl Counts for Outcome {
    fn count(&self, words: &mut Words) {
        let Outcome { condition, named } = self;
        counted!(words; condition, named);
    }
}

impl Counts for Step {
    fn count(&self, words: &mut Words) {
        let Step { kind, at: _ } = self;
        match kind {
            StepKind::Sql { sql, capture } => {
                words.word("sql");
                counted!(words; sql, capture);
            }
            StepKind::Require {
                condition,
                text,
                otherwise,
            } => {
                words.word("require");
                counted!(words; condition, text, otherwise);
            }
        }
    }
}

impl Counts for State {
    fn count(&self, words: &mut Words) {
        let State { name, tables } = self;
        counted!(words; name, tables);
    }
}

impl Counts for Query {
    fn count(&self, words: &mut Words) {
        let Query {
            name,
            kind,
            runs,
            pages_by,
            params,
            sql,
            plan,
            does: _,
            owner: _,
        } = self;
        counted!(words; name, kind, runs, pages_by, params, sql);
        for (expectation, _) in plan {
            words.add(expectation);
        }
    }
}

impl Counts for Expectation {
    fn count(&self, words: &mut Words) {
        match self {
            Expectation::Uses(index) => {
                words.word("uses");
                words.add(index);
            }
            Expectation::Never { node, on } => {
                words.word("never");
                counted!(words; node, on);
            }
            Expectation::Partitions(limit, table) => {
                words.word("partitions");
                counted!(words; limit, table);
            }
            Expectation::SamePlanFor(params) => {
                words.word("same_plan_for");
                words.add(params);
            }
            // Numbers only.
            plain @ (Expectation::Reads(_)
            | Expectation::Returns(_)
            | Expectation::IndexOnly
            | Expectation::Cost(_)
            | Expectation::Buffers(_)
            | Expectation::Estimates(_)) => words.word(&format!("{plain:?}")),
        }
    }
}
