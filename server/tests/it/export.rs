//! `signalbox export`, as an operator runs it.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::json;

use crate::test_app::TestApp;

/// A moment of the past: 2025-10-09T09:00:00Z.
const T: i64 = 1_760_000_400_000;

fn export(folder: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_signalbox"))
        .arg("export")
        .args(args)
        .current_dir(folder)
        .env_clear()
        .env("SIGNALBOX_DATA_DIR", folder)
        .env("SIGNALBOX_TIME_ZONE", "UTC")
        .output()
        .unwrap()
}

fn table(folder: &Path, args: &[&str]) -> String {
    let output = export(folder, args);
    assert!(output.status.success(), "{output:?}");
    assert!(output.stderr.is_empty(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

fn refused(folder: &Path, args: &[&str]) -> String {
    let output = export(folder, args);
    assert_eq!((output.status.code(), output.stdout.len()), (Some(1), 0), "{output:?}");
    String::from_utf8(output.stderr).unwrap()
}

/// A server with 12,000 readings of one sensor in the past, and three of a door.
async fn app() -> TestApp {
    let app = TestApp::start().await;
    let mut viewer = app.viewer().await;
    viewer.says(json!({"type": "subscribe", "entities": ["*"]})).await;
    let mut device = app.device().await;
    for (topic, payload, entity) in [("sensors/a/temperature", "21.5", "a.temperature"), ("sensors/door/contact", "open", "door.contact")] {
        device.publishes(topic, payload, true).await;
        viewer.sees(entity, |_| true).await;
    }
    let times: Vec<i64> = (0..12_000).map(|n| T + n * 10_000).collect();
    let values: Vec<f64> = (0..12_000).map(|n| f64::from(n % 700 - 200) / 10.0).collect();
    for body in [
        json!({"entity": "a.temperature", "t": times, "v": values}),
        json!({"entity": "door.contact", "t": [T, T + 60_000, T + 90_000], "v": [true, false, true]}),
    ] {
        assert_eq!(app.post("/api/v1/history", &body.to_string()).await.0, 200);
    }
    app
}

#[tokio::test]
async fn history_is_written_beside_a_running_server_and_without_one() {
    let mut app = app().await;
    let folder = app.config.data_dir.clone();
    let past = ["--to", "2025-12-31"];
    let running = table(&folder, &past);
    assert_eq!(running.lines().next(), Some("entity,time,value"));
    assert_eq!((running.matches("\na.temperature,").count(), running.matches("\ndoor.contact,").count()), (12_000, 3));
    assert!(running.contains("\na.temperature,2025-10-09T09:00:10.000Z,-19.9\n"));
    assert_eq!(running, app.get(&format!("/api/v1/history.csv?entities=a.temperature,door.contact&from={T}&to=1767139200000&resolution=raw")).await);

    // What held before the range began is a reading of another moment.
    let later = table(&folder, &["--entities", "door.*", "--from", "2025-10-09T09:00:30Z", "--to", "2025-12-31"]);
    assert_eq!(later, "entity,time,value\ndoor.contact,2025-10-09T09:01:00.000Z,0\ndoor.contact,2025-10-09T09:01:30.000Z,1\n");

    let hours = table(&folder, &["--entities", "a.*", "--from", "2025-10-09T09:00", "--to", "2025-10-09T11:00:00Z", "--resolution", "1h"]);
    let lines: Vec<&str> = hours.lines().collect();
    assert_eq!(lines[0], "entity,time,min,mean,max,last,n");
    assert_eq!(lines.len(), 3, "{hours}");
    assert!(lines[1].starts_with("a.temperature,2025-10-09T09:00:00.000Z,-20,") && lines[1].ends_with(",15.9,15.9,360"), "{hours}");
    assert_eq!(
        hours,
        app.get(&format!("/api/v1/history.csv?entities=a.temperature&from={T}&to={}&resolution=1h", T + 7_200_000)).await,
        "the same over HTTP"
    );
    app.restart().await;
    assert_eq!(table(&folder, &past), running);
    let folder = app.halt().await;
    assert_eq!(table(folder.path(), &past), running, "and on a stopped one");
}

#[tokio::test]
async fn a_file_is_written_whole_or_not_at_all() {
    let app = app().await;
    let folder = app.config.data_dir.clone();
    let out = folder.join("out.csv");
    let path = out.to_str().unwrap();
    let past = ["--to", "2025-12-31", "--output", path];
    assert_eq!(table(&folder, &past), "");
    let whole = std::fs::read_to_string(&out).unwrap();
    assert_eq!(whole, table(&folder, &past[..2]));
    assert!(refused(&folder, &past).contains("out.csv is there already; --force replaces it"));
    std::fs::write(&out, "mine").unwrap();
    refused(&folder, &past);
    assert_eq!(std::fs::read_to_string(&out).unwrap(), "mine");
    assert_eq!(table(&folder, &[&past[..], &["--force"]].concat()), "");
    assert_eq!(std::fs::read_to_string(&out).unwrap(), whole);
    // What cannot be written leaves nothing.
    assert!(refused(&folder, &["--output", "missing/out.csv"]).contains("missing"));
    assert!(!std::fs::read_dir(&folder).unwrap().any(|file| file.unwrap().file_name().to_string_lossy().contains("signalbox-export")));
    for (args, why) in [
        (&["--from", "soon"][..], "from \"soon\" is no time"),
        (&["--from", "2026-01-02", "--to", "2026-01-01"], "from is after to"),
        (&["--resolution", "often"], "resolution \"often\" is neither raw nor a length"),
        (&["--entities", "no.*"], "no entity with a history is called no.*"),
    ] {
        assert!(refused(&folder, args).contains(why), "{why}");
    }
    let empty = tempfile::tempdir().unwrap();
    assert!(refused(empty.path(), &[]).contains("there is no such file"));
    #[cfg(not(feature = "parquet"))]
    assert!(refused(&folder, &["--format", "parquet"]).contains("built without Parquet"));
    app.stop().await;
}

#[cfg(feature = "parquet")]
#[tokio::test]
async fn columns_hold_what_lines_hold() {
    use parquet::file::reader::{FileReader as _, SerializedFileReader};
    use parquet::record::RowAccessor as _;
    let app = app().await;
    let folder = app.config.data_dir.clone();
    let rows = |args: &[&str]| {
        let out = folder.join("out.parquet");
        let all = [args, &["--to", "2025-12-31", "--format", "parquet", "--force", "--output", out.to_str().unwrap()]].concat();
        assert_eq!(table(&folder, &all), "");
        let reader = SerializedFileReader::new(std::fs::File::open(&out).unwrap()).unwrap();
        reader.get_row_iter(None).unwrap().map(Result::unwrap).collect::<Vec<_>>()
    };
    let time = |ms: i64| jiff::Timestamp::from_millisecond(ms).unwrap();
    let every: String = rows(&[])
        .iter()
        .map(|row| {
            let (entity, at, value) = (row.get_string(0).unwrap(), time(row.get_timestamp_millis(1).unwrap()), row.get_double(2).unwrap());
            format!("{entity},{at:.3},{value}\n")
        })
        .collect();
    assert_eq!(format!("entity,time,value\n{every}"), table(&folder, &["--to", "2025-12-31"]));
    let hours = rows(&["--resolution", "1h"]);
    let first = &hours[0];
    assert_eq!((first.get_double(2).unwrap(), first.get_double(5).unwrap(), first.get_uint(6).unwrap()), (-20.0, 15.9, 360));
    assert_eq!(hours.len() + 1, table(&folder, &["--to", "2025-12-31", "--resolution", "1h"]).lines().count());
    // An empty table is one too.
    assert!(rows(&["--from", "2025-12-30"]).is_empty());
    app.stop().await;
}
