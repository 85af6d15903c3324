//! Names of derived objects: PostgreSQL's own patterns, never over 63 bytes.

use sha2::{Digest, Sha256};

use super::ident::Ident;

/// NAMEDATALEN - 1.
const LONGEST: usize = 63;

/// Joins parts with `_`. A name that would be cut by PostgreSQL keeps its beginning and gets a digest of the whole, so that two long names
/// stay two.
pub fn derived(parts: &[&str]) -> Ident {
    let name = parts.join("_").replace('-', "_");
    if name.len() <= LONGEST {
        return Ident::new(name);
    }
    let digest = Sha256::digest(name.as_bytes());
    let mut cut = LONGEST - 9;
    while !name.is_char_boundary(cut) {
        cut -= 1;
    }
    Ident::new(format!(
        "{}_{:02x}{:02x}{:02x}{:02x}",
        &name[..cut],
        digest[0],
        digest[1],
        digest[2],
        digest[3]
    ))
}

#[cfg(test)]
mod tests {
    use super::derived;

    #[test]
    fn long_names_stay_apart_and_fit() {
        let long = "x".repeat(60);
        let (one, two) = (derived(&[&long, "one_key"]), derived(&[&long, "two_key"]));
        assert_ne!(one, two);
        assert!(one.as_str().len() <= 63 && two.as_str().len() <= 63);
        assert_eq!(derived(&["a", "b-c"]).as_str(), "a_b_c");
    }
}
