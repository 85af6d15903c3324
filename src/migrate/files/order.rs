//! The order in which a tool runs its files.

use std::cmp::Ordering;

use super::forms::Source;
use super::tool::{Tool, file_name, flyway};

/// What a file is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// Runs forward.
    Up,
    /// Takes back.
    Down,
    /// Neither: a check, a baseline, a plan.
    Aside,
}

/// Role and version of a file.
pub(super) fn place(tool: Tool, path: &str) -> (Role, String) {
    let name = file_name(path);
    let stem = name.strip_suffix(".sql").unwrap_or(name);
    match tool {
        Tool::Flyway => match flyway(name) {
            Some(('V', version)) => (Role::Up, version),
            Some(('U', version)) => (Role::Down, version),
            Some(('R', _)) => (Role::Up, stem.to_owned()),
            _ => (Role::Aside, stem.to_owned()),
        },
        Tool::Sqitch => match folder(path) {
            "revert" => (Role::Down, sqitch_change(path, "revert")),
            "verify" => (Role::Aside, sqitch_change(path, "verify")),
            "deploy" => (Role::Up, sqitch_change(path, "deploy")),
            _ => (Role::Up, stem.to_owned()),
        },
        Tool::Sqlx | Tool::GolangMigrate | Tool::Diesel | Tool::Prisma | Tool::Plain => {
            let (role, stem) = match (stem.strip_suffix(".up"), stem.strip_suffix(".down")) {
                (Some(stem), _) => (Role::Up, stem),
                (_, Some(stem)) => (Role::Down, stem),
                _ => (Role::Up, stem),
            };
            // `2024_x/up.sql` and `2024_x/down.sql` belong together by their folder.
            match stem {
                "down" => (Role::Down, parent(path)),
                "up" | "migration" => (Role::Up, parent(path)),
                stem => (role, stem.to_owned()),
            }
        }
        Tool::Dbmate | Tool::Liquibase | Tool::Goose | Tool::SqlMigrate => {
            (Role::Up, stem.to_owned())
        }
    }
}

/// The one of Sqitch's folders that a file is in.
fn folder(path: &str) -> &str {
    let folders = path.rsplit('/').skip(1);
    let mut own = folders.filter(|name| matches!(*name, "deploy" | "revert" | "verify"));
    own.next().unwrap_or_default()
}

fn sqitch_change(path: &str, folder: &str) -> String {
    let marker = format!("{folder}/");
    let rest = path
        .rfind(&marker)
        .map_or(path, |at| &path[at + marker.len()..]);
    rest.strip_suffix(".sql").unwrap_or(rest).to_owned()
}

fn parent(path: &str) -> String {
    let mut parts = path.rsplit('/');
    let own = parts.next().unwrap_or_default();
    parts.next().unwrap_or(own).to_owned()
}

/// Changes in the order of a `sqitch.plan`. One that is reworked stands twice: the file of the first is called by the tag between the two.
pub(super) fn plan(sources: &[Source]) -> Vec<String> {
    let plan = sources
        .iter()
        .find(|source| file_name(&source.path) == "sqitch.plan");
    let mut changes: Vec<(String, Option<String>)> = Vec::new();
    for line in plan.into_iter().flat_map(|plan| plan.text.lines()) {
        let Some(word) = line.split_whitespace().next() else {
            continue;
        };
        if word.starts_with(['%', '#', '-']) {
            continue;
        }
        if let Some(tag) = word.strip_prefix('@') {
            let untold = changes.iter_mut().filter(|(_, own)| own.is_none());
            untold.for_each(|(_, own)| *own = Some(tag.to_owned()));
            continue;
        }
        let name = word.trim_start_matches('+').to_owned();
        for (known, tag) in &mut changes {
            if let (true, Some(tag)) = (*known == name, &tag) {
                *known = [name.as_str(), tag].join("@");
            }
        }
        changes.push((name, None));
    }
    changes.into_iter().map(|(name, _)| name).collect()
}

/// Which of two versions comes first: numbers as numbers, repeatable ones last. Prisma and Diesel go by the text.
pub(super) fn compare(tool: Tool, one: &str, other: &str) -> Ordering {
    if matches!(tool, Tool::Prisma | Tool::Diesel) {
        return one.cmp(other);
    }
    let is_repeated = |version: &str| tool == Tool::Flyway && version.starts_with("R__");
    is_repeated(one)
        .cmp(&is_repeated(other))
        .then_with(|| natural(one, other))
}

/// Files without marks of any tool are run folder by folder: `1.4/b.sql` before `1.10/a.sql`. Tools go by versions alone.
pub(super) fn compare_folders(tool: Tool, one: &str, other: &str) -> Ordering {
    match tool {
        Tool::Plain => natural(before_version(one), before_version(other)),
        _ => Ordering::Equal,
    }
}

/// What stands before that part of a path which says the version.
fn before_version(path: &str) -> &str {
    let folder = |path: &str| path.rfind('/').unwrap_or(0);
    let own = &path[..folder(path)];
    match file_name(path) {
        "up.sql" | "down.sql" | "migration.sql" => &own[..folder(own)],
        _ => own,
    }
}

/// Runs of digits compare as numbers, everything else as text.
fn natural(one: &str, other: &str) -> Ordering {
    let (mut left, mut right) = (one, other);
    loop {
        match (left.is_empty(), right.is_empty()) {
            (true, true) => return Ordering::Equal,
            (true, false) => return Ordering::Less,
            (false, true) => return Ordering::Greater,
            _ => {}
        }
        let (a, b) = (digits(left), digits(right));
        if a > 0 && b > 0 {
            let (x, y) = (
                left[..a].trim_start_matches('0'),
                right[..b].trim_start_matches('0'),
            );
            let by = x.len().cmp(&y.len()).then_with(|| x.cmp(y));
            if by != Ordering::Equal {
                return by;
            }
            (left, right) = (&left[a..], &right[b..]);
            continue;
        }
        let (x, y) = (left.chars().next(), right.chars().next());
        if x != y {
            return x.cmp(&y);
        }
        let width = x.map_or(1, char::len_utf8);
        (left, right) = (&left[width..], &right[width..]);
    }
}

fn digits(text: &str) -> usize {
    text.bytes().take_while(u8::is_ascii_digit).count()
}
