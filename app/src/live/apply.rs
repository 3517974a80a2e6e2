//! What frames do to what the page knows.

use domain::alarm::{Alarm, AlarmState, Severity};
use domain::live::{Alert, Areas, Changes, CommandStanding, EntityChange, EntityView, Error, Hello, LinkView, Pong, Resumed, ServerFrame, Snapshot};
use domain::quality::Quality;
use domain::time::Timestamp;
use leptos::prelude::*;

use super::Live;

/// What the connection has to do after a frame.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// Nothing.
    Nothing,
    /// Ask for everything: something new has come.
    Resync,
    /// Another build answers: load the page again.
    Reload(String),
}

impl Live {
    /// Applies a frame. `build` is the build that made the page.
    pub(super) fn apply(self, frame: ServerFrame, build: Option<&str>) -> Next {
        match frame {
            ServerFrame::Hello(Hello { build: theirs, now, .. }) => {
                self.hear_of(now);
                if build.is_some_and(|ours| ours != theirs) {
                    return Next::Reload(theirs);
                }
            }
            ServerFrame::Snapshot(Snapshot { now, entities, alarms, links, .. }) => {
                self.hear(now);
                for view in &entities {
                    self.upsert(view);
                }
                self.alarms.set(alarms);
                self.links.set(links);
            }
            ServerFrame::Resumed(Resumed { now, alarms, links, areas, .. }) => {
                self.hear(now);
                self.alarms.set(alarms);
                self.links.set(links);
                self.areas.set(areas);
            }
            ServerFrame::Changes(Changes { now, c, .. }) => {
                self.hear(now);
                let mut known = true;
                for change in c {
                    known &= self.change(change, now);
                }
                if !known {
                    return Next::Resync;
                }
            }
            ServerFrame::Alert(Alert { id, message, severity, state, entity_id, ts, condition, rule, .. }) => {
                self.alarm(Alarm { id, rule, entity: entity_id, severity, state, message, condition, since: ts, until: None });
            }
            ServerFrame::Link(link) => self.link(link),
            ServerFrame::Areas(Areas { areas }) => self.areas.set(areas),
            ServerFrame::Command(CommandStanding { id, entity, state, reason, after_ms, usual_ms }) => {
                self.followed(&id, &entity, state, reason, (after_ms, usual_ms));
            }
            ServerFrame::Error(Error { id: Some(id), message, .. }) => self.refused(&id, message),
            ServerFrame::Pong(Pong { now }) => self.hear_of(now),
            ServerFrame::Error(_) | ServerFrame::SensorUpdate(_) | ServerFrame::MqttMessage(_) | ServerFrame::Published(_) => {}
        }
        Next::Nothing
    }

    /// The server speaks, but says nothing of values: while they stand still, they are of an earlier moment.
    fn hear_of(self, now: Timestamp) {
        if self.lost_untracked().is_none() {
            self.hear(now);
        }
    }

    /// Applies a change; `false` for an entity that the page does not know.
    fn change(self, change: EntityChange, now: Timestamp) -> bool {
        if let Some(about) = change.entity {
            // New to this page, or more than its value changed: everything about it came along.
            if about.hidden && self.find(&change.e).is_none() {
                return true;
            }
            let offline_since = (change.q == Quality::Offline).then_some(now);
            self.upsert(&EntityView { v: change.v, t: change.t, q: change.q, since: change.since, offline_since, ..*about });
            return true;
        }
        let Some(entry) = self.find(&change.e) else { return false };
        let known = entry.view.get_untracked();
        let offline_since = match (change.q, known.q) {
            (Quality::Offline, Quality::Offline) => known.offline_since,
            (Quality::Offline, _) => Some(now),
            _ => None,
        };
        let since = change.since.or(if change.v == known.v { known.since } else { change.t });
        self.update(&entry, EntityView { v: change.v, t: change.t.or(known.t), q: change.q, since, offline_since, ..known });
        true
    }

    /// Takes an alarm's new state in, and says a new critical one aloud.
    pub(crate) fn alarm(self, alarm: Alarm) {
        let news = self.alarms.with_untracked(|alarms| !alarms.iter().any(|known| known.id == alarm.id && known.state == alarm.state));
        if news && alarm.state == AlarmState::Unacked && alarm.severity == Severity::Critical {
            let name = self.find(&alarm.entity).map(|entry| entry.view.with_untracked(|view| view.name.clone())).unwrap_or_default();
            self.alert.set(["Critical alarm: ", &name, " ", &alarm.condition].concat());
        }
        self.alarms.update(|alarms| {
            alarms.retain(|known| known.id != alarm.id);
            if alarm.state != AlarmState::Normal {
                alarms.push(alarm);
            }
        });
    }

    fn link(self, link: LinkView) {
        self.links.update(|links| match links.iter_mut().find(|known| known.broker == link.broker) {
            Some(known) => *known = link,
            None => links.push(link),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tile::trend::Past;
    use domain::device::DeviceId;
    use domain::entity::{EntityId, EntityKind};
    use domain::value::Value;

    const NOW: Timestamp = Timestamp::from_ms(1_781_273_006_000);

    fn id() -> EntityId {
        EntityId::parse("a.temperature").expect("id")
    }

    fn view(v: f64) -> EntityView {
        EntityView {
            id: id(),
            device: DeviceId::parse("a").expect("id"),
            area: None,
            name: "Temperature".into(),
            kind: EntityKind::Sensor,
            unit: Some("°C".into()),
            v: Some(Value::Number(v)),
            t: Some(NOW),
            q: Quality::Good,
            assumed: false,
            settable: false,
            hidden: false,
            icon: "temperature".into(),
            precision: None,
            since: None,
            word_on: None,
            word_off: None,
            offline_since: None,
            topic: "sensors/a/temperature".into(),
            link: None,
            unit_guessed: false,
            limits: domain::control::Limits::default(),
            members: None,
        }
    }

    fn snapshot(v: f64) -> ServerFrame {
        ServerFrame::Snapshot(Snapshot { seq: 1, now: NOW, entities: vec![view(v)], alarms: vec![], links: vec![] })
    }

    fn changes(v: f64, t: Timestamp, q: Quality) -> ServerFrame {
        ServerFrame::Changes(Changes {
            seq: 2,
            now: t,
            c: vec![EntityChange { e: id(), v: Some(Value::Number(v)), t: Some(t), q, since: None, entity: None }],
        })
    }

    fn with_live(test: impl FnOnce(Live)) {
        Owner::new().with(|| test(Live::new()));
    }

    #[test]
    fn an_entity_that_appears_is_asked_for_and_then_shown() {
        with_live(|live| {
            assert_eq!(live.apply(changes(1.0, NOW, Quality::Good), None), Next::Resync);
            assert_eq!(live.apply(snapshot(1.0), None), Next::Nothing);
            assert_eq!(live.entries.with_untracked(Vec::len), 1);
        });
    }

    #[test]
    fn late_data_never_moves_a_tile() {
        with_live(|live| {
            live.apply(snapshot(21.3), None);
            live.apply(changes(20.0, NOW.plus_ms(-1), Quality::Good), None);
            let entry = live.find(&id()).expect("known");
            assert_eq!(entry.view.get_untracked().v, Some(Value::Number(21.3)));
        });
    }

    #[test]
    fn a_change_grows_the_last_hour_and_a_will_turns_it_offline() {
        with_live(|live| {
            live.apply(snapshot(21.3), None);
            let later = NOW.plus_ms(60_000);
            live.apply(changes(21.4, later, Quality::Good), None);
            let entry = live.find(&id()).expect("known");
            let Some(Past::Line { points, .. }) = entry.past.get_untracked() else { panic!("numbers make a line") };
            assert_eq!(points.last(), Some(&Some(21.4)));
            let gone = ServerFrame::Changes(Changes {
                seq: 3,
                now: later.plus_ms(5),
                c: vec![EntityChange { e: id(), v: Some(Value::Number(21.4)), t: Some(later), q: Quality::Offline, since: None, entity: None }],
            });
            live.apply(gone, None);
            let view = entry.view.get_untracked();
            assert_eq!((view.q, view.offline_since, view.t), (Quality::Offline, Some(later.plus_ms(5)), Some(later)));
        });
    }

    #[test]
    fn a_new_critical_alarm_is_said_aloud_once() {
        with_live(|live| {
            live.apply(snapshot(21.3), None);
            let alert = |state| {
                ServerFrame::Alert(Alert {
                    id: "r".into(),
                    message: String::new(),
                    severity: Severity::Critical,
                    state,
                    entity_id: id(),
                    ts: NOW,
                    seq: 1,
                    condition: "above 20".into(),
                    rule: "r".into(),
                })
            };
            live.apply(alert(AlarmState::Unacked), None);
            assert_eq!(live.alert.get_untracked(), "Critical alarm: Temperature above 20");
            live.apply(alert(AlarmState::Normal), None);
            assert!(live.alarms.get_untracked().is_empty());
        });
    }

    #[test]
    fn after_a_gap_alarms_that_cleared_are_gone_and_values_are_of_the_moment_before_it() {
        with_live(|live| {
            live.apply(snapshot(21.3), None);
            live.connection.set(crate::live::Connection::Lost { attempt: 1, next_s: 1 });
            live.apply(ServerFrame::Pong(Pong { now: NOW.plus_ms(60_000) }), None);
            assert_eq!(live.lost_untracked(), Some(NOW));
            let alarm = |rule: &str| Alarm {
                id: rule.into(),
                rule: rule.into(),
                entity: id(),
                severity: Severity::Critical,
                state: AlarmState::Unacked,
                message: String::new(),
                condition: "above 20".into(),
                since: NOW,
                until: None,
            };
            live.alarms.set(vec![alarm("old")]);
            let resumed = Resumed { seq: 5, now: NOW.plus_ms(61_000), alarms: vec![alarm("new")], links: vec![], areas: vec![] };
            assert_eq!(live.apply(ServerFrame::Resumed(resumed), None), Next::Nothing);
            assert_eq!(live.alarms.get_untracked().iter().map(|alarm| alarm.id.as_str()).collect::<Vec<_>>(), ["new"]);
            assert_eq!(live.heard.get_untracked(), NOW.plus_ms(61_000));
        });
    }

    #[test]
    fn another_build_reloads_the_page() {
        with_live(|live| {
            let hello = || {
                ServerFrame::Hello(Hello {
                    version: "0.1.0".into(),
                    build: "b".into(),
                    session: String::new(),
                    seq: 0,
                    now: NOW,
                    role: "viewer".into(),
                })
            };
            assert_eq!(live.apply(hello(), Some("a")), Next::Reload("b".into()));
            assert_eq!(live.apply(hello(), Some("b")), Next::Nothing);
            assert_eq!(live.apply(hello(), None), Next::Nothing);
        });
    }
}
