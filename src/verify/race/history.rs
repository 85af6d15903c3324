//! A shadow history of the rows, kept by a trigger in the throw-away database only: for rules about how rows change, which
//! no look at the rows themselves can judge.

use std::collections::BTreeSet;

use crate::design::{Invariant, Model, Rule};
use crate::source::Text;
use crate::sql::{
    Ident, QualifiedName, SqlText, fill, fixed, join, literal, quote_ident, quote_qualified,
};

/// Where the history and pgproof's own functions live.
const SETUP: &str = "\
CREATE SCHEMA pgproof_shadow;
CREATE TABLE pgproof_shadow.history (
  n bigint GENERATED ALWAYS AS IDENTITY,
  of_table text NOT NULL,
  op text NOT NULL,
  old jsonb,
  new jsonb
);
CREATE FUNCTION pgproof_shadow.note() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
BEGIN
  INSERT INTO pgproof_shadow.history (of_table, op, old, new)
  VALUES (TG_ARGV[0], TG_OP,
          CASE WHEN TG_OP IN ('UPDATE', 'DELETE') THEN to_jsonb(OLD) END,
          CASE WHEN TG_OP IN ('INSERT', 'UPDATE') THEN to_jsonb(NEW) END);
  RETURN NULL;
END $$;";

/// Makes the history.
pub(super) fn setup() -> SqlText {
    fixed(SETUP)
}

/// Notes every change of a table. The order among its triggers does not matter: what is noted is what was stored.
pub(super) fn watch(table: &QualifiedName) -> SqlText {
    fill(
        "CREATE TRIGGER pgproof_shadow AFTER INSERT OR UPDATE OR DELETE ON {table}\n\
         FOR EACH ROW EXECUTE FUNCTION pgproof_shadow.note({name});\n\
         CREATE TRIGGER pgproof_shadow_all AFTER TRUNCATE ON {table}\n\
         FOR EACH STATEMENT EXECUTE FUNCTION pgproof_shadow.note({name})",
        &[
            ("table", &quote_qualified(table)),
            ("name", &literal(table.name.as_str())),
        ],
    )
}

/// Tables whose history decides about an invariant.
pub(super) fn watched(invariant: &Invariant) -> BTreeSet<Ident> {
    match &invariant.rule {
        Rule::AppendOnly { table, .. }
        | Rule::Immutable { table, .. }
        | Rule::Transitions { table, .. }
        | Rule::Monotonic { table, .. } => BTreeSet::from([table.ident.clone()]),
        _ => BTreeSet::new(),
    }
}

/// What finds violations in the history; `None` for rules that rows alone can judge.
pub(super) fn query(model: &Model, invariant: &Invariant) -> Option<SqlText> {
    match &invariant.rule {
        Rule::AppendOnly { table, predicate } => {
            let table = model.qualified(&table.ident);
            Some(changes(
                &table,
                &fixed("h.op IN ('UPDATE', 'DELETE', 'TRUNCATE')"),
                predicate.as_ref(),
            ))
        }
        Rule::Immutable {
            table,
            columns,
            once,
        } => {
            let declared = model.table(&table.ident)?;
            let names: Vec<&Ident> = match columns.is_empty() {
                true => declared
                    .columns
                    .iter()
                    .map(|column| &column.name.ident)
                    .collect(),
                false => columns.iter().map(|name| &name.ident).collect(),
            };
            let differ = names.into_iter().map(|name| {
                let key = literal(name.as_str());
                fill(
                    "h.old -> {key} IS DISTINCT FROM h.new -> {key}",
                    &[("key", &key)],
                )
            });
            let changed = fill(
                "h.op = 'UPDATE' AND ({any})",
                &[("any", &join(differ, " OR "))],
            );
            Some(changes(
                &model.qualified(&table.ident),
                &changed,
                once.as_ref(),
            ))
        }
        Rule::Monotonic {
            table,
            column,
            strictly,
            predicate,
        } => {
            let wrong = if *strictly { fixed("<=") } else { fixed("<") };
            let shrinks = fill(
                "h.op = 'UPDATE' AND (jsonb_populate_record(NULL::{table}, h.new)).{column} {wrong} \
                 (jsonb_populate_record(NULL::{table}, h.old)).{column}",
                &[
                    ("table", &quote_qualified(&model.qualified(&table.ident))),
                    ("column", &quote_ident(&column.ident)),
                    ("wrong", &wrong),
                ],
            );
            Some(changes(
                &model.qualified(&table.ident),
                &shrinks,
                predicate.as_ref(),
            ))
        }
        Rule::Transitions {
            table,
            column,
            initial,
            allow,
            predicate,
            ..
        } => {
            let column = literal(column.as_str());
            let wrong = fill(
                "(h.op = 'INSERT' AND {starts} AND h.new ->> {column} <> ALL (ARRAY[{initial}]::text[])) OR \
                 (h.op = 'UPDATE' AND h.old ->> {column} IS DISTINCT FROM h.new ->> {column} \
                 AND (h.old ->> {column}) || ' > ' || (h.new ->> {column}) <> ALL (ARRAY[{edges}]::text[]))",
                &[
                    (
                        "starts",
                        &fixed(if initial.is_empty() { "false" } else { "true" }),
                    ),
                    ("column", &column),
                    (
                        "initial",
                        &join(initial.iter().map(|state| literal(state.as_str())), ", "),
                    ),
                    ("edges", &edges(allow)),
                ],
            );
            Some(changes(
                &model.qualified(&table.ident),
                &wrong,
                predicate.as_ref(),
            ))
        }
        _ => None,
    }
}

fn edges(allow: &[(Text, Vec<Text>)]) -> SqlText {
    let pairs = allow
        .iter()
        .flat_map(|(from, to)| to.iter().map(move |to| (from, to)));
    join(
        pairs.map(|(from, to)| literal(&format!("{} > {}", from.as_str(), to.as_str()))),
        ", ",
    )
}

/// Entries of the history that meet a condition, among rows that met the design's own condition before, or that begin with it.
fn changes(table: &QualifiedName, wrong: &SqlText, before: Option<&Text>) -> SqlText {
    let before = before.map_or_else(|| fixed("TRUE"), |text| SqlText::authored(text.as_str()));
    fill(
        "SELECT h.op AS operation, h.old AS before, h.new AS after\n\
         FROM pgproof_shadow.history h\n\
         WHERE h.of_table = {name} AND ({wrong})\n\
         AND (h.op = 'TRUNCATE' OR EXISTS (SELECT FROM jsonb_populate_record(NULL::{table}, coalesce(h.old, h.new)) AS {alias} WHERE {before}))\n\
         ORDER BY h.n",
        &[
            ("name", &literal(table.name.as_str())),
            ("wrong", wrong),
            ("table", &quote_qualified(table)),
            ("alias", &quote_ident(&table.name)),
            ("before", &before),
        ],
    )
}

/// How many lasting changes of each kind were made, for rules that count effects.
pub(super) fn effects() -> SqlText {
    fixed(
        "SELECT of_table, op, count(*) FROM pgproof_shadow.history\n\
         WHERE old IS DISTINCT FROM new OR op = 'TRUNCATE' GROUP BY of_table, op ORDER BY of_table, op",
    )
}
