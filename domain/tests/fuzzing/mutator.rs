//! Changes bytes at random: flips, cuts, copies, splices, and words that hurt.

/// What a mutated message is cut at: a little above the largest payload that is read.
const MAX_BYTES: usize = 70_000;

/// Words that readers of numbers, texts and JSON stumble over.
const WORDS: [&str; 44] = [
    "NaN",
    "-Infinity",
    "Infinity",
    "null",
    "true",
    "1e999",
    "-1e999",
    "1e-999",
    "0",
    "-0",
    "-1",
    "9007199254740993",
    "18446744073709551616",
    "1781273006",
    "1781273006000",
    "1781273006000000",
    "253402300799000",
    "\"ts\":",
    "\"time\":",
    "\"value\":",
    "\"values\":",
    "\"state\":",
    "{",
    "}",
    "[",
    "]",
    "[[[[[[[[",
    "{\"a\":",
    "\"",
    "\\",
    "\\u0000",
    "\\ud800",
    "\\u202e",
    ",",
    ":",
    "/",
    "//",
    "+",
    "#",
    "$",
    "\0",
    "\u{202e}",
    "\u{feff}",
    "2026-06-12T14:03:26Z",
];

/// A random number generator (splitmix64): small, fast, and the same on every machine.
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64, number: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ number.wrapping_mul(0xd1b5_4a32_d192_ed03))
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `n`; 0 when there is none.
    pub fn below(&mut self, n: usize) -> usize {
        usize::try_from(self.next() % (n.max(1) as u64)).expect("below a usize")
    }

    pub fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    pub fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len())]
    }

    /// Mostly some seconds, seldom days, sometimes back.
    pub fn pause_ms(&mut self) -> i64 {
        let longest = match self.below(20) {
            0 => 3 * 86_400_000,
            1..=3 => 600_000,
            _ => 5_000,
        };
        let pause = i64::try_from(self.below(longest)).expect("some days");
        if self.one_in(30) { -pause } else { pause }
    }

    /// Changes `bytes` in one to five places.
    pub fn mutate(&mut self, bytes: &mut Vec<u8>, others: &[Vec<u8>]) {
        for _ in 0..=self.below(5) {
            self.mutate_once(bytes, others);
        }
        bytes.truncate(MAX_BYTES);
    }

    fn mutate_once(&mut self, bytes: &mut Vec<u8>, others: &[Vec<u8>]) {
        let at = self.below(bytes.len() + 1);
        let end = at + self.below((bytes.len() - at).min(64) + 1);
        match self.below(9) {
            0 => {
                if let Some(byte) = bytes.get_mut(at) {
                    *byte ^= 1 << self.below(8);
                }
            }
            1 => {
                let byte = self.next().to_le_bytes()[0];
                bytes.insert(at, byte);
            }
            2 => drop(bytes.drain(at..end)),
            3 => bytes.truncate(at),
            4 => {
                let part = bytes[at..end].to_vec();
                let to = self.below(bytes.len() + 1);
                bytes.splice(to..to, part);
            }
            5 => {
                let other = self.pick(others);
                let from = self.below(other.len() + 1);
                let to = from + self.below((other.len() - from).min(512) + 1);
                bytes.splice(at..end, other[from..to].iter().copied());
            }
            6 => {
                // The same part many times: depth and width.
                let part = bytes[at..end.min(at + 16)].repeat(1 + self.below(40));
                bytes.splice(at..at, part);
            }
            _ => {
                let word = self.pick(&WORDS).as_bytes();
                bytes.splice(at..end.min(at + 8), word.iter().copied());
            }
        }
    }
}
