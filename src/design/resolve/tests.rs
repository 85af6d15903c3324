//! What resolution says about designs: every family of names, values and SQL, at its place.

use super::resolve;
use crate::design::Model;
use crate::finding::{Finding, Severity};
use crate::source::{SourceMap, parse};

mod claims;
mod columns;
mod commands;
mod queries;
mod tables;
mod whole;

/// A design read from YAML, with what is said about it.
struct Read {
    map: SourceMap,
    model: Model,
    findings: Vec<Finding>,
}

fn read(yaml: &str) -> Read {
    let mut map = SourceMap::new();
    let id = map.add("design.yaml", yaml.to_owned());
    let root = parse(&map, id).expect("the YAML of a test is well formed");
    let (model, findings) = resolve(&root);
    Read {
        model: model.expect("a mapping resolves"),
        map,
        findings,
    }
}

impl Read {
    /// Code and marked text of each finding, in order.
    fn said(&self) -> Vec<(&str, &str)> {
        let of = |finding| place(&self.map, finding);
        self.findings
            .iter()
            .map(|f| (f.code.as_str(), of(f).1))
            .collect()
    }
}

fn place<'m>(map: &'m SourceMap, finding: &Finding) -> (String, &'m str) {
    let at = finding.labels[0].at;
    let (start, _) = map.line_column(at);
    (format!("{}:{}", start.line, start.column), map.snippet(at))
}

/// The base that most tests build on: two tables, a role, a query and a command, without fault.
const BASE: &str = "\
design: shop
process: {actors: {clerk: {does: sells, writes: [sale], reads: [customer]}}}
database: {schema: shop, extensions: [btree_gist]}
types:
  sale_state: {enum: [open, paid, gone]}
  cents: {domain: bigint, check: value >= 0}
tables:
  customer:
    columns: {tenant_id: uuid, customer_id: uuid, name: text, credit: cents, parent_id: uuid?}
    key: [customer_id]
    unique: {uq_customer_tenant: [tenant_id, customer_id]}
  sale:
    columns:
      tenant_id: uuid
      sale_id: bigint
      customer_id: uuid
      state: sale_state
      kind: {type: text, one_of: [retail, trade]}
      amount: cents
      sold_at: timestamptz
      until: timestamptz?
      note: text?
    key: [sale_id]
    references: {fk_sale_customer: {columns: [tenant_id, customer_id], to: customer}}
    indexes: {ix_sale_customer: {columns: [customer_id, sold_at desc], serves: [sales]}}
commands:
  sell:
    actor: clerk
    params: {tenant_id: uuid, customer_id: uuid}
    steps:
      - as: found
        sql: SELECT credit FROM customer WHERE tenant_id = :tenant_id AND customer_id = :customer_id
      - require: found.rows == 1 and found.credit > 0
        otherwise: no_credit
queries:
  sales:
    params: {customer_id: uuid}
    sql: SELECT sale_id FROM sale WHERE customer_id = :customer_id ORDER BY sold_at DESC
security: {roles: {app: {grants: {sale: [select, insert]}}}}
events: {Sold: {by: sell, payload: {sale_id: bigint}, key: [sale_id]}}
";

/// The base with one text replaced.
fn with(from: &str, to: &str) -> Read {
    assert!(BASE.contains(from), "{from}");
    read(&BASE.replacen(from, to, 1))
}

/// The base with more at its end.
fn and(more: &str) -> Read {
    read(&format!("{BASE}{more}"))
}

/// Replaces one text of the base and expects exactly one finding: its code, what it marks, and words of message or help.
fn fault(from: &str, to: &str, code: &str, marked: &str, words: &str) {
    one(&with(from, to), code, marked, words);
}

/// Adds to the base and expects exactly one finding.
fn more_fault(more: &str, code: &str, marked: &str, words: &str) {
    one(&and(more), code, marked, words);
}

fn one(read: &Read, code: &str, marked: &str, words: &str) {
    assert_eq!(read.said(), [(code, marked)], "{:#?}", read.findings);
    let finding = &read.findings[0];
    let told = format!(
        "{} / {}",
        finding.message,
        finding.help.as_deref().unwrap_or_default()
    );
    assert!(told.contains(words), "{told}");
    assert!(!finding.message.ends_with('.'), "{told}");
    assert!(!finding.message.starts_with(char::is_uppercase), "{told}");
    assert_eq!(finding.design, "shop");
}

#[test]
fn the_base_is_without_fault() {
    assert_eq!(read(BASE).said(), []);
}
