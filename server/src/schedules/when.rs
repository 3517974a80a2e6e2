//! When a schedule is due next: a function of the schedule, the place, and a moment.

use cronexpr::{Crontab, FallbackTimezoneOption, ParseOptions, parse_crontab_with};
use domain::device::clean_text;
use domain::group::BadPlan;
use domain::schedule::When;
use domain::time::{DAY_MS, MINUTE_MS, SECOND_MS, Timestamp};
use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, Offset, TimeZone};
use solar_positioning::{Horizon, Location, SolarEvents, delta_t};

/// How far ahead the sun is looked for.
const SUN_DAYS: i64 = 366;
/// The Julian date of the Unix epoch.
const EPOCH_JULIAN: f64 = 2_440_587.5;
/// Seconds by which the time of the sky is ahead of clocks, where it is not known: what it has been for decades.
const USUAL_DELTA_T: f64 = 69.0;
/// A sunrise that is found within so long of the one before is the same.
const SAME_MS: i64 = 10 * MINUTE_MS;

/// Where and in which zone schedules run.
#[derive(Clone, Debug)]
pub struct Place {
    /// The zone of cron patterns.
    pub zone: TimeZone,
    /// Latitude and longitude in degrees; `None` where nobody said.
    pub location: Option<(f64, f64)>,
}

/// When a schedule is due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// Then.
    At(Timestamp),
    /// Not at all, in words: `no sunrise in the next year`.
    Never(&'static str),
}

impl Next {
    /// The moment, if there is one.
    #[must_use]
    pub const fn at(&self) -> Option<Timestamp> {
        match self {
            Self::At(at) => Some(*at),
            Self::Never(_) => None,
        }
    }
}

/// Whether a schedule can run here: its pattern can be read, and the sun has a place.
///
/// # Errors
/// [`BadPlan`] names the field.
pub fn check(when: &When, place: &Place) -> Result<(), BadPlan> {
    match when {
        When::Cron { cron } => pattern(cron).map(drop).map_err(|reason| BadPlan::new("when.cron", reason)),
        When::Sunrise { .. } | When::Sunset { .. } if place.location.is_none() => {
            Err(BadPlan::new("when.type", "set location.latitude and location.longitude in the configuration first"))
        }
        When::Sunrise { .. } | When::Sunset { .. } => Ok(()),
    }
}

/// The first moment after `after` at which it is due.
#[must_use]
pub fn next(when: &When, place: &Place, after: Timestamp) -> Next {
    match when {
        When::Cron { cron } => match pattern(cron) {
            Ok(pattern) => {
                next_match(&pattern, &place.zone, after).map_or(Next::Never("no time matches this pattern in the next four years"), Next::At)
            }
            Err(_) => Next::Never("the pattern cannot be read"),
        },
        When::Sunrise { offset_min } => sun(place, true, *offset_min, after),
        When::Sunset { offset_min } => sun(place, false, *offset_min, after),
    }
}

/// Reads five fields. Civil times are all that is asked of it: they are written as times of UTC, which has each once.
fn pattern(text: &str) -> Result<Crontab, String> {
    let n = text.split_ascii_whitespace().count();
    if n != 5 {
        return Err(format!("five fields are needed (minute, hour, day of month, month, day of week), not {n}"));
    }
    let mut options = ParseOptions::default();
    options.fallback_timezone_option = FallbackTimezoneOption::UTC;
    // The library draws the pattern over several lines: one of ours says as much.
    parse_crontab_with(text, options).map_err(|_| format!("\"{}\" is no cron pattern", clean_text(text, 80)))
}

fn next_match(pattern: &Crontab, zone: &TimeZone, after: Timestamp) -> Option<Timestamp> {
    let after = jiff::Timestamp::from_millisecond(after.as_ms()).ok()?;
    // Later civil times are never earlier moments, so nothing before this one can be due.
    let mut civil = zone.to_datetime(after);
    loop {
        let as_utc = Offset::UTC.to_timestamp(civil).ok()?;
        civil = pattern.find_next(as_utc).ok()?.datetime();
        let at = moment(zone, civil)?;
        if at > after {
            return Some(Timestamp::from_ms(at.as_millisecond()));
        }
    }
}

/// The moment of a civil time. One that is left out happens at the next moment that there is, one that happens twice happens the first time.
fn moment(zone: &TimeZone, civil: DateTime) -> Option<jiff::Timestamp> {
    match zone.to_ambiguous_timestamp(civil).offset() {
        AmbiguousOffset::Unambiguous { offset } => offset.to_timestamp(civil).ok(),
        AmbiguousOffset::Fold { before, .. } => before.to_timestamp(civil).ok(),
        AmbiguousOffset::Gap { before, .. } => {
            // By the clock of before, it lies past the change of clocks.
            let past = before.to_timestamp(civil).ok()?.checked_add(jiff::SignedDuration::from_secs(1)).ok()?;
            Some(zone.preceding(past).next()?.timestamp())
        }
    }
}

fn sun(place: &Place, is_rise: bool, offset_min: i32, after: Timestamp) -> Next {
    let Some((latitude, longitude)) = place.location else {
        return Next::Never("the configuration says no place (location.latitude, location.longitude)");
    };
    let location = Location { latitude, longitude };
    let offset_ms = i64::from(offset_min) * MINUTE_MS;
    let never = Next::Never(if is_rise { "no sunrise in the next year" } else { "no sunset in the next year" });
    let mut from = after.plus_ms(-offset_ms);
    let end = from.plus_ms(SUN_DAYS * DAY_MS);
    loop {
        let Some(event) = next_event(location, is_rise, from, end) else { return never };
        let at = event.plus_ms(offset_ms);
        if at > after {
            return Next::At(at);
        }
        from = event.plus_ms(SAME_MS);
    }
}

/// The next sunrise or sunset, in whole seconds, never earlier than it is.
fn next_event(location: Location, is_rise: bool, from: Timestamp, end: Timestamp) -> Option<Timestamp> {
    let (start, end) = (julian(from), julian(end));
    let year = 1970.0 + (start - EPOCH_JULIAN) / 365.25;
    let delta_t = delta_t::estimate(year).unwrap_or(USUAL_DELTA_T);
    let events = SolarEvents::new();
    let found = match is_rise {
        true => events.next_rise_from_julian(start, end, location, delta_t, Horizon::SunriseSunset),
        false => events.next_set_from_julian(start, end, location, delta_t, Horizon::SunriseSunset),
    };
    #[expect(clippy::cast_possible_truncation, reason = "a moment within a year of one that is known")]
    let second = ((found.ok()?? - EPOCH_JULIAN) * 86_400.0).ceil() as i64;
    Some(Timestamp::from_ms(second.saturating_mul(SECOND_MS)))
}

#[expect(clippy::cast_precision_loss, reason = "milliseconds since 1970 fit for longer than there are clocks")]
fn julian(at: Timestamp) -> f64 {
    EPOCH_JULIAN + at.as_ms() as f64 / DAY_MS as f64
}

#[cfg(test)]
mod tests;
