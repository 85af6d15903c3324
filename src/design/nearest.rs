//! The name that was probably meant.

/// The candidate nearest to `name`, where one is near enough to be what was meant: a [misspelling](misspelt), or else the
/// only one that goes on where `name` ends (`sold` for `sold_at`).
pub(super) fn nearest<'a>(
    name: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let mut longer: Vec<&str> = Vec::new();
    let near = misspelt(
        name,
        candidates.into_iter().inspect(|candidate| {
            let rest = candidate.strip_prefix(name).unwrap_or_default();
            if name.len() > 2 && rest.starts_with(['_', '-', ' ']) {
                longer.push(candidate);
            }
        }),
    );
    near.or(match longer.as_slice() {
        [one] => Some(*one),
        _ => None,
    })
}

/// The candidate of which `name` is a misspelling: at most one change in three characters, letters of the other case and
/// swapped neighbours counting as one.
pub(super) fn misspelt<'a>(
    name: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let name: Vec<char> = name.chars().collect();
    let most = (name.len() / 3).clamp(1, 4);
    let mut best: Option<(usize, &str)> = None;
    for candidate in candidates {
        let other: Vec<char> = candidate.chars().collect();
        if other.len().abs_diff(name.len()) > most {
            continue;
        }
        let distance = distance(&name, &other);
        let is_swap_of_all = name.len() <= 2 && distance >= name.len();
        if distance <= most && !is_swap_of_all && best.is_none_or(|(d, _)| distance < d) {
            best = Some((distance, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

/// Insertions, deletions, replacements and swaps of neighbours from one to the other; letters that differ only in case
/// count as equal, and `-`, `_` and a blank as each other.
fn distance(a: &[char], b: &[char]) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut row = Vec::with_capacity(b.len() + 1);
        row.push(i + 1);
        for (j, y) in b.iter().enumerate() {
            let mut least = (last[j] + usize::from(!is_alike(*x, *y)))
                .min(last[j + 1] + 1)
                .min(row[j] + 1);
            if i > 0 && j > 0 && *x == b[j - 1] && a[i - 1] == *y {
                least = least.min(before[j - 1] + 1);
            }
            row.push(least);
        }
        before = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

fn is_alike(x: char, y: char) -> bool {
    let plain = |c: char| match c {
        '-' | ' ' => '_',
        other => other.to_ascii_lowercase(),
    };
    plain(x) == plain(y)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offers_what_was_meant_and_nothing_far_off() {
        let names = ["regulatory_case", "case_assignment", "id", "status"];
        assert_eq!(nearest("regulatory_cas", names), Some("regulatory_case"));
        assert_eq!(nearest("case-assignment", names), Some("case_assignment"));
        assert_eq!(nearest("Status", names), Some("status"));
        assert_eq!(nearest("sttaus", names), Some("status"));
        assert_eq!(nearest("di", names), Some("id"));
        assert_eq!(nearest("ab", names), None);
        assert_eq!(nearest("case", ["case_id", "owner"]), Some("case_id"));
        assert_eq!(nearest("case", ["case_id", "case_no"]), None);
        assert_eq!(nearest("orders", names), None);
        assert_eq!(nearest("", names), None);
    }
}
