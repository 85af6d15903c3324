//! From texts to migrations.

use std::collections::BTreeMap;

use super::cut::cut;
use super::forms::{MigrationFile, Migrations, Source, Statement, Unread, Wrapping};
use super::liquibase::{Changeset, changesets};
use super::marks::dbmate;
use super::mask::{blank, mask, placeholders};
use super::order::{Role, compare, place, plan};
use super::tool::{Tool, file_name, no_transaction, recognise};
use crate::sql::{Ddl, ddl};

/// The migrations in these texts, in the order in which their tool would run them. `tool` where it is known; else it is told by the files.
pub fn read(sources: &[Source], tool: Option<Tool>) -> Migrations {
    let tool = tool.unwrap_or_else(|| recognise(sources));
    let mut files: Vec<MigrationFile> = Vec::new();
    let mut backs: BTreeMap<String, MigrationFile> = BTreeMap::new();
    let mut notes = Vec::new();
    let mut filled = 0;
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
        filled += placeholders(&mut masked);
        let mut file = one(tool, source, &masked, version);
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
            .then_with(|| compare(tool, &one.version, &other.version))
            .then_with(|| one.path.cmp(&other.path))
    });
    if filled > 0 {
        notes.push(format!(
            "{filled} placeholders like ${{name}} are filled in by the tool; what they stand for is not known here"
        ));
    }
    Migrations { tool, files, notes }
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
        Tool::Dbmate => {
            let (up, down) = dbmate(masked);
            let wrapping = |wrapped| {
                if wrapped {
                    Wrapping::Transaction
                } else {
                    Wrapping::Message
                }
            };
            for (range, wrapped) in up {
                file.up.extend(cut(masked, range, wrapping(wrapped), 0));
            }
            for (range, wrapped) in down {
                file.down.extend(cut(masked, range, wrapping(wrapped), 0));
            }
        }
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
        Tool::GolangMigrate => file.up = cut(masked, whole, Wrapping::Message, 0),
        Tool::Sqitch | Tool::Plain => file.up = cut(masked, whole, Wrapping::Each, 0),
    }
    file
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
    for (unit, set) in changesets(masked).into_iter().enumerate() {
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
    let delimiter = set.delimiter.as_deref().filter(|own| !own.is_empty())?;
    let mut text = masked.to_owned();
    let mut from = set.body.start;
    while let Some(at) = text[from..set.body.end].find(delimiter).map(|at| at + from) {
        let end = at + delimiter.len();
        blank(&mut text, at..end);
        text.replace_range(at..at + 1, ";");
        from = end;
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
