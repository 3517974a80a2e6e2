//! What reads messages, and what must be true of it.

use std::collections::HashSet;

use domain::change::Change;
use domain::convention::payload::{
    MAX_DEPTH, MAX_TEXT_CHARS, MAX_VALUES, availability_word, complaint, decode, decode_light, decode_state, decode_switch,
};
use domain::convention::{Role, plain};
use domain::device::{DeviceId, is_bidi_control};
use domain::entity::{EntityId, EntityKind};
use domain::fleet::{Fleet, MAX_AHEAD_MS, Settings};
use domain::input::{Input, Message};
use domain::live::{EntityView, LinkState};
use domain::time::Timestamp;
use domain::topic::{MAX_TOPIC_BYTES, TopicFilter, check_topic};
use domain::value::Value;

/// A moment of this century.
const BEGIN: i64 = 1_781_273_006_000;

/// A payload, read in every way there is.
pub fn read_payload(payload: &[u8]) {
    if let Ok(decoded) = decode(payload) {
        let mut leaves = HashSet::new();
        for sample in &decoded.samples {
            check_value(&sample.value);
            assert!(sample.unit.as_ref().is_none_or(|unit| unit.chars().count() <= 12), "a unit is short");
            assert!(sample.leaf.chars().count() <= MAX_DEPTH * 65, "a leaf is bounded");
            check_text(&sample.leaf);
            leaves.insert(&sample.leaf);
        }
        assert!(leaves.len() <= MAX_VALUES, "a message names at most {MAX_VALUES} values");
        decoded.bad.iter().for_each(|bad| check_reason(&bad.error.to_string()));
    }
    for decoded in [decode_light(payload), decode_switch(payload)] {
        match decoded {
            Ok(Some(value)) => {
                let json = serde_json::to_vec(&value).expect("a state is JSON");
                let again = if matches!(value, Value::Light(_)) { decode_light(&json) } else { decode_switch(&json) };
                assert_eq!(again, Ok(Some(value)), "what is written reads back");
            }
            Ok(None) => {}
            Err(error) => check_reason(&error.to_string()),
        }
    }
    for kind in [EntityKind::Number, EntityKind::Select, EntityKind::Cover, EntityKind::Climate] {
        match decode_state(kind, payload, None) {
            Ok(state) => state.iter().for_each(check_value),
            Err(error) => check_reason(&error.to_string()),
        }
    }
    assert!(complaint(payload).is_none_or(|words| words.chars().count() <= 80), "a complaint is short");
    let _: Option<bool> = availability_word(payload);
}

/// A topic, as a topic, as a filter, and by what it is about.
pub fn read_topic(topic: &str, payload: &[u8]) {
    if let Ok(filter) = TopicFilter::parse(topic) {
        let is_plain = check_topic(topic).is_ok();
        assert!(filter.as_str().len() <= MAX_TOPIC_BYTES);
        assert!(!is_plain || filter.matches(topic), "a filter without wildcards matches itself");
    }
    match plain::discover(topic, payload) {
        Role::Readings { device, .. } | Role::State { device, .. } | Role::Command { device, .. } | Role::Availability { device, .. } => {
            let id = DeviceId::slug(&device);
            assert_eq!(DeviceId::parse(id.as_str()), Ok(id), "a device gets an id");
        }
        Role::Nothing => {}
    }
}

/// A fleet that hears messages.
pub struct Plant {
    fleet: Fleet,
    now: i64,
    known: HashSet<EntityId>,
}

impl Plant {
    pub fn new() -> Self {
        let mut plant = Self { fleet: Fleet::new(Settings::default()), now: BEGIN, known: HashSet::new() };
        plant.apply(Input::Link { broker: "main".into(), state: LinkState::Up });
        plant
    }

    /// A message, some time after the one before.
    pub fn hear(&mut self, topic: &str, payload: &[u8], retained: bool, pause_ms: i64) {
        self.now += pause_ms;
        self.apply(Input::Tick);
        let before = self.known.len();
        let out = self.apply(Input::Message(Message { link: "main".into(), topic: topic.into(), payload: payload.into(), qos: 1, retained }));
        let n = |wanted: fn(&Change) -> bool| out.iter().filter(|change| wanted(change)).count();
        assert_eq!(n(|change| matches!(change, Change::Message { .. })), 1, "a message is told once");
        assert!(n(|change| matches!(change, Change::Rejected { .. })) <= 1, "a message is rejected once");
        for change in &out {
            self.check(change);
        }
        assert!(self.known.len() <= before + MAX_VALUES, "a message makes at most {MAX_VALUES} entities");
    }

    /// Everything that it knows by now.
    pub fn check_all(&self) {
        let views = self.fleet.entities();
        views.iter().for_each(check_view);
        let ids: HashSet<&EntityId> = views.iter().map(|view| &view.id).collect();
        assert_eq!((ids.len(), views.len()), (self.known.len(), self.known.len()), "no two entities have one id, and each was told");
    }

    fn apply(&mut self, input: Input) -> Vec<Change> {
        let mut out = vec![];
        self.fleet.apply(input, Timestamp::from_ms(self.now), &mut out);
        out
    }

    fn check(&mut self, change: &Change) {
        match change {
            Change::Entity(entity, view) => {
                self.known.insert(entity.id.clone());
                check_view(view);
            }
            Change::Gone(entity) => assert!(self.known.remove(entity), "what is gone was there"),
            Change::Reading(reading) => {
                check_value(&reading.value);
                assert!(self.known.contains(&reading.entity), "a reading has an entity");
                assert!(reading.taken_at.as_ms() <= self.now + MAX_AHEAD_MS, "no reading is in the future");
            }
            Change::Shown(shown) => shown.v.iter().for_each(check_value),
            Change::Rejected { reason, .. } => check_reason(reason),
            Change::Device(device) => assert!(DeviceId::parse(device.id.as_str()).is_ok(), "a device has an id"),
            _ => {}
        }
    }
}

fn check_view(view: &EntityView) {
    assert!(EntityId::parse(view.id.as_str()).is_ok(), "an entity has an id");
    view.v.iter().for_each(check_value);
    check_text(&view.name);
    assert!(view.name.chars().count() <= 100, "a name is short");
}

fn check_value(value: &Value) {
    match value {
        Value::Number(n) => assert!(n.is_finite(), "a number is finite"),
        Value::Text(text) => {
            assert!(text.chars().count() <= MAX_TEXT_CHARS, "a text is bounded");
            check_text(text);
        }
        Value::Light(light) => assert!(light.brightness.is_none_or(|brightness| brightness <= 100), "brightness is in per cent"),
        Value::Cover(cover) => assert!(cover.position.is_none_or(|position| position <= 100), "a position is in per cent"),
        Value::Climate(climate) => {
            assert!([climate.temperature, climate.current_temperature].into_iter().flatten().all(f64::is_finite), "temperatures are numbers");
        }
        Value::Bool(_) => {}
    }
    let json = serde_json::to_string(value).expect("a value is JSON");
    match (serde_json::from_str::<Value>(&json).expect("what is written reads back"), value) {
        // Of numbers with more than fifteen digits the reader may miss the last bit.
        (Value::Number(again), Value::Number(n)) => assert!((again - n).abs() <= n.abs() * 1e-15, "{n} reads back"),
        // So with the temperatures of a climate.
        (Value::Climate(_), Value::Climate(_)) => {}
        (again, value) => assert_eq!(again, *value, "what is written reads back"),
    }
}

fn check_reason(reason: &str) {
    assert!(reason.chars().count() <= 2_500, "a reason is bounded");
    check_text(reason);
}

fn check_text(text: &str) {
    assert!(!text.chars().any(|c| c.is_control() || is_bidi_control(c)), "a text is harmless");
}
