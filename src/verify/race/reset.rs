//! Starting points: put there once, remembered, and put back between schedules by one function on the server.

use std::collections::BTreeMap;

use super::footprint::Tables;
use crate::catalog::Catalog;
use crate::error::Error;
use crate::finding::{StoredRows, StoredSequence};
use crate::postgres::{Rows, Session};
use crate::sql::{
    self, Ident, QualifiedName, SqlText, fill, fixed, idents, join, literal, number,
    quote_qualified,
};

/// After so many resets the tables are truncated, or dead rows would make everything slower. Seldom, because new files take long: every 250
/// resets they took a seventh of all that the server did.
const TRUNCATE_EVERY: usize = 1000;

/// All rows and sequences, as they are at one moment.
#[derive(Clone, Debug, Default)]
pub(super) struct Snapshot {
    pub tables: Vec<Stored>,
    sequences: Vec<Sequence>,
}

#[derive(Clone, Debug)]
struct Sequence {
    name: QualifiedName,
    last: i64,
    called: bool,
}

/// The rows of one table.
#[derive(Clone, Debug)]
pub(super) struct Stored {
    pub name: QualifiedName,
    /// Those that can be written.
    pub columns: Vec<Ident>,
    pub rows: Vec<Vec<Option<String>>>,
}

/// Which tables and sequences there are, and how many resets there were.
#[derive(Debug)]
pub(super) struct Resetter {
    tables: Vec<(QualifiedName, Vec<Ident>)>,
    sequences: Vec<QualifiedName>,
    functions: BTreeMap<(usize, Vec<usize>), SqlText>,
    since_truncate: usize,
}

impl Resetter {
    /// Looks around.
    pub(super) async fn new(control: &mut Session, catalog: &Catalog) -> Result<Resetter, Error> {
        let writable = |table: &crate::catalog::Table| {
            let own = table.columns.iter().filter(|column| !column.is_generated());
            own.map(|column| column.name.clone()).collect()
        };
        let tables: Vec<(QualifiedName, Vec<Ident>)> = catalog
            .tables
            .iter()
            .map(|(name, table)| (name.clone(), writable(table)))
            .collect();
        let schemas = join(
            catalog
                .schemas
                .iter()
                .map(|schema| literal(schema.as_str())),
            ", ",
        );
        let asked = fill(
            "SELECT schemaname, sequencename FROM pg_catalog.pg_sequences WHERE schemaname = ANY (ARRAY[{schemas}]::text[])",
            &[("schemas", &schemas)],
        );
        let found = control
            .query(&asked)
            .await
            .map_err(|e| e.into_error("look for sequences"))?;
        let name = |row: Vec<Option<String>>| match row.as_slice() {
            [Some(schema), Some(name)] => Some(QualifiedName::new(
                schema.as_str().into(),
                name.as_str().into(),
            )),
            _ => None,
        };
        let sequences = found.rows.into_iter().filter_map(name).collect();
        // Triggers and references stay quiet in this session: what is put back was legal when it was put there first.
        let resetter = Resetter {
            tables,
            sequences,
            functions: BTreeMap::new(),
            since_truncate: 0,
        };
        let truncate = resetter.function(&fixed("empty"), &resetter.truncation());
        control
            .batch(&truncate)
            .await
            .map_err(|e| e.into_error("prepare the reset"))?;
        Ok(resetter)
    }

    fn truncation(&self) -> SqlText {
        let all = self.tables.iter().map(|(name, _)| quote_qualified(name));
        let all = join(all.chain([fixed("pgproof_shadow.history")]), ", ");
        fill("TRUNCATE {all} RESTART IDENTITY CASCADE;", &[("all", &all)])
    }

    fn function(&self, name: &SqlText, body: &SqlText) -> SqlText {
        let head = fill(
            "CREATE FUNCTION pgproof_shadow.{name}() RETURNS void LANGUAGE plpgsql AS $pgproof$\nBEGIN",
            &[("name", name)],
        );
        // Joined, not filled in: values may contain line breaks, which filling would indent.
        join([head, body.clone(), fixed("END\n$pgproof$")], "\n")
    }

    /// Empties every table.
    pub(super) async fn empty(&mut self, control: &mut Session) -> Result<(), Error> {
        self.since_truncate = 0;
        let done = control.query(&fixed("SELECT pgproof_shadow.empty()")).await;
        done.map(|_| ())
            .map_err(|e| e.into_error("empty the tables"))
    }

    /// Remembers all there is.
    pub(super) async fn remember(&self, control: &mut Session) -> Result<Snapshot, Error> {
        let reads = self.tables.iter().map(|(name, columns)| {
            fill(
                "SELECT {columns} FROM {name}",
                &[
                    ("columns", &idents(columns)),
                    ("name", &quote_qualified(name)),
                ],
            )
        });
        let counters = self.sequences.iter().map(|name| {
            fill(
                "SELECT last_value, is_called FROM {name}",
                &[("name", &quote_qualified(name))],
            )
        });
        let all: Vec<SqlText> = reads.chain(counters).collect();
        if all.is_empty() {
            return Ok(Snapshot::default());
        }
        let answers = control
            .send(&sql::sequence(&all))
            .await
            .map_err(|e| e.into_error("read a state"))?;
        let (rows, counters) = answers.split_at(self.tables.len().min(answers.len()));
        let stored = |((name, columns), rows): (&(QualifiedName, Vec<Ident>), &Rows)| Stored {
            name: name.clone(),
            columns: columns.clone(),
            rows: rows.rows.clone(),
        };
        let counted = |(name, rows): (&QualifiedName, &Rows)| {
            let row = rows.rows.first()?;
            let last = row.first()?.as_deref()?.parse().ok()?;
            Some(Sequence {
                name: name.clone(),
                last,
                called: row.get(1)?.as_deref() == Some("t"),
            })
        };
        Ok(Snapshot {
            tables: self.tables.iter().zip(rows).map(stored).collect(),
            sequences: self
                .sequences
                .iter()
                .zip(counters)
                .filter_map(counted)
                .collect(),
        })
    }

    /// A state that was written down elsewhere; why not, where it does not fit the tables there are.
    pub(super) fn recall(
        &self,
        rows: &[StoredRows],
        sequences: &[StoredSequence],
    ) -> Result<Snapshot, String> {
        let mut tables: Vec<Stored> = self
            .tables
            .iter()
            .map(|(name, columns)| Stored {
                name: name.clone(),
                columns: columns.clone(),
                rows: Vec::new(),
            })
            .collect();
        for kept in rows {
            let name = QualifiedName::new(kept.schema.as_str().into(), kept.table.as_str().into());
            let Some(stored) = tables.iter_mut().find(|stored| stored.name == name) else {
                return Err(format!("there is no table `{}` any more", kept.table));
            };
            let columns: Vec<Ident> = kept.columns.iter().map(|c| c.as_str().into()).collect();
            if let Some(gone) = columns
                .iter()
                .find(|column| !stored.columns.contains(column))
            {
                return Err(format!(
                    "`{}` has no column `{}` any more that could be written",
                    kept.table,
                    gone.as_str()
                ));
            }
            if kept.rows.iter().any(|row| row.len() != columns.len()) {
                return Err(format!(
                    "a row of `{}` has not one value a column",
                    kept.table
                ));
            }
            stored.columns = columns;
            stored.rows = kept.rows.clone();
        }
        let named = |kept: &StoredSequence| Sequence {
            name: QualifiedName::new(kept.schema.as_str().into(), kept.name.as_str().into()),
            last: kept.last,
            called: kept.called,
        };
        let known = |sequence: &Sequence| self.sequences.contains(&sequence.name);
        Ok(Snapshot {
            tables,
            sequences: sequences.iter().map(named).filter(known).collect(),
        })
    }

    /// What puts a state back where only some tables have changed since. The function is made the first time.
    pub(super) async fn put_back(
        &mut self,
        control: &mut Session,
        state: usize,
        snapshot: &Snapshot,
        changed: Option<&Tables>,
    ) -> Result<SqlText, Error> {
        self.since_truncate += 1;
        let truncated = self.since_truncate > TRUNCATE_EVERY;
        if truncated {
            self.empty(control).await?;
        }
        let changed = changed.filter(|_| !truncated);
        let which: Vec<usize> = (0..snapshot.tables.len())
            .filter(|at| {
                changed.is_none_or(|changed| changed.contains(&snapshot.tables[*at].name.name))
            })
            .collect();
        let key = (state, which);
        if let Some(call) = self.functions.get(&key) {
            return Ok(call.clone());
        }
        let name = fill("reset_{n}", &[("n", &number(self.functions.len() as i64))]);
        let function = self.function(&name, &body(snapshot, &key.1));
        control
            .batch(&function)
            .await
            .map_err(|e| e.into_error("prepare the reset"))?;
        let call = fill("SELECT pgproof_shadow.{name}()", &[("name", &name)]);
        self.functions.insert(key, call.clone());
        Ok(call)
    }
}

impl Snapshot {
    /// Its rows, table by table, without empty ones.
    pub(super) fn stored_rows(&self) -> Vec<StoredRows> {
        let full = self.tables.iter().filter(|stored| !stored.rows.is_empty());
        full.map(|stored| StoredRows {
            schema: stored.name.schema.as_str().to_owned(),
            table: stored.name.name.as_str().to_owned(),
            columns: stored
                .columns
                .iter()
                .map(|c| c.as_str().to_owned())
                .collect(),
            rows: stored.rows.clone(),
        })
        .collect()
    }

    /// Where its sequences stand.
    pub(super) fn stored_sequences(&self) -> Vec<StoredSequence> {
        let stored = |sequence: &Sequence| StoredSequence {
            schema: sequence.name.schema.as_str().to_owned(),
            name: sequence.name.name.as_str().to_owned(),
            last: sequence.last,
            called: sequence.called,
        };
        self.sequences.iter().map(stored).collect()
    }
}

fn body(snapshot: &Snapshot, which: &[usize]) -> SqlText {
    let mut parts = vec![fixed("DELETE FROM pgproof_shadow.history;")];
    for stored in which.iter().filter_map(|at| snapshot.tables.get(*at)) {
        parts.push(fill(
            "DELETE FROM {table};",
            &[("table", &quote_qualified(&stored.name))],
        ));
        if !stored.rows.is_empty() {
            let insert = sql::insert(&stored.name, &stored.columns, &stored.rows);
            parts.push(join([insert, fixed("")], ";"));
        }
    }
    for sequence in &snapshot.sequences {
        let name = literal(quote_qualified(&sequence.name).as_str());
        let called = fixed(if sequence.called { "true" } else { "false" });
        let parts_of = [
            ("name", &name),
            ("last", &number(sequence.last)),
            ("called", &called),
        ];
        parts.push(fill("PERFORM setval({name}, {last}, {called});", &parts_of));
    }
    join(parts, "\n")
}
