//! Starting points: those of the design, and generated ones.

use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use super::arena::{Arena, Loaded};
use super::boundary::{Edge, stored_edges};
use super::judge::judge;
use super::options::RaceOptions;
use super::play::Watch;
use super::program::Who;
use crate::catalog::{Catalog, ColumnDefault};
use crate::design::Model;
use crate::error::Error;
use crate::postgres::{Session, SqlFailure};
use crate::sql::{self, Ident, fill, fixed};
use crate::verify::seed::{Maker, NewRow};

/// Starting points at the edges of constants.
const EDGES: usize = 6;

/// A starting point before it is put anywhere.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Start {
    /// `one-open-case`, `generated 3`, `empty`.
    pub name: String,
    pub rows: Vec<NewRow>,
    pub origin: Origin,
}

/// Where a starting point comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// The design gives it.
    Design,
    /// Two rows of this table that have the same parents.
    Alike(Ident),
    /// Made up otherwise.
    MadeUp,
    /// At the edge of a constant that commands or rules compare with.
    Edge,
    /// Commands lead to it.
    Grown,
}

impl Start {
    /// Whether the design gives it.
    pub(super) fn is_authored(&self) -> bool {
        self.origin == Origin::Design
    }

    /// Whether it is tried however many others there are.
    pub(super) fn is_particular(&self) -> bool {
        self.is_authored() || self.origin == Origin::Edge
    }
}

/// The states of the design, then the empty one, then the smallest ones, then generated ones over the tables that matter.
pub(super) fn starts(
    model: &Model,
    catalog: &Catalog,
    maker: &Maker,
    tables: &[Ident],
    options: &RaceOptions,
) -> Vec<Start> {
    let mut starts: Vec<Start> = model
        .states
        .iter()
        .map(|state| Start {
            name: state.name.as_str().to_owned(),
            rows: maker.state(state),
            origin: Origin::Design,
        })
        .collect();
    starts.push(Start {
        name: "empty".to_owned(),
        rows: Vec::new(),
        origin: Origin::MadeUp,
    });
    starts.extend(smallest(maker, tables));
    let mut runner = runner(options.seed);
    // Rows a table, the column choices of each: small numbers, because rows that differ in everything never meet.
    let picks = proptest::collection::vec(
        proptest::collection::vec(0u64..64, 0..=options.rows),
        tables.len(),
    );
    for number in 0..options.generated_states {
        let Ok(tree) = picks.new_tree(&mut runner) else {
            continue;
        };
        let mut rows = Vec::new();
        for (table, picked) in tables.iter().zip(tree.current()) {
            for (at, pick) in picked.iter().enumerate() {
                maker.add_varied(&mut rows, table, at as u64, *pick);
            }
        }
        maker.complete(&mut rows);
        let start = Start {
            name: format!("generated {}", number + 1),
            rows,
            origin: Origin::MadeUp,
        };
        if !start.rows.is_empty() && !starts.iter().any(|known| known.rows == start.rows) {
            starts.push(start);
        }
    }
    for start in at_edges(model, catalog, maker, tables) {
        if !starts.iter().any(|known| known.rows == start.rows) {
            starts.push(start);
        }
    }
    starts
}

/// A row without anything that hangs on it and on which it hangs, and two rows alike with the same parents: where most races
/// begin, and what chance seldom makes.
fn smallest(maker: &Maker, tables: &[Ident]) -> Vec<Start> {
    let mut starts: Vec<Start> = Vec::new();
    for table in tables {
        let mut rows = Vec::new();
        let Some(at) = maker.add(&mut rows, table, &[], 0) else {
            continue;
        };
        let parents = maker.reference_values(&rows[at]);
        let mut two = rows.clone();
        let second = maker.add(&mut two, table, &parents, 1);
        let alike = Origin::Alike(table.clone());
        let both = second.is_some().then_some(("two alike in", two, alike));
        let alone = maker.is_parent(table) || parents.is_empty();
        let alone = alone.then_some(("one row of", rows, Origin::MadeUp));
        for (what, mut rows, origin) in alone.into_iter().chain(both) {
            maker.complete(&mut rows);
            if !starts.iter().any(|known| known.rows == rows) {
                starts.push(Start {
                    name: format!("{what} {}", table.as_str()),
                    rows,
                    origin,
                });
            }
        }
    }
    starts
}

/// Rows with the constants that commands and rules compare with, and with their neighbours: a counter just below its limit.
fn at_edges(model: &Model, catalog: &Catalog, maker: &Maker, tables: &[Ident]) -> Vec<Start> {
    let mut starts = Vec::new();
    for edge in stored_edges(model, catalog) {
        let mut rows = Vec::new();
        let (table, name) = match &edge {
            Edge::Value(table, column, value) => {
                // A key says which row it is, and is compared for that.
                if maker.tells_rows_apart(table, column) {
                    continue;
                }
                let set = [(column.clone(), Some(value.clone()))];
                maker.add(&mut rows, table, &set, 0);
                (
                    table,
                    format!("{} is {value} in {}", column.as_str(), table.as_str()),
                )
            }
            Edge::Rows(table, many) => {
                let mut parents = Vec::new();
                for number in 0..*many {
                    let Some(at) = maker.add(&mut rows, table, &parents, number) else {
                        break;
                    };
                    if number == 0 {
                        parents = maker.reference_values(&rows[at]);
                    }
                }
                (table, format!("{many} alike in {}", table.as_str()))
            }
        };
        if rows.is_empty() || !tables.contains(table) {
            continue;
        }
        maker.complete(&mut rows);
        starts.push(Start {
            name,
            rows,
            origin: Origin::Edge,
        });
    }
    starts.truncate(EDGES);
    starts
}

/// proptest's generator, fed from a seed instead of the operating system.
pub(super) fn runner(seed: u64) -> TestRunner {
    let mut bytes = [0; 32];
    for (at, chunk) in bytes.chunks_mut(8).enumerate() {
        chunk.copy_from_slice(&seed.wrapping_add(at as u64).to_le_bytes());
    }
    let config = Config {
        failure_persistence: None,
        ..Config::default()
    };
    TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &bytes))
}

/// Puts a start in place and remembers it; its number, or why it is no legal state.
pub(super) async fn load(
    arena: &mut Arena<'_>,
    maker: &Maker,
    start: &Start,
) -> Result<Result<usize, String>, Error> {
    arena.forget_standing();
    arena.resetter.empty(&mut arena.control).await?;
    // Here everything has its say, and policies only do not hold anything up.
    let mut writer = arena.session(&Who::Anybody).await?;
    let written = write(&mut writer, maker, &start.rows).await;
    arena.give_back(&Who::Anybody, writer);
    if let Err(failure) = written {
        return Ok(Err(failure.message.clone()));
    }
    // What was written to get here is no history.
    let forgot = fixed("DELETE FROM pgproof_shadow.history");
    let forgot = arena.control.batch(&forgot).await;
    forgot.map_err(|e| e.into_error("empty the shadow history"))?;
    follow_sequences(arena, start).await?;
    let all = Watch {
        judges: (0..arena.judges.len()).collect(),
        ..Watch::default()
    };
    let broken = judge(&arena.control, &arena.judges, &all.judges).await?;
    // Only rows are judged here: the way to a state may be one that no command could take.
    if let Some((at, _)) = broken.first() {
        return Ok(Err(format!(
            "it breaks {}",
            arena.judges[*at].invariant.name.as_str()
        )));
    }
    let snapshot = arena.resetter.remember(&mut arena.control).await?;
    arena.states.push(Loaded { snapshot });
    Ok(Ok(arena.states.len() - 1))
}

/// Sequences go on behind the rows that were written with numbers of their own, as they would have if they had given them.
async fn follow_sequences(arena: &mut Arena<'_>, start: &Start) -> Result<(), Error> {
    let mut calls = Vec::new();
    for (name, table) in &arena.ground.catalog.tables {
        if !start.rows.iter().any(|row| row.table == name.name) {
            continue;
        }
        let counted = table.columns.iter().filter(|column| {
            matches!(
                column.default,
                Some(ColumnDefault::IdentityAlways | ColumnDefault::IdentityByDefault)
            )
        });
        for column in counted {
            let qualified = sql::quote_qualified(name);
            calls.push(fill(
                "SELECT setval(pg_get_serial_sequence({table}, {name}), max({column})) FROM {of} HAVING max({column}) > 0",
                &[
                    ("table", &sql::literal(qualified.as_str())),
                    ("name", &sql::literal(column.name.as_str())),
                    ("column", &sql::quote_ident(&column.name)),
                    ("of", &qualified),
                ],
            ));
        }
    }
    if calls.is_empty() {
        return Ok(());
    }
    let done = arena.control.batch(&sql::sequence(&calls)).await;
    done.map_err(|e| e.into_error("set sequences"))
}

/// Writes rows in one transaction.
async fn write(writer: &mut Session, maker: &Maker, rows: &[NewRow]) -> Result<(), SqlFailure> {
    let mut statements = vec![fixed("BEGIN")];
    statements.extend(maker.statements(rows));
    statements.push(fixed("COMMIT"));
    let done = writer.batch(&sql::sequence(&statements)).await;
    if done.is_err() {
        writer.batch(&fixed("ROLLBACK")).await?;
    }
    done
}
