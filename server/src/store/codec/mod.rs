//! Readings of one series, packed: times and numbers as two columns of the crate `pco`.
//!
//! ```text
//! byte 0      what it is: 4 points, 2 sums; 3 and 1 points as earlier versions packed them
//! byte 1      of points, what the times are: 0 all said by the device, 1 all those of arrival, 2 mixed
//! bytes 2–5   how many, little endian
//! bytes 6–9   checksum of everything but itself
//! then        where there are any: points in pages; of sums their columns
//! ```
//!
//! A column of sums, and of points of earlier versions (3 the numbers first, 1 the times first), is a header, a chunk and a page of pco's wrapped format;
//! before numbers a byte: digits after the point of scaled integers, or 255 for numbers as they are.
//!
//! What is packed comes back to the last bit.

use column::Reader;
pub use divide::divide;
use paged::Paged;
pub use paged::Room;
pub use point::Point;
pub use sum::{Sum, decode_sums, encode_sums};
pub use traced::{Run, Traced, increase, is_on};

/// Columns one after the other.
mod column;
/// What parts of a block come to.
mod divide;
/// Points in pages.
mod paged;
/// A number at a moment.
mod point;
/// Numbers as integers with a common number of decimals.
mod scale;
/// What readings come to.
mod sum;
/// What readings in order come to.
mod traced;

#[cfg(test)]
mod tests;

/// The first byte of what [`encode`] makes.
const FORMAT: u8 = 4;
/// What it was before: each column in one piece, the numbers first.
const FORMAT_3: u8 = 3;
/// What it was at first: the times came first.
const FORMAT_1: u8 = 1;
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
    paged::encode(points)
}

/// The points that were packed.
///
/// # Errors
/// [`CodecError`] for everything that [`encode`] did not make.
pub fn decode(data: &[u8]) -> Result<Vec<Point>, CodecError> {
    let mut columns = Reader::new(data, &[FORMAT, FORMAT_3, FORMAT_1])?;
    if columns.n == 0 {
        return Ok(vec![]);
    }
    if columns.format == FORMAT {
        return Paged::open(Room::default().lay(columns.rest), columns.kind, columns.n)?.points();
    }
    let times = Times::of_kind(columns.kind)?;
    let (marks, values) = if columns.format == FORMAT_1 {
        (columns.integers()?, columns.numbers()?)
    } else {
        let values = columns.numbers()?;
        (columns.integers()?, values)
    };
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

    fn of_kind(byte: u8) -> Result<Self, CodecError> {
        match byte {
            0 => Ok(Self::Device),
            1 => Ok(Self::Arrival),
            2 => Ok(Self::Mixed),
            _ => Err(CodecError::Damaged(format!("times of kind {byte}"))),
        }
    }

    /// The least mark of a moment.
    const fn first_mark(self, taken_at: i64) -> i64 {
        match self {
            Self::Device | Self::Arrival => taken_at,
            Self::Mixed => taken_at.saturating_mul(2),
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
