//! Defaults, identities, and what is no longer generated.

use super::column::identity_word;
use crate::catalog::{ColumnDefault, ObjectPath};
use crate::error::Error;
use crate::migrate::change::{Change, Facet, What};
use crate::migrate::draft::{Draft, Item, Rank, alter_column};
use crate::migrate::plan::{Part, Phase};
use crate::migrate::recipe::Recipe;
use crate::sql::{QualifiedName, SqlText, follow_rows};

pub(in crate::migrate) static DEFAULT: Recipe = Recipe {
    name: "default",
    doc: "a default, or what generates a column, changes only the catalog; rows that exist keep their values",
    handles: |change| {
        matches!(
            change.what,
            What::Altered(Facet::Default | Facet::NoLongerGenerated)
        )
    },
    steps: default,
};

/// What makes a default into another one.
fn to_default(
    table: &QualifiedName,
    name: &crate::sql::Ident,
    from: &Option<ColumnDefault>,
    to: &Option<ColumnDefault>,
) -> Vec<SqlText> {
    use ColumnDefault::{Expression, Generated, IdentityAlways, IdentityByDefault};
    let column =
        |rest: &'static str, parts: &[(&str, &SqlText)]| alter_column(table, name, rest, parts);
    let mut out = Vec::new();
    match (from, to) {
        (
            Some(IdentityAlways | IdentityByDefault),
            Some(kind @ (IdentityAlways | IdentityByDefault)),
        ) => {
            out.push(column(
                "SET GENERATED {kind}",
                &[("kind", &identity_word(kind))],
            ));
            return out;
        }
        (Some(IdentityAlways | IdentityByDefault), _) => out.push(column("DROP IDENTITY", &[])),
        (Some(Generated(_)), _) => out.push(column("DROP EXPRESSION", &[])),
        (Some(Expression(_)), None | Some(IdentityAlways | IdentityByDefault)) => {
            out.push(column("DROP DEFAULT", &[]));
        }
        _ => {}
    }
    match to {
        Some(Expression(default)) => {
            out.push(column("SET DEFAULT {default}", &[("default", default)]))
        }
        Some(kind @ (IdentityAlways | IdentityByDefault)) => {
            out.push(column(
                "ADD GENERATED {kind} AS IDENTITY",
                &[("kind", &identity_word(kind))],
            ));
            out.push(follow_rows(table, name));
        }
        _ => {}
    }
    out
}

fn default(change: &Change, draft: &mut Draft<'_>) -> Result<(), Error> {
    let ObjectPath::Column(table, name) = &change.object else {
        return Ok(());
    };
    let Some((from, to)) = draft.both(table) else {
        return Ok(());
    };
    let (Some(was), Some(now)) = (from.column(name), to.column(name)) else {
        return Ok(());
    };
    let was_generated = was.is_generated();
    let is_identity = matches!(
        now.default,
        Some(ColumnDefault::IdentityAlways | ColumnDefault::IdentityByDefault)
    );
    // Both facets of one column make one step.
    if was_generated && change.what == What::Altered(Facet::Default) {
        return Ok(());
    }
    let subject = format!("{}.{}", table.name.as_str(), name.as_str());
    // An identity asks for NOT NULL, which is proven before.
    let (phase, rank) = if is_identity && was.nullable {
        (Phase::Switch, Rank::Columns)
    } else {
        (Phase::Expand, Rank::Columns)
    };
    let item = Item::new(phase, rank, format!("default of {subject}"), &change.object)
        .parts(to_default(table, name, &was.default, &now.default));
    draft.push(if was_generated {
        item.forward_only("a column that was not generated cannot become so; add one that is")
    } else {
        let back = to_default(table, name, &now.default, &was.default);
        item.undo_parts(back.into_iter().map(Part::new))
    });
    Ok(())
}
