//! Columns that come, go, or change something that only the catalog knows.

use crate::catalog::UserType;
use crate::catalog::{Column, ColumnDefault, ObjectPath, Table};
use crate::compile::derived;
use crate::compile::lines;
use crate::error::Error;
use crate::migrate::change::{Change, Facet, What};
use crate::migrate::draft::{
    Draft, Item, Rank, Slot, add_constraint, alter, alter_column, drop_constraint, validate,
};
use crate::migrate::effect::is_volatile;
use crate::migrate::plan::{HazardKind, Part, Phase};
use crate::migrate::recipe::Recipe;
use crate::migrate::{backfill, declared};
use crate::sql::words as text;
use crate::sql::{QualifiedName, SqlText, fill, fixed, literal, quote_ident, quote_qualified};

pub(in crate::migrate) static CREATED: Recipe = Recipe {
    name: "new-column",
    doc: "a column comes without a scan: nullable or with a constant first, its other values in chunks, NOT NULL by a proven check",
    handles: |change| {
        matches!(change.object, ObjectPath::Column(..)) && change.what == What::Created
    },
    steps: created,
};

/// Whether a domain's conditions make PostgreSQL write the table anew when a column of it is added.
fn is_conditioned(draft: &Draft<'_>, column: &Column) -> bool {
    draft.to.types.iter().any(|(name, (kind, _))| {
        matches!(kind, UserType::Domain { checks, .. } if !checks.is_empty())
            && text::mentions(&column.data_type, &name.name)
    })
}

fn created(change: &Change, draft: &mut Draft<'_>) -> Result<(), Error> {
    let ObjectPath::Column(table, name) = &change.object else {
        return Ok(());
    };
    let Some(column) = draft.to.tables.get(table).and_then(|t| t.column(name)) else {
        return Ok(());
    };
    let column = &Column {
        data_type: draft.swapped(&column.data_type, "new"),
        ..column.clone()
    };
    let subject = format!("{}.{}", table.name.as_str(), name.as_str());
    let title = format!("add column {subject}");
    let is_declared = draft
        .policy
        .backfills_of(table)
        .any(|b| b.sql.as_ref().is_some_and(|sql| text::mentions(sql, name)));
    let first = Column {
        nullable: true,
        ..column.clone()
    };
    let add = |column: &Column| add_column(table, column);
    let drop = drop_column(table, name);
    let base = |title: String| Item::new(Phase::Expand, Rank::Columns, title, &change.object);
    let comment = comment(table, column);
    match &column.default {
        Some(ColumnDefault::Generated(_)) => {
            let is_proven = super::not_null::is_proven_later(column);
            let item = base(title)
                .part(add(if is_proven { &first } else { column }))
                .parts(comment)
                .undo(drop)
                .hazard(
                    HazardKind::Rewrite,
                    table.name.as_str(),
                    format!("a stored generated column is computed for every row while ACCESS EXCLUSIVE is held: readers and writers of {} wait", table.name.as_str()),
                )
                .because("PostgreSQL knows no other way to add a stored generated column");
            draft.push(item);
            if is_proven {
                super::not_null::steps(draft, table, name, name, &change.object);
            }
            return Ok(());
        }
        Some(kind @ (ColumnDefault::IdentityAlways | ColumnDefault::IdentityByDefault)) => {
            identity(change, draft, table, &first, kind)?;
        }
        Some(ColumnDefault::Expression(default))
            if is_volatile(default, draft.to, draft.policy.version) =>
        {
            let bare = Column {
                default: None,
                ..first
            };
            let set = alter_column(
                table,
                name,
                "SET DEFAULT {default}",
                &[("default", default)],
            );
            let item = base(title)
                .part(add(&bare))
                .part(set)
                .parts(comment)
                .undo(drop)
                .because("with the default in ADD COLUMN every row would be written under ACCESS EXCLUSIVE, since each gets a value of its own");
            draft.push(item);
            if is_declared {
                declared::declared(draft, table, &change.object)?;
            } else {
                backfill::column(draft, table, name, default, None, &change.object)?;
            }
        }
        Some(ColumnDefault::Expression(_)) => {
            // Old rows get the constant without being written, so NOT NULL may come with it.
            let mut item = base(title).part(add(column)).parts(comment).undo(drop);
            if is_conditioned(draft, column) {
                item = item.hazard(
                    HazardKind::Rewrite,
                    table.name.as_str(),
                    "a column of a domain with conditions is computed for every row under ACCESS EXCLUSIVE",
                );
            }
            draft.push(item);
            if is_declared {
                declared::declared(draft, table, &change.object)?;
            }
            return Ok(());
        }
        None => {
            let mut item = base(title).part(add(&first)).parts(comment).undo(drop);
            if is_conditioned(draft, column) {
                item = item.hazard(
                    HazardKind::Rewrite,
                    table.name.as_str(),
                    "a column of a domain with conditions is computed for every row under ACCESS EXCLUSIVE",
                );
            }
            if !column.nullable && !is_declared {
                item = item.hazard(
                    HazardKind::NoValue,
                    subject.clone(),
                    format!("rows that exist get no value for {subject}, and it may not be null: give a default, or say in migration.backfill.{} how it is filled", table.name.as_str()),
                );
            }
            draft.push(item);
            let is_followed = draft.policy.dual_writes.iter().any(|(on, _)| on == table);
            if !column.nullable && is_declared && !is_followed {
                draft.notes.push(format!(
                    "programs of the old version leave {subject} empty, and what they insert is refused once nulls are: say in migration.dual_write.{} what fills it (`NEW.{} := …`)",
                    table.name.as_str(),
                    name.as_str()
                ));
            }
            if is_declared {
                declared::declared(draft, table, &change.object)?;
            }
        }
    }
    if !column.nullable {
        super::not_null::steps(draft, table, name, name, &change.object);
    }
    Ok(())
}

/// A sequence fills the column until all rows have a number; then it becomes an identity.
fn identity(
    change: &Change,
    draft: &mut Draft<'_>,
    table: &QualifiedName,
    column: &Column,
    kind: &ColumnDefault,
) -> Result<(), Error> {
    let name = &column.name;
    let sequence = QualifiedName::new(
        table.schema.clone(),
        derived(&[table.name.as_str(), name.as_str(), "filling"]),
    );
    let quoted = quote_qualified(&sequence);
    let bare = Column {
        default: None,
        ..column.clone()
    };
    let next = fill("nextval({name})", &[("name", &literal(quoted.as_str()))]);
    let title = format!("add column {}.{}", table.name.as_str(), name.as_str());
    let item = Item::new(Phase::Expand, Rank::Columns, title, &change.object)
        .part(fill("CREATE SEQUENCE {name}", &[("name", &quoted)]))
        .part(add_column(table, &bare))
        .part(alter_column(
            table,
            name,
            "SET DEFAULT {next}",
            &[("next", &next)],
        ))
        .parts(comment(table, column))
        .undo(drop_column(table, name))
        .undo(fill("DROP SEQUENCE {name}", &[("name", &quoted)]))
        .because("an identity in ADD COLUMN would write every row under ACCESS EXCLUSIVE");
    draft.push(item);
    backfill::column(draft, table, name, &next, None, &change.object)?;
    let kind = identity_word(kind);
    let last = fill(
        "SELECT setval(pg_get_serial_sequence({table}, {column}), nextval({name}))",
        &[
            ("table", &literal(quote_qualified(table).as_str())),
            ("column", &literal(name.as_str())),
            ("name", &literal(quoted.as_str())),
        ],
    );
    for (forward, back) in [
        (
            alter_column(table, name, "DROP DEFAULT", &[]),
            alter_column(table, name, "SET DEFAULT {next}", &[("next", &next)]),
        ),
        (
            alter_column(
                table,
                name,
                "ADD GENERATED {kind} AS IDENTITY",
                &[("kind", &kind)],
            ),
            alter_column(table, name, "DROP IDENTITY", &[]),
        ),
    ] {
        let back = vec![Part::new(back)];
        draft.switch(table, Slot::Settings, &change.object, (forward, back));
    }
    draft.switch(table, Slot::Settings, &change.object, (last, Vec::new()));
    let title = format!(
        "drop the sequence that filled {}.{}",
        table.name.as_str(),
        name.as_str()
    );
    let item = Item::new(Phase::Contract, Rank::GoneColumns, title, &change.object)
        .part(fill("DROP SEQUENCE {name}", &[("name", &quoted)]))
        .forward_only("its numbers are in use");
    draft.push(item);
    Ok(())
}

pub(super) fn identity_word(kind: &ColumnDefault) -> SqlText {
    fixed(match kind {
        ColumnDefault::IdentityAlways => "ALWAYS",
        _ => "BY DEFAULT",
    })
}

pub(super) fn add_column(table: &QualifiedName, column: &Column) -> SqlText {
    let rest = lines::column_rest(column);
    let space = fixed(if rest.as_str().is_empty() { "" } else { " " });
    let parts = [
        ("name", &quote_ident(&column.name)),
        ("type", &column.data_type),
        ("space", &space),
        ("rest", &rest),
    ];
    alter(table, "ADD COLUMN {name} {type}{space}{rest}", &parts)
}

pub(super) fn drop_column(table: &QualifiedName, name: &crate::sql::Ident) -> SqlText {
    alter(table, "DROP COLUMN {name}", &[("name", &quote_ident(name))])
}

/// COMMENT ON COLUMN, where there is one.
pub(super) fn comment(table: &QualifiedName, column: &Column) -> Option<SqlText> {
    column
        .comment
        .as_ref()
        .map(|text| comment_on(table, &column.name, literal(text)))
}

fn comment_on(table: &QualifiedName, column: &crate::sql::Ident, text: SqlText) -> SqlText {
    let parts = [
        ("table", &quote_qualified(table)),
        ("column", &quote_ident(column)),
        ("text", &text),
    ];
    fill("COMMENT ON COLUMN {table}.{column} IS {text}", &parts)
}

pub(in crate::migrate) static DROPPED: Recipe = Recipe {
    name: "dropped-column",
    doc: "new programs need not fill it from the start; it goes last, when no program of the old version is left",
    handles: |change| {
        matches!(change.object, ObjectPath::Column(..)) && change.what == What::Dropped
    },
    steps: dropped,
};

fn dropped(change: &Change, draft: &mut Draft<'_>) -> Result<(), Error> {
    let ObjectPath::Column(table, name) = &change.object else {
        return Ok(());
    };
    let Some(from) = draft.from.tables.get(table) else {
        return Ok(());
    };
    let Some(column) = from.column(name) else {
        return Ok(());
    };
    let subject = format!("{}.{}", table.name.as_str(), name.as_str());
    if !column.nullable && column.default.is_none() {
        loosen(draft, from, table, name, &change.object);
    }
    let is_generated = column.is_generated();
    let mut item = Item::new(
        Phase::Contract,
        if is_generated {
            Rank::GoneComputed
        } else {
            Rank::GoneColumns
        },
        format!("drop column {subject}"),
        &change.object,
    )
    .part(drop_column(table, name));
    if is_generated {
        let comment = comment(table, column).into_iter().map(Part::new);
        let mut again = column.clone();
        if let Some(ColumnDefault::Generated(expression)) = &mut again.default {
            // After the switch the columns that it is computed from are called otherwise.
            for other in draft
                .diff
                .replaced_in(table)
                .filter(|own| own.built != own.new)
            {
                *expression = text::renamed(expression, &other.new, &draft.kept(&other.new));
            }
        }
        item = item.undo(add_column(table, &again)).undo_parts(comment);
    } else {
        item = item
            .hazard(
                HazardKind::DataLoss,
                subject.clone(),
                format!("every value of {subject} is gone"),
            )
            .forward_only("the values are gone; restore them from a backup");
    }
    draft.push(item);
    Ok(())
}

/// Lets new programs leave the column out.
fn loosen(
    draft: &mut Draft<'_>,
    from: &Table,
    table: &QualifiedName,
    name: &crate::sql::Ident,
    cause: &ObjectPath,
) {
    let drop = alter_column(table, name, "DROP NOT NULL", &[]);
    let set = alter_column(table, name, "SET NOT NULL", &[]);
    let in_key = from
        .primary_key
        .as_ref()
        .is_some_and(|(_, key)| key.columns.contains(name));
    if in_key {
        let pair = (drop, vec![Part::new(set)]);
        draft.switch(table, Slot::Settings, cause, pair);
        return;
    }
    let title = format!("let {}.{} be left out", table.name.as_str(), name.as_str());
    let item = Item::new(Phase::Expand, Rank::Loosened, title, cause)
        .part(drop)
        .undo(set)
        .because("programs of the new version no longer write the column");
    draft.push(item);
}

pub(in crate::migrate) static NULLABLE: Recipe = Recipe {
    name: "nullable",
    doc: "dropping NOT NULL changes only the catalog",
    handles: |change| change.what == What::Altered(Facet::Nullable),
    steps: |change, draft| {
        let ObjectPath::Column(table, name) = &change.object else {
            return Ok(());
        };
        let drop = alter_column(table, name, "DROP NOT NULL", &[]);
        let title = format!("let {}.{} be null", table.name.as_str(), name.as_str());
        let in_key = draft.from.tables.get(table).is_some_and(|from| {
            let key = from.primary_key.as_ref();
            key.is_some_and(|(_, key)| key.columns.contains(name))
        });
        if in_key {
            // The key that comes again brings it, and PostgreSQL 18 takes none beside one that is not proven.
            draft.switch(table, Slot::Settings, &change.object, (drop, Vec::new()));
        } else {
            let back = super::not_null::parts(draft, table, name);
            // An identity goes before, and comes again after.
            let was = draft
                .from
                .tables
                .get(table)
                .and_then(|from| from.column(name));
            let is_identity = was.is_some_and(|was| {
                matches!(
                    was.default,
                    Some(ColumnDefault::IdentityAlways | ColumnDefault::IdentityByDefault)
                )
            });
            let rank = if is_identity {
                Rank::Columns
            } else {
                Rank::Loosened
            };
            let item = Item::new(Phase::Expand, rank, title, &change.object);
            draft.push(item.part(drop).undo_parts(back));
        }
        Ok(())
    },
};

pub(in crate::migrate) static WIDER: Recipe = Recipe {
    name: "wider-type",
    doc: "a type with the same bytes changes only the catalog; checks over the column are proven again afterwards",
    handles: |change| change.what == What::Altered(Facet::WiderType),
    steps: wider,
};

fn wider(change: &Change, draft: &mut Draft<'_>) -> Result<(), Error> {
    let ObjectPath::Column(table, name) = &change.object else {
        return Ok(());
    };
    let Some((from, to)) = draft.both(table) else {
        return Ok(());
    };
    let (Some(was), Some(now)) = (from.column(name), to.column(name)) else {
        return Ok(());
    };
    // A type without its collation would bring the database's own.
    let retype = |column: &Column| match &column.collation {
        None => alter_column(table, name, "TYPE {type}", &[("type", &column.data_type)]),
        Some(collation) => {
            let parts = [("type", &column.data_type), ("collation", collation)];
            alter_column(table, name, "TYPE {type} COLLATE {collation}", &parts)
        }
    };
    // ALTER TYPE would read the whole table again for each check.
    for (check, made) in &from.checks {
        let stays = to
            .checks
            .get(check)
            .is_some_and(|now| text::same(&now.expression, &made.expression));
        if stays && text::mentions(&made.expression, name) {
            let add = add_constraint(table, &lines::check(check, made), " NOT VALID");
            let drop = drop_constraint(table, check);
            let proven = Part::alone(validate(table, check));
            let pair = (drop.clone(), vec![Part::new(add.clone()), proven]);
            draft.switch(table, Slot::DropKeys, &change.object, pair);
            let pair = (add, vec![Part::new(drop)]);
            draft.switch(table, Slot::Keys, &change.object, pair);
            let title = format!("prove {} of {} again", check.as_str(), table.name.as_str());
            let item = Item::new(Phase::Switch, Rank::Last, title, &change.object)
                .part(validate(table, check));
            draft.push(item);
        }
    }
    super::table::led_anew(draft, table, &change.object);
    let pair = (retype(now), vec![Part::new(retype(was))]);
    draft.switch(table, Slot::Columns, &change.object, pair);
    Ok(())
}

pub(in crate::migrate) static COMMENT: Recipe = Recipe {
    name: "column-comment",
    doc: "a comment changes only the catalog",
    handles: |change| {
        matches!(
            (&change.object, &change.what),
            (ObjectPath::Column(..), What::Altered(Facet::Comment))
        )
    },
    steps: |change, draft| {
        let ObjectPath::Column(table, name) = &change.object else {
            return Ok(());
        };
        // A column that is replaced brings its comment.
        if draft
            .diff
            .replaced_in(table)
            .any(|replaced| replaced.new == *name)
        {
            return Ok(());
        }
        let text = |catalog: &crate::catalog::Catalog| {
            let column = catalog.tables.get(table).and_then(|t| t.column(name));
            let text = column.and_then(|column| column.comment.clone());
            let text = text.map_or_else(|| fixed("NULL"), |text| literal(&text));
            comment_on(table, name, text)
        };
        let title = format!("comment on {}.{}", table.name.as_str(), name.as_str());
        let item = Item::new(Phase::Expand, Rank::Columns, title, &change.object);
        draft.push(item.part(text(draft.to)).undo(text(draft.from)));
        Ok(())
    },
};
