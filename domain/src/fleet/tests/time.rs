//! Times of devices, late readings, batches.

use super::*;
use crate::time::{DAY_MS, HOUR_MS, MINUTE_MS};

const NOW: i64 = 1_800_000_000_000;

fn plant(settings: Settings) -> Plant {
    let mut plant = Plant::new(settings);
    plant.now = NOW;
    plant
}

/// Time relative to [`NOW`], number, and whether the time is the device's own, of each reading.
fn stored(out: &[Change]) -> Vec<(i64, f64, bool)> {
    let reading = |change: &Change| match change {
        Change::Reading(Reading { value: Value::Number(n), taken_at, device_time, .. }) => Some((taken_at.as_ms() - NOW, *n, *device_time)),
        _ => None,
    };
    out.iter().filter_map(reading).collect()
}

fn timed(value: i32, at: i64) -> String {
    format!(r#"{{"value":{value},"ts":{}}}"#, NOW + at)
}

fn batch(rows: &[(i64, i32)]) -> String {
    let rows: Vec<String> = rows.iter().map(|(at, value)| format!(r#"{{"ts":{},"values":{{"temperature":{value}}}}}"#, NOW + at)).collect();
    format!("[{}]", rows.join(","))
}

fn n_shown(out: &[Change]) -> usize {
    out.iter().filter(|change| matches!(change, Change::Shown(_))).count()
}

#[test]
fn every_row_of_a_batch_is_stored_and_the_newest_is_shown_once() {
    let mut plant = plant(Settings::default());
    let out = plant.says("sensors/a/data", &batch(&[(-3_000, 1), (-1_000, 3), (-2_000, 2), (-4_000, 0)]));
    assert_eq!(stored(&out), [(-4_000, 0.0, true), (-3_000, 1.0, true), (-2_000, 2.0, true), (-1_000, 3.0, true)]);
    assert_eq!((n_shown(&out), plant.value("a.temperature")), (1, (number(3.0), Quality::Good)));
    assert_eq!(plant.entity("a.temperature").t, Some(Timestamp::from_ms(NOW - 1_000)));
    let out = plant.says("sensors/a/data", &batch(&[(-5_000, 9), (-500, 4), (-1_500, 8)]));
    assert_eq!((stored(&out).len(), plant.value("a.temperature").0), (3, number(4.0)));
    assert_eq!(out.iter().filter_map(|c| if let Change::Message { fed, .. } = c { Some(fed.len()) } else { None }).sum::<usize>(), 1);
}

#[test]
fn a_batch_of_a_week_away_lands_in_history_and_moves_no_tile() {
    let mut plant = plant(hot_rule());
    for _ in 0..5 {
        plant.says("sensors/a", r#"{"temperature":20}"#);
        plant.now += 5_000;
    }
    plant.wait(MINUTE_MS);
    let (before, since) = (plant.entity("a.temperature"), plant.now - NOW);
    assert_eq!(before.q, Quality::Stale);
    let rows: Vec<(i64, i32)> = (0..500).map(|n| (n * MINUTE_MS - 7 * DAY_MS, 90)).collect();
    let out = plant.says("sensors/a", &batch(&rows));
    assert_eq!((stored(&out).len(), stored(&out)[499]), (500, (499 * MINUTE_MS - 7 * DAY_MS, 90.0, true)));
    assert_eq!((n_shown(&out), alarm_states(&out)), (0, vec![]));
    assert_eq!(plant.entity("a.temperature"), before, "late readings are no sign of life of the tile's value");
    assert_eq!(plant.fleet.clock_skew_ms(&entity_id("a.temperature")), None);
    // Rows up to now bring it back.
    let out = plant.says("sensors/a", &batch(&[(since - 1_000, 21), (since - 2_000, 90)]));
    assert_eq!((plant.value("a.temperature"), alarm_states(&out)), ((number(21.0), Quality::Good), vec![AlarmState::Unacked, AlarmState::Returned]));
}

#[test]
fn a_late_state_does_not_change_since_when_it_has_been() {
    let mut plant = plant(Settings::default());
    plant.says("sensors/a/door", &format!(r#"{{"value":"open","ts":{NOW}}}"#));
    plant.now += 30_000;
    let out = plant.says("sensors/a/door", &format!(r#"{{"value":"closed","ts":{}}}"#, NOW - 20_000));
    assert_eq!((readings(&out), n_shown(&out)), (1, 0));
    let view = plant.entity("a.door");
    assert_eq!((view.v, view.since), (Some(Value::Bool(true)), Some(Timestamp::from_ms(NOW))));
}

#[test]
fn a_clock_that_is_days_behind_is_marked_and_its_values_stay_live() {
    let mut plant = plant(Settings::default());
    let id = entity_id("a.temperature");
    for n in 0..4 {
        plant.says("sensors/a/temperature", &timed(n, plant.now - NOW - 3 * DAY_MS));
        plant.now += 30_000;
    }
    plant.now -= 30_000;
    let view = plant.entity("a.temperature");
    assert_eq!((view.v, view.q, view.t), (number(3.0), Quality::Good, Some(Timestamp::from_ms(plant.now))));
    assert_eq!(plant.fleet.clock_skew_ms(&id), Some(-3 * DAY_MS));
    // What the broker replays of it says nothing new.
    let out = plant.delivers("sensors/a/temperature", &timed(3, plant.now - NOW - 3 * DAY_MS), true);
    assert_eq!((readings(&out), plant.entity("a.temperature").t), (0, Some(Timestamp::from_ms(plant.now))));
    plant.now += 30_000;
    plant.says("sensors/a/temperature", &timed(5, plant.now - NOW));
    assert_eq!((plant.value("a.temperature").0, plant.fleet.clock_skew_ms(&id)), (number(5.0), None));
}

#[test]
fn a_clock_that_is_ahead_or_was_never_set_is_marked_at_once() {
    let mut plant = plant(Settings::default());
    let id = entity_id("a.temperature");
    assert_eq!(stored(&plant.says("sensors/a/temperature", &timed(1, 9_000))), [(9_000, 1.0, true)]);
    assert_eq!(plant.fleet.clock_skew_ms(&id), None);
    assert_eq!(stored(&plant.says("sensors/a/temperature", &timed(2, HOUR_MS))), [(0, 2.0, false)]);
    assert_eq!((plant.value("a.temperature").0, plant.fleet.clock_skew_ms(&id)), (number(2.0), Some(HOUR_MS)));
    plant.now += 20_000;
    assert_eq!(stored(&plant.says("sensors/a/temperature", r#"{"value":3,"ts":4711}"#)), [(20_000, 3.0, false)]);
    assert_eq!(plant.fleet.clock_skew_ms(&id), Some(4_711_000 - plant.now));
    plant.says("sensors/a/temperature", &timed(4, 20_000));
    assert_eq!((plant.value("a.temperature").0, plant.fleet.clock_skew_ms(&id)), (number(4.0), None));
}

#[test]
fn a_batch_of_a_wrong_clock_keeps_its_shape() {
    let mut plant = plant(Settings::default());
    let out = plant.says("sensors/a", &batch(&[(HOUR_MS, 3), (HOUR_MS - 60_000, 1), (HOUR_MS - 30_000, 2), (-1_000, 0)]));
    assert_eq!(stored(&out), [(-1_000 - HOUR_MS, 0.0, false), (-60_000, 1.0, false), (-30_000, 2.0, false), (0, 3.0, false)]);
    assert_eq!(plant.value("a.temperature").0, number(3.0));
}

#[test]
fn a_tile_goes_on_when_our_clock_is_set_back() {
    let mut plant = plant(Settings::default());
    for n in 0..5 {
        plant.says("sensors/a/temperature", &n.to_string());
        plant.now += 5_000;
    }
    plant.now -= HOUR_MS;
    plant.says("sensors/a/temperature", "7");
    assert_eq!(plant.value("a.temperature"), (number(7.0), Quality::Good));
    plant.wait(21_000);
    assert_eq!(plant.value("a.temperature").1, Quality::Stale, "silence is told all the same");
    // Also when nothing was heard since.
    plant.says("sensors/a/temperature", "8");
    plant.wait(-HOUR_MS);
    plant.wait(21_000);
    assert_eq!(plant.value("a.temperature").1, Quality::Stale);
}

#[test]
fn a_device_that_is_right_stays_right_when_our_clock_jumps_ahead_and_back() {
    const YEARS_MS: i64 = 11 * 365 * DAY_MS;
    let mut plant = plant(Settings::default());
    let mut told = 0;
    let mut says = |plant: &mut Plant, ahead_ms: i64| {
        told += 1;
        let at = plant.now - ahead_ms - NOW;
        let out = plant.says("sensors/a/temperature", &timed(told, at));
        plant.says("sensors/b/temperature", &told.to_string());
        plant.now += 5_000;
        assert_eq!(stored(&out), [(at, f64::from(told), true)], "its own time, whatever ours is");
        assert_eq!(plant.value("b.temperature").0, number(f64::from(told)));
        plant.value("a.temperature").0 == number(f64::from(told))
    };
    assert!(says(&mut plant, 0));
    plant.now += YEARS_MS;
    plant.feed(Input::ClockSet { by_ms: YEARS_MS });
    for _ in 0..20 {
        assert!(says(&mut plant, YEARS_MS));
    }
    plant.now -= YEARS_MS;
    plant.feed(Input::ClockSet { by_ms: -YEARS_MS });
    assert!(says(&mut plant, 0), "its tile goes on at once");
}

#[test]
fn a_tile_from_the_future_goes_on_with_the_next_value() {
    let mut plant = plant(Settings::default());
    plant.now += DAY_MS;
    plant.says("sensors/a/temperature", "1");
    plant.now -= DAY_MS;
    plant.says("sensors/a/temperature", &timed(2, -1_000));
    assert_eq!(plant.value("a.temperature").0, number(2.0));
}

proptest! {
    #[test]
    fn no_time_of_a_device_moves_a_tile_back_or_into_the_future(says in proptest::collection::vec((-10 * DAY_MS..10 * DAY_MS, 0..100_000i64, any::<bool>()), 1..40)) {
        let mut plant = plant(Settings::default());
        let mut shown = i64::MIN;
        for (n, (at, pause, retained)) in says.into_iter().enumerate() {
            plant.now += pause;
            let out = plant.delivers("sensors/a/temperature", &timed(i32::try_from(n).expect("small"), at), retained);
            for (at, ..) in stored(&out) {
                prop_assert!(NOW + at <= plant.now + MAX_AHEAD_MS);
            }
            let t = plant.entity("a.temperature").t.expect("shown").as_ms();
            // What arrives now without a time that can be believed is the newest, also after one that was a little ahead.
            prop_assert!(t >= shown.min(plant.now) && t <= plant.now + MAX_AHEAD_MS, "{} after {}", t - NOW, shown - NOW);
            shown = t;
        }
    }
}
