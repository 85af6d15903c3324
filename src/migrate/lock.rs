//! PostgreSQL's table locks, and who waits for whom.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A lock on a relation, from the lightest to the heaviest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum LockMode {
    /// SELECT.
    #[serde(rename = "ACCESS SHARE")]
    AccessShare,
    /// SELECT … FOR UPDATE; the referenced side of VALIDATE.
    #[serde(rename = "ROW SHARE")]
    RowShare,
    /// INSERT, UPDATE, DELETE.
    #[serde(rename = "ROW EXCLUSIVE")]
    RowExclusive,
    /// VACUUM, VALIDATE, everything CONCURRENTLY.
    #[serde(rename = "SHARE UPDATE EXCLUSIVE")]
    ShareUpdateExclusive,
    /// CREATE INDEX.
    #[serde(rename = "SHARE")]
    Share,
    /// Foreign keys, triggers.
    #[serde(rename = "SHARE ROW EXCLUSIVE")]
    ShareRowExclusive,
    /// REFRESH MATERIALIZED VIEW CONCURRENTLY.
    #[serde(rename = "EXCLUSIVE")]
    Exclusive,
    /// Most of ALTER TABLE, DROP, TRUNCATE.
    #[serde(rename = "ACCESS EXCLUSIVE")]
    AccessExclusive,
}

use LockMode::*;

impl LockMode {
    /// All, from the lightest to the heaviest.
    pub const ALL: [LockMode; 8] = [
        AccessShare,
        RowShare,
        RowExclusive,
        ShareUpdateExclusive,
        Share,
        ShareRowExclusive,
        Exclusive,
        AccessExclusive,
    ];

    /// As LOCK TABLE and PostgreSQL's documentation spell it.
    pub fn sql(self) -> &'static str {
        match self {
            AccessShare => "ACCESS SHARE",
            RowShare => "ROW SHARE",
            RowExclusive => "ROW EXCLUSIVE",
            ShareUpdateExclusive => "SHARE UPDATE EXCLUSIVE",
            Share => "SHARE",
            ShareRowExclusive => "SHARE ROW EXCLUSIVE",
            Exclusive => "EXCLUSIVE",
            AccessExclusive => "ACCESS EXCLUSIVE",
        }
    }

    /// As `pg_locks.mode` spells it.
    pub fn of_pg_locks(mode: &str) -> Option<LockMode> {
        let bare = mode.strip_suffix("Lock")?;
        let is = |lock: &LockMode| {
            let mut words = bare.chars();
            let sql = lock.sql().chars().filter(|c| *c != ' ');
            let same = sql.eq(words.by_ref().map(|c| c.to_ascii_uppercase()));
            same && words.next().is_none()
        };
        LockMode::ALL.into_iter().find(is)
    }

    /// As [`sql`](LockMode::sql) spells it, in any case.
    pub fn of_sql(words: &str) -> Option<LockMode> {
        let is = |lock: &LockMode| lock.sql().eq_ignore_ascii_case(words.trim());
        LockMode::ALL.into_iter().find(is)
    }

    /// Whether one session waits for the other.
    pub fn conflicts_with(self, other: LockMode) -> bool {
        let with: &[LockMode] = match self {
            AccessShare => &[AccessExclusive],
            RowShare => &[Exclusive, AccessExclusive],
            RowExclusive => &[Share, ShareRowExclusive, Exclusive, AccessExclusive],
            ShareUpdateExclusive => &[
                ShareUpdateExclusive,
                Share,
                ShareRowExclusive,
                Exclusive,
                AccessExclusive,
            ],
            Share => &[
                RowExclusive,
                ShareUpdateExclusive,
                ShareRowExclusive,
                Exclusive,
                AccessExclusive,
            ],
            ShareRowExclusive => &[
                RowExclusive,
                ShareUpdateExclusive,
                Share,
                ShareRowExclusive,
                Exclusive,
                AccessExclusive,
            ],
            Exclusive => &[
                RowShare,
                RowExclusive,
                ShareUpdateExclusive,
                Share,
                ShareRowExclusive,
                Exclusive,
                AccessExclusive,
            ],
            AccessExclusive => &LockMode::ALL,
        };
        with.contains(&other)
    }

    /// Whether SELECT waits.
    pub fn blocks_reads(self) -> bool {
        self.conflicts_with(AccessShare)
    }

    /// Whether INSERT, UPDATE and DELETE wait.
    pub fn blocks_writes(self) -> bool {
        self.conflicts_with(RowExclusive)
    }

    /// Who waits, in plain words.
    pub fn plainly(self) -> &'static str {
        match self {
            AccessShare => "only waits for, and holds up, ACCESS EXCLUSIVE: nobody notices",
            RowShare | RowExclusive => "nobody waits who reads or writes rows; DDL waits",
            ShareUpdateExclusive => {
                "nobody waits who reads or writes rows; vacuum and other DDL wait"
            }
            Share | ShareRowExclusive => "everybody waits who writes; reading goes on",
            Exclusive => "everybody waits who writes or locks rows; plain reading goes on",
            AccessExclusive => "everybody waits, who reads as well as who writes",
        }
    }
}

impl fmt::Display for LockMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.sql())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conflicts_are_mutual() {
        for one in LockMode::ALL {
            for other in LockMode::ALL {
                assert_eq!(
                    one.conflicts_with(other),
                    other.conflicts_with(one),
                    "{one}, {other}"
                );
            }
        }
        let readers = LockMode::ALL.iter().filter(|lock| lock.blocks_reads());
        assert_eq!(readers.count(), 1);
        let writers = LockMode::ALL.iter().filter(|lock| lock.blocks_writes());
        assert_eq!(writers.count(), 4);
    }

    #[test]
    fn names_read_back() {
        for lock in LockMode::ALL {
            assert_eq!(LockMode::of_sql(lock.sql()), Some(lock));
            let words = lock.sql().split(' ').map(|word| {
                let (first, rest) = word.split_at(1);
                format!("{first}{}", rest.to_lowercase())
            });
            let catalog = format!("{}Lock", words.collect::<String>());
            assert_eq!(LockMode::of_pg_locks(&catalog), Some(lock), "{catalog}");
            let json = serde_json::to_string(&lock).unwrap_or_default();
            assert_eq!(json, format!("\"{}\"", lock.sql()));
        }
        assert_eq!(LockMode::of_pg_locks("SIReadLock"), None);
    }
}
