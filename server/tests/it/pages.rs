//! Pages without a browser: what stands in the HTML before any script runs.

use serde_json::json;

use server::application::{Application, Play};

use crate::test_app::{TestApp, config, request_to};

#[tokio::test]
async fn every_current_value_stands_in_the_overview() {
    let app = TestApp::start().await;
    let mut viewer = app.viewer().await;
    viewer.says(json!({"type": "subscribe", "entities": ["*"]})).await;
    let mut device = app.device().await;
    device.publishes("home/livingroom/temperature", "21.4", true).await;
    device.publishes("sensors/door/contact", "open", true).await;
    device.publishes("sensors/<b>x</b>/mode", "<script>alert(1)</script>", true).await;
    device.publishes("state/lights/hall", r#"{"state":"on","brightness":65}"#, true).await;
    viewer.sees("hall.light", |_| true).await;
    let html = app.get("/").await;
    for part in ["21.4", "°C", "Open", "Livingroom", "role=\"switch\"", "aria-checked=\"true\"", "hall.light"] {
        assert!(html.contains(part), "{part} is missing");
    }
    assert!(!html.contains("<script>alert"), "text of a stranger runs");
    app.stop().await;
}

#[tokio::test]
async fn the_first_paint_waits_for_the_first_tile_and_for_no_code() {
    let app = TestApp::start().await;
    assert!(!app.get("/").await.contains("rel=\"expect\""), "there is no tile to wait for");
    let mut viewer = app.viewer().await;
    viewer.says(json!({"type": "subscribe", "entities": ["*"]})).await;
    let mut device = app.device().await;
    device.publishes("zone/cellar/humidity", "50", false).await;
    device.publishes("sensors/b/temperature", "2", false).await;
    device.publishes("zone/attic/temperature", "1", false).await;
    viewer.sees("attic.temperature", |_| true).await;
    let html = app.get("/").await;
    let first_tile = html.split("<article id=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap();
    assert!(html.contains(&format!(r##"<link rel="expect" href="#{first_tile}" blocking="render">"##)), "{first_tile}");
    let head = html.split("</head>").next().unwrap();
    assert!(!head.contains("<script"), "a script runs before the page is painted");
    assert!(!app.get("/history").await.contains("rel=\"expect\""));
    app.stop().await;
}

#[tokio::test]
async fn pages_carry_their_policy() {
    let app = TestApp::start().await;
    for path in ["/", "/history"] {
        let (status, head, html) = app.request(&format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")).await;
        let head = head.to_ascii_lowercase();
        assert_eq!(status, 200);
        let policy = head.lines().find_map(|line| line.strip_prefix("content-security-policy: ")).unwrap_or_else(|| panic!("{path} has a policy"));
        assert!(!policy.contains("unsafe-inline") && !policy.contains("'unsafe-eval'") && policy.contains("frame-ancestors 'none'"), "{policy}");
        let nonce = policy.split("'nonce-").nth(1).and_then(|rest| rest.split('\'').next()).unwrap();
        assert!(html.to_ascii_lowercase().contains(nonce));
        assert!(head.contains("x-content-type-options: nosniff"));
    }
    for path in ["/nonsense", "/devices/nobody"] {
        assert_eq!(app.request(&format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")).await.0, 404, "{path}");
    }
    app.stop().await;
}

#[tokio::test]
async fn strangers_get_no_page_no_rest_and_no_socket() {
    let folder = tempfile::tempdir().unwrap();
    let mut config = config(&folder);
    config.auth.anonymous = None;
    let app = Application::start(&config, Play::Real).await.unwrap();
    for (path, expected) in [("/", 401), ("/nonsense", 401), ("/api/v1/entities", 401), ("/live", 401), ("/dashboard", 401), ("/healthz", 200)] {
        let request = format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
        assert_eq!(request_to(app.http_addr(), &request).await.0, expected, "{path}");
    }
    app.stop().await;
}

#[tokio::test]
async fn the_light_switches_by_a_plain_form() {
    let app = TestApp::start().await;
    let mut lamp = app.device().await;
    lamp.subscribes("control/lights/hall").await;
    let mut viewer = app.viewer().await;
    viewer.says(json!({"type": "subscribe", "entities": ["*"]})).await;
    lamp.publishes("state/lights/hall", "off", true).await;
    viewer.sees("hall.light", |_| true).await;
    let html = app.get("/").await;
    assert!(html.contains("action=\"/fn/command\"") && html.contains("method=\"post\""), "the switch is a form");
    let body = "entity=hall.light&action=turn_on";
    let request = format!(
        "POST /fn/command HTTP/1.1\r\nhost: x\r\norigin: http://x\r\nreferer: http://x/\r\naccept: text/html\r\nconnection: close\r\ncontent-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    let (status, head, _) = app.request(&request).await;
    assert!(status == 302 && head.to_ascii_lowercase().contains("location: http://x/"), "{head}");
    assert_eq!(lamp.receives().await.1, r#"{"state":"on"}"#);
    app.stop().await;
}
