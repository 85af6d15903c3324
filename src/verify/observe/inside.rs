//! In a transaction that is rolled back.

use super::locks::sample;
use super::seen::Observed;
use super::snapshot::{Snapshot, refused};
use crate::error::Error;
use crate::migrate::Effects;
use crate::postgres::{Database, Session};
use crate::sql::{SqlText, fixed};

pub(super) async fn observe(database: &Database, statement: &SqlText) -> Result<Observed, Error> {
    let mut session = database.admin().await?;
    let before = Snapshot::take(&mut session).await?;
    plain(&mut session, "BEGIN").await?;
    let counts = Snapshot::counts(&mut session).await?;
    let mut effects = Effects::default();
    let ran = session.query(statement).await;
    let failure = match ran {
        Ok(_) => {
            let pid = session.pid();
            sample(&mut session, pid, &before, &mut effects).await?;
            let after = Snapshot::counts(&mut session).await?;
            before.count(&counts, &after, &mut effects);
            let after = Snapshot::take(&mut session).await?;
            before.compare(&after, &mut effects);
            before.tidy(&after, &mut effects);
            None
        }
        Err(failure) => {
            refused(&mut effects, &failure);
            Some(failure)
        }
    };
    plain(&mut session, "ROLLBACK").await?;
    Ok(Observed { effects, failure })
}

pub(super) async fn plain(session: &mut Session, text: &'static str) -> Result<(), Error> {
    let ran = session.batch(&fixed(text)).await;
    ran.map_err(|failure| failure.into_error(text))
}
