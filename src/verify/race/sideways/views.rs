//! Views over the tables: an ordinary one reads as somebody, a materialized one holds what somebody read.

use super::attack::{Around, Walls};
use crate::catalog::Privilege;
use crate::design::Name;
use crate::error::Error;
use crate::sql::{self, column_of, facts, fill, fixed, literal, quote_qualified};
use crate::verify::race::footprint::Tables;
use crate::verify::race::isolated::{Tenants, ask, say_who};
use crate::verify::race::racer::Racer;

/// Views over the tables that the role may read and that say whose their rows are.
pub(super) async fn attack(
    racer: &mut Racer<'_>,
    walls: &Walls<'_>,
    tenants: &Tenants,
    around: &mut Around,
) -> Result<(), Error> {
    let catalog = racer.arena.ground.catalog;
    for (name, view) in &catalog.views {
        let granted = view.grants.get(&walls.role.ident);
        let readable = granted.is_some_and(|granted| granted.contains(&Privilege::Select));
        let touches = |table: &Name| {
            let facts = facts(view.query.as_str());
            facts.is_none_or(|facts| facts.touched().contains(table.as_str()))
        };
        if around.breach.is_some() || !readable || !touches(walls.table) {
            continue;
        }
        around.tried += 1;
        let shown = quote_qualified(name);
        let mut filled = Vec::new();
        if view.materialized {
            racer
                .arena
                .reset(tenants.state, Tables::everything())
                .await?;
            // It is filled by its owner, who sees what the session may see in which it is filled.
            let refresh = [
                fixed("BEGIN"),
                say_who(walls.setting, &tenants.foreign),
                fill("REFRESH MATERIALIZED VIEW {name}", &[("name", &shown)]),
                fixed("COMMIT"),
            ];
            filled.extend(refresh.iter().map(|sql| sql.as_str().to_owned()));
            let refreshed = racer.arena.control.batch(&sql::sequence(&refresh)).await;
            refreshed.map_err(|e| e.into_error("refresh a view"))?;
        }
        let sql = fill(
            "SELECT * FROM {view} AS t WHERE {at} <> {own}",
            &[
                ("view", &shown),
                ("at", &column_of("t", &walls.by.ident)),
                ("own", &literal(&tenants.own)),
            ],
        );
        let said = Some(say_who(walls.setting, &tenants.own));
        let answer = ask(&mut racer.arena, tenants.state, &walls.who(), said, &sql).await?;
        if let Ok(rows) = answer
            && rows.affected > 0
        {
            let what = format!("reads another tenant's rows through {}", name.name.as_str());
            let found = format!("the session reads {} rows of others", rows.affected);
            if !filled.is_empty() {
                filled.insert(0, "-- the view was filled before by".to_owned());
            }
            filled.push(sql.as_str().to_owned());
            around.breach = Some(walls.breach(&tenants.own, what, filled, found));
        }
    }
    Ok(())
}
