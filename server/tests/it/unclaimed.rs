//! Entities that nobody has claimed: bounded on the page, and there for whoever asks.

use serde_json::json;

use crate::test_app::TestApp;

#[tokio::test]
async fn a_flood_of_topics_fills_no_page_and_is_there_for_whoever_asks() {
    let app = TestApp::start_with(|config| config.discovery.most_unclaimed = 2).await;
    let mut all = app.viewer().await;
    all.says(json!({"type": "subscribe", "entities": ["*"]})).await;
    all.hears("snapshot").await;
    let mut device = app.device().await;
    for name in ["d", "c", "b", "a"] {
        device.publishes(&format!("sensors/{name}/temperature"), "1", true).await;
    }
    let change = all.sees("a.temperature", |change| change["v"] == 1.0).await;
    assert_eq!((&change["entity"]["hidden"], change["entity"].get("v")), (&json!(true), Some(&json!(null))));

    let page = app.get("/").await;
    assert_eq!(page.matches("<article").count(), 2);
    assert!(page.contains("Not shown: 2 entities that nobody has named"), "the page says how many more there are");
    assert!(!app.get("/history").await.contains("b.temperature"));
    assert!(app.get("/history?entities=b.temperature").await.contains("b.temperature"));
    let listed = app.json("/api/v1/entities").await;
    let hidden: Vec<bool> = listed["items"].as_array().unwrap().iter().map(|entity| entity["hidden"] == true).collect();
    assert_eq!(hidden, [true, true, false, false]);

    // A page follows what it shows; of others it only hears that they came.
    let mut viewer = app.viewer().await;
    viewer.says(json!({"type": "subscribe", "entities": ["shown"]})).await;
    let snapshot = viewer.hears("snapshot").await;
    let ids: Vec<&str> = snapshot["entities"].as_array().unwrap().iter().map(|entity| entity["id"].as_str().unwrap()).collect();
    assert_eq!(ids, ["c.temperature", "d.temperature"]);
    device.publishes("sensors/a/temperature", "2", true).await;
    device.publishes("sensors/new/temperature", "2", true).await;
    device.publishes("sensors/d/temperature", "2", true).await;
    let (mut seen, mut ended) = (vec![], false);
    while !ended {
        for change in viewer.hears("changes").await["c"].as_array().unwrap() {
            ended |= change["e"] == "d.temperature";
            seen.push((change["e"].as_str().unwrap().to_owned(), change["entity"]["hidden"] == true));
        }
    }
    seen.sort();
    assert_eq!(seen, [("d.temperature".to_owned(), false), ("new.temperature".to_owned(), true)]);
    // Whoever shows one of them by itself follows it by its id.
    viewer.says(json!({"type": "subscribe", "entities": ["a.temperature"]})).await;
    let snapshot = viewer.hears("snapshot").await;
    assert!(snapshot["entities"].as_array().unwrap().iter().any(|entity| entity["id"] == "a.temperature" && entity["v"] == 2.0));
    device.publishes("sensors/a/temperature", "3", true).await;
    viewer.sees("a.temperature", |change| change["v"] == 3.0).await;
    app.stop().await;
}
