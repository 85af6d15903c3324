//! Which views stand on a relation, and on which of its columns: by what their queries say, not by words that look alike.

use super::look::{Found, Look};
use crate::catalog::View;
use crate::migrate::chain::words;
use crate::sql::{
    ColumnRef, Ident, Named, Names, QualifiedName, QueryFacts, Token, facts_in, tokens,
};

/// Views whose queries read a relation.
pub(in crate::migrate) fn views_of<'a>(
    look: &Look<'a>,
    relation: &QualifiedName,
) -> Vec<(QualifiedName, &'a View)> {
    let named = look.beside.views_of(relation).into_iter();
    let views = named.filter_map(|name| match look.found(&name) {
        Found::View(view) => Some((name, view)),
        _ => None,
    });
    views
        .filter(|(_, view)| reads(look, view, relation))
        .collect()
}

fn reads(look: &Look, view: &View, relation: &QualifiedName) -> bool {
    let found = asked(look, view, relation);
    // What is too long to be read may read anything that it names.
    found.is_none_or(|facts| {
        let mut tables = facts.tables.iter();
        tables.any(|used| used.table == relation.name.as_str())
    })
}

/// Whether a view that reads a relation needs this column of it.
pub(super) fn needs(look: &Look, view: &View, relation: &QualifiedName, column: &Ident) -> bool {
    let query = view.query.as_str();
    let Some(facts) = asked(look, view, relation) else {
        return words(query).contains(column.as_str());
    };
    let is_it = |own: &ColumnRef| {
        own.column == column.as_str() && own.table.as_deref() == Some(relation.name.as_str())
    };
    let used = facts.columns.iter().any(|used| is_it(&used.column));
    let joined = facts
        .joins
        .iter()
        .any(|(one, two)| is_it(one) || is_it(two));
    used || joined || takes_all(query, relation)
}

fn asked(look: &Look, view: &View, relation: &QualifiedName) -> Option<QueryFacts> {
    let known = Known {
        look: *look,
        schema: relation.schema.as_str(),
    };
    facts_in(view.query.as_str(), &known)
}

struct Known<'a> {
    look: Look<'a>,
    schema: &'a str,
}

impl Names for Known<'_> {
    fn schema(&self) -> &str {
        self.schema
    }

    fn has_column(&self, table: &str, column: &str) -> Option<bool> {
        let named = match table.split_once('.') {
            Some((schema, name)) => Named {
                schema: Some(Ident::new(schema)),
                name: Ident::new(name),
            },
            None => Named {
                schema: None,
                name: Ident::new(table),
            },
        };
        let (name, _) = self.look.relation(&named);
        let own = self.look.table(&name)?;
        // Of a table that a query made no column is known.
        (!own.columns.is_empty()).then(|| own.column(&Ident::new(column)).is_some())
    }
}

/// Whether a `*` of a query stands for the columns of a relation too.
fn takes_all(query: &str, relation: &QualifiedName) -> bool {
    let all: Vec<Token> = tokens(query);
    let text = |at: usize| all.get(at).map(|token| crate::sql::fold(token.text(query)));
    let own = relation.name.as_str();
    let is_alias = |alias: &str| {
        let mut places = (0..all.len()).filter(|at| text(*at).as_deref() == Some(own));
        alias == own
            || places.any(|at| match text(at + 1).as_deref() {
                Some("as") => text(at + 2).as_deref() == Some(alias),
                next => next == Some(alias),
            })
    };
    (1..all.len()).any(|at| {
        if all[at].text(query) != "*" {
            return false;
        }
        match text(at - 1).as_deref() {
            Some(".") => at >= 2 && text(at - 2).is_some_and(|alias| is_alias(&alias)),
            Some("select" | "all" | "distinct" | ",") => true,
            _ => false,
        }
    })
}
