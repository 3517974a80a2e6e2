//! `/metrics`, as a monitoring system reads it.

use server::application::{Application, Play};
use server::config::{ConfigArgs, Mode, load};

use crate::link_rig::soon;
use crate::test_app::{TestApp, request_to};

/// The value of a sample that is written so up to its value.
fn value(text: &str, sample: &str) -> f64 {
    let line = text.lines().find_map(|line| line.strip_prefix(sample)?.strip_prefix(' '));
    line.unwrap_or_else(|| panic!("no {sample} in {text}")).parse().unwrap()
}

#[tokio::test]
async fn what_the_server_does_is_counted() {
    let app = TestApp::start().await;
    let mut device = app.device().await;
    let mut viewer = app.viewer().await;
    viewer.says(serde_json::json!({"type": "subscribe", "entities": ["*"]})).await;
    for n in 0..5 {
        device.publishes("sensors/a/temperature", n.to_string(), false).await;
    }
    viewer.sees("a.temperature", |change| change["v"] == 4.0).await;

    // It is shown before it is stored.
    let (head, text) = soon("a commit", async {
        loop {
            let (status, head, text) = app.request("GET /metrics HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await;
            assert_eq!(status, 200);
            if value(&text, "signalbox_recorder_rows_total") >= 1.0 {
                return (head, text);
            }
        }
    })
    .await;
    assert!(head.to_ascii_lowercase().contains("content-type: text/plain; version=0.0.4; charset=utf-8"), "{head}");
    let embedded = |name: &str| format!("signalbox_{name}{{broker=\"embedded\"}}");
    assert_eq!(value(&text, &embedded("link_up")), 1.0);
    assert_eq!(value(&text, &embedded("link_connects_total")), 2.0);
    assert!(value(&text, &embedded("link_messages_total")) >= 5.0);
    assert_eq!(value(&text, &embedded("link_dropped_messages_total")), 0.0);
    assert_eq!(value(&text, "signalbox_entities"), 1.0);
    assert_eq!(value(&text, "signalbox_viewers"), 1.0);
    assert_eq!(value(&text, "signalbox_recorder_failing"), 0.0);
    assert!(value(&text, "signalbox_recorder_write_seconds_total") > 0.0);
    assert!(value(&text, "signalbox_database_bytes") > 0.0);
    assert!(value(&text, "signalbox_database_wal_bytes") > 0.0);
    assert_eq!(value(&text, "signalbox_disk_budget_bytes"), 2_048_000_000.0);
    assert!(value(&text, "signalbox_history_bytes{tier=\"raw\"}") >= 0.0);
    assert!(!text.contains("signalbox_history_horizon_days{"), "nobody knows yet");
    if cfg!(target_os = "linux") {
        assert!(value(&text, "process_resident_memory_bytes") > 1e6);
        assert!(value(&text, "process_cpu_seconds_total") > 0.0);
    }
    assert!(text.ends_with("# EOF\n"));

    let (_, head, _) =
        app.request("GET /metrics HTTP/1.1\r\nhost: x\r\naccept: application/openmetrics-text;version=1.0.0\r\nconnection: close\r\n\r\n").await;
    assert!(head.to_ascii_lowercase().contains("content-type: application/openmetrics-text; version=1.0.0"), "{head}");
    app.stop().await;
}

#[tokio::test]
async fn strangers_get_no_metrics_and_names_of_brokers_cannot_break_them() {
    for (anonymous, wanted) in [("none", 401), ("viewer", 200)] {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("signalbox.toml");
        let text = format!(
            "auth.anonymous = \"{anonymous}\"\nhttp.listen = \"127.0.0.1:0\"\n[[mqtt]]\nname = 'pl\"ant\\ \u{e4}'\nurl = \"mqtt://127.0.0.1:1\"\n"
        );
        std::fs::write(&file, text).unwrap();
        let config = load(&ConfigArgs { mode: Mode::Serve, file: Some(file), flags: vec![] }, [], folder.path()).unwrap();
        let app = Application::start(&config, Play::Real).await.unwrap();
        let (status, _, text) = request_to(app.http_addr(), "GET /metrics HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await;
        assert_eq!(status, wanted, "{text}");
        if wanted == 200 {
            assert_eq!(value(&text, r#"signalbox_link_up{broker="pl\"ant\\ ä"}"#), 0.0);
        } else {
            assert!(!text.contains("signalbox_"), "{text}");
        }
        soon("the end", app.stop()).await;
    }
}
