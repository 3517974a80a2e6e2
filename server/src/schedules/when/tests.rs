use proptest::prelude::*;

use super::*;

fn place(zone: &str) -> Place {
    Place { zone: TimeZone::get(zone).unwrap(), location: None }
}

fn at(text: &str) -> Timestamp {
    let at: jiff::Timestamp = text.parse().unwrap();
    Timestamp::from_ms(at.as_millisecond())
}

fn cron(text: &str) -> When {
    When::Cron { cron: text.to_owned() }
}

fn runs(when: &When, place: &Place, from: &str, n: usize) -> Vec<String> {
    let mut after = at(from);
    (0..n)
        .map(|_| {
            after = next(when, place, after).at().unwrap();
            after.rfc3339()
        })
        .collect()
}

#[test]
fn a_pattern_runs_by_the_clock_of_the_zone() {
    let berlin = place("Europe/Berlin");
    assert_eq!(runs(&cron("0 7 * * 1-5"), &berlin, "2026-06-12T05:00:00Z", 2), ["2026-06-15T05:00:00Z", "2026-06-16T05:00:00Z"]);
    assert_eq!(runs(&cron("30 23 31 12 *"), &berlin, "2026-06-12T05:00:00Z", 1), ["2026-12-31T22:30:00Z"]);
    assert_eq!(runs(&cron("0 12 29 2 *"), &place("UTC"), "2026-06-12T05:00:00Z", 1), ["2028-02-29T12:00:00Z"]);
    assert_eq!(next(&cron("0 0 30 2 *"), &berlin, at("2026-06-12T05:00:00Z")), Next::Never("no time matches this pattern in the next four years"));
}

#[test]
fn a_day_of_23_hours_runs_what_it_leaves_out_at_the_next_moment_and_once() {
    let berlin = place("Europe/Berlin");
    // On 29 March 2026 clocks go from 02:00 to 03:00, at 01:00 UTC.
    assert_eq!(runs(&cron("30 2 * * *"), &berlin, "2026-03-28T12:00:00Z", 2), ["2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z"]);
    assert_eq!(
        runs(&cron("*/20 * * * *"), &berlin, "2026-03-29T00:30:00Z", 4),
        ["2026-03-29T00:40:00Z", "2026-03-29T01:00:00Z", "2026-03-29T01:20:00Z", "2026-03-29T01:40:00Z"]
    );
}

#[test]
fn a_day_of_25_hours_runs_what_it_has_twice_the_first_time() {
    let berlin = place("Europe/Berlin");
    // On 25 October 2026 clocks go from 03:00 back to 02:00, at 01:00 UTC.
    assert_eq!(runs(&cron("30 2 * * *"), &berlin, "2026-10-24T12:00:00Z", 2), ["2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"]);
    assert_eq!(runs(&cron("30 * * * *"), &berlin, "2026-10-25T00:00:00Z", 2), ["2026-10-25T00:30:00Z", "2026-10-25T02:30:00Z"]);
}

#[test]
fn a_day_that_a_country_left_out_is_made_up_for_when_it_ends() {
    // Samoa had no 30 December 2011.
    let apia = place("Pacific/Apia");
    assert_eq!(runs(&cron("0 12 30 12 *"), &apia, "2011-12-29T00:00:00Z", 1), ["2011-12-30T10:00:00Z"]);
}

#[test]
fn the_sun_rises_and_sets_where_the_plant_is() {
    let berlin = Place { location: Some((52.52, 13.405)), ..place("Europe/Berlin") };
    // By the almanac 04:43 and 21:29 in summer time.
    let sunrise = next(&When::Sunrise { offset_min: 0 }, &berlin, at("2026-06-12T00:00:00Z")).at().unwrap();
    let sunset = next(&When::Sunset { offset_min: 0 }, &berlin, at("2026-06-12T00:00:00Z")).at().unwrap();
    assert!((sunrise.since_ms(at("2026-06-12T02:43:00Z"))).abs() < 2 * MINUTE_MS, "{}", sunrise.rfc3339());
    assert!((sunset.since_ms(at("2026-06-12T19:28:00Z"))).abs() < 2 * MINUTE_MS, "{}", sunset.rfc3339());
    let before = next(&When::Sunset { offset_min: -30 }, &berlin, at("2026-06-12T00:00:00Z")).at().unwrap();
    assert_eq!(sunset.since_ms(before), 30 * MINUTE_MS);
}

#[test]
fn where_the_sun_stays_up_the_next_sunset_is_weeks_away_and_at_the_poles_there_is_one_a_year() {
    let far_north = Place { location: Some((78.22, 15.65)), ..place("UTC") };
    let sunset = next(&When::Sunset { offset_min: 0 }, &far_north, at("2026-06-12T00:00:00Z")).at().unwrap();
    assert!(sunset > at("2026-08-15T00:00:00Z") && sunset < at("2026-09-01T00:00:00Z"), "{}", sunset.rfc3339());
    assert_eq!(next(&When::Sunrise { offset_min: 0 }, &place("UTC"), at("2026-06-12T00:00:00Z")).at(), None);
}

#[test]
fn what_cannot_run_is_refused_with_its_field() {
    let utc = place("UTC");
    for (bad, field) in [
        (cron(""), "when.cron"),
        (cron("* * * *"), "when.cron"),
        (cron("* * * * * Europe/Berlin"), "when.cron"),
        (cron("60 * * * *"), "when.cron"),
        (cron("* * * * monday-friday"), "when.cron"),
        (cron("\u{202e} * * * *"), "when.cron"),
        (When::Sunset { offset_min: 0 }, "when.type"),
    ] {
        assert_eq!(check(&bad, &utc).unwrap_err().field, field, "{bad:?}");
    }
    assert_eq!(check(&cron("*/5 8-18 * * MON-FRI"), &utc), Ok(()));
}

/// Whether a civil minute matches, worked out apart from the library: minutes, hours and days of the week as lists.
#[derive(Clone, Debug)]
struct Lists {
    minutes: Vec<i8>,
    hours: Vec<i8>,
    weekdays: Vec<i8>,
}

impl Lists {
    fn cron(&self) -> When {
        let list = |of: &[i8]| if of.is_empty() { "*".to_owned() } else { of.iter().map(i8::to_string).collect::<Vec<_>>().join(",") };
        cron(&format!("{} {} * * {}", list(&self.minutes), list(&self.hours), list(&self.weekdays)))
    }

    fn matches(&self, civil: DateTime) -> bool {
        let has = |of: &[i8], n: i8| of.is_empty() || of.contains(&n);
        has(&self.minutes, civil.minute()) && has(&self.hours, civil.hour()) && has(&self.weekdays, civil.weekday().to_sunday_zero_offset())
    }
}

fn lists() -> impl Strategy<Value = Lists> {
    let of = |range: std::ops::Range<i8>, most: usize| proptest::collection::vec(range, 0..most);
    (of(0..60, 4), of(0..6, 4), of(0..7, 3)).prop_map(|(minutes, hours, weekdays)| Lists { minutes, hours, weekdays })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Around both changes of clocks, minute by minute: a civil minute that was there before is not due again, and those that are left out are due
    /// at the minute after them.
    #[test]
    fn runs_are_those_that_a_clock_on_the_wall_shows(
        lists in lists(),
        zone in prop::sample::select(vec!["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Africa/Casablanca", "UTC"]),
        start in prop::sample::select(vec!["2026-03-29", "2026-10-25", "2026-03-08", "2026-11-01", "2026-04-05", "2026-10-04", "2026-02-15"]),
    ) {
        let place = place(zone);
        let first = at(&format!("{start}T00:00:00Z")).plus_ms(-DAY_MS);
        let minutes = 3 * 24 * 60;
        let civil = |at: Timestamp| place.zone.to_datetime(jiff::Timestamp::from_millisecond(at.as_ms()).unwrap());
        // What was shown before the first minute cannot be shown again within a change of clocks that began earlier.
        let mut newest = civil(first);
        let mut expected = vec![];
        for n in 1..minutes {
            let now = first.plus_ms(n * MINUTE_MS);
            let shown = civil(now);
            let mut passed = newest;
            let mut is_due = false;
            // All civil minutes that the clock came to or jumped over, none twice.
            while passed < shown {
                passed = passed.checked_add(jiff::SignedDuration::from_mins(1)).unwrap();
                is_due |= lists.matches(passed);
            }
            newest = newest.max(shown);
            if is_due {
                expected.push(now);
            }
        }
        let mut found = vec![];
        let (mut after, end, when) = (first, first.plus_ms((minutes - 1) * MINUTE_MS), lists.cron());
        while let Next::At(at) = next(&when, &place, after) {
            if at > end {
                break;
            }
            prop_assert!(at > after);
            found.push(at);
            after = at;
        }
        prop_assert_eq!(found, expected);
    }

    #[test]
    fn the_sun_comes_once_a_day_and_never_twice(latitude in -65.0..65.0_f64, longitude in -180.0..180.0_f64, offset_min in -720..720, day in 0_i64..9_000) {
        let place = Place { location: Some((latitude, longitude)), ..place("UTC") };
        for when in [When::Sunrise { offset_min }, When::Sunset { offset_min }] {
            let mut after = Timestamp::from_ms(1_577_836_800_000 + day * DAY_MS);
            for n in 0..4 {
                let at = next(&when, &place, after).at().unwrap();
                let passed = at.since_ms(after);
                prop_assert!(passed > if n == 0 { 0 } else { 23 * 60 * MINUTE_MS } && passed < 25 * 60 * MINUTE_MS, "{passed}");
                after = at;
            }
        }
    }

    #[test]
    fn any_text_is_a_pattern_or_refused(text in "\\PC{0,60}", nearly in "([0-9*,/LW#-]{1,6} ){4}[0-9*,/LW#A-Z-]{1,6}") {
        for text in [text, nearly] {
            let when = cron(&text);
            if check(&when, &place("UTC")).is_ok() {
                let after = at("2026-06-12T05:00:00Z");
                prop_assert!(next(&when, &place("Europe/Berlin"), after).at().is_none_or(|at| at > after));
            }
        }
    }
}
