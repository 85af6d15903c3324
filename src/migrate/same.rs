//! When two definitions mean the same: texts are compared word by word, lists without regard to order where order means nothing.

use crate::catalog::{
    ColumnDefault, Exclusion, Function, Index, PartitionBound, Partitioning, Policy, Trigger,
    UserType, View,
};
use crate::sql::SqlText;
use crate::sql::words::{same, same_option};

/// `NULL` as a default is none; of a column that was generated nothing else remains.
pub(super) fn default(
    was: &Option<ColumnDefault>,
    now: &Option<ColumnDefault>,
    was_generated: bool,
) -> bool {
    let plain = |default: &Option<ColumnDefault>| match default {
        Some(ColumnDefault::Expression(text)) if text.as_str().eq_ignore_ascii_case("null") => None,
        Some(ColumnDefault::Generated(_)) if was_generated => None,
        other => other.clone(),
    };
    match (plain(was), plain(now)) {
        (Some(ColumnDefault::Expression(one)), Some(ColumnDefault::Expression(other))) => {
            same(&one, &other)
        }
        (one, other) => one == other,
    }
}

pub(super) fn user_type(one: &UserType, other: &UserType) -> bool {
    match (one, other) {
        (
            UserType::Domain { base, checks },
            UserType::Domain {
                base: other,
                checks: others,
            },
        ) => {
            same(base, other)
                && checks.len() == others.len()
                && checks.iter().all(|(name, check)| {
                    let other = others.get(name);
                    other.is_some_and(|other| same(&check.expression, &other.expression))
                })
        }
        _ => one == other,
    }
}

pub(super) fn exclusion(one: &Exclusion, other: &Exclusion) -> bool {
    one.method == other.method
        && one.deferred == other.deferred
        && same_option(one.predicate.as_ref(), other.predicate.as_ref())
        && one.elements.len() == other.elements.len()
        && one
            .elements
            .iter()
            .zip(&other.elements)
            .all(|(one, other)| one.1 == other.1 && same(&one.0, &other.0))
}

pub(super) fn index(one: &Index, other: &Index) -> bool {
    let option =
        |one: &Option<SqlText>, other: &Option<SqlText>| same_option(one.as_ref(), other.as_ref());
    one.method == other.method
        && one.unique == other.unique
        && one.include == other.include
        && one.with == other.with
        && option(&one.predicate, &other.predicate)
        && one.keys.len() == other.keys.len()
        && one.keys.iter().zip(&other.keys).all(|(one, other)| {
            same(&one.expression, &other.expression)
                && option(&one.collation, &other.collation)
                && option(&one.opclass, &other.opclass)
                && (one.descending, one.nulls_first) == (other.descending, other.nulls_first)
        })
}

pub(super) fn trigger(one: &Trigger, other: &Trigger) -> bool {
    let events = |trigger: &Trigger| {
        let mut events = trigger.events.clone();
        events.sort();
        events
    };
    one.timing == other.timing
        && one.columns == other.columns
        && one.function == other.function
        && events(one) == events(other)
        && same_option(one.when.as_ref(), other.when.as_ref())
}

pub(super) fn policy(one: &Policy, other: &Policy) -> bool {
    one.command == other.command
        && one.roles == other.roles
        && same_option(one.using.as_ref(), other.using.as_ref())
        && same_option(one.check.as_ref(), other.check.as_ref())
}

pub(super) fn function(one: &Function, other: &Function) -> bool {
    same(&one.definition, &other.definition)
}

pub(super) fn view(one: &View, other: &View) -> bool {
    one.materialized == other.materialized
        && one.security_invoker == other.security_invoker
        && one.key == other.key
        && same(&one.query, &other.query)
}

pub(super) fn bound(one: &PartitionBound, other: &PartitionBound) -> bool {
    match (one, other) {
        (PartitionBound::Range(a, b), PartitionBound::Range(c, d)) => same(a, c) && same(b, d),
        (PartitionBound::List(one), PartitionBound::List(other)) => {
            one.len() == other.len()
                && one
                    .iter()
                    .all(|value| other.iter().any(|other| same(value, other)))
        }
        _ => one == other,
    }
}

/// Whether two tables have the same partitions. Their order means nothing.
pub(super) fn partitions(one: &Option<Partitioning>, other: &Option<Partitioning>) -> bool {
    let (Some(one), Some(other)) = (one, other) else {
        return one.is_none() && other.is_none();
    };
    one.partitions.len() == other.partitions.len()
        && one.partitions.iter().all(|partition| {
            let mut all = other.partitions.iter();
            all.any(|other| other.name == partition.name && bound(&partition.bound, &other.bound))
        })
}
