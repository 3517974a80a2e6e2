//! A component of a Gen2+ device as entities.

use serde_json::{Map as Object, Value as Json};

use super::component::{Main, Own, Role, calls_of, fields, main_of, map_of};
use crate::convention::Convention;
use crate::convention::found::FoundEntity;
use crate::convention::speech::{Extract, Form, Map, Part, Presence, Read, Scale, Speech, Write};
use crate::entity::EntityKind;

/// A component that showed itself.
#[derive(Clone, Debug, Default)]
pub(super) struct Component {
    /// Which of its fields were seen: a bit each, in the order of [`fields`].
    pub seen: u32,
    /// Whether it reports events.
    pub has_events: bool,
    /// What its owner calls it.
    pub name: Option<Box<str>>,
}

/// `switch` and 0 of `switch:0`; `sys` has no number. `None` for what is written otherwise.
pub(super) fn split(component: &str) -> Option<(&str, Option<u32>)> {
    let is_word = |kind: &str| !kind.is_empty() && kind.len() <= 24 && kind.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    let (kind, n) = match component.split_once(':') {
        Some((kind, n)) if n.len() <= 4 && n.bytes().all(|b| b.is_ascii_digit()) => (kind, Some(n.parse().ok()?)),
        Some(_) => return None,
        None => (component, None),
    };
    is_word(kind).then_some((kind, n))
}

/// What stands at a place of a component's status.
pub(super) fn at<'a>(status: &'a Json, path: &[&str]) -> Option<&'a Json> {
    path.iter().try_fold(status, |inside, name| inside.get(name))
}

/// Where an entity stands: its device's topics, and its component.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place<'a> {
    /// The beginning of the device's topics.
    pub prefix: &'a str,
    /// `switch:0`.
    pub component: &'a str,
    /// Whether the device says whether it is there in a way that means something.
    pub tells_presence: bool,
}

impl Place<'_> {
    fn speech(&self, key: &str) -> Speech {
        let key = if key.is_empty() { self.component.to_owned() } else { [self.component, "/", key].concat() };
        let mut speech = Speech::new(Convention::Shelly, self.prefix, &key);
        if self.tells_presence {
            speech.presence.push(Presence::words(&[self.prefix, "/online"].concat(), "true", "false"));
        }
        speech
    }

    /// The same field where changes are told, and where the whole status is.
    fn reads(&self, path: &[&str], part: Part, map: &Map) -> [Read; 2] {
        let told: Vec<&str> = ["params", self.component].iter().chain(path).copied().collect();
        [("/events/rpc".to_owned(), told.as_slice()), (["/status/", self.component].concat(), path)].map(|(topic, path)| Read {
            topic: [self.prefix, &topic].concat(),
            part,
            extract: Extract::path(path),
            map: map.clone(),
        })
    }
}

/// All entities of a component so far.
pub(super) fn entities(place: Place<'_>, component: &Component) -> Vec<FoundEntity> {
    let Some((kind, n)) = split(place.component) else { return vec![] };
    let all = fields(kind).unwrap_or_default();
    let seen = || all.iter().enumerate().filter(|(bit, _)| component.seen & (1 << bit) != 0).map(|(_, field)| field);
    let numbered = |text: &str, between: char| match n {
        Some(n @ 1..) => format!("{text}{between}{n}"),
        _ => text.to_owned(),
    };
    let named = |name: &str, is_main: bool| match &component.name {
        Some(of) if is_main => of.to_string(),
        Some(of) => format!("{of} {}", name.to_lowercase()),
        None => numbered(name, ' '),
    };
    let mut found: Vec<FoundEntity> = vec![];
    let mut speech = place.speech("");
    for field in seen() {
        match field.role {
            Role::Part(part) => {
                let Some(main) = main_of(kind) else { continue };
                speech.reads.extend(place.reads(field.path, part, &map_of(main.kind, part)));
                speech.writes.extend(writes(place, main, part, n.unwrap_or(0)));
            }
            Role::Own(own) => {
                let entity = own_entity(place, own, field.path);
                found.push(FoundEntity { id_hint: numbered(own.key, '-'), name: named(own.name, false), ..entity });
            }
        }
    }
    if let Some(main) = main_of(kind).filter(|_| speech.reads.iter().any(|read| read.part == Part::State || read.part == Part::Position)) {
        let mut entity = FoundEntity::new(&named(main.name, true), main.kind, speech);
        entity.id_hint = numbered(main.key, '-');
        entity.class = (!main.class.is_empty()).then(|| main.class.to_owned());
        found.insert(0, entity);
    }
    if component.has_events {
        let mut entity = FoundEntity::new(&named("Event", false), EntityKind::Sensor, place.speech("event"));
        entity.id_hint = numbered("event", '-');
        entity.class = Some("enum".to_owned());
        found.push(entity);
    }
    found
}

fn writes(place: Place<'_>, main: Main, part: Part, id: u32) -> Vec<Write> {
    let mut params = Object::new();
    params.insert("id".to_owned(), id.into());
    let call = |method: String, key: &str, form: Form, part| Write {
        topic: [place.prefix, "/rpc"].concat(),
        part,
        form: Form::Rpc { method, params: params.clone(), key: key.to_owned(), form: Box::new(form) },
        only_alone: false,
    };
    let mut writes: Vec<Write> = calls_of(main, part).into_iter().map(|(method, key, form)| call(method, key, form, part)).collect();
    if main.kind == EntityKind::Light && part == Part::State {
        let seconds = Form::Number { scale: Scale::default(), whole: false };
        writes.push(call([main.namespace, ".Set"].concat(), "transition_duration", seconds, Part::Transition));
    }
    writes
}

fn own_entity(place: Place<'_>, own: Own, path: &[&str]) -> FoundEntity {
    let Own { key, class, unit, factor, is_binary, counts, is_hidden, .. } = own;
    let map = match (is_binary, class.is_empty() && unit.is_empty() && !counts) {
        (true, _) => Map::OnOff { on: true.into(), off: false.into() },
        (_, true) => Map::Auto,
        _ => Map::Number(Scale { factor, offset: 0.0 }),
    };
    let mut speech = place.speech(key);
    speech.reads.extend(place.reads(path, Part::State, &map));
    let kind = if is_binary { EntityKind::BinarySensor } else { EntityKind::Sensor };
    let text = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    FoundEntity { unit: text(unit), class: text(class), counter: counts.then_some(true), is_hidden, ..FoundEntity::new("", kind, speech) }
}
