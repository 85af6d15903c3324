//! The language reference, made from the table.

use std::collections::BTreeSet;

use super::schema::{reached, words};
use super::sections::DESIGN;
use super::shape::{Key, Object, Rule, Shape};
use super::values;

const INTRODUCTION: &str = "# The design language

Made from the program itself; `UPDATE_GOLDEN=1 cargo test --test language` writes it anew. `pgproof schema` prints the same as a
JSON Schema, which gives editors completion, hover and validation.

One YAML file is one database design. Three rules shape the language: truth first, tables second, so an invariant is stated once and
the constraint that enforces it is derived; short for the common case, explicit for the rest, so `ended_at: timestamptz?` is a
whole column; and every value keeps its place, so that a finding points at the text that caused it.

A key that is absent, empty or `null` says nothing. Keys that must be there are marked **required**. A design may be a folder: then
`design.yaml` may leave top-level sections to other files beside it.

A small design, whole; `designs/` has worked ones.

```yaml
pgproof: 1
design: lending
database: {version: 15}
tables:
  book:
    grain: one copy of a book
    columns:
      book_id: uuid
      title: text
    key: [book_id]
  loan:
    grain: one loan of one copy
    role: history
    columns:
      loan_id: uuid
      book_id: uuid
      lent_at: {type: timestamptz, time: effective}
      returned_at: {type: timestamptz, time: effective, nullable: still lent}
    key: [loan_id]
    references:
      fk_loan_book: {columns: [book_id], to: book, on_delete: restrict}
    indexes:
      ix_loan_lent: {columns: [lent_at], where: returned_at is null, serves: [lent-books]}
    volume: {rows: 2M, grows: 50k/month}
invariants:
  lent-once:
    never: a copy is lent to two people at once
    at_most_one: {in: loan, per: [book_id], where: returned_at is null}
commands:
  lend:
    params: {loan_id: uuid, book_id: uuid}
    steps:
      - sql: INSERT INTO loan (loan_id, book_id, lent_at) VALUES (:loan_id, :book_id, now())
    outcomes: {unique_violation: already_lent, foreign_key_violation: no_such_book}
queries:
  lent-books:
    runs: 20/s
    sql: SELECT book_id, lent_at FROM loan WHERE returned_at IS NULL ORDER BY lent_at LIMIT 50
```

";

/// The language reference in Markdown.
pub fn reference() -> String {
    let mut page = String::from(INTRODUCTION);
    page.push_str("## Sections\n\n");
    for key in DESIGN.keys {
        page.push_str(&format!(
            "- [`{}`](#{}){}\n",
            key.name,
            anchor(key.name),
            mark(key)
        ));
    }
    page.push_str(
        "\nThe [small grammars](#values) of counts, durations, sizes and rates are at the end.\n",
    );
    let mut told = BTreeSet::from([DESIGN.name]);
    for key in DESIGN.keys {
        page.push_str(&section(key, &mut told));
    }
    page.push_str(&grammars());
    page
}

fn mark(key: &Key) -> &'static str {
    match key.is_required {
        true => " **required**",
        false => "",
    }
}

/// A top-level key, and every object that has not been told of before.
fn section(key: &'static Key, told: &mut BTreeSet<&'static str>) -> String {
    let mut text = format!("\n## {}\n\n{}{}\n\n", key.name, key.doc, mark(key));
    text.push_str(&format!(
        "Takes {}.\n\n```yaml\n{}: {}\n```\n",
        takes(&key.shape),
        key.name,
        key.example
    ));
    for (word, meaning) in words(&key.shape) {
        text.push_str(&format!("\n- `{word}`: {meaning}"));
    }
    let mut waiting = Vec::new();
    reached(&key.shape, &mut |object| waiting.push(object));
    while !waiting.is_empty() {
        let object = waiting.remove(0);
        if !told.insert(object.name) {
            continue;
        }
        text.push_str(&table(object));
        for key in object.keys {
            reached(&key.shape, &mut |object| waiting.push(object));
        }
    }
    text
}

fn title(object: &Object) -> String {
    format!("Keys of {}", object.name.replace('_', " "))
}

fn table(object: &'static Object) -> String {
    let mut text = format!(
        "\n### {}\n\n{}\n\n| key | takes | meaning |\n|---|---|---|\n",
        title(object),
        object.doc
    );
    for key in object.keys {
        let mut meaning = key.doc.to_owned();
        let words = words(&key.shape);
        if !words.is_empty() {
            let words: Vec<_> = words
                .iter()
                .map(|(word, says)| format!("`{word}` ({says})"))
                .collect();
            meaning.push_str(&format!(" {}.", words.join("; ")));
        }
        if !key.example.is_empty() {
            meaning.push_str(&format!(" Example: `{}`", key.example));
        }
        let name = match key.is_required {
            true => format!("`{}` **required**", key.name),
            false => format!("`{}`", key.name),
        };
        text.push_str(&format!(
            "| {name} | {} | {} |\n",
            cell(&takes(&key.shape)),
            cell(&meaning)
        ));
    }
    for rule in object.rules {
        text.push_str(&format!("\n{}\n", of_rule(rule)));
    }
    text
}

/// A bar would end the cell.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}

fn of_rule(rule: &Rule) -> String {
    let list = |names: &[&str]| {
        let names: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
        names.join(", ")
    };
    match rule {
        Rule::ExactlyOne(names) => format!("Exactly one of {}.", list(names)),
        Rule::AtMostOne(names) => format!("At most one of {}.", list(names)),
        Rule::AnyOf(names) => format!("At least one of {}.", list(names)),
        Rule::Needs(name, other) => format!("`{name}` needs `{other}`."),
    }
}

/// What a key takes, with a link where it is an object.
fn takes(shape: &Shape) -> String {
    let link = |object: &Object| {
        format!(
            "[{}](#{})",
            object.name.replace('_', " "),
            anchor(&title(object))
        )
    };
    match shape {
        Shape::Object(object) => link(object),
        Shape::Choice(_) => "one of the words given".to_owned(),
        Shape::List(Shape::Object(object)) => format!("list of {}", link(object)),
        Shape::OneOrMore(Shape::Object(object)) => format!("{}, or a list of them", link(object)),
        Shape::OneOrMore(Shape::Choice(_)) => "one or more of the words given".to_owned(),
        Shape::OneOrMore(Shape::Text) => "text, or a list of texts".to_owned(),
        Shape::Map(noun, _, Shape::Either(shapes)) => {
            let shapes: Vec<_> = shapes.iter().map(takes).collect();
            format!("mapping: {noun} to {}", shapes.join(", or "))
        }
        Shape::Map(noun, _, value) => format!("mapping: {noun} to {}", takes(value)),
        Shape::Either(shapes) => {
            let shapes: Vec<_> = shapes.iter().map(takes).collect();
            shapes.join(", or ")
        }
        Shape::List(item) => format!("list: {}", takes(item)),
        other => other.words(),
    }
}

fn anchor(title: &str) -> String {
    title
        .to_lowercase()
        .chars()
        .filter_map(|c| match c {
            ' ' => Some('-'),
            c if c.is_alphanumeric() || matches!(c, '-' | '_') => Some(c),
            _ => None,
        })
        .collect()
}

fn grammars() -> String {
    let nodes: Vec<_> = values::PLAN_NODES
        .iter()
        .map(|node| format!("`{node}`"))
        .collect();
    format!(
        "
## Values

| value | written | |
|---|---|---|
| count | `20000`, `20_000`, `500k`, `5M`, `1.5B` | thousand, million, thousand million |
| rate | `500/s`, `20k/day`, `500k/month` | a count per unit of time |
| duration | `50 ms`, `5 s`, `15 min`, `1 h`, `30 days`, `12 months`, `7 years`, `1 h 30 min` | a month is a twelfth of a year of 365.25 days |
| size | `8kB`, `64MB`, `8GB` | as PostgreSQL counts them: 1 kB is 1024 bytes |
| share | `0.05`, `5%` | from 0 to 1 |
| date | `2026-03-01` | |
| upper bound | `<= 200 rows`, `<= 5k`, `200` | |
| partitions | `<= 2 of TABLE` | |
| factor | `within 10x` | |
| plan node | {} | `on TABLE` after it narrows it |
| condition | `found.rows == 1 and found.state in ['open', 'draft']` | a comparison with null is not true; `== null` asks for it |

A comma inside braces or brackets ends a plain YAML value: `{{type: numeric(12,2)}}` needs quotes, `{{type: \"numeric(12,2)\"}}`. So do
values that start with `*`, `&`, `@`, `%`, a quote or a bracket, and those that hold a colon and a blank, or a blank and `#`.
",
        nodes.join(", ")
    )
}
