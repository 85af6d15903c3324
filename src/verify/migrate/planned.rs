//! Plans of queries before and after a migration.

use crate::design::Model;
use crate::error::Error;
use crate::finding::{Finding, Severity};
use crate::template::Environment;
use crate::verify::evidence::Judged;
use crate::verify::plan::{Compared, in_both};
use crate::verify::run::Run;

/// The queries that both designs have; nothing where the server is somebody else's, whose statistics are left alone.
pub(super) struct Planned(Option<Vec<Compared>>);

impl Planned {
    pub(super) async fn of(
        run: &Run<'_>,
        both: (&Model, &Model),
        environment: &Environment,
    ) -> Result<Planned, Error> {
        if !run.server.is_ours() {
            return Ok(Planned(None));
        }
        let compared = in_both(run.server, both, environment, run.seed).await?;
        Ok(Planned(Some(compared)))
    }

    fn dearer(&self) -> impl Iterator<Item = &Compared> {
        self.0.iter().flatten().filter(|query| query.is_dearer())
    }

    /// One for each query that has become dearer.
    pub(super) fn findings(&self, new: &Model) -> Vec<Finding> {
        let found = self.dearer().filter_map(|compared| {
            let mut all = new.queries.iter();
            let query = all.find(|query| query.name.as_str() == compared.query)?;
            let finding = Finding::new(
                "plan-regressed",
                Severity::Warning,
                format!("query {}", compared.query),
                format!("at the declared volume it {}", compared.words()),
                query.name.at,
            );
            let help =
                "keep the index that served it, or waive this with the reason why it may be dearer";
            Some(finding.of(new.name.as_str()).help(help))
        });
        found.collect()
    }

    /// Adds to what is said of the migration.
    pub(super) fn told(&self, judged: Judged) -> Judged {
        let dearer = self.dearer().count();
        let said = match &self.0 {
            None => "plans of queries are compared only on a server of pgproof's own".to_owned(),
            Some(all) if all.is_empty() => "no query is in both designs".to_owned(),
            Some(all) => format!(
                "{} queries planned before and after, {dearer} dearer",
                all.len()
            ),
        };
        let bounds = judged.bounds.iter().cloned().chain([said]);
        Judged {
            bounds: Some(bounds.collect::<Vec<_>>().join("; ")),
            ..judged
        }
        .figure("plans_dearer", dearer)
    }
}
