//! `signalbox import`, as an operator runs it.

use std::fmt::Write as _;
use std::path::Path;
use std::process::{Command, Output};

use domain::time::Timestamp;
use domain::value::Value;
use serde_json::json;
use server::store::sqlite::SqliteStore;
use server::store::{Batch, Store};

use crate::store::{arrival, entity, range, reading};
use crate::test_app::TestApp;

/// A moment of the past: 2025-10-09T09:00:00Z.
const T: i64 = 1_760_000_400_000;

fn signalbox(folder: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_signalbox"))
        .args(args)
        .current_dir(folder)
        .env_clear()
        .env("SIGNALBOX_DATA_DIR", folder)
        .env("SIGNALBOX_TIME_ZONE", "UTC")
        .output()
        .unwrap()
}

/// Exit code, standard output, standard error.
fn import(folder: &Path, args: &[&str]) -> (Option<i32>, String, String) {
    let output = signalbox(folder, &[&["import"], args].concat());
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

fn exported(folder: &Path) -> String {
    let output = signalbox(folder, &["export"]);
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// The folder of a stopped server that knows a sensor, a door, a light and a text.
async fn stopped() -> tempfile::TempDir {
    let app = TestApp::start().await;
    let mut viewer = app.viewer().await;
    viewer.says(json!({"type": "subscribe", "entities": ["*"]})).await;
    let mut device = app.device().await;
    for (topic, payload, entity) in [
        ("sensors/a/temperature", "21.5", "a.temperature"),
        ("sensors/door/contact", "open", "door.contact"),
        ("state/lights/hall", "off", "hall.light"),
        ("sensors/a/mode", "Auto", "a.mode"),
    ] {
        device.publishes(topic, payload, true).await;
        viewer.sees(entity, |_| true).await;
    }
    app.halt().await
}

async fn open(folder: &Path) -> SqliteStore {
    SqliteStore::open(&folder.join("signalbox.db")).await.unwrap()
}

/// A database that knows the same devices and entities, and has no history.
async fn without_history(like: &Path) -> tempfile::TempDir {
    let (from, folder) = (open(like).await, tempfile::tempdir().unwrap());
    let into = open(folder.path()).await;
    let saved = from.load().await.unwrap();
    into.write(&Batch { devices: saved.devices, entities: saved.entities, ..Batch::default() }).await.unwrap();
    into.close().await;
    from.close().await;
    folder
}

#[tokio::test]
async fn a_whole_database_that_was_exported_comes_back_as_it_was() {
    let folder = stopped().await;
    let store = open(folder.path()).await;
    let mut random = fastrand::Rng::with_seed(7);
    let readings = (0..60_000).map(|n| {
        let at = T + n * 10_000 + random.i64(0..9_000);
        match random.u8(0..10) {
            0 => reading("door.contact", at, Value::Bool(random.bool())),
            1 => arrival("a.temperature", at, Value::Number(f64::from_bits(random.u64(..)))),
            2 => reading("a.temperature", at, Value::Number(-0.0)),
            _ => reading("a.temperature", at, Value::Number(f64::from(random.i16(..)) / 100.0)),
        }
    });
    // Not of use in history: what is no number.
    let readings: Vec<_> = readings.filter(|one| one.value.as_number().is_some_and(f64::is_finite)).collect();
    for part in readings.chunks(5_000) {
        store.write(&Batch { readings: part.to_vec(), ..Batch::default() }).await.unwrap();
    }
    while store.tend().await.unwrap() {}
    store.close().await;

    let whole = exported(folder.path());
    let n = whole.lines().count() - 1;
    assert!(n > 50_000, "{n}");
    let table = folder.path().join("all.csv");
    std::fs::write(&table, &whole).unwrap();
    let table = table.to_str().unwrap();
    let other = without_history(folder.path()).await;
    assert_eq!(exported(other.path()).lines().count(), 1);

    let dry = import(other.path(), &[table, "--dry-run"]);
    assert_eq!(dry, (Some(0), format!("{n} readings would be stored, 0 were there already, 0 lines would be left out\n"), String::new()));
    assert_eq!(exported(other.path()).lines().count(), 1, "nothing is stored");

    let done = import(other.path(), &[table]);
    assert_eq!(done, (Some(0), format!("{n} readings stored, 0 were there already, 0 lines left out\n"), String::new()));
    assert!(exported(other.path()) == whole, "the same readings");
    // The same again, here and where it came from, adds nothing.
    for folder in [other.path(), folder.path()] {
        for args in [&[table][..], &[table, "--dry-run"]] {
            let (code, told, _) = import(folder, args);
            assert!(code == Some(0) && told.starts_with("0 readings ") && told.contains(&format!(" {n} were there already")), "{told}");
        }
        assert!(exported(folder) == whole);
    }

    let store = open(other.path()).await;
    let log = store.activity(None, 9).await.unwrap();
    let [(_, entry)] = &log[..] else { panic!("once: what did nothing is not in the log: {log:?}") };
    assert_eq!((entry.what.as_str(), entry.who.name.as_str(), &entry.detail["stored"]), ("history.import", "signalbox import", &json!(n)));
    assert!(store.load().await.unwrap().last.is_empty(), "what somebody knows of the past says nothing of now");
    store.close().await;
}

#[tokio::test]
async fn what_makes_no_sense_is_left_out_and_told_with_its_line() {
    let folder = stopped().await;
    let table = folder.path().join("mine.csv");
    let mut text = String::from("Value,note,TIME,Entity\n");
    for (value, time, entity) in [
        ("1.5", "2025-10-09T09:00:00Z", "a.temperature"),
        ("warm", "2025-10-09T09:00:01Z", "a.temperature"),
        ("2.5", "soon", "a.temperature"),
        ("3.5", "2025-10-09T09:00:03Z", "no.such\u{202e}"),
        ("on", "2025-10-09T09:00:04Z", "hall.light"),
        ("Eco", "2025-10-09T09:00:05Z", "a.mode"),
        ("1", "2999-01-01T00:00:00Z", "door.contact"),
    ] {
        writeln!(text, "{value},\"a,b\",{time},{entity}").unwrap();
    }
    text.push_str("4.5\n");
    std::fs::write(&table, &text).unwrap();
    let (code, told, error) = import(folder.path(), &[table.to_str().unwrap()]);
    let lines: Vec<&str> = told.lines().collect();
    assert_eq!(lines[0], "3 readings stored, 0 were there already, 5 lines left out");
    for (line, expected) in lines[1..].iter().zip([
        "line 3, column value: \"warm\" is no number",
        "line 4, column time: \"soon\" is neither Unix milliseconds nor RFC 3339",
        "line 5, column entity: unknown entity \"no.such\"",
        "line 8, column time: 32472144000000 lies in the future",
        "line 9, column entity: the row ends before it",
    ]) {
        assert_eq!(*line, expected);
    }
    assert_eq!((code, lines.len()), (Some(1), 6), "{told}");
    assert!(error.starts_with("signalbox: 5 lines of ") && error.ends_with("mine.csv make no sense\n"), "{error}");
    let store = open(folder.path()).await;
    let states = store.states(&[entity("hall.light"), entity("a.mode")], range(T, T + 60_000), 9).await.unwrap();
    assert_eq!(states.iter().map(Vec::len).collect::<Vec<_>>(), [1, 1]);
    assert_eq!(states[1][0], (Timestamp::from_ms(T + 5_000), Value::Text("Eco".into())));
    store.close().await;

    // Many of them are counted.
    std::fs::write(&table, format!("entity,time,value\n{}", "a.temperature,soon,1\n".repeat(50_000))).unwrap();
    let (_, told, _) = import(folder.path(), &[table.to_str().unwrap()]);
    assert_eq!((told.lines().count(), told.lines().last()), (12, Some("and 49990 lines more")), "{told}");
}

#[tokio::test]
async fn what_is_no_table_is_refused_and_what_stands_before_it_is_stored() {
    let folder = stopped().await;
    let table = folder.path().join("mine.csv");
    let name = table.to_str().unwrap();
    for (bytes, why, stored) in [
        (&b""[..], "the table is empty", 0),
        (b"a.temperature,2025-10-09T09:00:00Z,1\n", "line 1, column entity: the first line must name the columns", 0),
        (b"entity,time,value\na.temperature,2025-10-09T09:00:00Z,1\n\xff\xfe\n", "line 3: the row is not UTF-8", 1),
        (&[&b"entity,time,value\na.temperature,2025-10-09T09:00:01Z,1\n"[..], &[b'x'; 70_000]].concat(), "line 3: the row is longer", 1),
    ] {
        std::fs::write(&table, bytes).unwrap();
        let (code, told, error) = import(folder.path(), &[name]);
        assert!(code == Some(1) && error.contains(why) && error.contains("mine.csv"), "{why}: {error}");
        assert!(told.starts_with(&format!("{stored} readings stored")), "{told}");
    }
    assert!(import(folder.path(), &["missing.csv"]).2.contains("cannot read missing.csv"));
    let empty = tempfile::tempdir().unwrap();
    let (code, _, error) = import(empty.path(), &[name]);
    assert!(code == Some(1) && error.contains("there is no such file"), "{error}");
    assert_eq!(std::fs::read_dir(empty.path()).unwrap().count(), 0, "and none is made");
}

#[tokio::test]
async fn a_database_that_a_server_has_open_is_left_to_it() {
    let app = TestApp::start().await;
    let folder = app.config.data_dir.clone();
    let table = folder.join("mine.csv");
    std::fs::write(&table, "entity,time,value\n").unwrap();
    for args in [&[table.to_str().unwrap()][..], &[table.to_str().unwrap(), "--dry-run"]] {
        let (code, told, error) = import(&folder, args);
        assert_eq!((code, told.as_str()), (Some(1), ""));
        assert!(error.contains("another signalbox writes to it") && error.contains("POST /api/v1/history.csv"), "{error}");
    }
    // Nor does a second server take it.
    let second = server::application::Application::start(&app.config, server::application::Play::Real).await;
    let error = second.err().map(|error| format!("{error:#}")).unwrap_or_default();
    assert!(error.contains("another signalbox writes to it"), "{error}");
    let folder = app.halt().await;
    assert_eq!(import(folder.path(), &[table.to_str().unwrap()]).0, Some(0));
}
