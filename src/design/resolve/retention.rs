//! `retention:` of a table.

use super::super::language::values::parse_duration;
use super::super::model::{Name, PartitionBy, PartitionRule, Retention, RetentionAction};
use super::context::Context;
use super::data_type;
use super::inside::Over;
use super::sql;
use super::symbols::TableSymbol;
use super::value::{name_at, parsed, text, word};
use crate::finding::Finding;
use crate::source::Node;

const ACTIONS: &[(&str, RetentionAction)] = &[
    ("archive", RetentionAction::Archive),
    ("delete", RetentionAction::Delete),
    ("drop_partition", RetentionAction::DropPartition),
    ("anonymise", RetentionAction::Anonymise),
    ("export", RetentionAction::Export),
];

/// `retention:`, a rule or a list of rules.
pub(super) fn retention(
    cx: &Context<'_>,
    node: &Node,
    symbol: &TableSymbol<'_>,
    partition: Option<&PartitionBy>,
    subject: &str,
) -> Vec<Retention> {
    let rules = node
        .get("retention")
        .map(Node::one_or_more)
        .unwrap_or_default();
    rules
        .iter()
        .filter(|rule| !rule.entries().is_empty())
        .enumerate()
        .map(|(number, node)| {
            let subject = format!("{subject} / retention {}", number + 1);
            rule(cx, node, symbol, partition, &subject)
        })
        .collect()
}

fn rule(
    cx: &Context<'_>,
    node: &Node,
    symbol: &TableSymbol<'_>,
    partition: Option<&PartitionBy>,
    subject: &str,
) -> Retention {
    let of = name_at(node, "of").or_else(|| clock(partition));
    if let Some(of) = &of
        && let Some(column) = cx.column(symbol, of, subject)
        && let Some(data_type) = &column.data_type
        && data_type::settle(cx, data_type).is_some_and(|found| !data_type::is_time(&found))
    {
        let message = format!(
            "age is counted from `{}`, which is `{data_type}`",
            of.as_str()
        );
        let finding = Finding::error("type-mismatch", subject, message, of.at)
            .label(data_type.at(), "declared here")
            .help("name a column of type `date`, `timestamp` or `timestamptz`");
        cx.report(finding);
    }
    let action = word(node, "do", ACTIONS);
    if action == Some(RetentionAction::DropPartition) && partition.is_none() {
        let at = node.get("do").map_or(node.at, |value| value.at);
        let message = format!("table `{}` has no partitions to drop", symbol.name.as_str());
        let help = "add `partition:` to the table, or say `do: delete`";
        cx.error("retention-without-partition", subject, message, at, help);
    }
    target(cx, node, action, subject);
    if of.is_none() && node.get("after").is_some_and(|after| !after.is_null()) {
        let at = node.get("after").map_or(node.at, |value| value.at);
        let message = "this age is counted from no time";
        let help = "name the column: `of: created_at`";
        cx.error("retention-without-time", subject, message, at, help);
    }
    Retention {
        after: parsed(node, "after", parse_duration),
        after_text: text(node, "after"),
        of,
        predicate: sql::expression_at(
            cx,
            node,
            "where",
            Over::Table(symbol.name.as_str()),
            subject,
        ),
        action,
        to: text(node, "to"),
        // A hold may be kept elsewhere than in the table; what it names is left to the server.
        hold: sql::expression_at(cx, node, "hold", Over::Anything, subject),
        at: node.at,
    }
}

/// Where `of` is silent, the column of time that the table is cut by.
fn clock(partition: Option<&PartitionBy>) -> Option<Name> {
    let partition = partition?;
    matches!(partition.rule, PartitionRule::Every { .. }).then(|| partition.by.clone())
}

/// Archived and exported rows go somewhere.
fn target(cx: &Context<'_>, node: &Node, action: Option<RetentionAction>, subject: &str) {
    let Some(RetentionAction::Archive | RetentionAction::Export) = action else {
        return;
    };
    match name_at(node, "to") {
        Some(to) if action == Some(RetentionAction::Archive) => {
            super::process::store(cx, &to, subject);
        }
        Some(_) => {}
        None => {
            let at = node.get("do").map_or(node.at, |value| value.at);
            let message = "the rows go nowhere";
            let help = "say where: `to: TABLE` for an archive, a path for an export";
            cx.error("retention-without-target", subject, message, at, help);
        }
    }
}
