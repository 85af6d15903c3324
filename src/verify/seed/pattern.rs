//! Strings that match a regular expression or a LIKE pattern: enough of both for the checks people write.

/// A piece of a pattern.
enum Piece {
    /// One of these characters.
    Class(Vec<char>),
    /// One of these sequences.
    Group(Vec<Vec<(Piece, usize)>>),
}

/// Where strings that repeat without a bound stop growing, so that they have room to differ.
const ROOM: usize = 4;

/// The `n`th string that matches a regular expression; `None` where it says more than this reader understands.
pub(super) fn matching(pattern: &str, n: u64) -> Option<String> {
    let chars: Vec<char> = pattern.chars().collect();
    let mut at = 0;
    let alternatives = alternatives(&chars, &mut at)?;
    if at < chars.len() {
        return None;
    }
    let (mut text, mut rest) = (String::new(), n);
    write(&alternatives, &mut rest, &mut text);
    Some(text)
}

/// The `n`th string that matches a LIKE pattern.
pub(super) fn like(pattern: &str, n: u64) -> String {
    let mut text = String::new();
    let mut chars = pattern.chars();
    while let Some(c) = chars.next() {
        match c {
            '%' => text.push_str(&n.to_string()),
            '_' => text.push(char::from(b'a' + (n % 26) as u8)),
            '\\' => text.extend(chars.next()),
            c => text.push(c),
        }
    }
    text
}

fn write(alternatives: &[Vec<(Piece, usize)>], n: &mut u64, text: &mut String) {
    let Some(count) = std::num::NonZeroU64::new(alternatives.len() as u64) else {
        return;
    };
    let chosen = &alternatives[(*n % count) as usize];
    *n /= count;
    // The last characters change first, as counting does; so the text is made from its end.
    let mut parts = Vec::new();
    for (piece, times) in chosen.iter().rev() {
        for _ in 0..*times {
            let mut part = String::new();
            match piece {
                Piece::Class(chars) => {
                    let size = chars.len().max(1) as u64;
                    part.extend(chars.get((*n % size) as usize));
                    *n /= size;
                }
                Piece::Group(inner) => write(inner, n, &mut part),
            }
            parts.push(part);
        }
    }
    text.extend(parts.into_iter().rev());
}

fn alternatives(chars: &[char], at: &mut usize) -> Option<Vec<Vec<(Piece, usize)>>> {
    let mut found = vec![Vec::new()];
    while let Some(c) = chars.get(*at) {
        match c {
            ')' => break,
            '|' => {
                *at += 1;
                found.push(Vec::new());
            }
            '^' | '$' => *at += 1,
            _ => {
                let piece = piece(chars, at)?;
                let times = repeats(chars, at)?;
                found.last_mut()?.push((piece, times));
            }
        }
    }
    Some(found)
}

fn piece(chars: &[char], at: &mut usize) -> Option<Piece> {
    let c = *chars.get(*at)?;
    *at += 1;
    match c {
        '(' => {
            if chars.get(*at) == Some(&'?') {
                if chars.get(*at + 1) != Some(&':') {
                    return None;
                }
                *at += 2;
            }
            let inner = alternatives(chars, at)?;
            (chars.get(*at) == Some(&')')).then(|| *at += 1)?;
            Some(Piece::Group(inner))
        }
        '[' => class(chars, at).map(Piece::Class),
        '.' => Some(Piece::Class(('a'..='z').collect())),
        '\\' => {
            let escaped = *chars.get(*at)?;
            *at += 1;
            Some(Piece::Class(escape(escaped)?))
        }
        '*' | '+' | '?' | '{' => None,
        c => Some(Piece::Class(vec![c])),
    }
}

fn escape(c: char) -> Option<Vec<char>> {
    match c {
        'd' => Some(('0'..='9').collect()),
        'w' => Some(('a'..='z').chain('0'..='9').collect()),
        's' => Some(vec![' ']),
        'm' | 'M' | 'y' | 'A' | 'Z' | 'b' | 'B' => Some(Vec::new()),
        c if c.is_ascii_alphanumeric() => None,
        c => Some(vec![c]),
    }
}

fn class(chars: &[char], at: &mut usize) -> Option<Vec<char>> {
    let negated = chars.get(*at) == Some(&'^');
    if negated {
        *at += 1;
    }
    let mut members = Vec::new();
    let start = *at;
    loop {
        let c = *chars.get(*at)?;
        *at += 1;
        match c {
            ']' if *at > start + 1 => break,
            '[' if chars.get(*at) == Some(&':') => {
                let end = (*at..chars.len()).find(|end| chars[*end] == ']')?;
                let name: String = chars[*at + 1..end - 1].iter().collect();
                members.extend(named_class(&name)?);
                *at = end + 1;
            }
            '\\' => {
                members.extend(escape(*chars.get(*at)?)?);
                *at += 1;
            }
            low if chars.get(*at) == Some(&'-') && chars.get(*at + 1) != Some(&']') => {
                members.extend(low..=*chars.get(*at + 1)?);
                *at += 2;
            }
            c => members.push(c),
        }
    }
    if negated {
        let other = ('a'..='z')
            .chain('0'..='9')
            .filter(|c| !members.contains(c));
        return Some(other.collect());
    }
    Some(members)
}

fn named_class(name: &str) -> Option<Vec<char>> {
    Some(match name {
        "digit" => ('0'..='9').collect(),
        "lower" => ('a'..='z').collect(),
        "upper" => ('A'..='Z').collect(),
        "alpha" => ('a'..='z').collect(),
        "alnum" => ('a'..='z').chain('0'..='9').collect(),
        "xdigit" => ('0'..='9').chain('a'..='f').collect(),
        "space" => vec![' '],
        _ => return None,
    })
}

fn repeats(chars: &[char], at: &mut usize) -> Option<usize> {
    let times = match chars.get(*at) {
        Some('*') => 0,
        Some('?') => 0,
        Some('+') => ROOM,
        Some('{') => {
            let end = (*at..chars.len()).find(|end| chars[*end] == '}')?;
            let text: String = chars[*at + 1..end].iter().collect();
            *at = end;
            let (low, high) = text.split_once(',').unwrap_or((&text, &text));
            let low: usize = low.trim().parse().ok()?;
            match high.trim().parse::<usize>() {
                Ok(high) => low.max(ROOM.min(high)),
                Err(_) => low.max(ROOM),
            }
        }
        _ => return Some(1),
    };
    *at += 1;
    if chars.get(*at) == Some(&'?') {
        *at += 1;
    }
    Some(times)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn makes_strings_that_match() {
        assert_eq!(matching("^[A-Z]{3}-\\d+$", 12).as_deref(), Some("AAA-0012"));
        assert_eq!(
            matching("^[a-z0-9._]+@[a-z]+\\.com$", 1).as_deref(),
            Some("aaaa@aaab.com")
        );
        assert_eq!(matching("^(eur|usd)$", 1).as_deref(), Some("usd"));
        assert_eq!(matching("^[^@[:space:]]+@x$", 0).as_deref(), Some("aaaa@x"));
        assert_eq!(matching("(?=a)", 0), None);
    }

    #[test]
    fn numbers_make_them_differ() {
        let made: std::collections::BTreeSet<_> =
            (0..500).map(|n| matching("^[A-Z]{3}$", n)).collect();
        assert_eq!(made.len(), 500);
        assert_eq!(like("ORD-%", 7), "ORD-7");
    }
}
