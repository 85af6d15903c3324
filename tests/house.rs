//! Tests about the repository: what may know what, and how things are called. Architecture, sections 0, 8 and 9.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use pgproof::assets::Assets;
use pgproof::check::{BUILTINS, environment, load};

/// Modules in the order of the storeys, each with those it may import.
const STOREYS: &[(&str, &[&str])] = &[
    ("error", &[]),
    ("source", &[]),
    ("finding", &["source"]),
    ("sql", &["error"]),
    ("assets", &["error"]),
    ("template", &["sql", "assets", "error"]),
    ("catalog", &["sql"]),
    ("design", &["source", "finding", "sql", "catalog", "error"]),
    ("explain", &["source", "finding", "sql", "error"]),
    (
        "invariant",
        &["source", "finding", "sql", "catalog", "design"],
    ),
    (
        "compile",
        &[
            "source",
            "finding",
            "sql",
            "template",
            "error",
            "catalog",
            "design",
            "invariant",
        ],
    ),
    (
        "migrate",
        &[
            "source",
            "finding",
            "sql",
            "template",
            "error",
            "catalog",
            "design",
            "invariant",
            "compile",
        ],
    ),
    (
        "check",
        &[
            "source", "finding", "sql", "template", "assets", "error", "catalog", "design",
            "compile", "migrate",
        ],
    ),
    ("postgres", &["sql", "catalog", "error"]),
    (
        "verify",
        &[
            "source",
            "finding",
            "sql",
            "template",
            "error",
            "catalog",
            "design",
            "explain",
            "invariant",
            "compile",
            "migrate",
            "postgres",
        ],
    ),
    // Upstairs, but it must never learn about PostgreSQL, rules or designs.
    (
        "report",
        &["source", "finding", "template", "assets", "error"],
    ),
    (
        "cli",
        &[
            "source",
            "finding",
            "sql",
            "template",
            "assets",
            "error",
            "catalog",
            "design",
            "explain",
            "invariant",
            "compile",
            "migrate",
            "check",
            "postgres",
            "verify",
            "report",
        ],
    ),
];

/// What only some files may name.
const WALLS: &[(&str, &[&str])] = &[
    ("sqlparser::", &["src/sql/"]),
    ("squawk_syntax::", &["src/sql/"]),
    ("minijinja::", &["src/template/"]),
    ("tokio_postgres::", &["src/postgres/"]),
    ("testcontainers::", &["src/postgres/"]),
    ("serde_yaml::", &["src/check/"]),
    ("granit_parser::", &["src/source/"]),
    ("clap::", &["src/cli/", "src/main.rs"]),
    ("miette::", &["src/report/terminal"]),
    ("println!", &["src/cli/", "src/build.rs"]),
    ("print!", &["src/cli/", "src/build.rs"]),
    ("eprintln!", &["src/cli/"]),
    ("eprint!", &["src/cli/"]),
    ("async ", &["src/postgres/", "src/verify/", "src/cli/"]),
    // SQL is put together by templates and in `sql`, from parts that are SQL already.
    // Beside that: what templates wrote, trimmed; what a server printed; a number.
    (
        "SqlText::made(",
        &[
            "src/sql/",
            "src/template/",
            "src/compile/lines.rs",
            "src/compile/writer.rs",
            "src/postgres/introspect/",
        ],
    ),
    ("SqlText::authored(format!", &["src/invariant/predicate.rs"]),
    // Passed in, so that the same input gives the same output.
    ("SystemTime", &["src/postgres/", "src/verify/", "src/cli/"]),
    (
        "Instant::now",
        &["src/postgres/", "src/verify/", "src/cli/"],
    ),
    (
        "env::var",
        &["src/postgres/", "src/verify/", "src/cli/", "src/build.rs"],
    ),
    ("current_dir", &["src/postgres/", "src/verify/", "src/cli/"]),
    ("serde(flatten", &[]),
    ("serde(untagged", &[]),
    ("HashMap::new().into_iter()", &[]),
];

/// Files of more than 500 lines, each with the reason why it is one thing.
const LONG: &[(&str, &str)] = &[
    ("src/compile/catalog.rs", "open: to be cut"),
    ("src/verify/race/play.rs", "open: to be cut"),
    ("src/verify/reject/player.rs", "open: to be cut"),
    ("src/verify/seed/maker.rs", "open: to be cut"),
];

struct File {
    path: String,
    text: String,
    /// Without comments, strings and tests.
    code: String,
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn files(folder: &Path, extension: &str, found: &mut Vec<PathBuf>) {
    let mut entries: Vec<PathBuf> = fs::read_dir(folder)
        .map(|entries| entries.flatten().map(|entry| entry.path()).collect())
        .unwrap_or_default();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            files(&path, extension, found);
        } else if path.extension().is_some_and(|own| own == extension) {
            found.push(path);
        }
    }
}

fn sources() -> Vec<File> {
    let mut paths = Vec::new();
    files(&root().join("src"), "rs", &mut paths);
    let read = |path: PathBuf| {
        let text = fs::read_to_string(&path).expect("sources can be read");
        let inside = path.strip_prefix(root()).unwrap_or(&path);
        let parts: Vec<_> = inside.iter().map(|part| part.to_string_lossy()).collect();
        File {
            path: parts.join("/"),
            code: code(&text),
            text,
        }
    };
    paths.into_iter().map(read).collect()
}

/// A Rust text without comments, contents of strings, and the test module at its end.
fn code(text: &str) -> String {
    let text = text
        .split("#[cfg(test)]\nmod tests {")
        .next()
        .unwrap_or(text);
    let bytes = text.as_bytes();
    let mut code = String::new();
    let mut at = 0;
    while at < bytes.len() {
        let rest = &text[at..];
        let skip = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            rest.find("*/").map_or(rest.len(), |end| end + 2)
        } else if rest.starts_with("r\"") || rest.starts_with("r#") {
            let fence = rest[1..].chars().take_while(|c| *c == '#').count();
            let end = format!("\"{}", "#".repeat(fence));
            match rest[1 + fence..].strip_prefix('"') {
                Some(body) => body
                    .find(&end)
                    .map_or(rest.len(), |len| 2 + fence + len + end.len()),
                None => 0,
            }
        } else if rest.starts_with('"') {
            let mut escaped = false;
            let end = rest.char_indices().skip(1).find(|(_, c)| {
                let is_end = *c == '"' && !escaped;
                escaped = *c == '\\' && !escaped;
                is_end
            });
            end.map_or(rest.len(), |(end, _)| end + 1)
        } else if rest.starts_with("'\"'") {
            3
        } else if let Some(escape) = rest.strip_prefix("'\\") {
            escape.find('\'').map_or(1, |end| end + 3)
        } else {
            0
        };
        if skip > 0 {
            at += skip;
            continue;
        }
        let c = rest.chars().next().unwrap_or(' ');
        code.push(c);
        at += c.len_utf8();
    }
    code
}

fn module(path: &str) -> &str {
    let inside = path.strip_prefix("src/").unwrap_or(path);
    inside.split(['/', '.']).next().unwrap_or(inside)
}

fn none(faults: &[String]) {
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

#[test]
fn modules_import_only_what_is_below_them() {
    let storeys: BTreeMap<&str, &[&str]> = STOREYS.iter().copied().collect();
    let mut faults = Vec::new();
    for file in sources() {
        let own = module(&file.path);
        if matches!(own, "lib" | "main" | "build") || file.path.ends_with("tests.rs") {
            continue;
        }
        let Some(allowed) = storeys.get(own) else {
            faults.push(format!("{}: module `{own}` is in no storey", file.path));
            continue;
        };
        for (at, _) in file.code.match_indices("crate::") {
            let rest = &file.code[at + 7..];
            let named: &str = rest
                .split(|c: char| !c.is_alphanumeric() && c != '_')
                .next()
                .unwrap_or_default();
            if storeys.contains_key(named) && named != own && !allowed.contains(&named) {
                faults.push(format!("{}: `{own}` must not know `{named}`", file.path));
            }
        }
    }
    faults.dedup();
    none(&faults);
}

#[test]
fn the_crate_lists_its_modules_in_the_order_of_the_storeys() {
    let text = fs::read_to_string(root().join("src/lib.rs")).expect("lib.rs can be read");
    let listed: Vec<&str> = text
        .lines()
        .filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';'))
        .collect();
    let storey = |name: &str| match name {
        "error" | "source" | "finding" | "sql" | "assets" | "template" => 0,
        "catalog" | "design" | "explain" | "invariant" => 1,
        "compile" | "migrate" | "check" => 2,
        "postgres" | "verify" => 3,
        _ => 4,
    };
    assert!(listed.is_sorted_by_key(|name| storey(name)), "{listed:?}");
    assert!(text.lines().count() <= 120);
}

#[test]
fn walls_stand() {
    let mut faults = Vec::new();
    for file in sources() {
        for (word, allowed) in WALLS {
            let is_allowed = allowed.iter().any(|prefix| file.path.starts_with(prefix));
            let names = file.code.match_indices(word).any(|(at, _)| {
                let before = file.code[..at].chars().next_back();
                before.is_none_or(|c| !c.is_alphanumeric() && c != '_')
            });
            if names && !is_allowed && !file.path.ends_with("tests.rs") {
                faults.push(format!("{}: `{word}` belongs into {allowed:?}", file.path));
            }
        }
    }
    none(&faults);
}

/// A design comes with a pull request: what verifies it has a superuser's session for catalogs and files only, and none in which a name could
/// be the design's. `observe` runs statements of tests.
#[test]
fn nothing_that_verifies_designs_is_a_superuser() {
    let mut faults = Vec::new();
    for file in sources() {
        let verifies = file.path.starts_with("src/verify/") || file.path.starts_with("src/cli/");
        if verifies && !file.path.contains("/observe/") && file.code.contains(".admin()") {
            faults.push(format!("{}: use a keeper, or the steward", file.path));
        }
    }
    none(&faults);
}

#[test]
fn folders_begin_with_what_they_are_for() {
    let mut faults = Vec::new();
    for file in sources() {
        if !file.text.starts_with("//! ") && !file.path.ends_with("tests.rs") {
            faults.push(format!(
                "{}: begins without saying what it is for",
                file.path
            ));
        }
        if file.path.ends_with("/mod.rs") {
            let holds_code = file.code.lines().any(|line| {
                let line = line
                    .trim_start_matches("pub(super) ")
                    .trim_start_matches("pub ");
                [
                    "fn ", "struct ", "enum ", "impl", "static ", "const ", "trait ",
                ]
                .iter()
                .any(|word| line.starts_with(word))
            });
            if holds_code {
                faults.push(format!(
                    "{}: only what the folder is for, and re-exports",
                    file.path
                ));
            }
        }
        for name in ["utils", "helpers", "common", "misc", "imp"] {
            if file.path.ends_with(&format!("/{name}.rs"))
                || file.path.contains(&format!("/{name}/"))
            {
                faults.push(format!("{}: a name that says nothing", file.path));
            }
        }
    }
    none(&faults);
}

#[test]
fn long_files_are_one_thing() {
    let mut faults = Vec::new();
    for file in sources() {
        let lines = file
            .text
            .split("#[cfg(test)]\nmod tests {")
            .next()
            .map_or(0, |text| text.lines().count());
        let is_long = lines > 500 && !file.path.ends_with("tests.rs");
        let known = LONG.iter().any(|(path, _)| *path == file.path);
        if is_long && !known {
            faults.push(format!(
                "{}: {lines} lines; cut it, or say why it is one thing",
                file.path
            ));
        }
        if known && !is_long {
            faults.push(format!(
                "{}: is not long any more; take it from the list",
                file.path
            ));
        }
    }
    none(&faults);
}

#[test]
fn rules_are_written_like_rules() {
    let assets = Assets::builtin();
    let environment = environment(&assets);
    let pack = load(&assets, &environment).expect("the program's rules can be read");
    let mut faults = Vec::new();
    for check in pack.checks() {
        let rule = &check.rule;
        for (what, text) in [
            ("message", Some(&rule.message)),
            ("help", rule.help.as_ref()),
        ] {
            let Some(text) = text else { continue };
            let begins = text.chars().next().is_some_and(char::is_uppercase);
            if begins || text.ends_with('.') || text.contains('\n') {
                faults.push(format!(
                    "{}: {what}: one line, lower case, no final stop",
                    rule.code
                ));
            }
        }
        let kebab = rule
            .code
            .chars()
            .all(|c| c.is_ascii_lowercase() || c == '-');
        if !kebab || rule.title.ends_with('.') {
            faults.push(format!(
                "{}: code in kebab-case, title without final stop",
                rule.code
            ));
        }
    }
    for builtin in BUILTINS {
        let used = pack
            .checks()
            .iter()
            .any(|check| check.rule.builtin.as_deref() == Some(builtin.name));
        if !used {
            faults.push(format!("builtin `{}` has no rule", builtin.name));
        }
    }
    none(&faults);
}

#[test]
fn templates_say_what_they_are_given() {
    let mut paths = Vec::new();
    files(&root().join("templates"), "j2", &mut paths);
    let faults: Vec<String> = paths
        .iter()
        .filter(|path| {
            let text = fs::read_to_string(path).unwrap_or_default();
            let first = text.lines().next().unwrap_or_default();
            !(first.starts_with("{#") && first.contains("::"))
        })
        .map(|path| format!("{}: the first line names the context", path.display()))
        .collect();
    none(&faults);
}

#[test]
fn nothing_here_names_a_machine() {
    let mut paths = Vec::new();
    for (folder, extension) in [
        ("src", "rs"),
        ("tests", "rs"),
        ("checks", "yaml"),
        ("designs", "yaml"),
        ("docs", "md"),
    ] {
        files(&root().join(folder), extension, &mut paths);
    }
    let own = root().join("tests").join("house.rs");
    let mut faults = Vec::new();
    for path in paths.iter().filter(|path| **path != own) {
        let text = fs::read_to_string(path).unwrap_or_default();
        for word in ["/work/", "/root/", "/tmp/target"] {
            if text.contains(word) {
                faults.push(format!("{}: names {word}", path.display()));
            }
        }
    }
    none(&faults);
}
