use domain::device::DeviceId;
use domain::entity::Entity;
use domain::value::Value;

use super::*;

const NOW: Timestamp = Timestamp::from_ms(1_781_265_806_000);

/// An entity of which nothing is wrong, changed.
fn verdict(change: impl FnOnce(&mut Known)) -> (Option<String>, String) {
    let device = DeviceId::parse("node").unwrap();
    let entity = Entity { state_topic: "sensors/node/t".to_owned(), ..Entity::new(EntityId::new(&device, "t"), device) };
    let view = EntityView { v: Some(Value::Number(1.0)), t: Some(NOW.plus_ms(-3_000)), q: Quality::Good, ..EntityView::of(&entity, None) };
    let mut known = Known {
        view,
        standing: Standing { topics: vec!["sensors/node/t".to_owned()], late_after_ms: Some(20_000), heard_at: Some(NOW), ..Standing::default() },
        broker: "main".to_owned(),
        link: Some(Broker {
            state: LinkState::Up,
            since: NOW.plus_ms(-60_000),
            error: None,
            filters: vec![TopicFilter::parse("sensors/#").unwrap()],
            refused: vec![],
        }),
        heard: Some(Heard { topic: "sensors/node/t".to_owned(), at: NOW.plus_ms(-3_000), retained: false }),
        alike: (vec![], 0),
        bad: None,
        skew_ms: None,
        offline_since: None,
        now: NOW,
        offset_s: 7_200,
    };
    change(&mut known);
    let why = why(&known);
    assert_eq!(
        why.steps.iter().map(|step| step.step.as_str()).collect::<Vec<_>>(),
        ["link", "rights", "subscription", "message", "parse", "time", "shown"]
    );
    (why.failing().map(|step| step.step.clone()), why.verdict)
}

/// The step that fails, and words of what is said about it.
fn check(change: impl FnOnce(&mut Known), step: &str, words: &[&str]) {
    let (failing, verdict) = verdict(change);
    assert_eq!(failing.as_deref().unwrap_or("none"), step, "{verdict}");
    for word in words {
        assert!(verdict.contains(word), "{word:?} in {verdict}");
    }
}

fn link(known: &mut Known) -> &mut Broker {
    known.link.as_mut().unwrap()
}

#[test]
fn each_step_fails_for_its_own_reason_and_says_it() {
    check(|_| {}, "none", &["All is well", "14:03:23"]);
    check(|known| known.link = None, "link", &["no broker \"main\""]);
    check(|known| (link(known).state, link(known).error) = (LinkState::Down, Some("refused".into())), "link", &["14:02:26 (60 s): refused"]);
    check(|known| link(known).state = LinkState::Connecting, "link", &["is being connected to"]);
    let refuse = |reason: &'static str| move |known: &mut Known| link(known).refused = vec![("sensors/#".into(), reason.into())];
    check(refuse("NotAuthorized"), "rights", &["\"sensors/node/t\"", "\"sensors/#\" (NotAuthorized)", "access list"]);
    check(refuse("QuotaExceeded"), "subscription", &["refused the subscription to \"sensors/#\" (QuotaExceeded)"]);
    check(|known| link(known).filters = vec![TopicFilter::parse("home/#").unwrap()], "subscription", &["No filter", "there are \"home/#\""]);
    check(
        |known| (known.heard, known.alike) = (None, (vec!["sensors/node/T".into()], 7)),
        "message",
        &["earlier run", "Of 7 topics", "\"sensors/node/T\""],
    );
    check(|known| known.bad = Some(("no number".into(), Some("{".into()))), "parse", &["no number", "last good value", "It was: {"]);
    check(|known| (known.view.v, known.standing.leaf) = (None, Some("a.b".into())), "parse", &["hold no \"a.b\""]);
    check(|known| known.view.q = Quality::Stale, "time", &["silent since 14:03:26", "late after 20 s"]);
    check(|known| known.skew_ms = Some(-2 * 3_600_000), "time", &["2 h behind"]);
    check(|known| known.standing.is_hidden = true, "shown", &["hidden"]);
    check(|known| known.standing.is_unlisted = true, "shown", &["nobody has claimed"]);
}

#[test]
fn a_device_that_says_that_it_is_gone_is_not_looked_for_elsewhere() {
    check(
        |known| (known.offline_since, known.standing.presence) = (Some(NOW.plus_ms(-120_000)), vec!["devices/node/status".into()]),
        "message",
        &["offline since 14:01:26 (2 min)", "\"devices/node/status\" says so"],
    );
    check(|known| known.standing.is_absent = true, "message", &["its convention says so"]);
}

#[test]
fn what_another_filter_grants_is_not_refused() {
    check(
        |known| {
            link(known).filters.push(TopicFilter::parse("#").unwrap());
            link(known).refused = vec![("sensors/#".into(), "NotAuthorized".into())];
        },
        "none",
        &["All is well"],
    );
}

#[test]
fn a_light_without_a_voice_is_not_blamed_for_it() {
    check(|known| (known.heard, known.standing.topics) = (None, vec![]), "none", &["All is well"]);
}

#[test]
fn the_most_alike_topic_differs_least() {
    for (other, n) in [("a/temp", 0), ("A/Temp", 0), ("a/tmp", 1), ("b/temp", 1), ("x", 6)] {
        assert_eq!(difference("a/temp", other), n, "{other}");
    }
}
