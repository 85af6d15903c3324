//! The page about all rules.

use std::collections::BTreeMap;

use serde::Serialize;

use super::pack::Pack;
use super::rule::Rule;
use crate::error::Error;
use crate::template::Environment;

#[derive(Serialize)]
struct Page<'p> {
    groups: Vec<Group<'p>>,
}

#[derive(Serialize)]
struct Group<'p> {
    name: &'p str,
    rules: Vec<&'p Rule>,
}

/// The rules as Markdown: what each finds, why, what it prevents, an example that fires and the cure.
pub fn rules_page(pack: &Pack, environment: &Environment) -> Result<String, Error> {
    let mut groups: BTreeMap<&str, Vec<&Rule>> = BTreeMap::new();
    for check in pack.checks() {
        groups.entry(&check.group).or_default().push(&check.rule);
    }
    let groups = groups
        .into_iter()
        .map(|(name, rules)| Group { name, rules });
    let page = Page {
        groups: groups.collect(),
    };
    let mut text = environment.render("markdown/rules.md.j2", &page)?;
    text.push('\n');
    Ok(text)
}
