//! Pages as the server renders them: complete without script, and harmless whatever devices call themselves.

mod devices;
mod fake;

use std::sync::{Arc, Once};

use app::backend::{Caller, Role, SharedBackend};
use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode};
use fake::{Greenhouse, HOSTILE};
use leptos::config::LeptosOptions;
use leptos::prelude::provide_context;

/// The status and the HTML of a page. The HTML is kept among the build's files, to be looked at.
async fn get(uri: &str, name: &str) -> (StatusCode, String) {
    get_as(Role::Operator, uri, name).await
}

/// The same for somebody with other rights.
async fn get_as(role: Role, uri: &str, name: &str) -> (StatusCode, String) {
    let context = move || {
        provide_context::<SharedBackend>(Arc::new(Greenhouse));
        provide_context(Caller { name: "anonymous".into(), role, address: None });
    };
    // As the server does it before its first request: this also starts what runs the pages' futures. Only once: a page that
    // another thread renders while routes are listed waits forever now and then (seen in one run of ten).
    static START: Once = Once::new();
    START.call_once(|| _ = leptos_axum::generate_route_list(app::app::App));
    let options = LeptosOptions::builder().output_name("signalbox").build();
    let handler = leptos_axum::render_app_async_with_context(context, move || app::app::shell(&options));
    let request = Request::builder().uri(uri).body(Body::empty()).expect("a request");
    let response = handler(request).await;
    let status = response.status();
    let bytes = to_bytes(response.into_body(), 10_000_000).await.expect("a body");
    let html = String::from_utf8(bytes.to_vec()).expect("UTF-8");
    std::fs::write(format!("{}/{name}.html", env!("CARGO_TARGET_TMPDIR")), &html).expect("a file");
    (status, html)
}

/// What a reader sees: the HTML up to the data that the browser's half reads.
fn visible(html: &str) -> &str {
    html.split_once("__RESOLVED_RESOURCES").map_or(html, |(before, _)| before)
}

fn check(html: &str, wanted: &[&str]) {
    // Markers between texts are not for readers.
    let html = visible(html).replace("<!>", "");
    for text in wanted {
        assert!(html.contains(text), "{text:?} is missing");
    }
    assert!(!html.contains("NaN"), "a number is none");
    assert!(!html.contains("<script>alert"), "a name became markup");
    assert!(!html.contains("<img"), "an icon's name became markup");
    assert!(!html.contains("style=\""), "the policy forbids inline styles");
}

const DAY: &str =
    "/history?e=climate-1.air_temperature&e=climate-1.soil_temperature&e=climate-1.humidity&e=climate-1.soil_b&e=climate-1.mist&range=24h";

#[tokio::test]
async fn history_is_complete_without_script() {
    let (status, html) = get(DAY, "history").await;
    assert_eq!(status, StatusCode::OK);
    check(
        &html,
        &[
            "Thu 11 Jun 14:03",
            "Fri 12 Jun 14:03",
            ", one point per 5 min",
            // The chart.
            "role=\"img\"",
            "Air temperature is at 33.90\u{a0}°C, about where it began, lowest 14.92 at 03:48",
            "Critical above 34",
            "no data, 55 min",
            "Misting valve: On, since",
            "series series-2 c2",
            "40 °C",
            // Its text form.
            "<b>33.90</b>",
            "96 %",
            "The newest 100 of 277 points",
            // Its controls.
            "href=\"/history?e=climate-1.soil_temperature&amp;e=climate-1.humidity&amp;e=climate-1.soil_b&amp;e=climate-1.mist&amp;range=24h\"",
            "aria-label=\"One day back\"",
            "name=\"e\"",
            "5 of 11",
            "&lt;script&gt;",
        ],
    );
    assert_eq!(html.matches(" checked").count(), 5);
}

#[tokio::test]
async fn words_stand_in_a_lane_and_are_harmless() {
    let (status, html) = get("/history?e=climate-1.mode&e=climate-1.mist&range=24h", "history-words").await;
    assert_eq!(status, StatusCode::OK);
    check(
        &html,
        &[
            // The finding, and a title and a text for each span.
            "Mode: Auto, since 13:03. Auto for 8 h,",
            "; 9 changes.</title>",
            "<title>Auto, 14:03 to 22:03</title>",
            "<title>mostly Manual, 06:03 to 13:03</title>",
            ">mostly Manual</text>",
            ">&lt;script&gt;alert",
            // The figures.
            "data-label=\"Share of time\"",
            "Auto <b>33 %</b>",
            "<small>8 h</small>",
            "9<small>changes</small>",
            "<b>Auto</b>",
            // The readings, of which one that stands for several is none.
            "<td class=\"num\">mostly Manual</td>",
            "<span>Mode</span><span class=\"end\">words</span>",
        ],
    );
    // Two lanes and that of commands, no pane.
    assert_eq!((html.matches("data-size=\"lane\"").count(), html.matches("axis-line").count()), (3, 0));
}

#[tokio::test]
async fn history_without_a_choice_says_what_to_do() {
    let (_, html) = get("/history", "history-empty").await;
    check(&html, &["No series chosen", "0 of 11"]);
}

#[tokio::test]
async fn a_series_without_readings_is_a_chart_without_a_line() {
    let (status, html) = get("/history?e=climate-1.hostile&range=24h", "history-hostile").await;
    assert_eq!(status, StatusCode::OK);
    check(&html, &["no data, 24 h", "0 %"]);
}

#[tokio::test]
async fn an_address_that_makes_no_sense_is_told_so() {
    let (status, html) = get("/history?range=soon", "history-bad").await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    check(&html, &["range \"soon\" is unknown", "href=\"/\""]);
}

#[tokio::test]
async fn the_log_is_complete_without_script() {
    let (status, html) = get("/activity?kind=control&who=Mara%20Ilves&unconfirmed=1", "activity").await;
    assert_eq!(status, StatusCode::OK);
    check(
        &html,
        &[
            "Today, Friday 12 June",
            "Yesterday, Thursday 11 June",
            "Floor lamp turned on",
            "data-outcome=\"pending\"",
            "Confirmed, 0.4 s",
            "datetime=\"2026-06-12T",
            "Kept for 1 year",
            // Older entries, and the filters, have addresses.
            "href=\"/activity?kind=control&amp;who=Mara%20Ilves&amp;unconfirmed=1&amp;cursor=1%2E1\"",
            "method=\"get\" action=\"/activity\"",
            "name=\"kind\" value=\"control\"",
            "&lt;script&gt;",
        ],
    );
    assert_eq!(visible(&html).matches(" selected").count(), 2, "a person and all areas");
    let (_, html) = get("/activity?q=nothing", "activity-none").await;
    check(&html, &["Nothing matches", "Show everything", "value=\"nothing\""]);
    let (_, html) = get("/activity", "activity-all").await;
    check(&html, &["Floor lamp turned on"]);
}

#[tokio::test]
async fn a_device_shows_every_value() {
    let (status, html) = get("/devices/climate-1", "device").await;
    assert_eq!(status, StatusCode::OK);
    check(
        &html,
        &[
            "Greenhouse climate node",
            "data-status=\"online\"",
            "<b>34.6</b>",
            "<b>21.9</b>",
            "<b>71</b>",
            "<b>18</b>",
            "<b>820</b>",
            "<b>41200</b>",
            "Stale",
            "<b>Auto</b>",
            "<b>No reading</b>",
            "aria-checked=\"false\"",
            "aria-checked=\"true\"",
            "15.8 to 35.0",
            "Below 20, since 13:41",
            "greenhouse/1/climate/state",
            "retained",
            "plain topics",
            "3 Mar 2026",
            "Air temperature above 34",
            "action=\"/fn/acknowledge\"",
            "Critical above 34",
            // What there is to know about it.
            "8.4 messages per minute",
            "2 min without a message",
            "href=\"/devices/bridge\"",
            "240ac412abef",
            "rel=\"noreferrer noopener external\"",
            "data-level=\"3\"",
            "−61\u{a0}dBm",
            // What can be done.
            "href=\"/devices/climate-1?edit=name\"",
            "href=\"/devices/climate-1?edit=merge\"",
            "href=\"/devices/climate-1?edit=climate-1.humidity\"",
            "href=\"/devices/climate-1?why=climate-1.lux#why\"",
            "href=\"/devices?topic=greenhouse%2F1%2Fhumidity\"",
            "action=\"/fn/device_change\"",
            "aria-current=\"true\"",
            "sent by Signalbox",
            " guessed</small>",
            "Diagnostics and settings (1)",
        ],
    );
    assert!(!visible(&html).contains(HOSTILE));
    assert!(!html.contains("?a=<script>"), "an address became markup");
}

#[tokio::test]
async fn each_form_of_a_device_stands_open_by_its_address() {
    for (query, wanted) in [
        ("edit=name", &["value=\"Greenhouse climate node\"", "name=\"act\" value=\"name\"", "href=\"/devices/climate-1\""][..]),
        ("edit=area", &["name=\"new_area\""]),
        ("edit=remove", &["with 12 entities?", "Its history stays.", "does not bring it back", "name=\"sure\"", "required"]),
        ("edit=zigbee-name", &["value=\"zigbee-name\"", "Name on the Zigbee network", "value=\"&lt;script&gt;"]),
        ("edit=zigbee-remove", &["from the Zigbee network?", "name=\"sure\"", "name=\"force\""]),
        ("edit=zigbee-join", &["name=\"seconds\"", "max=\"254\""]),
        ("edit=merge&q=so", &["value=\"so\"", "<option value=\"soil\">&lt;script&gt;", "The first 1; filter"]),
        (
            "edit=climate-1.humidity",
            &["name=\"entity\" value=\"climate-1.humidity\"", "name=\"unit\" value=\"%\"", "Guessed: it stood in", "As they arrive"],
        ),
        ("why=climate-1.lux", &["No message was ever heard on &lt;img&gt;.", "Connection to the broker", "This is where it ends.", ", not known"]),
        ("done=hidden", &["Hidden: it stays out of the overview"]),
    ] {
        let (status, html) = get(&format!("/devices/climate-1?{query}"), "device-form").await;
        assert_eq!(status, StatusCode::OK, "{query}");
        check(&html, wanted);
    }
    let (_, html) = get("/devices/climate-1?done=%3Cscript%3Ealert(1)", "device-done").await;
    assert!(!visible(&html).contains("data-kind=\"done\""), "only words of ours are said");
}

#[tokio::test]
async fn those_who_only_look_are_offered_no_changes() {
    let (status, html) = get_as(Role::Viewer, "/devices/climate-1?edit=name", "device-viewer").await;
    assert_eq!(status, StatusCode::OK);
    check(&html, &["href=\"/devices/climate-1?why=climate-1.lux#why\"", "Topic that it reads"]);
    for action in ["/fn/device_change", "?edit="] {
        assert!(!visible(&html).contains(action), "{action}");
    }
}

#[tokio::test]
async fn an_unknown_device_is_not_found_inside_the_frame() {
    let (status, html) = get("/devices/lamp-3", "device-missing").await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    check(&html, &["lamp-3", "Back to overview", "Greenhouse 1"]);
}

#[tokio::test]
async fn an_unknown_address_is_not_found_inside_the_frame() {
    let (status, html) = get("/nothing/%3Cscript%3Ealert(1)", "not-found").await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    check(&html, &["Not found", "Back to overview", "Greenhouse 1"]);
}
