//! What sets two catalogs apart, one line for each difference.

use std::collections::BTreeMap;
use std::fmt::{self, Debug};

use super::compare::table_differences;
use super::routine::View;
use super::schema::{Catalog, ObjectPath, UserType};
use crate::sql::{Ident, QualifiedName};

/// One difference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// What differs.
    pub object: ObjectPath,
    /// How: `predicate is "…", expected none`.
    pub text: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.object, self.text)
    }
}

/// Where differences are gathered.
pub(super) struct Differences(pub(super) Vec<Difference>);

impl Differences {
    pub(super) fn say(&mut self, object: &ObjectPath, text: impl Into<String>) {
        self.0.push(Difference {
            object: object.clone(),
            text: text.into(),
        });
    }

    /// Compares one property; `show` says it in words.
    pub(super) fn property<T: PartialEq + ?Sized>(
        &mut self,
        object: &ObjectPath,
        what: &str,
        (expected, found): (&T, &T),
        show: impl Fn(&T) -> String,
    ) {
        if expected != found {
            let (expected, found) = (show(expected), show(found));
            self.say(object, format!("{what} is {found}, expected {expected}"));
        }
    }

    /// Compares what is of a name on both sides, and says what is only on one.
    pub(super) fn named<K: Ord, V>(
        &mut self,
        (expected, found): (&BTreeMap<K, V>, &BTreeMap<K, V>),
        path: impl Fn(&K) -> ObjectPath,
        mut compare: impl FnMut(&mut Differences, &ObjectPath, &V, &V),
    ) {
        for (name, value) in expected {
            match found.get(name) {
                Some(other) => compare(self, &path(name), value, other),
                None => self.say(&path(name), "is missing"),
            }
        }
        for name in found.keys().filter(|name| !expected.contains_key(name)) {
            self.say(&path(name), "is there, but not expected");
        }
    }
}

/// What sets `found` apart from `expected`. Expressions and types are compared as text: bring both into the server's own
/// spelling first. Extensions beyond those expected are nobody's concern.
pub fn differences(expected: &Catalog, found: &Catalog) -> Vec<Difference> {
    let mut out = Differences(Vec::new());
    for schema in expected.schemas.difference(&found.schemas) {
        out.say(&ObjectPath::Schema(schema.clone()), "is missing");
    }
    for extension in expected.extensions.difference(&found.extensions) {
        out.say(&ObjectPath::Extension(extension.clone()), "is missing");
    }
    let roles = (&expected.roles, &found.roles);
    out.named(
        roles,
        |name| ObjectPath::Role(name.clone()),
        |out, path, expected, found| {
            out.property(
                path,
                "login",
                (&expected.login, &found.login),
                bool::to_string,
            );
            let bypass = (&expected.bypass_rls, &found.bypass_rls);
            out.property(
                path,
                "bypassing of row-level security",
                bypass,
                bool::to_string,
            );
        },
    );
    let types = (&expected.types, &found.types);
    out.named(
        types,
        |name| ObjectPath::Type(name.clone()),
        |out, path, expected, found| {
            type_differences(out, path, &expected.0, &found.0);
            out.property(path, "comment", (&expected.1, &found.1), text);
        },
    );
    let tables = (&expected.tables, &found.tables);
    out.named(
        tables,
        |name| ObjectPath::Table(name.clone()),
        table_differences,
    );
    let views = (&by_name(expected), &by_name(found));
    out.named(
        views,
        |name| ObjectPath::View((*name).clone()),
        view_differences,
    );
    let functions = (&expected.functions, &found.functions);
    out.named(
        functions,
        |name| ObjectPath::Function(name.clone()),
        |out, path, expected, found| {
            let definitions = (expected.definition.as_str(), found.definition.as_str());
            if definitions.0 != definitions.1 {
                out.say(
                    path,
                    format!("definition differs{}", first_line_apart(definitions)),
                );
            }
        },
    );
    out.0
}

fn by_name(catalog: &Catalog) -> BTreeMap<&QualifiedName, &View> {
    catalog
        .views
        .iter()
        .map(|(name, view)| (name, view))
        .collect()
}

fn type_differences(
    out: &mut Differences,
    path: &ObjectPath,
    expected: &UserType,
    found: &UserType,
) {
    match (expected, found) {
        (UserType::Enum(labels), UserType::Enum(others)) => {
            out.property(path, "list of labels", (labels, others), |labels| {
                labels.join(", ")
            });
        }
        (
            UserType::Domain { base, checks },
            UserType::Domain {
                base: other,
                checks: others,
            },
        ) => {
            out.property(path, "base", (base, other), |base| base.to_string());
            let shown = |checks: &BTreeMap<Ident, super::constraint::Check>| {
                let checks = checks.iter();
                let checks: Vec<String> = checks
                    .map(|(name, check)| format!("{} ({})", name.as_str(), check.expression))
                    .collect();
                checks.join(", ")
            };
            out.property(path, "checks", (checks, others), shown);
        }
        _ => out.say(path, "is of another kind"),
    }
}

fn view_differences(out: &mut Differences, path: &ObjectPath, expected: &&View, found: &&View) {
    let queries = (expected.query.as_str(), found.query.as_str());
    if queries.0 != queries.1 {
        out.say(path, format!("query differs{}", first_line_apart(queries)));
    }
    out.property(
        path,
        "materialization",
        (&expected.materialized, &found.materialized),
        bool::to_string,
    );
    let invoker = (&expected.security_invoker, &found.security_invoker);
    out.property(path, "security_invoker", invoker, bool::to_string);
    out.property(path, "key", (&expected.key, &found.key), |key| list(key));
    out.property(path, "comment", (&expected.comment, &found.comment), text);
    out.property(
        path,
        "list of grants",
        (&expected.grants, &found.grants),
        debug,
    );
}

fn first_line_apart((expected, found): (&str, &str)) -> String {
    let mut found_lines = found.lines().map(str::trim);
    for line in expected.lines().map(str::trim) {
        match found_lines.next() {
            Some(other) if other == line => {}
            Some(other) => return format!(": `{other}`, expected `{line}`"),
            None => return format!(": ends before `{line}`"),
        }
    }
    found_lines
        .next()
        .map_or(String::new(), |line| format!(": goes on with `{line}`"))
}

pub(super) fn list(names: &[Ident]) -> String {
    let names: Vec<&str> = names.iter().map(Ident::as_str).collect();
    format!("({})", names.join(", "))
}

pub(super) fn text(text: &Option<impl fmt::Display>) -> String {
    match text {
        Some(text) => format!("`{text}`"),
        None => "none".to_owned(),
    }
}

pub(super) fn debug(value: &impl Debug) -> String {
    format!("{value:?}")
}
