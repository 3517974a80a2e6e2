use super::*;
use crate::alarm::{AlarmState, Severity};
use crate::command::{Action, CommandState};
use crate::device::Area;

fn check(json: &str, frame: &ClientFrame) {
    assert_eq!(&serde_json::from_str::<ClientFrame>(json).expect(json), frame);
}

#[test]
fn client_frames_read_as_the_contract_writes_them() {
    check(
        r#"{"type":"subscribe","topics":["sensors/+/temperature"]}"#,
        &ClientFrame::Subscribe { topics: vec!["sensors/+/temperature".into()], entities: vec![], id: None },
    );
    check(
        r#"{"type":"publish","topic":"a","payload":{"state":"on"},"id":"a1"}"#,
        &ClientFrame::Publish { topic: "a".into(), payload: serde_json::json!({"state": "on"}), qos: 1, id: Some("a1".into()) },
    );
    check(
        r#"{"type":"command","id":"a2","entity":"living-room.light","action":"turn_on","brightness":80}"#,
        &ClientFrame::Command(CommandFrame {
            id: "a2".into(),
            entity: EntityId::parse("living-room.light").expect("id"),
            deliver: None,
            expires_s: None,
            action: Action::TurnOn { brightness: Some(80), color_temp: None },
        }),
    );
    check(r#"{"type":"ping"}"#, &ClientFrame::Ping { id: None });
}

#[test]
fn the_server_reads_what_a_page_writes() {
    let command = CommandFrame {
        id: "a2".into(),
        entity: EntityId::parse("living-room.light").expect("id"),
        deliver: None,
        expires_s: None,
        action: Action::TurnOn { brightness: Some(80), color_temp: None },
    };
    let sent = PageFrame::Command { id: "a2", entity: &command.entity, action: "turn_on", fields: ",\"brightness\":80" };
    for (sent, read) in [
        (PageFrame::Subscribe { entities: &["shown"] }, ClientFrame::Subscribe { topics: vec![], entities: vec!["shown".into()], id: None }),
        (sent, ClientFrame::Command(command.clone())),
        (
            PageFrame::Resume { session: "0a", seq: u64::MAX, entities: &["shown"] },
            ClientFrame::Resume { session: "0a".into(), seq: u64::MAX, entities: vec!["shown".into()], id: None },
        ),
        (PageFrame::Pause, ClientFrame::Pause { id: None }),
        (PageFrame::Ping, ClientFrame::Ping { id: None }),
    ] {
        check(&sent.to_json(), &read);
    }
}

#[test]
fn a_frame_with_an_unknown_field_is_refused() {
    for bad in [
        r#"{"type":"ping","x":1}"#,
        r#"{"type":"subscribe","topic":"a"}"#,
        r#"{"type":"nothing"}"#,
        "[]",
        r#"{"type":"publish","topic":1,"payload":1}"#,
    ] {
        assert!(serde_json::from_str::<ClientFrame>(bad).is_err(), "{bad}");
    }
}

#[test]
fn a_page_reads_what_the_server_writes() {
    let change = EntityChange {
        e: EntityId::parse("a.b").expect("id"),
        v: Some(Value::Text("x \"y\"".into())),
        t: None,
        q: Quality::Good,
        since: None,
        entity: None,
    };
    let link = LinkView { error: Some("refused".into()), dropped: 3, ..LinkView::new("main", LinkState::Down, Timestamp::from_ms(9)) };
    for frame in [
        ServerFrame::Changes(Changes { seq: 1, now: Timestamp::from_ms(2), c: vec![change] }),
        ServerFrame::Pong(Pong { now: Timestamp::from_ms(2) }),
        ServerFrame::Error(Error { id: Some("c1".into()), code: String::new(), message: "m".into() }),
        ServerFrame::Snapshot(Snapshot { seq: 3, now: Timestamp::from_ms(2), entities: vec![], alarms: vec![], links: vec![link.clone()] }),
        ServerFrame::Resumed(Resumed {
            seq: 6,
            now: Timestamp::from_ms(2),
            alarms: vec![],
            links: vec![link.clone()],
            areas: vec![Area { id: AreaId::parse("hall").expect("id"), name: "Hall".into(), icon: None }],
        }),
        ServerFrame::Link(link),
        ServerFrame::Areas(Areas { areas: vec![Area { id: AreaId::parse("hall").expect("id"), name: "Hall".into(), icon: None }] }),
        ServerFrame::Hello(Hello {
            version: String::new(),
            build: "b".into(),
            session: "0a".into(),
            seq: 4,
            now: Timestamp::from_ms(2),
            role: String::new(),
        }),
        ServerFrame::Alert(Alert {
            id: "hot".into(),
            message: "Too \"hot\"".into(),
            severity: Severity::Critical,
            state: AlarmState::OutOfService,
            entity_id: EntityId::parse("a.b").expect("id"),
            ts: Timestamp::from_ms(1),
            seq: 5,
            condition: "above 30".into(),
            rule: "hot".into(),
        }),
        ServerFrame::Command(CommandStanding {
            id: "c2".into(),
            entity: EntityId::parse("a.b").expect("id"),
            state: CommandState::Unconfirmed,
            reason: Some("no answer in 2 s".into()),
            after_ms: Some(2_000),
            usual_ms: Some(400),
        }),
    ] {
        assert_eq!(read_for_page(&serde_json::to_string(&frame).expect("JSON")), Some(frame));
    }
    for other in ["", "[]", "{}", r#"{"type":"new"}"#, r#"{"type":"changes"}"#, r#"{"type":"pong"}"#, r#"{"type":5}"#] {
        assert_eq!(read_for_page(other), None, "{other}");
    }
}

#[test]
fn server_frames_are_written_as_the_contract_says() {
    let frame = ServerFrame::SensorUpdate(SensorUpdate {
        device_id: DeviceId::parse("a").expect("id"),
        entity_id: EntityId::parse("a.temperature").expect("id"),
        topic: "sensors/a/temperature".into(),
        value: Some(Value::Number(21.3)),
        unit: Some("°C".into()),
        ts: Some(Timestamp::from_ms(5)),
        q: Quality::Good,
        seq: 7,
        snapshot: false,
    });
    assert_eq!(
        serde_json::to_string(&frame).expect("JSON"),
        r#"{"type":"sensor-update","deviceId":"a","entityId":"a.temperature","topic":"sensors/a/temperature","value":21.3,"unit":"°C","ts":5,"q":"good","seq":7}"#
    );
}
