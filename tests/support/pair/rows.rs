//! A design whose rows the old one takes, and the new one too, as far as both have a place for them.

use super::parts::*;
use super::write::{filled, quoted};

/// The old design with the rules of the new one, where they speak of columns that the old one has too. Nobody keeps such a design: it only says which rows
/// to make.
pub fn both(old: &Design, new: &Design) -> Design {
    let mut out = old.clone();
    // Rows are written with triggers off, so what stands behind the tables does not matter.
    out.views.clear();
    for table in &mut out.tables {
        if let Some(next) = new.table(table.id) {
            meet(table, next, new);
        }
    }
    for own in &new.types {
        match out.types.iter_mut().find(|other| other.id == own.id) {
            None => out.types.push(own.clone()),
            Some(other) => match (&mut other.of, &own.of) {
                (TypeOf::Labels(labels), TypeOf::Labels(kept))
                    if labels.iter().any(|label| kept.contains(label)) =>
                {
                    labels.retain(|label| kept.contains(label))
                }
                (TypeOf::Number { check, .. }, TypeOf::Number { check: next, .. })
                    if next.is_some() =>
                {
                    *check = Some("value >= 0 and value < 1000000")
                }
                (TypeOf::Words { check }, TypeOf::Words { check: next }) if next.is_some() => {
                    *check = *next
                }
                _ => {}
            },
        }
    }
    let added = new.invariants.iter().filter(|own| {
        out.table(own.table).is_some() && !old.invariants.iter().any(|other| other.id == own.id)
    });
    let added: Vec<Invariant> = added.cloned().collect();
    out.invariants.extend(added);
    super::tidy::tidy(&mut out);
    out
}

fn meet(table: &mut Table, next: &Table, new: &Design) {
    for column in &mut table.columns {
        let Some(now) = next.column(column.id) else {
            continue;
        };
        column.nullable &= now.nullable;
        if column.one_of.is_empty() {
            column.one_of.clone_from(&now.one_of);
        } else if !now.one_of.is_empty() {
            column.one_of.retain(|value| now.one_of.contains(value));
        }
        column.check = column.check.take().or_else(|| now.check.clone());
        column.kind = narrower(column.kind, now.kind);
        if let Kind::Enum(id) = now.kind
            && column.kind.is_text()
        {
            column.one_of = new.labels(id).to_vec();
        }
    }
    let there: Vec<Id> = table.columns.iter().map(|column| column.id).collect();
    let known = |ids: &[Id]| ids.iter().all(|id| there.contains(id));
    if table.key.is_empty() && known(&next.key) {
        table.key.clone_from(&next.key);
    } else if table.key != next.key && !next.key.is_empty() && known(&next.key) {
        table.uniques.push(Unique {
            name: "uq_next".to_owned(),
            columns: next.key.clone(),
            filter: None,
        });
    }
    let uniques = next
        .uniques
        .iter()
        .filter(|own| !table.uniques.iter().any(|other| other.name == own.name));
    let uniques: Vec<Unique> = uniques.filter(|own| known(&own.columns)).cloned().collect();
    table.uniques.extend(uniques);
    let checks = next.checks.iter().filter(|(name, own)| {
        !table
            .checks
            .iter()
            .any(|(other, was)| other == name && was == own)
    });
    let checks: Vec<(String, Sql)> = checks
        .map(|(name, own)| (format!("{name}_next"), own.clone()))
        .collect();
    table.checks.extend(checks);
    for own in &next.indexes {
        let bare: Vec<Id> = own
            .keys
            .iter()
            .flat_map(|(key, _)| key.uses.iter().map(|(id, _)| *id))
            .collect();
        if own.unique && known(&bare) && !table.indexes.iter().any(|other| other.id == own.id) {
            table.indexes.push(own.clone());
        }
    }
    let references = next.references.iter().filter(|own| {
        !table
            .references
            .iter()
            .any(|other| other.columns == own.columns && other.to == own.to && other.key == own.key)
    });
    let references: Vec<Reference> = references
        .filter(|own| known(&own.columns))
        .cloned()
        .collect();
    table
        .references
        .extend(references.into_iter().map(|own| Reference {
            name: format!("{}_next", own.name),
            ..own
        }));
    let excludes: Vec<Exclude> = next
        .excludes
        .iter()
        .filter(|own| !table.excludes.iter().any(|other| other.name == own.name))
        .cloned()
        .collect();
    table.excludes.extend(excludes);
    // Rows have a place on both sides.
    for own in [table.partition.clone(), next.partition.clone()]
        .into_iter()
        .flatten()
        .filter(|own| !own.default)
    {
        let Some(column) = table.columns.iter_mut().find(|column| column.id == own.by) else {
            continue;
        };
        match &own.form {
            Form::List(parts) => {
                let values: Vec<String> = parts
                    .iter()
                    .flat_map(|(_, values)| values.iter().cloned())
                    .collect();
                match column.one_of.is_empty() {
                    true => column.one_of = values,
                    false => column.one_of.retain(|value| values.contains(value)),
                }
            }
            Form::Every { months, ahead } => {
                let until = if *months {
                    format!("2026-{:02}-01", ahead + 1)
                } else {
                    format!("2026-01-{:02}", 1 + 7 * ahead.min(&4))
                };
                let text = format!("$0 >= '2026-01-01' and $0 < '{until}'");
                table.checks.push((
                    format!("ck_place_{until}"),
                    Sql {
                        text,
                        uses: vec![(own.by, Class::Time)],
                        labels: Vec::new(),
                    },
                ));
            }
            _ => {}
        }
    }
    // How the rows lie is of no account.
    table.partition = None;
}

/// The one of two types whose values the other takes too.
fn narrower(one: Kind, other: Kind) -> Kind {
    let width = |kind: Kind| match kind {
        Kind::Smallint => 1,
        Kind::Integer => 2,
        Kind::Bigint => 3,
        _ => 9,
    };
    match (one, other) {
        (Kind::Numeric(p, s), Kind::Numeric(q, t)) => {
            Kind::Numeric((p - s).min(q - t) + s.min(t), s.min(t))
        }
        (Kind::Varchar(one), Kind::Varchar(other)) => Kind::Varchar(one.min(other)),
        (Kind::Text, Kind::Varchar(length)) => Kind::Varchar(length),
        (Kind::Text, Kind::Jsonb) => Kind::Smallint,
        (one, other) if width(other) < width(one) => other,
        (one, _) => one,
    }
}

/// What makes references of rows that were written with triggers off hold: those to the same table, or in a ring, cannot all be made in order.
pub fn settled(design: &Design) -> Vec<String> {
    let mut out = vec!["SET session_replication_role = replica".to_owned()];
    for is_last in [false, true] {
        for _ in 0..4 {
            for own in &design.invariants {
                out.extend(
                    design
                        .table(own.table)
                        .and_then(|table| obeying(design, &own.rule, table, is_last)),
                );
            }
            for table in &design.tables {
                for own in &table.references {
                    out.extend(dangling(design, table, own, is_last));
                }
            }
        }
    }
    out.push("SET session_replication_role = DEFAULT".to_owned());
    out
}

/// What makes the rows of a table obey a rule over several of them.
fn obeying(design: &Design, rule: &Rule, table: &Table, is_last: bool) -> Option<String> {
    let within = quoted(&table.name);
    match rule {
        Rule::Balanced(_, sum) if is_last => {
            let sum = quoted(&table.column(*sum)?.name);
            Some(format!("DELETE FROM shop.{within} WHERE {sum} <> 0"))
        }
        Rule::AtMostOfParent { sum, .. } if is_last => {
            let sum = quoted(&table.column(*sum)?.name);
            Some(format!("DELETE FROM shop.{within} WHERE {sum} > 0"))
        }
        Rule::Balanced(_, sum) | Rule::AtMostOfParent { sum, .. } => {
            let sum = quoted(&table.column(*sum)?.name);
            Some(format!("UPDATE shop.{within} SET {sum} = 0"))
        }
        Rule::ExactlyOne(per, filter) => {
            let per: Option<Vec<String>> = per
                .iter()
                .map(|id| Some(quoted(&table.column(*id)?.name)))
                .collect();
            let per = per?.join(", ");
            let filter = filled(filter, table);
            Some(format!(
                "DELETE FROM shop.{within} WHERE ROW({per}) IN (SELECT {per} FROM shop.{within} GROUP BY {per} HAVING count(*) FILTER (WHERE {filter}) <> 1)"
            ))
        }
        Rule::AtMostSum(_, sum, _) => {
            let sum = quoted(&table.column(*sum)?.name);
            Some(match is_last {
                true => format!("DELETE FROM shop.{within} WHERE {sum} > 0"),
                false => format!("UPDATE shop.{within} SET {sum} = 0 WHERE {sum} > 0"),
            })
        }
        Rule::Required(columns, Some(filter)) => {
            let columns = columns.iter().filter_map(|id| table.column(*id));
            let empty: Vec<String> = columns
                .map(|column| format!("{} IS NULL", quoted(&column.name)))
                .collect();
            Some(format!(
                "DELETE FROM shop.{within} WHERE ({}) AND ({})",
                filled(filter, table),
                empty.join(" OR ")
            ))
        }
        Rule::NoOverlapOf(per, period, _) => {
            let period = quoted(&table.column(*period)?.name);
            let same: Option<Vec<String>> = per
                .iter()
                .map(|id| {
                    let name = quoted(&table.column(*id)?.name);
                    Some(format!("one.{name} = other.{name}"))
                })
                .collect();
            Some(format!(
                "DELETE FROM shop.{within} one USING shop.{within} other WHERE one.ctid > other.ctid AND {} AND one.{period} && other.{period}",
                same?.join(" AND ")
            ))
        }
        Rule::Child(child) => {
            let child = design.table(*child)?;
            let own = child.references.iter().find(|own| own.to == table.id)?;
            let pairs = matched(child, own, table)?;
            let child = quoted(&child.name);
            Some(format!(
                "DELETE FROM shop.{within} p WHERE NOT EXISTS (SELECT FROM shop.{child} c WHERE {pairs})"
            ))
        }
        _ => None,
    }
}

/// A row `c` that refers to a row `p`.
fn matched(table: &Table, own: &Reference, to: &Table) -> Option<String> {
    let pairs = own.columns.iter().zip(&own.key);
    let pairs: Option<Vec<String>> = pairs
        .map(|(one, other)| {
            let (one, other) = (table.column(*one)?, to.column(*other)?);
            Some(format!(
                "p.{} = c.{}",
                quoted(&other.name),
                quoted(&one.name)
            ))
        })
        .collect();
    Some(pairs?.join(" AND "))
}

/// What another rule does not let be emptied goes in the end.
fn dangling(design: &Design, table: &Table, own: &Reference, is_last: bool) -> Option<String> {
    let to = design.table(own.to)?;
    let columns = own.columns.iter().map(|id| table.column(*id));
    let columns: Option<Vec<&Column>> = columns.collect();
    let columns = columns?;
    let pairs = matched(table, own, to)?;
    let given: Vec<String> = columns
        .iter()
        .map(|one| format!("c.{} IS NOT NULL", quoted(&one.name)))
        .collect();
    let orphan = format!(
        "{} AND NOT EXISTS (SELECT FROM shop.{} p WHERE {})",
        given.join(" AND "),
        quoted(&to.name),
        pairs
    );
    let free = columns.iter().filter(|column| column.nullable && !is_last);
    let free: Vec<String> = free
        .map(|column| format!("{} = NULL", quoted(&column.name)))
        .collect();
    let table = quoted(&table.name);
    Some(match free.is_empty() {
        true => format!("DELETE FROM shop.{table} c WHERE {orphan}"),
        false => format!(
            "UPDATE shop.{table} c SET {} WHERE {orphan}",
            free.join(", ")
        ),
    })
}
