//! Partitions that come and go.

use crate::catalog::{ObjectPath, Partition, PartitionBound, Partitioning, Table};
use crate::compile::{Writer, derived, lines};
use crate::error::Error;
use crate::migrate::change::{Change, Facet, What};
use crate::migrate::draft::{Draft, Item, Rank, add_constraint, alter, drop_constraint, validate};
use crate::migrate::plan::{HazardKind, Phase};
use crate::migrate::recipe::Recipe;
use crate::migrate::same;
use crate::sql::{QualifiedName, SqlText, fill, fixed, join, quote_ident, quote_qualified};

pub(in crate::migrate) static PARTITIONS: Recipe = Recipe {
    name: "partitions",
    doc: "a partition is made beside the table and attached, which holds nobody up; one that goes is detached CONCURRENTLY and then dropped",
    handles: |change| change.what == What::Altered(Facet::Partitions),
    steps: partitions,
};

fn partitions(change: &Change, draft: &mut Draft<'_>) -> Result<(), Error> {
    let ObjectPath::Table(table) = &change.object else {
        return Ok(());
    };
    let Some((from, to)) = draft.both(table) else {
        return Ok(());
    };
    let (Some(was), Some(now)) = (&from.partitioning, &to.partitioning) else {
        return Ok(());
    };
    let has = |by: &Partitioning, wanted: &Partition| {
        by.partitions
            .iter()
            .any(|p| p.name == wanted.name && same::bound(&p.bound, &wanted.bound))
    };
    let has_default = |by: &Partitioning| {
        by.partitions
            .iter()
            .find(|p| p.bound == PartitionBound::Default)
            .cloned()
    };
    for partition in now.partitions.iter().filter(|p| !has(was, p)) {
        attach(draft, (table, from), was, partition, &change.object)?;
    }
    for partition in was.partitions.iter().filter(|p| !has(now, p)) {
        let child = QualifiedName::new(table.schema.clone(), partition.name.clone());
        let subject = child.name.as_str();
        let parts = [("child", &quote_qualified(&child))];
        let has_default = has_default(was).or_else(|| has_default(now)).is_some();
        let title = format!("detach partition {subject}");
        let undo = alter(
            table,
            "ATTACH PARTITION {child}\n    {bound}",
            &[
                ("child", &quote_qualified(&child)),
                ("bound", &lines::bound(&partition.bound)),
            ],
        );
        let item = Item::new(Phase::Contract, Rank::GoneColumns, title, &change.object).undo(undo);
        draft.push(if has_default {
            item.part(alter(table, "DETACH PARTITION {child}", &parts))
                .because("PostgreSQL refuses CONCURRENTLY where there is a default partition; the lock is short")
        } else {
            item.alone(alter(table, "DETACH PARTITION {child} CONCURRENTLY", &parts))
        });
        let item = Item::new(
            Phase::Contract,
            Rank::GoneTables,
            format!("drop partition {subject}"),
            &change.object,
        )
        .part(fill("DROP TABLE {child}", &parts))
        .hazard(
            HazardKind::DataLoss,
            subject,
            format!("every row of {subject} is gone"),
        )
        .forward_only("the rows are gone; restore them from a backup");
        draft.push(item);
    }
    Ok(())
}

fn attach(
    draft: &mut Draft<'_>,
    (table, from): (&QualifiedName, &Table),
    was: &Partitioning,
    partition: &Partition,
    cause: &ObjectPath,
) -> Result<(), Error> {
    let child = QualifiedName::new(table.schema.clone(), partition.name.clone());
    let subject = child.name.as_str();
    let parts = [
        ("child", &quote_qualified(&child)),
        ("parent", &quote_qualified(table)),
    ];
    // One that is attached cannot be dropped where another table refers to its parent.
    let detach = alter(table, "DETACH PARTITION {child}", &parts);
    let drop = fill("DROP TABLE {child}", &parts);
    let default = was
        .partitions
        .iter()
        .find(|p| p.bound == PartitionBound::Default);
    if partition.bound == PartitionBound::Default
        || matches!(partition.bound, PartitionBound::Hash(..))
    {
        // There is no condition to prove beforehand, and an empty table is attached at once.
        let mut writer = Writer::new(draft.environment);
        writer.partition(table, from, partition)?;
        let made = writer.take().into_iter().map(|made| made.sql);
        let item = Item::new(
            Phase::Expand,
            Rank::Partitions,
            format!("partition {subject}"),
            cause,
        )
        .parts(made)
        .undo(detach)
        .undo(drop);
        draft.push(item);
        return Ok(());
    }
    let condition = condition(was, &partition.bound);
    if let (Some(default), Some(condition)) = (default, &condition) {
        let default = QualifiedName::new(table.schema.clone(), default.name.clone());
        let name = derived(&[default.name.as_str(), "without", subject]);
        let parts = [("name", &quote_ident(&name)), ("condition", condition)];
        let constraint = fill("CONSTRAINT {name} CHECK (NOT ({condition}))", &parts);
        let title = format!("keep rows of {subject} out of {}", default.name.as_str());
        let item = Item::new(Phase::Expand, Rank::Partitions, title.clone(), cause)
            .part(add_constraint(&default, &constraint, " NOT VALID"))
            .undo(drop_constraint(&default, &name))
            .because("attaching reads the default partition under ACCESS EXCLUSIVE unless a check has already proven that no row belongs to the new one");
        draft.push(item);
        let item = Item::new(
            Phase::Expand,
            Rank::Partitions,
            format!("prove to {title}"),
            cause,
        )
        .part(validate(&default, &name));
        draft.push(item);
        let item = Item::new(
            Phase::Contract,
            Rank::GoneRules,
            format!("drop the proof for {subject}"),
            cause,
        )
        .part(drop_constraint(&default, &name))
        .undo(add_constraint(&default, &constraint, " NOT VALID"));
        draft.push(item);
    }
    let like = fill(
        "CREATE TABLE {child} (LIKE {parent} INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING STORAGE INCLUDING GENERATED){with}",
        &[
            ("child", &quote_qualified(&child)),
            ("parent", &quote_qualified(table)),
            (
                "with",
                &if from.with.is_empty() {
                    fixed("")
                } else {
                    fill(
                        " WITH ({with})",
                        &[("with", &lines::parameters(&from.with))],
                    )
                },
            ),
        ],
    );
    let attach = alter(
        table,
        "ATTACH PARTITION {child}\n    {bound}",
        &[
            ("child", &quote_qualified(&child)),
            ("bound", &lines::bound(&partition.bound)),
        ],
    );
    let item = Item::new(Phase::Expand, Rank::Partitions, format!("partition {subject}"), cause)
        .part(like)
        .part(attach)
        .undo(detach)
        .undo(drop)
        .because("CREATE TABLE … PARTITION OF would lock the whole table against readers and writers; attaching does not");
    draft.push(item);
    Ok(())
}

/// The condition that rows of a partition meet.
fn condition(by: &Partitioning, bound: &PartitionBound) -> Option<SqlText> {
    let column = quote_ident(&by.column);
    match bound {
        PartitionBound::Range(from, to) => {
            let is_open = |text: &SqlText| {
                let text = text.as_str().trim();
                text.eq_ignore_ascii_case("minvalue") || text.eq_ignore_ascii_case("maxvalue")
            };
            let mut parts = vec![fill("{column} IS NOT NULL", &[("column", &column)])];
            if !is_open(from) {
                parts.push(fill(
                    "{column} >= {from}",
                    &[("column", &column), ("from", from)],
                ));
            }
            if !is_open(to) {
                parts.push(fill("{column} < {to}", &[("column", &column), ("to", to)]));
            }
            Some(join(parts, " AND "))
        }
        PartitionBound::List(values) => {
            let parts = [
                ("column", &column),
                ("values", &join(values.iter().cloned(), ", ")),
            ];
            Some(fill("{column} IN ({values})", &parts))
        }
        PartitionBound::Hash(..) | PartitionBound::Default => None,
    }
}
