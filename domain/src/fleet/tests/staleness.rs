//! Quality and time.

use super::*;
use crate::time::DAY_MS;

fn with_bound(stale_after_s: u32) -> Settings {
    let written = Override { stale_after_s: Some(stale_after_s), ..Override::default() };
    Settings { overrides: [(entity_id("a.temperature"), written.clone()), (entity_id("a.door"), written)].into(), ..Settings::default() }
}

#[test]
fn what_the_operator_wrote_wins_over_the_rhythm() {
    let mut plant = Plant::new(with_bound(3));
    for (topic, id, payload) in [("sensors/a/temperature", "a.temperature", "21"), ("sensors/a/door", "a.door", "open")] {
        plant.says(topic, payload);
        plant.wait(3_000);
        assert_eq!(plant.value(id).1, Quality::Good, "{id}");
        plant.wait(1);
        assert_eq!(plant.value(id).1, Quality::Stale, "{id}");
    }
    let mut plant = Plant::new(with_bound(0));
    plant.says("sensors/a/temperature", "21");
    plant.wait(100 * DAY_MS);
    assert_eq!(plant.value("a.temperature").1, Quality::Good);
}

#[test]
fn a_replay_makes_nothing_fresh_that_is_late() {
    let mut plant = Plant::new(Settings::default());
    for _ in 0..5 {
        plant.says("sensors/a/temperature", "21");
        plant.now += 5_000;
    }
    plant.wait(60_000);
    assert_eq!(plant.value("a.temperature").1, Quality::Stale);
    let before = plant.entity("a.temperature");
    for _ in 0..10 {
        plant.delivers("sensors/a/temperature", "21", true);
        plant.wait(1_000);
    }
    assert_eq!(plant.entity("a.temperature"), before);
}

#[test]
fn devices_say_in_many_words_that_they_are_gone() {
    for (topic, gone, back) in [
        ("devices/a/status", "offline", "online"),
        ("sensors/a/status", "Offline", "Online"),
        ("home/a/availability", r#"{"state":"offline"}"#, r#"{"state":"online"}"#),
        ("home/a/LWT", "OFFLINE", "ONLINE"),
        ("home/a/connected", "disconnected", "connected"),
        ("home/a/state", "lost", "ready"),
    ] {
        let mut plant = Plant::new(Settings::default());
        plant.says("sensors/a/temperature", "21");
        plant.delivers(topic, gone, true);
        assert_eq!(plant.value("a.temperature"), (number(21.0), Quality::Offline), "{topic}");
        plant.says(topic, back);
        assert_eq!(plant.value("a.temperature").1, Quality::Good, "{topic}");
        plant.says(topic, "?");
        assert_eq!(plant.value("a.temperature").1, Quality::Good, "{topic}: what is no word changes nothing");
    }
}

proptest! {
    /// A device with jitter, bursts and one outage.
    #[test]
    fn a_value_is_stale_when_it_is_late_and_only_then(
        interval in 3_000..600_000i64,
        jitter in proptest::collection::vec(0..40i64, 20..60),
        outage_at in 4..16usize,
        burst in 0..4usize,
    ) {
        let mut plant = Plant::new(Settings::default());
        let longest = interval + interval * 39 / 100;
        for (n, percent) in jitter.iter().enumerate() {
            for _ in 0..=burst {
                plant.says("sensors/a/temperature", &n.to_string());
                plant.now += 20;
            }
            let pause = if n == outage_at { interval * 50 } else { interval + interval * percent / 100 };
            plant.wait(pause - 1);
            if n >= 4 && n != outage_at {
                prop_assert_eq!(plant.value("a.temperature").1, Quality::Good, "within its rhythm, message {}", n);
            }
            plant.now += 1;
        }
        plant.says("sensors/a/temperature", "0");
        plant.wait((longest + 100) * 4);
        plant.wait(10_000);
        prop_assert_eq!(plant.value("a.temperature").1, Quality::Stale);
    }

    /// Whatever happens, a value that is shown as good was heard within its bound.
    #[test]
    fn nothing_is_good_past_its_bound(says in proptest::collection::vec((0..30_000i64, any::<bool>(), any::<bool>()), 1..60), bound in 1..20u32) {
        let mut plant = Plant::new(with_bound(bound));
        let mut heard = None;
        for (pause, retained, speaks) in says {
            plant.wait(pause);
            if let Some(heard) = heard {
                let late = plant.now - heard > i64::from(bound) * 1_000;
                prop_assert_eq!(plant.value("a.temperature").1 == Quality::Good, !late && !retained_last(&plant));
            }
            if speaks {
                plant.delivers("sensors/a/temperature", "21", retained);
                if !retained {
                    heard = Some(plant.now);
                }
            }
        }
    }
}

fn retained_last(plant: &Plant) -> bool {
    plant.value("a.temperature").1 == Quality::Retained
}
