use super::column::Reader;
use super::sum::Sum;
use super::{CodecError, FORMAT, FORMAT_1, Times, decode};

/// Sums that go on side by side, so that one addition need not wait for another.
const LANES: usize = 4;

/// What the points of a block come to before the first of some moments in ascending order, between each two, and from the last of them on: one more
/// than there are moments, `None` where there is no point. `last_key` is [`super::Point::key`] of the block's last point. Far quicker than [`decode`]: times are
/// read only as far as the last of the moments.
///
/// # Errors
/// [`CodecError`] for everything that [`super::encode`] did not make.
pub fn divide(data: &[u8], moments: &[i64], last_key: i64) -> Result<Vec<Option<Sum>>, CodecError> {
    let mut columns = Reader::new(data, &[FORMAT, FORMAT_1])?;
    if columns.format == FORMAT_1 {
        let points = decode(data)?;
        let ends = moments.iter().map(|moment| points.partition_point(|point| point.taken_at() < *moment));
        return Ok(parts(&points, ends).map(Sum::all).collect());
    }
    let times = Times::of_kind(columns.kind)?;
    let numbers = columns.numbers()?;
    let bounds: Vec<i64> = moments.iter().map(|moment| times.first_mark(*moment)).collect();
    let ends = columns.count_below(&bounds)?;
    let keys = ends.iter().map(|(_, mark)| mark.map_or(last_key, |mark| times.point(mark, 0.0).key())).chain([last_key]);
    Ok(parts(&numbers, ends.iter().map(|(n, _)| *n)).zip(keys).map(|(part, key)| sum(part, key)).collect())
}

/// A list, cut at ascending places.
fn parts<T>(all: &[T], ends: impl Iterator<Item = usize>) -> impl Iterator<Item = &[T]> {
    let mut begin = 0;
    ends.chain([all.len()]).map(move |end| {
        let part = all.get(begin..end).unwrap_or_default();
        begin = end;
        part
    })
}

fn sum(numbers: &[f64], last_key: i64) -> Option<Sum> {
    let last = *numbers.last()?;
    let (mut totals, mut lows, mut highs) = ([0.0; LANES], [f64::INFINITY; LANES], [f64::NEG_INFINITY; LANES]);
    let (whole, rest) = numbers.as_chunks::<LANES>();
    let mut add = |lane: usize, number: f64| {
        totals[lane] += super::sum::bounded(number);
        lows[lane] = lows[lane].min(number);
        highs[lane] = highs[lane].max(number);
    };
    whole.iter().flat_map(|four| four.iter().enumerate()).for_each(|(lane, number)| add(lane, *number));
    rest.iter().enumerate().for_each(|(lane, number)| add(lane, *number));
    Some(Sum {
        n: i64::try_from(numbers.len()).ok()?,
        total: totals.into_iter().sum(),
        low: lows.into_iter().fold(f64::INFINITY, f64::min),
        high: highs.into_iter().fold(f64::NEG_INFINITY, f64::max),
        last,
        last_key,
    })
}
