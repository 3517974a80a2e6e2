//! Answers about times of which not every reading is kept any more.

use std::collections::HashMap;

use domain::downsample::Grid;
use domain::history::{Range, Resolution};
use domain::time::Timestamp;
use sqlx::sqlite::SqliteConnection;

use super::floor::Floor;
use super::history::{self, Asked, Columns};
use super::hot::View;
use super::hours::{self, Span};
use crate::store::StoreError;
use crate::store::codec::Sum;

/// Answers for those of some series that have something in the range which is kept in minutes or hours only; and the others, which have not.
///
/// Such an answer has no rows that are finer than that, anywhere, and begins and ends with whole minutes or hours where there is nothing else.
pub(super) async fn answer(
    connection: &mut SqliteConnection,
    view: &View,
    series: &[i64],
    asked: &Asked,
) -> Result<(HashMap<i64, Columns>, Vec<i64>), StoreError> {
    let (mut found, mut others) = (HashMap::new(), vec![]);
    for &series in series {
        let floor = Floor::of(&view.floors, series);
        match finest(connection, view, series, floor, asked.range).await? {
            Some(span) => {
                found.insert(series, summed(connection, view, series, &coarser(asked, floor, span)).await?);
            }
            None => others.push(series),
        }
    }
    Ok((found, others))
}

/// What is true of the whole range; `None` where every reading is kept.
async fn finest(connection: &mut SqliteConnection, view: &View, series: i64, floor: Floor, range: Range) -> Result<Option<Span>, StoreError> {
    let (from, to) = (range.from.as_ms(), range.to.as_ms());
    if from >= floor.raw_from || from >= to {
        return Ok(None);
    }
    let part = |span: Span, end: i64| (down(from, span), up(to, span).min(end));
    if hours::is_any(connection, view.generation, Span::Hour, series, part(Span::Hour, floor.minutes_from)).await? {
        return Ok(Some(Span::Hour));
    }
    let minutes = part(Span::Minute, floor.raw_from);
    let is_there = hours::is_any(connection, view.generation, Span::Minute, series, minutes).await?
        // Readings that take no more room than their minutes would.
        || !history::extents(connection, view, &[series], minutes).await?.is_empty();
    Ok(is_there.then_some(Span::Minute))
}

/// The same question, so that it can be answered from whole spans.
fn coarser(asked: &Asked, floor: Floor, span: Span) -> Asked {
    // An end where readings are kept is kept to.
    let end = |at: Timestamp, round: fn(i64, Span) -> i64| {
        let at = at.as_ms();
        Timestamp::from_ms(floor.span(at).map_or(at, |span| round(at, span)))
    };
    let ms = match asked.resolution {
        Resolution::Raw => 1,
        Resolution::BucketMs(ms) => ms,
    };
    let (grid, ms) = match &asked.grid {
        Grid::Starts(starts) if ms >= span.ms() => {
            // Hours do not fit a clock that is half an hour off: buckets begin with the hour before then.
            let mut starts: Vec<i64> = starts.iter().map(|start| down(*start, span)).collect();
            starts.dedup();
            (Grid::Starts(starts), ms)
        }
        _ => (Grid::Even(up(ms, span)), up(ms, span)),
    };
    Asked { range: Range { from: end(asked.range.from, down), to: end(asked.range.to, up) }, grid, resolution: Resolution::BucketMs(ms) }
}

/// Hours, where buckets are made of them, and at the edges minutes, blocks and memory; those alone otherwise.
async fn summed(connection: &mut SqliteConnection, view: &View, series: i64, asked: &Asked) -> Result<Columns, StoreError> {
    let range = (asked.range.from.as_ms(), asked.range.to.as_ms());
    let mut from_hours = history::from_hours(connection, view, &[series], range, asked).await?;
    let (columns, left) = match from_hours.remove(&series).zip(history::whole_hours(range, &asked.grid)) {
        Some((columns, inner)) => (columns, vec![(range.0, inner.0), (inner.1, range.1)]),
        None => {
            let blocks = history::extents(connection, view, &[series], range).await?.remove(&series).unwrap_or_default();
            (history::summed(connection, view, series, &blocks, range, asked).await?, vec![range])
        }
    };
    let mut minutes: Vec<(i64, Sum)> = vec![];
    for part in left.into_iter().filter(|part| part.0 < part.1) {
        let found = hours::list(connection, view.generation, Span::Minute, &[series], part).await?;
        minutes.extend(found.into_iter().map(|(_, at, sum)| (asked.grid.bucket(at).0, sum)));
    }
    Ok(columns.after(minutes))
}

fn down(at: i64, span: Span) -> i64 {
    at.div_euclid(span.ms()) * span.ms()
}

fn up(at: i64, span: Span) -> i64 {
    down(at.saturating_add(span.ms() - 1), span)
}
