//! `pgproof.yaml`: what a team has settled for all its runs. The command line stands before it.
//!
//! ```yaml
//! postgres: docker                    # where PostgreSQL comes from: auto, docker, local or a URL
//! levels: {select-star: error, offset-paging: off}   # what single rules weigh: error, warning, advice, off
//! warnings_as: error                  # what all other warnings weigh
//! checks: [../team/checks]            # further folders with rules, beside `checks/`
//! templates: [../team/templates]      # further folders with templates, beside `templates/`
//! ```

use std::path::{Path, PathBuf};

use super::workspace::from_here;
use crate::check::{Pack, about};
use crate::error::Error;
use crate::finding::{Finding, Level, Levels};
use crate::source::{self, Fault, Node, NodeKind, SourceMap, Span};

/// The name of the file, in the workspace's folder.
pub(super) const FILE: &str = "pgproof.yaml";

const KEYS: [&str; 5] = ["postgres", "levels", "warnings_as", "checks", "templates"];

/// What a team has settled.
#[derive(Debug, Default)]
pub(super) struct Settings {
    /// Where PostgreSQL comes from, as on the command line.
    pub(super) postgres: Option<String>,
    /// What findings weigh.
    pub(super) levels: Levels,
    /// Codes in `levels` with their places, to be compared with the rules there are.
    codes: Vec<(String, Span)>,
    /// Further folders with rules.
    pub(super) checks: Vec<PathBuf>,
    /// Further folders with templates.
    pub(super) templates: Vec<PathBuf>,
}

impl Settings {
    /// Levels of what is no rule. Only rules have levels: a name that dangles is no matter of taste.
    pub(super) fn unknown_codes(&self, pack: &Pack) -> Vec<Finding> {
        let unknown = self
            .codes
            .iter()
            .filter(|(code, _)| about(pack, code).is_none());
        unknown
            .map(|(code, at)| {
                let message = format!("there is no rule `{code}` whose level could be set");
                Finding::error("wrong-setting", "settings", message, *at)
                    .help("`pgproof rule --all` lists the rules")
            })
            .collect()
    }
}

/// The settings of a workspace, none where it has no file; and everything that is wrong with them.
pub(super) fn read(
    root: &Path,
    sources: &mut SourceMap,
) -> Result<(Settings, Vec<Finding>), Error> {
    let path = root.join(FILE);
    if !path.is_file() {
        return Ok((Settings::default(), Vec::new()));
    }
    let shown = from_here(&path).display().to_string();
    let text = std::fs::read_to_string(&path).map_err(|source| Error::Io {
        path: shown.clone(),
        source,
    })?;
    let id = sources.add(shown, text);
    let node = match source::parse(sources, id) {
        Ok(node) => node,
        Err(faults) => return Ok((Settings::default(), faults.into_iter().map(told).collect())),
    };
    let mut reader = Reader {
        root,
        settings: Settings::default(),
        findings: Vec::new(),
    };
    reader.read(&node);
    Ok((reader.settings, reader.findings))
}

fn told(fault: Fault) -> Finding {
    let mut finding = Finding::error(fault.code, "settings", fault.message, fault.at);
    finding.help = fault.help;
    for (at, text) in fault.also {
        finding = finding.label(at, text);
    }
    finding
}

struct Reader<'a> {
    root: &'a Path,
    settings: Settings,
    findings: Vec<Finding>,
}

impl Reader<'_> {
    fn read(&mut self, node: &Node) {
        if !matches!(node.kind, NodeKind::Mapping(_)) {
            let message = format!("settings are a mapping, and this is {}", node.noun());
            self.wrong(
                message,
                node.at,
                &format!("write `key: value`, with the keys {}", KEYS.join(", ")),
            );
            return;
        }
        for entry in node.entries() {
            match entry.key.as_str() {
                "postgres" => self.settings.postgres = self.word(&entry.value, "postgres"),
                "levels" => self.levels(&entry.value),
                "warnings_as" => self.settings.levels.warnings_as = self.level(&entry.value),
                "checks" => self.settings.checks = self.folders(&entry.value, "checks"),
                "templates" => self.settings.templates = self.folders(&entry.value, "templates"),
                other => self.findings.push(
                    Finding::error(
                        "unknown-key",
                        "settings",
                        format!("settings have no key `{other}`"),
                        entry.key.at(),
                    )
                    .help(format!("the keys are {}", KEYS.join(", "))),
                ),
            }
        }
    }

    fn levels(&mut self, node: &Node) {
        if !matches!(node.kind, NodeKind::Mapping(_)) {
            self.wrong(
                format!(
                    "`levels` is a mapping from rules to levels, and this is {}",
                    node.noun()
                ),
                node.at,
                "write `levels: {select-star: error}`",
            );
        }
        for entry in node.entries() {
            let code = entry.key.as_str();
            self.settings.codes.push((code.to_owned(), entry.key.at()));
            if let Some(level) = self.level(&entry.value) {
                self.settings.levels.by_code.insert(code.to_owned(), level);
            }
        }
    }

    fn level(&mut self, node: &Node) -> Option<Level> {
        let level = node.as_str().and_then(Level::of);
        if level.is_none() {
            let found = node
                .as_str()
                .map_or(node.noun().to_owned(), |word| format!("`{word}`"));
            self.wrong(
                format!("a level is expected here, not {found}"),
                node.at,
                &format!("the levels are {}", Level::WORDS.join(", ")),
            );
        }
        level
    }

    fn word(&mut self, node: &Node, key: &str) -> Option<String> {
        let word = node.as_str().map(str::to_owned);
        if word.is_none() {
            self.wrong(
                format!("`{key}` takes one word, and this is {}", node.noun()),
                node.at,
                &format!("write `{key}: auto`"),
            );
        }
        word
    }

    /// Folders, which have to be there: a misspelt one would silently switch all its rules off.
    fn folders(&mut self, node: &Node, key: &str) -> Vec<PathBuf> {
        let mut folders = Vec::new();
        for item in node.one_or_more() {
            let Some(name) = item.as_str() else {
                self.wrong(
                    format!("`{key}` lists folders, and this is {}", item.noun()),
                    item.at,
                    &format!("write `{key}: [../team/{key}]`"),
                );
                continue;
            };
            let folder = self.root.join(name);
            if folder.is_dir() {
                folders.push(folder);
            } else {
                self.wrong(
                    format!("there is no folder `{name}`"),
                    item.at,
                    "paths start from the folder of `pgproof.yaml`",
                );
            }
        }
        folders
    }

    fn wrong(&mut self, message: String, at: Span, help: &str) {
        self.findings
            .push(Finding::error("wrong-setting", "settings", message, at).help(help));
    }
}
