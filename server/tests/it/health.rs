//! What `/readyz` says, and what becomes of messages while the database refuses them.

use serde_json::Value as Json;
use sqlx::{Connection as _, SqliteConnection};

use crate::test_app::{TestApp, soon};

/// Asks until the status is `wanted`.
async fn ready(app: &TestApp, wanted: u16) -> Json {
    soon(&format!("/readyz {wanted}"), async {
        loop {
            let (status, _, body) = app.request("GET /readyz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await;
            if status == wanted {
                return serde_json::from_str(&body).unwrap();
            }
        }
    })
    .await
}

#[tokio::test]
async fn a_database_that_refuses_is_reported_and_loses_nothing() {
    let app = TestApp::start().await;
    assert_eq!(ready(&app, 200).await["recording"]["state"], "ok");

    let mut other = SqliteConnection::connect(&format!("sqlite:{}", app.config.database.path.display())).await.unwrap();
    sqlx::query("begin immediate").execute(&mut other).await.unwrap();
    let mut device = app.device().await;
    device.publishes("sensors/locked/temperature", "21.5", false).await;
    let failing = ready(&app, 503).await;
    assert_eq!(failing["ready"], false);
    assert_eq!(failing["recording"]["state"], "failing");
    assert!(failing["recording"]["error"].as_str().unwrap().contains("locked"), "{failing}");
    assert!(failing["recording"]["since"].is_string() || failing["recording"]["since"].is_number(), "{failing}");

    sqlx::query("rollback").execute(&mut other).await.unwrap();
    ready(&app, 200).await;
    let now = server::clock::now();
    let query = format!("entities=locked.temperature&from={}&to={}", now.plus_ms(-60_000).as_ms(), now.plus_ms(1_000).as_ms());
    let page = app.json(&format!("/api/v1/history?{query}")).await;
    assert!(page.to_string().contains("21.5"), "{page}");
    app.stop().await;
}
