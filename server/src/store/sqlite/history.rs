use std::collections::{BTreeMap, HashMap};

use domain::downsample;
use domain::entity::EntityId;
use domain::history::{Range, Resolution, Series};
use domain::time::Timestamp;
use sqlx::sqlite::SqliteConnection;

use super::due;
use super::pace::Pace;
use super::reading::{self, Spans};
use super::rollup::{self, LEVELS, Level, Sum};
use crate::store::StoreError;

/// First and last moment that is looked for: those of JavaScript. Past them are only broken clocks, and sums of times that overflow.
const ENDS_MS: (i64, i64) = (-8_640_000_000_000_000, 8_640_000_000_000_000);

/// Rows of one series in order of time.
#[derive(Debug)]
pub(super) struct Columns {
    resolution: Resolution,
    rows: Vec<(i64, Sum)>,
}

impl Columns {
    /// The rows as a series of `entity`.
    pub(super) fn series(&self, entity: EntityId) -> Series {
        let column = |value: fn(&Sum) -> f64| self.rows.iter().map(|(_, sum)| value(sum)).collect();
        Series {
            entity,
            resolution: self.resolution,
            t: self.rows.iter().map(|(at, _)| Timestamp::from_ms(*at)).collect(),
            min: column(|sum| sum.low),
            mean: column(Sum::mean),
            max: column(|sum| sum.high),
            last: column(|sum| sum.last),
            n: self.rows.iter().map(|(_, sum)| u32::try_from(sum.n).unwrap_or(u32::MAX)).collect(),
        }
    }
}

/// Every reading of the series that have no more than `points` of them in the range, at most `points` buckets of the others.
pub(super) async fn points(
    connection: &mut SqliteConnection,
    series: &[i64],
    range: Range,
    points: usize,
) -> Result<HashMap<i64, Columns>, StoreError> {
    let range = within_ends(range);
    let due = due::list(connection).await?;
    let mut counts: HashMap<i64, i64> = HashMap::new();
    let mut spans: HashMap<i64, Spans> = HashMap::new();
    // One count of everything, by the coarsest means: it also says where the readings of a series lie.
    for piece in pieces(range, &LEVELS, &due) {
        let counted = |series, at, sum: Sum| {
            *counts.entry(series).or_default() += sum.n;
            let end = piece.level.map_or(at + 1, |level| at + level.len_ms());
            spans.entry(series).or_default().push((at, end));
        };
        read(connection, series, &piece, counted).await?;
    }
    let limit = i64::try_from(points).unwrap_or(i64::MAX);
    let (few, many): (Vec<i64>, Vec<i64>) = series.iter().partition(|key| counts.get(key).is_none_or(|&n| n <= limit));

    let mut found = HashMap::new();
    if !many.is_empty() {
        found.extend(buckets_but(&due, connection, &many, range, downsample::bucket_ms(range, points)).await?);
    }
    let spans = merged(few.iter().filter_map(|key| spans.remove(key)).flatten().collect());
    found.extend(singles(&due, connection, &few, spans).await?);
    Ok(found)
}

/// Every reading of some series in some spans, which may be as long as an hour.
async fn singles(due: &[i64], connection: &mut SqliteConnection, series: &[i64], spans: Spans) -> Result<HashMap<i64, Columns>, StoreError> {
    // A series with few readings may have them anywhere: what lies between is passed over by means of the finer roll-up.
    let level = Level::FiveMinutes;
    let mut narrow = Spans::new();
    let (mut whole, mut rest) = (Spans::new(), Spans::new());
    for (from, to) in spans {
        let (first, end) = (ceil(from, level.len_ms()), rollup::start(to, level.len_ms()));
        if first < end {
            rest.extend([(from, first), (end, to)].into_iter().filter(|(from, to)| from < to));
            whole.push((first, end));
        } else {
            rest.push((from, to));
        }
    }
    if !whole.is_empty() {
        rollup::list(connection, level, series, &whole, |_, at, _| narrow.push((at, at + level.len_ms()))).await?;
        let lacking = due.iter().filter(|&&at| whole.iter().any(|&(from, to)| from <= at && at < to));
        narrow.extend(lacking.map(|&at| (at, at + level.len_ms())));
    }
    narrow.extend(rest);

    let mut rows: HashMap<i64, Vec<(i64, Sum)>> = HashMap::new();
    let mut pace = Pace::through(merged(narrow), None);
    while let Some(spans) = pace.next() {
        reading::list_numbers(connection, series, &spans, |series, taken_at, n, number| {
            rows.entry(series).or_default().push((taken_at, Sum::of(number, taken_at, n)));
        })
        .await?;
    }
    let sorted = |(series, mut rows): (i64, Vec<(i64, Sum)>)| {
        rows.sort_unstable_by_key(|(_, sum)| sum.last_at);
        (series, Columns { resolution: Resolution::Raw, rows })
    };
    Ok(rows.into_iter().map(sorted).collect())
}

/// Buckets of `bucket_ms`; the first and the last hold only what lies in the range.
pub(super) async fn buckets(
    connection: &mut SqliteConnection,
    series: &[i64],
    range: Range,
    bucket_ms: i64,
) -> Result<HashMap<i64, Columns>, StoreError> {
    let due = due::list(connection).await?;
    buckets_but(&due, connection, series, range, bucket_ms).await
}

/// As [`buckets`], given the spans that roll-ups lack.
async fn buckets_but(
    due: &[i64],
    connection: &mut SqliteConnection,
    series: &[i64],
    range: Range,
    bucket_ms: i64,
) -> Result<HashMap<i64, Columns>, StoreError> {
    let fitting: Vec<Level> = LEVELS.into_iter().filter(|level| bucket_ms % level.len_ms() == 0).collect();
    let mut sums: HashMap<i64, BTreeMap<i64, Sum>> = HashMap::new();
    for piece in pieces(within_ends(range), &fitting, due) {
        let add = |series, at, sum: Sum| {
            let bucket = sums.entry(series).or_default().entry(rollup::start(at, bucket_ms));
            bucket.and_modify(|known| known.add(&sum)).or_insert(sum);
        };
        read(connection, series, &piece, add).await?;
    }
    let columns = |sums: BTreeMap<i64, Sum>| Columns { resolution: Resolution::BucketMs(bucket_ms), rows: sums.into_iter().collect() };
    Ok(sums.into_iter().map(|(series, sums)| (series, columns(sums))).collect())
}

/// A piece of a range and what to read it from: roll-ups, or single readings where it begins or ends within a bucket or roll-ups lack something.
#[derive(Debug, PartialEq, Eq)]
struct Piece {
    level: Option<Level>,
    span: (i64, i64),
}

/// The range in pieces, in order of time, each of the coarsest level that fits and is not `due`.
fn pieces(range: Range, levels: &[Level], due: &[i64]) -> Vec<Piece> {
    let mut out = vec![];
    cut((range.from.as_ms(), range.to.as_ms()), levels, due, &mut out);
    out
}

fn cut((from, to): (i64, i64), levels: &[Level], due: &[i64], out: &mut Vec<Piece>) {
    if from >= to {
        return;
    }
    let Some((&level, finer)) = levels.split_first() else {
        out.push(Piece { level: None, span: (from, to) });
        return;
    };
    let (first, end) = (ceil(from, level.len_ms()), rollup::start(to, level.len_ms()));
    if first >= end {
        return cut((from, to), finer, due, out);
    }
    let mut lacking: Vec<i64> = due.iter().map(|&at| rollup::start(at, level.len_ms())).filter(|at| (first..end).contains(at)).collect();
    lacking.dedup();
    cut((from, first), finer, due, out);
    let mut at = first;
    for lacking in lacking {
        if at < lacking {
            out.push(Piece { level: Some(level), span: (at, lacking) });
        }
        at = lacking + level.len_ms();
        cut((lacking, at), finer, due, out);
    }
    if at < end {
        out.push(Piece { level: Some(level), span: (at, end) });
    }
    cut((end, to), finer, due, out);
}

/// Reads a piece: series, start of a bucket or moment of a reading, and what it comes to.
async fn read(connection: &mut SqliteConnection, series: &[i64], piece: &Piece, mut each: impl FnMut(i64, i64, Sum)) -> Result<(), StoreError> {
    let mut pace = Pace::through(vec![piece.span], piece.level);
    while let Some(spans) = pace.next() {
        match piece.level {
            Some(level) => rollup::list(connection, level, series, &spans, &mut each).await?,
            None => {
                reading::list_numbers(connection, series, &spans, |series, taken_at, n, number| {
                    each(series, taken_at, Sum::of(number, taken_at, n));
                })
                .await?;
            }
        }
    }
    Ok(())
}

/// Spans in order, with those that touch or overlap made one.
fn merged(mut spans: Spans) -> Spans {
    spans.sort_unstable();
    let mut out = Spans::with_capacity(spans.len());
    for (from, to) in spans {
        match out.last_mut() {
            Some((_, end)) if from <= *end => *end = to.max(*end),
            _ => out.push((from, to)),
        }
    }
    out
}

/// The first start of a bucket that is not before `at`.
fn ceil(at: i64, len_ms: i64) -> i64 {
    rollup::start(at.saturating_add(len_ms - 1), len_ms)
}

fn within_ends(range: Range) -> Range {
    let end = |at: Timestamp| Timestamp::from_ms(at.as_ms().clamp(ENDS_MS.0, ENDS_MS.1));
    Range { from: end(range.from), to: end(range.to) }
}
