//! For how long something was in which state, against a walk through everything that was said.

use std::collections::BTreeMap;

use domain::history::Range;
use domain::reading::Reading;
use domain::value::Value;
use proptest::prelude::*;
use serde_json::json;
use server::store::sqlite::{Settings, SqliteStore};
use server::store::{Batch, Held, MOST_STATES, Store};

use crate::store::{TestStore, arrival, entity, range, reading};
use crate::store_exclude::exclude;
use crate::test_app::TestApp;

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;

fn word(n: u8) -> String {
    format!("state {n}")
}

fn text(value: &Value) -> String {
    match value {
        Value::Text(text) => text.clone(),
        other => panic!("{other:?} is no text"),
    }
}

/// What was said, in the order in which it counts: of a moment first what the device says of it, then what arrived, as it arrived.
fn said(readings: &[Reading], out: Option<i64>) -> Vec<(i64, String)> {
    let mut places: BTreeMap<i64, i64> = BTreeMap::new();
    let mut rows: BTreeMap<(i64, i64), String> = BTreeMap::new();
    for reading in readings {
        let (at, Value::Text(text)) = (reading.taken_at.as_ms(), reading.value.clone()) else { continue };
        let place = places.entry(at).or_default();
        *place += i64::from(!reading.device_time);
        rows.entry((at, if reading.device_time { 0 } else { *place })).or_insert(text);
    }
    rows.into_iter().filter(|((at, _), _)| Some(*at) != out).map(|((at, _), text)| (at, text)).collect()
}

/// Milliseconds by state, a state at a time.
fn walked(said: &[(i64, String)], range: Range) -> BTreeMap<String, i64> {
    let mut all = BTreeMap::new();
    for (n, (at, text)) in said.iter().enumerate() {
        let end = said.get(n + 1).map_or(i64::MAX, |next| next.0).min(range.to.as_ms());
        let ms = end - range.from.as_ms().max(*at);
        if ms > 0 {
            *all.entry(text.clone()).or_default() += ms;
        }
    }
    all
}

fn check(held: &Held, expected: &BTreeMap<String, i64>) {
    let mut longest: Vec<(String, i64)> = expected.clone().into_iter().collect();
    longest.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| serde_json::to_string(&a.0).unwrap().cmp(&serde_json::to_string(&b.0).unwrap())));
    let rest = longest.split_off(longest.len().min(MOST_STATES));
    let found: Vec<(String, i64)> = held.states.iter().map(|one| (text(&one.v), one.ms)).collect();
    assert_eq!(found, longest);
    assert_eq!(held.other_ms, rest.iter().map(|(_, ms)| ms).sum::<i64>());
}

async fn held(store: &SqliteStore, part: Range) -> Held {
    store.held(&[entity("a.mode")], part).await.unwrap().remove(0)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn the_time_of_each_state_is_what_everything_that_was_said_comes_to(
        said_of in prop::collection::vec((0i64..300, 0i64..3, 0u8..20), 0..150),
        device_time in any::<bool>(),
        batches in 1usize..5,
        parts in prop::collection::vec((-HOUR..6 * HOUR, 0..8 * HOUR), 1..6),
        out in any::<prop::sample::Index>(),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let one = |(step, ms, n): (i64, i64, u8)| {
                let (at, value) = (step * MINUTE + ms, Value::Text(word(n)));
                if device_time { reading("a.mode", at, value) } else { arrival("a.mode", at, value) }
            };
            let mut readings: Vec<Reading> = said_of.into_iter().map(one).collect();
            if !device_time {
                // By time of arrival, nothing is older than what came before it.
                readings.sort_by_key(|reading| reading.taken_at);
            }
            let test = TestStore::open_with(Settings { most_hot: 50, ..Settings::default() }).await;
            for part in readings.chunks(readings.len().div_ceil(batches).max(1)) {
                test.write(part.to_vec()).await;
                test.store.tend().await.unwrap();
            }
            for &(from, len) in &parts {
                check(&held(&test.store, range(from, from + len)).await, &walked(&said(&readings, None), range(from, from + len)));
            }
            if !readings.is_empty() {
                let at = out.get(&readings).taken_at.as_ms();
                exclude(&test.store, "a.mode", at).await;
                let all = range(-HOUR, 8 * HOUR);
                // What repeated a state that is gone now was never stored; what is left is not in question.
                let left = test.store.states(&[entity("a.mode")], all, usize::MAX).await.unwrap().remove(0);
                let left: Vec<(i64, String)> = left.into_iter().map(|(at, value)| (at.as_ms(), text(&value))).collect();
                assert!(left.iter().all(|(moment, _)| *moment != at));
                check(&held(&test.store, all).await, &walked(&left, all));
            }
        });
    }
}

#[tokio::test]
async fn nothing_is_known_before_the_first_state_nor_after_now() {
    let test = TestStore::open().await;
    let now = jiff::Timestamp::now().as_millisecond();
    let mode = |at, text: &str| reading("a.mode", at, Value::Text(text.into()));
    test.write(vec![mode(now - 3 * HOUR, "Auto"), mode(now - HOUR, "Eco")]).await;
    let found = held(&test.store, range(now - 10 * HOUR, now + 10 * HOUR)).await;
    assert_eq!(found.states.iter().map(|one| text(&one.v)).collect::<Vec<_>>(), ["Auto", "Eco"]);
    assert_eq!(found.states[0].ms, 2 * HOUR);
    assert!((HOUR..HOUR + 10 * MINUTE).contains(&found.states[1].ms), "{found:?}");
    assert_eq!(held(&test.store, range(now - 10 * HOUR, now - 4 * HOUR)).await, Held::default());
    assert_eq!(held(&test.store, range(now + HOUR, now + 2 * HOUR)).await, Held::default());
    assert_eq!(held(&test.store, range(5, 5)).await, Held::default());
    let none = test.store.held(&[entity("b.none"), entity("a.mode")], range(now - 2 * HOUR, now - HOUR)).await.unwrap();
    assert_eq!((none[0].states.len(), none[1].states[0].ms), (0, HOUR));
}

#[tokio::test]
async fn an_answer_says_how_long_each_word_held_and_sums_up_the_rest() {
    let app = TestApp::start().await;
    let mut viewer = app.viewer().await;
    viewer.says(json!({"type": "subscribe", "entities": ["*"]})).await;
    let mut device = app.device().await;
    for (topic, payload, entity) in
        [("sensors/a/mode", "Auto", "a.mode"), ("sensors/a/temperature", "20.5", "a.temperature"), ("sensors/door/contact", "open", "door.contact")]
    {
        device.publishes(topic, payload, true).await;
        viewer.sees(entity, |_| true).await;
    }
    let from = 1_760_000_400_000_i64;
    // The first for 1 minute, the next for 2, and so on up to 14.
    let times: Vec<i64> = (0..15).map(|n| from + n * (n + 1) / 2 * MINUTE).collect();
    let words: Vec<String> = (0..15).map(word).collect();
    assert_eq!(app.post("/api/v1/history", &json!({"entity": "a.mode", "t": times, "v": words}).to_string()).await.0, 200);
    let (to, path) = (times[14], |ids: &str, to: i64| format!("/api/v1/history?entities={ids}&from={from}&to={to}"));
    let answer = app.json(&path("a.mode,a.temperature,door.contact", to)).await;
    let one = &answer["series"][0];
    let expected: Vec<_> = (2..14).rev().map(|n: u8| json!({"v": word(n), "ms": i64::from(n + 1) * MINUTE})).collect();
    assert_eq!((&one["states"], &one["other_ms"]), (&json!(expected), &json!(3 * MINUTE)));
    assert_eq!((&one["entity"], &one["t"], &one["resolution"]), (&json!("a.mode"), &json!([]), &json!("raw")));
    for other in [&answer["series"][1], &answer["series"][2]] {
        assert!(other.get("states").is_none() && other.get("other_ms").is_none(), "{other}");
    }
    assert_eq!(app.json(&path("a.mode", from + MINUTE)).await["series"][0]["states"], json!([{"v": word(0), "ms": MINUTE}]));
    app.stop().await;
}

#[tokio::test]
async fn a_word_that_this_release_cannot_read_is_one_of_the_others() {
    let test = TestStore::open().await;
    let mode = |at, text: &str| reading("a.mode", at, Value::Text(text.into()));
    test.store.write(&Batch { readings: vec![mode(0, "Auto"), mode(MINUTE, "Eco")], ..Batch::default() }).await.unwrap();
    let other = sqlx::SqlitePool::connect_with(sqlx::sqlite::SqliteConnectOptions::new().filename(test.path())).await.unwrap();
    sqlx::query("update state set value = '{\"tune\":[1,2]}' where taken_at = 0").execute(&other).await.unwrap();
    let found = held(&test.store, range(0, 3 * MINUTE)).await;
    assert_eq!((found.states.len(), found.states[0].ms, found.other_ms), (1, 2 * MINUTE, MINUTE));
    other.close().await;
}
