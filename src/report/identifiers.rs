//! Identifiers as long as people need them.

/// Characters of a UUID.
const LENGTH: usize = 36;

/// The text with its UUIDs shortened, where there are any: what a race makes is `0…46`, anything else begins as it does,
/// `4b35e3cd…`. Two that differ stay different for all but the unluckiest.
pub(super) fn shortened(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('-') {
        // The first hyphen of a UUID stands after eight digits.
        let start = at.saturating_sub(8);
        let found = rest.get(start..start + LENGTH).filter(|_| at >= 8);
        match found.filter(|found| is_uuid(found) && is_apart(rest, start)) {
            Some(uuid) => {
                out.push_str(&rest[..start]);
                out.push_str(&short(uuid));
                rest = &rest[start + LENGTH..];
            }
            None => {
                out.push_str(&rest[..=at]);
                rest = &rest[at + 1..];
            }
        }
    }
    out.push_str(rest);
    out
}

fn is_uuid(text: &str) -> bool {
    text.bytes().enumerate().all(|(at, byte)| match at {
        8 | 13 | 18 | 23 => byte == b'-',
        _ => byte.is_ascii_hexdigit(),
    })
}

/// Whether nothing that could be part of it stands around it.
fn is_apart(text: &str, start: usize) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || c == '-';
    !text[..start].ends_with(is_part) && !text[start + LENGTH..].starts_with(is_part)
}

fn short(uuid: &str) -> String {
    let digits = uuid[24..].trim_start_matches('0');
    match uuid[..24].bytes().all(|byte| matches!(byte, b'0' | b'-')) {
        true if digits.is_empty() => "0…0".to_owned(),
        true => format!("0…{digits}"),
        false => format!("{}…", &uuid[..8]),
    }
}

#[cfg(test)]
mod tests {
    use super::shortened;

    #[test]
    fn made_identifiers_keep_their_end_and_others_their_beginning() {
        for (text, expected) in [
            (
                "id = '00000000-0000-0000-0000-000000000046' and",
                "id = '0…46' and",
            ),
            ("(00000000-0000-0000-0000-000000000000)", "(0…0)"),
            ("4b35e3cd-4f80-4bb8-8362-0e6c00000000", "4b35e3cd…"),
            ("a-b 2026-01-12 größe-x", "a-b 2026-01-12 größe-x"),
            (
                "x4b35e3cd-4f80-4bb8-8362-0e6c00000000",
                "x4b35e3cd-4f80-4bb8-8362-0e6c00000000",
            ),
        ] {
            assert_eq!(shortened(text), expected);
        }
    }
}
