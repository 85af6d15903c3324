//! A btree as high as it would be at a larger volume: the root of the sample's index gets pages above it.
//!
//! The planner counts the levels that a search goes down (`btm_fastlevel` in the first page), and a few levels decide between an index that
//! is looked into thousands of times and a join that reads everything. Each page that is put on top has one entry, which leads to the page
//! below: the index stays one, and its ends are still found. Layouts are those of `nbtree.h`, `bufpage.h` and `itup.h`, the same in
//! PostgreSQL 14 to 18. Pure: pages come in and go out as bytes.

/// Bytes of a page, and where the part of the index method begins.
pub(super) const PAGE: usize = 8192;
const SPECIAL: usize = PAGE - 16;
const MAGIC: u32 = 0x0005_3162;
/// `BTP_ROOT`.
const ROOT: u16 = 2;
/// `INDEX_ALT_TID_MASK`, and the length of an entry without a key, which is less than all keys.
const LEAST: u16 = 0x2000 | 8;

/// What the first page of a btree says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Top {
    /// Block of the root.
    pub root: u32,
    /// Levels below it.
    pub level: u32,
}

fn u16_at(page: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(page.get(at..at + 2)?.try_into().ok()?))
}

fn u32_at(page: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(page.get(at..at + 4)?.try_into().ok()?))
}

fn put(page: &mut [u8], at: usize, bytes: &[u8]) {
    if let Some(place) = page.get_mut(at..at + bytes.len()) {
        place.copy_from_slice(bytes);
    }
}

/// Reads the first page; nothing where it is no btree's, the index is empty, or its root is not the page to begin at.
pub(super) fn top(first: &[u8]) -> Option<Top> {
    let (root, level) = (u32_at(first, 32)?, u32_at(first, 36)?);
    let is_plain = u32_at(first, 24)? == MAGIC
        && u32_at(first, 40)? == root
        && u32_at(first, 44)? == level
        && root != 0;
    is_plain.then_some(Top { root, level })
}

/// Blocks that are written so that an index of so many pages has so many levels: the first page, the old root, and new ones behind the
/// last. Nothing where it is as high already, or not understood.
pub(super) fn graft(
    first: &[u8],
    root: &[u8],
    pages: u32,
    height: u32,
) -> Option<Vec<(u32, Vec<u8>)>> {
    let old = top(first)?;
    let flags = u16_at(root, SPECIAL + 12)?;
    if height <= old.level || flags & ROOT == 0 || first.len() != PAGE || root.len() != PAGE {
        return None;
    }
    let more = height - old.level;
    let highest = pages + more - 1;
    let mut changed = Vec::with_capacity(more as usize + 2);
    let mut page = first.to_vec();
    for (at, value) in [(32, highest), (36, height), (40, highest), (44, height)] {
        put(&mut page, at, &value.to_le_bytes());
    }
    changed.push((0, page));
    let mut page = root.to_vec();
    put(&mut page, SPECIAL + 12, &(flags & !ROOT).to_le_bytes());
    changed.push((old.root, page));
    for step in 0..more {
        let below = if step == 0 {
            old.root
        } else {
            pages + step - 1
        };
        let flags = if step + 1 == more { ROOT } else { 0 };
        changed.push((
            pages + step,
            inner(below, old.level + step + 1, flags, first),
        ));
    }
    // A page with a checksum is one of a cluster where all have one.
    if u16_at(first, 8)? != 0 {
        if u16_at(first, 8)? != checksum(first, 0) {
            return None;
        }
        for (block, page) in &mut changed {
            let sum = checksum(page, *block);
            put(page, 8, &sum.to_le_bytes());
        }
    }
    Some(changed)
}

/// A page with one entry.
fn inner(below: u32, level: u32, flags: u16, like: &[u8]) -> Vec<u8> {
    let mut page = vec![0; PAGE];
    let lower: u16 = 24 + 4;
    let upper = SPECIAL as u16 - 8;
    put(&mut page, 12, &lower.to_le_bytes());
    put(&mut page, 14, &upper.to_le_bytes());
    put(&mut page, 16, &(SPECIAL as u16).to_le_bytes());
    // Size and version of the layout, as everywhere in this cluster.
    put(&mut page, 18, &like[18..20]);
    // Where the entry is, that it is there, how long it is.
    let pointer = u32::from(upper) | 1 << 15 | 8 << 17;
    put(&mut page, 24, &pointer.to_le_bytes());
    let at = usize::from(upper);
    put(&mut page, at, &((below >> 16) as u16).to_le_bytes());
    put(&mut page, at + 2, &(below as u16).to_le_bytes());
    put(&mut page, at + 6, &LEAST.to_le_bytes());
    put(&mut page, SPECIAL + 8, &level.to_le_bytes());
    put(&mut page, SPECIAL + 12, &flags.to_le_bytes());
    page
}

/// PostgreSQL's checksum of a page (`checksum_impl.h`: FNV-1a in 32 lanes).
fn checksum(page: &[u8], block: u32) -> u16 {
    const PRIME: u32 = 16_777_619;
    const LANES: [u32; 32] = [
        0x5B1F_36E9,
        0xB852_5960,
        0x02AB_50AA,
        0x1DE6_6D2A,
        0x79FF_467A,
        0x9BB9_F8A3,
        0x217E_7CD2,
        0x83E1_3D2C,
        0xF8D4_474F,
        0xE39E_B970,
        0x42C6_AE16,
        0x9932_16FA,
        0x7B09_3B5D,
        0x98DA_FF3C,
        0xF718_902A,
        0x0B1C_9CDB,
        0xE58F_764B,
        0x1876_36BC,
        0x5D7B_3BB1,
        0xE73D_E7DE,
        0x92BE_C979,
        0xCCA6_C0B2,
        0x304A_0979,
        0x85AA_43D4,
        0x7831_25BB,
        0x6CA8_EAA2,
        0xE407_EAC6,
        0x4B5C_FC3E,
        0x9FBF_8C76,
        0x15CA_20BE,
        0xF2CA_9FD3,
        0x959B_D756,
    ];
    let mix = |sum: u32, value: u32| {
        let mixed = sum ^ value;
        mixed.wrapping_mul(PRIME) ^ (mixed >> 17)
    };
    let mut sums = LANES;
    for (at, word) in page.chunks_exact(4).enumerate() {
        let mut value = u32::from_le_bytes([word[0], word[1], word[2], word[3]]);
        // The checksum itself counts as zero.
        if at == 2 {
            value &= 0xFFFF_0000;
        }
        let lane = &mut sums[at % 32];
        *lane = mix(*lane, value);
    }
    for _ in 0..2 {
        for lane in &mut sums {
            *lane = mix(*lane, 0);
        }
    }
    let all = sums.iter().fold(0, |all, sum| all ^ sum);
    ((all ^ block) % 65_535 + 1) as u16
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(flags: u16) -> Vec<u8> {
        let mut page = vec![0; PAGE];
        put(&mut page, 18, &0x2004_u16.to_le_bytes());
        put(&mut page, SPECIAL + 12, &flags.to_le_bytes());
        page
    }

    fn first(root: u32, level: u32) -> Vec<u8> {
        let mut first = page(8);
        for (at, value) in [
            (24, MAGIC),
            (28, 4),
            (32, root),
            (36, level),
            (40, root),
            (44, level),
        ] {
            put(&mut first, at, &value.to_le_bytes());
        }
        first
    }

    #[test]
    fn each_new_page_leads_to_the_one_below() {
        let changed = graft(&first(3, 1), &page(ROOT), 40, 3).expect("grafted");
        let blocks: Vec<u32> = changed.iter().map(|(block, _)| *block).collect();
        assert_eq!(blocks, [0, 3, 40, 41]);
        assert_eq!(top(&changed[0].1), Some(Top { root: 41, level: 3 }));
        assert_eq!(u16_at(&changed[1].1, SPECIAL + 12), Some(0));
        let leads = |at: usize| u16_at(&changed[at].1, SPECIAL - 8 + 2);
        assert_eq!((leads(2), leads(3)), (Some(3), Some(40)));
        assert_eq!(u16_at(&changed[3].1, SPECIAL + 12), Some(ROOT));
        assert_eq!(u32_at(&changed[2].1, SPECIAL + 8), Some(2));
    }

    #[test]
    fn what_is_high_enough_or_strange_is_left_alone() {
        assert_eq!(graft(&first(3, 2), &page(ROOT), 40, 2), None);
        assert_eq!(graft(&first(0, 0), &page(ROOT), 1, 2), None);
        assert_eq!(graft(&first(3, 1), &page(0), 40, 3), None);
        assert_eq!(graft(&[1, 2], &[], 40, 3), None);
    }
}
