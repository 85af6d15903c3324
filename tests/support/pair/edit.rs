//! One change that somebody makes to a design.

use super::dice::Dice;
use super::make;
use super::parts::*;

/// What was done; nothing where the design has no place for what was drawn.
pub fn edit(design: &mut Design, dice: &mut Dice) -> Option<&'static str> {
    if design.tables.is_empty() {
        return None;
    }
    let at = dice.below(design.tables.len());
    match dice.below(24) {
        0..=4 => make::add(design, dice, true),
        5 => {
            let table = design.tables[at].clone();
            let mut made = make::column(design, &table, dice);
            let has_value =
                made.default.is_some() || made.generated.is_some() || made.identity.is_some();
            made.nullable |= !has_value && dice.chance(90);
            design.tables[at].columns.push(made);
            Some("add a column")
        }
        6 => {
            let table = &mut design.tables[at];
            if table.columns.len() < 3 {
                return None;
            }
            let gone = dice.below(table.columns.len());
            let gone = table.columns.remove(gone).id;
            table.key.retain(|id| *id != gone);
            Some("drop a column")
        }
        7 | 8 => rename_column(design, at, dice),
        9 | 10 => retype(design, at, dice),
        11 => in_column(design, at, dice),
        12 => {
            let table = &mut design.tables[at];
            let wanted = dice.below(table.columns.len());
            let column = &mut table.columns[wanted];
            column.nullable = !column.nullable;
            Some("may be null, or not")
        }
        13 => {
            let name = make::table_name(design, design.last + 1, dice);
            design.last += 1;
            design.tables[at].name = name;
            Some("rename a table")
        }
        14 => {
            let has_tenants = design.tables.iter().any(|table| table.tenant.is_some());
            let made = make::table(design, dice, has_tenants);
            design.tables.push(made);
            Some("add a table")
        }
        15 if design.tables.len() > 1 => {
            design.tables.remove(at);
            Some("drop a table")
        }
        16 => in_key(design, at, dice),
        17 => in_partition(design, at, dice),
        18 => in_type(design, dice),
        19 | 20 => drop_one(design, at, dice),
        21 => alter_one(design, at, dice),
        22 => beside(design, dice),
        _ => in_words(design, at, dice),
    }
}

fn rename_column(design: &mut Design, at: usize, dice: &mut Dice) -> Option<&'static str> {
    let last = design.next();
    let table = &mut design.tables[at];
    let name = make::column_name(table, last, dice);
    let wanted = dice.below(table.columns.len());
    let column = &mut table.columns[wanted];
    if column.name == "tenant_id" {
        return None;
    }
    column.name = name;
    Some("rename a column")
}

/// Columns that refer to it get the same type.
fn retype(design: &mut Design, at: usize, dice: &mut Dice) -> Option<&'static str> {
    let column = dice.pick(&design.tables[at].columns)?.clone();
    let enums: Vec<Id> = design
        .types
        .iter()
        .filter(|own| matches!(own.of, TypeOf::Labels(_)))
        .map(|own| own.id)
        .collect();
    let wanted: Vec<Kind> = match column.kind {
        Kind::Smallint => vec![Kind::Integer, Kind::Bigint],
        Kind::Integer => vec![
            Kind::Bigint,
            Kind::Bigint,
            Kind::Numeric(14, 4),
            Kind::Smallint,
            Kind::Text,
        ],
        Kind::Bigint => vec![Kind::Integer, Kind::Numeric(14, 4), Kind::Text],
        Kind::Numeric(..) => vec![
            Kind::Numeric(14, 2),
            Kind::Numeric(12, 4),
            Kind::Numeric(8, 2),
            Kind::Double,
        ],
        Kind::Double => vec![Kind::Numeric(14, 4)],
        Kind::Real => vec![Kind::Double],
        Kind::Json => vec![Kind::Jsonb, Kind::Text],
        Kind::Jsonb => vec![Kind::Json, Kind::Text],
        Kind::Text => vec![Kind::Varchar(80), Kind::Varchar(20), Kind::Jsonb],
        Kind::Varchar(_) => vec![Kind::Text, Kind::Varchar(120), Kind::Varchar(30)],
        Kind::Date => vec![Kind::Timestamptz, Kind::Timestamp],
        Kind::Timestamp => vec![Kind::Timestamptz, Kind::Date],
        Kind::Timestamptz => vec![Kind::Timestamp, Kind::Date],
        Kind::Bool => vec![Kind::Integer, Kind::Text],
        Kind::Enum(_) => vec![Kind::Text, Kind::Varchar(40)],
        Kind::Domain(_) => vec![Kind::Bigint, Kind::Numeric(14, 4)],
        Kind::Words(_) => vec![Kind::Text, Kind::Varchar(80)],
        _ => vec![Kind::Text],
    };
    let mut kind = *dice.pick(&wanted)?;
    if kind.is_text()
        && dice.chance(20)
        && let Some(id) = dice.pick(&enums)
    {
        kind = Kind::Enum(*id);
    }
    let mut all = vec![(design.tables[at].id, column.id)];
    // A column may be referred to by one that is referred to itself.
    for _ in 0..3 {
        for table in &design.tables {
            for reference in &table.references {
                for (own, key) in reference.columns.iter().zip(&reference.key) {
                    let (one, other) = ((table.id, *own), (reference.to, *key));
                    if all.contains(&one) != all.contains(&other) {
                        all.extend(if all.contains(&one) { [other] } else { [one] });
                    }
                }
            }
        }
    }
    for table in &mut design.tables {
        let id = table.id;
        for column in table
            .columns
            .iter_mut()
            .filter(|column| all.contains(&(id, column.id)))
        {
            column.kind = kind;
        }
    }
    Some("change a type")
}

fn in_column(design: &mut Design, at: usize, dice: &mut Dice) -> Option<&'static str> {
    let wanted = dice.below(design.tables[at].columns.len());
    let kind = design.tables[at].columns[wanted].kind;
    let default = make::default(design, kind, dice);
    let others = design.tables[at].clone();
    let column = &mut design.tables[at].columns[wanted];
    match dice.below(6) {
        0 if column.generated.is_none() && column.identity.is_none() => {
            column.default = if column.default.is_some() && dice.chance(50) {
                None
            } else {
                default
            };
            Some("change a default")
        }
        1 if kind.is_whole() && column.generated.is_none() => {
            let taken = others
                .columns
                .iter()
                .any(|other| other.identity.is_some() && other.id != column.id);
            column.identity = match column.identity {
                _ if taken => return None,
                Some(_) if dice.chance(50) => None,
                Some(always) => Some(!always),
                None => Some(dice.chance(50)),
            };
            Some("change an identity")
        }
        2 if kind.is_text() && column.generated.is_none() => {
            column.one_of = match column.one_of.len() {
                0 => make::VALUES[..3]
                    .iter()
                    .map(|value| (*value).to_owned())
                    .collect(),
                _ if dice.chance(40) => Vec::new(),
                many => make::VALUES[..if many == 4 { 3 } else { many + 1 }]
                    .iter()
                    .map(|value| (*value).to_owned())
                    .collect(),
            };
            Some("change what a column may be")
        }
        3 => {
            column.generated = match column.generated {
                Some(_) => None,
                None => Some(make::generated(&others, kind, dice)?),
            };
            Some("generated, or not")
        }
        4 if kind.is_text() => {
            column.collate = !column.collate;
            Some("change a collation")
        }
        _ => {
            column.check = match column.check {
                Some(_) => None,
                None if kind.class() == Class::Number => Some(Sql {
                    text: "$0 < 32000".to_owned(),
                    uses: vec![(column.id, Class::Number)],
                    labels: Vec::new(),
                }),
                None => return None,
            };
            Some("change the check of a column")
        }
    }
}

fn in_key(design: &mut Design, at: usize, dice: &mut Dice) -> Option<&'static str> {
    let table = &mut design.tables[at];
    let fits: Vec<Id> = table
        .plain()
        .filter(|column| {
            !column.nullable && column.kind.is_ordered() && !table.key.contains(&column.id)
        })
        .map(|column| column.id)
        .collect();
    match dice.below(4) {
        0 => table.key.clear(),
        1 if table.key.len() > 1 => {
            table.key.rotate_left(1);
        }
        2 if table.key.len() > 1 => {
            table.key.pop();
        }
        _ => table.key.push(*dice.pick(&fits)?),
    }
    Some("change a key")
}

fn in_partition(design: &mut Design, at: usize, dice: &mut Dice) -> Option<&'static str> {
    match &mut design.tables[at].partition {
        None => {
            let made = make::partition(design, at, dice)?;
            let table = &mut design.tables[at];
            if !table.key.contains(&made.by) {
                table.key.push(made.by);
            }
            table.partition = Some(made);
            Some("partition a table")
        }
        own if dice.chance(30) => {
            *own = None;
            Some("no longer partitioned")
        }
        Some(own) => {
            match &mut own.form {
                Form::Every { ahead, .. } => {
                    *ahead = if dice.chance(70) || *ahead < 2 {
                        *ahead + 1
                    } else {
                        *ahead - 1
                    }
                }
                Form::Hash(count) => *count += 1,
                Form::List(parts) if parts.len() < 3 => {
                    parts.push(("part_three".to_owned(), vec!["e".to_owned()]))
                }
                Form::List(parts) => parts.truncate(2),
                Form::Ranges(parts) if parts.len() < 3 => {
                    parts.push(("later".to_owned(), ["2030-01-01", "2040-01-01"]))
                }
                Form::Ranges(parts) => parts.truncate(2),
            }
            if dice.chance(20) && !matches!(own.form, Form::Hash(_)) {
                own.default = !own.default;
            }
            Some("other partitions")
        }
    }
}

fn in_type(design: &mut Design, dice: &mut Dice) -> Option<&'static str> {
    if dice.chance(15) || design.types.is_empty() {
        let made = make::data_type(design, dice);
        design.types.push(made);
        return Some("add a type");
    }
    let at = dice.below(design.types.len());
    if dice.chance(15) {
        design.types.remove(at);
        return Some("drop a type");
    }
    match &mut design.types[at].of {
        TypeOf::Labels(labels) => {
            let missing: Vec<&str> = make::LABELS
                .into_iter()
                .filter(|label| !labels.iter().any(|own| own == label))
                .collect();
            match dice.below(4) {
                0 if labels.len() > 1 => {
                    labels.pop();
                    Some("drop a label")
                }
                1 if labels.len() > 1 => {
                    labels.rotate_left(1);
                    Some("labels in another order")
                }
                _ => {
                    let label = dice.pick(&missing)?;
                    let place = dice.below(labels.len() + 1);
                    labels.insert(place, (*label).to_owned());
                    Some("add a label")
                }
            }
        }
        TypeOf::Words { check } => {
            *check = match check {
                None => Some("length(value) < 1000"),
                Some(_) => None,
            };
            Some("change a domain")
        }
        TypeOf::Number { check, .. } => {
            *check = match check {
                None => Some("value >= 0"),
                Some("value >= 0") => Some("value >= 0 and value < 1000000"),
                Some(_) => None,
            };
            Some("change a domain")
        }
    }
}

fn drop_one(design: &mut Design, at: usize, dice: &mut Dice) -> Option<&'static str> {
    fn one<T>(from: &mut Vec<T>, dice: &mut Dice) -> Option<T> {
        (!from.is_empty()).then(|| from.remove(dice.below(from.len())))
    }
    let table = &mut design.tables[at];
    match dice.below(9) {
        8 => one(&mut table.statistics, dice).map(|_| "drop statistics"),
        0 => one(&mut table.indexes, dice).map(|_| "drop an index"),
        1 => one(&mut table.uniques, dice).map(|_| "drop a unique constraint"),
        2 => one(&mut table.checks, dice).map(|_| "drop a check"),
        3 => one(&mut table.references, dice).map(|_| "drop a reference"),
        4 => one(&mut table.excludes, dice).map(|_| "drop an exclusion"),
        5 => one(&mut design.views, dice).map(|_| "drop a view"),
        6 => one(&mut design.routines, dice).map(|_| "drop a routine"),
        _ => one(&mut design.invariants, dice).map(|_| "drop an invariant"),
    }
}

fn alter_one(design: &mut Design, at: usize, dice: &mut Dice) -> Option<&'static str> {
    let fresh = design.next();
    let other = make::filter(design, at, dice);
    let whole = design.clone();
    let table = &mut design.tables[at];
    let which = |count: usize, dice: &mut Dice| (count > 0).then(|| dice.below(count));
    match dice.below(10) {
        9 => {
            let own = which(table.statistics.len(), dice)?;
            match dice.chance(50) {
                true => table.statistics[own].name = format!("st_{fresh}"),
                false => table.statistics[own].kinds = vec!["mcv"],
            }
            Some("change statistics")
        }
        0 => {
            let own = which(table.indexes.len(), dice)?;
            table.indexes[own].name = format!("ix_{fresh}");
            Some("rename an index")
        }
        1 => {
            let own = which(table.indexes.len(), dice)?;
            table.indexes[own].filter = other;
            Some("change an index")
        }
        2 => {
            let own = which(table.uniques.len(), dice)?;
            table.uniques[own].name = format!("uq_{fresh}");
            Some("rename a unique constraint")
        }
        3 => {
            let own = which(table.checks.len(), dice)?;
            match other {
                Some(other) if dice.chance(50) => table.checks[own].1 = other,
                _ => table.checks[own].0 = format!("ck_{fresh}"),
            }
            Some("change a check")
        }
        4 => {
            let own = which(table.references.len(), dice)?;
            match dice.below(3) {
                0 => table.references[own].name = format!("fk_{fresh}"),
                1 => table.references[own].on_delete = "cascade",
                _ => table.references[own].deferrable = !table.references[own].deferrable,
            }
            Some("change a reference")
        }
        5 => {
            let own = which(table.excludes.len(), dice)?;
            table.excludes[own].filter = other;
            Some("change an exclusion")
        }
        6 => {
            let own = which(design.views.len(), dice)?;
            let view = &mut design.views[own];
            let table = whole.table(view.table)?;
            let all: Vec<Id> = table.columns.iter().map(|column| column.id).collect();
            match dice.below(3) {
                0 => view.columns = dice.some(&all, 4),
                1 => view.own_names = !view.own_names,
                _ => view.invoker = !view.invoker,
            }
            Some("change a view")
        }
        7 => {
            let own = which(design.routines.len(), dice)?;
            match &mut design.routines[own].does {
                Does::Adds(number) => *number += 1,
                Does::Looks { updates_only, .. } => *updates_only = !*updates_only,
                Does::Counts(_) => return None,
            }
            Some("change a routine")
        }
        _ => {
            let own = which(design.invariants.len(), dice)?;
            let invariant = &mut design.invariants[own];
            match &mut invariant.rule {
                Rule::Monotonic(_, strictly) => *strictly = !*strictly,
                Rule::AtMostCount(_, limit, _) => *limit += 1,
                Rule::AtMostSum(_, _, filter) => *filter = None,
                Rule::Immutable(_, once) => *once = None,
                _ => invariant.name = format!("rule-{fresh}"),
            }
            Some("change an invariant")
        }
    }
}

fn beside(design: &mut Design, dice: &mut Dice) -> Option<&'static str> {
    let grants = make::grants(design, dice);
    match dice.pick(&make::ROLES).copied() {
        Some(name) if !design.roles.iter().any(|own| own.name == name) => design.roles.push(Role {
            name,
            grants,
            on_views: dice.chance(50),
        }),
        Some(name) => {
            for own in design.roles.iter_mut().filter(|own| own.name == name) {
                match dice.below(3) {
                    0 => own.on_views = !own.on_views,
                    _ => own.grants = grants.clone(),
                }
            }
        }
        None => return None,
    }
    Some("change grants")
}

fn in_words(design: &mut Design, at: usize, dice: &mut Dice) -> Option<&'static str> {
    let table = &mut design.tables[at];
    match dice.below(6) {
        0 => table.grain += 1,
        1 => {
            table.fillfactor = if table.fillfactor.is_some() {
                None
            } else {
                Some(60)
            }
        }
        2 => design.types.first_mut()?.means += 1,
        3 => design.views.first_mut()?.means += 1,
        4 => design.routines.first_mut()?.means += 1,
        _ => {
            let wanted = dice.below(table.columns.len());
            table.columns[wanted].means += 1;
        }
    }
    Some("change words")
}
