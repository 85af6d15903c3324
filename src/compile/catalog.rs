//! What a design declares, as a catalog.

use std::collections::{BTreeMap, BTreeSet};

use super::{columns, derived, judge, partitions};
use crate::catalog::{
    Catalog, Check, Exclusion, ForeignKey, Index, IndexKey, ObjectPath, OnDelete, Role, Statistics,
    Table, Unique, UserType, View,
};
use crate::design::{self, Model, ProjectionKind, UserTypeKind, ViewKind};
use crate::finding::Finding;
use crate::invariant::{self, Derived, Mechanism, Tally};
use crate::source::Span;
use crate::sql::{Ident, QualifiedName, SqlText, quote_ident};

/// A design as a schema, with what each part of it is there for.
#[derive(Clone, Debug)]
pub struct Compiled {
    /// The schema.
    pub catalog: Catalog,
    /// What enforces what: each is taken out in turn by `mutate`.
    pub mechanisms: Vec<Mechanism>,
    /// Where in the design each object comes from.
    pub provenance: BTreeMap<ObjectPath, Span>,
    /// What is wrong with the schema, before any server is asked.
    pub findings: Vec<Finding>,
    /// Guard tables, with what they hold of which table.
    pub tallies: Vec<Tally>,
}

/// Compiles a model.
pub fn compile(model: &Model) -> Compiled {
    let mut compiled = Compiled {
        catalog: Catalog::default(),
        mechanisms: Vec::new(),
        provenance: BTreeMap::new(),
        findings: Vec::new(),
        tallies: Vec::new(),
    };
    surroundings(model, &mut compiled);
    for table in &model.tables {
        declared_table(model, table, &mut compiled);
    }
    projections(model, &mut compiled);
    views(model, &mut compiled);
    let views = std::mem::take(&mut compiled.catalog.views);
    compiled.catalog.views = super::order::views(views);
    grants(model, &mut compiled);
    declared_mechanisms(model, &mut compiled);
    let mut derived = Derived {
        catalog: &mut compiled.catalog,
        mechanisms: &mut compiled.mechanisms,
        provenance: &mut compiled.provenance,
        findings: &mut compiled.findings,
        tallies: &mut compiled.tallies,
    };
    // An idempotent command leans on a unique key that another invariant may bring.
    let leans = |found: &&design::Invariant| found.rule.kind() == design::InvariantKind::Idempotent;
    let first = model.invariants.iter().filter(|found| !leans(found));
    for found in first.chain(model.invariants.iter().filter(leans)) {
        invariant::enforce(model, found, &mut derived);
    }
    judge::judge(model, &mut compiled);
    for finding in &mut compiled.findings {
        finding.design = model.name.as_str().to_owned();
    }
    compiled
}

fn surroundings(model: &Model, compiled: &mut Compiled) {
    let catalog = &mut compiled.catalog;
    if model.database.schema.as_str() != "public" {
        catalog.schemas.insert(model.database.schema.clone());
        compiled.provenance.insert(
            ObjectPath::Schema(model.database.schema.clone()),
            model.database.at,
        );
    }
    for extension in &model.database.extensions {
        catalog.extensions.insert(extension.ident.clone());
        compiled
            .provenance
            .insert(ObjectPath::Extension(extension.ident.clone()), extension.at);
    }
    for user_type in &model.types {
        let name = model.qualified(&user_type.name.ident);
        let kind = match &user_type.kind {
            UserTypeKind::Enum(labels) => {
                UserType::Enum(labels.iter().map(|l| l.as_str().to_owned()).collect())
            }
            UserTypeKind::Domain { base, check } => UserType::Domain {
                base: columns::data_type(model, base.as_str()),
                checks: check
                    .iter()
                    .map(|check| {
                        let expression = SqlText::authored(check.as_str().trim());
                        (
                            derived(&[user_type.name.as_str(), "check"]),
                            Check { expression },
                        )
                    })
                    .collect(),
            },
        };
        let comment = user_type
            .means
            .as_ref()
            .map(|text| text.as_str().trim().to_owned());
        catalog.types.insert(name.clone(), (kind, comment));
        compiled
            .provenance
            .insert(ObjectPath::Type(name), user_type.name.at);
    }
    for role in &model.roles {
        catalog.roles.insert(
            role.name.ident.clone(),
            Role {
                login: role.login,
                bypass_rls: role.bypass_rls,
            },
        );
        compiled
            .provenance
            .insert(ObjectPath::Role(role.name.ident.clone()), role.name.at);
    }
}

/// Grain first: it is what a reader of the database needs to know.
fn table_comment(table: &design::Table) -> Option<String> {
    let parts: Vec<&str> = [&table.grain, &table.means]
        .into_iter()
        .flatten()
        .map(|text| text.as_str().trim())
        .collect();
    (!parts.is_empty()).then(|| parts.join("\n\n"))
}

fn declared_table(model: &Model, table: &design::Table, compiled: &mut Compiled) {
    let name = model.qualified(&table.name.ident);
    let mut made = Table {
        columns: table
            .columns
            .iter()
            .map(|column| columns::column(model, column))
            .collect(),
        comment: table_comment(table),
        ..Table::default()
    };
    let mut place = |path: ObjectPath, at: Span| {
        compiled.provenance.insert(path, at);
    };
    place(ObjectPath::Table(name.clone()), table.name.at);
    for column in &table.columns {
        place(
            ObjectPath::Column(name.clone(), column.name.ident.clone()),
            column.name.at,
        );
        place(
            ObjectPath::NotNull(name.clone(), column.name.ident.clone()),
            column.name.at,
        );
        for (check, made_check) in columns::checks(table, column) {
            place(
                ObjectPath::Check(name.clone(), check.clone()),
                column.name.at,
            );
            made.checks.insert(check, made_check);
        }
    }
    if !table.key.is_empty() {
        let columns: Vec<Ident> = table
            .key
            .iter()
            .map(|column| column.ident.clone())
            .collect();
        for column in made
            .columns
            .iter_mut()
            .filter(|column| columns.contains(&column.name))
        {
            column.nullable = false;
        }
        let key = derived(&[table.name.as_str(), "pkey"]);
        place(ObjectPath::PrimaryKey(name.clone()), table.key_at);
        made.primary_key = Some((
            key,
            Unique {
                columns,
                deferred: false,
            },
        ));
    }
    for unique in &table.unique {
        let columns: Vec<Ident> = unique
            .columns
            .iter()
            .map(|column| column.ident.clone())
            .collect();
        match &unique.predicate {
            None => {
                place(
                    ObjectPath::Unique(name.clone(), unique.name.ident.clone()),
                    unique.name.at,
                );
                made.uniques.insert(
                    unique.name.ident.clone(),
                    Unique {
                        columns,
                        deferred: false,
                    },
                );
            }
            Some(predicate) => {
                place(
                    ObjectPath::Index(name.clone(), unique.name.ident.clone()),
                    unique.name.at,
                );
                let predicate = Some(SqlText::authored(predicate.as_str().trim()));
                made.indexes.insert(
                    unique.name.ident.clone(),
                    invariant::unique_index(&columns, predicate),
                );
            }
        }
    }
    for check in &table.checks {
        place(
            ObjectPath::Check(name.clone(), check.name.ident.clone()),
            check.name.at,
        );
        let expression = SqlText::authored(check.expression.as_str().trim());
        made.checks
            .insert(check.name.ident.clone(), Check { expression });
    }
    for reference in &table.references {
        place(
            ObjectPath::ForeignKey(name.clone(), reference.name.ident.clone()),
            reference.name.at,
        );
        made.foreign_keys
            .insert(reference.name.ident.clone(), foreign_key(model, reference));
    }
    for exclusion in &table.exclusions {
        place(
            ObjectPath::Exclusion(name.clone(), exclusion.name.ident.clone()),
            exclusion.name.at,
        );
        made.exclusions.insert(
            exclusion.name.ident.clone(),
            declared_exclusion(table, exclusion),
        );
    }
    for index in &table.indexes {
        place(
            ObjectPath::Index(name.clone(), index.name.ident.clone()),
            index.name.at,
        );
        made.indexes
            .insert(index.name.ident.clone(), declared_index(index));
    }
    for statistics in &table.statistics {
        let own = &statistics.name;
        place(
            ObjectPath::Statistics(name.clone(), own.ident.clone()),
            own.at,
        );
        let columns = statistics.columns.iter();
        let declared = Statistics {
            kinds: statistics.kinds.clone(),
            columns: columns.map(|column| column.ident.clone()).collect(),
            expressions: Vec::new(),
        };
        made.statistics.insert(own.ident.clone(), declared);
    }
    if let Some(fillfactor) = table.fillfactor {
        made.with
            .insert("fillfactor".to_owned(), fillfactor.to_string());
    }
    if let Some(by) = &table.partition {
        made.partitioning = Some(partitions::partitioning(table, by, &mut compiled.findings));
    }
    compiled.catalog.tables.insert(name, made);
}

fn foreign_key(model: &Model, reference: &design::ForeignKey) -> ForeignKey {
    ForeignKey {
        columns: reference
            .columns
            .iter()
            .map(|column| column.ident.clone())
            .collect(),
        table: model.qualified(&reference.to.ident),
        key: reference
            .key
            .iter()
            .map(|column| column.ident.clone())
            .collect(),
        on_delete: reference.on_delete.unwrap_or(OnDelete::NoAction),
        on_update: reference.on_update.unwrap_or(OnDelete::NoAction),
        deferred: reference.deferrable,
    }
}

/// A column name as an index or exclusion element, else the expression in parentheses.
fn element(table: &design::Table, text: &str) -> SqlText {
    let name = Ident::new(text.trim().trim_matches('"'));
    if table.column(&name).is_some() {
        quote_ident(&name)
    } else {
        crate::sql::fill("({text})", &[("text", &SqlText::authored(unwrapped(text)))])
    }
}

/// Takes off one pair of parentheses that holds the whole.
fn unwrapped(text: &str) -> &str {
    let text = text.trim();
    let Some(inner) = text
        .strip_prefix('(')
        .and_then(|rest| rest.strip_suffix(')'))
    else {
        return text;
    };
    let mut depth = 0i32;
    for c in inner.chars() {
        depth += match c {
            '(' => 1,
            ')' => -1,
            _ => 0,
        };
        if depth < 0 {
            return text;
        }
    }
    inner.trim()
}

fn declared_exclusion(table: &design::Table, exclusion: &design::Exclusion) -> Exclusion {
    Exclusion {
        method: exclusion.using.clone(),
        elements: exclusion
            .elements
            .iter()
            .map(|(expression, operator)| {
                (
                    element(table, expression.as_str()),
                    operator.as_str().trim().to_owned(),
                )
            })
            .collect(),
        predicate: exclusion
            .predicate
            .as_ref()
            .map(|text| SqlText::authored(text.as_str().trim())),
        deferred: false,
    }
}

fn declared_index(index: &design::Index) -> Index {
    let keys = index.keys.iter().map(|key| IndexKey {
        expression: match &key.column {
            Some(column) => quote_ident(column),
            None => crate::sql::fill(
                "({text})",
                &[(
                    "text",
                    &SqlText::authored(unwrapped(key.expression.as_str())),
                )],
            ),
        },
        column: key.column.clone(),
        collation: key.collation.as_deref().map(columns::collation),
        opclass: key.opclass.as_deref().map(columns::collation),
        descending: key.descending,
        nulls_first: key.nulls_first.unwrap_or(key.descending),
    });
    Index {
        method: index.using.clone(),
        unique: index.unique,
        keys: keys.collect(),
        include: index
            .include
            .iter()
            .map(|column| column.ident.clone())
            .collect(),
        predicate: index
            .predicate
            .as_ref()
            .map(|text| SqlText::authored(text.as_str().trim())),
        with: index.with.clone(),
    }
}

fn projections(model: &Model, compiled: &mut Compiled) {
    for projection in &model.projections {
        let name = model.qualified(&projection.name.ident);
        let key: Vec<Ident> = projection
            .key
            .iter()
            .map(|column| column.ident.clone())
            .collect();
        match projection.kind {
            ProjectionKind::Table
                if !compiled.catalog.tables.contains_key(&name)
                    && !projection.columns.is_empty() =>
            {
                let columns = projection
                    .columns
                    .iter()
                    .map(|column| columns::column(model, column))
                    .collect();
                let primary_key = (!key.is_empty()).then(|| {
                    (
                        derived(&[projection.name.as_str(), "pkey"]),
                        Unique {
                            columns: key,
                            deferred: false,
                        },
                    )
                });
                compiled.catalog.tables.insert(
                    name.clone(),
                    Table {
                        columns,
                        primary_key,
                        ..Table::default()
                    },
                );
                compiled
                    .provenance
                    .insert(ObjectPath::Table(name), projection.name.at);
            }
            ProjectionKind::MaterializedView => {
                let Some(rebuild) = &projection.rebuild else {
                    continue;
                };
                let view = View {
                    query: SqlText::authored(trimmed(rebuild.as_str())),
                    materialized: true,
                    security_invoker: false,
                    key,
                    grants: BTreeMap::new(),
                    comment: None,
                };
                compiled
                    .provenance
                    .insert(ObjectPath::View(name.clone()), projection.name.at);
                compiled.catalog.views.push((name, view));
            }
            ProjectionKind::Table | ProjectionKind::External => {}
        }
    }
}

/// SQL without the white space and the semicolon around it.
fn trimmed(sql: &str) -> &str {
    sql.trim().trim_end_matches(';').trim_end()
}

/// Views and routines, each after those it names in `after`, else in the order written.
fn views(model: &Model, compiled: &mut Compiled) {
    let mut done: BTreeSet<&str> = BTreeSet::new();
    let mut waiting: Vec<&design::View> = model.views.iter().collect();
    while !waiting.is_empty() {
        let own: BTreeSet<&str> = waiting.iter().map(|view| view.name.as_str()).collect();
        let next = waiting
            .iter()
            .position(|view| {
                view.after
                    .iter()
                    .all(|name| done.contains(name.as_str()) || !own.contains(name.as_str()))
            })
            .unwrap_or(0);
        let view = waiting.remove(next);
        done.insert(view.name.as_str());
        let name = model.qualified(&view.name.ident);
        let sql = SqlText::authored(trimmed(view.sql.as_str()));
        match view.kind {
            ViewKind::View => {
                let made = View {
                    query: sql,
                    materialized: false,
                    // The option exists from 15 on; before it a view always runs with its owner's rights.
                    security_invoker: view.security_invoker && model.database.version >= 15,
                    key: Vec::new(),
                    grants: BTreeMap::new(),
                    comment: view
                        .means
                        .as_ref()
                        .map(|text| text.as_str().trim().to_owned()),
                };
                compiled
                    .provenance
                    .insert(ObjectPath::View(name.clone()), view.name.at);
                compiled.catalog.views.push((name, made));
            }
            ViewKind::Routine => super::routine::routine(model, view, sql, compiled),
        }
    }
}

fn grants(model: &Model, compiled: &mut Compiled) {
    for role in &model.roles {
        for grant in &role.grants {
            let name: QualifiedName = model.qualified(&grant.on.ident);
            compiled.provenance.insert(
                ObjectPath::Grants(name.clone(), role.name.ident.clone()),
                grant.on.at,
            );
            let privileges = grant.privileges.iter().copied();
            if let Some(table) = compiled.catalog.tables.get_mut(&name) {
                table
                    .grants
                    .entry(role.name.ident.clone())
                    .or_default()
                    .extend(privileges);
            } else if let Some((_, view)) = compiled
                .catalog
                .views
                .iter_mut()
                .find(|(view, _)| *view == name)
            {
                view.grants
                    .entry(role.name.ident.clone())
                    .or_default()
                    .extend(privileges);
            }
        }
    }
}

/// Constraints that the design declares outside its invariants are mechanisms too: each is taken out in turn.
fn declared_mechanisms(model: &Model, compiled: &mut Compiled) {
    let mut found = Vec::new();
    for (name, table) in &compiled.catalog.tables {
        let key: &[Ident] = table
            .primary_key
            .as_ref()
            .map_or(&[], |(_, key)| &key.columns);
        if !key.is_empty() {
            found.push(ObjectPath::PrimaryKey(name.clone()));
        }
        let filled = |column: &&crate::catalog::Column| {
            use crate::catalog::ColumnDefault::{Generated, IdentityAlways, IdentityByDefault};
            !matches!(
                column.default,
                Some(IdentityAlways | IdentityByDefault | Generated(_))
            )
        };
        for column in table
            .columns
            .iter()
            .filter(|c| !c.nullable && !key.contains(&c.name))
            .filter(filled)
        {
            found.push(ObjectPath::NotNull(name.clone(), column.name.clone()));
        }
        found.extend(
            table
                .uniques
                .keys()
                .map(|key| ObjectPath::Unique(name.clone(), key.clone())),
        );
        found.extend(
            table
                .checks
                .keys()
                .map(|key| ObjectPath::Check(name.clone(), key.clone())),
        );
        found.extend(
            table
                .foreign_keys
                .keys()
                .map(|key| ObjectPath::ForeignKey(name.clone(), key.clone())),
        );
        found.extend(
            table
                .exclusions
                .keys()
                .map(|key| ObjectPath::Exclusion(name.clone(), key.clone())),
        );
        let unique = table.indexes.iter().filter(|(_, index)| index.unique);
        found.extend(unique.map(|(key, _)| ObjectPath::Index(name.clone(), key.clone())));
    }
    compiled.mechanisms.extend(found.into_iter().map(|path| {
        Mechanism {
            invariant: None,
            title: path.to_string(),
            at: compiled
                .provenance
                .get(&path)
                .copied()
                .unwrap_or(model.name.at),
            objects: vec![path],
        }
    }));
}
