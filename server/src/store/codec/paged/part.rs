use crate::store::codec::Sum;
use crate::store::codec::{scale, sum};

/// Sums that go on side by side, so that one addition need not wait for another.
const LANES: usize = 4;

/// What some numbers of a block come to, piece by piece. Integers are added up as such: the sum is the same whether pages are read or taken by what they
/// come to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Part {
    pub(super) n: usize,
    /// Of integers.
    pub(super) total: i128,
    /// Of numbers as they are.
    pub(super) plain: f64,
    pub(super) low: f64,
    pub(super) high: f64,
    pub(super) last: f64,
}

impl Part {
    /// Numbers as they are; `None` for none.
    pub(super) fn of(numbers: &[f64]) -> Option<Self> {
        let last = *numbers.last()?;
        let (mut totals, mut lows, mut highs) = ([0.0; LANES], [f64::INFINITY; LANES], [f64::NEG_INFINITY; LANES]);
        let (whole, rest) = numbers.as_chunks::<LANES>();
        let mut add = |lane: usize, number: f64| {
            totals[lane] += sum::bounded(number);
            lows[lane] = lows[lane].min(number);
            highs[lane] = highs[lane].max(number);
        };
        whole.iter().flat_map(|four| four.iter().enumerate()).for_each(|(lane, number)| add(lane, *number));
        rest.iter().enumerate().for_each(|(lane, number)| add(lane, *number));
        Some(Self {
            n: numbers.len(),
            total: 0,
            plain: totals.into_iter().sum(),
            low: lows.into_iter().fold(f64::INFINITY, f64::min),
            high: highs.into_iter().fold(f64::NEG_INFINITY, f64::max),
            last,
        })
    }

    /// Takes what comes after it.
    pub(super) fn then(&mut self, later: &Self) {
        self.n += later.n;
        self.total = self.total.wrapping_add(later.total);
        self.plain += later.plain;
        self.low = self.low.min(later.low);
        self.high = self.high.max(later.high);
        self.last = later.last;
    }

    /// With the key of the last of them. Integers have a number of decimals.
    pub(super) fn sum(&self, decimals: Option<u8>, last_key: i64) -> Option<Sum> {
        let total = match decimals {
            Some(decimals) => scale::total(self.total, scale::power(decimals)?),
            None => self.plain,
        };
        Some(Sum { n: i64::try_from(self.n).ok()?, total, low: self.low, high: self.high, last: self.last, last_key })
    }
}
