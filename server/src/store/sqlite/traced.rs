//! Answers for states and meters: what a span of them comes to depends on the order of the readings, and on the one before.

use std::collections::HashMap;

use domain::downsample::Grid;
use domain::entity::EntityId;
use domain::history::{Resolution, Series, SeriesKind};
use domain::time::{DAY_MS, HOUR_MS, Timestamp};
use sqlx::sqlite::SqliteConnection;

use super::block::{self, Head};
use super::buckets::within;
use super::duty::Duty;
use super::floor::Floor;
use super::history::{self, Asked};
use super::hot::View;
use super::hours::{self, Span};
use super::meter::Meter;
use super::runs;
use crate::store::StoreError;
use crate::store::codec::{Point, Run, Sum, Traced, is_on};

/// Blocks that a statement reads.
const BLOCKS: usize = 64;
/// How far the hour before a range is looked for.
const LOOKED_BACK_MS: i64 = 30 * DAY_MS;
/// More buckets than this are not filled with what held before.
const MOST_FILLED: i64 = 20_000;

/// What takes the readings of a series in order, and what some of them come to.
pub(super) trait Fold {
    /// Whether a reading that repeats the one before it changes nothing.
    const IS_STATE: bool;
    /// Nothing is known from this moment on.
    fn until(&self) -> i64;
    /// Takes the next reading.
    fn point(&mut self, point: &Point);
    /// Takes what the next readings come to, all of one bucket.
    fn span(&mut self, span: &Traced);
}

/// A reading, or a bucket.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row {
    /// Where it begins.
    pub(super) at: i64,
    /// Of states, `n` counts changes, and `total` means nothing.
    pub(super) sum: Sum,
    /// By how much a meter counted; for how many milliseconds a state was on.
    pub(super) more: f64,
    /// For how many milliseconds a state is known.
    pub(super) known_ms: i64,
}

/// The rows of one series.
#[derive(Debug)]
pub(super) struct Rows {
    kind: SeriesKind,
    resolution: Resolution,
    rows: Vec<Row>,
}

impl Rows {
    /// The rows as a series of `entity`.
    pub(super) fn series(&self, entity: EntityId) -> Series {
        let column = |value: fn(&Row) -> f64| self.rows.iter().map(value).collect::<Vec<f64>>();
        let is_state = self.kind == SeriesKind::Step;
        Series {
            entity,
            resolution: self.resolution,
            t: self.rows.iter().map(|row| Timestamp::from_ms(row.at)).collect(),
            min: column(|row| row.sum.low),
            mean: column(if is_state { share } else { |row| row.sum.mean() }),
            max: column(|row| row.sum.high),
            last: column(|row| row.sum.last),
            n: self.rows.iter().map(|row| u32::try_from(row.sum.n).unwrap_or(u32::MAX)).collect(),
            duty: if is_state { column(share) } else { vec![] },
            known_ms: if is_state { self.rows.iter().map(|row| row.known_ms).collect() } else { vec![] },
            increase: if is_state { vec![] } else { column(|row| row.more) },
        }
    }
}

/// The share of the known time in which a state was on; of no time, what it was.
#[expect(clippy::cast_precision_loss, reason = "no calendar has 2^53 milliseconds")]
fn share(row: &Row) -> f64 {
    match row.known_ms {
        0 => f64::from(u8::from(is_on(row.sum.last))),
        ms => row.more / ms as f64,
    }
}

/// Every reading of a meter or change of a state, where there are no more than `points` of them; otherwise, and without `points`, buckets. Nothing is
/// known of states after `now`.
pub(super) async fn answer(
    connection: &mut SqliteConnection,
    view: &View,
    (series, kind): (i64, SeriesKind),
    asked: &Asked,
    points: Option<usize>,
    now: i64,
) -> Result<Rows, StoreError> {
    let range = (asked.range.from.as_ms(), asked.range.to.as_ms());
    let nothing = Rows { kind, resolution: if points.is_some() { Resolution::Raw } else { asked.resolution }, rows: vec![] };
    if range.0 >= range.1 {
        return Ok(nothing);
    }
    if kind == SeriesKind::Counter
        && let Some(rows) = with_hours(connection, view, series, asked).await?
    {
        return Ok(rows);
    }
    let mut source = Source::open(connection, view, series, range).await?;
    let before = source.before(range.0).await?.map(|point| point.value);
    let (raw, rows) = if kind == SeriesKind::Step {
        let until = range.1.min(now).max(range.0);
        let mut duty = Duty::new(&asked.grid, (range.0, until), before, points);
        if points.is_none() && is_long(&asked.grid, range) {
            duty = duty.without_empty();
        }
        source.through(&asked.grid, points, &mut duty).await?;
        duty.done()
    } else {
        let mut meter = Meter::new(&asked.grid, before, points);
        source.through(&asked.grid, points, &mut meter).await?;
        meter.done()
    };
    Ok(match raw {
        Some(rows) => Rows { rows, ..nothing },
        None => Rows { kind, resolution: asked.resolution, rows },
    })
}

/// Buckets of a meter of which only hours are kept at the beginning of a range; `None` where its readings are there. What it counted within an hour is
/// told from where that led to: all of it, but for what a second new count in one hour takes away.
async fn with_hours(connection: &mut SqliteConnection, view: &View, series: i64, asked: &Asked) -> Result<Option<Rows>, StoreError> {
    let hour = |at: i64| at.div_euclid(HOUR_MS) * HOUR_MS;
    let (from, to) = (hour(asked.range.from.as_ms()), asked.range.to.as_ms());
    let cut = hour(Floor::of(&view.floors, series).raw_from);
    if from >= cut {
        return Ok(None);
    }
    let mut hours = hours::list(connection, view.generation, Span::Hour, &[series], (from - LOOKED_BACK_MS, to.min(cut))).await?;
    hours.sort_unstable_by_key(|(_, at, _)| *at);
    let (before, hours) = hours.split_at(hours.partition_point(|(_, at, _)| *at < from));
    if hours.is_empty() {
        return Ok(None);
    }
    let (grid, ms) = match (&asked.grid, asked.resolution) {
        (grid, Resolution::BucketMs(ms)) if grid.is_made_of(HOUR_MS) => (grid.clone(), ms),
        (_, Resolution::BucketMs(ms)) => (Grid::Even(hour(ms + HOUR_MS - 1)), hour(ms + HOUR_MS - 1)),
        (_, Resolution::Raw) => (Grid::Even(HOUR_MS), HOUR_MS),
    };
    let mut meter = Meter::new(&grid, before.last().map(|(_, _, sum)| sum.last), None);
    for (idx, (_, at, sum)) in hours.iter().enumerate() {
        // Up to the most it showed, and where that is not what it showed last, anew from zero.
        let lost = if sum.last < sum.high { sum.high } else { 0.0 };
        // Before the very first hour it showed nothing.
        let first = if idx == 0 && before.is_empty() && lost == 0.0 { sum.low } else { sum.high };
        meter.span(&Traced { sum: *sum, run: Run { first, first_key: at << 1, lost, on_ms: 0, changes: 0 } });
    }
    if cut < to {
        let source = Source::open(connection, view, series, (cut, to)).await?;
        source.through(&grid, None, &mut meter).await?;
    }
    Ok(Some(Rows { kind: SeriesKind::Counter, resolution: Resolution::BucketMs(ms), rows: meter.done().1 }))
}

fn is_long(grid: &Grid, range: (i64, i64)) -> bool {
    match grid {
        Grid::Even(ms) => range.1.saturating_sub(range.0) / ms > MOST_FILLED,
        Grid::Starts(_) => false,
    }
}

/// The readings of a series in a range.
struct Source<'a> {
    connection: &'a mut SqliteConnection,
    view: &'a View,
    series: i64,
    range: (i64, i64),
    /// Full blocks that reach into the range, in order.
    heads: Vec<Head>,
    /// What is in no full block, in order.
    loose: Vec<Point>,
}

impl<'a> Source<'a> {
    async fn open(connection: &'a mut SqliteConnection, view: &'a View, series: i64, range: (i64, i64)) -> Result<Self, StoreError> {
        let mut heads = history::heads(connection, view, &[series], range).await?.remove(&series).unwrap_or_default();
        let mut loose = vec![];
        // The last of its series: full blocks end before it.
        if let Some(short) = heads.pop_if(|head| head.is_short()) {
            let points = block::read_one(connection, short.data_id).await?;
            loose.extend_from_slice(within(range, &points));
        }
        for points in view.points(series) {
            loose.extend_from_slice(within(range, points));
        }
        // Lists in order one after the other, of which the later came later.
        loose.sort_by_key(Point::key);
        Ok(Self { connection, view, series, range, heads, loose })
    }

    /// The last reading before a moment.
    async fn before(&mut self, moment: i64) -> Result<Option<Point>, StoreError> {
        let mut last: Option<Point> = None;
        if let Some(head) = block::at(self.connection, self.view.generation, &[(self.series, moment.saturating_sub(1))]).await?.pop() {
            last = if head.end_at() < moment {
                Some(Point::of_key(head.sum.last_key, head.sum.last))
            } else {
                let points = block::read_one(self.connection, head.data_id).await?;
                points[..points.partition_point(|point| point.taken_at() < moment)].last().copied()
            };
        }
        for points in self.view.points(self.series) {
            let hot = points[..points.partition_point(|point| point.taken_at() < moment)].last();
            if let Some(hot) = hot.filter(|hot| last.is_none_or(|last| last.key() <= hot.key())) {
                last = Some(*hot);
            }
        }
        Ok(last)
    }

    /// Hands all readings to `fold`; blocks by their heads where nobody asks for more.
    async fn through(mut self, grid: &Grid, points: Option<usize>, fold: &mut impl Fold) -> Result<(), StoreError> {
        let heads = std::mem::take(&mut self.heads);
        let loose = std::mem::take(&mut self.loose);
        let known = self.known(&heads, &loose, grid, points, fold).await?;
        let mut left = &loose[..];
        for heads in heads.chunks(BLOCKS) {
            let ids: Vec<i64> = heads.iter().map(|head| head.data_id).filter(|id| !known.contains_key(id)).collect();
            let read = if ids.is_empty() { HashMap::new() } else { block::read(self.connection, &ids).await? };
            for head in heads {
                match known.get(&head.data_id) {
                    Some(known) => {
                        left = hand_on(left, &[], head.start_at << 1, fold);
                        match known {
                            Known::Span(span) => fold.span(span),
                            Known::State(point) => fold.point(point),
                        }
                    }
                    None => {
                        let points = read.get(&head.data_id).map(Vec::as_slice).unwrap_or_default();
                        left = hand_on(left, within(self.range, points), i64::MIN, fold);
                    }
                }
            }
        }
        hand_on(left, &[], i64::MAX, fold);
        Ok(())
    }

    /// The blocks that need not be read: those of one state, and, where there are more than `points` readings or changes in any case, those that lie
    /// in one bucket. What is in memory and falls into a block keeps it from being one of them.
    async fn known<F: Fold>(
        &mut self,
        heads: &[Head],
        loose: &[Point],
        grid: &Grid,
        points: Option<usize>,
        fold: &F,
    ) -> Result<HashMap<i64, Known>, StoreError> {
        let mut known = HashMap::new();
        let mut whole: Vec<&Head> = vec![];
        for head in heads {
            let is_mixed = loose[loose.partition_point(|point| point.taken_at() < head.start_at)..]
                .first()
                .is_some_and(|point| point.taken_at() <= head.end_at());
            if is_mixed {
                continue;
            }
            // What began before the range may have been interrupted there.
            if F::IS_STATE && head.start_at >= self.range.0 && head.sum.low.to_bits() == head.sum.high.to_bits() {
                known.insert(head.data_id, Known::State(Point::new(head.start_at, true, head.sum.last)));
            } else if head.start_at >= self.range.0 && head.end_at() < self.range.1.min(fold.until()) {
                whole.push(head);
            }
        }
        let is_in_one = |head: &&&Head| head.end_at() < grid.bucket(head.start_at).1;
        if !whole.iter().any(|head| is_in_one(&head)) {
            return Ok(known);
        }
        let ids: Vec<i64> = whole.iter().map(|head| head.data_id).collect();
        let runs = runs::list(self.connection, &ids).await?;
        let count = |head: &&Head| if F::IS_STATE { runs.get(&head.data_id).map_or(0, |run| run.changes) } else { head.sum.n };
        let n: i64 = whole.iter().map(count).sum();
        if points.is_some_and(|points| usize::try_from(n).unwrap_or(usize::MAX) <= points) {
            return Ok(known);
        }
        for head in whole.iter().filter(is_in_one) {
            if let Some(run) = runs.get(&head.data_id) {
                let run = Run { first_key: head.start_at << 1, ..*run };
                known.insert(head.data_id, Known::Span(Traced { sum: head.sum, run }));
            }
        }
        Ok(known)
    }
}

/// What is known of a block without reading it.
enum Known {
    /// All of it.
    Span(Traced),
    /// It says one thing from its beginning on.
    State(Point),
}

/// Hands on readings of a block, in order with loose ones that come before their last, or before `key` where there are none; returns the other loose
/// ones.
fn hand_on<'p>(loose: &'p [Point], block: &[Point], key: i64, fold: &mut impl Fold) -> &'p [Point] {
    let key = block.last().map_or(key, Point::key);
    let (own, later) = loose.split_at(loose.partition_point(|point| point.key() < key));
    let mut block = block.iter().peekable();
    for point in own {
        // At the same moment the block's came first.
        while let Some(first) = block.next_if(|first| first.key() <= point.key()) {
            fold.point(first);
        }
        fold.point(point);
    }
    block.for_each(|point| fold.point(point));
    later
}
