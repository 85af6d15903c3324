//! The order of steps within a phase, and of statements within a switch.

/// The order within a phase.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Rank {
    Progress,
    Surroundings,
    Types,
    RenamedTables,
    EarlyFunctions,
    Tables,
    Partitions,
    Functions,
    Loosened,
    Columns,
    Sync,
    Aside,
    Backfills,
    Again,
    Indexes,
    Keys,
    Checks,
    References,
    Exclusions,
    NotNull,
    Parity,
    Triggers,
    Counts,
    Judges,
    Views,
    Grants,
    GoneViews,
    GoneReferences,
    GoneRules,
    GoneIndexes,
    /// What is computed from other columns goes before them.
    GoneComputed,
    GoneColumns,
    GoneTables,
    GoneFunctions,
    GoneTypes,
    Last,
}

/// Where in a table's switch a statement stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Slot {
    DropViews,
    DropRules,
    DropReferences,
    DropKeys,
    Columns,
    Keys,
    References,
    Settings,
    Rules,
    Views,
}
