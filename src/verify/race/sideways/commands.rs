//! Commands of the design, for one tenant with what another one has.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::attack::{Around, Walls, belongings};
use crate::error::Error;
use crate::sql::Ident;
use crate::verify::race::argument::arguments;
use crate::verify::race::explore::explore;
use crate::verify::race::footprint::Tables;
use crate::verify::race::isolated::Tenants;
use crate::verify::race::play::{Trial, Watch};
use crate::verify::race::program::Program;
use crate::verify::race::racer::Racer;

/// Commands, for one tenant, with what another one has.
pub(super) async fn attack(
    racer: &mut Racer<'_>,
    walls: &Walls<'_>,
    tenants: &Tenants,
    around: &mut Around,
) -> Result<(), Error> {
    let ground = racer.arena.ground;
    let snapshot = racer.arena.states[tenants.state].snapshot.clone();
    let theirs: BTreeSet<String> = tenants
        .theirs
        .values
        .iter()
        .filter_map(|(_, value)| value.clone())
        .collect();
    for command in &ground.model.commands {
        let Some(script) = racer.scripts.get(command.name.as_str()).cloned() else {
            continue;
        };
        if around.breach.is_some() {
            return Ok(());
        }
        let seed = racer.options.seed;
        let choices = arguments(command, &racer.maker, ground.catalog, &snapshot, seed);
        let mut sets = choices.sets;
        // What a parameter is called says what it is, where no statement does: it is handed on to a function.
        if let Some(first) = sets.first().cloned() {
            let named = first.into_iter().map(|(name, value)| {
                let theirs = tenants.theirs.value(&name).cloned().flatten();
                (name, theirs.or(value))
            });
            sets.push(named.collect());
        }
        let mut script = (*script).clone();
        // One that reaches the tables only by a function may be anybody's.
        script.who = walls.who();
        // Whatever it asks for: the session says the truth about whose it is.
        let tenant = match &script.setting {
            Some((_, param)) => param.clone(),
            None => Ident::from("session of"),
        };
        let setting = Ident::new(walls.setting.as_str());
        script.setting = Some((setting, tenant.clone()));
        let script = Arc::new(script);
        for mut args in sets {
            args.insert(tenant.clone(), Some(tenants.own.clone()));
            if !args.values().flatten().any(|value| theirs.contains(value)) {
                continue;
            }
            around.tried += 1;
            racer
                .arena
                .reset(tenants.state, Tables::everything())
                .await?;
            let before = belongings(racer, walls, tenants).await?;
            let program = Program {
                script: script.clone(),
                args: args.clone(),
            };
            let trial = Trial {
                state: tenants.state,
                programs: vec![program],
            };
            explore(&mut racer.arena, &trial, &Watch::default(), None, 1).await?;
            if belongings(racer, walls, tenants).await? != before {
                let name = command.name.as_str();
                let given = args.iter().filter(|(name, _)| **name != tenant);
                let given: Vec<String> = given
                    .map(|(name, value)| {
                        format!("{}={}", name.as_str(), value.as_deref().unwrap_or("null"))
                    })
                    .collect();
                let mut sql = vec![format!("-- {name} with {}", given.join(", "))];
                sql.extend(script.texts());
                let what = format!("changes another tenant's rows by {name}");
                let found = "another tenant's rows are not what they were".to_owned();
                around.breach = Some(walls.breach(&tenants.own, what, sql, found));
                break;
            }
        }
    }
    Ok(())
}
