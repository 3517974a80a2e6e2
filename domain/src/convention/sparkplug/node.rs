//! One edge node with its devices: its session, and what its messages say.

use std::collections::HashMap;

use super::decode::{Properties, keep, taken_at, value};
use super::discover::{BD_SEQ, Known, Metrics, Who, birth};
use super::message::{Metric, MetricValue, Payload, read};
use super::sequence::{Early, Gap, Sequence, Turn};
use super::topic::{Topic, What, parse};
use crate::convention::Heard;
use crate::convention::found::{Finding, Keep};
use crate::convention::payload::shown;
use crate::time::{SECOND_MS, Timestamp};

/// Devices and metrics remembered of all nodes of a broker.
const MOST_KNOWN: usize = 60_000;
/// A device that is not born again so long after its node is not there any more.
const DEVICES_FOLLOW_MS: i64 = 10 * SECOND_MS;

/// What the nodes of a broker have together.
#[derive(Debug, Default)]
pub(super) struct Room {
    n_known: usize,
}

impl Room {
    /// Makes room for so many in place of others; whether there is.
    fn take(&mut self, n: usize, before: usize) -> bool {
        let after = self.n_known.saturating_sub(before) + n;
        if after > MOST_KNOWN {
            return false;
        }
        self.n_known = after;
        true
    }

    /// So many are not there any more.
    pub(super) fn give_back(&mut self, n: usize) {
        self.n_known = self.n_known.saturating_sub(n);
    }
}

/// A device of a node.
#[derive(Debug, Default)]
struct Device {
    /// Its birth came after that of its node.
    is_born: bool,
    /// As it was told.
    is_online: bool,
    metrics: Metrics,
}

/// One edge node.
#[derive(Debug, Default)]
pub(super) struct Node {
    /// It was born and did not die since.
    pub(super) is_alive: bool,
    /// The broker was away, and it has not spoken since: it may have died meanwhile.
    pub(super) is_doubted: bool,
    bd_seq: Option<u64>,
    born_at: Option<Timestamp>,
    metrics: Metrics,
    devices: HashMap<String, Device>,
    sequence: Sequence,
}

/// What is to follow from a message besides what it says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Then {
    /// Nothing.
    Nothing,
    /// It cannot be understood without a birth.
    Rebirth,
}

impl Node {
    /// What it takes up of what all have together.
    pub(super) fn n_known(&self) -> usize {
        1 + self.metrics.len() + self.devices.values().map(|device| 1 + device.metrics.len()).sum::<usize>()
    }

    /// The node is born: for the first time, again after a death, or because somebody asked. Whether there was room for it.
    pub(super) fn bear(&mut self, who: Who<'_>, payload: &Payload, room: &mut Room, now: Timestamp, out: &mut Vec<Finding>) -> bool {
        let bd_seq = payload.metrics.iter().find_map(session);
        let is_same = self.is_alive && self.bd_seq == bd_seq;
        if is_same {
            // Nothing came between: what waited for a message that is lost is as true as ever.
            for early in self.sequence.before(payload.timestamp) {
                self.catch_up(who, &early, room, out);
            }
        }
        let (found, metrics) = birth(who, payload, out);
        let before = if self.born_at.is_none() { 0 } else { 1 + self.metrics.len() };
        if !room.take(1 + metrics.len(), before) {
            out.push(Finding::Trouble(format!("{} and its metrics are too many to remember", shown(&found.device))));
            return false;
        }
        self.sequence.begin(seq(payload), payload.timestamp, now);
        (self.is_alive, self.bd_seq, self.born_at, self.metrics) = (true, bd_seq, Some(now), metrics);
        self.is_doubted = false;
        let identity = found.device.clone();
        out.push(Finding::Device(Box::new(found)));
        out.push(Finding::Presence { device: identity.clone(), online: true });
        for (name, device) in &mut self.devices {
            device.is_born = false;
            // Of another session they are there once they say so themselves.
            if !is_same {
                device.say(Who { device: Some(name), ..who }, false, out);
            }
        }
        say(&self.metrics, &identity, payload, out);
        true
    }

    /// The node, or the broker for it, says that it is not there. A death of a session that is over is none.
    pub(super) fn die(&mut self, who: Who<'_>, payload: &Payload, out: &mut Vec<Finding>) {
        let bd_seq = payload.metrics.iter().find_map(session);
        if bd_seq.zip(self.bd_seq).is_some_and(|(of, ours)| of != ours) {
            return;
        }
        self.is_alive = false;
        // What came early is of the session that is over.
        self.sequence = Sequence::default();
        out.push(Finding::Presence { device: who.identity(), online: false });
        for (name, device) in &mut self.devices {
            device.is_born = false;
            device.say(Who { device: Some(name), ..who }, false, out);
        }
    }

    /// A message that has its turn among all of the node.
    pub(super) fn hear(
        &mut self,
        (who, what): (Who<'_>, What),
        payload: &Payload,
        room: &mut Room,
        heard: &Heard<'_>,
        out: &mut Vec<Finding>,
    ) -> Then {
        let number = seq(payload);
        match (self.sequence.turn(number, payload.timestamp), number) {
            (Turn::Old, _) => Then::Nothing,
            (Turn::Early, Some(number)) => {
                let early = Early { topic: heard.topic.to_owned(), payload: heard.payload.to_vec(), sent_at: payload.timestamp };
                if self.sequence.keep(number, early, heard.now) == Gap::Wait { Then::Nothing } else { Then::Rebirth }
            }
            _ => {
                self.believe(who, out);
                let then = self.apply(who, what, payload, room, out);
                self.go_on(who, room, out).or(then)
            }
        }
    }

    /// Messages whose turn it is now that the gap before them is closed.
    pub(super) fn go_on(&mut self, who: Who<'_>, room: &mut Room, out: &mut Vec<Finding>) -> Then {
        let mut then = Then::Nothing;
        while let Some(early) = self.sequence.next_early() {
            then = self.catch_up(who, &early, room, out).or(then);
        }
        then
    }

    /// Time has passed.
    pub(super) fn tick(&mut self, who: Who<'_>, room: &mut Room, now: Timestamp, out: &mut Vec<Finding>) -> Then {
        if self.born_at.is_some_and(|at| now.since_ms(at) >= DEVICES_FOLLOW_MS) {
            for (name, device) in self.devices.iter_mut().filter(|(_, device)| device.is_online && !device.is_born) {
                device.say(Who { device: Some(name), ..who }, false, out);
            }
        }
        match self.sequence.gap(now) {
            Gap::Wait => Then::Nothing,
            Gap::Ask => Then::Rebirth,
            Gap::GiveUp => {
                out.push(Finding::Trouble(format!("{}: messages are missing, and no birth came in place of them", shown(&who.identity()))));
                self.believe(who, out);
                for early in self.sequence.give_up() {
                    self.catch_up(who, &early, room, out);
                }
                Then::Nothing
            }
        }
    }

    /// The broker was away: a death in that time nobody heard of. Whether there is anything to doubt.
    pub(super) fn doubt(&mut self, who: Who<'_>, out: &mut Vec<Finding>) -> bool {
        self.sequence.doubt();
        if !self.is_alive {
            return false;
        }
        self.is_doubted = true;
        out.push(Finding::Doubt { device: who.identity() });
        let online = self.devices.iter().filter(|(_, device)| device.is_online);
        out.extend(online.map(|(name, _)| Finding::Doubt { device: Who { device: Some(name), ..who }.identity() }));
        true
    }

    /// It speaks, and nothing was missed: it is there, and so are its devices.
    fn believe(&mut self, who: Who<'_>, out: &mut Vec<Finding>) {
        if !std::mem::take(&mut self.is_doubted) {
            return;
        }
        out.push(Finding::Presence { device: Who { device: None, ..who }.identity(), online: true });
        for (name, device) in self.devices.iter_mut().filter(|(_, device)| device.is_online) {
            device.say(Who { device: Some(name), ..who }, true, out);
        }
    }

    fn catch_up(&mut self, who: Who<'_>, early: &Early, room: &mut Room, out: &mut Vec<Finding>) -> Then {
        match (parse(&early.topic), read::<Payload>(&early.payload)) {
            (Some(Topic::Said { what, device, .. }), Ok(payload)) => self.apply(Who { device, ..who }, what, &payload, room, out),
            _ => Then::Nothing,
        }
    }

    fn apply(&mut self, who: Who<'_>, what: What, payload: &Payload, room: &mut Room, out: &mut Vec<Finding>) -> Then {
        let is_complete = match (who.device, what) {
            (Some(name), What::Birth) => self.bear_device(who, name, payload, room, out),
            (Some(name), What::Death) => {
                if let Some(device) = self.devices.get_mut(name) {
                    device.is_born = false;
                    device.say(who, false, out);
                }
                true
            }
            (Some(name), What::Data) => match self.devices.get(name) {
                Some(device) if device.is_born => say(&device.metrics, &who.identity(), payload, out),
                _ => false,
            },
            (None, What::Data) => say(&self.metrics, &who.identity(), payload, out),
            // They have no turn.
            (None, What::Birth | What::Death) => true,
        };
        if is_complete { Then::Nothing } else { Then::Rebirth }
    }

    fn bear_device(&mut self, who: Who<'_>, name: &str, payload: &Payload, room: &mut Room, out: &mut Vec<Finding>) -> bool {
        let (found, metrics) = birth(who, payload, out);
        let before = self.devices.get(name).map_or(0, |device| 1 + device.metrics.len());
        if !room.take(1 + metrics.len(), before) {
            out.push(Finding::Trouble(format!("{} and its metrics are too many to remember", shown(&found.device))));
            return true;
        }
        let identity = found.device.clone();
        out.push(Finding::Device(Box::new(found)));
        out.push(Finding::Presence { device: identity.clone(), online: true });
        say(&metrics, &identity, payload, out);
        self.devices.insert(name.to_owned(), Device { is_born: true, is_online: true, metrics });
        true
    }
}

impl Then {
    fn or(self, other: Self) -> Self {
        if self == Self::Nothing { other } else { self }
    }
}

impl Device {
    fn say(&mut self, who: Who<'_>, online: bool, out: &mut Vec<Finding>) {
        self.is_online = online;
        out.push(Finding::Presence { device: who.identity(), online });
    }
}

/// The number of a message. One that can be none says nothing of an order.
fn seq(payload: &Payload) -> Option<u8> {
    payload.seq.and_then(|seq| u8::try_from(seq).ok())
}

/// The number of a session.
fn session(metric: &Metric) -> Option<u64> {
    match &metric.value {
        Some(MetricValue::Long(n)) if metric.name.as_deref() == Some(BD_SEQ) => Some(*n),
        Some(MetricValue::Int(n)) if metric.name.as_deref() == Some(BD_SEQ) => Some(u64::from(*n)),
        _ => None,
    }
}

/// The values of a message; whether each metric was one that is known.
fn say(metrics: &Metrics, identity: &str, payload: &Payload, out: &mut Vec<Finding>) -> bool {
    let mut is_complete = true;
    for metric in &payload.metrics {
        let Some((name, known)) = metrics.find(metric) else {
            is_complete &= metric.name.as_deref() == Some(BD_SEQ);
            continue;
        };
        if known.is_shown {
            out.extend(reading(identity, name, known, metric, payload.timestamp));
        }
    }
    is_complete
}

fn reading(identity: &str, name: &str, known: Known, metric: &Metric, sent_at: Option<u64>) -> Option<Finding> {
    let keep = keep(metric);
    let distrust = Properties::of(metric).distrust();
    let value = match distrust {
        Some(distrust) => Err(distrust.to_owned()),
        None => value(known.datatype, metric),
    };
    let value = value.map_err(|reason| format!("{}: {reason}", shown(name)));
    match (value, keep) {
        // What was bad some time ago says nothing of what is shown.
        (Err(reason), Keep::HistoryOnly) => Some(Finding::Trouble(reason)),
        (value, keep) => {
            let (device, key) = (identity.to_owned(), name.to_owned());
            Some(Finding::Reading { device, key, value, taken_at: taken_at(metric, sent_at), keep })
        }
    }
}
