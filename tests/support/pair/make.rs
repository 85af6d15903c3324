//! Designs, and whatever can be part of one, at random.

use super::dice::Dice;
use super::parts::*;
use super::tidy::tidy;

const TABLES: [&str; 13] = [
    "customer",
    "order",
    "line",
    "user",
    "payment",
    "shipment",
    "group",
    "event",
    "case_file",
    "Mixed Case",
    "stock",
    "new",
    "a_name_that_is_nearly_as_long_as_postgresql_will_take_it",
];
const COLUMNS: [&str; 20] = [
    "amount",
    "note",
    "state",
    "placed_at",
    "value",
    "name",
    "kind",
    "none",
    "since",
    "limit",
    "at",
    "Total Sum",
    "chunk",
    "primary",
    "a_column_with_a_very_long_name_that_nearly_fills_the_room",
    "code",
    "old",
    "new",
    "total",
    "period",
];
pub const LABELS: [&str; 6] = ["new", "paid", "sent", "lost", "it's", "Done"];
pub const VALUES: [&str; 4] = ["a", "b", "c", "d"];
pub const ROLES: [&str; 2] = ["pair_clerk", "pair_auditor"];

pub fn design(dice: &mut Dice) -> Design {
    let mut design = Design {
        last: 0,
        types: Vec::new(),
        tables: Vec::new(),
        views: Vec::new(),
        routines: Vec::new(),
        invariants: Vec::new(),
        roles: Vec::new(),
        trigrams: dice.chance(20),
    };
    for _ in 0..dice.below(4) {
        let made = data_type(&mut design, dice);
        design.types.push(made);
    }
    let has_tenants = dice.chance(40);
    for _ in 0..2 + dice.below(3) {
        let made = table(&mut design, dice, has_tenants);
        design.tables.push(made);
    }
    for _ in 0..4 + dice.below(14) {
        add(&mut design, dice, false);
    }
    for name in ROLES.into_iter().take(dice.below(3)) {
        let grants = grants(&design, dice);
        design.roles.push(Role {
            name,
            grants,
            on_views: dice.chance(50),
        });
    }
    tidy(&mut design);
    design
}

/// One more of something inside a table, or beside it.
pub fn add(design: &mut Design, dice: &mut Dice, has_rows: bool) -> Option<&'static str> {
    let at = dice.below(design.tables.len());
    if design.tables.is_empty() {
        return None;
    }
    match dice.below(13) {
        12 => {
            let made = statistics(design, at, dice)?;
            design.tables[at].statistics.push(made);
            Some("add statistics")
        }
        0 | 1 => {
            let made = index(design, at, dice)?;
            design.tables[at].indexes.push(made);
            Some("add an index")
        }
        2 => {
            let made = unique(design, at, dice)?;
            design.tables[at].uniques.push(made);
            Some("add a unique constraint")
        }
        3 => {
            let name = design.named("ck");
            let made = condition(design, at, dice)?;
            design.tables[at].checks.push((name, made));
            Some("add a check")
        }
        4 => {
            let made = exclude(design, at, dice)?;
            design.tables[at].excludes.push(made);
            Some("add an exclusion")
        }
        5 => {
            let made = view(design, at, dice)?;
            design.views.push(made);
            Some("add a view")
        }
        6 => {
            let made = routine(design, at, dice)?;
            design.routines.push(made);
            Some("add a routine")
        }
        7 => {
            let made = partition(design, at, dice)?;
            let by = made.by;
            let table = &mut design.tables[at];
            if !table.key.is_empty() && !table.key.contains(&by) {
                table.key.push(by);
            }
            table.partition = Some(made);
            Some("partition a table")
        }
        8 => reference(design, at, dice, has_rows),
        _ => {
            let made = invariant(design, at, dice)?;
            design.invariants.push(made);
            Some("add an invariant")
        }
    }
}

impl Design {
    pub fn named(&mut self, start: &str) -> String {
        format!("{start}_{}", self.next())
    }
}

pub fn data_type(design: &mut Design, dice: &mut Dice) -> Type {
    let id = design.next();
    let of = if dice.chance(60) {
        TypeOf::Labels(
            dice.some(&LABELS, 4)
                .into_iter()
                .map(str::to_owned)
                .collect(),
        )
    } else if dice.chance(30) {
        TypeOf::Words {
            check: [None, Some("length(value) < 1000"), Some("value <> ''")][dice.below(3)],
        }
    } else {
        TypeOf::Number {
            big: dice.chance(50),
            check: [None, Some("value >= 0"), Some("value < 1000000")][dice.below(3)],
        }
    };
    Type {
        id,
        name: format!("type_{id}"),
        of,
        means: 0,
    }
}

fn name(words: &[&str], taken: &dyn Fn(&str) -> bool, id: Id, dice: &mut Dice) -> String {
    let word = dice.pick(words).copied().unwrap_or("thing");
    if taken(word) || dice.fresh_names || dice.chance(30) {
        let mut word = word.to_owned();
        word.truncate(50);
        return format!("{word}_{id}");
    }
    word.to_owned()
}

pub fn table_name(design: &Design, id: Id, dice: &mut Dice) -> String {
    name(
        &TABLES,
        &|name| design.tables.iter().any(|table| table.name == name),
        id,
        dice,
    )
}

pub fn column_name(table: &Table, id: Id, dice: &mut Dice) -> String {
    name(
        &COLUMNS,
        &|name| table.columns.iter().any(|column| column.name == name),
        id,
        dice,
    )
}

pub fn table(design: &mut Design, dice: &mut Dice, has_tenants: bool) -> Table {
    let id = design.next();
    let mut table = Table {
        id,
        name: table_name(design, id, dice),
        columns: Vec::new(),
        key: Vec::new(),
        uniques: Vec::new(),
        references: Vec::new(),
        checks: Vec::new(),
        excludes: Vec::new(),
        indexes: Vec::new(),
        statistics: Vec::new(),
        partition: None,
        fillfactor: dice.chance(15).then_some(80),
        tenant: None,
        grain: 0,
    };
    let plain = |id: Id, name: String, kind: Kind| Column {
        id,
        name,
        kind,
        nullable: false,
        default: None,
        identity: None,
        generated: None,
        one_of: Vec::new(),
        check: None,
        collate: false,
        means: 0,
    };
    let own = design.next();
    let mut key = plain(
        own,
        format!("id_{own}"),
        [Kind::Integer, Kind::Bigint, Kind::Uuid, Kind::Text][dice.below(4)],
    );
    if key.kind.is_whole() && dice.chance(50) {
        key.identity = Some(dice.chance(50));
    }
    table.columns.push(key);
    table.key.push(own);
    if has_tenants {
        let tenant = design.next();
        table
            .columns
            .push(plain(tenant, "tenant_id".to_owned(), Kind::Bigint));
        table.tenant = Some(tenant);
        if dice.chance(50) {
            table.key.insert(0, tenant);
        } else {
            let name = design.named("uq");
            table.uniques.push(Unique {
                name,
                columns: vec![tenant, own],
                filter: None,
            });
        }
    }
    for _ in 0..2 + dice.below(5) {
        let column = column(design, &table, dice);
        table.columns.push(column);
    }
    table
}

pub fn kind(design: &Design, dice: &mut Dice) -> Kind {
    if dice.chance(25)
        && let Some(own) = dice.pick(&design.types)
    {
        return match own.of {
            TypeOf::Labels(_) => Kind::Enum(own.id),
            TypeOf::Number { .. } => Kind::Domain(own.id),
            TypeOf::Words { .. } => Kind::Words(own.id),
        };
    }
    [
        Kind::Smallint,
        Kind::Integer,
        Kind::Integer,
        Kind::Bigint,
        Kind::Numeric(10, 2),
        Kind::Numeric(14, 4),
        Kind::Double,
        Kind::Text,
        Kind::Text,
        Kind::Text,
        Kind::Varchar(20),
        Kind::Varchar(80),
        Kind::Bool,
        Kind::Uuid,
        Kind::Date,
        Kind::Timestamp,
        Kind::Timestamptz,
        Kind::Timestamptz,
        Kind::Timestamptz,
        Kind::Interval,
        Kind::Jsonb,
        Kind::Bytea,
        Kind::Texts,
        Kind::Span,
        Kind::Inet,
        Kind::Real,
        Kind::Clock,
        Kind::Json,
        Kind::Ints,
    ][dice.below(29)]
}

/// A default that a type can have.
pub fn default(design: &Design, kind: Kind, dice: &mut Dice) -> Option<Default> {
    let adds: Vec<Id> = design
        .routines
        .iter()
        .filter(|own| matches!(own.does, Does::Adds(_)))
        .map(|own| own.id)
        .collect();
    match kind {
        Kind::Date | Kind::Timestamp | Kind::Timestamptz if dice.chance(70) => Some(Default::Now),
        Kind::Uuid if dice.chance(70) => Some(Default::Random),
        Kind::Integer | Kind::Bigint if dice.chance(20) => {
            dice.pick(&adds).map(|id| Default::Routine(*id))
        }
        _ => Some(Default::Literal(dice.below(3))),
    }
}

pub fn column(design: &mut Design, table: &Table, dice: &mut Dice) -> Column {
    let id = design.next();
    let kind = kind(design, dice);
    let mut column = Column {
        id,
        name: column_name(table, id, dice),
        kind,
        nullable: dice.chance(45),
        default: None,
        identity: None,
        generated: None,
        one_of: Vec::new(),
        check: None,
        collate: kind.is_text() && dice.chance(10),
        means: 0,
    };
    if dice.chance(30) {
        column.default = default(design, kind, dice);
    }
    if kind.is_text() && dice.chance(25) {
        column.one_of = VALUES[..2 + dice.below(3)]
            .iter()
            .map(|value| (*value).to_owned())
            .collect();
        column.default = None;
    }
    if kind.class() == Class::Number && dice.chance(15) {
        column.check = Some(Sql {
            text: "$0 >= 0".to_owned(),
            uses: vec![(id, Class::Number)],
            labels: Vec::new(),
        });
    }
    if dice.chance(10) {
        column.generated = generated(table, kind, dice);
        if column.generated.is_some() {
            column.default = None;
            column.one_of.clear();
        }
    }
    if kind.is_whole()
        && dice.chance(5)
        && column.generated.is_none()
        && table.columns.iter().all(|other| other.identity.is_none())
    {
        column.identity = Some(dice.chance(50));
        column.default = None;
        column.nullable = false;
    }
    column
}

pub fn generated(table: &Table, kind: Kind, dice: &mut Dice) -> Option<Sql> {
    let fits: Vec<Id> = table
        .plain()
        .filter(|other| match kind {
            Kind::Integer | Kind::Bigint => other.kind.is_whole() && other.kind != Kind::Bigint,
            Kind::Text => other.kind == Kind::Text,
            Kind::Bool => true,
            _ => false,
        })
        .map(|other| other.id)
        .collect();
    let id = *dice.pick(&fits)?;
    let (text, class) = match kind {
        Kind::Text => ("lower($0)", Class::Text),
        Kind::Bool => ("$0 is null", Class::Any),
        _ => ("$0 * 2", Class::Number),
    };
    Some(Sql {
        text: text.to_owned(),
        uses: vec![(id, class)],
        labels: Vec::new(),
    })
}

/// A condition over one row of a table.
pub fn condition(design: &Design, at: usize, dice: &mut Dice) -> Option<Sql> {
    let table = &design.tables[at];
    let column = dice.pick(&table.columns)?;
    let class = column.kind.class();
    let mut uses = vec![(column.id, class)];
    let mut labels = Vec::new();
    let text = match class {
        Class::Number => {
            let others: Vec<&Column> = table
                .columns
                .iter()
                .filter(|other| other.kind.class() == Class::Number && other.id != column.id)
                .collect();
            match dice.pick(&others) {
                Some(other) if dice.chance(25) => {
                    uses.push((other.id, Class::Number));
                    "$0 >= 0 or $1 > 5".to_owned()
                }
                _ => [
                    "$0 >= 0",
                    "$0 between 0 and 9000",
                    "$0 <> 7",
                    "$0 > -5 and $0 < 30000",
                ][dice.below(4)]
                .to_owned(),
            }
        }
        Class::Text => [
            "$0 <> ''",
            "length($0) < 200",
            "$0 = lower($0) or length($0) > 0",
        ][dice.below(3)]
        .to_owned(),
        Class::Time => {
            let others: Vec<&Column> = table
                .columns
                .iter()
                .filter(|other| other.kind == column.kind && other.id != column.id)
                .collect();
            match dice.pick(&others) {
                Some(other) if dice.chance(50) => {
                    uses.push((other.id, Class::Time));
                    "$0 <= $1 or $1 is null".to_owned()
                }
                _ => "$0 > '2001-01-01'".to_owned(),
            }
        }
        Class::Bool => "$0 is not null".to_owned(),
        Class::Json => "jsonb_typeof($0) is not null".to_owned(),
        Class::Labels(id) => {
            let label = dice.pick(design.labels(id))?.clone();
            labels.push((id, label.clone()));
            format!("$0 = '{}' or $0 is not null", label.replace('\'', "''"))
        }
        Class::Span | Class::Any => {
            uses[0].1 = Class::Any;
            "$0 is not null".to_owned()
        }
    };
    Some(Sql { text, uses, labels })
}

/// A condition that splits the rows of a table.
pub fn filter(design: &Design, at: usize, dice: &mut Dice) -> Option<Sql> {
    let nullable: Vec<Id> = design.tables[at]
        .columns
        .iter()
        .filter(|column| column.nullable)
        .map(|column| column.id)
        .collect();
    if let Some(id) = dice.pick(&nullable)
        && dice.chance(60)
    {
        let text = ["$0 is null", "$0 is not null"][dice.below(2)].to_owned();
        return Some(Sql {
            text,
            uses: vec![(*id, Class::Any)],
            labels: Vec::new(),
        });
    }
    condition(design, at, dice)
}

pub fn ordered(table: &Table) -> Vec<Id> {
    table
        .columns
        .iter()
        .filter(|column| column.kind.is_ordered())
        .map(|column| column.id)
        .collect()
}

fn bare(id: Id) -> Sql {
    Sql {
        text: "$0".to_owned(),
        uses: vec![(id, Class::Any)],
        labels: Vec::new(),
    }
}

pub fn index(design: &mut Design, at: usize, dice: &mut Dice) -> Option<Index> {
    let id = design.next();
    let trigrams = design.trigrams;
    let table = &design.tables[at];
    let of = |class: Class| -> Vec<Id> {
        table
            .columns
            .iter()
            .filter(|column| column.kind.class() == class)
            .map(|column| column.id)
            .collect()
    };
    let mut made = Index {
        id,
        name: format!("ix_{id}"),
        keys: Vec::new(),
        using: None,
        unique: false,
        filter: None,
        include: Vec::new(),
        fillfactor: dice.chance(10).then_some(70),
    };
    match dice.below(9) {
        0 => {
            let json = dice.pick(&of(Class::Json)).copied();
            let text = dice.pick(&of(Class::Text)).copied().filter(|_| trigrams);
            made.using = Some("gin");
            made.fillfactor = None;
            match (json, text) {
                (_, Some(text)) => made
                    .keys
                    .push((typed("$0", text, Class::Text), " gin_trgm_ops")),
                (Some(json), None) => made.keys.push((
                    typed("$0", json, Class::Json),
                    [" jsonb_path_ops", ""][dice.below(2)],
                )),
                (None, None) => return None,
            }
        }
        1 => {
            made.using = Some("gist");
            made.keys
                .push((typed("$0", *dice.pick(&of(Class::Span))?, Class::Span), ""));
        }
        2 => {
            made.using = Some("brin");
            made.fillfactor = None;
            made.keys
                .push((typed("$0", *dice.pick(&of(Class::Time))?, Class::Time), ""));
        }
        3 => {
            made.using = Some("hash");
            made.keys.push((bare(*dice.pick(&ordered(table))?), ""));
        }
        4 => {
            let (text, class) = [
                ("(lower($0))", Class::Text),
                ("($0 + 1)", Class::Number),
                ("($0 ->> 'a')", Class::Json),
                ("coalesce($0, '')", Class::Text),
            ][dice.below(4)];
            made.keys.push((
                typed(text, *dice.pick(&of(class))?, class),
                ["", " desc"][dice.below(2)],
            ));
        }
        _ => {
            for id in dice.some(&ordered(table), 3) {
                made.keys
                    .push((bare(id), ["", "", " desc", " nulls first"][dice.below(4)]));
            }
            made.unique = dice.chance(15);
            if dice.chance(25) {
                let mut rest = ordered(table);
                rest.retain(|id| made.keys.iter().all(|(key, _)| key.uses[0].0 != *id));
                made.include = dice.some(&rest, 2);
            }
        }
    }
    if dice.chance(30) {
        made.filter = filter(design, at, dice);
    }
    (!made.keys.is_empty()).then_some(made)
}

fn typed(text: &str, id: Id, class: Class) -> Sql {
    Sql {
        text: text.to_owned(),
        uses: vec![(id, class)],
        labels: Vec::new(),
    }
}

/// Mostly over something that tells rows apart, so that there can be rows.
pub fn unique(design: &mut Design, at: usize, dice: &mut Dice) -> Option<Unique> {
    let name = design.named("uq");
    let table = &design.tables[at];
    let mut columns = dice.some(&ordered(table), 2);
    if dice.chance(60)
        && let Some(id) = table.key.last()
        && !columns.contains(id)
    {
        columns.push(*id);
    }
    let filter = if dice.chance(20) {
        filter(design, at, dice)
    } else {
        None
    };
    (!columns.is_empty()).then_some(Unique {
        name,
        columns,
        filter,
    })
}

pub fn statistics(design: &mut Design, at: usize, dice: &mut Dice) -> Option<Statistics> {
    let name = design.named("st");
    let columns = dice.some(&ordered(&design.tables[at]), 4);
    let kinds = match dice.chance(50) {
        true => Vec::new(),
        false => dice.some(&["ndistinct", "dependencies", "mcv"], 2),
    };
    Some(Statistics {
        name,
        columns,
        kinds,
    })
}

pub fn exclude(design: &mut Design, at: usize, dice: &mut Dice) -> Option<Exclude> {
    let name = design.named("ex");
    let table = &design.tables[at];
    let spans: Vec<Id> = table
        .columns
        .iter()
        .filter(|column| column.kind == Kind::Span)
        .map(|column| column.id)
        .collect();
    let span = match dice.pick(&spans) {
        Some(id) => typed("$0", *id, Class::Span),
        None => {
            let times: Vec<Id> = table
                .columns
                .iter()
                .filter(|column| column.kind == Kind::Timestamptz)
                .map(|column| column.id)
                .collect();
            let [from, to] = times.get(..2)? else {
                return None;
            };
            Sql {
                text: "tstzrange($0, $1)".to_owned(),
                uses: vec![(*from, Class::Time), (*to, Class::Time)],
                labels: Vec::new(),
            }
        }
    };
    let scalar: Vec<Id> = table
        .columns
        .iter()
        .filter(|column| {
            matches!(
                column.kind,
                Kind::Integer | Kind::Bigint | Kind::Text | Kind::Uuid
            )
        })
        .map(|column| column.id)
        .collect();
    let equal = dice.some(&scalar, 2);
    let filter = if dice.chance(20) {
        filter(design, at, dice)
    } else {
        None
    };
    Some(Exclude {
        name,
        equal,
        span,
        filter,
    })
}

pub fn partition(design: &Design, at: usize, dice: &mut Dice) -> Option<Partition> {
    let table = &design.tables[at];
    let fits = |wanted: &dyn Fn(&Column) -> bool| -> Vec<Id> {
        table
            .plain()
            .filter(|column| !column.nullable && wanted(column))
            .map(|column| column.id)
            .collect()
    };
    let default = dice.chance(60);
    let (by, form) = match dice.below(4) {
        0 => (
            *dice.pick(&table.key)?,
            Form::Hash(2 + dice.below(3) as u32),
        ),
        1 => {
            let by = *dice.pick(&fits(&|column| {
                column.kind.is_text() && !column.one_of.is_empty()
            }))?;
            let parts = vec![
                ("part_one".to_owned(), vec!["a".to_owned(), "b".to_owned()]),
                ("part_two".to_owned(), vec!["c".to_owned(), "d".to_owned()]),
            ];
            (by, Form::List(parts))
        }
        2 => {
            let by = *dice.pick(&fits(&|column| {
                column.kind == Kind::Date || column.kind == Kind::Timestamptz
            }))?;
            (
                by,
                Form::Ranges(vec![
                    ("early".to_owned(), ["2020-01-01", "2026-02-01"]),
                    ("late".to_owned(), ["2026-02-01", "2030-01-01"]),
                ]),
            )
        }
        _ => {
            let by = *dice.pick(&fits(&|column| column.kind.class() == Class::Time))?;
            (
                by,
                Form::Every {
                    months: dice.chance(70),
                    ahead: 2 + dice.below(4) as u32,
                },
            )
        }
    };
    let default = default && !matches!(form, Form::Hash(_));
    Some(Partition { by, form, default })
}

/// A reference to another table, or to the same one, over columns of its own.
pub fn reference(
    design: &mut Design,
    at: usize,
    dice: &mut Dice,
    has_rows: bool,
) -> Option<&'static str> {
    let to = dice.pick(&design.tables)?.clone();
    let keys: Vec<Vec<Id>> = to.keys().cloned().collect();
    let key = dice.pick(&keys)?.clone();
    let nullable = has_rows || to.id == design.tables[at].id || dice.chance(40);
    let mut columns = Vec::new();
    for id in &key {
        let target = to.column(*id)?.clone();
        // In a design with tenants the tenant is part of the reference.
        if Some(*id) == to.tenant
            && let Some(own) = design.tables[at].tenant
        {
            columns.push(own);
            continue;
        }
        let own = design.next();
        columns.push(own);
        design.tables[at].columns.push(Column {
            id: own,
            name: format!("ref_{own}"),
            nullable,
            default: None,
            identity: None,
            generated: None,
            one_of: Vec::new(),
            check: None,
            means: 0,
            ..target
        });
    }
    let name = design.named("fk");
    let on_delete = match nullable {
        true if columns.len() == key.len() && design.tables[at].tenant.is_none() => {
            ["restrict", "set null", "no action", "cascade"][dice.below(4)]
        }
        _ => ["restrict", "cascade", "no action"][dice.below(3)],
    };
    let made = Reference {
        name,
        columns,
        to: to.id,
        key,
        on_delete,
        on_update: dice.chance(10).then_some("cascade"),
        deferrable: dice.chance(15),
    };
    design.tables[at].references.push(made);
    Some("add a reference")
}

pub fn view(design: &mut Design, at: usize, dice: &mut Dice) -> Option<View> {
    let name = design.named("view");
    let table = &design.tables[at];
    let all: Vec<Id> = table.columns.iter().map(|column| column.id).collect();
    let columns = dice.some(&all, 4);
    let filter = if dice.chance(40) {
        filter(design, at, dice)
    } else {
        None
    };
    let join = dice
        .pick(&design.tables[at].references)
        .map(|own| own.name.clone())
        .filter(|_| dice.chance(30));
    Some(View {
        name,
        table: design.tables[at].id,
        columns,
        own_names: dice.chance(50),
        filter,
        join,
        invoker: dice.chance(80),
        means: 0,
    })
}

pub fn routine(design: &mut Design, at: usize, dice: &mut Dice) -> Option<Routine> {
    let id = design.next();
    let table = &design.tables[at];
    let does = match dice.below(3) {
        0 => Does::Adds(dice.below(3) as u32),
        1 => Does::Looks {
            table: table.id,
            column: dice.pick(&table.columns)?.id,
            updates_only: dice.chance(50),
            late: dice.chance(40),
        },
        _ => Does::Counts(table.id),
    };
    Some(Routine {
        id,
        name: format!("does_{id}"),
        does,
        means: 0,
    })
}

pub fn grants(design: &Design, dice: &mut Dice) -> Vec<(Id, Vec<&'static str>)> {
    let tables: Vec<Id> = design.tables.iter().map(|table| table.id).collect();
    let some = dice.some(&tables, 3);
    some.into_iter()
        .map(|id| (id, dice.some(&["select", "insert", "update", "delete"], 3)))
        .collect()
}

pub fn invariant(design: &mut Design, at: usize, dice: &mut Dice) -> Option<Invariant> {
    let id = design.next();
    let table = &design.tables[at];
    let of = |wanted: &dyn Fn(&Column) -> bool| -> Vec<Id> {
        table
            .plain()
            .filter(|column| wanted(column))
            .map(|column| column.id)
            .collect()
    };
    let whole = of(&|column| column.kind.is_whole() && column.identity.is_none());
    let sums = of(&|column| {
        let keyed = table.keys().any(|key| key.contains(&column.id));
        let refers = table
            .references
            .iter()
            .any(|own| own.columns.contains(&column.id));
        column.kind.is_whole() && column.identity.is_none() && !keyed && !refers
    });
    let groups = of(&|column| {
        matches!(
            column.kind,
            Kind::Integer | Kind::Bigint | Kind::Text | Kind::Uuid
        )
    });
    let spans = of(&|column| column.kind == Kind::Span);
    let rule = match dice.below(20) {
        0 if dice.chance(40) => Rule::Required(
            dice.some(&of(&|_| true), 1),
            Some(filter(design, at, dice)?),
        ),
        0 => Rule::Required(dice.some(&of(&|column| !column.nullable), 2), None),
        1 => {
            let child = design.tables.iter().find(|other| {
                other.references.iter().any(|own| own.to == table.id) && other.id != table.id
            })?;
            Rule::Child(child.id)
        }
        2 => Rule::Unique(unique(design, at, dice)?.columns, None),
        3 => Rule::AtMostOne(unique(design, at, dice)?.columns, filter(design, at, dice)),
        4 => Rule::ExactlyOne(dice.some(&table.key, 1), filter(design, at, dice)?),
        5 => Rule::AtMostCount(
            dice.some(&groups, 1),
            100,
            filter(design, at, dice).filter(|_| dice.chance(50)),
        ),
        6 => {
            let reference = dice.pick(&table.references)?;
            let to = design.table(reference.to)?;
            let limit = to
                .plain()
                .find(|column| column.kind.is_whole() && !column.nullable)?
                .id;
            Rule::AtMostOfParent {
                reference: reference.name.clone(),
                sum: *dice.pick(&sums)?,
                limit,
            }
        }
        7 => Rule::Check(condition(design, at, dice)?),
        8 => {
            let times = of(&|column| column.kind == Kind::Timestamptz);
            let from = *times
                .iter()
                .find(|id| table.column(**id).is_some_and(|column| !column.nullable))?;
            let to = *times.iter().find(|id| **id != from)?;
            Rule::NoOverlap {
                per: dice.some(&groups, 1),
                from,
                to,
            }
        }
        9 => Rule::Balanced(dice.some(&groups, 1), *dice.pick(&sums)?),
        10 => Rule::AppendOnly,
        11 => Rule::Immutable(
            dice.some(&of(&|_| true), 2),
            filter(design, at, dice).filter(|_| dice.chance(40)),
        ),
        12 => {
            let states =
                of(&|column| !column.one_of.is_empty() || matches!(column.kind, Kind::Enum(_)));
            let column = table.column(*dice.pick(&states)?)?;
            let labels = match column.kind {
                Kind::Enum(id) => design.labels(id).to_vec(),
                _ => column.one_of.clone(),
            };
            Rule::Transitions(column.id, labels)
        }
        13 => Rule::Monotonic(*dice.pick(&whole)?, dice.chance(50)),
        14 => {
            let own: Vec<Id> = design
                .tables
                .iter()
                .filter(|table| table.tenant.is_some())
                .map(|table| table.id)
                .collect();
            if own.is_empty()
                || design
                    .invariants
                    .iter()
                    .any(|other| matches!(other.rule, Rule::Isolated(_)))
            {
                return None;
            }
            Rule::Isolated(dice.some(&own, 3))
        }
        15 => {
            let reference = dice.pick(&table.references)?.name.clone();
            Rule::Parent(
                reference,
                filter(design, at, dice).filter(|_| dice.chance(40)),
            )
        }
        16 => Rule::NoOverlapOf(dice.some(&groups, 1), *dice.pick(&spans)?, dice.chance(60)),
        17 | 18 => {
            let per = match dice.chance(15) {
                true => Vec::new(),
                false => dice.some(&groups, 2),
            };
            let sum = *dice.pick(&sums)?;
            Rule::AtMostSum(
                per,
                sum,
                filter(design, at, dice).filter(|_| dice.chance(50)),
            )
        }
        _ => Rule::Holds(condition(design, at, dice)?),
    };
    Some(Invariant {
        id,
        name: format!("rule-{id}"),
        table: design.tables[at].id,
        rule,
    })
}
