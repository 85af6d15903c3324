//! Writes the rows of a case, parents included.

use std::collections::BTreeMap;

use crate::catalog::Catalog;
use crate::design::{Model, Rule};
use crate::error::Error;
use crate::invariant::{RowNumber, Value, Write};
use crate::postgres::{Rows, Session, SqlFailure};
use crate::sql::{
    self, Expression, Ident, QualifiedName, SqlText, fill, fixed, join, literal, parse_expression,
    quote_ident, quote_qualified,
};
use crate::verify::seed::{Maker, NewRow};

/// A row that was written.
#[derive(Clone, Debug)]
struct Made {
    table: QualifiedName,
    values: BTreeMap<Ident, Option<String>>,
}

/// What is there so far.
#[derive(Clone, Debug, Default)]
pub(super) struct Rowset {
    rows: Vec<NewRow>,
    made: BTreeMap<RowNumber, Made>,
}

/// How a write is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Manner {
    /// A legal transaction of its own: what must come with the row comes too.
    Alone,
    /// A legal transaction of its own, to which nothing is added.
    Bare,
    /// Part of a legal transaction; what must come with its rows comes at the end ([`Player::finish`]).
    Legal,
    /// Part of an illegal transaction: nothing comes with it, and it does not walk through the states that lead to it. Its parents
    /// come with what they need, if asked.
    Illegal {
        /// Whether they do.
        parents_whole: bool,
    },
}

/// Why a write did not happen.
#[derive(Clone, Debug)]
pub(super) enum Stop {
    /// The server refused the write itself.
    Refused(SqlFailure),
    /// The write could not be made: a parent was refused, or a value not found.
    Unable(String),
}

impl Stop {
    /// In words.
    pub(super) fn reason(self) -> String {
        match self {
            Stop::Refused(failure) => failure.to_string(),
            Stop::Unable(reason) => reason,
        }
    }
}

/// Writes the rows of one trial, inside a transaction that somebody else takes back.
pub(super) struct Player<'a> {
    pub session: &'a mut Session,
    pub model: &'a Model,
    pub catalog: &'a Catalog,
    pub maker: &'a Maker,
    pub set: Rowset,
    /// Statements, as sent.
    pub log: Vec<String>,
    /// Parents in this table are not made up: that they are not there is what is tried.
    pub without: Option<Ident>,
    /// Constraints whose refusal is wanted.
    pub wanted: Vec<Ident>,
}

type Played<T> = Result<Result<T, Stop>, Error>;

impl Player<'_> {
    /// Sends a statement of the trial.
    async fn send(&mut self, statement: &SqlText) -> Result<Result<Rows, SqlFailure>, Error> {
        match self.session.query(statement).await {
            Ok(rows) => Ok(Ok(rows)),
            Err(failure) if failure.sqlstate.class() == "08" => {
                Err(failure.into_error("try a write"))
            }
            Err(failure) => Ok(Err(failure)),
        }
    }

    /// Sends the statement that the trial is about.
    async fn write(&mut self, statement: &SqlText) -> Played<Rows> {
        self.log.push(statement.as_str().to_owned());
        Ok(self.send(statement).await?.map_err(Stop::Refused))
    }

    /// One write.
    pub(super) async fn play(&mut self, write: &Write, manner: Manner) -> Played<()> {
        match write {
            Write::Insert { row, table, set } => self.insert(*row, table, set, manner).await,
            Write::Update { row, set } => self.update(*row, set).await,
            Write::Delete { row } => {
                let Some(made) = self.set.made.get(row).cloned() else {
                    return Ok(Err(Stop::Unable(format!("there is no row {row}"))));
                };
                self.confine(&made.table.name, &made.values).await?;
                let statement = sql::delete(&made.table, &self.key(&made));
                Ok(self.write(&statement).await?.map(drop))
            }
            Write::Truncate { table } => {
                let name = quote_qualified(&self.model.qualified(table));
                let statement = fill("TRUNCATE {table} CASCADE", &[("table", &name)]);
                Ok(self.write(&statement).await?.map(drop))
            }
        }
    }

    /// The row as it is now: `None` where it is gone.
    pub(super) async fn look(
        &mut self,
        row: RowNumber,
    ) -> Played<Option<BTreeMap<Ident, Option<String>>>> {
        let Some(made) = self.set.made.get(&row).cloned() else {
            return Ok(Err(Stop::Unable(format!("there is no row {row}"))));
        };
        let parts = [
            ("table", &quote_qualified(&made.table)),
            ("key", &matching(&self.key(&made))),
        ];
        let found = self
            .send(&fill("SELECT * FROM {table} WHERE {key}", &parts))
            .await?;
        Ok(found.map_err(Stop::Refused).map(|rows| values(&rows)))
    }

    /// Whether the row is seen; a failure shows nothing.
    pub(super) async fn guarded_look(&mut self, row: RowNumber) -> Result<bool, Error> {
        self.send(&fixed("SAVEPOINT look")).await?.ok();
        let seen = self.look(row).await?;
        if seen.is_err() {
            self.send(&fixed("ROLLBACK TO SAVEPOINT look")).await?.ok();
        }
        Ok(matches!(seen, Ok(Some(_))))
    }

    /// What a row has in a column, and its table.
    pub(super) fn value(&self, row: RowNumber, column: &Ident) -> Option<(Ident, String)> {
        let made = self.set.made.get(&row)?;
        Some((made.table.name.clone(), made.values.get(column)?.clone()?))
    }

    async fn insert(
        &mut self,
        row: RowNumber,
        table: &Ident,
        set: &[(Ident, Value)],
        manner: Manner,
    ) -> Played<()> {
        let illegal = matches!(manner, Manner::Illegal { .. });
        let (filled, set): (Vec<_>, Vec<_>) = set
            .iter()
            .cloned()
            .partition(|(_, value)| *value == Value::Filled);
        let filled: Vec<Expression> = filled
            .into_iter()
            .map(|(column, _)| not_null(column))
            .collect();
        let overrides = match self.resolve(table, &set).await? {
            Ok(overrides) => overrides,
            Err(stop) => return Ok(Err(stop)),
        };
        let from = self.set.rows.len();
        let Some(at) =
            self.maker
                .add_where(&mut self.set.rows, table, &overrides, &filled, row as u64)
        else {
            return Ok(Err(Stop::Unable(format!(
                "no row of {} could be made up",
                table.as_str()
            ))));
        };
        let mut new = self.set.rows.remove(at);
        if illegal {
            // An illegal row does not walk through the states that lead to it.
            for (column, value) in new.then.drain(..).flatten().collect::<Vec<_>>() {
                new.values.retain(|(known, _)| *known != column);
                new.values.push((column, value));
            }
        }
        let lost = set
            .iter()
            .filter(|(_, value)| *value == Value::Dangling)
            .map(|(column, _)| column);
        let lost: Vec<Option<String>> = lost
            .filter_map(|column| new.value(column).cloned())
            .collect();
        let mut place = 0;
        self.set.rows.retain(|row| {
            place += 1;
            // A parent that was made up although it must not be there.
            let unwanted = (illegal && self.without.as_ref() == Some(&row.table))
                || row
                    .values
                    .iter()
                    .any(|(_, value)| value.is_some() && lost.contains(value));
            place <= from || !unwanted
        });
        if manner
            == (Manner::Illegal {
                parents_whole: true,
            })
        {
            self.maker.complete(&mut self.set.rows);
        }
        let parents = self.set.rows[from.min(self.set.rows.len())..].to_vec();
        if let Err(stop) = self.prepare(&parents).await? {
            return Ok(Err(stop));
        }
        if let Err(stop) = self.own(row, table, &new).await? {
            return Ok(Err(stop));
        }
        self.set.rows.push(new);
        if manner == Manner::Alone {
            return self.finish().await;
        }
        Ok(Ok(()))
    }

    /// What must come with the rows so far.
    pub(super) async fn finish(&mut self) -> Played<()> {
        let from = self.set.rows.len();
        self.maker.complete(&mut self.set.rows);
        let companions = self.set.rows[from.min(self.set.rows.len())..].to_vec();
        self.prepare(&companions).await
    }

    /// Rows that are not what the trial is about.
    async fn prepare(&mut self, rows: &[NewRow]) -> Played<()> {
        for row in rows {
            self.confine(&row.table, &row.values.iter().cloned().collect())
                .await?;
            for statement in self.maker.statements(std::slice::from_ref(row)) {
                if let Err(failure) = self.send(&statement).await? {
                    let reason = format!("a row of {} was refused: {failure}", row.table.as_str());
                    return Ok(Err(Stop::Unable(reason)));
                }
            }
        }
        Ok(Ok(()))
    }

    /// The row that the trial is about; what the server filled in is remembered.
    async fn own(&mut self, number: RowNumber, table: &Ident, row: &NewRow) -> Played<()> {
        let mut known: BTreeMap<Ident, Option<String>> = row.values.iter().cloned().collect();
        self.confine(table, &known).await?;
        for statement in self.maker.statements(std::slice::from_ref(row)) {
            self.log.push(statement.as_str().to_owned());
            let statement = join([statement, fixed("RETURNING *")], "\n");
            match self.send(&statement).await? {
                Ok(rows) => known.extend(values(&rows).unwrap_or_default()),
                Err(failure) => return Ok(Err(Stop::Refused(failure))),
            }
        }
        let table = self.model.qualified(table);
        self.set.made.insert(
            number,
            Made {
                table,
                values: known,
            },
        );
        Ok(Ok(()))
    }

    async fn update(&mut self, row: RowNumber, set: &[(Ident, Value)]) -> Played<()> {
        let Some(made) = self.set.made.get(&row).cloned() else {
            return Ok(Err(Stop::Unable(format!("there is no row {row}"))));
        };
        self.confine(&made.table.name, &made.values).await?;
        self.send(&fixed("SAVEPOINT update")).await?.ok();
        let first = self.change(row, &made, set, &[]).await?;
        let Err(Stop::Refused(failure)) = &first else {
            return Ok(first);
        };
        if !self.check_in_the_way(&made, failure) {
            return Ok(first);
        }
        self.send(&fixed("ROLLBACK TO SAVEPOINT update"))
            .await?
            .ok();
        let tied = self.tied(&made, set).await?;
        if tied.is_empty() {
            return Ok(first);
        }
        self.log.pop();
        self.change(row, &made, set, &tied).await
    }

    /// Whether a check of the table refused that is not what is tried: it ties further columns to the changed one.
    fn check_in_the_way(&self, made: &Made, failure: &SqlFailure) -> bool {
        let table = self.catalog.tables.get(&made.table);
        let checks = table.map(|table| &table.checks);
        failure.constraint.as_ref().is_some_and(|name| {
            let name = Ident::new(name.as_str());
            checks.is_some_and(|checks| checks.contains_key(&name)) && !self.wanted.contains(&name)
        })
    }

    /// What columns that checks tie to the changed ones must become with them.
    async fn tied(
        &mut self,
        made: &Made,
        set: &[(Ident, Value)],
    ) -> Result<Vec<(Ident, Option<String>)>, Error> {
        let Some(table) = self.catalog.tables.get(&made.table) else {
            return Ok(Vec::new());
        };
        let mut tied: Vec<Ident> = Vec::new();
        for check in table
            .checks
            .values()
            .filter_map(|check| parse_expression(check.expression.as_str()))
        {
            let columns = check.columns();
            if set.iter().any(|(column, _)| columns.contains(column)) {
                tied.extend(columns);
            }
        }
        tied.retain(|column| !set.iter().any(|(other, _)| other == column));
        let mut overrides: Vec<(Ident, Option<String>)> = Vec::new();
        for (column, value) in set {
            let one = [(column.clone(), value.clone())];
            overrides.extend(
                self.resolve(&made.table.name, &one)
                    .await?
                    .unwrap_or_default(),
            );
        }
        let kept = made
            .values
            .iter()
            .filter(|(column, _)| !tied.contains(column));
        let kept = kept.filter(|(column, _)| !set.iter().any(|(other, _)| other == *column));
        overrides.extend(kept.map(|(column, value)| (column.clone(), value.clone())));
        let mut rows = self.set.rows.clone();
        let at = self.maker.add(&mut rows, &made.table.name, &overrides, 0);
        let Some(new) = at.and_then(|at| rows.get(at)) else {
            return Ok(Vec::new());
        };
        Ok(tied
            .into_iter()
            .filter_map(|column| Some((column.clone(), new.value(&column)?.clone())))
            .collect())
    }

    async fn change(
        &mut self,
        row: RowNumber,
        made: &Made,
        set: &[(Ident, Value)],
        tied: &[(Ident, Option<String>)],
    ) -> Played<()> {
        let quoted = |text: Option<&str>| text.map_or_else(|| fixed("NULL"), literal);
        let assign = |column: &Ident, value: &SqlText| {
            fill(
                "{column} = {value}",
                &[("column", &quote_ident(column)), ("value", value)],
            )
        };
        let mut parts: Vec<SqlText> = tied
            .iter()
            .map(|(column, text)| assign(column, &quoted(text.as_deref())))
            .collect();
        for (column, value) in set {
            // An expression may speak of the row as it is.
            let value = match value {
                Value::Sql(expression) => fill("({e}\n)", &[("e", expression)]),
                other => match self
                    .resolve(&made.table.name, &[(column.clone(), other.clone())])
                    .await?
                {
                    Ok(resolved) => quoted(resolved.first().and_then(|(_, text)| text.as_deref())),
                    Err(stop) => return Ok(Err(stop)),
                },
            };
            parts.push(assign(column, &value));
        }
        let parts = [
            ("table", &quote_qualified(&made.table)),
            ("set", &join(parts, ", ")),
            ("key", &matching(&self.key(made))),
        ];
        let statement = fill("UPDATE {table} SET {set} WHERE {key}", &parts);
        self.log.push(statement.as_str().to_owned());
        match self
            .send(&join([statement, fixed("RETURNING *")], "\n"))
            .await?
        {
            Ok(rows) => {
                if let (Some(changed), Some(made)) = (values(&rows), self.set.made.get_mut(&row)) {
                    made.values.extend(changed);
                }
                Ok(Ok(()))
            }
            Err(failure) => Ok(Err(Stop::Refused(failure))),
        }
    }

    async fn resolve(
        &mut self,
        table: &Ident,
        set: &[(Ident, Value)],
    ) -> Played<Vec<(Ident, Option<String>)>> {
        let mut resolved = Vec::with_capacity(set.len());
        for (column, value) in set {
            let known = |row: &RowNumber, of: &Ident| {
                self.set
                    .made
                    .get(row)
                    .and_then(|made| made.values.get(of))
                    .cloned()
                    .flatten()
            };
            let found = match value {
                Value::Null => Some(None),
                Value::Same(row, of) => Some(known(row, of)),
                Value::Different(row, of) => self
                    .maker
                    .different(table, column, known(row, of).as_deref())
                    .map(Some),
                Value::Dangling => self.maker.dangling(table, column).map(Some),
                Value::Filled => self.maker.different(table, column, None).map(Some),
                Value::Other(others) => {
                    let mut taken = Vec::new();
                    for other in others {
                        taken.extend(self.evaluate(other).await?.flatten());
                    }
                    self.maker.unlike(table, column, &taken).map(Some)
                }
                Value::Sql(expression) => self.evaluate(expression).await?,
            };
            match found {
                Some(value) => resolved.push((column.clone(), value)),
                None => {
                    let reason = format!(
                        "no value was found for {} of {}",
                        column.as_str(),
                        table.as_str()
                    );
                    return Ok(Err(Stop::Unable(reason)));
                }
            }
        }
        Ok(Ok(resolved))
    }

    async fn evaluate(&mut self, expression: &SqlText) -> Result<Option<Option<String>>, Error> {
        let statement = fill(
            "SELECT CAST(({expression}\n) AS text)",
            &[("expression", expression)],
        );
        self.send(&fixed("SAVEPOINT value")).await?.ok();
        match self.send(&statement).await? {
            Ok(rows) => Ok(Some(rows.scalar().map(str::to_owned))),
            Err(_) => {
                self.send(&fixed("ROLLBACK TO SAVEPOINT value")).await?.ok();
                Ok(None)
            }
        }
    }

    /// A design's own functions may look as the tenant in the setting, which an application sets: the tenant of the row.
    async fn confine(
        &mut self,
        table: &Ident,
        values: &BTreeMap<Ident, Option<String>>,
    ) -> Result<(), Error> {
        let model = self.model;
        for invariant in &model.invariants {
            let Rule::Isolated {
                tables,
                by,
                setting,
                ..
            } = &invariant.rule
            else {
                continue;
            };
            let tenant = values.get(&by.ident).and_then(Option::as_ref);
            let Some(tenant) = tenant.filter(|_| tables.iter().any(|name| name.ident == *table))
            else {
                continue;
            };
            let parts = [
                ("setting", &literal(setting.as_str())),
                ("tenant", &literal(tenant)),
            ];
            let statement = fill("SELECT set_config({setting}, {tenant}, true)", &parts);
            self.send(&statement).await?.ok();
        }
        Ok(())
    }

    fn key(&self, made: &Made) -> Vec<(Ident, Option<String>)> {
        let key = self
            .catalog
            .tables
            .get(&made.table)
            .and_then(|table| table.primary_key.as_ref());
        let columns = key
            .map(|(_, key)| key.columns.as_slice())
            .unwrap_or_default();
        let all = made
            .values
            .iter()
            .map(|(name, value)| (name.clone(), value.clone()));
        let own: Vec<_> = all
            .clone()
            .filter(|(name, _)| columns.contains(name))
            .collect();
        if own.is_empty() { all.collect() } else { own }
    }
}

fn not_null(column: Ident) -> Expression {
    Expression::Not(Box::new(Expression::IsNull(Box::new(Expression::Column(
        column,
    )))))
}

fn values(rows: &Rows) -> Option<BTreeMap<Ident, Option<String>>> {
    let row = rows.rows.first()?;
    let names = rows.columns.iter().map(|name| Ident::new(name.as_str()));
    Some(names.zip(row.iter().cloned()).collect())
}

fn matching(key: &[(Ident, Option<String>)]) -> SqlText {
    let parts = key.iter().map(|(name, value)| {
        let name = quote_ident(name);
        match value {
            Some(value) => fill(
                "{name} = {value}",
                &[("name", &name), ("value", &literal(value))],
            ),
            None => fill("{name} IS NULL", &[("name", &name)]),
        }
    });
    join(parts, " AND ")
}
