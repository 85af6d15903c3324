//! A digest of words. Each part says itself what of it counts.

use sha2::{Digest, Sha256};

use crate::design::Name;
use crate::source::Text;
use crate::sql::Ident;

/// A digest in the making.
#[derive(Clone)]
pub(super) struct Words(Sha256);

impl Words {
    /// Begins with what it is about.
    pub(super) fn about(what: &str) -> Words {
        let mut words = Words(Sha256::new());
        words.word(what);
        words
    }

    /// One word; `ab`, `c` is not `a`, `bc`.
    pub(super) fn word(&mut self, word: &str) {
        self.0.update((word.len() as u64).to_le_bytes());
        self.0.update(word);
    }

    /// Anything that counts.
    pub(super) fn add(&mut self, part: &impl Counts) {
        part.count(self);
    }

    /// Hexadecimal.
    pub(super) fn hex(self) -> String {
        let digest = self.0.finalize();
        digest[..20]
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect()
    }
}

/// Adds several parts.
macro_rules! counted {
    ($words:expr; $($part:expr),+ $(,)?) => {{ $( $words.add($part); )+ }};
}
pub(super) use counted;

/// What changes evidence when it changes.
pub(super) trait Counts {
    /// Adds itself.
    fn count(&self, words: &mut Words);
}

impl Counts for str {
    fn count(&self, words: &mut Words) {
        words.word(self);
    }
}

impl Counts for String {
    fn count(&self, words: &mut Words) {
        words.word(self);
    }
}

impl Counts for Name {
    fn count(&self, words: &mut Words) {
        words.word(self.as_str());
    }
}

impl Counts for Ident {
    fn count(&self, words: &mut Words) {
        words.word(self.as_str());
    }
}

impl Counts for Text {
    fn count(&self, words: &mut Words) {
        words.word(self.as_str());
    }
}

/// Plain values, which have no places in them.
macro_rules! plain {
    ($($kind:ty),+ $(,)?) => { $(
        impl Counts for $kind {
            fn count(&self, words: &mut Words) {
                words.word(&format!("{self:?}"));
            }
        }
    )+ };
}
pub(super) use plain;

plain!(bool, u16, u32, u64, f64);

impl<T: Counts> Counts for Option<T> {
    fn count(&self, words: &mut Words) {
        match self {
            None => words.word("-"),
            Some(part) => {
                words.word("+");
                part.count(words);
            }
        }
    }
}

impl<T: Counts> Counts for Vec<T> {
    fn count(&self, words: &mut Words) {
        words.word(&self.len().to_string());
        for part in self {
            part.count(words);
        }
    }
}

impl<K: Counts, V: Counts> Counts for std::collections::BTreeMap<K, V> {
    fn count(&self, words: &mut Words) {
        words.word(&self.len().to_string());
        for (key, value) in self {
            counted!(words; key, value);
        }
    }
}

impl<A: Counts, B: Counts> Counts for (A, B) {
    fn count(&self, words: &mut Words) {
        counted!(words; &self.0, &self.1);
    }
}
