//! How long work on a whole table takes, and what a backfill writes: a range that says how little is known.
//!
//! Where the plan was run on a sample, its own times are carried to the declared rows. Else these are taken.
//!
//! Measured on PostgreSQL 15 with a million rows of 110 bytes in memory, two cores, `synchronous_commit = off`: a check validated at 20 million rows a
//! second, a two-column btree built at 1.5 million, a table with three indexes written anew at 0.4 million, a backfill of one column by a trigger's rules (chunks of 5,000, rests of
//! 50 ms) at 57,000. The fast end is that; the slow end is a tenth of it, for rows that come from disk, wider rows and a busy server. Another machine is another range.

/// What is done with each row of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Work {
    /// It is read.
    Scan,
    /// It is read, sorted and written to an index.
    Index,
    /// It and its index entries are written anew.
    Rewrite,
}

/// Slow end over fast end.
const SPREAD: f64 = 10.0;

/// Rows a second of a backfill at its best: a chunk, and a rest as long as it took.
const FILLING: f64 = 57_000.0;

/// Bytes of WAL for one row that is updated: its new version with a header, its entries where the update is not HOT, images of pages after a checkpoint.
const WAL: (f64, f64) = (120.0, 900.0);

/// `2 s to 20 s`.
pub(super) fn working(work: Work, rows: f64) -> String {
    let rate = match work {
        Work::Scan => 20e6,
        Work::Index => 1.5e6,
        Work::Rewrite => 0.4e6,
    };
    range(rows / rate)
}

/// How long a backfill takes.
pub(super) fn filling(rows: f64) -> String {
    range(rows / FILLING)
}

/// What a backfill writes to the log.
pub(super) fn wal(rows: f64) -> String {
    format!("{} to {}", bytes(rows * WAL.0), bytes(rows * WAL.1))
}

/// A step as it was run on a sample.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Measured {
    /// Rows of the table that it went through.
    pub rows: f64,
    /// Seconds that it took on no rows.
    pub idle: f64,
    /// Seconds that it took on these.
    pub seconds: f64,
    /// Bytes that it wrote to the log for these, without images of pages.
    pub wal: f64,
}

/// How much faster and slower than on the sample it may go with many rows: sorts grow faster than rows, and caches end.
const CARRIED: (f64, f64) = (0.4, 4.0);

/// How much more is logged where the first change of each page after a checkpoint logs the page.
const IMAGES: f64 = 8.0;

impl Measured {
    /// Seconds for so many rows: at least, and at most.
    pub fn seconds_at(&self, rows: f64) -> (f64, f64) {
        let moved = (self.seconds - self.idle).max(0.0) / self.rows.max(1.0) * rows;
        let all = |factor: f64| self.idle.min(self.seconds) + moved * factor;
        (all(CARRIED.0), all(CARRIED.1))
    }

    /// Bytes of the log for so many rows: at least, and at most.
    pub fn bytes_at(&self, rows: f64) -> (f64, f64) {
        let bytes = self.wal / self.rows.max(1.0) * rows;
        (bytes * 0.7, bytes * IMAGES)
    }

    /// `2 s to 20 s`.
    pub fn takes(&self, rows: f64) -> String {
        let (least, most) = self.seconds_at(rows);
        format!("{} to {}", time(least), time(most))
    }

    /// `90 MB to 700 MB`.
    pub fn writes(&self, rows: f64) -> String {
        let (least, most) = self.bytes_at(rows);
        format!("{} to {}", bytes(least), bytes(most))
    }

    /// What it took on the sample: `0.31 s`.
    pub fn took(&self) -> String {
        format!("{:.2} s", self.seconds)
    }
}

fn range(fast: f64) -> String {
    format!("{} to {}", time(fast), time(fast * SPREAD))
}

fn time(seconds: f64) -> String {
    match seconds {
        s if s < 1.0 => "1 s".to_owned(),
        s if s < 90.0 => format!("{s:.0} s"),
        s if s < 5_400.0 => format!("{:.0} min", s / 60.0),
        s if s < 172_800.0 => format!("{:.0} h", s / 3_600.0),
        s => format!("{:.0} days", s / 86_400.0),
    }
}

fn bytes(bytes: f64) -> String {
    match bytes {
        b if b >= 1e9 => format!("{:.1} GB", b / 1e9),
        b if b >= 1e6 => format!("{:.0} MB", b / 1e6),
        b => format!("{:.0} kB", (b / 1e3).max(1.0)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_readable() {
        assert_eq!(working(Work::Index, 45e6), "30 s to 5 min");
        assert_eq!(working(Work::Scan, 1_000.0), "1 s to 1 s");
        assert_eq!(filling(5e6), "88 s to 15 min");
        assert_eq!(wal(5e6), "600 MB to 4.5 GB");
    }
}
