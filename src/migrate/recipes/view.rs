//! Views, plain and materialised.

use crate::catalog::{Catalog, ObjectPath, View};
use crate::compile::Writer;
use crate::error::Error;
use crate::migrate::change::{Change, Facet, What};
use crate::migrate::draft::{Draft, Item, Rank, Slot};
use crate::migrate::plan::{Hazard, HazardKind, Part, Phase};
use crate::migrate::recipe::Recipe;
use crate::migrate::views::may_read;
use crate::sql::words as text;
use crate::sql::{QualifiedName, SqlText, fill, fixed, literal, quote_qualified};

pub(in crate::migrate) static VIEW: Recipe = Recipe {
    name: "view",
    doc: "a view that changes, or stands on what does, is dropped and made again in the switch of its tables: it is never away",
    handles: |change| matches!(change.object, ObjectPath::View(_)),
    steps: view,
};

fn found<'c>(catalog: &'c Catalog, name: &QualifiedName) -> Option<&'c View> {
    let mut all = catalog.views.iter();
    all.find(|(other, _)| other == name).map(|(_, view)| view)
}

fn keyword(view: &View) -> SqlText {
    fixed(if view.materialized {
        "MATERIALIZED VIEW"
    } else {
        "VIEW"
    })
}

fn made(draft: &Draft<'_>, name: &QualifiedName, view: &View) -> Result<Vec<SqlText>, Error> {
    let mut writer = Writer::new(draft.environment);
    writer.view(name, view)?;
    for (role, privileges) in &view.grants {
        writer.grant(name, role, privileges);
    }
    Ok(writer.take().into_iter().map(|made| made.sql).collect())
}

fn drop(name: &QualifiedName, view: &View) -> SqlText {
    let parts = [
        ("keyword", &keyword(view)),
        ("name", &quote_qualified(name)),
    ];
    fill("DROP {keyword} {name}", &parts)
}

/// Views stand on one another: those that come later in the catalog are dropped first.
fn view(change: &Change, draft: &mut Draft<'_>) -> Result<(), Error> {
    let ObjectPath::View(name) = &change.object else {
        return Ok(());
    };
    let (was, now) = (found(draft.from, name), found(draft.to, name));
    let title = format!("view {}", name.name.as_str());
    match (&change.what, was, now) {
        (What::Created, _, Some(now)) => {
            let item = Item::new(Phase::Switch, Rank::Views, title, &change.object)
                .parts(made(draft, name, now)?)
                .undo(drop(name, now));
            draft.push(filled(item, now));
        }
        (What::Dropped, Some(was), _) => {
            // A type cannot change under a view, so it goes and comes again with the switch, and serves old programs until they are gone.
            if let Some(home) = widened(draft, was) {
                let all = made(draft, name, was)?;
                let back: Vec<Part> = all.iter().cloned().map(Part::new).collect();
                draft.switch_view(&home, name);
                draft.switch(
                    &home,
                    Slot::DropViews,
                    &change.object,
                    (drop(name, was), back),
                );
                let mut back = vec![Part::new(drop(name, was))];
                for sql in all {
                    let back = std::mem::take(&mut back);
                    draft.switch(&home, Slot::Views, &change.object, (sql, back));
                }
            }
            let undo = made(draft, name, was)?.into_iter().map(Part::new);
            let title = format!("drop {title}");
            // By then the names that its query has are those of other tables and columns.
            let mut tables = draft.to.tables.keys();
            let has_moved = tables.any(|table| {
                let of_columns = || {
                    let mut replaced = draft.diff.replaced_in(table);
                    replaced.any(|own| own.old == own.new && text::mentions(&was.query, &own.old))
                };
                text::mentions(&was.query, &table.name)
                    && (draft.diff.is_shadowed(table) || of_columns())
            });
            let item = Item::new(Phase::Contract, Rank::GoneViews, title, &change.object)
                .part(drop(name, was));
            draft.push(if has_moved {
                item.forward_only("it stands on what the switch has put aside, and that goes")
            } else {
                item.undo_parts(undo)
            });
        }
        (What::Altered(Facet::Comment), Some(was), Some(now)) => {
            let comment = |view: &View| {
                let text = view.comment.as_ref();
                let text = text.map_or_else(|| fixed("NULL"), |text| literal(text));
                let parts = [
                    ("keyword", &keyword(view)),
                    ("name", &quote_qualified(name)),
                    ("text", &text),
                ];
                fill("COMMENT ON {keyword} {name} IS {text}", &parts)
            };
            let title = format!("comment on {title}");
            let item = Item::new(Phase::Expand, Rank::Columns, title, &change.object)
                .part(comment(now))
                .undo(comment(was));
            draft.push(item);
        }
        (_, Some(was), Some(now)) => {
            let tables = switched_tables(draft, now);
            let home = tables.first().cloned().unwrap_or_else(|| name.clone());
            for table in &tables {
                draft.switch_view(table, name);
            }
            draft.switch_view(&home, name);
            for other in standing_on(draft, name) {
                draft.switch_view(&home, &other);
            }
            let back = made(draft, name, was)?.into_iter().map(Part::new).collect();
            draft.switch(
                &home,
                Slot::DropViews,
                &change.object,
                (drop(name, was), back),
            );
            let mut first = true;
            for sql in made(draft, name, now)? {
                let back = if std::mem::take(&mut first) {
                    vec![Part::new(drop(name, now))]
                } else {
                    Vec::new()
                };
                draft.switch(&home, Slot::Views, &change.object, (sql, back));
            }
            if now.materialized {
                let (kind, subject, text) = stop(name);
                draft.switch_hazard(
                    &home,
                    Hazard {
                        kind,
                        subject,
                        text,
                    },
                );
            }
        }
        _ => {}
    }
    Ok(())
}

fn stop(name: &QualifiedName) -> (HazardKind, String, String) {
    let name = name.name.as_str();
    (
        HazardKind::Stop,
        name.to_owned(),
        format!(
            "the materialised view {name} is filled inside the switch, whose locks are held as long as its query takes"
        ),
    )
}

fn filled(item: Item, view: &View) -> Item {
    if view.materialized {
        item.because("nobody reads it yet, so nobody waits while it is filled")
    } else {
        item
    }
}

/// A table of the view with a column whose type changes in place.
fn widened(draft: &Draft<'_>, view: &View) -> Option<QualifiedName> {
    let reads = may_read(&view.query);
    let mut changes = draft.diff.changes.iter();
    changes.find_map(|change| match (&change.object, &change.what) {
        (ObjectPath::Column(table, column), What::Altered(Facet::WiderType))
            if reads(&table.name, column) =>
        {
            Some(table.clone())
        }
        _ => None,
    })
}

/// Tables that a view stands on, also through other views, and that have a switch.
fn switched_tables(draft: &Draft<'_>, view: &View) -> Vec<QualifiedName> {
    let mut queries = vec![view.query.clone()];
    for (name, other) in draft.to.views.iter().rev() {
        if queries
            .iter()
            .any(|query| text::mentions(query, &name.name))
        {
            queries.push(other.query.clone());
        }
    }
    let changed = draft.diff.changes.iter().filter_map(|change| {
        let table = change.object.table()?;
        let moves = matches!(
            change.what,
            What::Renamed(_)
                | What::Dropped
                | What::Altered(Facet::Replaced | Facet::WiderType | Facet::Partitioning)
        );
        moves.then_some(table)
    });
    let mut out: Vec<QualifiedName> = changed
        .filter(|table| {
            queries
                .iter()
                .any(|query| text::mentions(query, &table.name))
        })
        .cloned()
        .collect();
    out.sort();
    out.dedup();
    out
}

/// Other changed views that stand on this one: they go and come in the same transaction.
fn standing_on(draft: &Draft<'_>, name: &QualifiedName) -> Vec<QualifiedName> {
    let changed = draft
        .diff
        .changes
        .iter()
        .filter_map(|change| match &change.object {
            ObjectPath::View(other) if other != name => Some(other.clone()),
            _ => None,
        });
    changed
        .filter(|other| {
            found(draft.to, other).is_some_and(|view| text::mentions(&view.query, &name.name))
                || found(draft.to, name)
                    .is_some_and(|view| text::mentions(&view.query, &other.name))
        })
        .collect()
}
