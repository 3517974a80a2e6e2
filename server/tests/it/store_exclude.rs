//! Readings that are taken out of history: history is what it would be without them, and with them again once they are taken back.

use std::collections::BTreeSet;

use domain::excluded::Excluded;
use domain::history::Series;
use domain::reading::Reading;
use domain::time::Timestamp;
use domain::value::Value;
use proptest::prelude::*;
use serde_json::json;
use server::store::activity::{Activity, Actor};
use server::store::sqlite::{Settings, SqliteStore};
use server::store::{Batch, Store};

use crate::store::{TestStore, arrival, entity, range, reading};
use crate::store_history::{check_buckets, check_raw, stored};

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;
/// Everything that is written lies in here.
const ALL: (i64, i64) = (-100 * HOUR, 1_000 * HOUR);

pub(crate) fn entry(id: &str, what: &str) -> Activity {
    Activity {
        at: Timestamp::from_ms(7),
        who: Actor { name: "ann".into(), address: Some([192, 0, 2, 1].into()) },
        what: what.into(),
        entity: Some(entity(id)),
        outcome: "done".into(),
        after_ms: None,
        detail: json!({}),
    }
}

pub(crate) async fn exclude(store: &SqliteStore, id: &str, at: i64) -> Vec<Excluded> {
    store.exclude(Timestamp::from_ms(at), &entry(id, "history.exclude")).await.unwrap()
}

async fn include(store: &SqliteStore, id: &str, at: i64) -> usize {
    store.include(Timestamp::from_ms(at), &entry(id, "history.include")).await.unwrap()
}

async fn raw(store: &SqliteStore, id: &str) -> Series {
    store.history(&[entity(id)], range(ALL.0, ALL.1), usize::MAX).await.unwrap().remove(0)
}

/// History is made of those readings that are not taken out.
async fn check(store: &SqliteStore, written: &[Reading], out: &BTreeSet<i64>) {
    let left = |part| stored(written, "a.x", part).into_iter().filter(|(at, ..)| !out.contains(at)).collect::<Vec<_>>();
    check_raw(&raw(store, "a.x").await, &left(range(ALL.0, ALL.1)));
    for (part, ms) in [(range(ALL.0, ALL.1), HOUR), (range(-HOUR + 7, 5 * HOUR), MINUTE), (range(-HOUR / 2, HOUR * 9 / 7), 900_000)] {
        check_buckets(&store.buckets(&[entity("a.x")], part, ms).await.unwrap()[0], &left(part), ms);
    }
    let listed: BTreeSet<i64> = store.excluded(&[entity("a.x")], range(ALL.0, ALL.1), 1_000).await.unwrap().iter().map(|one| one.t.as_ms()).collect();
    assert_eq!(&listed, out);
}

fn readings() -> impl Strategy<Value = Vec<Reading>> {
    let at = (0i64..200).prop_flat_map(|step| prop_oneof![Just(step * MINUTE), (0..MINUTE).prop_map(move |ms| step * MINUTE + ms)]);
    let one = (at, any::<bool>(), -1_000i32..1_000).prop_map(|(at, device_time, number)| {
        let value = Value::Number(f64::from(number) / 10.0);
        if device_time { reading("a.x", at - HOUR, value) } else { arrival("a.x", at - HOUR, value) }
    });
    prop::collection::vec(one, 1..300)
}

/// What happens to a store.
#[derive(Clone, Debug)]
enum Step {
    Write(usize),
    Tend(usize),
    Exclude(prop::sample::Index),
    Include(prop::sample::Index),
    /// Devices say again what they said.
    Again,
    Reopen,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => (1usize..60).prop_map(Step::Write),
        3 => (1usize..12).prop_map(Step::Tend),
        4 => any::<prop::sample::Index>().prop_map(Step::Exclude),
        1 => any::<prop::sample::Index>().prop_map(Step::Include),
        1 => Just(Step::Again),
        1 => Just(Step::Reopen),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    #[test]
    fn every_bucket_is_what_is_not_taken_out_comes_to(
        readings in readings(),
        steps in prop::collection::vec(step(), 1..24),
        most_hot in 1usize..120,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let settings = Settings { most_hot, ..Settings::default() };
            let mut test = TestStore::open_with(settings.clone()).await;
            let (mut written, mut out) = (0, BTreeSet::new());
            for step in steps {
                match step {
                    Step::Write(n) => {
                        let next = (written + n).min(readings.len());
                        // Another reading of a moment that something was taken out of is a reading of its own: that is not what this is about.
                        let new = readings[written..next].to_vec();
                        if new.iter().any(|reading| out.contains(&reading.taken_at.as_ms())) {
                            continue;
                        }
                        test.write(new).await;
                        written = next;
                    }
                    Step::Tend(n) => {
                        for _ in 0..n {
                            test.store.tend().await.unwrap();
                        }
                    }
                    Step::Exclude(which) if written > 0 => {
                        let at = readings[which.index(written)].taken_at.as_ms();
                        let expected = stored(&readings[..written], "a.x", range(at, at + 1));
                        let found = exclude(&test.store, "a.x", at).await;
                        if out.insert(at) {
                            assert_eq!(found.iter().map(|one| one.v.as_number().unwrap()).collect::<Vec<_>>(), expected.iter().map(|row| row.2).collect::<Vec<_>>());
                        } else {
                            assert_eq!(found, []);
                        }
                    }
                    Step::Include(which) if !out.is_empty() => {
                        let at = *which.get(&out.iter().copied().collect::<Vec<_>>());
                        assert_eq!(include(&test.store, "a.x", at).await, stored(&readings[..written], "a.x", range(at, at + 1)).len());
                        assert_eq!(include(&test.store, "a.x", at).await, 0);
                        out.remove(&at);
                    }
                    Step::Exclude(_) | Step::Include(_) => {}
                    Step::Again => {
                        let said = readings[..written].iter().filter(|reading| reading.device_time).cloned().collect();
                        test.write(said).await;
                    }
                    Step::Reopen => {
                        test.store.close().await;
                        test.store = SqliteStore::open_with(&test.path(), settings.clone()).await.unwrap();
                    }
                }
                check(&test.store, &readings[..written], &out).await;
            }
            while test.store.tend().await.unwrap() {}
            check(&test.store, &readings[..written], &out).await;
        });
    }
}

fn steady(n: i64) -> Vec<Reading> {
    let mut random = fastrand::Rng::with_seed(3);
    (0..n).map(|i| reading("a.x", i * 10_000 + random.i64(0..60), Value::Number(f64::from(random.u8(..)) / 10.0))).collect()
}

#[tokio::test]
async fn full_blocks_and_their_hours_are_made_anew() {
    let test = TestStore::open_with(Settings { most_hot: 500, ..Settings::default() }).await;
    let written = steady(9_000);
    for part in written.chunks(3_000) {
        test.write(part.to_vec()).await;
        while test.store.tend().await.unwrap() {}
    }
    let mut out = BTreeSet::new();
    // In the midst, at both ends of history, and all around the end of an hour.
    for n in [0, 1, 358, 359, 360, 361, 1_400, 5_000, 8_998, 8_999] {
        let at = written[n].taken_at.as_ms();
        assert_eq!(exclude(&test.store, "a.x", at).await.len(), 1);
        out.insert(at);
        check(&test.store, &written, &out).await;
        while test.store.tend().await.unwrap() {}
        check(&test.store, &written, &out).await;
    }
    // All of an hour.
    for reading in &written[2_880..3_240] {
        exclude(&test.store, "a.x", reading.taken_at.as_ms()).await;
        out.insert(reading.taken_at.as_ms());
    }
    check(&test.store, &written, &out).await;
    for at in std::mem::take(&mut out) {
        include(&test.store, "a.x", at).await;
    }
    check(&test.store, &written, &out).await;
    while test.store.tend().await.unwrap() {}
    check(&test.store, &written, &out).await;
}

#[tokio::test]
async fn a_kill_leaves_a_reading_in_or_out() {
    let test = TestStore::open_with(Settings { most_hot: 300, ..Settings::default() }).await;
    let written = steady(4_000);
    for part in written.chunks(700) {
        test.write(part.to_vec()).await;
        test.store.tend().await.unwrap();
    }
    let mut out = BTreeSet::new();
    for (n, reading) in written.iter().enumerate().step_by(173) {
        let at = reading.taken_at.as_ms();
        // Sealing may be anywhere, and the one who asks may go away.
        test.store.tend().await.unwrap();
        let entry = entry("a.x", "history.exclude");
        let mut asked = test.store.exclude(Timestamp::from_ms(at), &entry);
        for _ in 0..n % 29 {
            tokio::select! {
                biased;
                done = &mut asked => { done.unwrap(); asked = test.store.exclude(Timestamp::from_ms(at), &entry) }
                () = tokio::task::yield_now() => {}
            }
        }
        drop(asked);
        let left = tempfile::tempdir().unwrap();
        for suffix in ["", "-wal"] {
            std::fs::copy(format!("{}{suffix}", test.path().display()), left.path().join(format!("signalbox.db{suffix}"))).unwrap();
        }
        let killed = SqliteStore::open_with(&left.path().join("signalbox.db"), Settings { most_hot: 300, ..Settings::default() }).await.unwrap();
        let is_out = !killed.excluded(&[entity("a.x")], range(at, at + 1), 9).await.unwrap().is_empty();
        let expected = if is_out { out.iter().copied().chain([at]).collect() } else { out.clone() };
        check(&killed, &written, &expected).await;
        while killed.tend().await.unwrap() {}
        check(&killed, &written, &expected).await;
        killed.close().await;
        exclude(&test.store, "a.x", at).await;
        out.insert(at);
        check(&test.store, &written, &out).await;
    }
    let test = test.reopen().await;
    check(&test.store, &written, &out).await;
}

#[tokio::test]
async fn states_and_texts_are_taken_out_too() {
    let test = TestStore::open().await;
    let door = [(1_000, true), (2_000, false), (3_000, true)].map(|(at, on)| reading("a.door", at, Value::Bool(on)));
    let mode = [(1_000, "Auto"), (2_000, "Eco")].map(|(at, text)| reading("a.mode", at, Value::Text(text.into())));
    test.write(door.iter().chain(&mode).cloned().collect()).await;
    let out = exclude(&test.store, "a.door", 2_000).await;
    assert_eq!(out.iter().map(|one| (&one.v, one.who.as_str())).collect::<Vec<_>>(), [(&Value::Bool(false), "ann")]);
    assert_eq!(exclude(&test.store, "a.mode", 2_000).await[0].v, Value::Text("Eco".into()));
    let states = async || {
        let asked = [entity("a.door"), entity("a.mode")];
        let states = test.store.states(&asked, range(0, 10_000), 9).await.unwrap();
        states.iter().map(|states| states.iter().map(|(at, _)| at.as_ms()).collect::<Vec<_>>()).collect::<Vec<_>>()
    };
    // What follows it says the same as what went before.
    assert_eq!(states().await, [vec![1_000], vec![1_000]]);
    // The same again, and what is filled in, is known.
    test.write(vec![door[1].clone(), mode[1].clone()]).await;
    assert_eq!(test.store.fill(&[door[1].clone(), mode[1].clone()]).await.unwrap(), 0);
    assert_eq!(states().await, [vec![1_000], vec![1_000]]);
    assert_eq!((include(&test.store, "a.door", 2_000).await, include(&test.store, "a.mode", 2_000).await), (1, 1));
    assert_eq!(states().await, [vec![1_000, 2_000, 3_000], vec![1_000, 2_000]]);
    // What a device said last is what it said last, whatever history is made of.
    exclude(&test.store, "a.mode", 2_000).await;
    let test = test.reopen().await;
    let last = test.store.load().await.unwrap().last;
    assert_eq!(last.iter().map(|reading| reading.taken_at.as_ms()).collect::<Vec<_>>(), [3_000, 2_000]);
}

#[tokio::test]
async fn what_is_not_there_cannot_be_taken_out() {
    let test = TestStore::open().await;
    test.write(vec![reading("a.x", 1_000, Value::Number(1.0))]).await;
    for (id, at) in [("a.x", 999), ("a.x", i64::MAX), ("a.x", i64::MIN), ("b.x", 1_000)] {
        assert_eq!(exclude(&test.store, id, at).await, []);
        assert_eq!(include(&test.store, id, at).await, 0);
    }
    assert!(test.store.activity(None, 9).await.unwrap().is_empty(), "nothing was done");
}

#[tokio::test]
async fn what_is_filled_in_is_stored_once_and_is_nobodys_last_value() {
    let test = TestStore::open_with(Settings { most_hot: 100, ..Settings::default() }).await;
    let number = |at, number| reading("a.x", at, Value::Number(number));
    test.write(vec![number(5_000, 5.0), arrival("a.x", 7_000, Value::Number(7.0))]).await;
    let past: Vec<Reading> = (0..5_000).map(|n| number(n * 2_000 - 1_000, 1.5)).collect();
    // At 5 s and 7 s there is something already.
    assert_eq!(test.store.fill(&past).await.unwrap(), 4_998);
    for _ in 0..3 {
        while test.store.tend().await.unwrap() {}
        assert_eq!(test.store.fill(&past).await.unwrap(), 0);
    }
    assert_eq!(test.store.fill(&[number(1, 1.0), number(1, 2.0)]).await.unwrap(), 1, "the first one counts");
    let all = raw(&test.store, "a.x").await;
    assert_eq!((all.t.len(), all.last[all.t.iter().position(|t| t.as_ms() == 7_000).unwrap()]), (5_001, 7.0));
    // Newer than what the device said last, and it stays what it said last: also after a start that finds it all in the journal.
    let state = reading("a.door", 9_000, Value::Bool(true));
    test.store.fill(&[number(90_000_000, 9.0), state.clone()]).await.unwrap();
    for test in [test.reopen().await] {
        let last = test.store.load().await.unwrap().last;
        assert_eq!(last.iter().map(|last| (last.entity.as_str(), last.taken_at.as_ms())).collect::<Vec<_>>(), [("a.x", 7_000)]);
        assert_eq!(test.store.fill(&[number(90_000_000, 9.0), state.clone()]).await.unwrap(), 0);
    }
}

#[tokio::test]
async fn what_comes_in_does_not_wait_for_what_is_filled_in() {
    let test = TestStore::open().await;
    let pieces: Vec<Vec<Reading>> =
        (0..20).map(|piece| (0..2_000).map(|n| reading("old.x", piece * 2_000 + n, Value::Number(1.0))).collect()).collect();
    let filling = async {
        for piece in &pieces {
            test.store.fill(piece).await.unwrap();
        }
    };
    // In turn: after at most one piece it is there.
    let coming = async {
        let mut n = 0;
        loop {
            let batch = Batch { readings: vec![reading("a.x", n, Value::Number(1.0))], ..Batch::default() };
            test.store.write(&batch).await.unwrap();
            n += 1;
            tokio::task::yield_now().await;
        }
    };
    let n = tokio::select! {
        () = filling => raw(&test.store, "a.x").await.t.len(),
        n = coming => n,
    };
    assert!(n >= 10, "{n} of what came in while 20 pieces were filled in");
    assert_eq!(raw(&test.store, "old.x").await.t.len(), 40_000);
}

#[tokio::test]
async fn the_log_is_read_from_its_end_page_by_page() {
    use domain::command::{Action, CommandReport, CommandState};
    let test = TestStore::open().await;
    for n in 0..5 {
        test.store.note(&Activity { at: Timestamp::from_ms(n / 2), ..entry("a.x", "history.fill") }).await.unwrap();
    }
    let command = |n: i64| CommandReport {
        id: format!("c{n}"),
        entity: entity("a.light"),
        action: Action::TurnOff {},
        state: CommandState::Confirmed,
        reason: None,
        sent_at: Timestamp::from_ms(n),
        after_ms: Some(3),
        usual_ms: None,
    };
    let commands = (0..4).map(|n| (command(n), "bob".into())).collect();
    test.store.write(&Batch { commands, ..Batch::default() }).await.unwrap();
    for limit in 1..10 {
        let (mut all, mut before) = (vec![], None);
        loop {
            let page = test.store.activity(before.as_ref(), limit).await.unwrap();
            let Some((place, _)) = page.last() else { break };
            before = Some(*place);
            assert!(page.len() <= limit);
            all.extend(page.into_iter().map(|(_, entry)| (entry.at.as_ms(), entry.what)));
        }
        assert_eq!(all.iter().map(|(at, _)| *at).collect::<Vec<_>>(), [3, 2, 2, 1, 1, 1, 0, 0, 0], "{limit}");
        assert_eq!(all.iter().filter(|(_, what)| what == "turn_off").count(), 4);
    }
    let newest = test.store.activity(None, 1).await.unwrap().remove(0).1;
    assert_eq!((newest.who.name.as_str(), newest.outcome.as_str(), newest.after_ms), ("bob", "confirmed", Some(3)));
}
