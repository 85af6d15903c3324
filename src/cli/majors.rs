//! Major versions as they are asked for: `14,15`, `16..18`.

use std::collections::BTreeSet;
use std::str::FromStr;

/// Versions that pgproof knows.
const KNOWN: std::ops::RangeInclusive<u16> = 14..=18;

/// A list of major versions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Majors(BTreeSet<u16>);

impl Majors {
    pub(super) fn iter(&self) -> impl Iterator<Item = u16> + '_ {
        self.0.iter().copied()
    }
}

impl FromStr for Majors {
    type Err = String;

    fn from_str(text: &str) -> Result<Majors, String> {
        let wrong = |part: &str| {
            format!(
                "`{part}` is none of the versions {} to {}; write a list such as 14,15 or a range such as 16..18",
                KNOWN.start(),
                KNOWN.end()
            )
        };
        let mut majors = BTreeSet::new();
        for part in text.split(',').map(str::trim) {
            let (low, high) = part.split_once("..").unwrap_or((part, part));
            let major = |text: &str| {
                let major = text.trim().parse::<u16>().ok();
                major
                    .filter(|major| KNOWN.contains(major))
                    .ok_or_else(|| wrong(part))
            };
            let (low, high) = (major(low)?, major(high)?);
            if low > high {
                return Err(format!("`{part}` runs backwards; write {high}..{low}"));
            }
            majors.extend(low..=high);
        }
        Ok(Majors(majors))
    }
}

#[cfg(test)]
mod tests {
    use super::Majors;

    #[test]
    fn lists_and_ranges_are_read() {
        let read = |text: &str| {
            let majors: Result<Majors, String> = text.parse();
            majors.map(|majors| majors.iter().collect::<Vec<_>>())
        };
        assert_eq!(read("15"), Ok(vec![15]));
        assert_eq!(read("14,15, 16..18"), Ok(vec![14, 15, 16, 17, 18]));
        assert_eq!(read("18,15..16,15"), Ok(vec![15, 16, 18]));
        assert!(read("18..15").is_err_and(|said| said.contains("15..18")));
        for wrong in ["", "13", "19", "15,", "15..", "a", "15-17", "15.2"] {
            assert!(
                read(wrong).is_err_and(|said| said.contains("14 to 18")),
                "{wrong}"
            );
        }
    }
}
