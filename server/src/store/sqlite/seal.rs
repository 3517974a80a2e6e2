//! From hot readings to blocks: which blocks they go to, and where those are cut.

use std::collections::HashMap;
use std::sync::Arc;

use sqlx::sqlite::SqliteConnection;

use super::block::{self, Head, Packed};
use super::floor::{Floor, Floors};
use super::hours::{self, Gains, Span};
use crate::store::StoreError;
use crate::store::codec::Sum;
use crate::store::codec::{self, Point};

/// A block is full when it is about as long as this: SQLite lays the end of it into a page of 4 KiB of its own, and what is left of two of them fills
/// another but for a few bytes. Few long blocks have few heads, which long questions read all of.
const FULL_BYTES: usize = 6_108;
/// A block in the midst of others may grow to two pages, so that late readings do not make crumbs of it.
const MOST_BYTES: usize = 8_132;
/// Close enough to full.
const NEARLY_FULL_BYTES: usize = 5_972;
/// Most points of a block, however little they take: reading all of one costs about a sixth of a millisecond.
const FULL_POINTS: usize = 6_144;
/// Bytes of a point, before anything is known.
const GUESS: f64 = 1.5;
/// Looks for the place to cut.
const ATTEMPTS: usize = 3;

/// What the readings of some series change.
#[derive(Debug, Default)]
pub(super) struct Change {
    /// What is to be written.
    pub(super) packed: Vec<Packed>,
    /// Whose place it takes.
    pub(super) dead: Vec<Head>,
    /// What hours become of it.
    pub(super) hours: Vec<hours::Row>,
    /// What minutes become of it.
    pub(super) minutes: Vec<hours::Row>,
    /// Rows of hours and of minutes that nothing takes the place of.
    pub(super) gone: Vec<(Span, Vec<i64>)>,
}

/// Works out the blocks for some series and their new readings, which are in order. `next_id` is what full blocks are numbered from. What is older
/// than what a series is kept of goes to minutes and hours.
pub(super) async fn change(
    reader: &mut SqliteConnection,
    generation: i64,
    floors: &Floors,
    new: &[(i64, Arc<Vec<Point>>)],
    next_id: &mut i64,
) -> Result<Change, StoreError> {
    let mut change = Change::default();
    let (mut gains, mut minutes): (HashMap<i64, Gains>, HashMap<i64, Gains>) = (HashMap::new(), HashMap::new());
    let mut left: Vec<(i64, &[Point])> = vec![];
    for (series, points) in new {
        let floor = Floor::of(floors, *series);
        let (older, points) = points.split_at(points.partition_point(|point| point.taken_at() < floor.raw_from));
        if !older.is_empty() {
            hours::gain(Span::Hour, gains.entry(*series).or_default(), older);
            let told = older.partition_point(|point| point.taken_at() < floor.minutes_from);
            hours::gain(Span::Minute, minutes.entry(*series).or_default(), &older[told..]);
        }
        left.push((*series, points));
    }
    let firsts: Vec<(i64, i64)> = left.iter().filter_map(|(series, points)| Some((*series, points.first()?.taken_at()))).collect();
    let mut heads = block::at(reader, generation, &firsts).await?;
    for (series, points) in &left {
        let Some((first, last)) = points.first().zip(points.last()) else { continue };
        let place = heads.iter().position(|head| head.series == *series);
        let begin = place.map(|place| heads.swap_remove(place));
        // All blocks from the one that the first reading belongs to, or the very first; nearly always that is the last.
        let from = begin.map_or(i64::MIN, |head| head.start_at);
        let in_order = begin.is_some_and(|head| head.is_short() && head.end_at() < first.taken_at());
        let affected =
            if in_order { begin.into_iter().collect() } else { block::list(reader, generation, &[*series], (from, i64::MAX), false).await? };
        let mut maker = Maker {
            series: *series,
            generation: generation + 1,
            short_id: short_id(*series, &affected),
            next_id,
            out: &mut change,
            gains: gains.remove(series).unwrap_or_default(),
        };
        maker.merge(reader, affected, points, last.taken_at()).await?;
        if !maker.gains.is_empty() {
            gains.insert(*series, std::mem::take(&mut maker.gains));
        }
        // One after the other takes long where there are many.
        tokio::task::yield_now().await;
    }
    change.hours = hours::changed(reader, generation, Span::Hour, gains).await?;
    change.minutes = hours::changed(reader, generation, Span::Minute, minutes).await?;
    Ok(change)
}

struct Maker<'a> {
    series: i64,
    generation: i64,
    /// Where a last block that is short goes.
    short_id: i64,
    next_id: &'a mut i64,
    out: &'a mut Change,
    /// What comes into blocks that are not short and was in none before.
    gains: Gains,
}

impl Maker<'_> {
    /// Lays new readings into the blocks they belong to: each takes those up to where the next one begins.
    async fn merge(&mut self, reader: &mut SqliteConnection, blocks: Vec<Head>, new: &[Point], last_at: i64) -> Result<(), StoreError> {
        let mut left = new;
        for (idx, head) in blocks.iter().enumerate() {
            let next = blocks.get(idx + 1);
            let n = next.map_or(left.len(), |next| left.partition_point(|point| point.taken_at() < next.start_at));
            let (own, later) = left.split_at(n);
            left = later;
            if own.is_empty() {
                if head.start_at > last_at {
                    break;
                }
                continue;
            }
            // What comes after a full last block begins a new one.
            let n = if next.is_none() && !head.is_short() { own.partition_point(|point| point.taken_at() <= head.end_at()) } else { own.len() };
            let (within, after) = own.split_at(n);
            if !within.is_empty() {
                let known = block::read_one(reader, head.data_id).await?;
                self.out.dead.push(*head);
                let all = merged(known, within);
                if head.is_short() {
                    self.cut_last(&all);
                } else {
                    // It stays full: hours hold what it held, and gain the rest.
                    hours::gain(Span::Hour, &mut self.gains, within);
                    self.cut_even(&all);
                }
            }
            self.cut_last(after);
        }
        if blocks.is_empty() {
            self.cut_last(left);
        }
        Ok(())
    }

    /// Cuts the last readings of a series into full blocks; what is left over stays short.
    fn cut_last(&mut self, points: &[Point]) {
        let mut left = points;
        let mut guess = GUESS;
        while !left.is_empty() {
            let (n, data) = piece(left, &mut guess);
            let (own, later) = left.split_at(n);
            left = later;
            let is_short = left.is_empty() && data.len() < NEARLY_FULL_BYTES && n < FULL_POINTS;
            if !is_short {
                hours::gain(Span::Hour, &mut self.gains, own);
            }
            self.push(own, data, is_short);
        }
    }

    /// Cuts readings in the midst of others into blocks of about the same length.
    fn cut_even(&mut self, points: &[Point]) {
        let data = codec::encode(points);
        let n_pieces = if data.len() <= MOST_BYTES { 1 } else { data.len().div_ceil(FULL_BYTES) }.max(points.len().div_ceil(2 * FULL_POINTS));
        if n_pieces == 1 {
            return self.push(points, data, false);
        }
        let mut left = points;
        while !left.is_empty() {
            let (own, later) = left.split_at(whole_moments(left, points.len().div_ceil(n_pieces).min(left.len())));
            self.push(own, codec::encode(own), false);
            left = later;
        }
    }

    fn push(&mut self, points: &[Point], data: Vec<u8>, is_short: bool) {
        let data_id = if is_short {
            self.short_id
        } else {
            *self.next_id += 1;
            *self.next_id
        };
        if let (Some(first), Some(sum)) = (points.first(), Sum::all(points)) {
            let head = Head { series: self.series, start_at: first.taken_at(), sum, born: self.generation, data_id };
            self.out.packed.push(Packed { head, data });
        }
    }
}

/// Where the short last block of a series goes: it has two places of its own in turn, so that what is written again and again leaves no holes
/// between what stays.
fn short_id(series: i64, blocks: &[Head]) -> i64 {
    let first = -2 * series - 1;
    if blocks.iter().any(|head| head.data_id == first) { first - 1 } else { first }
}

/// How many points the next block takes, and it.
fn piece(left: &[Point], bytes_per_point: &mut f64) -> (usize, Vec<u8>) {
    let mut most = left.len().min(FULL_POINTS);
    let mut best: Option<(usize, Vec<u8>)> = None;
    for _ in 0..ATTEMPTS {
        let n = whole_moments(left, fitting(*bytes_per_point).min(most));
        let data = codec::encode(&left[..n]);
        #[expect(clippy::cast_precision_loss, reason = "both are small")]
        let measured = data.len() as f64 / n as f64;
        *bytes_per_point = measured;
        if data.len() > FULL_BYTES {
            most = n.saturating_sub(1).max(1);
            if best.is_none() || n == 1 {
                best = Some((n, data));
            }
            if n == 1 {
                break;
            }
        } else {
            let is_enough = data.len() >= NEARLY_FULL_BYTES || n >= most;
            best = Some((n, data));
            if is_enough {
                break;
            }
        }
    }
    best.unwrap_or_else(|| (left.len(), codec::encode(left)))
}

/// Points that take as many bytes as fit, with some room for what differs.
fn fitting(bytes_per_point: f64) -> usize {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "positive, and bounded next")]
    let n = ((FULL_BYTES + NEARLY_FULL_BYTES) as f64 / 2.0 / bytes_per_point.max(0.01)) as usize;
    n.clamp(16, FULL_POINTS)
}

/// The first place from `n` on where a moment ends: blocks share none.
fn whole_moments(points: &[Point], n: usize) -> usize {
    let Some(last) = n.checked_sub(1).and_then(|last| points.get(last)) else { return points.len() };
    n + points[n..].iter().take_while(|point| point.taken_at() == last.taken_at()).count()
}

/// Two lists in order as one. At the same moment the first list's come first.
fn merged(mut known: Vec<Point>, new: &[Point]) -> Vec<Point> {
    let in_order = known.last().zip(new.first()).is_none_or(|(last, first)| last.key() <= first.key());
    known.extend_from_slice(new);
    if !in_order {
        known.sort_by_key(Point::key);
    }
    known
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(points: &[Point], are_last: bool) -> Vec<(usize, usize, bool)> {
        let (mut change, mut next_id) = (Change::default(), 0);
        let mut maker = Maker { series: 3, generation: 1, short_id: -7, next_id: &mut next_id, out: &mut change, gains: Gains::new() };
        if are_last {
            maker.cut_last(points);
        } else {
            maker.cut_even(points);
        }
        let back: Vec<Point> = change.packed.iter().flat_map(|packed| codec::decode(&packed.data).unwrap()).collect();
        assert_eq!(back, points, "all of them, in order");
        change.packed.iter().map(|packed| (usize::try_from(packed.head.sum.n).unwrap(), packed.data.len(), packed.head.is_short())).collect()
    }

    fn noisy(n: i64) -> Vec<Point> {
        let mut random = fastrand::Rng::with_seed(1);
        (0..n).map(|i| Point::new(i * 10_000 + random.i64(0..60), true, f64::from(random.u8(..)) / 10.0)).collect()
    }

    #[test]
    fn blocks_fill_a_page_and_a_half_and_the_last_stays_short() {
        let blocks = cut(&noisy(20_000), true);
        let (last, full) = blocks.split_last().unwrap();
        assert!(full.len() > 4);
        assert!(full.iter().all(|(_, bytes, is_short)| (NEARLY_FULL_BYTES..=FULL_BYTES).contains(bytes) && !is_short), "{full:?}");
        assert!(last.2, "{last:?}");
    }

    #[test]
    fn what_takes_no_room_is_cut_by_number() {
        let points: Vec<Point> = (0..10_000).map(|i| Point::new(i * 1_000, true, 5.0)).collect();
        assert_eq!(cut(&points, true).iter().map(|block| (block.0, block.2)).collect::<Vec<_>>(), [(6_144, false), (3_856, true)]);
    }

    #[test]
    fn a_moment_is_never_cut() {
        let points: Vec<Point> = (0..20_000).map(|i| Point::new(i / 11_000, false, 1.0)).collect();
        assert_eq!(cut(&points, false).iter().map(|block| block.0).collect::<Vec<_>>(), [11_000, 9_000]);
    }

    #[test]
    fn numbers_that_do_not_compress_are_cut_too() {
        let mut random = fastrand::Rng::with_seed(1);
        let points: Vec<Point> = (0..3_000).map(|i| Point::new(random.i64(0..1 << 40), true, random.f64() * 10f64.powi(i % 200))).collect();
        let mut points = points;
        points.sort_by_key(Point::key);
        let blocks = cut(&points, false);
        assert!(blocks.iter().all(|(_, bytes, _)| *bytes <= MOST_BYTES), "{blocks:?}");
    }

    #[test]
    fn a_late_reading_makes_no_crumbs() {
        assert_eq!(cut(&noisy(1_200), false).len(), 1);
        let many = cut(&noisy(5_000), false);
        assert!(many.iter().all(|(_, bytes, _)| (FULL_BYTES / 2..=FULL_BYTES + 200).contains(bytes)), "{many:?}");
    }
}
