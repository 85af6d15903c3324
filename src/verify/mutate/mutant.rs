//! One mutant, and who notices it.

use crate::catalog::{Catalog, ObjectPath};
use crate::design::Invariant;
use crate::error::Error;
use crate::invariant::Mechanism;
use crate::postgres::Database;
use crate::verify::race::{Ground, Mutable, Racer};
use crate::verify::reject::{Bench, Claimed, Outcome, Trial};
use crate::verify::remove::{dependants, statements, without};
use crate::verify::stage::Stage;

/// What became of a mutant.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Fate {
    /// Somebody noticed.
    Killed,
    /// Nobody did.
    Survived,
    /// There is nothing that tries what it enforces.
    Untried(String),
}

/// A trial that came out as claimed in the whole schema.
#[derive(Clone, Copy)]
pub(super) struct Sound<'a> {
    pub claimed: &'a Claimed,
    pub trial: &'a Trial,
    /// What had to be taken out first.
    pub behind: &'a [ObjectPath],
}

/// Whether the rejected writes notice that these objects are gone.
pub(super) async fn by_writes(
    bench: &mut Bench<'_>,
    sound: &[Sound<'_>],
    objects: &[ObjectPath],
    invariant: Option<&str>,
) -> Result<Fate, Error> {
    let catalog = bench.catalog;
    let mut touched: Vec<ObjectPath> = objects.to_vec();
    touched.extend(
        objects
            .iter()
            .flat_map(|object| dependants(catalog, object)),
    );
    let of_invariant =
        |sound: &Sound<'_>| invariant.is_some() && sound.claimed.invariant.as_deref() == invariant;
    let concerned: Vec<&Sound<'_>> = sound
        .iter()
        .filter(|sound| {
            of_invariant(sound)
                || sound
                    .trial
                    .objects
                    .iter()
                    .any(|object| touched.contains(object))
        })
        .collect();
    if concerned.is_empty() {
        return Ok(Fate::Untried(
            "no write that tries it came out as claimed".to_owned(),
        ));
    }
    for sound in concerned {
        let further = sound
            .behind
            .iter()
            .filter(|object| !objects.contains(object));
        let all: Vec<ObjectPath> = objects.iter().chain(further).cloned().collect();
        let mutation = statements(catalog, &all);
        match bench.try_out(sound.trial, &mutation).await? {
            Outcome::Wrong(..) | Outcome::Otherwise(..) => return Ok(Fate::Killed),
            Outcome::AsClaimed | Outcome::Unable(_) => {}
        }
    }
    Ok(Fate::Survived)
}

/// A copy of the database from which these objects were taken out, and its schema.
pub(super) async fn without_objects(
    stage: &Stage<'_>,
    objects: &[ObjectPath],
) -> Result<(Database, Catalog), Error> {
    let copy = stage.copy().await?;
    let mut session = stage.session(&copy).await?;
    for statement in statements(&stage.compiled.catalog, objects) {
        let taken = session.batch(&statement).await;
        taken.map_err(|failure| failure.into_error("take an enforcement out"))?;
    }
    drop(session);
    let catalog = without(&stage.compiled.catalog, objects);
    Ok((copy, catalog))
}

/// Whether the races notice, in a copy of the database.
pub(super) async fn by_races(
    stage: &Stage<'_>,
    mechanism: &Mechanism,
    invariant: &Invariant,
    whole: &Mutable,
) -> Result<Fate, Error> {
    let (copy, catalog) = without_objects(stage, &mechanism.objects).await?;
    let ground = Ground {
        model: stage.model,
        catalog: &catalog,
        server: stage.server,
        template: &copy,
    };
    let mut racer = Racer::open_mutant(ground, invariant, whole).await?;
    let result = racer.race(invariant).await;
    racer.close().await?;
    copy.drop().await?;
    let result = result?;
    Ok(match (&result.counterexample, result.reason) {
        (Some(_), _) => Fate::Killed,
        (None, Some(reason)) if result.verdict == crate::finding::Verdict::Unchecked => {
            Fate::Untried(reason)
        }
        (None, _) => Fate::Survived,
    })
}
