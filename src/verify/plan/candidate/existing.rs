//! What is there already.

use super::draft::{Draft, Slot};
use crate::catalog::{Index, IndexKey, Table};
use crate::sql::{Expression, Ident, SqlText, fold, parse_expression, quote_ident, tokens};

/// How an index of the table compares with a draft.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Likeness {
    /// There is nothing like it.
    None,
    /// One begins with the same keys.
    Longer,
    /// To the query it is the same.
    Same,
}

/// The most alike of a table's indexes, those of its keys among them.
pub(super) fn likeness(draft: &Draft, table: &Table) -> Likeness {
    let keys = table.primary_key.iter().map(|(_, key)| key);
    let keys = keys
        .chain(table.uniques.values())
        .map(|key| of_key(&key.columns));
    let all = table.indexes.values().map(|index| compare(draft, index));
    keys.map(|index| compare(draft, &index))
        .chain(all)
        .max()
        .unwrap_or(Likeness::None)
}

fn of_key(columns: &[Ident]) -> Index {
    let key = |column: &Ident| IndexKey {
        expression: quote_ident(column),
        column: Some(column.clone()),
        collation: None,
        opclass: None,
        descending: false,
        nulls_first: false,
    };
    Index {
        method: Ident::new("btree"),
        unique: true,
        keys: columns.iter().map(key).collect(),
        include: Vec::new(),
        predicate: None,
        with: Default::default(),
    }
}

fn compare(draft: &Draft, index: &Index) -> Likeness {
    let has_all = draft.include.iter().all(|name| {
        let key = index
            .keys
            .iter()
            .any(|key| key.column.as_ref() == Some(name));
        key || index.include.contains(name)
    });
    if index.method.as_str() != draft.method
        || index.keys.len() < draft.keys.len()
        || !same_predicate(&draft.predicate, index.predicate.as_ref())
    {
        return Likeness::None;
    }
    let (keys, more) = index.keys.split_at(draft.keys.len());
    let (fixed, ordered) = draft.keys.split_at(draft.fixed);
    let (first, rest) = keys.split_at(draft.fixed);
    // Equalities may come in any order.
    let known = fixed
        .iter()
        .all(|slot| first.iter().any(|key| same_value(slot, key)));
    let values = ordered
        .iter()
        .zip(rest)
        .all(|(slot, key)| same_value(slot, key));
    // An index is read from either end.
    let forward = ordered.iter().zip(rest).all(|(slot, key)| {
        (slot.descending, slot.nulls_first) == (key.descending, key.nulls_first)
    });
    let backward = ordered.iter().zip(rest).all(|(slot, key)| {
        (slot.descending, slot.nulls_first) == (!key.descending, !key.nulls_first)
    });
    if !(known && values && (forward || backward)) {
        Likeness::None
    } else if !more.is_empty() {
        Likeness::Longer
    } else if has_all {
        Likeness::Same
    } else {
        Likeness::None
    }
}

fn same_value(slot: &Slot, key: &IndexKey) -> bool {
    let opclass = key.opclass.as_ref().map(|class| {
        let name = class.as_str().split('(').next().unwrap_or_default();
        fold(name.rsplit('.').next().unwrap_or(name))
    });
    if opclass.as_deref() != slot.opclass {
        return false;
    }
    match (&slot.column, &key.column) {
        (Some(left), Some(right)) => left == right,
        (None, None) => same(slot.expression.as_str(), key.expression.as_str()),
        _ => false,
    }
}

fn same_predicate(draft: &[SqlText], index: Option<&SqlText>) -> bool {
    let texts: Vec<&str> = draft.iter().map(SqlText::as_str).collect();
    let wanted = texts.join(" AND ");
    match index {
        None => draft.is_empty(),
        Some(_) if draft.is_empty() => false,
        Some(index) => same(&wanted, index.as_str()),
    }
}

/// Whether two expressions say the same, as far as that can be read.
fn same(left: &str, right: &str) -> bool {
    if words(left) == words(right) {
        return true;
    }
    let (Some(left), Some(right)) = (parse_expression(left), parse_expression(right)) else {
        return false;
    };
    let (left, right) = (parts(left), parts(right));
    let within = |of: &[Expression], all: &[Expression]| {
        of.iter().all(|part| all.contains(part) && is_read(part))
    };
    within(&left, &right) && within(&right, &left)
}

fn is_read(expression: &Expression) -> bool {
    let mut read = true;
    expression.visit(&mut |part| read &= !matches!(part, Expression::Opaque(_)));
    read
}

fn words(text: &str) -> Vec<String> {
    let all = tokens(text);
    all.iter()
        .map(|token| token.text(text).to_lowercase())
        .collect()
}

/// What must all hold.
fn parts(expression: Expression) -> Vec<Expression> {
    match expression {
        Expression::And(left, right) => {
            let mut all = parts(*left);
            all.extend(parts(*right));
            all
        }
        other => vec![plain(other)],
    }
}

/// The server writes the type behind every string; the author does not.
fn plain(expression: Expression) -> Expression {
    use Expression as E;
    let boxed = |inner: Box<Expression>| Box::new(plain(*inner));
    match expression {
        E::Cast(inner, to) => match plain(*inner) {
            E::Text(text) => E::Text(text),
            inner => E::Cast(Box::new(inner), to),
        },
        E::Compare(how, left, right) => E::Compare(how, boxed(left), boxed(right)),
        E::In(of, list) => E::In(boxed(of), list.into_iter().map(plain).collect()),
        E::Not(inner) => E::Not(boxed(inner)),
        E::IsNull(inner) => E::IsNull(boxed(inner)),
        E::Or(left, right) => E::Or(boxed(left), boxed(right)),
        E::And(left, right) => E::And(boxed(left), boxed(right)),
        E::Call(name, list) => E::Call(name, list.into_iter().map(plain).collect()),
        other => other,
    }
}
