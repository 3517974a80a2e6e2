//! What the history page is asked for, and what the store says to it.

use app::backend::{Around, BackendError, HistoryRequest};
use domain::device::clean_text;
use domain::entity::EntityId;
use domain::history::{Range, Series};
use domain::live::EntityView;
use domain::time::{DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS, Timestamp};
use domain::words::Words;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use crate::store::{Marks, Store, StoreError};

/// The shortest range: below it there is no more to see.
const SHORTEST_MS: i64 = SECOND_MS;
/// Nothing is older, and no device's clock is.
const OLDEST: Timestamp = Timestamp::from_ms(0);
/// How many times as long as the range is what lies around it.
const AROUND: i64 = 7;
/// Points of what lies around: it is drawn small.
const AROUND_POINTS: usize = 200;
/// Bars of a chart at most: as many as can be told apart on a phone.
const MOST_BARS: usize = 60;
/// Spans of words in a lane, where there are many: more cannot be told apart.
const WORD_POINTS: usize = 240;
/// Most alarms and most commands of a chart.
const MOST_MARKS: usize = 200;

/// The range that `request` asks for, and whether its end follows the clock.
pub(super) fn asked(request: &HistoryRequest, now: Timestamp, zone: &TimeZone) -> Result<(Range, bool), BackendError> {
    let from = moment("from", &request.from, zone)?;
    let to = moment("to", &request.to, zone)?.map(|to| to.min(now.plus_ms(1)));
    let len = preset_ms(&request.range)
        .ok_or_else(|| BackendError::Invalid(format!("range \"{}\" is none of 15m, 1h, 24h, 7d, 30d, 1y", clean_text(&request.range, 20))))?;
    let range = match (from, to) {
        (Some(from), Some(to)) => Range { from, to },
        (Some(from), None) => Range { from, to: from.plus_ms(len).min(now.plus_ms(1)) },
        (None, Some(to)) => Range { from: to.plus_ms(-len).max(OLDEST), to },
        // What was measured in this very millisecond is part of it.
        (None, None) => Range { from: now.plus_ms(1 - len), to: now.plus_ms(1) },
    };
    if range.len_ms() < SHORTEST_MS {
        let why = if from.is_some_and(|from| from > now) { "from lies in the future" } else { "from is not before to" };
        return Err(BackendError::Invalid(why.to_owned()));
    }
    Ok((range, from.is_none() && to.is_none()))
}

/// A moment as an address or a form writes it; `None` for an empty text.
fn moment(field: &str, text: &str, zone: &TimeZone) -> Result<Option<Timestamp>, BackendError> {
    if text.is_empty() {
        return Ok(None);
    }
    if let Ok(ms) = text.parse() {
        return Ok(Some(Timestamp::from_ms(ms).max(OLDEST)));
    }
    // With a zone of its own it is RFC 3339; without one it is what a form's field says, in the server's zone.
    let instant =
        text.parse::<jiff::Timestamp>().ok().or_else(|| text.parse::<DateTime>().ok()?.to_zoned(zone.clone()).ok().map(|at| at.timestamp()));
    match instant {
        Some(at) => Ok(Some(Timestamp::from_ms(at.as_millisecond()).max(OLDEST))),
        None => Err(BackendError::Invalid(format!("{field} \"{}\" is no time", clean_text(text, 40)))),
    }
}

fn preset_ms(name: &str) -> Option<i64> {
    Some(match name {
        "15m" => 15 * MINUTE_MS,
        "1h" => HOUR_MS,
        "" | "24h" => DAY_MS,
        "7d" => 7 * DAY_MS,
        "30d" => 30 * DAY_MS,
        "1y" => 365 * DAY_MS,
        _ => return None,
    })
}

/// What the store has for a page.
pub(super) struct Answer {
    /// One for each of the chosen, in their order.
    pub(super) series: Vec<Series>,
    /// What those of them said that speak in words, and have no numbers in the range.
    pub(super) words: Vec<Words>,
    /// Of the numbers among them, when compared.
    pub(super) previous: Vec<Series>,
    /// Around the range.
    pub(super) around: Option<Around>,
    /// What happened.
    pub(super) marks: Marks,
}

/// What of the past a chart shows, and how.
pub(super) struct Wanted<'a> {
    pub(super) range: Range,
    pub(super) now: Timestamp,
    /// Most points a series.
    pub(super) points: usize,
    /// The period before as well.
    pub(super) compare: bool,
    /// What meters show, instead of what they counted.
    pub(super) meter: bool,
    /// Whose clock bars begin by.
    pub(super) zone: &'a TimeZone,
}

/// Reads everything that a chart of `chosen` shows.
pub(super) async fn read(store: &dyn Store, chosen: &[EntityView], wanted: &Wanted<'_>) -> Result<Answer, StoreError> {
    let Wanted { range, now, .. } = *wanted;
    let ids: Vec<_> = chosen.iter().map(|view| view.id.clone()).collect();
    let numbers: Vec<_> = chosen.iter().filter(|view| view.kind.is_sensor()).map(|view| view.id.clone()).collect();
    let series = lines_and_bars(store, &ids, range, wanted).await?;
    let words = words(store, chosen, &series, range).await?;
    let before = Range { from: range.from.plus_ms(-range.len_ms()), to: range.from };
    let previous = if wanted.compare { lines_and_bars(store, &numbers, before, wanted).await? } else { vec![] };
    let has_numbers = |id: &&EntityId| !words.iter().any(|words| words.entity == **id);
    let around = match numbers.iter().find(has_numbers) {
        Some(first) => {
            let around = around(range, now);
            let series = store.history(std::slice::from_ref(first), around, AROUND_POINTS).await?;
            series.into_iter().next().map(|series| Around { range: around, series })
        }
        None => None,
    };
    let marks = if ids.is_empty() { Marks::default() } else { store.marks(&ids, range, MOST_MARKS).await? };
    Ok(Answer { series, words, previous, around, marks })
}

/// The words of those that have no numbers.
async fn words(store: &dyn Store, chosen: &[EntityView], series: &[Series], range: Range) -> Result<Vec<Words>, StoreError> {
    let is_silent = |view: &&EntityView| series.iter().any(|one| one.entity == view.id && one.t.is_empty());
    let silent: Vec<&EntityView> = chosen.iter().filter(is_silent).collect();
    if silent.is_empty() {
        return Ok(vec![]);
    }
    let ids: Vec<EntityId> = silent.iter().map(|view| view.id.clone()).collect();
    let found = store.words(&ids, range, WORD_POINTS).await?;
    Ok(found.into_iter().zip(silent).filter(|(words, view)| !words.t.is_empty() || view.says_words()).map(|(words, _)| words).collect())
}

/// The points of lines; of meters, unless what they show is wanted, what they counted in a few buckets.
async fn lines_and_bars(store: &dyn Store, ids: &[EntityId], range: Range, wanted: &Wanted<'_>) -> Result<Vec<Series>, StoreError> {
    if ids.is_empty() {
        return Ok(vec![]);
    }
    let mut series = store.history(ids, range, wanted.points).await?;
    let meters: Vec<EntityId> = series.iter().filter(|one| !one.increase.is_empty()).map(|one| one.entity.clone()).collect();
    if wanted.meter {
        series.iter_mut().for_each(|one| one.increase.clear());
    } else if !meters.is_empty() {
        for bars in store.buckets_in(wanted.zone, &meters, range, MOST_BARS).await? {
            if let Some(one) = series.iter_mut().find(|one| one.entity == bars.entity) {
                *one = bars;
            }
        }
    }
    Ok(series)
}

/// Rounds means of numbers and what meters counted.
pub(super) fn round(series: &mut Series, precision: u8) {
    let power = 10f64.powi(i32::from(precision));
    let Series { min, mean, max, duty, increase, .. } = series;
    let has_state = !duty.is_empty();
    for (idx, mean) in mean.iter_mut().enumerate().filter(|_| !has_state) {
        // Never past what was said.
        *mean = rounded(*mean, power).max(min[idx]).min(max[idx]);
    }
    for increase in increase {
        *increase = rounded(*increase, power);
    }
}

/// Division is rounded as reading decimals is. A number without room for more digits stays.
fn rounded(number: f64, power: f64) -> f64 {
    let scaled = (number * power).round();
    if scaled.abs() < 9e15 { scaled / power } else { number }
}

/// A range several times as long: up to now when that is near, else with as much before as after.
fn around(range: Range, now: Timestamp) -> Range {
    let len = range.len_ms();
    let to = now.min(range.to.plus_ms(len.saturating_mul(AROUND / 2))).max(range.to);
    Range { from: to.plus_ms(-len.saturating_mul(AROUND)).max(OLDEST).min(range.from), to }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Fri 12 Jun 2026 14:03:26 in UTC+2.
    const NOW: Timestamp = Timestamp::from_ms(1_781_265_806_000);

    fn ask(range: &str, from: &str, to: &str) -> Result<(i64, i64, bool), String> {
        let request = HistoryRequest { range: range.into(), from: from.into(), to: to.into(), ..HistoryRequest::default() };
        let zone = TimeZone::get("Europe/Berlin").expect("a zone of the database");
        asked(&request, NOW, &zone)
            .map(|(range, is_live)| (range.from.since_ms(NOW), range.to.since_ms(NOW), is_live))
            .map_err(|error| error.to_string())
    }

    #[test]
    fn an_address_says_its_range_in_one_of_four_ways() {
        assert_eq!(ask("1h", "", ""), Ok((1 - HOUR_MS, 1, true)));
        assert_eq!(ask("", "", "1781265806000"), Ok((-DAY_MS, 0, false)));
        assert_eq!(ask("1h", "2026-06-12T10:03:26Z", ""), Ok((-2 * HOUR_MS, -HOUR_MS, false)));
        assert_eq!(ask("1h", "2026-06-12T12:03", "2026-06-12T13:03:26"), Ok((-2 * HOUR_MS - 26_000, -HOUR_MS, false)));
    }

    #[test]
    fn a_civil_time_is_one_of_the_servers_zone_on_that_day() {
        let january = ask("24h", "2026-01-12T13:03:26", "").expect("a range").0;
        let june = ask("24h", "2026-06-01T14:03:26", "").expect("a range").0;
        assert_eq!((january % DAY_MS, june % DAY_MS), (0, 0), "12:03:26 UTC is 13:03:26 in winter and 14:03:26 in summer");
    }

    #[test]
    fn a_range_that_makes_no_sense_is_told_so() {
        for (range, from, to, why) in [
            ("soon", "", "", "range \"soon\" is none of 15m, 1h, 24h, 7d, 30d, 1y"),
            ("", "yesterday", "", "from \"yesterday\" is no time"),
            ("", "2026-06-12T13:00", "2026-06-12T12:00", "from is not before to"),
            ("", "2099-01-01T00:00", "", "from lies in the future"),
        ] {
            assert_eq!(ask(range, from, to), Err(why.to_owned()));
        }
        assert!(ask("", "-9999999999999999", "9999999999999999").is_ok());
    }

    #[test]
    fn what_lies_around_holds_the_range_and_ends_at_the_present() {
        let hours = |from: i64, to: i64| Range { from: NOW.plus_ms(from * HOUR_MS), to: NOW.plus_ms(to * HOUR_MS) };
        assert_eq!(around(hours(-1, 0), NOW), hours(-7, 0));
        assert_eq!(around(hours(-3, -2), NOW), hours(-7, 0));
        assert_eq!(around(hours(-21, -20), NOW), hours(-24, -17));
    }
}
