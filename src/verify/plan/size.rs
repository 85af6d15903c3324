//! How large tables and indexes become, from the types and widths of their columns. Pure.
//!
//! The layout is PostgreSQL's own (`storage/bufpage.h`, `access/htup_details.h`, `access/itup.h`, `nbtree`): 8 kB pages, a row of 23 bytes
//! and a null bitmap before its data, an index entry of 8 bytes before its key, a posting list for equal keys.

/// Bytes of a page, of its head, of a line pointer, and of what a btree keeps at the end of each.
const PAGE: f64 = 8192.0;
const HEAD: f64 = 24.0;
const POINTER: f64 = 4.0;
const SPECIAL: f64 = 16.0;
/// A row above this is stored with its longest values outside (`TOAST_TUPLE_THRESHOLD`); each then leaves a pointer of 18 bytes.
const TOASTED: f64 = 2032.0;
const TOAST_POINTER: f64 = 18.0;
/// A btree's inner pages are filled so far.
const INNER_FILL: f64 = 0.7;
/// Posting lists of a freshly built btree take at most a tenth of a page.
const POSTING: f64 = 812.0;

/// Pages of the table that an entry of a BRIN index stands for, unless it says otherwise, and entries that a page of its map finds.
const RANGE: f64 = 128.0;
const PLACES: f64 = 1360.0;

/// A column as it is stored.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Stored {
    /// Bytes of a type of fixed length.
    pub length: Option<f64>,
    /// Bytes it begins at a multiple of.
    pub align: f64,
    /// Average bytes of a value that is not null, head included.
    pub width: f64,
    /// Share of nulls.
    pub nulls: f64,
}

fn up(value: f64, to: f64) -> f64 {
    (value / to).ceil() * to
}

/// Average bytes of values one after the other, each where it may begin, up to the next multiple of eight. Which are null is taken to be
/// independent, so it is enough to know how likely each offset is.
fn data(columns: &[Stored]) -> f64 {
    let mut offsets = [0.0; 8];
    offsets[0] = 1.0;
    let mut bytes = 0.0;
    for column in columns {
        // Values shorter than 127 bytes have a head of one byte and begin anywhere.
        let align = match column.length.is_none() && column.width < 127.0 {
            true => 1,
            false => column.align as usize,
        };
        let length = column.length.unwrap_or(column.width);
        let part = length.fract();
        let mut next = [0.0; 8];
        for (offset, likely) in offsets.iter().enumerate() {
            next[offset] += likely * column.nulls;
            let there = likely * (1.0 - column.nulls);
            let padding = (align - offset % align) % align;
            bytes += there * (padding as f64 + length);
            let end = offset + padding + length as usize;
            next[end % 8] += there * (1.0 - part);
            next[(end + 1) % 8] += there * part;
        }
        offsets = next;
    }
    let rest = offsets.iter().enumerate();
    bytes
        + rest
            .map(|(offset, likely)| likely * ((8 - offset) % 8) as f64)
            .sum::<f64>()
}

/// Average bytes of a row in its table and outside of it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct RowBytes {
    /// In the table, its line pointer included.
    pub inside: f64,
    /// In the table's TOAST.
    pub outside: f64,
}

/// Average bytes of a row.
pub(super) fn row(columns: &[Stored]) -> RowBytes {
    let without_null: f64 = columns.iter().map(|column| 1.0 - column.nulls).product();
    let bitmap = (columns.len() as f64 / 8.0).ceil();
    let head = without_null * 24.0 + (1.0 - without_null) * up(23.0 + bitmap, 8.0);
    let mut kept = columns.to_vec();
    let mut outside = 0.0;
    while head + data(&kept) > TOASTED {
        let longest = (0..kept.len())
            .filter(|at| kept[*at].length.is_none() && kept[*at].width > TOAST_POINTER)
            .max_by(|a, b| kept[*a].width.total_cmp(&kept[*b].width));
        let Some(longest) = longest else { break };
        outside += kept[longest].width * (1.0 - kept[longest].nulls);
        kept[longest].width = TOAST_POINTER;
    }
    RowBytes {
        inside: head + data(&kept) + POINTER,
        outside,
    }
}

/// Pages of a table of so many rows. `fillfactor`: from 10 to 100.
pub(super) fn heap_pages(rows: f64, row: RowBytes, fillfactor: f64) -> f64 {
    let room = PAGE - HEAD - PAGE * (1.0 - fillfactor / 100.0);
    let in_page = (room / row.inside).floor().max(1.0);
    (rows / in_page).ceil()
}

/// Pages of the table's TOAST: four chunks of 1,996 bytes a page.
pub(super) fn toast_pages(rows: f64, row: RowBytes) -> f64 {
    (rows * (row.outside / 1996.0).ceil() / 4.0).ceil()
}

/// Pages of a freshly built btree.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Btree {
    /// All of them, the first included.
    pub pages: f64,
    /// Levels above the leaves.
    pub height: f64,
}

/// A btree over so many entries with so many different keys. `packs`: equal keys share an entry (not so in a unique index, nor where two
/// values may be equal and look different).
pub(super) fn btree(
    entries: f64,
    distinct: f64,
    key: &[Stored],
    fillfactor: f64,
    packs: bool,
) -> Btree {
    let without_null: f64 = key.iter().map(|column| 1.0 - column.nulls).product();
    let head = without_null * 8.0 + (1.0 - without_null) * 16.0;
    let entry = head + data(key);
    let same = entries / distinct.max(1.0);
    let each = match packs {
        true => packed(entry, same),
        false => entry + POINTER,
    };
    let room = PAGE - HEAD - SPECIAL - PAGE * (1.0 - fillfactor / 100.0);
    // Each leaf but the last also holds the least key of the next.
    let in_leaf = ((room - entry - POINTER) / each).floor().max(1.0);
    let mut level = (entries / in_leaf).ceil().max(1.0);
    let fan_out = (INNER_FILL * (PAGE - HEAD - SPECIAL) / (entry + POINTER))
        .floor()
        .max(2.0);
    let (mut pages, mut height) = (1.0 + level, 0.0);
    while level > 1.0 {
        level = (level / fan_out).ceil();
        pages += level;
        height += 1.0;
    }
    Btree { pages, height }
}

/// Above so many equal keys it makes no difference how their number varies.
const MANY_EQUAL: f64 = 20.0;

/// Bytes of an entry where equal keys share one: two and more of them a list. How many are equal varies, around their average.
fn packed(entry: f64, same: f64) -> f64 {
    let list = |many: f64| match many > 1.0 {
        true => up(entry + 6.0 * many, 8.0) + POINTER,
        false => entry + POINTER,
    };
    if same >= MANY_EQUAL {
        let in_list = ((POSTING - entry) / 6.0).floor().max(1.0).min(same);
        return list(in_list) / in_list;
    }
    if same <= 1.0 {
        return list(1.0);
    }
    // Poisson without its zero: only keys that are there count.
    let mut mean = same;
    for _ in 0..50 {
        mean = same * (1.0 - (-mean).exp());
    }
    let mut likely = (-mean).exp() / (1.0 - (-mean).exp());
    let mut bytes = 0.0;
    let mut many = 1.0;
    while many < 4.0 * MANY_EQUAL {
        likely *= mean / many;
        bytes += likely * list(many);
        many += 1.0;
    }
    bytes / same
}

/// How many of so many possible combinations of keys are there among so many rows.
pub(super) fn met(combinations: f64, rows: f64) -> f64 {
    match combinations < 1e6 * rows {
        true => combinations * (1.0 - (-rows / combinations.max(1.0)).exp()),
        false => rows,
    }
}

/// Pages of a BRIN index over a table of so many pages: for each 128 of them the least and the greatest key, and where these are.
pub(super) fn brin(pages: f64, key: &[Stored]) -> f64 {
    let ranges = (pages / RANGE).ceil().max(1.0);
    let widths = key
        .iter()
        .map(|column| column.length.unwrap_or(column.width));
    let entry = 8.0 + up(2.0 * widths.sum::<f64>(), 8.0) + POINTER;
    let in_page = ((PAGE - HEAD - SPECIAL) / entry).floor().max(1.0);
    1.0 + (ranges / PLACES).ceil() + (ranges / in_page).ceil()
}

/// Rows of a table, as a share, that are changed or inserted until autovacuum comes (`autovacuum_vacuum_scale_factor`, and the same for inserts).
const UNTIL_VACUUM: f64 = 0.2;

/// Share of a table's pages that hold no row changed since the last vacuum, on average between two, where any row may be the next to be
/// changed. Rates of changed and of inserted rows.
pub(super) fn visible(in_page: f64, changed: f64, inserted: f64) -> f64 {
    let most = changed.max(inserted);
    if most <= 0.0 {
        return 1.0;
    }
    let rows = UNTIL_VACUUM * changed / most * in_page;
    let unchanged = if rows > 0.0 {
        -(-rows).exp_m1() / rows
    } else {
        1.0
    };
    let new = UNTIL_VACUUM * inserted / most / 2.0;
    unchanged * (1.0 - new)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BIGINT: Stored = Stored {
        length: Some(8.0),
        align: 8.0,
        width: 8.0,
        nulls: 0.0,
    };
    const INT: Stored = Stored {
        length: Some(4.0),
        align: 4.0,
        width: 4.0,
        nulls: 0.0,
    };

    /// Measured with PostgreSQL 15: `CREATE TABLE t (id bigint PRIMARY KEY, a int, b bigint, t text)` of a million rows, `t` of 20 characters.
    #[test]
    fn as_large_as_postgresql_makes_them() {
        let text = Stored {
            length: None,
            align: 4.0,
            width: 21.0,
            nulls: 0.0,
        };
        let row = row(&[BIGINT, INT, BIGINT, text]);
        assert_eq!(row.inside, 76.0);
        assert_eq!(heap_pages(1e6, row, 100.0), 9346.0);
        let key = btree(1e6, 1e6, &[BIGINT], 90.0, false);
        assert_eq!(key.height, 2.0);
        assert!((key.pages - 2745.0).abs() < 10.0, "{key:?}");
    }

    #[test]
    fn equal_keys_share_an_entry() {
        let apart = btree(1e6, 1e6, &[INT], 90.0, true);
        let packed = btree(1e6, 10.0, &[INT], 90.0, true);
        assert!(packed.pages * 2.5 < apart.pages, "{packed:?} {apart:?}");
    }

    /// Measured with PostgreSQL 15: a million rows of (int of 65,536 values, text of 9) take 21.7 MB, 31.6 MB where no two are equal.
    #[test]
    fn a_few_equal_keys_share_an_entry_too() {
        let kind = Stored {
            length: None,
            align: 4.0,
            width: 6.4,
            nulls: 0.0,
        };
        let different = met(65_536.0 * 9.0, 1e6);
        assert!((different - 480_000.0).abs() < 5_000.0, "{different}");
        let bytes = btree(1e6, different, &[INT, kind], 90.0, true).pages * 8192.0;
        assert!((bytes / 21.7e6 - 1.0).abs() < 0.05, "{bytes}");
        let apart = btree(1e6, 1e6, &[INT, kind], 90.0, true).pages * 8192.0;
        assert!((apart / 31.6e6 - 1.0).abs() < 0.05, "{apart}");
        assert_eq!((met(1e20, 1e6), met(10.0, 1e6)), (1e6, 10.0));
    }

    #[test]
    fn long_values_go_outside() {
        let long = Stored {
            length: None,
            align: 4.0,
            width: 5000.0,
            nulls: 0.5,
        };
        let row = row(&[BIGINT, long]);
        assert!(row.inside < 64.0 && row.outside == 2500.0, "{row:?}");
        assert_eq!(toast_pages(1000.0, row), 500.0);
    }

    /// Measured with PostgreSQL 15: a million rows of (timestamptz, text) on 9,000 pages have a BRIN index of 3 pages; study, 10M rows: 7.
    #[test]
    fn a_brin_index_is_small() {
        assert_eq!(brin(9_000.0, &[BIGINT]), 3.0);
        assert!(brin(165_842.0, &[BIGINT]) <= 8.0);
        assert!(brin(20_000_000.0, &[BIGINT]) < 700.0);
    }

    #[test]
    fn what_changes_often_is_seldom_visible_to_all() {
        assert_eq!(visible(60.0, 0.0, 0.0), 1.0);
        assert_eq!(visible(60.0, 0.0, 5.0), 0.9);
        assert!((visible(60.0, 10.0, 0.0) - 1.0 / 12.0).abs() < 1e-3);
        // Vacuum comes for the inserts, and few rows were changed by then.
        assert!(visible(60.0, 1.0, 100.0) > 0.8);
    }

    #[test]
    fn nothing_takes_no_page() {
        assert_eq!(heap_pages(0.0, row(&[INT]), 100.0), 0.0);
        assert_eq!(btree(0.0, 0.0, &[INT], 90.0, false).pages, 2.0);
    }
}
