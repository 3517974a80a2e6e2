//! Tables of history as they go out: read piece by piece while they are written, so that memory is bounded and nobody holds the database for as
//! long as a slow line takes.

use std::fmt::Write as _;
use std::future::Future;

use domain::entity::EntityId;
use domain::history::{MAX_POINTS, Range, Resolution, Series};
use domain::time::{DAY_MS, Timestamp};
use domain::words::Words;
use jiff::tz::TimeZone;

/// What the rows of a table are.
#[derive(Clone, Debug, PartialEq)]
pub enum Rows {
    /// Every reading.
    Every,
    /// At most so many of an entity: every reading where there are no more, buckets otherwise, which begin by the clock of a zone.
    Points(usize, Option<TimeZone>),
    /// Buckets of so many milliseconds, aligned to the epoch.
    Buckets(i64),
}

/// Where the rows of a table come from.
pub trait Source: Send {
    /// Why it failed.
    type Error: Send;
    /// The moment from which on single readings of an entity are kept.
    fn raw_from(&mut self, entity: &EntityId) -> impl Future<Output = Result<Timestamp, Self::Error>> + Send;
    /// At most `points` rows of an entity.
    fn points(
        &mut self,
        entity: &EntityId,
        range: Range,
        points: usize,
        zone: Option<&TimeZone>,
    ) -> impl Future<Output = Result<Option<Series>, Self::Error>> + Send;
    /// What an entity said in words, in about as many rows as `points` says at most; `None` from a source that has none.
    fn words(&mut self, _entity: &EntityId, _range: Range, _points: usize) -> impl Future<Output = Result<Option<Words>, Self::Error>> + Send {
        std::future::ready(Ok(None))
    }
    /// Buckets of an entity.
    fn buckets(&mut self, entity: &EntityId, range: Range, bucket_ms: i64) -> impl Future<Output = Result<Option<Series>, Self::Error>> + Send;
}

/// Rows of one entity, in order of time.
#[derive(Clone, Debug, PartialEq)]
pub enum Part {
    /// Numbers, and states as 1 and 0.
    Numbers(Series),
    /// Words, of an entity that has no numbers in the range.
    Words(Words),
}

/// A table that is being read.
#[derive(Debug)]
pub struct Table<S> {
    source: S,
    rows: Rows,
    /// What is still to be read, the first last. Words are asked for when an entity had no numbers.
    left: Vec<(EntityId, Range, Kind)>,
    /// The entity whose beginning is known.
    begun: Option<EntityId>,
    /// The last entity that had numbers.
    counted: Option<EntityId>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Numbers,
    Words,
}

impl<S: Source> Table<S> {
    /// A table of some entities, one after the other, each in its range.
    pub fn new(source: S, entities: impl DoubleEndedIterator<Item = (EntityId, Range)>, rows: Rows) -> Self {
        let both = |(entity, range): (EntityId, Range)| [(entity.clone(), range, Kind::Words), (entity, range, Kind::Numbers)];
        Self { source, rows, left: entities.rev().flat_map(both).collect(), begun: None, counted: None }
    }

    /// The next rows, at least one; `None` after the last.
    ///
    /// # Errors
    /// What the source says. The table cannot be read on.
    pub async fn next(&mut self) -> Result<Option<Part>, S::Error> {
        while let Some((entity, range, kind)) = self.left.pop() {
            if kind == Kind::Words {
                if let Some(words) = self.words(&entity, range).await? {
                    return Ok(Some(Part::Words(words)));
                }
                continue;
            }
            let series = match self.rows.clone() {
                Rows::Every => self.every(entity, range).await?,
                Rows::Points(points, zone) => self.source.points(&entity, range, points, zone.as_ref()).await?,
                Rows::Buckets(ms) => {
                    let (piece, rest) = piece(range, ms);
                    if rest.len_ms() > 0 {
                        self.left.push((entity.clone(), rest, Kind::Numbers));
                    }
                    self.source.buckets(&entity, piece, ms).await?
                }
            };
            if let Some(series) = series.filter(|series| !series.t.is_empty()) {
                self.counted = Some(series.entity.clone());
                return Ok(Some(Part::Numbers(series)));
            }
        }
        Ok(None)
    }

    async fn words(&mut self, entity: &EntityId, range: Range) -> Result<Option<Words>, S::Error> {
        let points = match self.rows {
            Rows::Every => usize::MAX,
            Rows::Points(points, _) => points,
            // Of a length of time several words are true.
            Rows::Buckets(_) => return Ok(None),
        };
        if self.counted.as_ref() == Some(entity) || range.len_ms() == 0 {
            return Ok(None);
        }
        Ok(self.source.words(entity, range, points).await?.filter(|words| !words.t.is_empty()))
    }

    async fn every(&mut self, entity: EntityId, mut range: Range) -> Result<Option<Series>, S::Error> {
        if self.begun.as_ref() != Some(&entity) {
            // Of what lies before there are sums alone.
            range.from = range.from.max(self.source.raw_from(&entity).await?);
            self.begun = Some(entity.clone());
        }
        if range.len_ms() == 0 {
            return Ok(None);
        }
        let series = self.source.points(&entity, range, MAX_POINTS, None).await?;
        if series.as_ref().is_some_and(|series| series.resolution != Resolution::Raw) && range.len_ms() > 1 {
            // More readings than an answer holds: in two halves.
            let middle = range.from.plus_ms(range.len_ms() / 2);
            self.left.push((entity.clone(), Range { from: middle, to: range.to }, Kind::Numbers));
            self.left.push((entity, Range { from: range.from, to: middle }, Kind::Numbers));
            return Ok(None);
        }
        Ok(series.map(readings))
    }
}

/// Without the state that held when the range began: it is a reading of another moment.
fn readings(mut series: Series) -> Series {
    let held = series.n.iter().take_while(|&&n| n == 0).count();
    if held > 0 {
        series.t.drain(..held);
        for column in [&mut series.min, &mut series.mean, &mut series.max, &mut series.last] {
            column.drain(..held);
        }
        series.n.drain(..held);
    }
    series
}

/// A part of a range with some thousand buckets, and the rest. Parts end with a bucket, and with a day where days consist of buckets: what is only
/// kept in hours is in one part then.
fn piece(range: Range, bucket_ms: i64) -> (Range, Range) {
    let bucket_ms = bucket_ms.max(1);
    let some = bucket_ms.saturating_mul(i64::try_from(MAX_POINTS).unwrap_or(i64::MAX));
    let len = if DAY_MS % bucket_ms == 0 { some.div_euclid(DAY_MS).max(1) * DAY_MS } else { some };
    let end = range.from.as_ms().div_euclid(len).saturating_add(1).saturating_mul(len);
    let end = range.to.min(Timestamp::from_ms(end));
    (Range { to: end, ..range }, Range { from: end, ..range })
}

// Ids hold letters, digits, dots, dashes and underscores only and begin with a letter or digit: nothing in a row but words needs quotes, and no
// spreadsheet takes any of it for a formula.

/// The first line of a table.
#[must_use]
pub const fn csv_head(rows: &Rows) -> &'static str {
    match rows {
        Rows::Every => "entity,time,value\n",
        Rows::Points(..) | Rows::Buckets(_) => "entity,time,min,mean,max,last,n\n",
    }
}

/// Rows as lines of a table.
#[must_use]
pub fn csv_part(rows: &Rows, part: &Part) -> String {
    match part {
        Part::Numbers(series) => csv_rows(rows, series),
        Part::Words(words) => csv_words(rows, words),
    }
}

/// Words as lines of a table: in place of the value, or of the last one. A row of several changes says the word that held longest.
fn csv_words(rows: &Rows, words: &Words) -> String {
    let mut out = String::new();
    for ((&at, &word), &n) in words.t.iter().zip(&words.word).zip(&words.n) {
        let (entity, at, word) = (&words.entity, Time(at), words.words.get(word).map(|held| field(&held.word)).unwrap_or_default());
        let written = match rows {
            // The word in force when the range began was said at another moment.
            Rows::Every if n == 0 => Ok(()),
            Rows::Every => writeln!(out, "{entity},{at},{word}"),
            Rows::Points(..) | Rows::Buckets(_) => writeln!(out, "{entity},{at},,,,{word},{n}"),
        };
        written.expect("a string takes all that is written to it");
    }
    out
}

/// A word of a device as a field: in quotes where it needs them, and never a formula.
fn field(word: &str) -> String {
    let guard = if word.starts_with(['=', '+', '-', '@', '\t', '\r']) { "'" } else { "" };
    if guard.is_empty() && !word.contains([',', '"', '\n', '\r']) { word.to_owned() } else { format!("\"{guard}{}\"", word.replace('"', "\"\"")) }
}

/// Numbers as lines of a table.
#[must_use]
pub fn csv_rows(rows: &Rows, series: &Series) -> String {
    let Series { entity, t, min, mean, max, last, n, .. } = series;
    let mut out = String::new();
    for (idx, at) in t.iter().enumerate() {
        let at = Time(*at);
        let written = match rows {
            Rows::Every => writeln!(out, "{entity},{at},{}", last[idx]),
            Rows::Points(..) | Rows::Buckets(_) => writeln!(out, "{entity},{at},{},{},{},{},{}", min[idx], mean[idx], max[idx], last[idx], n[idx]),
        };
        written.expect("a string takes all that is written to it");
    }
    out
}

/// ISO 8601 in UTC, to the millisecond.
pub struct Time(pub Timestamp);

impl std::fmt::Display for Time {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match jiff::Timestamp::from_millisecond(self.0.as_ms()) {
            Ok(at) => write!(f, "{at:.3}"),
            // Past the year 9999.
            Err(_) => write!(f, "{}", self.0.as_ms()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pieces(from: i64, to: i64, bucket_ms: i64) -> Vec<(i64, i64)> {
        let mut left = Range { from: Timestamp::from_ms(from), to: Timestamp::from_ms(to) };
        let mut all = vec![];
        while left.len_ms() > 0 {
            let (next, rest) = piece(left, bucket_ms);
            all.push((next.from.as_ms(), next.to.as_ms()));
            left = rest;
        }
        all
    }

    #[test]
    fn a_word_is_a_field_and_never_a_formula() {
        for (word, written) in [
            ("On the road", "On the road"),
            ("Auto, drip", "\"Auto, drip\""),
            ("say \"hi\"", "\"say \"\"hi\"\"\""),
            ("=1+1", "\"'=1+1\""),
            ("-5", "\"'-5\""),
            ("two\nlines", "\"two\nlines\""),
        ] {
            assert_eq!(field(word), written);
        }
    }

    #[test]
    fn parts_end_where_buckets_and_days_do() {
        assert_eq!(pieces(5, DAY_MS + 5, 1_000), [(5, DAY_MS), (DAY_MS, DAY_MS + 5)]);
        assert_eq!(pieces(-5, 5, 60_000), [(-5, 0), (0, 5)]);
        assert_eq!(pieces(0, 7_777 * 7_000, 7_000), [(0, 35_000_000), (35_000_000, 7_777 * 7_000)]);
        assert_eq!(pieces(0, 400 * DAY_MS, 365 * DAY_MS), [(0, 400 * DAY_MS)]);
        assert!(pieces(i64::MAX - 5, i64::MAX, i64::MAX).len() <= 2);
    }
}
