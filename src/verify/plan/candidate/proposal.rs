//! Candidates, named and written down.

use std::collections::BTreeSet;

use super::columns::Columns;
use super::draft::{Draft, Slot, drafts};
use super::existing::{Likeness, likeness};
use crate::catalog::Catalog;
use crate::sql::{
    Ident, QualifiedName, SqlText, accesses, fill, fixed, idents, join, quote_ident,
    quote_qualified, tokens,
};

/// More than these nobody wants to wait for.
const MOST: usize = 12;

/// NAMEDATALEN - 1.
const LONGEST: usize = 63;

/// What an index that begins like the candidate takes off the worth of all that the candidate includes.
const NEARLY_THERE: i32 = 12;

/// An index that a query could use.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::verify::plan) struct Candidate {
    /// The table.
    pub table: QualifiedName,
    /// `ix_<table>_<columns>`; no relation of the catalog has it.
    pub name: Ident,
    /// `btree`, `gin`, `gist` or `brin`.
    pub using: String,
    /// Keys as CREATE INDEX takes them: `assigned_at desc`, `payload jsonb_path_ops`.
    pub columns: Vec<String>,
    /// INCLUDE.
    pub include: Vec<Ident>,
    /// WHERE.
    pub predicate: Option<String>,
}

/// Indexes that a query could use and that are not there, the most promising first. None where the query cannot be read.
pub(in crate::verify::plan) fn candidates(sql: &str, catalog: &Catalog) -> Vec<Candidate> {
    let columns = Columns(catalog);
    let mut found: Vec<Draft> = Vec::new();
    for access in accesses(sql, &columns) {
        let Some((name, table)) = columns.table(&access.table) else {
            continue;
        };
        let mut own = drafts(name, table, catalog, &access);
        own.retain_mut(|draft| match likeness(draft, table) {
            Likeness::Same => false,
            // A longer index does for the query what a shorter one would.
            Likeness::Longer => {
                draft.score -= NEARLY_THERE;
                !draft.include.is_empty()
            }
            Likeness::None => true,
        });
        own.sort_by_key(|draft| std::cmp::Reverse(draft.score));
        // The tenth index for one table is worth less than the first for another.
        for (place, draft) in own.iter_mut().enumerate() {
            draft.score -= i32::try_from(place).unwrap_or(i32::MAX / 2);
        }
        for draft in own {
            let same = |known: &&mut Draft| {
                known.table == draft.table
                    && known.method == draft.method
                    && known.keys == draft.keys
                    && known.include == draft.include
                    && known.predicate == draft.predicate
            };
            match found.iter_mut().find(same) {
                Some(known) => known.score = known.score.max(draft.score),
                None => found.push(draft),
            }
        }
    }
    // Stable: what is written first stays first.
    found.sort_by_key(|draft| std::cmp::Reverse(draft.score));
    let mut taken = relations(catalog);
    let named = found.into_iter().take(MOST);
    named.map(|draft| written(draft, &mut taken)).collect()
}

/// Names that indexes share with tables, views and each other.
fn relations(catalog: &Catalog) -> BTreeSet<Ident> {
    let mut taken = BTreeSet::new();
    taken.extend(catalog.views.iter().map(|(name, _)| name.name.clone()));
    for (name, table) in &catalog.tables {
        taken.insert(name.name.clone());
        taken.extend(table.primary_key.iter().map(|(name, _)| name.clone()));
        taken.extend(table.uniques.keys().cloned());
        taken.extend(table.exclusions.keys().cloned());
        taken.extend(table.indexes.keys().cloned());
        let partitions = table.partitioning.iter().flat_map(|by| &by.partitions);
        taken.extend(partitions.map(|partition| partition.name.clone()));
    }
    taken
}

fn written(draft: Draft, taken: &mut BTreeSet<Ident>) -> Candidate {
    let predicate: Vec<&str> = draft.predicate.iter().map(SqlText::as_str).collect();
    let predicate = (!predicate.is_empty()).then(|| predicate.join(" AND "));
    let name = free_name(&draft, taken);
    taken.insert(name.clone());
    Candidate {
        table: draft.table,
        name,
        using: draft.method.to_owned(),
        columns: draft.keys.iter().map(column).collect(),
        include: draft.include,
        predicate,
    }
}

fn column(slot: &Slot) -> String {
    let mut text = slot.expression.as_str().to_owned();
    if let Some(opclass) = slot.opclass {
        text += " ";
        text += opclass;
    }
    if slot.descending {
        text += " desc";
    }
    match (slot.descending, slot.nulls_first) {
        (true, false) => text += " nulls last",
        (false, true) => text += " nulls first",
        _ => {}
    }
    text
}

fn free_name(draft: &Draft, taken: &BTreeSet<Ident>) -> Ident {
    let mut parts = vec!["ix".to_owned(), draft.table.name.as_str().to_owned()];
    for slot in &draft.keys {
        match &slot.column {
            Some(column) => parts.push(column.as_str().to_owned()),
            None => parts.extend(words(slot.expression.as_str())),
        }
    }
    let kinds = [
        (draft.method != "btree").then_some(draft.method),
        (!draft.predicate.is_empty()).then_some("partial"),
        (!draft.include.is_empty()).then_some("covering"),
    ];
    let kind: String = kinds
        .iter()
        .flatten()
        .map(|kind| format!("_{kind}"))
        .collect();
    let whole = parts.join("_");
    let numbered = (2..).map(|number| cut(&whole, &format!("{kind}_{number}")));
    std::iter::once(cut(&whole, &kind))
        .chain(numbered)
        .find(|name| !taken.contains(name))
        .unwrap_or_else(|| Ident::new(whole))
}

/// Words of an expression that can stand in a name.
fn words(expression: &str) -> Vec<String> {
    let all = tokens(expression);
    let letters = |text: &str| -> String {
        let plain = text.chars().filter(|c| c.is_alphanumeric() || *c == '_');
        plain.collect::<String>().to_lowercase()
    };
    let words = all.iter().map(|token| letters(token.text(expression)));
    words.filter(|word| !word.is_empty()).collect()
}

fn cut(name: &str, suffix: &str) -> Ident {
    let mut end = name.len().min(LONGEST - suffix.len());
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    Ident::new(format!("{}{suffix}", name[..end].trim_end_matches('_')))
}

impl Candidate {
    /// CREATE INDEX.
    pub(in crate::verify::plan) fn create(&self) -> SqlText {
        let keys = join(self.columns.iter().map(SqlText::authored), ", ");
        let include = match self.include.as_slice() {
            [] => fixed(""),
            names => fill(" INCLUDE ({names})", &[("names", &idents(names))]),
        };
        let predicate = match &self.predicate {
            None => fixed(""),
            Some(text) => fill(" WHERE {text}", &[("text", &SqlText::authored(text))]),
        };
        fill(
            "CREATE INDEX {name} ON {table} USING {using} ({keys}){include}{predicate}",
            &[
                ("name", &quote_ident(&self.name)),
                ("table", &quote_qualified(&self.table)),
                ("using", &quote_ident(&Ident::new(self.using.as_str()))),
                ("keys", &keys),
                ("include", &include),
                ("predicate", &predicate),
            ],
        )
    }

    /// Lines to paste under `indexes:` of the table; what it serves is not among them.
    pub(in crate::verify::plan) fn yaml(&self) -> Vec<String> {
        let list = |items: Vec<String>| format!("[{}]", items.join(", "));
        let mut lines = vec![format!("{}:", scalar(self.name.as_str()))];
        if self.using != "btree" {
            lines.push(format!("  using: {}", self.using));
        }
        let columns = self.columns.iter().map(|text| scalar(text)).collect();
        lines.push(format!("  columns: {}", list(columns)));
        if !self.include.is_empty() {
            let names = self.include.iter().map(|name| scalar(name.as_str()));
            lines.push(format!("  include: {}", list(names.collect())));
        }
        if let Some(predicate) = &self.predicate {
            lines.push(format!("  where: {}", scalar(predicate)));
        }
        lines
    }
}

/// A string in YAML, also inside `[…]`: as it is where that means the same, else in double quotes.
fn scalar(text: &str) -> String {
    const WORDS: [&str; 9] = ["true", "false", "null", "yes", "no", "on", "off", "y", "n"];
    let starts = text.starts_with(|c: char| c.is_alphabetic() || c == '_' || c == '(');
    let special = |c: char| matches!(c, ',' | '[' | ']' | '{' | '}' | ':' | '#' | '"' | '\\');
    let word = WORDS.contains(&text.to_lowercase().as_str());
    if starts && !word && !text.contains(special) && !text.contains(char::is_control) {
        return text.to_owned();
    }
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            '\r' => quoted.push_str("\\r"),
            c if c.is_control() => quoted.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}
