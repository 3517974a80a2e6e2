use super::column::{Reader, Writer};
use super::{CodecError, Point};

/// The first byte of what [`encode_sums`] makes.
pub(super) const FORMAT: u8 = 2;
/// Larger numbers count as this much in a sum, so that no sum of theirs leaves the range of numbers.
const LARGEST_SUMMAND: f64 = 1e290;

/// A number as it counts in sums.
#[must_use]
pub(super) const fn bounded(number: f64) -> f64 {
    number.clamp(-LARGEST_SUMMAND, LARGEST_SUMMAND)
}

/// What some readings of one series come to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sum {
    /// How many.
    pub n: i64,
    /// Their sum.
    pub total: f64,
    /// The smallest.
    pub low: f64,
    /// The largest.
    pub high: f64,
    /// The last.
    pub last: f64,
    /// [`Point::key`] of the last.
    pub last_key: i64,
}

impl Sum {
    /// One reading.
    #[must_use]
    pub const fn of(point: &Point) -> Self {
        let number = point.value;
        Self { n: 1, total: bounded(number), low: number, high: number, last: number, last_key: point.key() }
    }

    /// Some readings; `None` for none.
    #[must_use]
    pub fn all(points: &[Point]) -> Option<Self> {
        let (first, rest) = points.split_first()?;
        let mut sum = Self::of(first);
        rest.iter().for_each(|point| sum.add(&Self::of(point)));
        Some(sum)
    }

    /// Both together. At the same moment the other counts as the later.
    pub fn add(&mut self, other: &Self) {
        self.n += other.n;
        self.total += other.total;
        self.low = self.low.min(other.low);
        self.high = self.high.max(other.high);
        if other.last_key >= self.last_key {
            (self.last, self.last_key) = (other.last, other.last_key);
        }
    }

    /// The mean; rounding never moves it past the smallest or the largest.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "no bucket holds 2^53 readings")]
    pub fn mean(&self) -> f64 {
        (self.total / self.n as f64).max(self.low).min(self.high)
    }
}

/// Packs sums of spans that each have a number, in order.
///
/// # Panics
/// With more than [`super::MAX_POINTS`] of them.
#[must_use]
pub fn encode_sums(sums: &[(i64, Sum)]) -> Vec<u8> {
    let integers = |of: fn(&(i64, Sum)) -> i64| sums.iter().map(of).collect::<Vec<i64>>();
    let numbers = |of: fn(&(i64, Sum)) -> f64| sums.iter().map(of).collect::<Vec<f64>>();
    let mut out = Writer::new(FORMAT, 0, sums.len());
    out.ticking(&integers(|(nth, _)| *nth));
    out.integers(&integers(|(_, sum)| sum.n));
    out.ticking(&integers(|(_, sum)| sum.last_key));
    out.numbers(&numbers(|(_, sum)| sum.total));
    out.numbers(&numbers(|(_, sum)| sum.low));
    out.numbers(&numbers(|(_, sum)| sum.high));
    out.numbers(&numbers(|(_, sum)| sum.last));
    out.finish()
}

/// The sums that were packed.
///
/// # Errors
/// [`CodecError`] for everything that [`encode_sums`] did not make.
pub fn decode_sums(data: &[u8]) -> Result<Vec<(i64, Sum)>, CodecError> {
    let mut columns = Reader::new(data, &[FORMAT])?;
    let (nths, ns, keys) = (columns.integers()?, columns.integers()?, columns.integers()?);
    let (totals, lows, highs, lasts) = (columns.numbers()?, columns.numbers()?, columns.numbers()?, columns.numbers()?);
    let sum = |idx: usize| Sum { n: ns[idx], total: totals[idx], low: lows[idx], high: highs[idx], last: lasts[idx], last_key: keys[idx] };
    Ok(nths.into_iter().enumerate().map(|(idx, nth)| (nth, sum(idx))).collect())
}
