//! What is written is found again.

use std::path::PathBuf;
use std::time::Duration;

use domain::alarm::{Alarm, AlarmState, Severity};
use domain::change::QueueChange;
use domain::command::{Action, CommandReport, CommandState, QueuedCommand};
use domain::device::{Availability, Device, DeviceId};
use domain::entity::{Entity, EntityId, EntityKind};
use domain::history::{Range, Resolution};
use domain::reading::Reading;
use domain::time::Timestamp;
use domain::value::{LightState, OnOff, Value};
use server::redelivery::{REMEMBERED, Taken};
use server::store::sqlite::{Settings, SqliteStore};
use server::store::{Batch, Store, StoreError};
use tempfile::TempDir;

/// A store in a folder that goes with it.
pub(crate) struct TestStore {
    pub(crate) store: SqliteStore,
    pub(crate) folder: TempDir,
}

impl TestStore {
    pub(crate) async fn open() -> Self {
        Self::open_with(Settings::default()).await
    }

    pub(crate) async fn open_with(settings: Settings) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteStore::open_with(&folder.path().join("signalbox.db"), settings).await.unwrap();
        Self { store, folder }
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().join("signalbox.db")
    }

    pub(crate) async fn reopen(self) -> Self {
        self.store.close().await;
        let store = SqliteStore::open(&self.path()).await.unwrap();
        Self { store, folder: self.folder }
    }

    pub(crate) async fn write(&self, readings: Vec<Reading>) {
        self.store.write(&Batch { readings, ..Batch::default() }).await.unwrap();
    }
}

pub(crate) fn entity(id: &str) -> EntityId {
    EntityId::parse(id).unwrap()
}

/// A reading whose time the device said.
pub(crate) fn reading(id: &str, taken_at: i64, value: Value) -> Reading {
    let taken_at = Timestamp::from_ms(taken_at);
    Reading { entity: entity(id), value, taken_at, received_at: taken_at.plus_ms(7), device_time: true }
}

/// A reading whose time is that of its arrival.
pub(crate) fn arrival(id: &str, taken_at: i64, value: Value) -> Reading {
    Reading { device_time: false, received_at: Timestamp::from_ms(taken_at), ..reading(id, taken_at, value) }
}

pub(crate) fn range(from: i64, to: i64) -> Range {
    Range { from: Timestamp::from_ms(from), to: Timestamp::from_ms(to) }
}

fn device(id: &str) -> Device {
    let at = Timestamp::from_ms(1);
    let name = "O'Brien \"; drop table device; -- \u{0}\u{202e}".into();
    Device {
        convention: "plain topics".into(),
        availability: Availability::Online,
        ..Device::new(DeviceId::parse(id).unwrap(), name, "main", format!("sensors/{id}"), at)
    }
}

pub(crate) fn sensor(id: &str) -> Entity {
    let id = entity(id);
    let device = DeviceId::parse(id.device()).unwrap();
    Entity {
        name: "Temperature".into(),
        kind: EntityKind::Sensor,
        unit: Some("°C".into()),
        icon: "temperature".into(),
        precision: Some(1),
        state_topic: "sensors/a/temperature".into(),
        ..Entity::new(id, device)
    }
}

fn alarm(id: &str, state: AlarmState) -> Alarm {
    Alarm {
        id: id.into(),
        rule: "hot".into(),
        entity: entity("a.temperature"),
        severity: Severity::Warning,
        state,
        message: "Too hot".into(),
        condition: "above 34.0".into(),
        since: Timestamp::from_ms(5),
        until: None,
    }
}

#[tokio::test]
async fn registry_last_values_and_alarms_survive_a_restart() {
    let test = TestStore::open().await;
    assert!(test.store.is_empty().await.unwrap());
    let light = Value::Light(LightState { brightness: Some(80), ..LightState::new(OnOff::On) });
    let readings = vec![
        reading("a.temperature", 1_000, Value::Number(0.1 + 0.2)),
        arrival("a.light", 2_000, light),
        reading("a.door", 3_000, Value::Bool(true)),
        reading("a.mode", 4_000, Value::Text("\"Auto\"\u{0}'".into())),
    ];
    let command = CommandReport {
        id: "c1".into(),
        entity: entity("a.light"),
        action: Action::TurnOff {},
        state: CommandState::Sent,
        reason: None,
        sent_at: Timestamp::from_ms(9),
        after_ms: None,
        usual_ms: None,
    };
    let queued = |id: &str, name: &str| QueuedCommand {
        report: CommandReport { id: id.into(), entity: entity(name), state: CommandState::Queued, ..command.clone() },
        expires_at: Timestamp::from_ms(99),
    };
    let (older, newer, other) = (queued("q1", "a.switch"), queued("q2", "a.switch"), queued("q3", "b.switch"));
    let batch = Batch {
        queue: [older, newer.clone(), other].map(QueueChange::Put).into_iter().chain([QueueChange::Gone("q3".into())]).collect(),
        devices: vec![device("a"), Device { name: "Newer".into(), ..device("b") }],
        entities: vec![sensor("a.temperature")],
        readings: readings.clone(),
        alarms: vec![alarm("hot", AlarmState::Unacked), alarm("cold", AlarmState::Normal)],
        alarm_events: vec![],
        commands: vec![(command.clone(), "ann".into()), (CommandReport { state: CommandState::Confirmed, ..command }, "ann".into())],
        taken: vec![taken(0, 7), taken(1, 65_535)],
        ..Batch::default()
    };
    test.store.write(&batch).await.unwrap();

    let test = test.reopen().await;
    let saved = test.store.load().await.unwrap();
    assert_eq!(saved.devices, batch.devices);
    assert_eq!(saved.queued, [newer], "one for each entity, the newest");
    assert_eq!(saved.entities, batch.entities);
    assert_eq!(saved.alarms, [alarm("hot", AlarmState::Unacked)]);
    assert_eq!(saved.taken, batch.taken);
    let mut last = saved.last;
    last.sort_by_key(|reading| reading.taken_at);
    assert_eq!(last, readings);
    assert!(!test.store.is_empty().await.unwrap());

    // An alarm that is normal again is not loaded.
    test.store.write(&Batch { alarms: vec![alarm("hot", AlarmState::Normal)], ..Batch::default() }).await.unwrap();
    assert!(test.store.load().await.unwrap().alarms.is_empty());

    // Of the messages taken only the last are kept.
    let more = (2..10_000).map(|n| taken(n, 9)).collect();
    test.store.write(&Batch { taken: more, ..Batch::default() }).await.unwrap();
    let kept = test.store.load().await.unwrap().taken;
    assert_eq!(
        (kept.len() as u64, kept.first().map(|taken| taken.n), kept.last().map(|taken| taken.n)),
        (REMEMBERED, Some(10_000 - REMEMBERED), Some(9_999))
    );
}

#[tokio::test]
async fn what_is_gone_stays_gone_and_its_history_is_there_when_it_is_back() {
    let test = TestStore::open().await;
    let mut batch = Batch { readings: vec![reading("a.temperature", 1_000, Value::Number(3.0))], ..Batch::default() };
    for id in ["a", "b"] {
        batch.put_device(device(id));
        batch.put_entity(sensor(&format!("{id}.temperature")));
    }
    test.store.write(&batch).await.unwrap();
    // Within one batch the last word counts.
    let mut later = Batch::default();
    later.lose_device(DeviceId::parse("a").unwrap());
    later.lose_entity(entity("a.temperature"));
    later.lose_entity(entity("b.temperature"));
    later.put_entity(sensor("b.temperature"));
    test.store.write(&later).await.unwrap();

    let test = test.reopen().await;
    let saved = test.store.load().await.unwrap();
    assert_eq!((saved.devices, saved.entities), (vec![device("b")], vec![sensor("b.temperature")]));
    test.store.write(&Batch { entities: vec![sensor("a.temperature")], ..Batch::default() }).await.unwrap();
    assert_eq!(test.store.load().await.unwrap().last.len(), 1, "its last value");
}

fn taken(n: u64, packet_id: u16) -> Taken {
    Taken { link: "main".into(), n, packet_id, digest: u64::MAX - n }
}

#[tokio::test]
async fn a_late_reading_is_history_and_moves_no_last_value() {
    let test = TestStore::open().await;
    test.write(vec![reading("a.temperature", 5_000, Value::Number(5.0))]).await;
    test.write(vec![reading("a.temperature", 3_000, Value::Number(3.0)), reading("a.temperature", 4_000, Value::Number(4.0))]).await;
    assert_eq!(test.store.load().await.unwrap().last, [reading("a.temperature", 5_000, Value::Number(5.0))]);
    let series = &test.store.history(&[entity("a.temperature")], range(0, 10_000), 10).await.unwrap()[0];
    assert_eq!(series.last, [3.0, 4.0, 5.0]);
}

#[tokio::test]
async fn the_same_reading_twice_is_stored_once() {
    let test = TestStore::open().await;
    for value in [Value::Number(1.0), Value::Bool(true)] {
        // Of states, the second is no change.
        let (id, raw_n, n) = if matches!(value, Value::Bool(_)) { ("a.door", vec![1], vec![1, 0]) } else { ("a.temperature", vec![1, 1], vec![2]) };
        let once = || reading(id, 1_000, value.clone());
        test.write(vec![once(), once()]).await;
        test.write(vec![once(), reading(id, 2_000, value.clone())]).await;
        let test = &test.store;
        let raw = &test.history(&[entity(id)], range(0, 10_000), 10).await.unwrap()[0];
        assert_eq!((raw.resolution, &raw.n), (Resolution::Raw, &raw_n));
        let buckets = &test.buckets(&[entity(id)], range(0, 600_000), 300_000).await.unwrap()[0];
        assert_eq!(buckets.n, n);
    }
}

#[tokio::test]
async fn two_arrivals_within_a_millisecond_are_both_kept() {
    let test = TestStore::open().await;
    for (id, rows, values) in [
        ("a.temperature", 4, [Value::Number(1.0), Value::Number(2.0), Value::Number(3.0)]),
        // The second says the first again.
        ("a.door", 3, [Value::Bool(true), Value::Bool(true), Value::Bool(false)]),
    ] {
        let [first, second, third] = values;
        test.write(vec![arrival(id, 1_000, first), arrival(id, 1_000, second)]).await;
        test.write(vec![arrival(id, 1_000, third.clone())]).await;
        // The device's own time is another reading than that of an arrival in the same millisecond.
        test.write(vec![reading(id, 1_000, third.clone())]).await;
        let raw = &test.store.history(&[entity(id)], range(0, 10_000), 10).await.unwrap()[0];
        assert_eq!(raw.t.len(), rows, "{id}");
        assert_eq!(raw.last.last().copied(), third.as_number());
    }
}

#[tokio::test]
async fn numbers_that_are_not_finite_are_left_out() {
    let test = TestStore::open().await;
    let readings = [f64::NAN, f64::INFINITY, f64::MAX, f64::MIN, f64::MAX, f64::MIN, 5e-324];
    test.write(readings.into_iter().zip(0..).map(|(value, at)| reading("a.x", at, Value::Number(value))).collect()).await;
    test.write(vec![reading("a.x", 9, Value::Number(f64::MAX)), reading("a.x", 10, Value::Number(f64::MAX))]).await;
    let raw = &test.store.history(&[entity("a.x")], range(0, 100), 10).await.unwrap()[0];
    assert_eq!(raw.last, [f64::MAX, f64::MIN, f64::MAX, f64::MIN, 5e-324, f64::MAX, f64::MAX]);
    let bucket = &test.store.buckets(&[entity("a.x")], range(0, 300_000), 300_000).await.unwrap()[0];
    assert_eq!((bucket.n[0], bucket.min[0], bucket.max[0]), (7, f64::MIN, f64::MAX));
    assert!(bucket.mean[0].is_finite());
}

#[tokio::test]
async fn states_begin_with_the_one_in_force_and_leave_out_repeats() {
    let test = TestStore::open().await;
    let at = |at, on| reading("a.door", at, Value::Bool(on));
    test.write(vec![at(1_000, true), at(2_000, false), at(3_000, false), at(4_000, true), at(5_000, true), at(6_000, false)]).await;
    // Late, and changes what followed it.
    test.write(vec![at(2_500, true)]).await;
    let states = async |from, to, limit| {
        let states = test.store.states(&[entity("a.door"), entity("a.none")], range(from, to), limit).await.unwrap();
        assert!(states[1].is_empty());
        states[0].iter().map(|(at, value)| (at.as_ms(), value.is_on().unwrap())).collect::<Vec<_>>()
    };
    assert_eq!(states(0, 10_000, 9).await, [(1_000, true), (2_000, false), (2_500, true), (3_000, false), (4_000, true), (6_000, false)]);
    assert_eq!(states(2_200, 4_000, 9).await, [(2_000, false), (2_500, true), (3_000, false)]);
    assert_eq!(states(4_000, 6_000, 9).await, [(4_000, true)]);
    assert_eq!(states(5_500, 6_000, 9).await, [(5_000, true)]);
    assert_eq!(states(0, 10_000, 2).await, [(4_000, true), (6_000, false)]);
    assert!(states(0, 1_000, 9).await.is_empty());
}

#[tokio::test]
async fn a_full_disk_loses_only_the_batch_that_did_not_fit() {
    let test = TestStore::open_with(Settings { max_pages: Some(64), ..Settings::default() }).await;
    test.write(vec![reading("a.x", 0, Value::Number(1.0))]).await;
    let many = (1..20_000).map(|at| reading("a.x", at, Value::Number(2.0))).collect();
    let refused = test.store.write(&Batch { readings: many, ..Batch::default() }).await;
    assert!(matches!(refused, Err(StoreError::Full)), "{refused:?}");
    // The connection is as good as before.
    test.write(vec![reading("a.x", 30_000, Value::Number(3.0))]).await;
    let raw = &test.store.history(&[entity("a.x")], range(0, 100_000), 10).await.unwrap()[0];
    assert_eq!(raw.last, [1.0, 3.0]);
    assert_eq!(test.store.buckets(&[entity("a.x")], range(0, 300_000), 300_000).await.unwrap()[0].n, [2]);
}

#[tokio::test]
async fn a_locked_database_is_busy_and_takes_the_batch_later() {
    let test = TestStore::open_with(Settings { busy_timeout: Duration::from_millis(20), ..Settings::default() }).await;
    let other = sqlx::SqlitePool::connect_with(sqlx::sqlite::SqliteConnectOptions::new().filename(test.path())).await.unwrap();
    let lock = other.begin_with("begin immediate").await.unwrap();
    let batch = Batch { readings: vec![reading("a.x", 0, Value::Number(1.0))], ..Batch::default() };
    let refused = test.store.write(&batch).await;
    assert!(matches!(refused, Err(StoreError::Busy)), "{refused:?}");
    lock.rollback().await.unwrap();
    test.store.write(&batch).await.unwrap();
    assert_eq!(test.store.load().await.unwrap().last.len(), 1);
}

#[tokio::test]
async fn a_write_that_is_given_up_leaves_nothing_behind() {
    let test = TestStore::open().await;
    let batch = Batch { readings: (0..5_000).map(|at| reading("a.x", at, Value::Number(1.0))).collect(), ..Batch::default() };
    // Polled until it waits for the database for the first few times, then dropped.
    for polls in 1..6 {
        let mut write = Box::pin(test.store.write(&batch));
        for _ in 0..polls {
            tokio::select! {
                biased;
                done = &mut write => { done.unwrap(); break }
                () = tokio::task::yield_now() => {}
            }
        }
        drop(write);
    }
    test.write(vec![reading("a.x", 9_000, Value::Number(2.0))]).await;
    let n: u32 = test.store.buckets(&[entity("a.x")], range(0, 300_000), 300_000).await.unwrap()[0].n.iter().sum();
    assert!(n == 1 || n == 5_001, "all of a batch or nothing of it: {n}");
}
