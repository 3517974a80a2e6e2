//! What a chart draws, computed without a page: panes by unit, paths, marks.

use domain::history::{Range, Resolution, Series, increase};
use domain::live::EntityView;
use domain::time::{Timestamp, duration_words};
use domain::value::number_words;
use domain::words::Words;

use crate::backend::Limit;
use crate::components::chart::bars::{end, increase_at};
use crate::components::chart::events::EventLane;
use crate::components::chart::gaps::{bucket_ms, interval_ms};
use crate::components::chart::hit::{nearest, stops};
use crate::components::chart::lanes::{Lane, lane};
use crate::components::chart::number::number;
use crate::components::chart::panes::{Member, Pane, pane};
use crate::components::chart::time_axis::{MOST_LABELS, MOST_LABELS_SMALL, TimeTick, point_time, time_ticks};
use crate::components::chart::words::said;

/// Most panes of one chart.
pub const MOST_PANES: usize = 3;
/// Most series of one chart.
pub const MOST_SERIES: usize = 6;

/// How many of the newest readings tell the decimals.
const READINGS_LOOKED_AT: usize = 50;

/// One entity of a chart.
#[derive(Clone, Debug, PartialEq)]
pub struct Charted {
    /// Its name, unit and words.
    pub entity: EntityView,
    /// Its points.
    pub series: Series,
    /// Its limits.
    pub limits: Vec<Limit>,
    /// Its points of the period before, moved to this one; for comparison.
    pub previous: Option<Series>,
    /// What it said, where it speaks in words. The points are the rows of these: each value is the number of one.
    pub words: Option<Words>,
    /// Decimals of what is written. Found out once: the crosshair writes many numbers in a frame.
    decimals: u8,
    /// The usual distance of two points in milliseconds.
    interval_ms: i64,
}

impl Charted {
    /// An entity with its points, and nothing to compare them with.
    #[must_use]
    pub fn new(entity: EntityView, series: Series, limits: Vec<Limit>) -> Self {
        let interval_ms = interval_ms(&series.t, series.resolution).unwrap_or(1);
        Self { decimals: decimals(&entity, &series), interval_ms, entity, series, limits, previous: None, words: None }
    }

    /// An entity that speaks in words.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "a lane has few rows")]
    pub fn spoken(entity: EntityView, words: Words) -> Self {
        let rows: Vec<f64> = (0..words.t.len()).map(|row| row as f64).collect();
        let series = Series {
            t: words.t.clone(),
            min: rows.clone(),
            mean: rows.clone(),
            max: rows.clone(),
            last: rows,
            n: words.n.clone(),
            ..Series::empty(entity.id.clone(), words.resolution)
        };
        Self { words: Some(words), ..Self::new(entity, series, vec![]) }
    }

    /// The same beside its points of the period before, moved to this one.
    #[must_use]
    pub fn beside(self, previous: Option<Series>) -> Self {
        Self { previous, ..self }
    }

    /// The mean of the period before at a moment; `None` in a gap.
    #[must_use]
    pub fn previous_at(&self, moment: Timestamp) -> Option<f64> {
        if self.is_meter() {
            return self.previous.as_ref().and_then(|series| increase_at(series, moment));
        }
        self.previous.as_ref().and_then(|series| mean_near(series, moment, self.interval_ms))
    }

    /// Takes a newer value in; `false` when one as new is there already.
    pub fn push(&mut self, at: Timestamp, value: f64) -> bool {
        if self.series.t.last().is_some_and(|&last| last >= at) {
            return false;
        }
        if self.is_meter() {
            self.count(at, value);
            return true;
        }
        if !self.series.duty.is_empty() {
            // For how long it holds, nobody knows yet.
            self.series.duty.push(value);
            self.series.known_ms.push(0);
        }
        let Series { t, min, mean, max, last, n, .. } = &mut self.series;
        t.push(at);
        for column in [min, mean, max, last] {
            column.push(value);
        }
        n.push(1);
        true
    }

    /// Takes a newer word in; `false` where that changes nothing.
    pub fn say(&mut self, at: Timestamp, word: &str) -> bool {
        let Some(words) = self.words.as_mut() else { return false };
        if !words.push(at, word) {
            return false;
        }
        let (entity, words) = (self.entity.clone(), words.clone());
        *self = Self::spoken(entity, words);
        true
    }

    /// What the meter shows now counts for the bucket of the moment.
    fn count(&mut self, at: Timestamp, value: f64) {
        let Some(row) = self.series.t.len().checked_sub(1) else { return };
        let counted = self.series.last.last().map_or(0.0, |&before| increase(before, value));
        let (start, ms) = (self.series.t[row], bucket_ms(self.series.resolution).unwrap_or(1).max(1));
        let is_within = at < end(&self.series, row);
        let Series { t, min, mean, max, last, n, increase, .. } = &mut self.series;
        if is_within {
            (last[row], increase[row], n[row]) = (value, increase[row] + counted, n[row] + 1);
            (min[row], max[row]) = (min[row].min(value), max[row].max(value));
            return;
        }
        t.push(start.plus_ms(at.since_ms(start) / ms * ms));
        for column in [min, mean, max, last] {
            column.push(value);
        }
        n.push(1);
        increase.push(counted);
    }

    /// Its value at a moment: of numbers the nearest point's mean, of meters what the bucket counted, of states and words the one that held. `None` in a
    /// gap.
    #[must_use]
    pub fn value_at(&self, moment: Timestamp) -> Option<f64> {
        let series = &self.series;
        if self.is_lane() {
            let after = series.t.partition_point(|&t| t <= moment);
            return series.last.get(after.checked_sub(1)?).copied();
        }
        if self.is_meter() {
            return increase_at(series, moment);
        }
        mean_near(series, moment, self.interval_ms)
    }

    /// Whether it is drawn as bars of what a meter counted.
    #[must_use]
    pub const fn is_meter(&self) -> bool {
        !self.series.increase.is_empty()
    }

    /// Whether it is drawn as a lane instead of a line.
    #[must_use]
    pub const fn is_lane(&self) -> bool {
        self.words.is_some() || !self.entity.kind.is_sensor()
    }

    /// The style of its sample among the chart's series, at place `n`: of words each has its own color.
    #[must_use]
    pub const fn swatch(&self, n: usize) -> usize {
        if self.words.is_some() { 0 } else { n + 1 }
    }

    /// Whether it is on or off.
    #[must_use]
    pub const fn is_state(&self) -> bool {
        self.words.is_none() && self.is_lane()
    }

    /// Whether a value at a moment goes on where the line ended at `newest`, without a gap between.
    #[must_use]
    pub fn goes_on(&self, newest: Timestamp, at: Timestamp) -> bool {
        at.since_ms(newest) <= self.interval_ms.saturating_mul(3)
    }

    /// A value in words, without its unit: `21.4`, `Open`.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the number of a row")]
    pub fn bare_words(&self, value: f64) -> String {
        if let Some(words) = &self.words {
            return said(words, value as usize).unwrap_or_default();
        }
        if self.is_state() { state_word(&self.entity, value > 0.5) } else { number(value, Some(self.decimals)) }
    }

    /// A value in words, with its unit: `21.4 °C`, `Open`.
    #[must_use]
    pub fn words(&self, value: f64) -> String {
        match &self.entity.unit {
            Some(unit) if !self.is_lane() => format!("{}\u{a0}{unit}", self.bare_words(value)),
            _ => self.bare_words(value),
        }
    }
}

/// Decimals of what is written: the entity's own, else those that its newest readings have, at most two, and fewer for large numbers, of which
/// nobody reads the hundredths. Means have no more.
fn decimals(entity: &EntityView, series: &Series) -> u8 {
    entity.precision.unwrap_or_else(|| {
        let newest = series.last.iter().rev().filter(|v| v.is_finite()).take(READINGS_LOOKED_AT);
        let decimals = |v: &f64| number_words(*v, None).split_once('.').map_or(0, |(_, decimals)| decimals.len());
        // Of a meter that shows a lot the small steps count.
        let shown =
            if series.increase.is_empty() { newest.clone().copied().fold(0.0, larger) } else { series.increase.iter().copied().fold(0.0, larger) };
        let most = match shown {
            ..100.0 => 2,
            ..1_000.0 => 1,
            _ => 0,
        };
        u8::try_from(newest.map(decimals).max().unwrap_or(0).min(most)).unwrap_or(2)
    })
}

fn larger(largest: f64, v: f64) -> f64 {
    largest.max(v.abs())
}

/// The mean of the point nearest to a moment; `None` in a gap. Points are `interval_ms` apart.
fn mean_near(series: &Series, moment: Timestamp, interval_ms: i64) -> Option<f64> {
    let row = nearest(&series.t, moment)?;
    let is_near = series.t[row].since_ms(moment).saturating_abs() <= interval_ms.saturating_mul(3) / 2;
    series.mean.get(row).copied().filter(|v| is_near && v.is_finite())
}

/// The word for a state: `Open`, `On`.
#[must_use]
pub fn state_word(entity: &EntityView, is_on: bool) -> String {
    let word = if is_on { &entity.word_on } else { &entity.word_off };
    word.clone().unwrap_or_else(|| if is_on { "On" } else { "Off" }.to_owned())
}

/// How large a chart is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChartSize {
    /// The width of a page.
    Full,
    /// Beside another one.
    Small,
}

/// What stands on one value axis: a unit, and whether it was counted.
type Quantity<'a> = (Option<&'a str>, bool);

/// A chart, ready to be drawn.
#[derive(Clone, Debug, PartialEq)]
pub struct ChartModel {
    /// What is drawn, in the order of the series.
    pub charted: Vec<Charted>,
    /// The range.
    pub range: Range,
    /// The server's zone.
    pub utc_offset_s: i32,
    /// How large it is drawn.
    pub size: ChartSize,
    /// Numbers, one unit a pane.
    pub panes: Vec<Pane>,
    /// States.
    pub lanes: Vec<Lane>,
    /// Alarms and commands.
    pub events: Vec<EventLane>,
    /// Names of what found no room: a fourth unit.
    pub left_out: Vec<String>,
    /// All moments with a point, ascending: where the crosshair stops.
    pub stops: Vec<Timestamp>,
}

impl ChartModel {
    /// Lays out at most [`MOST_SERIES`] series in at most [`MOST_PANES`] panes, and states in lanes under them.
    #[must_use]
    pub fn new(mut charted: Vec<Charted>, range: Range, utc_offset_s: i32, size: ChartSize) -> Self {
        let mut left_out: Vec<String> = charted.drain(MOST_SERIES.min(charted.len())..).map(|one| one.entity.name).collect();
        let mut by_unit: Vec<(Quantity<'_>, Vec<Member<'_>>)> = vec![];
        let mut lanes = vec![];
        for (n, one) in charted.iter().enumerate() {
            // What was counted is another quantity than what is shown.
            let unit = (one.entity.unit.as_deref(), one.is_meter());
            if one.is_lane() {
                lanes.push(lane(n + 1, one, range, utc_offset_s));
            } else if let Some((_, members)) = by_unit.iter_mut().find(|(of, _)| *of == unit) {
                members.push((n + 1, one));
            } else if by_unit.len() < MOST_PANES {
                by_unit.push((unit, vec![(n + 1, one)]));
            } else {
                left_out.push(one.entity.name.clone());
            }
        }
        let panes = by_unit.iter().map(|((unit, _), members)| pane(unit.unwrap_or_default(), members, range, utc_offset_s, size)).collect();
        let stops = stops(charted.iter().map(|one| &one.series.t[..]));
        Self { range, utc_offset_s, size, panes, lanes, events: vec![], left_out, stops, charted }
    }

    /// The same chart with alarms and commands under it.
    #[must_use]
    pub fn with_events(self, events: Vec<EventLane>) -> Self {
        Self { events, ..self }
    }

    /// The same chart with newer words, each with the place of its series; `None` where they change nothing.
    #[must_use]
    pub fn spoken(&self, news: &[(usize, Timestamp, String)]) -> Option<Self> {
        let mut charted = self.charted.clone();
        let mut has_changed = false;
        for (n, at, word) in news {
            has_changed |= charted.get_mut(*n).is_some_and(|one| one.say(*at, word));
        }
        has_changed.then(|| self.again(charted))
    }

    /// The same chart without the areas of smallest to largest.
    #[must_use]
    pub fn without_band(mut self) -> Self {
        self.panes.iter_mut().flat_map(|pane| &mut pane.lines).for_each(|line| line.band = None);
        self
    }

    /// The labels of the time axis under a part of the chart.
    #[must_use]
    pub fn ticks(&self, window: Range) -> Vec<TimeTick> {
        time_ticks(window, self.utc_offset_s, if self.size == ChartSize::Small { MOST_LABELS_SMALL } else { MOST_LABELS })
    }

    /// A moment as the points of `window` are named: `11:20`.
    #[must_use]
    pub fn moment_words(&self, moment: Timestamp, window: Range) -> String {
        point_time(moment, window, self.utc_offset_s)
    }

    /// The same chart with newer values at the ends of its series.
    #[must_use]
    pub fn grown(&self, tails: &[Vec<(Timestamp, f64)>]) -> Self {
        let nothing = vec![];
        let tails = tails.iter().chain(std::iter::repeat(&nothing));
        let charted = self.charted.iter().cloned().zip(tails).map(|(mut one, tail)| {
            tail.iter().for_each(|(at, value)| _ = one.push(*at, *value));
            let words = one.words;
            Charted { words, ..Charted::new(one.entity, one.series, one.limits).beside(one.previous) }
        });
        self.again(charted.collect())
    }

    /// The same chart of other points.
    fn again(&self, charted: Vec<Charted>) -> Self {
        let has_band = self.panes.iter().flat_map(|pane| &pane.lines).any(|line| line.band.is_some());
        let all = Self::new(charted, self.range, self.utc_offset_s, self.size);
        let all = Self { events: self.events.clone(), left_out: self.left_out.clone(), ..all };
        if has_band { all } else { all.without_band() }
    }

    /// The series in words at a moment: `Air temperature 28.1 °C, Humidity 74 %`.
    #[must_use]
    pub fn readout(&self, moment: Timestamp) -> String {
        let words = |one: &Charted| one.value_at(moment).map_or_else(|| "no data".to_owned(), |v| one.words(v));
        self.charted.iter().map(|one| format!("{} {}", one.entity.name, words(one))).collect::<Vec<_>>().join(", ")
    }
}

/// The name of the period before one: `day before`.
#[must_use]
pub fn period_before(range: Range) -> String {
    use domain::time::{DAY_MS, HOUR_MS};
    let name = match range.len_ms() {
        HOUR_MS => "hour",
        DAY_MS => "day",
        ms if ms == 7 * DAY_MS => "week",
        ms if ms == 365 * DAY_MS => "year",
        _ => "period",
    };
    format!("{name} before")
}

/// The words for how far apart the points are: `one point per 5 min`, `every reading`.
#[must_use]
pub fn resolution_words(resolution: Resolution) -> String {
    bucket_ms(resolution).map_or_else(|| "every reading".to_owned(), |ms| format!("one point per {}", span_words(ms)))
}

/// A length of time that is even: `30 s`, `5 min`, `1 h`, `1 d`.
#[must_use]
pub fn span_words(ms: i64) -> String {
    use domain::time::{DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS};
    for (unit, word) in [(DAY_MS, "d"), (HOUR_MS, "h"), (MINUTE_MS, "min"), (SECOND_MS, "s")] {
        if ms >= unit && ms % unit == 0 {
            return format!("{} {word}", ms / unit);
        }
    }
    if ms < SECOND_MS { format!("{ms} ms") } else { duration_words(ms) }
}
