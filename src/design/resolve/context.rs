//! What every pass has at hand: what the design declares, and where faults go.

use std::cell::RefCell;

use super::super::model::Name;
use super::super::nearest::nearest;
use super::symbols::{ColumnSymbol, Symbols, TableSymbol};
use crate::finding::{Finding, Severity};
use crate::source::Span;

/// What every pass has at hand. Faults are taken through a shared reference, so that a pass can hold on to symbols.
pub(super) struct Context<'a> {
    /// What the design declares.
    pub(super) symbols: Symbols<'a>,
    findings: RefCell<Vec<Finding>>,
}

/// A family of names that can dangle.
#[derive(Clone, Copy, Debug)]
pub(super) struct Family {
    /// Code of the finding.
    pub(super) code: &'static str,
    /// What people call one: `table`.
    pub(super) noun: &'static str,
    /// Where one is declared.
    pub(super) home: &'static str,
}

/// The families.
pub(super) mod family {
    use super::Family;

    macro_rules! families {
        ($($name:ident: $code:literal $noun:literal $home:literal;)*) => {
            $(pub(in super::super) const $name: Family =
                Family { code: $code, noun: $noun, home: $home };)*
        };
    }

    families! {
        TABLE: "dangling-table" "table" "`tables:`";
        RELATION: "dangling-table" "table, view or projection" "`tables:`, `views:` or `projections:`";
        COLUMN: "dangling-column" "column" "`columns:`";
        INVARIANT: "dangling-invariant" "invariant" "`invariants:`";
        INDEX: "dangling-index" "index" "`indexes:` of its table";
        COMMAND: "dangling-command" "command" "`commands:`";
        QUERY: "dangling-query" "query" "`queries:`";
        EVENT: "dangling-event" "event" "`events:`";
        PROJECTION: "dangling-projection" "projection" "`projections:`";
        ROLE: "dangling-role" "role" "`security.roles:`";
        ACTOR: "dangling-actor" "actor" "`process.actors:`";
        OBJECT: "dangling-object" "object" "the design";
        PARAM: "dangling-param" "parameter" "`params:`";
        PAYLOAD: "dangling-field" "payload field" "`payload:`";
    }
}

impl<'a> Context<'a> {
    /// Nothing said yet.
    pub(super) fn new(symbols: Symbols<'a>) -> Context<'a> {
        Context {
            symbols,
            findings: RefCell::new(Vec::new()),
        }
    }

    /// Takes a finding.
    pub(super) fn report(&self, finding: Finding) {
        debug_assert!(super::codes::has_page(&finding.code), "{}", finding.code);
        self.findings.borrow_mut().push(finding);
    }

    /// Takes an error.
    pub(super) fn error(
        &self,
        code: &str,
        subject: &str,
        message: impl Into<String>,
        at: Span,
        help: impl Into<String>,
    ) {
        self.report(Finding::error(code, subject, message, at).help(help));
    }

    /// Takes a finding that is softer than an error.
    pub(super) fn softer(
        &self,
        severity: Severity,
        code: &str,
        subject: &str,
        message: impl Into<String>,
        at: Span,
        help: impl Into<String>,
    ) {
        self.report(Finding::new(code, severity, subject, message, at).help(help));
    }

    /// All findings, in the order of the file.
    pub(super) fn into_findings(self) -> Vec<Finding> {
        let mut findings = self.findings.into_inner();
        findings.sort_by_key(|finding| finding.labels.first().map(|label| label.at));
        findings
    }

    /// Says that a name is not there, with the nearest one that is.
    pub(super) fn dangling<'n>(
        &self,
        family: Family,
        name: &Name,
        subject: &str,
        candidates: impl IntoIterator<Item = &'n str>,
    ) {
        let message = format!("there is no {} `{}`", family.noun, name.as_str());
        let all: Vec<&str> = candidates.into_iter().collect();
        let help = match nearest(name.as_str(), all.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("declare it under {}{}", family.home, few(&all)),
        };
        self.error(family.code, subject, message, name.at, help);
    }

    /// The table of that name; says so where there is none.
    pub(super) fn table(&self, name: &Name, subject: &str) -> Option<&TableSymbol<'a>> {
        let found = self.symbols.tables.get(name.as_str());
        if found.is_none() {
            self.dangling(
                family::TABLE,
                name,
                subject,
                self.symbols.tables.keys().copied(),
            );
        }
        found
    }

    /// The column of that name; says so where there is none.
    pub(super) fn column<'s>(
        &self,
        table: &'s TableSymbol<'a>,
        name: &Name,
        subject: &str,
    ) -> Option<&'s ColumnSymbol> {
        let found = table.columns.get(name.as_str());
        if found.is_none() {
            let all: Vec<&str> = table.columns.keys().copied().collect();
            let help = match nearest(name.as_str(), all.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("add it to the table's `columns:`{}", few(&all)),
            };
            let message = format!(
                "table `{}` has no column `{}`",
                table.name.as_str(),
                name.as_str()
            );
            let finding = Finding::error("dangling-column", subject, message, name.at)
                .label(table.name.at, "the table is declared here")
                .help(help);
            self.report(finding);
        }
        found
    }

    /// Columns of a table, each looked up, none twice.
    pub(super) fn columns(&self, table: &TableSymbol<'a>, names: &[Name], subject: &str) {
        self.distinct(names, "column", subject);
        for name in names {
            self.column(table, name, subject);
        }
    }

    /// Says where a list names the same thing twice.
    pub(super) fn distinct(&self, names: &[Name], noun: &str, subject: &str) {
        let mut seen = std::collections::BTreeMap::new();
        for name in names {
            if let Some(first) = seen.insert(name.as_str(), name.at) {
                let message = format!("{noun} `{}` is listed twice", name.as_str());
                let finding = Finding::error("duplicate-name", subject, message, name.at)
                    .label(first, "first here")
                    .help("leave one of the two out");
                self.report(finding);
            }
        }
    }
}

/// The names there are, where they are few.
fn few(all: &[&str]) -> String {
    match all {
        [] => String::new(),
        _ if all.len() > 8 => String::new(),
        _ => format!("; there are {}", quoted(all)),
    }
}

/// Names in a sentence: `a`, `b` and `c`.
pub(super) fn quoted(names: &[&str]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    match quoted.as_slice() {
        [rest @ .., last] if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
        all => all.join(""),
    }
}
