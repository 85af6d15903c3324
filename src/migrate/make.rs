//! From two catalogs to a plan.

use super::audit::annotate;
use super::backfill;
use super::diff::diff;
use super::draft::Draft;
use super::dual_write;
use super::plan::Plan;
use super::policy::Policy;
use super::recipe::recipe;
use super::recipes::grant;
use super::renames::Renames;
use crate::catalog::Catalog;
use crate::error::Error;
use crate::template::Environment;

/// The plan that makes one schema into another. A change that cannot be made is refused by name.
pub fn plan(
    from: &Catalog,
    to: &Catalog,
    renames: &Renames,
    policy: &Policy,
    environment: &Environment,
) -> Result<Plan, Error> {
    if let (Some(was), Some(now)) = (from.schemas.first(), to.schemas.first())
        && was != now
    {
        return Err(Error::Usage(format!(
            "the old design is in schema {} and the new one in {}: give both the same `database.schema`, so that tables are compared with themselves",
            was.as_str(),
            now.as_str()
        )));
    }
    renames.check(from, to)?;
    let diff = diff(from, to, renames, policy);
    let mut draft = Draft::new(&diff, to, policy, environment);
    for change in &diff.changes {
        match recipe(change) {
            Some(recipe) => (recipe.steps)(change, &mut draft)?,
            None => {
                return Err(Error::Usage(format!(
                    "no way is known to make this change: {} {:?}",
                    change.object, change.what
                )));
            }
        }
    }
    converted(&mut draft)?;
    grant::usage(&mut draft);
    // Where nothing changes, what the design says of an earlier migration is done.
    if !diff.changes.is_empty() {
        dual_write::declared(&mut draft);
    }
    backfill::progress(&mut draft);
    let mut plan = draft.finish()?;
    annotate(&mut plan, from, to, policy);
    Ok(plan)
}

/// What `migration.convert` says of a column is done, or told: values must not become others than were meant.
fn converted(draft: &mut Draft<'_>) -> Result<(), Error> {
    for (table, column) in draft.policy.converts.keys() {
        let subject = format!("{}.{}", table.name.as_str(), column.as_str());
        let now = draft.to.tables.get(table);
        if now.is_none_or(|now| now.column(column).is_none()) {
            return Err(Error::Usage(format!(
                "migration.convert names {subject}, which the new design does not have: name the column as the new design does"
            )));
        }
        if draft.diff.is_shadowed(table) {
            return Err(Error::Usage(format!(
                "migration.convert says what {subject} becomes, and {} is built anew, which casts its values: change the column in a migration of its own, before this one",
                table.name.as_str()
            )));
        }
        let is_replaced = draft.diff.replaced_in(table).any(|own| own.new == *column);
        if !is_replaced && !draft.diff.changes.is_empty() {
            draft.notes.push(format!(
                "migration.convert names {subject}, whose type and name stay, or whose values do; it is left out"
            ));
        }
    }
    Ok(())
}
