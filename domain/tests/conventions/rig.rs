//! A fleet on one broker, fed with messages and read as pages and programs read it.

use domain::change::Change;
use domain::command::{Action, CommandState};
use domain::device::{Device, DeviceId};
use domain::entity::{Entity, EntityId};
use domain::fleet::{Fleet, Settings};
use domain::input::{Input, Message};
use domain::live::{EntityView, LinkState};
use domain::reading::Reading;
use domain::time::Timestamp;

/// When the tests begin: 2026-11-23 20:00 UTC.
pub const BEGAN: i64 = 1_795_464_000_000;

/// What a message is to come to: entities by id, with the JSON of their values. `""` is an entity without a value; `"gone"` one that is not there.
pub type Expected<'a> = &'a [(&'a str, &'a str)];

pub struct Plant {
    pub fleet: Fleet,
    pub now: i64,
    n_commands: u32,
    /// How often all devices of Shelly's first generation were asked who they are.
    pub n_announces: usize,
    /// How often devices were told that somebody is there who wants their announcements.
    pub n_births: usize,
    /// What was asked of devices that is nobody's command: topic and payload.
    pub asked: Vec<(String, Vec<u8>)>,
    /// Why messages could not be taken.
    pub rejected: Vec<String>,
    /// Everything that followed from the last input.
    pub out: Vec<Change>,
    /// What a store would hold: entities as they were found, and the last reading of each.
    stored: std::collections::BTreeMap<EntityId, (Option<Entity>, Option<Reading>)>,
}

impl Plant {
    pub fn new() -> Self {
        let mut plant = Self {
            fleet: Fleet::new(Settings::default()),
            now: BEGAN,
            n_commands: 0,
            n_announces: 0,
            n_births: 0,
            asked: vec![],
            rejected: vec![],
            out: vec![],
            stored: std::collections::BTreeMap::new(),
        };
        plant.feed(Input::Link { broker: "main".into(), state: LinkState::Up });
        plant
    }

    pub fn feed(&mut self, input: Input) {
        let mut out = vec![];
        self.fleet.apply(input, Timestamp::from_ms(self.now), &mut out);
        for change in &out {
            match change {
                // All brokers are asked for these; that would stand between the others.
                Change::Ask { topic, .. } if topic == "shellies/command" => self.n_announces += 1,
                Change::Ask { topic, payload, .. } if topic == "homeassistant/status" => {
                    assert_eq!(payload, b"online");
                    self.n_births += 1;
                }
                Change::Ask { topic, payload, .. } => self.asked.push((topic.clone(), payload.clone())),
                Change::Rejected { reason, .. } => self.rejected.push(reason.clone()),
                Change::Entity(entity, _) => self.stored.entry(entity.id.clone()).or_default().0 = Some((**entity).clone()),
                Change::Reading(reading) => self.stored.entry(reading.entity.clone()).or_default().1 = Some(reading.clone()),
                Change::Gone(id) => self.stored.entry(id.clone()).or_default().0 = None,
                _ => {}
            }
        }
        self.out = out;
    }

    /// A server that starts again with what this one stored, and has heard nothing yet.
    pub fn restarted(&self) -> Self {
        let mut next = Self::new();
        next.now = self.now + 60_000;
        let devices = self.fleet.devices().into_iter().cloned().collect();
        let stored = self.stored.values().filter(|(entity, _)| entity.is_some());
        let (entities, last): (Vec<_>, Vec<_>) = stored.cloned().unzip();
        next.stored.clone_from(&self.stored);
        next.fleet.restore(devices, entities.into_iter().flatten().collect(), last.into_iter().flatten().collect(), vec![]);
        next
    }

    /// A device publishes now.
    pub fn says(&mut self, topic: &str, payload: impl AsRef<[u8]>) {
        self.deliver(topic, payload.as_ref(), false);
    }

    /// The broker replays what it holds.
    pub fn holds(&mut self, topic: &str, payload: impl AsRef<[u8]>) {
        self.deliver(topic, payload.as_ref(), true);
    }

    fn deliver(&mut self, topic: &str, payload: &[u8], retained: bool) {
        self.feed(Input::Message(Message { link: "main".into(), topic: topic.into(), payload: payload.into(), qos: 1, retained }));
    }

    pub fn wait(&mut self, ms: i64) {
        self.now += ms;
        self.feed(Input::Tick);
    }

    /// Messages in turn, each with what it is to come to.
    #[track_caller]
    pub fn table(&mut self, rows: &[(&str, &str, Expected<'_>)]) {
        for (topic, payload, expected) in rows {
            self.says(topic, payload);
            self.expect(expected, &format!("{topic} {payload}"));
        }
    }

    #[track_caller]
    pub fn expect(&self, expected: Expected<'_>, after: &str) {
        for (id, value) in expected {
            assert_eq!(self.value(id), *value, "{id} after {after}\nknown: {:#?}\nrejected: {:?}", self.lines(), self.rejected);
        }
    }

    /// The JSON of an entity's value; empty for none yet, `gone` for no entity.
    pub fn value(&self, id: &str) -> String {
        match self.fleet.entity(&entity_id(id)) {
            Some(view) => view.v.map(|v| serde_json::to_string(&v).expect("a value is JSON")).unwrap_or_default(),
            None => "gone".to_owned(),
        }
    }

    #[track_caller]
    pub fn entity(&self, id: &str) -> EntityView {
        self.fleet.entity(&entity_id(id)).unwrap_or_else(|| unknown(id, &self.lines()))
    }

    #[track_caller]
    pub fn quality(&self, id: &str) -> String {
        serde_json::to_value(self.entity(id).q).expect("JSON").as_str().expect("a word").to_owned()
    }

    #[track_caller]
    pub fn device(&self, id: &str) -> &Device {
        let id = DeviceId::parse(id).expect("an id");
        self.fleet.device(&id).unwrap_or_else(|| unknown(id.as_str(), &self.lines()))
    }

    /// All entities in a line each: `id | name | kind | unit`, hidden ones with a trailing `| hidden`.
    pub fn lines(&self) -> Vec<String> {
        let mut lines: Vec<String> = self
            .fleet
            .entities()
            .into_iter()
            .map(|view| {
                let kind = view.kind.as_str();
                let unit = view.unit.as_deref().unwrap_or("-");
                format!("{} | {} | {kind} | {unit}{}", view.id, view.name, if view.hidden { " | hidden" } else { "" })
            })
            .collect();
        lines.sort();
        lines
    }

    /// Asks an entity for something, as JSON: `{"action":"turn_on"}`. The messages that go out, with text payloads, and the first states.
    #[track_caller]
    pub fn ask(&mut self, id: &str, action: &str) -> (Vec<(String, String)>, Vec<CommandState>) {
        let action: Action = serde_json::from_str(action).expect("an action");
        // Past the pause between two commands.
        self.now += 200;
        self.n_commands += 1;
        self.feed(Input::Command { id: format!("c{}", self.n_commands), entity: entity_id(id), action });
        let sent = self.out.iter().filter_map(|change| match change {
            Change::Publish(publish) => Some((publish.topic.clone(), String::from_utf8_lossy(&publish.payload).into_owned())),
            _ => None,
        });
        (sent.collect(), self.states())
    }

    /// The states of commands that followed from the last input.
    pub fn states(&self) -> Vec<CommandState> {
        self.out.iter().filter_map(|change| if let Change::Command(report) = change { Some(report.state) } else { None }).collect()
    }

    /// Why the last command that ended in the last input did.
    pub fn reason(&self) -> String {
        let mut reasons = self.out.iter().rev().filter_map(|change| if let Change::Command(report) = change { report.reason.clone() } else { None });
        reasons.next().unwrap_or_default()
    }

    /// The broker acknowledges the last command.
    pub fn acknowledge(&mut self) {
        self.feed(Input::CommandAccepted { id: format!("c{}", self.n_commands) });
    }
}

pub fn entity_id(id: &str) -> EntityId {
    EntityId::parse(id).expect("an id")
}

#[expect(clippy::panic, reason = "a test says what is not there")]
#[track_caller]
fn unknown<T>(id: &str, lines: &[String]) -> T {
    panic!("{id} is not known: {lines:#?}")
}
