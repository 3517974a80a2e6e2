//! Schedules from outside: what runs by itself, what is told of runs that were missed.

use domain::schedule::When;
use domain::time::{HOUR_MS, MINUTE_MS, Timestamp};
use jiff::tz::TimeZone;
use serde_json::{Value as Json, json};
use server::clock::now;
use server::schedules::{Place, next};
use server::store::Store;
use server::store::plan::{PlanChange, PlanKind};
use server::store::sqlite::SqliteStore;

use crate::groups::{lamps, obey, rows, until};
use crate::test_app::{TestApp, soon};

fn lamp_at(when: &Json) -> String {
    json!({"name": "Lamp", "when": when, "run": {"entity": "a.light", "action": "turn_on"}}).to_string()
}

/// A place at the equator where the sun sets at a moment.
fn where_it_sets(at: Timestamp) -> (f64, f64) {
    let mut longitude = 0.0_f64;
    for _ in 0..6 {
        let place = Place { zone: TimeZone::UTC, location: Some((0.0, longitude)) };
        let sunset = next(&When::Sunset { offset_min: 0 }, &place, at.plus_ms(-12 * HOUR_MS)).at().unwrap();
        // The sun takes four minutes for a degree, and sets later in the west.
        #[expect(clippy::cast_precision_loss, reason = "a day has few milliseconds")]
        let degrees = sunset.since_ms(at) as f64 / 240_000.0;
        longitude = (longitude + degrees + 540.0).rem_euclid(360.0) - 180.0;
    }
    (0.0, longitude)
}

#[tokio::test]
async fn a_schedule_runs_by_itself_when_the_sun_sets() {
    let app = TestApp::start_with(|config| {
        let (latitude, longitude) = where_it_sets(now().plus_ms(5_000));
        (config.location.latitude, config.location.longitude) = (Some(latitude), Some(longitude));
    })
    .await;
    let (_viewer, mut device) = lamps(&app, &["a"]).await;
    assert_eq!(app.sends("PUT", "/api/v1/schedules/dusk", &lamp_at(&json!({"type": "sunset"}))).await.0, 201);
    let before = app.json("/api/v1/schedules/dusk").await["next_run"].as_i64().unwrap();
    assert!(before - now().as_ms() < 6_000, "{before}");
    assert_eq!(obey(&mut device, 1, &["a"]).await, ["a"]);
    let ended = soon("the end of the run", until(&app, "/api/v1/schedules/dusk", |known| known["last"]["state"] == "confirmed")).await;
    assert_eq!((&ended["last"]["who"], &ended["missed"]), (&json!("schedule dusk"), &Json::Null));
    assert!(ended["next_run"].as_i64().unwrap() - before > 23 * HOUR_MS, "tomorrow");
    let log = soon("the log", until(&app, "/api/v1/activity", |log| rows(log, "schedule.run").len() == 1 && rows(log, "turn_on").len() == 1)).await;
    assert_eq!((&rows(&log, "turn_on")[0]["who"], &rows(&log, "schedule.run")[0]["outcome"]), (&json!("schedule dusk"), &json!("confirmed")));
    app.stop().await;
}

#[tokio::test]
async fn what_was_due_while_the_server_was_not_there_is_told_and_not_made_up_for() {
    let app = TestApp::start().await;
    let (_viewer, device) = lamps(&app, &["a"]).await;
    // Once an hour, far from now: nothing becomes due while the test runs.
    let minute = (now().as_ms() / MINUTE_MS + 20) % 60;
    let hourly = lamp_at(&json!({"type": "cron", "cron": format!("{minute} * * * *")}));
    assert_eq!(app.sends("PUT", "/api/v1/schedules/often", &hourly).await.0, 201);
    drop(device);
    let mut config = app.config.clone();
    let folder = app.halt().await;
    // As if it had been away for six hours.
    let store = SqliteStore::open(&config.database.path).await.unwrap();
    let standing = json!({"done_until": now().plus_ms(-6 * HOUR_MS)}).to_string();
    store.change_plan(PlanKind::Schedule, &PlanChange::Standing { id: "often".to_owned(), standing }, None).await.unwrap();
    store.close().await;
    config.auth.anonymous = Some(app::backend::Role::Operator);
    let app = TestApp::start_on(config, folder).await;
    let known = soon("a word about them", until(&app, "/api/v1/schedules/often", |known| known["missed"] != Json::Null)).await;
    assert_eq!((&known["missed"]["count"], &known["last"]), (&json!(6), &Json::Null), "{known}");
    let log = soon("the log", until(&app, "/api/v1/activity", |log| !rows(log, "schedule.missed").is_empty())).await;
    let row = &rows(&log, "schedule.missed")[0];
    assert_eq!((&row["detail"]["count"], &row["who"], rows(&log, "turn_on").len()), (&json!(6), &json!("schedule often"), 0));
    assert!(known["next_run"].as_i64().unwrap() > now().as_ms() - 1_000);
    app.stop().await;
}

#[tokio::test]
async fn a_schedule_is_run_at_once_or_switched_off() {
    let app = TestApp::start().await;
    let (_viewer, mut device) = lamps(&app, &["a"]).await;
    let body =
        json!({"name": "Lamp", "enabled": false, "when": {"type": "cron", "cron": "* * * * *"}, "run": {"entity": "a.light", "action": "turn_on"}});
    assert_eq!(app.post("/api/v1/schedules", &body.to_string()).await.0, 201);
    let known = app.json("/api/v1/schedules/lamp").await;
    assert_eq!((&known["enabled"], &known["next_run"]), (&json!(false), &Json::Null));
    let (status, run) = app.post("/api/v1/schedules/lamp/run", "").await;
    assert_eq!(status, 202);
    obey(&mut device, 1, &["a"]).await;
    let path = format!("/api/v1/schedules/lamp/runs/{}", run["id"].as_str().unwrap());
    let ended = soon("the end of the run", until(&app, &path, |run| run["state"] == "confirmed")).await;
    assert_eq!((&ended["who"], &ended["schedule"]), (&json!("anonymous"), &json!("lamp")));
    app.stop().await;
}

#[tokio::test]
async fn a_schedule_that_makes_no_sense_is_a_problem_that_names_the_field() {
    let app = TestApp::start().await;
    let (_viewer, _device) = lamps(&app, &["a"]).await;
    let cron = json!({"type": "cron", "cron": "0 7 * * 1-5"});
    for (body, field) in [
        (lamp_at(&json!({"type": "cron", "cron": "0 7 * *"})), "when.cron"),
        (lamp_at(&json!({"type": "cron", "cron": "0 25 * * *"})), "when.cron"),
        (lamp_at(&json!({"type": "sunset"})), "when.type"),
        (lamp_at(&json!({"type": "noon"})), "when"),
        (json!({"name": "a", "when": cron, "run": {"scene": "none"}}).to_string(), "run.scene"),
        (json!({"name": "a", "when": cron, "run": {"entity": "none.light", "action": "turn_on"}}).to_string(), "run.entity"),
        (json!({"name": "a", "when": cron}).to_string(), "run"),
    ] {
        let (status, problem) = app.sends("PUT", "/api/v1/schedules/a", &body).await;
        assert_eq!((status, &problem["field"]), (422, &json!(field)), "{body}: {problem}");
    }
    assert_eq!(app.json("/api/v1/schedules").await["items"], json!([]));
    app.stop().await;
}
