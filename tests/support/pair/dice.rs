//! Numbers that look random and are the same each time.

pub struct Dice {
    state: u64,
    /// Whether names have to be ones that nothing ever had: a name that was given up is not given to something else.
    pub fresh_names: bool,
}

impl Dice {
    pub fn new(seed: u64) -> Dice {
        let mut dice = Dice {
            state: seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1,
            fresh_names: false,
        };
        // The first ones of neighbouring seeds are alike.
        for _ in 0..8 {
            dice.below(2);
        }
        dice
    }

    /// From 0 to `count`, that one left out.
    pub fn below(&mut self, count: usize) -> usize {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        (self.state >> 11) as usize % count.max(1)
    }

    pub fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    pub fn pick<'a, T>(&mut self, from: &'a [T]) -> Option<&'a T> {
        from.get(self.below(from.len()))
    }

    /// Some of these, in an order of their own.
    pub fn some<T: Clone>(&mut self, from: &[T], most: usize) -> Vec<T> {
        let mut rest = from.to_vec();
        let count = (1 + self.below(most)).min(rest.len());
        (0..count)
            .map(|_| rest.remove(self.below(rest.len())))
            .collect()
    }
}
