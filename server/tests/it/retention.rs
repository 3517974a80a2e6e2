//! What is kept for how long, as it is asked for from outside.

use serde_json::{Value, json};
use server::config::Config;

use crate::test_app::TestApp;

fn configure(config: &mut Config) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(
        folder.path().join("signalbox.toml"),
        "[retention]\ndisk_budget_mb = 64\nraw_days = 30\n[[area]]\nid = \"hall\"\nrollup_days = 400\n[[entity]]\nid = \"a.power\"\nraw_days = 7\n",
    )
    .unwrap();
    let loaded = server::config::load(&server::config::ConfigArgs::default(), [], folder.path()).unwrap();
    config.retention = loaded.retention;
}

#[tokio::test]
async fn retention_is_told_with_what_it_comes_to() {
    let app = TestApp::start_with(configure).await;
    let kept: Value = serde_json::from_str(&app.get("/api/v1/retention").await).unwrap();
    assert_eq!(kept["disk_budget_bytes"], 64_000_000);
    assert_eq!((&kept["raw"]["days"], &kept["minutes"]["days"], &kept["hours"]["days"]), (&json!(30), &Value::Null, &Value::Null));
    assert_eq!(kept["log_days"], 400);
    assert_eq!(
        kept["classes"],
        json!([{"area": "hall", "raw_days": null, "rollup_days": 400}, {"entity": "a.power", "raw_days": 7, "rollup_days": null}])
    );
    assert!(kept["disk_bytes"].as_u64().unwrap() > 0);
    assert_eq!((&kept["horizon"], &kept["readings_per_day"]), (&Value::Null, &Value::Null), "it began just now");
    app.stop().await;
}

#[tokio::test]
async fn the_history_page_says_that_nobody_knows_yet() {
    let app = TestApp::start().await;
    let mut device = app.device().await;
    let mut viewer = app.viewer().await;
    viewer.says(json!({"type": "subscribe", "entities": ["*"]})).await;
    device.publishes("sensors/a/temperature", "20.5", false).await;
    viewer.sees("a.temperature", |change| change["v"] == 20.5).await;
    let html = app.get("/history?entities=a.temperature").await;
    assert!(html.contains("How far back history will reach is known after some hours"), "{html}");
    app.stop().await;
}
