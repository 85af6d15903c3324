//! What a design claims about single writes.

use super::trial::{Effect, Trial, insert};
use super::{columns, conditions, exclusions, keys, partitions, references};
use crate::catalog::{ObjectPath, UserType};
use crate::design::{Invariant, Rule};
use crate::error::Error;
use crate::finding::Claim;
use crate::invariant::{self, Case, Value};
use crate::postgres::Session;
use crate::sql::{Ident, QualifiedName};
use crate::verify::runner::invariant_claim;
use crate::verify::seed::Maker;
use crate::verify::stage::Stage;

/// A claim with what tries it.
#[derive(Clone, Debug)]
pub(crate) struct Claimed {
    /// The claim.
    pub claim: Claim,
    /// What tries it. Trials with the same object are ways of one trial: one that comes out is enough where `ways` is set.
    pub trials: Vec<Trial>,
    /// Whether the trials are alternatives.
    pub ways: bool,
    /// Why there are none.
    pub unable: Option<String>,
    /// Invariant it is, if it is one.
    pub invariant: Option<String>,
}

/// Every claim that single writes can try, in the order of the catalog; then the invariants that the database keeps.
pub(crate) async fn claims(
    stage: &Stage<'_>,
    session: &mut Session,
    maker: &Maker,
) -> Result<Vec<Claimed>, Error> {
    let catalog = &stage.compiled.catalog;
    let mut all = Vec::new();
    for (name, (kind, _)) in &catalog.types {
        if let UserType::Domain { checks, .. } = kind
            && !checks.is_empty()
        {
            let trials = conditions::domain(session, catalog, maker, name).await?;
            let object = ObjectPath::Type(name.clone());
            let subject = format!("type {}", name.name.as_str());
            let found = trials_or(
                trials,
                "no column has it, or no value was found that breaks it",
            );
            let mut claimed = claimed(
                stage,
                subject,
                "values outside the domain are refused",
                &object,
                found,
            );
            claimed.ways = true;
            all.push(claimed);
        }
    }
    // Tables that an invariant derives are tried with it.
    let projections = stage
        .model
        .projections
        .iter()
        .map(|projection| &projection.name.ident);
    let own: Vec<&Ident> = stage
        .model
        .tables
        .iter()
        .map(|table| &table.name.ident)
        .chain(projections)
        .collect();
    for name in catalog
        .tables
        .keys()
        .filter(|name| own.contains(&&name.name))
    {
        table(stage, session, maker, name, &mut all).await?;
    }
    all.extend(invariants(stage));
    Ok(all)
}

fn trials_or(trials: Vec<Trial>, reason: &str) -> Result<Vec<Trial>, String> {
    if trials.is_empty() {
        Err(reason.to_owned())
    } else {
        Ok(trials)
    }
}

fn claimed(
    stage: &Stage<'_>,
    subject: String,
    statement: &str,
    object: &ObjectPath,
    trials: Result<Vec<Trial>, String>,
) -> Claimed {
    let claim = Claim {
        subject,
        statement: statement.to_owned(),
        at: Some(stage.place(object)),
    };
    let (trials, unable) = match trials {
        Ok(trials) => (trials, None),
        Err(reason) => (Vec::new(), Some(reason)),
    };
    Claimed {
        claim,
        trials,
        ways: false,
        unable,
        invariant: None,
    }
}

async fn table(
    stage: &Stage<'_>,
    session: &mut Session,
    maker: &Maker,
    name: &QualifiedName,
    all: &mut Vec<Claimed>,
) -> Result<(), Error> {
    let (model, catalog) = (stage.model, &stage.compiled.catalog);
    let Some(table) = catalog.tables.get(name) else {
        return Ok(());
    };
    let on = name.name.as_str();
    let constraint = |constraint: &Ident| format!("constraint {} on {on}", constraint.as_str());
    let object = ObjectPath::Table(name.clone());
    let of_columns = columns::trials(catalog, name, table);
    if !of_columns.is_empty() {
        let statement = "what must be there is there, and values fit their types";
        all.push(claimed(
            stage,
            format!("columns of {on}"),
            statement,
            &object,
            Ok(of_columns),
        ));
    }
    if let Some((key, unique)) = &table.primary_key {
        let object = ObjectPath::PrimaryKey(name.clone());
        let trials = keys::unique(model, name, table, object.clone(), key, &unique.columns);
        let statement = format!("({}) is unique", keys::words(&unique.columns));
        all.push(claimed(stage, constraint(key), &statement, &object, trials));
    }
    for (key, unique) in &table.uniques {
        let object = ObjectPath::Unique(name.clone(), key.clone());
        let trials = keys::unique(model, name, table, object.clone(), key, &unique.columns);
        let statement = format!("({}) is unique", keys::words(&unique.columns));
        all.push(claimed(stage, constraint(key), &statement, &object, trials));
    }
    for (key, index) in table.indexes.iter().filter(|(_, index)| index.unique) {
        let object = ObjectPath::Index(name.clone(), key.clone());
        let trials = keys::index(model, name, table, key, index);
        all.push(claimed(
            stage,
            constraint(key),
            "is unique where it applies",
            &object,
            trials,
        ));
    }
    for (key, made) in &table.foreign_keys {
        let object = ObjectPath::ForeignKey(name.clone(), key.clone());
        let statement = format!("every row has its {}", made.table.name.as_str());
        all.push(claimed(
            stage,
            constraint(key),
            &statement,
            &object,
            Ok(references::trials(name, table, key, made)),
        ));
    }
    for (key, made) in &table.exclusions {
        let object = ObjectPath::Exclusion(name.clone(), key.clone());
        let trials = exclusions::trials(model, name, key, made);
        all.push(claimed(
            stage,
            constraint(key),
            "rows exclude each other",
            &object,
            trials,
        ));
    }
    for (key, made) in &table.checks {
        let object = ObjectPath::Check(name.clone(), key.clone());
        let trials = conditions::check(session, catalog, maker, name, key).await?;
        let found = trials_or(
            trials,
            "no values were found that break it and nothing else",
        );
        let mut claimed = claimed(
            stage,
            constraint(key),
            made.expression.as_str(),
            &object,
            found,
        );
        claimed.ways = true;
        all.push(claimed);
    }
    if let Some(trial) = table
        .partitioning
        .as_ref()
        .and_then(|partitioning| partitions::trial(name, partitioning))
    {
        let statement = "a row that no partition takes is refused";
        all.push(claimed(
            stage,
            format!("partitions of {on}"),
            statement,
            &object,
            Ok(vec![trial]),
        ));
    }
    Ok(())
}

fn invariants(stage: &Stage<'_>) -> Vec<Claimed> {
    let (model, compiled) = (stage.model, stage.compiled);
    let kept = model.invariants.iter().filter(|invariant| {
        use crate::design::InvariantKind::{Mirrors, Retained};
        invariant.enforced.is_databases() && !matches!(invariant.rule.kind(), Mirrors | Retained)
    });
    let all = kept.map(|invariant| {
        let name = invariant.name.as_str();
        let mechanisms = compiled
            .mechanisms
            .iter()
            .filter(|m| m.invariant.as_deref() == Some(name));
        let objects: Vec<ObjectPath> = mechanisms
            .flat_map(|mechanism| mechanism.objects.clone())
            .collect();
        let mut names: Vec<Ident> = objects.iter().filter_map(own_name).collect();
        // Triggers refuse in the name of what the invariant derives, which may be the beginning of their own.
        let derived = invariant
            .derived_name
            .as_ref()
            .map_or(name, |derived| derived.as_str());
        names.push(Ident::new(
            derived
                .replace('-', "_")
                .chars()
                .take(63)
                .collect::<String>(),
        ));
        let trials: Vec<Trial> = invariant::cases(model, invariant)
            .into_iter()
            .map(|case| Trial {
                objects: objects.clone(),
                names: names.clone(),
                case,
                column: None,
                effect: None,
                optional: false,
            })
            .collect();
        let trials = trials
            .into_iter()
            .chain(confined(invariant, &objects))
            .collect();
        Claimed {
            claim: invariant_claim(invariant),
            trials,
            ways: false,
            unable: None,
            invariant: Some(name.to_owned()),
        }
    });
    // What no single write can break is left to the race.
    all.filter(|claimed| !claimed.trials.is_empty()).collect()
}

/// Isolation is seen by reading: one row a table. The races then attack it, as the confined role too.
fn confined(invariant: &Invariant, objects: &[ObjectPath]) -> Vec<Trial> {
    let Rule::Isolated {
        tables,
        by,
        setting,
        ..
    } = &invariant.rule
    else {
        return Vec::new();
    };
    let trials = tables.iter().map(|table| {
        let case = Case {
            title: format!("a row of {} read by another tenant", table.as_str()),
            before: Vec::new(),
            illegal: Vec::new(),
            sqlstates: Vec::new(),
            legal: vec![insert(
                0,
                &table.ident,
                vec![(by.ident.clone(), Value::Filled)],
            )],
        };
        let of_table =
            |object: &&ObjectPath| object.table().is_some_and(|on| on.name == table.ident);
        Trial {
            objects: objects.iter().filter(of_table).cloned().collect(),
            names: Vec::new(),
            case,
            column: None,
            effect: Some(Effect::Confined {
                row: 0,
                by: by.ident.clone(),
                setting: setting.as_str().to_owned(),
            }),
            optional: false,
        }
    });
    trials.collect()
}

/// The name by which the server refuses.
pub(super) fn own_name(object: &ObjectPath) -> Option<Ident> {
    use ObjectPath::*;
    match object {
        Unique(_, name)
        | Check(_, name)
        | ForeignKey(_, name)
        | Exclusion(_, name)
        | Index(_, name)
        | Trigger(_, name) => Some(name.clone()),
        PrimaryKey(table) => Some(Ident::new(format!("{}_pkey", table.name.as_str()))),
        _ => None,
    }
}
