//! Relations and what belongs to them, before and after.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use crate::error::Error;
use crate::migrate::{Effects, LockMode, Loss};
use crate::postgres::{Session, SqlFailure};
use crate::sql::{Ident, QualifiedName, fixed};

const RELATIONS: &str = "
SELECT json_build_object('oid', c.oid::bigint, 'schema', n.nspname, 'name', c.relname, 'kind', c.relkind,
  'file', coalesce(pg_relation_filenode(c.oid), 0)::bigint, 'size', coalesce(pg_relation_size(c.oid), 0),
  'table', i.indrelid::bigint, 'valid', coalesce(i.indisvalid, true),
  'columns', (SELECT json_agg(a.attname) FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped))
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace LEFT JOIN pg_index i ON i.indexrelid = c.oid
WHERE n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname NOT LIKE 'pg_t%' AND c.relkind IN ('r', 'p', 'v', 'm', 'i', 'I')";

const DEPENDENTS: &str = "
SELECT json_build_object('kind', kind, 'name', name, 'table', tab) FROM (
  SELECT 'constraint' AS kind, conname::text AS name, conrelid::bigint AS tab FROM pg_constraint WHERE conrelid <> 0 AND contype <> 'n'
  UNION ALL SELECT 'trigger', tgname, tgrelid::bigint FROM pg_trigger WHERE NOT tgisinternal
  UNION ALL SELECT 'policy', polname, polrelid::bigint FROM pg_policy
) d";

/// Numbers of the session's own transaction: earlier ones may still be among them, so differences count.
const COUNTS: &str = "
SELECT json_build_object('oid', relid::bigint, 'scans', seq_scan, 'writes', n_tup_ins + n_tup_upd + n_tup_del)
FROM pg_stat_xact_user_tables";

#[derive(Clone, Debug, Deserialize)]
struct Relation {
    oid: i64,
    schema: String,
    name: String,
    kind: String,
    file: i64,
    size: i64,
    table: Option<i64>,
    valid: bool,
    columns: Option<Vec<String>>,
}

#[derive(Debug, Deserialize, PartialEq, Eq, PartialOrd, Ord)]
struct Dependent {
    kind: String,
    name: String,
    table: i64,
}

#[derive(Debug, Deserialize)]
struct Count {
    oid: i64,
    scans: i64,
    writes: i64,
}

/// How often each table was read from end to end, and how many of its rows were written.
pub(super) type Counts = BTreeMap<i64, (i64, i64)>;

/// The relations of a database at one moment.
#[derive(Debug)]
pub(super) struct Snapshot {
    relations: BTreeMap<i64, Relation>,
    dependents: BTreeSet<Dependent>,
}

/// What a relation is to those who lock it.
pub(super) enum Kind {
    /// It has rows of its own or of others: tables, views.
    Rows,
    /// An index.
    Index,
}

/// Rows of JSON.
pub(super) async fn read<T: for<'de> Deserialize<'de>>(
    session: &mut Session,
    query: &'static str,
) -> Result<Vec<T>, Error> {
    let answer = session.query(&fixed(query)).await;
    let rows = answer.map_err(|failure| failure.into_error("looking at the schema"))?;
    let texts = rows
        .rows
        .into_iter()
        .filter_map(|mut row| row.pop().flatten());
    texts
        .map(|text| serde_json::from_str(&text).map_err(|error| Error::Internal(error.to_string())))
        .collect()
}

impl Snapshot {
    pub(super) async fn take(session: &mut Session) -> Result<Snapshot, Error> {
        let relations: Vec<Relation> = read(session, RELATIONS).await?;
        let dependents: Vec<Dependent> = read(session, DEPENDENTS).await?;
        Ok(Snapshot {
            relations: relations.into_iter().map(|own| (own.oid, own)).collect(),
            dependents: dependents.into_iter().collect(),
        })
    }

    pub(super) async fn counts(session: &mut Session) -> Result<Counts, Error> {
        let counts: Vec<Count> = read(session, COUNTS).await?;
        let pairs = counts
            .into_iter()
            .map(|own| (own.oid, (own.scans, own.writes)));
        Ok(pairs.collect())
    }

    /// The name and kind of a relation that is there.
    pub(super) fn relation(&self, oid: i64) -> Option<(QualifiedName, Kind)> {
        let own = self.relations.get(&oid)?;
        let kind = match own.table {
            Some(_) => Kind::Index,
            None => Kind::Rows,
        };
        Some((qualified(own), kind))
    }

    /// Leaves out locks on indexes that nobody can reach anyway, and looks at tables that were emptied.
    pub(super) fn tidy(&self, after: &Snapshot, effects: &mut Effects) {
        let Effects {
            locks, index_locks, ..
        } = effects;
        for own in self.relations.values() {
            let table = own.table.and_then(|table| self.relations.get(&table));
            let is_shut = table.is_some_and(|table| {
                locks.get(&qualified(table)) == Some(&LockMode::AccessExclusive)
            });
            if is_shut || !after.relations.contains_key(&own.oid) {
                index_locks.remove(&qualified(own));
            }
        }
        effects
            .scans
            .retain(|name| !effects.loses_data.contains(&Loss::Rows(name.clone())));
    }

    /// Tables that can be locked.
    pub(super) fn tables(&self) -> Vec<QualifiedName> {
        let own = self.relations.values();
        own.filter(|own| matches!(own.kind.as_str(), "r" | "p"))
            .map(qualified)
            .collect()
    }

    /// What has changed since.
    pub(super) fn compare(&self, after: &Snapshot, effects: &mut Effects) {
        let files: BTreeSet<i64> = self.relations.values().map(|own| own.file).collect();
        for own in self.relations.values() {
            let name = qualified(own);
            let Some(now) = after.relations.get(&own.oid) else {
                self.gone(own, after, effects);
                continue;
            };
            let columns = own.columns.iter().flatten();
            for column in columns.filter(|_| own.table.is_none()) {
                if !now.columns.iter().flatten().any(|other| other == column)
                    && now.columns.as_ref().map_or(0, Vec::len)
                        < own.columns.as_ref().map_or(0, Vec::len)
                {
                    let column = Ident::new(column.clone());
                    effects.loses_data.push(Loss::Column(name.clone(), column));
                }
            }
            if now.file != own.file && own.table.is_none() {
                match now.size == 0 && own.size > 0 {
                    true => effects.loses_data.push(Loss::Rows(name)),
                    false => {
                        effects.rewrites.insert(name);
                    }
                }
            }
        }
        for now in after.relations.values() {
            let Some(table) = now.table.and_then(|table| self.relations.get(&table)) else {
                continue;
            };
            let is_empty = effects.loses_data.contains(&Loss::Rows(qualified(table)));
            if now.file != 0 && !files.contains(&now.file) && !is_empty {
                effects.builds_index.insert(qualified(table));
            }
            if !now.valid
                && self.relations.get(&now.oid).is_none_or(|own| own.valid)
                && now.kind == "i"
            {
                effects.leaves_behind = Some(["index ", &now.name, " is not valid"].concat());
            }
        }
        for own in self.dependents.difference(&after.dependents) {
            if after.relations.contains_key(&own.table) {
                effects.drops.insert([&own.kind, " ", &own.name].concat());
            }
        }
    }

    fn gone(&self, own: &Relation, after: &Snapshot, effects: &mut Effects) {
        match (own.kind.as_str(), own.table) {
            ("r" | "p", _) => effects.loses_data.push(Loss::Table(qualified(own))),
            ("v" | "m", _) => {
                effects.drops.insert(["view ", &own.name].concat());
            }
            (_, Some(table)) if after.relations.contains_key(&table) => {
                effects.drops.insert(["index ", &own.name].concat());
            }
            _ => {}
        }
    }

    /// What was read and written, by the difference of two counts.
    pub(super) fn count(&self, before: &Counts, after: &Counts, effects: &mut Effects) {
        for (oid, (scans, writes)) in after {
            let (old_scans, old_writes) = before.get(oid).copied().unwrap_or_default();
            let Some((name, _)) = self.relation(*oid) else {
                continue;
            };
            if *scans > old_scans {
                effects.scans.insert(name.clone());
            }
            if *writes > old_writes {
                effects.writes.insert(name, false);
            }
        }
    }
}

fn qualified(own: &Relation) -> QualifiedName {
    QualifiedName::new(Ident::new(own.schema.clone()), Ident::new(own.name.clone()))
}

/// Says that a statement was refused.
pub(super) fn refused(effects: &mut Effects, failure: &SqlFailure) {
    effects.refused = Some(failure.message.clone());
}
