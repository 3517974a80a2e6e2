//! Moments: Unix milliseconds, UTC.

use serde::{Deserialize, Serialize};

/// Milliseconds of a second, minute, hour and day.
pub const SECOND_MS: i64 = 1_000;
/// Milliseconds of a minute.
pub const MINUTE_MS: i64 = 60 * SECOND_MS;
/// Milliseconds of an hour.
pub const HOUR_MS: i64 = 60 * MINUTE_MS;
/// Milliseconds of a day without a change of the clocks.
pub const DAY_MS: i64 = 24 * HOUR_MS;

/// A moment in Unix milliseconds, UTC. On the wire a plain number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Timestamp(i64);

impl Timestamp {
    /// The moment `ms` milliseconds after 1970-01-01T00:00:00Z.
    #[must_use]
    pub const fn from_ms(ms: i64) -> Self {
        Self(ms)
    }

    /// Milliseconds since 1970-01-01T00:00:00Z.
    #[must_use]
    pub const fn as_ms(self) -> i64 {
        self.0
    }

    /// This moment moved by `ms` milliseconds; the ends of time hold.
    #[must_use]
    pub const fn plus_ms(self, ms: i64) -> Self {
        Self(self.0.saturating_add(ms))
    }

    /// Milliseconds from `earlier` to this moment, negative if `earlier` is later.
    #[must_use]
    pub const fn since_ms(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }

    /// The civil date and time at a fixed distance from UTC.
    #[must_use]
    pub fn civil(self, utc_offset_s: i32) -> Civil {
        let local_s = self.0.div_euclid(SECOND_MS) + i64::from(utc_offset_s);
        let days = local_s.div_euclid(86_400);
        let second_of_day = local_s.rem_euclid(86_400);
        // Days to year, month and day, counted in eras of 400 years that begin on 1 March, so that leap days come last:
        // the usual conversion of the proleptic Gregorian calendar.
        let shifted = days + 719_468;
        let era = shifted.div_euclid(146_097);
        let day_of_era = shifted.rem_euclid(146_097);
        let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month_index = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * month_index + 2) / 5 + 1;
        let month = if month_index < 10 { month_index + 3 } else { month_index - 9 };
        let year = year_of_era + era * 400 + i64::from(month <= 2);
        Civil {
            year,
            month: small(month),
            day: small(day),
            weekday: small((days + 3).rem_euclid(7)),
            hour: small(second_of_day / 3_600),
            minute: small(second_of_day / 60 % 60),
            second: small(second_of_day % 60),
        }
    }

    /// The moment as RFC 3339 in UTC, to the second: `2026-06-12T14:03:26Z`.
    #[must_use]
    pub fn rfc3339(self) -> String {
        let c = self.civil(0);
        format!("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", c.year, c.month, c.day, c.hour, c.minute, c.second)
    }
}

/// Date and time as a wall clock shows them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Civil {
    /// Year, Gregorian.
    pub year: i64,
    /// 1 to 12.
    pub month: u8,
    /// 1 to 31.
    pub day: u8,
    /// 0 is Monday.
    pub weekday: u8,
    /// 0 to 23.
    pub hour: u8,
    /// 0 to 59.
    pub minute: u8,
    /// 0 to 59.
    pub second: u8,
}

const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const WEEKDAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

impl Civil {
    /// `14:03`.
    #[must_use]
    pub fn hour_minute(&self) -> String {
        format!("{:02}:{:02}", self.hour, self.minute)
    }

    /// `14:03:26`.
    #[must_use]
    pub fn clock(&self) -> String {
        format!("{:02}:{:02}:{:02}", self.hour, self.minute, self.second)
    }

    /// `Fri 12`.
    #[must_use]
    pub fn weekday_day(&self) -> String {
        format!("{} {}", WEEKDAYS[usize::from(self.weekday)], self.day)
    }

    /// `Fri 12 Jun`.
    #[must_use]
    pub fn date(&self) -> String {
        format!("{} {}", self.weekday_day(), MONTHS[usize::from(self.month) - 1])
    }
}

/// How long ago, in words an operator reads at a glance: `4 s`, `6 min`, `3 h`, `12 d`. Never negative.
#[must_use]
pub fn duration_words(ms: i64) -> String {
    let ms = ms.max(0);
    match ms {
        ..=119_999 => format!("{} s", ms / SECOND_MS),
        120_000..=7_199_999 => format!("{} min", ms / MINUTE_MS),
        7_200_000..=172_799_999 => format!("{} h", ms / HOUR_MS),
        _ => format!("{} d", ms / DAY_MS),
    }
}

fn small(n: i64) -> u8 {
    u8::try_from(n).unwrap_or(u8::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(ms: i64, offset_s: i32, date: &str, clock: &str) {
        let civil = Timestamp::from_ms(ms).civil(offset_s);
        assert_eq!((civil.date().as_str(), civil.clock().as_str()), (date, clock), "{ms} at {offset_s}");
    }

    #[test]
    fn civil_time_follows_the_calendar() {
        check(0, 0, "Thu 1 Jan", "00:00:00");
        check(-1, 0, "Wed 31 Dec", "23:59:59");
        check(951_782_400_000, 0, "Tue 29 Feb", "00:00:00");
        check(1_781_273_006_000, 7_200, "Fri 12 Jun", "16:03:26");
        check(1_781_273_006_000, -36_000, "Fri 12 Jun", "04:03:26");
    }

    #[test]
    fn rfc3339_is_utc() {
        assert_eq!(Timestamp::from_ms(1_781_273_006_789).rfc3339(), "2026-06-12T14:03:26Z");
    }

    #[test]
    fn durations_read_at_a_glance() {
        for (ms, words) in [(-5, "0 s"), (4_900, "4 s"), (119_000, "119 s"), (360_000, "6 min"), (7_200_000, "2 h"), (259_200_000, "3 d")] {
            assert_eq!(duration_words(ms), words);
        }
    }
}
