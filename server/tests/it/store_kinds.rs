//! States and meters against a brute-force computation over everything that was said.

use std::sync::Arc;

use domain::downsample::{Grid, bucket_ms};
use domain::entity::Entity;
use domain::history::{Range, Resolution, Series};
use domain::reading::Reading;
use domain::value::Value;
use jiff::tz::TimeZone;
use proptest::prelude::*;
use server::store::retention::{Class, Retention};
use server::store::sqlite::Settings;
use server::store::{Batch, Store, civil};

use crate::store::{TestStore, arrival, entity, range, reading, sensor};
use crate::store_history::stored;

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
/// Clocks are set back in Berlin.
const CHANGE: i64 = 1_792_706_400_000 + 51 * HOUR;
/// All that is said lies in here.
const ALL: (i64, i64) = (-8_000_000_000_000_000, 8_000_000_000_000_000);

/// A row as it should be: beginning, least, largest and last state, changes, known and on in milliseconds.
type StateRow = (i64, f64, f64, f64, u32, i64, i64);

/// The states of `readings`, repeats included, from before the range on.
fn states_of(readings: &[Reading], id: &str) -> Vec<(i64, f64)> {
    stored(readings, id, range(ALL.0, ALL.1)).into_iter().map(|(at, _, state)| (at, state)).collect()
}

/// What held before a moment.
fn before(states: &[(i64, f64)], at: i64) -> Option<f64> {
    states[..states.partition_point(|state| state.0 < at)].last().map(|state| state.1)
}

/// What the states of a part of time come to, walking through all of them.
fn part(states: &[(i64, f64)], start: i64, (from, to): (i64, i64)) -> Option<StateRow> {
    let (mut state, mut since) = (before(states, from), from);
    let (mut low, mut high, mut n, mut known, mut on) = (f64::INFINITY, f64::NEG_INFINITY, 0, 0, 0);
    let mut hold = |state: Option<f64>, ms: i64, low: &mut f64, high: &mut f64| {
        if let Some(state) = state.filter(|_| ms > 0) {
            known += ms;
            on += if state > 0.5 { ms } else { 0 };
            (*low, *high) = (low.min(state), high.max(state));
        }
    };
    let first = states.partition_point(|state| state.0 < from);
    for &(at, next) in states[first..].iter().take_while(|(at, _)| *at < to) {
        hold(state, at - since, &mut low, &mut high);
        if state != Some(next) {
            n += 1;
            (low, high) = (low.min(next), high.max(next));
        }
        (state, since) = (Some(next), at);
    }
    hold(state, to - since, &mut low, &mut high);
    state.map(|last| (start, low, high, last, n, known, on))
}

fn rows_of(series: &Series) -> Vec<StateRow> {
    let Series { t, min, mean, max, last, n, duty, known_ms, increase, .. } = series;
    assert!(increase.is_empty());
    assert_eq!(duty, mean);
    let row = |idx: usize| {
        #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "some days in milliseconds")]
        let on = (duty[idx] * known_ms[idx] as f64).round() as i64;
        (t[idx].as_ms(), min[idx], max[idx], last[idx], n[idx], known_ms[idx], on)
    };
    (0..t.len()).map(row).collect()
}

/// The changes of a range, with what held at its beginning in front; or with a grid its buckets.
fn expected(readings: &[Reading], id: &str, range: Range, grid: Option<&Grid>) -> Vec<StateRow> {
    let (states, (from, to)) = (states_of(readings, id), (range.from.as_ms(), range.to.as_ms()));
    if let Some(grid) = grid {
        let mut rows = vec![];
        // Before the first state there is nothing, and there may be a lot of it.
        let mut at = from.max(states.first().map_or(to, |first| first.0));
        while at < to {
            let (start, end) = grid.bucket(at);
            rows.extend(part(&states, start, (start.max(from), end.min(to))));
            at = end;
        }
        return rows;
    }
    let mut rows: Vec<(i64, f64, u32)> = vec![];
    let mut held = before(&states, from);
    if let Some(state) = held
        && !states.iter().any(|(at, next)| *at == from && *next != state)
    {
        rows.push((from, state, 0));
    }
    for &(at, state) in states.iter().filter(|(at, _)| (from..to).contains(at)) {
        if held != Some(state) {
            rows.push((at, state, 1));
            held = Some(state);
        }
    }
    let ends = rows.iter().skip(1).map(|row| row.0).chain([to]).collect::<Vec<i64>>();
    let row = |((at, state, n), end): ((i64, f64, u32), i64)| (at, state, state, state, n, end - at, if state > 0.5 { end - at } else { 0 });
    rows.into_iter().zip(ends).map(row).collect()
}

/// Every row of a series of states is what everything that was said comes to. Without a grid all of it is asked for.
pub(crate) fn check_states(series: &Series, readings: &[Reading], id: &str, range: Range, grid: Option<&Grid>) {
    assert_eq!(rows_of(series), expected(readings, id, range, grid), "{id} {range:?} {grid:?}");
}

/// The same for a meter: readings, or buckets, each with what was counted.
fn check_meter(series: &Series, readings: &[Reading], id: &str, range: Range, grid: Option<&Grid>) {
    let mut rows: Vec<(i64, f64, f64, f64, u32, f64)> = vec![];
    let mut shown: Option<f64> = None;
    for (at, now) in states_of(readings, id) {
        let counted = match shown {
            None => 0.0,
            Some(before) if now < before => now,
            Some(before) => now - before,
        };
        shown = Some(now);
        if at < range.from.as_ms() || at >= range.to.as_ms() {
            continue;
        }
        let start = grid.map_or(at, |grid| grid.bucket(at).0);
        match rows.last_mut().filter(|row| row.0 == start && grid.is_some()) {
            Some(row) => *row = (start, row.1.min(now), row.2.max(now), now, row.4 + 1, row.5 + counted),
            None => rows.push((start, now, now, now, 1, counted)),
        }
    }
    assert!(series.duty.is_empty() && series.known_ms.is_empty());
    assert_eq!(series.t.iter().map(|t| t.as_ms()).collect::<Vec<_>>(), rows.iter().map(|row| row.0).collect::<Vec<_>>());
    for (idx, (_, low, high, last, n, counted)) in rows.into_iter().enumerate() {
        assert_eq!((series.min[idx], series.max[idx], series.last[idx], series.n[idx]), (low, high, last, n), "row {idx}");
        assert!((series.increase[idx] - counted).abs() < 1e-6, "row {idx}: {} for {counted}", series.increase[idx]);
    }
}

fn meter(id: &str) -> Entity {
    Entity { unit: Some("kWh".into()), ..sensor(id) }
}

/// A door and a meter that say when, in any order, some of it twice; a lamp whose time is that of its arrival.
fn readings() -> impl Strategy<Value = Vec<Reading>> {
    let at = (0i64..400).prop_flat_map(|step| prop_oneof![Just(step * MINUTE), (0..MINUTE).prop_map(move |ms| step * MINUTE + ms)]);
    let one = (at, 0usize..4, 0i64..500, any::<bool>());
    prop::collection::vec(one, 0..300).prop_map(|mut all| {
        let mut lamp: Vec<i64> = all.iter().filter(|one| one.1 == 3).map(|one| one.0).collect();
        lamp.sort_unstable();
        let mut lamp = lamp.into_iter();
        all.drain(..)
            .map(|(at, which, number, is_arrival)| {
                let at = CHANGE - 200 * MINUTE + at;
                #[expect(clippy::cast_precision_loss, reason = "small")]
                match which {
                    0 | 1 => reading("a.door", at, Value::Bool(number % 3 == 0)),
                    2 if is_arrival => arrival("m.energy", at, Value::Number(number as f64 / 10.0)),
                    2 => reading("m.energy", at, Value::Number(number as f64 / 10.0)),
                    _ => arrival("l.lamp", CHANGE - 200 * MINUTE + lamp.next().unwrap_or(0), Value::Bool(number % 3 == 0)),
                }
            })
            .collect()
    })
}

async fn store_with(settings: Settings) -> TestStore {
    let test = TestStore::open_with(settings).await;
    test.store.write(&Batch { entities: vec![meter("m.energy")], ..Batch::default() }).await.unwrap();
    test
}

/// All that may be asked about a range, against everything that was said.
async fn check(store: &impl Store, readings: &[Reading], asked: Range, points: usize, ms: i64) {
    let ids = ["a.door", "l.lamp", "m.energy"];
    let entities = ids.map(entity);
    let zone = TimeZone::get("Europe/Berlin").unwrap();
    let (civil, civil_ms) = civil::grid(asked, points, &zone);
    let even = Grid::Even(bucket_ms(asked, points));
    let answers = [
        (store.history(&entities, asked, points).await.unwrap(), even, bucket_ms(asked, points), true),
        (store.history_in(&zone, &entities, asked, points).await.unwrap(), civil, civil_ms, true),
        (store.buckets(&entities, asked, ms).await.unwrap(), Grid::Even(ms), ms, false),
    ];
    for (series, grid, ms, may_be_raw) in answers {
        for (series, id) in series.iter().zip(ids) {
            let is_meter = id == "m.energy";
            let all = if is_meter { stored(readings, id, asked).len() } else { expected(readings, id, asked, None).len() };
            let is_raw = may_be_raw && all <= points;
            assert_eq!(series.resolution, if is_raw { Resolution::Raw } else { Resolution::BucketMs(ms) }, "{all} of {points}");
            let grid = (!is_raw).then_some(&grid);
            if is_meter { check_meter(series, readings, id, asked, grid) } else { check_states(series, readings, id, asked, grid) }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn states_and_meters_come_to_what_was_said(
        readings in readings(),
        batches in 1usize..6,
        from in -10 * MINUTE..400 * MINUTE,
        len in 0..8 * HOUR,
        points in 1usize..200,
        ms in prop::sample::select(vec![MINUTE, 7 * MINUTE, HOUR, 3 * HOUR, DAY]),
        most_hot in 1usize..400,
        steps in prop::collection::vec(0usize..12, 6),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let test = store_with(Settings { most_hot, ..Settings::default() }).await;
            for (batch, steps) in readings.chunks(readings.len().div_ceil(batches).max(1)).zip(steps) {
                test.write(batch.to_vec()).await;
                for _ in 0..steps {
                    test.store.tend().await.unwrap();
                }
            }
            let from = CHANGE - 200 * MINUTE + from;
            check(&test.store, &readings, range(from, from + len), points, ms).await;
        });
    }
}

/// Some days of a door that says the same again and again, and of a meter that begins anew now and then.
fn days(seed: u64) -> Vec<Reading> {
    let mut random = fastrand::Rng::with_seed(seed);
    let (mut is_open, mut shown) = (false, 0.0);
    let mut all = vec![];
    for n in 0..9_000 {
        let at = CHANGE - 2 * DAY + n * 37_000 + random.i64(0..20_000);
        // For some hours it does not move.
        is_open ^= (n / 2_000) % 2 == 0 && random.u8(..) < 90;
        shown = if random.u16(..) < 40 { f64::from(random.u8(..)) / 10.0 } else { shown + f64::from(random.u8(..)) / 10.0 };
        all.push(reading("a.door", at, Value::Bool(is_open)));
        all.push(reading("m.energy", at, Value::Number(shown)));
    }
    all
}

async fn tend_to_the_end(store: &impl Store) {
    while store.tend().await.unwrap() {}
}

#[tokio::test]
async fn blocks_say_what_order_adds_and_are_read_where_they_do_not() {
    let test = store_with(Settings { most_hot: 3_000, ..Settings::default() }).await;
    let all = days(7);
    let (first, late): (Vec<_>, Vec<_>) = all.into_iter().enumerate().partition(|(n, _)| n % 14 < 10);
    let [first, late] = [first, late].map(|part| part.into_iter().map(|(_, reading)| reading).collect::<Vec<Reading>>());
    let asked =
        [(0, 4 * DAY, 9, DAY), (-DAY, 6 * DAY, 60, 6 * HOUR), (5 * HOUR + 17, 3 * DAY + 1_234, 2_000, 7 * HOUR), (DAY, DAY + HOUR, 5, MINUTE)];
    let check_all = async |readings: &[Reading]| {
        for (from, to, points, ms) in asked {
            check(&test.store, readings, range(CHANGE - 2 * DAY + from, CHANGE - 2 * DAY + to), points, ms).await;
        }
    };
    let mut written = vec![];
    for part in first.chunks(2_500) {
        test.write(part.to_vec()).await;
        written.extend_from_slice(part);
        tend_to_the_end(&test.store).await;
    }
    check_all(&written).await;
    for part in late.chunks(1_200).rev() {
        test.write(part.to_vec()).await;
        written.extend_from_slice(part);
        // In memory, and in blocks.
        check_all(&written).await;
        tend_to_the_end(&test.store).await;
        check_all(&written).await;
    }
    let other = sqlx::SqlitePool::connect_with(sqlx::sqlite::SqliteConnectOptions::new().filename(test.path())).await.unwrap();
    let n: (i64, i64, i64) = sqlx::query_as(
        "select count(*), count(distinct block.series_id), (select count(*) from block where data_id > 0) from block_run join block using (data_id)",
    )
    .fetch_one(&other)
    .await
    .unwrap();
    assert!(n.0 >= 5 && n.0 == n.2 && n.1 == 2, "{n:?}");
    // As an earlier version left them.
    sqlx::query("delete from block_run").execute(&other).await.unwrap();
    other.close().await;
    check_all(&written).await;
}

#[tokio::test]
async fn a_state_that_says_itself_again_is_stored_once() {
    let test = TestStore::open().await;
    let on = |at| arrival("a.lamp", at, Value::Bool(true));
    let off = |at| arrival("a.lamp", at, Value::Bool(false));
    test.write(vec![on(1_000), on(2_000), on(3_000)]).await;
    let test = test.reopen().await;
    // Known after a start too.
    test.write(vec![on(4_000), off(5_000), off(6_000), on(7_000)]).await;
    let other = sqlx::SqlitePool::connect_with(sqlx::sqlite::SqliteConnectOptions::new().filename(test.path())).await.unwrap();
    let rows: Vec<i64> = sqlx::query_scalar("select taken_at from state order by taken_at").fetch_all(&other).await.unwrap();
    other.close().await;
    assert_eq!(rows, [1_000, 5_000, 7_000]);
    // What a start shows is as old as the last word.
    test.write(vec![on(8_000)]).await;
    assert_eq!(test.store.load().await.unwrap().last[0].taken_at.as_ms(), 8_000);
    let raw = &test.store.history(&[entity("a.lamp")], range(0, 10_000), 10).await.unwrap()[0];
    assert_eq!((raw.t.iter().map(|t| t.as_ms()).collect::<Vec<_>>(), &raw.n), (vec![1_000, 5_000, 7_000], &vec![1; 3]));
    assert_eq!((raw.known_ms.as_slice(), raw.duty.as_slice()), ([4_000, 2_000, 3_000].as_slice(), [1.0, 0.0, 1.0].as_slice()));
}

#[tokio::test]
async fn nothing_is_known_of_a_state_after_now() {
    let test = TestStore::open().await;
    let now = jiff::Timestamp::now().as_millisecond();
    test.write(vec![reading("a.door", now - HOUR, Value::Bool(true))]).await;
    let raw = &test.store.history(&[entity("a.door")], range(now - 2 * HOUR, now + 10 * HOUR), 50).await.unwrap()[0];
    assert!((HOUR..2 * HOUR).contains(&raw.known_ms[0]), "{:?}", raw.known_ms);
    let buckets = &test.store.buckets(&[entity("a.door")], range(now - 2 * HOUR, now + 10 * HOUR), 10 * MINUTE).await.unwrap()[0];
    assert!(buckets.t.last().is_some_and(|t| t.as_ms() < now + MINUTE));
    assert!((HOUR..2 * HOUR).contains(&buckets.known_ms.iter().sum::<i64>()));
    assert!(buckets.duty.iter().all(|duty| *duty == 1.0));
    // Whatever a clock that is ahead says.
    test.write(vec![reading("b.door", now - HOUR, Value::Bool(true)), reading("b.door", now + 5 * HOUR, Value::Bool(false))]).await;
    let buckets = &test.store.buckets(&[entity("b.door")], range(now - 2 * HOUR, now + 10 * HOUR), 10 * MINUTE).await.unwrap()[0];
    assert!((HOUR..2 * HOUR).contains(&buckets.known_ms.iter().sum::<i64>()), "{:?}", buckets.known_ms);
}

#[tokio::test]
async fn what_a_series_is_can_be_changed_afterwards() {
    let test = TestStore::open().await;
    test.write(vec![reading("m.energy", 1_000, Value::Number(5.0)), reading("m.energy", 2_000, Value::Number(7.5))]).await;
    let ask = async || test.store.history(&[entity("m.energy")], range(0, 10_000), 10).await.unwrap().remove(0);
    assert!(ask().await.increase.is_empty(), "nobody said that it is a meter");
    test.store.write(&Batch { entities: vec![meter("m.energy")], ..Batch::default() }).await.unwrap();
    assert_eq!(ask().await.increase, [0.0, 2.5]);
    test.store.write(&Batch { entities: vec![Entity { counter: Some(false), ..meter("m.energy") }], ..Batch::default() }).await.unwrap();
    let gauge = ask().await;
    assert_eq!((gauge.increase.len(), gauge.last), (0, vec![5.0, 7.5]));
}

#[tokio::test]
async fn what_a_meter_counted_is_known_for_as_long_as_hours_are_kept() {
    let retention = Retention { class: Class { raw_days: Some(1), rollup_days: Some(2) }, ..Retention::default() };
    let test = store_with(Settings { most_hot: 1_000, retention: Arc::new(retention), ..Settings::default() }).await;
    let first = (server::clock::now().as_ms() - 5 * DAY).div_euclid(DAY) * DAY;
    // A unit a minute, for five days; begins anew once.
    let shown = |minute: i64| f64::from(i32::try_from(if minute < 2_000 { minute } else { minute - 2_000 }).unwrap());
    let all: Vec<Reading> = (0..5 * 1_440).map(|minute| reading("m.energy", first + minute * MINUTE, Value::Number(shown(minute)))).collect();
    for part in all.chunks(1_500) {
        test.write(part.to_vec()).await;
        tend_to_the_end(&test.store).await;
    }
    // Something later, so that what is old is in full blocks.
    test.write((0..2_000).map(|n| arrival("m.energy", first + 5 * DAY + n, Value::Number(5_200.0))).collect()).await;
    tend_to_the_end(&test.store).await;
    let days = &test.store.buckets(&[entity("m.energy")], range(first, first + 5 * DAY), DAY).await.unwrap()[0];
    assert_eq!(days.increase, [1_439.0, 1_439.0, 1_440.0, 1_440.0, 1_440.0]);
    let fine = &test.store.history(&[entity("m.energy")], range(first + DAY, first + DAY + 3 * HOUR), 500).await.unwrap()[0];
    assert_eq!((fine.resolution, fine.increase.as_slice()), (Resolution::BucketMs(HOUR), [60.0; 3].as_slice()));
}
