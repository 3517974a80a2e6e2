//! Readings of one series, packed: times and numbers as two columns of the crate `pco`.
//!
//! ```text
//! byte 0      what it is: 1 points, 2 sums
//! byte 1      of points, what the times are: 0 all said by the device, 1 all those of arrival, 2 mixed
//! bytes 2–5   how many, little endian
//! bytes 6–9   checksum of everything but itself
//! then        the columns, each a header, a chunk and a page of pco's wrapped format; before numbers a byte: digits after the point of scaled
//!             integers, or 255 for numbers as they are
//! ```
//!
//! What is packed comes back to the last bit.

use column::{Reader, Writer};
pub use point::Point;
pub use sum::{Sum, decode_sums, encode_sums};

/// Columns one after the other.
mod column;
/// A number at a moment.
mod point;
/// Numbers as integers with a common number of decimals.
mod scale;
/// What readings come to.
mod sum;

#[cfg(test)]
mod tests;

/// The first byte of what [`encode`] makes.
const FORMAT: u8 = 1;
/// More points are in no block; room for them would be made before anything of them is read.
pub const MAX_POINTS: usize = 1 << 22;

/// Why something that was packed cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CodecError {
    /// It is shorter than its head says.
    #[error("a block of {0} bytes is cut off")]
    CutOff(usize),
    /// A newer version wrote it, or it is something else.
    #[error("a block of format {0} is not known")]
    Format(u8),
    /// Its bytes are not those that were written.
    #[error("a block is damaged: {0}")]
    Damaged(String),
}

/// Packs points that are in order.
///
/// # Panics
/// With more than [`MAX_POINTS`] points.
#[must_use]
pub fn encode(points: &[Point]) -> Vec<u8> {
    let times = Times::of(points);
    let mut out = Writer::new(FORMAT, times as u8, points.len());
    out.ticking(&points.iter().map(|point| times.mark(point)).collect::<Vec<_>>());
    out.numbers(&points.iter().map(|point| point.value).collect::<Vec<_>>());
    out.finish()
}

/// The points that were packed.
///
/// # Errors
/// [`CodecError`] for everything that [`encode`] did not make.
pub fn decode(data: &[u8]) -> Result<Vec<Point>, CodecError> {
    let mut columns = Reader::new(data, FORMAT)?;
    let times = Times::parse(columns.kind).ok_or_else(|| CodecError::Damaged(format!("times of kind {}", columns.kind)))?;
    let (marks, values) = (columns.integers()?, columns.numbers()?);
    Ok(marks.into_iter().zip(values).map(|(mark, value)| times.point(mark, value)).collect())
}

/// What stands for a time: most series need no word on who said it.
#[derive(Clone, Copy)]
enum Times {
    Device = 0,
    Arrival = 1,
    Mixed = 2,
}

impl Times {
    fn of(points: &[Point]) -> Self {
        let said = points.iter().filter(|point| point.is_device_time()).count();
        match said {
            n if n == points.len() => Self::Device,
            0 => Self::Arrival,
            _ => Self::Mixed,
        }
    }

    const fn parse(byte: u8) -> Option<Self> {
        match byte {
            0 => Some(Self::Device),
            1 => Some(Self::Arrival),
            2 => Some(Self::Mixed),
            _ => None,
        }
    }

    const fn mark(self, point: &Point) -> i64 {
        match self {
            Self::Device | Self::Arrival => point.taken_at(),
            Self::Mixed => point.key(),
        }
    }

    fn point(self, mark: i64, value: f64) -> Point {
        match self {
            Self::Device => Point::new(mark, true, value),
            Self::Arrival => Point::new(mark, false, value),
            Self::Mixed => Point::of_key(mark, value),
        }
    }
}
