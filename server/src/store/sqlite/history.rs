use std::collections::HashMap;

use domain::downsample::Grid;
use domain::entity::EntityId;
use domain::history::{Range, Resolution, Series};
use domain::time::{HOUR_MS, Timestamp};
use sqlx::sqlite::SqliteConnection;

use super::block::{self, Head};
use super::buckets::{Buckets, bucket_around, within};
use super::divided;
use super::extent::{self, Extent};
use super::hot::View;
use super::hours::{self, Span};
use super::older;
use super::pace::Pace;
use super::reading::ENDS_MS;
use crate::store::StoreError;
use crate::store::codec::Point;
use crate::store::codec::Sum;

/// Blocks that a statement reads.
const BLOCKS: usize = 64;
/// Heads that a statement reads.
const HEADS: usize = 512;
/// Series whose hours a statement reads.
const HOURS_SERIES: usize = 8;

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
            t: self.rows.iter().map(|(at, _)| Timestamp::from_ms(*at)).collect(),
            min: column(|sum| sum.low),
            mean: column(Sum::mean),
            max: column(|sum| sum.high),
            last: column(|sum| sum.last),
            n: self.rows.iter().map(|(_, sum)| u32::try_from(sum.n).unwrap_or(u32::MAX)).collect(),
            ..Series::empty(entity, self.resolution)
        }
    }

    /// With what spans of the past come to, by the beginning of their bucket: at the same moment the rows here came later.
    pub(super) fn after(mut self, spans: impl IntoIterator<Item = (i64, Sum)>) -> Self {
        let mut buckets = Buckets::default();
        spans.into_iter().for_each(|(start, sum)| buckets.add(start, &sum));
        self.rows.iter().for_each(|(start, sum)| buckets.add(*start, sum));
        self.rows = buckets.rows();
        self
    }
}

/// Which buckets to answer with.
#[derive(Debug)]
pub(super) struct Asked {
    /// Within the ends of time.
    pub(super) range: Range,
    pub(super) grid: Grid,
    pub(super) resolution: Resolution,
}

/// Every reading of the series that have no more than `points` of them in the range, buckets of the others.
pub(super) async fn points(
    connection: &mut SqliteConnection,
    view: &View,
    series: &[i64],
    asked: &Asked,
    points: usize,
) -> Result<HashMap<i64, Columns>, StoreError> {
    let range = (asked.range.from.as_ms(), asked.range.to.as_ms());
    let (older, series) = older::answer(connection, view, series, asked).await?;
    let mut found = from_hours(connection, view, &series, range, asked).await?;
    // Exact, so that it says who has few readings.
    found.retain(|_, columns| columns.rows.iter().map(|(_, sum)| usize::try_from(sum.n).unwrap_or(usize::MAX)).sum::<usize>() > points);
    let left: Vec<i64> = series.iter().copied().filter(|key| !found.contains_key(key)).collect();
    let mut extents = extents(connection, view, &left, range).await?;
    for key in left {
        let blocks = extents.remove(&key).unwrap_or_default();
        let columns = match raw(connection, view, key, &blocks, range, points).await? {
            Some(columns) => columns,
            None => summed(connection, view, key, &blocks, range, asked).await?,
        };
        found.insert(key, columns);
    }
    found.extend(older);
    Ok(found)
}

/// Buckets; the first and the last hold only what lies in the range.
pub(super) async fn buckets(
    connection: &mut SqliteConnection,
    view: &View,
    series: &[i64],
    asked: &Asked,
) -> Result<HashMap<i64, Columns>, StoreError> {
    let range = (asked.range.from.as_ms(), asked.range.to.as_ms());
    let (older, series) = older::answer(connection, view, series, asked).await?;
    let mut found = from_hours(connection, view, &series, range, asked).await?;
    let left: Vec<i64> = series.iter().copied().filter(|key| !found.contains_key(key)).collect();
    let mut extents = extents(connection, view, &left, range).await?;
    for key in left {
        let blocks = extents.remove(&key).unwrap_or_default();
        found.insert(key, summed(connection, view, key, &blocks, range, asked).await?);
    }
    found.extend(older);
    Ok(found)
}

/// The whole hours of a range; nothing when there is none, or `grid` has buckets that are not made of whole hours.
pub(super) fn whole_hours(range: (i64, i64), grid: &Grid) -> Option<(i64, i64)> {
    let inner = (range.0.saturating_add(HOUR_MS - 1).div_euclid(HOUR_MS) * HOUR_MS, range.1.div_euclid(HOUR_MS) * HOUR_MS);
    (inner.0 < inner.1 && grid.is_made_of(HOUR_MS)).then_some(inner)
}

/// Buckets that are made of whole hours, for series of any length; nothing when the buckets are not, or the range holds no whole hour.
pub(super) async fn from_hours(
    connection: &mut SqliteConnection,
    view: &View,
    series: &[i64],
    range: (i64, i64),
    asked: &Asked,
) -> Result<HashMap<i64, Columns>, StoreError> {
    let Some(inner) = whole_hours(range, &asked.grid).filter(|_| !series.is_empty()) else { return Ok(HashMap::new()) };
    let mut buckets: HashMap<i64, Buckets> = series.iter().map(|key| (*key, Buckets::default())).collect();
    for some in series.chunks(HOURS_SERIES) {
        for (key, at, sum) in hours::list(connection, view.generation, Span::Hour, some, inner).await? {
            buckets.entry(key).or_default().add(asked.grid.bucket(at).0, &sum);
        }
    }
    // Hours do not hold what is in a short last block.
    let ends: Vec<(i64, i64)> = series.iter().map(|key| (*key, i64::MAX)).collect();
    let mut left: Vec<(Head, (i64, i64))> =
        block::at(connection, view.generation, &ends).await?.into_iter().filter(Head::is_short).map(|head| (head, inner)).collect();
    for edge in [(range.0, inner.0), (inner.1, range.1)] {
        if edge.0 < edge.1 {
            left.extend(heads(connection, view, series, edge).await?.into_values().flatten().map(|head| (head, edge)));
        }
    }
    left.retain(|(head, span)| !buckets.entry(head.series).or_default().add_head(&asked.grid, *span, head));
    left.sort_unstable_by_key(|(head, span)| (head.series, head.start_at, *span));
    for left in left.chunks(BLOCKS) {
        let ids: Vec<i64> = left.iter().map(|(head, _)| head.data_id).collect();
        let read = block::read(connection, &ids).await?;
        for (head, span) in left {
            let points = read.get(&head.data_id).map(Vec::as_slice).unwrap_or_default();
            buckets.entry(head.series).or_default().add_points(&asked.grid, *span, points);
        }
    }
    for (key, buckets) in &mut buckets {
        for points in view.points(*key) {
            buckets.add_points(&asked.grid, range, points);
        }
    }
    Ok(buckets.into_iter().map(|(key, buckets)| (key, Columns { resolution: asked.resolution, rows: buckets.rows() })).collect())
}

/// The heads of all blocks that have something in the range, by series and in order of time.
pub(super) async fn heads(
    connection: &mut SqliteConnection,
    view: &View,
    series: &[i64],
    range: (i64, i64),
) -> Result<HashMap<i64, Vec<Head>>, StoreError> {
    let mut found: HashMap<i64, Vec<Head>> = HashMap::new();
    let mut pace = Pace::through(range, series.len());
    let mut is_first = true;
    while let Some(slice) = pace.next() {
        // What begins before the range may reach into it; what begins before a later slice was found by the one before.
        for head in block::list(connection, view.generation, series, slice, is_first).await? {
            if head.end_at() >= range.0 {
                found.entry(head.series).or_default().push(head);
            }
        }
        is_first = false;
    }
    Ok(found)
}

/// Where all blocks lie that have something in the range, by series and in order of time.
pub(super) async fn extents(
    connection: &mut SqliteConnection,
    view: &View,
    series: &[i64],
    range: (i64, i64),
) -> Result<HashMap<i64, Vec<Extent>>, StoreError> {
    let mut found: HashMap<i64, Vec<Extent>> = HashMap::new();
    let mut pace = Pace::through(range, series.len());
    let mut is_first = true;
    while let Some(slice) = pace.next() {
        // As with heads.
        for extent in extent::list(connection, view.generation, series, slice, is_first).await? {
            if extent.end_at() >= range.0 {
                found.entry(extent.series).or_default().push(extent);
            }
        }
        is_first = false;
    }
    Ok(found)
}

/// Every reading of a series, if there are no more than `most`.
async fn raw(
    connection: &mut SqliteConnection,
    view: &View,
    series: i64,
    blocks: &[Extent],
    range: (i64, i64),
    most: usize,
) -> Result<Option<Columns>, StoreError> {
    let is_whole = |block: &&Extent| block.start_at >= range.0 && block.end_at() < range.1;
    let n_hot: usize = view.points(series).map(|points| within(range, points).len()).sum();
    let n_whole: i64 = blocks.iter().filter(is_whole).map(|block| block.n).sum();
    if n_hot.saturating_add(usize::try_from(n_whole).unwrap_or(usize::MAX)) > most {
        return Ok(None);
    }
    let mut all: Vec<Point> = vec![];
    for blocks in blocks.chunks(BLOCKS) {
        let ids: Vec<i64> = blocks.iter().map(|block| block.data_id).collect();
        let found = block::read(connection, &ids).await?;
        for points in ids.iter().filter_map(|id| found.get(id)) {
            all.extend_from_slice(within(range, points));
        }
    }
    for points in view.points(series) {
        all.extend_from_slice(within(range, points));
    }
    if all.len() > most {
        return Ok(None);
    }
    // Lists in order one after the other, of which the later came later.
    all.sort_by_key(Point::key);
    Ok(Some(Columns { resolution: Resolution::Raw, rows: all.iter().map(|point| (point.taken_at(), Sum::of(point))).collect() }))
}

/// Buckets of a series from blocks and memory.
pub(super) async fn summed(
    connection: &mut SqliteConnection,
    view: &View,
    series: i64,
    blocks: &[Extent],
    range: (i64, i64),
    asked: &Asked,
) -> Result<Columns, StoreError> {
    let mut buckets = Buckets::default();
    let is_whole = |block: &Extent| bucket_around(&asked.grid, range, (block.start_at, block.end_at())).is_some();
    let (whole, divided): (Vec<Extent>, Vec<Extent>) = blocks.iter().partition(|block| is_whole(block));
    for some in whole.chunks(HEADS) {
        let starts: Vec<(i64, i64)> = some.iter().map(|block| (block.series, block.start_at)).collect();
        for head in block::known(connection, view.generation, &starts).await? {
            buckets.add_head(&asked.grid, range, &head);
        }
    }
    divided::add(connection, &divided, range, &asked.grid, &mut buckets).await?;
    for points in view.points(series) {
        buckets.add_points(&asked.grid, range, points);
    }
    Ok(Columns { resolution: asked.resolution, rows: buckets.rows() })
}

/// The part of a range that can hold anything.
pub(super) fn within_ends(range: Range) -> Range {
    let end = |at: Timestamp| Timestamp::from_ms(at.as_ms().clamp(ENDS_MS.0, ENDS_MS.1));
    Range { from: end(range.from), to: end(range.to) }
}
