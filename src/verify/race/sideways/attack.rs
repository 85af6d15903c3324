//! Every way in turn, as the confined role.

use super::{commands, functions, keys, views};
use crate::design::Name;
use crate::error::Error;
use crate::finding::Counterexample;
use crate::postgres::Rows;
use crate::source::Text;
use crate::sql::{column_of, fill, join, literal, quote_qualified};
use crate::verify::race::isolated::{Tenants, say_who};
use crate::verify::race::program::Who;
use crate::verify::race::racer::Racer;

/// What keeps tenants apart.
pub(in crate::verify::race) struct Walls<'a> {
    pub tables: &'a [Name],
    /// The one that is attacked.
    pub table: &'a Name,
    pub by: &'a Name,
    pub setting: &'a Text,
    pub role: &'a Name,
}

/// A way that was found.
pub(in crate::verify::race) struct Breach {
    /// What a tenant does.
    pub what: String,
    pub counterexample: Counterexample,
}

/// What came of trying.
#[derive(Default)]
pub(in crate::verify::race) struct Around {
    pub tried: usize,
    pub breach: Option<Breach>,
}

/// Tries every way as the confined role.
pub(in crate::verify::race) async fn attack(
    racer: &mut Racer<'_>,
    walls: &Walls<'_>,
    tenants: &Tenants,
) -> Result<Around, Error> {
    let mut around = Around::default();
    keys::attack(racer, walls, tenants, &mut around).await?;
    views::attack(racer, walls, tenants, &mut around).await?;
    functions::attack(racer, walls, tenants, &mut around).await?;
    commands::attack(racer, walls, tenants, &mut around).await?;
    Ok(around)
}

impl Walls<'_> {
    pub(super) fn who(&self) -> Who {
        Who::Role(self.role.ident.clone())
    }

    pub(super) fn breach(
        &self,
        own: &str,
        what: String,
        tried: Vec<String>,
        found: String,
    ) -> Breach {
        let mut sql = vec![format!("-- as role {}", self.role.as_str())];
        sql.push(say_who(self.setting, own).as_str().to_owned());
        sql.extend(tried);
        Breach {
            what,
            counterexample: Counterexample::Statements {
                sql,
                expected:
                    "nothing tells whether another tenant's row is there, and none is reached"
                        .to_owned(),
                found,
            },
        }
    }
}

/// Everything that the other tenant has, as one text.
pub(super) async fn belongings(
    racer: &mut Racer<'_>,
    walls: &Walls<'_>,
    tenants: &Tenants,
) -> Result<Rows, Error> {
    let model = racer.arena.ground.model;
    let of = |table: &Name| {
        fill(
            "SELECT string_agg(t::text, ' ' ORDER BY t::text) FROM {table} AS t WHERE {at} = {foreign}",
            &[
                ("table", &quote_qualified(&model.qualified(&table.ident))),
                ("at", &column_of("t", &walls.by.ident)),
                ("foreign", &literal(&tenants.foreign)),
            ],
        )
    };
    let has = |table: &&Name| racer.maker.has_column(&table.ident, &walls.by.ident);
    let asked = join(walls.tables.iter().filter(has).map(of), " UNION ALL ");
    let rows = racer.arena.control.query(&asked).await;
    rows.map_err(|e| e.into_error("look at another tenant's rows"))
}
