//! The states of Homie devices, and who is there: a device is when it says so, and all are that it is reached through.

use std::collections::BTreeSet;

use super::{Description, Homie};
use crate::convention::found::Finding;

/// What a device, or its last will, says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// It is still saying what it is.
    Init,
    /// It is there.
    Ready,
    /// It is there and sleeps: it will do what it is asked once it wakes.
    Sleeping,
    /// It is there, and something is wrong. Up to version 4.
    Alert,
    /// It left.
    Disconnected,
    /// It was cut off.
    Lost,
}

impl State {
    /// As it is written.
    pub(super) fn parse(word: &str) -> Option<Self> {
        Some(match word {
            "init" => Self::Init,
            "ready" => Self::Ready,
            "sleeping" => Self::Sleeping,
            "alert" => Self::Alert,
            "disconnected" => Self::Disconnected,
            "lost" => Self::Lost,
            _ => return None,
        })
    }

    /// Whether it is there.
    pub(super) const fn is_there(self) -> bool {
        !matches!(self, Self::Disconnected | Self::Lost)
    }
}

impl Homie {
    /// A device says how it stands, which those below it feel.
    pub(super) fn set_state(&mut self, prefix: &str, state: Option<State>, out: &mut Vec<Finding>) {
        let Some(device) = self.devices.get_mut(prefix) else { return };
        let was_there = device.state.is_none_or(State::is_there);
        device.state = state;
        let is_there = state.is_none_or(State::is_there);
        self.tell_availability(prefix, out);
        if was_there != is_there {
            self.all_below(prefix).iter().for_each(|of| self.tell_availability(of, out));
        }
    }

    /// The device that one of version 5 names: another under the same root.
    fn above(&self, prefix: &str) -> [Option<String>; 2] {
        let Some(Description::Document(_, said, _)) = self.devices.get(prefix).map(|device| &device.description) else { return [None, None] };
        let Some((beginning, own)) = prefix.rsplit_once('/') else { return [None, None] };
        let of = |id: &Option<String>| id.as_ref().filter(|id| *id != own).map(|id| [beginning, "/", id].concat());
        [of(&said.root), of(&said.parent)]
    }

    /// The devices that one is reached through. A description may point in circles.
    fn way_up(&self, prefix: &str) -> Vec<String> {
        let [root, mut parent] = self.above(prefix);
        let mut way: Vec<String> = root.into_iter().collect();
        while let Some(at) = parent.take().filter(|at| !way.contains(at) && way.len() < 8) {
            [_, parent] = self.above(&at);
            way.push(at);
        }
        way
    }

    /// All that are reached through a device, the nearest first.
    fn all_below(&self, prefix: &str) -> Vec<String> {
        let mut all: Vec<String> = vec![];
        let mut seen: BTreeSet<&str> = BTreeSet::from([prefix]);
        let mut next = vec![prefix];
        while let Some(at) = next.pop() {
            for of in self.below.get(at).into_iter().flatten().filter(|of| seen.insert(of)) {
                all.push(of.clone());
                next.push(of);
            }
        }
        all
    }

    /// Takes up, or gives up, what a device says that it is reached through.
    pub(super) fn hang(&mut self, prefix: &str, is_there: bool) {
        for above in self.above(prefix).into_iter().flatten() {
            let of = self.below.entry(above.clone()).or_default();
            if is_there {
                of.insert(prefix.to_owned());
            } else {
                of.remove(prefix);
            }
            if of.is_empty() {
                self.below.remove(&above);
            }
        }
    }

    /// A device is there when it says so, and all are that it is reached through.
    pub(super) fn tell_availability(&self, prefix: &str, out: &mut Vec<Finding>) {
        let Some(state) = self.devices.get(prefix).and_then(|device| device.state) else { return };
        let is_cut = self.way_up(prefix).iter().any(|of| self.devices.get(of).and_then(|device| device.state).is_some_and(|state| !state.is_there()));
        out.push(Finding::Presence { device: prefix.to_owned(), online: state.is_there() && !is_cut });
    }
}
