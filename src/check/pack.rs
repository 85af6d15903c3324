//! All rules, read and checked.

use std::collections::{BTreeMap, BTreeSet};

use super::builtin::{BUILTINS, Builtin, How};
use super::facts;
use super::predicates::PREDICATES;
use super::rule::{Rule, SubjectKind};
use crate::assets::{Asset, Assets, Origin};
use crate::error::Error;
use crate::template::{Environment, Expression, Message, environment as templates};

/// Rules, ready to run.
#[derive(Debug)]
pub struct Pack<'e> {
    checks: Vec<Check<'e>>,
}

/// A rule, ready to run.
#[derive(Debug)]
pub struct Check<'e> {
    /// What its file says.
    pub rule: Rule,
    /// Folder of its file: what it is about.
    pub group: String,
    /// Where its file is.
    pub origin: Origin,
    pub(super) condition: Condition<'e>,
    pub(super) message: Message<'e>,
    pub(super) help: Option<Message<'e>>,
}

#[derive(Debug)]
pub(super) enum Condition<'e> {
    When(Expression<'e>),
    Builtin(&'static Builtin),
}

impl<'e> Pack<'e> {
    /// All rules, by group and code.
    pub fn checks(&self) -> &[Check<'e>] {
        &self.checks
    }
}

/// The rule with this code.
pub fn about<'p>(pack: &'p Pack, code: &str) -> Option<&'p Rule> {
    let found = pack.checks.iter().find(|check| check.rule.code == code);
    found.map(|check| &check.rule)
}

/// Templates with the questions that rules may ask.
pub fn environment(assets: &Assets) -> Environment {
    let mut environment = templates(assets);
    for (name, predicate) in PREDICATES {
        environment.add_predicate(name, *predicate);
    }
    environment
}

/// Reads every rule of the program and of the team. What is wrong with any of them is said at once, and nothing runs.
pub fn load<'e>(assets: &Assets, environment: &'e Environment) -> Result<Pack<'e>, Error> {
    let mut checks: BTreeMap<(String, String), Check<'e>> = BTreeMap::new();
    let mut faults = Vec::new();
    let mut replaced = BTreeSet::new();
    for path in assets.list("checks/") {
        let Some(asset) = assets.get(&path) else {
            continue;
        };
        match read(&asset, environment) {
            Ok(check) => {
                let code = check.rule.code.clone();
                if hides(assets, &asset) && check.rule.replaces.is_none() {
                    faults.push(format!(
                        "{}: stands for a rule of the program; say so: `replaces: {code}`",
                        asset.shown()
                    ));
                }
                replaced.extend(check.rule.replaces.clone());
                // A team's rule and ours may share a code only where one replaces the other.
                let twin = checks.keys().any(|(_, known)| *known == code);
                let key = match (twin, &check.origin) {
                    (true, Origin::User(_)) if check.rule.replaces.as_ref() != Some(&code) => {
                        faults.push(format!(
                            "{}: there is already a rule `{code}`; choose another code, or say `replaces: {code}`",
                            asset.shown()
                        ));
                        continue;
                    }
                    _ => (check.group.clone(), code),
                };
                checks.insert(key, check);
            }
            Err(fault) => faults.push(format!("{}: {fault}", asset.shown())),
        }
    }
    if !faults.is_empty() {
        return Err(Error::Template(faults.join("\n")));
    }
    checks.retain(|(_, code), check| {
        let is_ours = check.origin == Origin::Builtin;
        !(is_ours && replaced.contains(code))
    });
    Ok(Pack {
        checks: checks.into_values().collect(),
    })
}

/// Whether a file of the team stands for one of ours. In pgproof's own repository the workspace's rules are the program's: a
/// copy of ours stands for nothing.
fn hides(assets: &Assets, asset: &Asset) -> bool {
    let original = assets.original(&asset.path);
    asset.origin != Origin::Builtin && original.is_some_and(|own| own.text != asset.text)
}

fn read<'e>(asset: &Asset, environment: &'e Environment) -> Result<Check<'e>, String> {
    let rule: Rule =
        serde_yaml::from_str(&asset.text).map_err(|error| error.without_snippet().to_string())?;
    let mut parts = asset.path.rsplit('/');
    let stem = parts.next().unwrap_or_default().trim_end_matches(".yaml");
    let group = parts.next().unwrap_or_default().to_owned();
    if stem != rule.code {
        return Err(format!(
            "the file of rule `{0}` is called {0}.yaml",
            rule.code
        ));
    }
    let fault = |error: Error| error.to_string();
    let condition = condition(&rule, environment)?;
    let message = environment.message(&rule.message).map_err(fault)?;
    let help = rule.help.as_ref().map(|help| environment.message(help));
    let help = help.transpose().map_err(fault)?;
    let places = rule.on.places();
    if let Some(at) = &rule.at
        && !places.contains(&at.as_str())
    {
        return Err(format!(
            "`at: {at}` is no place of a {}; those are {}",
            rule.on.word(),
            places.join(", ")
        ));
    }
    let mut paths = message.paths();
    paths.extend(help.iter().flat_map(Message::paths));
    if let Condition::When(expression) = &condition {
        paths.extend(expression.paths());
    }
    let known = Known::of(&rule, &condition);
    for path in paths {
        known.check(&path)?;
    }
    Ok(Check {
        rule,
        group,
        origin: asset.origin.clone(),
        condition,
        message,
        help,
    })
}

fn condition<'e>(rule: &Rule, environment: &'e Environment) -> Result<Condition<'e>, String> {
    match (&rule.when, &rule.builtin) {
        (Some(when), None) => environment
            .expression(when)
            .map(Condition::When)
            .map_err(|error| error.to_string()),
        (None, Some(name)) => {
            let builtin = BUILTINS.iter().find(|builtin| builtin.name == name);
            let builtin = builtin.ok_or_else(|| format!("there is no builtin `{name}`"))?;
            if builtin.on != rule.on {
                return Err(format!("builtin `{name}` is `on: {}`", builtin.on.word()));
            }
            Ok(Condition::Builtin(builtin))
        }
        _ => Err("a rule has one of `when` and `builtin`".to_owned()),
    }
}

/// Paths that a rule may use.
struct Known {
    facts: BTreeMap<&'static str, serde_json::Value>,
}

impl Known {
    fn of(rule: &Rule, condition: &Condition) -> Known {
        let mut facts = BTreeMap::new();
        let mut add = |kind: SubjectKind| facts.insert(kind.word(), facts::sample(kind));
        // A migration is not of a design.
        if rule.on != SubjectKind::Migration {
            add(SubjectKind::Design);
        }
        add(rule.on);
        if matches!(
            rule.on,
            SubjectKind::Column | SubjectKind::Reference | SubjectKind::Index
        ) {
            add(SubjectKind::Table);
        }
        if let Condition::Builtin(builtin) = condition {
            let given = builtin
                .gives
                .iter()
                .map(|name| ((*name).to_owned(), "".into()));
            facts.insert("found", serde_json::Value::Object(given.collect()));
        }
        Known { facts }
    }

    fn check(&self, path: &str) -> Result<(), String> {
        let mut parts = path.split('.');
        let root = parts.next().unwrap_or_default();
        let Some(mut value) = self.facts.get(root) else {
            let roots: Vec<&str> = self.facts.keys().copied().collect();
            return Err(format!(
                "`{path}` is unknown; facts begin with {}",
                roots.join(", ")
            ));
        };
        for part in parts {
            let serde_json::Value::Object(known) = value else {
                return Ok(());
            };
            value = known.get(part).ok_or_else(|| {
                let names: Vec<&str> = known.keys().map(String::as_str).collect();
                format!("`{path}` is unknown; `{root}` has {}", names.join(", "))
            })?;
        }
        Ok(())
    }
}

impl Builtin {
    pub(super) fn runs(&self) -> Option<super::builtin::Run> {
        match self.how {
            How::Runs(run) => Some(run),
            How::OfWaivers | How::OfMigrations => None,
        }
    }
}
