//! One invariant of one model, with the SQL that every kind needs.

use super::case::Value;
use crate::design::{ForeignKey, Invariant, Limit, Model, Name, Rule, Table};
use crate::source::Text;
use crate::sql::{
    Ident, QualifiedName, SqlText, derived, fill, fixed, idents, join, literal, quote_ident,
    quote_qualified,
};

/// One invariant of one model.
#[derive(Clone, Copy)]
pub(crate) struct Subject<'a> {
    pub model: &'a Model,
    pub invariant: &'a Invariant,
}

impl<'a> Subject<'a> {
    /// The design's table of that name.
    pub fn table(&self, name: &Name) -> Option<&'a Table> {
        self.model.table(&name.ident)
    }

    /// Schema and name.
    pub fn qualified(&self, name: &Name) -> QualifiedName {
        self.model.qualified(&name.ident)
    }

    /// Schema and name, as SQL.
    pub fn sql(&self, name: &Name) -> SqlText {
        quote_qualified(&self.qualified(name))
    }

    /// The invariant's name as part of an SQL name.
    pub fn slug(&self) -> String {
        self.invariant.name.as_str().replace('-', "_")
    }

    /// `as:`, else `fallback`, else the invariant's own name; cut to what PostgreSQL keeps.
    pub fn object(&self, fallback: Option<String>) -> Ident {
        match (&self.invariant.derived_name, fallback) {
            (Some(name), _) => name.ident.clone(),
            (None, Some(name)) => short(&name),
            (None, None) => short(&self.slug()),
        }
    }

    /// What an error says: the invariant's name and its sentence.
    pub fn message(&self) -> SqlText {
        let name = self.invariant.name.as_str();
        match &self.invariant.never {
            Some(never) => literal(&format!("{name}: {}", never.as_str().trim())),
            None => literal(name),
        }
    }

    /// Whether a row may be inserted with these values, as far as lifecycles say.
    pub fn may_start(&self, table: &Name, set: &[(Ident, Value)]) -> bool {
        let starts = |column: &Name, initial: &[Text]| {
            let value = set.iter().find(|(name, _)| *name == column.ident);
            value.is_none_or(|(_, value)| {
                let is = |state: &Text| *value == Value::Sql(literal(state.as_str()));
                initial.is_empty() || initial.iter().any(is)
            })
        };
        self.model
            .invariants
            .iter()
            .all(|invariant| match &invariant.rule {
                Rule::Transitions {
                    table: of,
                    column,
                    initial,
                    ..
                } if of.ident == table.ident => starts(column, initial),
                _ => true,
            })
    }

    /// The reference of `child` whose parent is `parent`: over just the columns `per` where there is one, else the first.
    pub fn reference(&self, child: &Name, parent: &Ident, per: &[Name]) -> Option<&'a ForeignKey> {
        let table = self.table(child)?;
        let towards = || {
            table
                .references
                .iter()
                .filter(|reference| reference.to.ident == *parent)
        };
        towards()
            .find(|reference| {
                reference.columns.len() == per.len()
                    && per.iter().all(|name| reference.columns.contains(name))
            })
            .or_else(|| {
                towards().find(|reference| reference.columns.iter().all(|name| per.contains(name)))
            })
    }

    /// The columns of `parent` that the groups of `child` over `per` belong to, as (group column, parent column).
    pub fn parent_key(&self, child: &Name, parent: &Name, per: &[Name]) -> Vec<(Ident, Ident)> {
        if let Some(reference) = self.reference(child, &parent.ident, per) {
            let columns = reference.columns.iter().map(|name| name.ident.clone());
            return columns
                .zip(reference.key.iter().map(|name| name.ident.clone()))
                .collect();
        }
        let Some(table) = self.table(parent) else {
            return Vec::new();
        };
        if per.iter().all(|name| table.column(&name.ident).is_some()) {
            return per
                .iter()
                .map(|name| (name.ident.clone(), name.ident.clone()))
                .collect();
        }
        per.iter()
            .map(|name| name.ident.clone())
            .zip(table.key.iter().map(|name| name.ident.clone()))
            .collect()
    }

    /// Type of a column, as the catalog spells it.
    pub fn column_type(&self, table: &Name, column: &Ident) -> Option<&'a Text> {
        self.model
            .column(&table.ident, column)
            .map(|column| &column.data_type)
    }
}

/// A name that PostgreSQL keeps whole.
pub(crate) fn short(name: &str) -> Ident {
    derived(&[name])
}

/// `where`, or TRUE.
pub(crate) fn predicate_or_true(predicate: Option<&Text>) -> SqlText {
    predicate.map_or_else(
        || fixed("TRUE"),
        |text| fill("({text})", &[("text", &authored(text))]),
    )
}

/// SQL of the design, white space around it taken off.
pub(crate) fn authored(text: &Text) -> SqlText {
    SqlText::authored(text.as_str().trim())
}

/// Quoted, comma between them.
pub(crate) fn list(names: &[Name]) -> SqlText {
    idents(names.iter().map(|name| &name.ident))
}

/// `a IS NOT NULL AND b IS NOT NULL`, or TRUE: rows with a null in a key belong to no group, as for PostgreSQL's unique keys.
pub(crate) fn none_null(names: &[Name]) -> SqlText {
    if names.is_empty() {
        return fixed("TRUE");
    }
    let parts = names
        .iter()
        .map(|name| fill("{name} IS NOT NULL", &[("name", &quote_ident(&name.ident))]));
    join(parts, " AND ")
}

/// What the total of a group is called beside its columns.
pub(crate) fn total_name(per: &[Name]) -> SqlText {
    let is_taken = per.iter().any(|name| name.ident.as_str() == "total");
    fixed(if is_taken { "total_of_group" } else { "total" })
}

/// A limit as SQL, the parent's column read through the alias `parent`.
pub(crate) fn limit_sql(limit: &Limit) -> SqlText {
    match limit {
        Limit::Number(number) => authored(number),
        Limit::Column { column, .. } => fill(
            "parent.{column}",
            &[("column", &quote_ident(&column.ident))],
        ),
    }
}

/// `left.a = right.b AND …`, each side an alias.
pub(crate) fn equal(left: &'static str, right: &'static str, pairs: &[(Ident, Ident)]) -> SqlText {
    let parts = pairs.iter().map(|(a, b)| {
        let (a, b) = (
            crate::sql::column_of(left, a),
            crate::sql::column_of(right, b),
        );
        fill("{a} = {b}", &[("a", &a), ("b", &b)])
    });
    let joined = join(parts, " AND ");
    if joined.as_str().is_empty() {
        fixed("TRUE")
    } else {
        joined
    }
}
