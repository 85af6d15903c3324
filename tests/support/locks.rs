//! Statements whose effects are known twice: said without a server, and seen on one.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use pgproof::migrate::files::{Source, read as read_files};
use pgproof::migrate::lint::{Options, lint};
use pgproof::migrate::{Chain, Effects, LockMode, Loss};
use pgproof::sql::{QualifiedName, ddl, statements};

/// One statement.
pub struct Case {
    pub name: String,
    pub setup: Vec<String>,
    pub statement: String,
    pub severe: bool,
    pub harmless: bool,
    pub sampled: bool,
    pub from: u16,
    pub upto: u16,
}

pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/locks")
}

pub fn read(name: &str) -> String {
    fs::read_to_string(folder().join(name)).expect("the cases are there")
}

/// Those that a server of this major version understands.
pub fn cases(version: u16) -> Vec<Case> {
    let text = read("statements.sql");
    let all = text.split("\n--# ").skip(1).map(|block| {
        let (head, body) = block.split_once('\n').expect("a case has a statement");
        let mut words = head.split_whitespace();
        let name = words.next().expect("a case has a name").to_owned();
        let words: Vec<&str> = words.collect();
        let number = |key: &str| {
            let found = words.iter().find_map(|word| word.strip_prefix(key));
            found.map(|number| number.parse().expect("a major version"))
        };
        let (setup, statement): (Vec<&str>, Vec<&str>) = body
            .trim()
            .lines()
            .partition(|line| line.starts_with("--setup "));
        Case {
            name,
            setup: setup
                .iter()
                .map(|line| line["--setup ".len()..].to_owned())
                .collect(),
            statement: statement.join("\n").trim().trim_end_matches(';').to_owned(),
            severe: words.contains(&"severe"),
            harmless: words.contains(&"harmless"),
            sampled: words.contains(&"sampled"),
            from: number("from=").unwrap_or(0),
            upto: number("upto=").unwrap_or(u16::MAX),
        }
    });
    all.filter(|case| case.from <= version && version <= case.upto)
        .collect()
}

/// The base schema, followed without a server.
pub fn base(version: u16) -> Chain {
    let mut chain = Chain::new(Default::default(), version);
    let text = read("base.sql");
    for at in statements(&text) {
        let statement = &text[at];
        chain.apply(&ddl(statement).expect(statement));
    }
    chain.end_migration();
    chain
}

/// What is said of a case.
pub fn said(base: &Chain, case: &Case) -> Effects {
    let mut chain = base.clone();
    for setup in &case.setup {
        chain.apply(&ddl(setup.trim_end_matches(';')).expect(setup));
    }
    chain.end_migration();
    let form = ddl(&case.statement).expect(&case.name);
    chain.effects(&form)
}

/// Whether a lint would have to say something: rows are gone through while somebody waits, or are lost, or it fails.
pub fn is_caught(effects: &Effects) -> bool {
    effects.is_hazard()
        || !effects.loses_data.is_empty()
        || effects.refused.is_some()
        || effects.depends_on_rows.is_some()
}

fn shown(name: &QualifiedName) -> String {
    match name.schema.as_str() {
        "public" => name.name.as_str().to_owned(),
        schema => format!("{schema}.{}", name.name.as_str()),
    }
}

/// What both sides know, in one spelling.
pub fn lines(effects: &Effects) -> Vec<String> {
    let mut lines = Vec::new();
    // Whether it works on rows as they are is not said without a server; then nothing else is seen of it.
    if effects.refused.is_some() {
        return vec!["refused".to_owned()];
    }
    for (name, mode) in &effects.locks {
        if *mode > LockMode::AccessShare {
            lines.push(format!("lock {} {mode}", shown(name)));
        }
    }
    for (name, mode) in &effects.index_locks {
        lines.push(format!("lock index {} {mode}", shown(name)));
    }
    for name in &effects.rewrites {
        lines.push(format!("rewrite {}", shown(name)));
    }
    for name in effects.builds_index.difference(&effects.rewrites) {
        lines.push(format!("build {}", shown(name)));
    }
    // How rows to be changed are found is the planner's choice.
    let changes_rows = effects
        .writes
        .keys()
        .any(|name| !effects.rewrites.contains(name));
    if !effects.needs_no_transaction && !changes_rows {
        for name in &effects.scans {
            if !effects.rewrites.contains(name) && !effects.builds_index.contains(name) {
                lines.push(format!("scan {}", shown(name)));
            }
        }
    }
    for loss in &effects.loses_data {
        match loss {
            Loss::Table(name) => lines.push(format!("lose table {}", shown(name))),
            Loss::Column(name, column) => {
                lines.push(format!("lose column {}.{}", shown(name), column.as_str()));
            }
            Loss::Rows(name) if effects.writes.contains_key(name) => {}
            Loss::Rows(name) => lines.push(format!("lose rows {}", shown(name))),
            Loss::Schema(_) | Loss::Extension(_) => {}
        }
    }
    if effects.needs_no_transaction {
        lines.push("no transaction".to_owned());
    }
    if effects.waits_for_old_transactions {
        lines.push("waits for old transactions".to_owned());
    }
    lines.sort();
    lines.dedup();
    lines
}

/// What was seen on a server of a major version, by case.
pub fn seen(version: u16) -> Option<BTreeMap<String, Vec<String>>> {
    let path = folder().join(format!("seen-{version}.txt"));
    let text = fs::read_to_string(path).ok()?;
    let mut all: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut name = String::new();
    for line in text.lines() {
        match line.strip_prefix("# ") {
            Some(head) => {
                name = head.to_owned();
                all.insert(name.clone(), Vec::new());
            }
            None => all.entry(name.clone()).or_default().push(line.to_owned()),
        }
    }
    Some(all)
}

/// Cases in which what is said and what was seen differ.
pub fn disagreements(version: u16) -> Vec<String> {
    let Some(seen) = seen(version) else {
        return vec![format!("nothing was seen on {version}")];
    };
    let base = base(version);
    let mut out = Vec::new();
    for case in cases(version) {
        let effects = said(&base, &case);
        if let Some(why) = &effects.unknown {
            out.push(format!("{version} {}: nothing is known: {why}", case.name));
        }
        let said = lines(&effects);
        let Some(seen) = seen.get(&case.name) else {
            out.push(format!("{version} {}: was not seen", case.name));
            continue;
        };
        // A failure that rows decide: what it would have done is not to be seen.
        let by_rows = seen == &["refused by rows"] && effects.depends_on_rows.is_some();
        let by_chance = case.sampled && seen == &["sampled"];
        if &said != seen && !by_rows && !by_chance {
            out.push(format!(
                "{version} {}\n    said: {}\n    seen: {}",
                case.name,
                said.join("; "),
                seen.join("; ")
            ));
        }
    }
    out
}

/// The safe ways that the lint names for a case, where they are SQL.
pub fn recipes(version: u16, case: &Case) -> Vec<(&'static str, Vec<String>)> {
    let source = |path: &str, text: String| Source {
        path: path.to_owned(),
        text,
    };
    let setup: Vec<String> = case.setup.iter().map(|own| format!("{own}\n")).collect();
    let sources = [
        source("1_base.sql", read("base.sql")),
        source("2_setup.sql", setup.concat()),
        source("3_case.sql", case.statement.clone()),
    ];
    let migrations = read_files(&sources, None);
    let texts: Vec<&str> = sources.iter().map(|own| own.text.as_str()).collect();
    let options = Options {
        version,
        is_whole: true,
        since: Some("3_case".to_owned()),
    };
    let linted = lint(&migrations, &texts, &options);
    let sql = linted.faults.into_iter().filter(|fault| {
        let words = ["ALTER ", "CREATE ", "DROP ", "REINDEX ", "REFRESH ", "--"];
        fault.instead.contains(';') && words.iter().any(|word| fault.instead.starts_with(word))
    });
    sql.map(|fault| {
        let text = fault.instead;
        let own = statements(&text).into_iter().map(|at| text[at].to_owned());
        (fault.code, own.collect())
    })
    .collect()
}
