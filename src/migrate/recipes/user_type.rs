//! Enums and domains.

use crate::catalog::{ObjectPath, UserType};
use crate::compile::{Writer, lines};
use crate::error::Error;
use crate::migrate::change::{Change, Facet, What};
use crate::migrate::draft::{Draft, Item, Rank, Slot};
use crate::migrate::plan::{HazardKind, Part, Phase};
use crate::migrate::recipe::Recipe;
use crate::sql::words as text;
use crate::sql::{QualifiedName, SqlText, fill, fixed, literal, quote_ident, quote_qualified};

pub(in crate::migrate) static TYPE: Recipe = Recipe {
    name: "type",
    doc: "a type is made before the tables that use it and dropped after them",
    handles: |change| {
        matches!(
            (&change.object, &change.what),
            (
                ObjectPath::Type(_),
                What::Created | What::Dropped | What::Altered(Facet::Comment)
            )
        )
    },
    steps: user_type,
};

fn made(draft: &Draft<'_>, name: &QualifiedName, old: bool) -> Vec<SqlText> {
    let catalog = if old { draft.from } else { draft.to };
    let Some((kind, comment)) = catalog.types.get(name) else {
        return Vec::new();
    };
    let mut writer = Writer::new(draft.environment);
    writer.user_type(name, kind, comment);
    let made = writer.take().into_iter();
    made.map(|statement| statement.sql).collect()
}

fn keyword(draft: &Draft<'_>, name: &QualifiedName) -> SqlText {
    let kind = draft
        .to
        .types
        .get(name)
        .or_else(|| draft.from.types.get(name));
    fixed(match kind {
        Some((UserType::Domain { .. }, _)) => "DOMAIN",
        _ => "TYPE",
    })
}

fn user_type(change: &Change, draft: &mut Draft<'_>) -> Result<(), Error> {
    let ObjectPath::Type(name) = &change.object else {
        return Ok(());
    };
    let quoted = quote_qualified(name);
    let keyword = keyword(draft, name);
    let drop = fill(
        "DROP {keyword} {name}",
        &[("keyword", &keyword), ("name", &quoted)],
    );
    let title = format!("type {}", name.name.as_str());
    let item = match change.what {
        What::Created => Item::new(Phase::Expand, Rank::Types, title, &change.object)
            .parts(made(draft, name, false))
            .undo(drop),
        What::Dropped => Item::new(
            Phase::Contract,
            Rank::GoneTypes,
            format!("drop {title}"),
            &change.object,
        )
        .part(drop)
        .undo_parts(made(draft, name, true).into_iter().map(Part::new)),
        _ => {
            let comment = |catalog: &crate::catalog::Catalog| {
                let text = catalog
                    .types
                    .get(name)
                    .and_then(|(_, comment)| comment.clone());
                let text = text.map_or_else(|| fixed("NULL"), |text| literal(&text));
                let parts = [("keyword", &keyword), ("name", &quoted), ("text", &text)];
                fill("COMMENT ON {keyword} {name} IS {text}", &parts)
            };
            let title = format!("comment on {title}");
            Item::new(Phase::Expand, Rank::Types, title, &change.object)
                .part(comment(draft.to))
                .undo(comment(draft.from))
        }
    };
    draft.push(item);
    Ok(())
}

pub(in crate::migrate) static LABELS: Recipe = Recipe {
    name: "labels",
    doc: "labels are added to an enum one by one, each committed before anybody uses it",
    handles: |change| {
        matches!(
            (&change.object, &change.what),
            (ObjectPath::Type(_), What::Altered(Facet::LabelsAdded))
        )
    },
    steps: labels,
};

fn labels(change: &Change, draft: &mut Draft<'_>) -> Result<(), Error> {
    let ObjectPath::Type(name) = &change.object else {
        return Ok(());
    };
    let of = |catalog: &crate::catalog::Catalog| match catalog.types.get(name) {
        Some((UserType::Enum(labels), _)) => labels.clone(),
        _ => Vec::new(),
    };
    let (was, now) = (of(draft.from), of(draft.to));
    // From the end, so that the neighbour that comes after is always there.
    for (at, label) in now.iter().enumerate().rev() {
        if was.contains(label) {
            continue;
        }
        let next = now.get(at + 1);
        let place = next.map_or_else(
            || fixed(""),
            |next| fill(" BEFORE {label}", &[("label", &literal(next))]),
        );
        let parts = [
            ("name", &quote_qualified(name)),
            ("label", &literal(label)),
            ("place", &place),
        ];
        let add = fill(
            "ALTER TYPE {name} ADD VALUE IF NOT EXISTS {label}{place}",
            &parts,
        );
        let title = format!("add label {label} to {}", name.name.as_str());
        let item = Item::new(Phase::Expand, Rank::Types, title, &change.object)
            .alone(add)
            .because("a label may be used only after the transaction that adds it has committed")
            .forward_only(
                "PostgreSQL cannot take a label out of an enum; one that nobody uses harms nobody",
            );
        draft.push(item);
    }
    Ok(())
}

pub(in crate::migrate) static SWAPPED: Recipe = Recipe {
    name: "swapped-type",
    doc: "labels that go or change places need a new type beside the old one; every column of it is replaced",
    handles: |change| {
        matches!(
            (&change.object, &change.what),
            (ObjectPath::Type(_), What::Altered(Facet::LabelsReplaced))
        )
    },
    steps: swapped,
};

fn swapped(change: &Change, draft: &mut Draft<'_>) -> Result<(), Error> {
    let ObjectPath::Type(name) = &change.object else {
        return Ok(());
    };
    let (Some((kind, comment)), Some((was, _))) =
        (draft.to.types.get(name), draft.from.types.get(name))
    else {
        return Ok(());
    };
    let built = QualifiedName::new(name.schema.clone(), draft.built(&name.name));
    let kept = QualifiedName::new(name.schema.clone(), draft.kept(&name.name));
    let mut writer = Writer::new(draft.environment);
    writer.user_type(&built, kind, comment);
    let made: Vec<SqlText> = writer.take().into_iter().map(|made| made.sql).collect();
    let word = |kind: &UserType| {
        fixed(match kind {
            UserType::Domain { .. } => "DOMAIN",
            UserType::Enum(_) => "TYPE",
        })
    };
    let drop = |kind: &UserType, name: &QualifiedName| {
        let parts = [("word", &word(kind)), ("name", &quote_qualified(name))];
        fill("DROP {word} {name}", &parts)
    };
    let title = format!("type {} beside the old one", name.name.as_str());
    let item = Item::new(Phase::Expand, Rank::Types, title, &change.object)
        .parts(made)
        .undo(drop(kind, &built))
        .because("PostgreSQL cannot take a label out of an enum, nor move one");
    draft.push(item);
    let rename = |kind: &UserType, from: &QualifiedName, to: &QualifiedName| {
        let parts = [
            ("word", &word(kind)),
            ("from", &quote_qualified(from)),
            ("to", &quote_ident(&to.name)),
        ];
        fill("ALTER {word} {from} RENAME TO {to}", &parts)
    };
    let users: Vec<QualifiedName> = draft
        .to
        .tables
        .iter()
        .filter(|(_, table)| {
            let mut columns = table.columns.iter();
            columns.any(|column| text::mentions(&column.data_type, &name.name))
        })
        .map(|(table, _)| table.clone())
        .collect();
    // All tables of the type switch in one transaction, with the type's two names.
    let main = users.first().cloned().unwrap_or_else(|| name.clone());
    for table in &users {
        draft.switch_view(table, name);
    }
    let pairs = [
        (rename(was, name, &kept), rename(was, &kept, name)),
        (rename(kind, &built, name), rename(kind, name, &built)),
    ];
    for (forward, back) in pairs {
        draft.switch_view(&main, name);
        draft.switch(
            &main,
            Slot::Columns,
            &change.object,
            (forward, vec![Part::new(back)]),
        );
    }
    let title = format!("drop the old type {}", name.name.as_str());
    let item = Item::new(Phase::Contract, Rank::GoneTypes, title, &change.object)
        .part(drop(was, &kept))
        .forward_only("the columns that had it are gone");
    draft.push(item);
    Ok(())
}

pub(in crate::migrate) static DOMAIN: Recipe = Recipe {
    name: "domain",
    doc: "conditions of a domain are added NOT VALID and validated; another base type is refused",
    handles: |change| {
        matches!(
            (&change.object, &change.what),
            (ObjectPath::Type(_), What::Altered(Facet::Domain))
        )
    },
    steps: domain,
};

fn domain(change: &Change, draft: &mut Draft<'_>) -> Result<(), Error> {
    let ObjectPath::Type(name) = &change.object else {
        return Ok(());
    };
    let (
        Some((
            UserType::Domain {
                base: was_base,
                checks: was,
            },
            _,
        )),
        Some((UserType::Domain { base, checks }, _)),
    ) = (draft.from.types.get(name), draft.to.types.get(name))
    else {
        return Ok(());
    };
    if !text::same(was_base, base) {
        return Err(Error::Usage(format!(
            "domain {} stands on `{base}` now and on `{was_base}` before, and PostgreSQL cannot change that: declare a domain of another name and let the columns change their type",
            name.name.as_str()
        )));
    }
    let quoted = quote_qualified(name);
    let alter = |rest: &'static str, parts: &[(&str, &SqlText)]| {
        let rest = fill(rest, parts);
        let parts = [("name", &quoted), ("rest", &rest)];
        fill("ALTER DOMAIN {name} {rest}", &parts)
    };
    let add = |check: &crate::sql::Ident, made: &crate::catalog::Check| {
        alter(
            "ADD {check} NOT VALID",
            &[("check", &lines::check(check, made))],
        )
    };
    let validate = |check: &crate::sql::Ident| {
        alter(
            "VALIDATE CONSTRAINT {check}",
            &[("check", &quote_ident(check))],
        )
    };
    let drop = |check: &crate::sql::Ident| {
        alter("DROP CONSTRAINT {check}", &[("check", &quote_ident(check))])
    };
    let title = name.name.as_str();
    for (check, made) in was.iter().filter(|(check, _)| !checks.contains_key(*check)) {
        let title = format!("drop condition {} of domain {title}", check.as_str());
        let item = Item::new(Phase::Expand, Rank::Loosened, title, &change.object)
            .part(drop(check))
            .undo(add(check, made))
            .undo_parts([Part::alone(validate(check))]);
        draft.push(item);
    }
    for (check, made) in checks {
        let before = was.get(check);
        if before.is_some_and(|before| text::same(&before.expression, &made.expression)) {
            continue;
        }
        let named = format!("condition {} of domain {title}", check.as_str());
        // One condition takes the place of another of its name at once: what is written is never judged by neither.
        let word = before.map_or("add", |_| "change");
        let renewed = format!("{word} {named}");
        let old = before.map(|before| (drop(check), add(check, before)));
        let (gone, again) = old.unzip();
        let proof = again.is_some().then(|| Part::alone(validate(check)));
        let item = Item::new(Phase::Validate, Rank::Checks, renewed, &change.object)
            .parts(gone)
            .part(add(check, made))
            .undo(drop(check))
            .undo_parts(again.map(Part::new))
            .undo_parts(proof);
        draft.push(item);
        let item = Item::new(
            Phase::Validate,
            Rank::Checks,
            format!("validate {named}"),
            &change.object,
        )
        .part(validate(check))
        .hazard(
            HazardKind::Stop,
            title,
            "every table with a column of the domain is read under SHARE: writers of all of them wait",
        );
        draft.push(item);
    }
    Ok(())
}
