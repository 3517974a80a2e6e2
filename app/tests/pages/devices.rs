//! The page of devices: what the greenhouse's backend says of them, and what a reader without script sees.

use app::backend::{BackendError, Caller, Role};
use app::devices::{
    Branch, Counts, DeviceRow, DevicesPage, DevicesRequest, GhostPlan, GhostRow, Ghosts, Level, Payload, Signal, Told, TopicDetail, TopicsPage,
    TopicsRequest, Unread,
};
use app::patterns::{PatternPreview, PatternProblem, PatternRow, PatternsPage, PatternsRequest, TriedRow};
use app::presence::Presence;
use axum::http::StatusCode;
use domain::ghost::GhostReason;
use domain::time::{DAY_MS, HOUR_MS, SECOND_MS};

use crate::fake::{HOSTILE, NOW, shell};
use crate::{check, get, get_as, visible};

/// The list of devices.
pub(crate) fn page(caller: &Caller, request: &DevicesRequest) -> Result<DevicesPage, BackendError> {
    if request.status == "gone" {
        return Err(BackendError::Invalid("status \"gone\" is unknown".into()));
    }
    let row = |id: &str, name: &str, presence, signal| DeviceRow {
        id: id.into(),
        name: name.into(),
        n_entities: if id == "tank" { 1 } else { 10 },
        presence,
        hidden: false,
        area: (id != "tank").then(|| "Greenhouse 1".to_owned()),
        convention: "plain topics".into(),
        seen: (id != "new").then_some(NOW.plus_ms(if presence == Presence::Offline { -HOUR_MS } else { -3 * SECOND_MS })),
        per_min: if id == "tank" { 0.2 } else { 62.4 },
        signal,
    };
    let mut rows = vec![
        row("climate-1", "Greenhouse climate node", Presence::Online, Some(Signal::Rssi(-61.0))),
        row("tank", HOSTILE, Presence::Offline, Some(Signal::Battery(21.0))),
        row("late", "Cargo logger", Presence::Stale, Some(Signal::Lqi(168.0))),
        row("new", "New one", Presence::Unknown, None),
    ];
    let mut all = Counts { all: 60, online: 57, stale: 1, offline: 1, unknown: 1, hidden: 2 };
    if !request.q.is_empty() {
        rows.clear();
    }
    if request.q == "no devices" {
        all = Counts::default();
    }
    Ok(DevicesPage {
        shell: app::backend::Shell { role: caller.role, ..shell() },
        next: (!rows.is_empty()).then(|| "bmV4dA".to_owned()),
        n_before: if request.cursor.is_empty() { 0 } else { 50 },
        rows,
        all,
        found: all,
        areas: shell().areas,
        conventions: vec!["plain topics".into(), HOSTILE.into()],
        n_unlisted: if request.sort == "seen" { 49_000 } else { 0 },
        ghosts: ghosts(request),
        told: (request.done == "done").then(|| Told { words: "2 devices hidden.".into(), failed: false, field: String::new(), publish: None }),
    })
}

/// Devices that are gone; what clearing them would come to, where that is asked.
fn ghosts(request: &DevicesRequest) -> Ghosts {
    let ghost = |device: &str, reason, since| GhostRow {
        device: device.into(),
        name: HOSTILE.into(),
        link: "farm".into(),
        reason,
        since,
        topics: vec![format!("sensors/{HOSTILE}/temperature")],
        n_topics: 3,
    };
    let plan = GhostPlan {
        devices: vec!["old".into()],
        n: 3,
        bytes: 40,
        takes_s: 2,
        topics: vec![("a/<b>".into(), 4, true), ("homeassistant/sensor/old/config".into(), 36, false)],
        not_ghosts: vec!["late".into()],
    };
    if request.sort == "seen" {
        return Ghosts::default();
    }
    let rows = vec![ghost("old", GhostReason::Removed, None), ghost("quiet", GhostReason::Silent, Some(NOW.plus_ms(-9 * DAY_MS)))];
    Ghosts {
        rows,
        is_more: true,
        plan: (!request.dry.is_empty()).then_some(plan),
        problem: String::new(),
        clearing: "1 of 2 retained messages cleared.".into(),
    }
}

/// The topics.
pub(crate) fn topics(caller: &Caller, request: &TopicsRequest) -> TopicsPage {
    let branch = |name: &str, path: &str, n_below, last: &str| Branch {
        name: name.into(),
        path: path.into(),
        n_below,
        is_topic: !last.is_empty(),
        last: last.into(),
    };
    let level = |branches: &[Branch]| Level { branches: branches.to_vec(), is_more: false };
    let payload = |text: &str, is_hex| Payload { text: text.into(), is_cut: is_hex, is_hex };
    let detail = TopicDetail {
        topic: "greenhouse/state".into(),
        link: "farm-broker".into(),
        at: NOW.plus_ms(-3 * SECOND_MS),
        qos: 1,
        retained: true,
        retained_command: true,
        per_s: 0.1,
        n: 12,
        size: 49,
        payload: payload("{\n  \"co2\": 820\n}", false),
        readers: vec![("climate-1".into(), "climate-1.co2".into(), HOSTILE.into())],
        bad: Some(Unread { n: 2, reason: HOSTILE.into(), payload: payload("ff 00", true), at: NOW }),
    };
    let mut levels = vec![(String::new(), level(&[branch("greenhouse", "greenhouse", 2, ""), branch(HOSTILE, HOSTILE, 0, "21.5")]))];
    if request.topic.starts_with("greenhouse/") {
        levels.push(("greenhouse/".into(), level(&[branch("state", "greenhouse/state", 0, "49 B"), branch("", "greenhouse/", 0, "1")])));
    }
    TopicsPage {
        levels,
        details: Some(detail).into_iter().filter(|detail| detail.topic == request.topic).collect(),
        n_known: 161,
        n_forgotten: 0,
        per_s: 42.0,
        problem: if request.filter == "a+" { "Filter \"a+\" has a wildcard in the wrong place".into() } else { String::new() },
        links: vec!["farm-broker".into(), HOSTILE.into()],
        may_publish: caller.role >= Role::Operator,
        told: None,
    }
}

/// Topic patterns: one of the file, one that stands, and what somebody writes.
pub(crate) fn patterns(caller: &Caller, request: &PatternsRequest) -> PatternsPage {
    let row = |text: &str, counts| PatternRow { text: text.into(), counts };
    let own = request.texts.iter().map(|text| row(text, (request.act == "try").then_some((2, 1))));
    let tried = TriedRow {
        topic: HOSTILE.into(),
        device: "b".into(),
        measure: "power".into(),
        area: String::new(),
        last: HOSTILE.into(),
        would: "b.power".into(),
        now: "is now x.y".into(),
        note: "stays: it announces itself what it is".into(),
    };
    let bad = request.texts.iter().position(|text| text == "bad");
    let preview = PatternPreview { rows: vec![tried], matched: 40, found: 30, new: 3, changed: 1 };
    PatternsPage {
        fixed: vec![row("mill/{device}/speed", Some((1, 0)))],
        own: if request.is_draft { own.collect() } else { [row("a/{device}", Some((4, 0)))].into_iter().chain(own).collect() },
        most: 64,
        is_standing: false,
        may_write: caller.role >= Role::Operator,
        problem: bad.map(|place| PatternProblem { place: Some(place), words: HOSTILE.into() }),
        preview: (request.act == "try" && bad.is_none()).then_some(preview),
        told: None,
    }
}

#[tokio::test]
async fn topic_patterns_are_written_without_script_and_saved_only_after_a_preview() {
    let (_, html) = get("/devices?topic=greenhouse/state", "devices").await;
    check(&html, &["href=\"/devices?topic=greenhouse%2Fstate&amp;patterns=%7Bdevice%7D%2F%7Bmeasure%7D\">Make a pattern of this topic"]);
    assert!(!html.contains("id=\"patterns\""), "they are shown only where that is asked for");
    let (_, html) = get("/devices?q=x&patterns=", "devices").await;
    let fields =
        ["mill/{device}/speed", "1 topic", "name=\"patterns\" value=\"a/{device}\"", "4 topics", "name=\"q\" value=\"x\"", "value=\"remove-0\""];
    check(&html, &fields);
    let (attributes, inside) = html.split("value=\"add\"").nth(1).and_then(|rest| rest.split_once('>')).expect("a button that adds");
    assert!(!attributes.contains("disabled") && inside.starts_with("<svg"), "{attributes}>{inside:.80}");
    assert!(!html.contains("value=\"mill/{device}/speed\"") && !html.contains("patterns_save"), "neither is the file's written nor anything saved");
    let tried = "/devices?draft=1&patterns=a/%7Bdevice%7D&patterns=b/%7Bdevice%7D&find=po&do=try";
    let (_, html) = get(tried, "devices").await;
    let shown = [
        "40 topics match. 3 that feed nothing today would feed something. 1 would feed other entities than today. 30 of them with po.",
        "2 topics, 1 more taken by an earlier pattern",
        "is now x.y",
        "&lt;script&gt;",
        "The first 1 of 30 are listed.",
        "action=\"/fn/patterns_save\"",
        "name=\"patterns[]\" value=\"b/{device}\"",
    ];
    check(&html, &shown);
    let (_, html) = get(&tried.replace("patterns=b/", "patterns=bad&x="), "devices").await;
    check(&html, &["aria-invalid=\"true\"", "&lt;script&gt;"]);
    assert!(!html.contains("patterns_save"), "what is refused is not saved");
    let (_, html) = get_as(Role::Viewer, "/devices?patterns=", "devices").await;
    check(&html, &["a/{device}", "operator rights are needed"]);
    assert!(!html.contains("value=\"add\""), "a viewer writes none");
}

#[tokio::test]
async fn devices_are_listed_without_script() {
    let (status, html) = get("/devices?q=&sort=-seen&topic=greenhouse/", "devices").await;
    assert_eq!(status, StatusCode::OK);
    check(
        &html,
        &[
            "60 devices: 57 online, 1 stale, 1 offline, 1 not heard yet, 2 hidden",
            "Greenhouse climate node",
            "&lt;script&gt;",
            "1 entity<",
            "data-status=\"offline\"",
            "aria-label=\"Critical, unacknowledged\"",
            "−61 dBm",
            "data-level=\"3\"",
            "LQI 168",
            "21 %, low",
            "62 per min",
            "0.2 per min",
            "datetime=\"2026-06-12T12:03:23Z\">14:03<",
            ">never<",
            "aria-sort=\"descending\"",
            // Everything has an address, which keeps the rest.
            "href=\"/devices?sort=%2Dseen&amp;cursor=bmV4dA&amp;topic=greenhouse%2F\"",
            "href=\"/devices?status=offline&amp;sort=%2Dseen&amp;topic=greenhouse%2F\"",
            "1 to 4 of 60 devices",
            // One form for several devices.
            "action=\"/fn/devices_change\"",
            "name=\"devices[]\" value=\"tank\"",
            "name=\"act\" value=\"hide\"",
        ],
    );
    // The tree is open where the address says.
    let tree = visible(&html).split("role=\"tree\"").nth(1).expect("a tree");
    assert_eq!((tree.matches("role=\"treeitem\"").count(), tree.matches("aria-expanded=\"true\"").count()), (4, 1));
    assert!(tree.contains("(empty)") && tree.contains("topic=greenhouse%2Fstate\""), "{tree}");
    let (_, html) = get("/devices?sort=seen&done=done", "devices-unlisted").await;
    check(&html, &["49000 entities are not on the overview", "2 devices hidden."]);
}

#[tokio::test]
async fn ghosts_are_listed_and_only_a_dry_run_has_the_button_that_clears() {
    let (_, html) = get("/devices?status=offline", "devices-ghosts").await;
    check(
        &html,
        &["Ghosts (2+)", "Removed", "Silent for 9 d", "3 topics", "and 2 more", "Dry run", "name=\"dry\"", "1 of 2 retained messages cleared."],
    );
    assert!(visible(&html).contains("name=\"status\" value=\"offline\"") && !visible(&html).contains("/fn/ghosts_clear"));
    let (_, html) = get("/devices?sort=device&dry=old&dry=late", "devices-dry-run").await;
    check(
        &html,
        &[
            "3 retained messages of 1 device would be cleared, 40 bytes as they were last heard, in at least 2 s. Nothing is cleared yet.",
            "No ghosts any more: late",
            "36 bytes, retained perhaps",
            "action=\"/fn/ghosts_clear\"",
            "name=\"devices[]\" value=\"old\"",
            "value=\"/devices?sort=device\"",
            "Clear 3 messages",
        ],
    );
    let (_, html) = get("/devices?sort=seen", "devices-no-ghosts").await;
    assert!(!html.contains("id=\"ghosts\""));
    let (_, html) = get_as(Role::Viewer, "/devices?dry=old", "devices-ghosts-viewer").await;
    check(&html, &["Ghosts (2+)"]);
    assert!(!visible(&html).contains("Dry run") && !visible(&html).contains("/fn/ghosts_clear"));
}

#[tokio::test]
async fn a_topic_is_shown_with_what_is_wrong_with_it() {
    let (_, html) = get("/devices?topic=greenhouse/state", "devices-topic").await;
    check(
        &html,
        &[
            "A command is retained here",
            "2 messages could not be read",
            "as hex digits",
            "Only the beginning is shown.",
            "  \"co2\": 820",
            "every 10 s",
            "49 bytes",
            "href=\"/devices/climate-1\"",
            "action=\"/fn/publish\"",
            // With more than one broker it is said which.
            "aria-label=\"Broker\"",
        ],
    );
    let (_, html) = get("/devices?topics=a%2B", "devices-filter").await;
    check(&html, &["has a wildcard in the wrong place", "aria-invalid=\"true\""]);
}

#[tokio::test]
async fn a_list_without_devices_says_why_and_what_to_do() {
    let (_, html) = get("/devices?q=nothing", "devices-none").await;
    check(&html, &["No device matches", "Show all devices", "value=\"nothing\""]);
    let (_, html) = get("/devices?q=no%20devices", "devices-empty").await;
    check(&html, &["No devices yet", "farm-broker", "mosquitto_pub"]);
    let (status, html) = get("/devices?status=gone", "devices-bad").await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    check(&html, &["status \"gone\" is unknown", "href=\"/\""]);
}

#[tokio::test]
async fn viewers_are_shown_no_form_that_would_be_refused() {
    let (status, html) = get_as(Role::Viewer, "/devices", "devices-viewer").await;
    assert_eq!(status, StatusCode::OK);
    check(&html, &["Greenhouse climate node", "To publish, operator rights are needed."]);
    let html = visible(&html);
    assert!(!html.contains("devices[]") && !html.contains("/fn/devices_change") && !html.contains("/fn/publish"));
}
