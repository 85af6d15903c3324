//! From texts to migrations.

use std::collections::BTreeMap;
use std::ops::Range;

use super::cut::cut;
use super::forms::{MigrationFile, Migrations, Source, Statement, Unread, Wrapping};
use super::liquibase::{Changeset, changesets};
use super::marks::{DBMATE, GOOSE, Marks, SQL_MIGRATE, comment, lines, parts};
use super::mask::{blank, mask};
use super::order::{Role, compare, compare_folders, place, plan};
use super::placeholders::placeholders;
use super::tool::{Tool, file_name, no_transaction, recognise};
use crate::sql::{Ddl, ddl};

/// The migrations in these texts, in the order in which their tool would run them. `tool` where it is known; else it is told by the files.
pub fn read(sources: &[Source], tool: Option<Tool>) -> Migrations {
    let tool = tool.unwrap_or_else(|| recognise(sources));
    let mut files: Vec<MigrationFile> = Vec::new();
    let mut backs: BTreeMap<String, MigrationFile> = BTreeMap::new();
    let mut notes = Vec::new();
    let mut filled = BTreeMap::new();
    for source in sources {
        if !source.path.ends_with(".sql") {
            continue;
        }
        let (role, version) = place(tool, &source.path);
        if role == Role::Aside {
            notes.push(format!(
                "{}: no migration of {}; not looked at",
                source.path,
                tool.name()
            ));
            continue;
        }
        let mut unread = Vec::new();
        let mut masked = mask(&source.text, &mut unread);
        filled.extend(placeholders(&mut masked, tool));
        ignored(tool, &mut masked);
        let mut file = one(tool, source, &masked, version);
        if tool == Tool::Flyway && is_told_outside(sources, &source.path) {
            file.up.iter_mut().for_each(|own| own.transactional = false);
        }
        if tool == Tool::Diesel && is_without_transaction(sources, &source.path) {
            let several = file.up.len() > 1;
            file.up
                .iter_mut()
                .for_each(|own| own.transactional = several);
        }
        if tool == Tool::Liquibase {
            for set in changesets(&masked).iter().filter(|set| !set.is_ours) {
                notes.push(format!(
                    "{}: changeset {} is for another database; not looked at",
                    source.path, set.name
                ));
            }
        }
        file.unread = unread;
        match role {
            Role::Down => {
                backs.insert(file.version.clone(), file);
            }
            _ => files.push(file),
        }
    }
    for file in &mut files {
        if let Some(back) = backs.remove(&file.version) {
            file.down = back.up;
            file.down_path = back.path;
        }
    }
    for back in backs.into_values() {
        notes.push(format!(
            "{}: takes back a migration that is not there",
            back.path
        ));
    }
    let planned = plan(sources);
    let at = |version: &str| {
        planned
            .iter()
            .position(|own| own == version)
            .unwrap_or(planned.len())
    };
    files.sort_by(|one, other| {
        let by_plan = at(&one.version).cmp(&at(&other.version));
        by_plan
            .then_with(|| compare_folders(tool, &one.path, &other.path))
            .then_with(|| compare(tool, &one.version, &other.version))
            .then_with(|| one.path.cmp(&other.path))
    });
    notes.extend(twice(tool, &files));
    if let Some(first) = filled.values().next() {
        notes.push(match filled.len() {
            1 => format!("{first} is filled in by the tool; what it stands for is not known here"),
            many => format!("{many} placeholders such as {first} are filled in by the tool; what they stand for is not known here"),
        });
    }
    Migrations {
        tool,
        files,
        notes,
        placeholders: filled,
    }
}

/// Files of one version, which a tool refuses, or of which it runs one.
fn twice(tool: Tool, files: &[MigrationFile]) -> Vec<String> {
    if !tool.numbers() {
        return Vec::new();
    }
    let version = |file: &MigrationFile| -> Option<String> {
        let end = match tool {
            Tool::Flyway if file.version.starts_with('R') => return None,
            Tool::Flyway => file.version.len(),
            _ => file.version.find(|c: char| !c.is_ascii_digit())?,
        };
        let parts = file.version[..end].split('.');
        let parts: Vec<&str> = parts.map(|part| part.trim_start_matches('0')).collect();
        (end > 0).then(|| parts.join("."))
    };
    let same = files.windows(2).filter(|pair| {
        let (one, other) = (version(&pair[0]), version(&pair[1]));
        one.is_some() && one == other
    });
    same.map(|pair| {
        format!(
            "{} and {} have the same version; {} does not run both",
            pair[0].path,
            pair[1].path,
            tool.name()
        )
    })
    .collect()
}

fn one(tool: Tool, source: &Source, masked: &str, version: String) -> MigrationFile {
    let mut file = MigrationFile {
        path: source.path.clone(),
        tool,
        version,
        up: Vec::new(),
        down: Vec::new(),
        down_path: source.path.clone(),
        unread: Vec::<Unread>::new(),
    };
    let whole = 0..masked.len();
    match tool {
        Tool::Liquibase => of_changesets(&mut file, masked),
        Tool::Dbmate => marked(&mut file, masked, &DBMATE, Wrapping::Message),
        Tool::Goose => marked(&mut file, masked, &GOOSE, Wrapping::Each),
        Tool::SqlMigrate => marked(&mut file, masked, &SQL_MIGRATE, Wrapping::Each),
        Tool::Flyway => {
            file.up = cut(masked, whole, Wrapping::Transaction, 0);
            // Flyway leaves the transaction away where a statement cannot run in one, if that is true of all of them.
            let outside = |own: &Statement| ddl(&own.sql).is_ok_and(|form| is_outside(&form));
            if !file.up.is_empty() && file.up.iter().all(outside) {
                file.up.iter_mut().for_each(|own| own.transactional = false);
            }
        }
        Tool::Sqlx => {
            let wrapping = match no_transaction(&source.text) {
                true => Wrapping::Message,
                false => Wrapping::Transaction,
            };
            file.up = cut(masked, whole, wrapping, 0);
        }
        Tool::GolangMigrate | Tool::Prisma => {
            file.up = cut(masked, whole, Wrapping::Message, 0);
        }
        Tool::Diesel => file.up = cut(masked, whole, Wrapping::Transaction, 0),
        Tool::Sqitch | Tool::Plain => file.up = cut(masked, whole, Wrapping::Each, 0),
    }
    file
}

/// Both ways in one file; `outside` is how a part runs that is told to have no transaction.
fn marked(file: &mut MigrationFile, masked: &str, marks: &Marks, outside: Wrapping) {
    let (up, down) = parts(masked, marks);
    let cut = |(range, wrapped): (Range<usize>, bool)| {
        let wrapping = if wrapped {
            Wrapping::Transaction
        } else {
            outside
        };
        cut(masked, range, wrapping, 0)
    };
    file.up = up.into_iter().flat_map(cut).collect();
    file.down = down.into_iter().flat_map(cut).collect();
}

/// `executeInTransaction=false` in the settings beside a file of Flyway's.
fn is_told_outside(sources: &[Source], path: &str) -> bool {
    let settings = sources
        .iter()
        .find(|own| own.path.strip_suffix(".conf") == Some(path));
    settings.is_some_and(|own| {
        own.text.lines().any(|line| {
            line.split_once('=').is_some_and(|(key, value)| {
                key.trim().eq_ignore_ascii_case("executeInTransaction")
                    && value.trim().eq_ignore_ascii_case("false")
            })
        })
    })
}

/// `run_in_transaction = false` in the `metadata.toml` beside a file of Diesel's.
fn is_without_transaction(sources: &[Source], path: &str) -> bool {
    let folder = path.strip_suffix(file_name(path)).unwrap_or_default();
    let beside = |own: &&Source| own.path.strip_prefix(folder) == Some("metadata.toml");
    sources.iter().find(beside).is_some_and(|own| {
        own.text.lines().any(|line| {
            line.split_once('=').is_some_and(|(key, value)| {
                key.trim() == "run_in_transaction" && value.trim().starts_with("false")
            })
        })
    })
}

/// Lines that Liquibase is told to pass over.
fn ignored(tool: Tool, masked: &mut String) {
    if tool != Tool::Liquibase || !masked.contains("gnoreLines") {
        return;
    }
    let mut blanks = Vec::new();
    let mut until: Option<usize> = None;
    for (at, (range, line)) in lines(masked).enumerate() {
        let told = comment(line).and_then(|words| words.strip_prefix("ignoreLines:"));
        match (told.map(str::trim), until) {
            (Some("start"), _) => until = Some(usize::MAX),
            (Some("end"), _) => until = None,
            (Some(count), _) => until = count.parse::<usize>().ok().map(|count| at + count),
            (None, Some(last)) if at <= last => blanks.push(range),
            _ => {}
        }
    }
    for range in blanks {
        blank(masked, range);
    }
}

/// Whether a statement is one that Flyway knows to run outside of a transaction.
fn is_outside(form: &Ddl) -> bool {
    match form {
        Ddl::CreateIndex(index) => index.concurrently,
        Ddl::DropIndex { concurrently, .. } | Ddl::Reindex { concurrently, .. } => *concurrently,
        Ddl::Vacuum { .. } | Ddl::CreateDatabase | Ddl::AlterSystem => true,
        Ddl::AlterTable { actions, .. } => actions.iter().any(|action| {
            matches!(
                action,
                crate::sql::TableAction::DetachPartition {
                    concurrently: true,
                    ..
                }
            )
        }),
        Ddl::Set(_) => true,
        _ => false,
    }
}

fn of_changesets(file: &mut MigrationFile, masked: &str) {
    let ours = changesets(masked).into_iter().filter(|set| set.is_ours);
    for (unit, set) in ours.enumerate() {
        let wrapping = match set.in_transaction {
            true => Wrapping::Transaction,
            false => Wrapping::Each,
        };
        let mut found = match delimited(masked, &set) {
            Some(text) => cut(&text, set.body.clone(), wrapping, unit),
            None => cut(masked, set.body.clone(), wrapping, unit),
        };
        if !set.splits {
            found = whole(found);
        }
        file.up.extend(found);
        for range in set.rollback {
            file.down.extend(cut(masked, range, wrapping, unit));
        }
    }
    if file.version.is_empty() {
        file.version = file_name(&file.path).to_owned();
    }
}

/// With another delimiter a changeset is cut there; a semicolon in its place is the same to everybody else.
fn delimited(masked: &str, set: &Changeset) -> Option<String> {
    let delimiter = set
        .delimiter
        .as_deref()
        .map(str::trim)
        .filter(|own| !own.is_empty())?;
    // A word, or a slash, is one only where it has a line to itself.
    let has_line = delimiter == "/" || delimiter.chars().all(|c| c.is_ascii_alphanumeric());
    let mut text = masked.to_owned();
    let mut places = Vec::new();
    for (range, line) in lines(&masked[set.body.clone()]) {
        let start = set.body.start + range.start;
        if has_line {
            if line.trim().eq_ignore_ascii_case(delimiter) {
                let at = start + line.len() - line.trim_start().len();
                places.push(at..at + delimiter.len());
            }
            continue;
        }
        let found = line.match_indices(delimiter);
        places.extend(found.map(|(at, own)| start + at..start + at + own.len()));
    }
    for place in places {
        blank(&mut text, place.clone());
        text.replace_range(place.start..place.start + 1, ";");
    }
    Some(text)
}

/// Statements that are sent as one message are in one transaction, also where the tool opens none.
fn whole(mut found: Vec<Statement>) -> Vec<Statement> {
    let several = found.len() > 1;
    for own in &mut found {
        own.transactional |= several;
    }
    found
}
