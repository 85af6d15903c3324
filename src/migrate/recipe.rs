//! How each change is made. One recipe for one kind of change, one file for what belongs together.

use super::change::Change;
use super::draft::Draft;
use super::recipes;
use crate::error::Error;

/// How one kind of change is made without stopping writers, or with what stop where PostgreSQL offers no other way.
pub struct Recipe {
    /// Its name.
    pub name: &'static str,
    /// What it does, for people.
    pub doc: &'static str,
    pub(super) handles: fn(&Change) -> bool,
    pub(super) steps: fn(&Change, &mut Draft<'_>) -> Result<(), Error>,
}

/// All of them. The first that handles a change makes it.
pub static RECIPES: &[&Recipe] = &[
    &recipes::surroundings::ROLE,
    &recipes::surroundings::EXTENSION,
    &recipes::surroundings::SCHEMA,
    &recipes::user_type::TYPE,
    &recipes::user_type::LABELS,
    &recipes::user_type::SWAPPED,
    &recipes::user_type::DOMAIN,
    &recipes::table::CREATED,
    &recipes::table::DROPPED,
    &recipes::table::RENAMED,
    &recipes::table::SETTINGS,
    &recipes::shadow::SHADOW,
    &recipes::partition::PARTITIONS,
    &recipes::column::CREATED,
    &recipes::column::DROPPED,
    &recipes::default::DEFAULT,
    &recipes::column::NULLABLE,
    &recipes::column::WIDER,
    &recipes::column::COMMENT,
    &recipes::not_null::NOT_NULL,
    &recipes::replace::REPLACED,
    &recipes::index::INDEX,
    &recipes::statistics::STATISTICS,
    &recipes::key::UNIQUE,
    &recipes::primary::PRIMARY,
    &recipes::check::CHECK,
    &recipes::reference::REFERENCE,
    &recipes::exclusion::EXCLUSION,
    &recipes::rule::FUNCTION,
    &recipes::rule::TRIGGER,
    &recipes::policy::POLICY,
    &recipes::policy::ROW_SECURITY,
    &recipes::view::VIEW,
    &recipes::grant::GRANT,
];

/// The recipe for a change.
pub(super) fn recipe(change: &Change) -> Option<&'static Recipe> {
    RECIPES
        .iter()
        .find(|recipe| (recipe.handles)(change))
        .copied()
}
