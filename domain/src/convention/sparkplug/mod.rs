//! Sparkplug B (wire.md, section 8): a host application that reads all nodes and commands them, without being anybody's primary host.
//!
//! Births name all that a node or a device has; data name metrics by numbers that only a birth explains. So the convention decodes all of it itself:
//! its entities read no topic.

use std::collections::HashMap;

use super::found::Finding;
use super::{Claim, Heard, Speaker};
use crate::convention::payload::shown;
use crate::time::Timestamp;
use discover::Who;
use message::Payload;
use node::{Node, Room, Then};
use rebirth::Rebirths;
use topic::{Topic, What};

pub(super) use encode::encode;

/// Data types by their numbers.
mod datatype;
/// What a metric says.
mod decode;
/// What a birth says.
mod discover;
/// Commands.
mod encode;
/// The messages themselves.
pub mod message;
/// One edge node with its devices.
mod node;
/// Asking for births.
mod rebirth;
/// The order of messages.
mod sequence;
/// Tables, templates and arrays.
mod structure;
/// What a topic is about.
mod topic;

/// Nodes remembered.
const MOST_NODES: usize = 10_000;

/// What is known of the nodes of one broker that speak it.
#[derive(Debug, Default)]
pub struct Sparkplug {
    /// By group and node.
    nodes: HashMap<(String, String), Node>,
    room: Room,
    rebirths: Rebirths,
}

impl Speaker for Sparkplug {
    fn hear(&mut self, heard: &Heard<'_>, out: &mut Vec<Finding>) -> Claim {
        let (group, node, what, device) = match topic::parse(heard.topic) {
            None => return Claim::No,
            Some(Topic::Other) => return Claim::Ignores,
            Some(Topic::Said { group, node, what, device }) => (group, node, what, device),
        };
        // Nothing of it is ever to be retained: what is, is out of date.
        if heard.retained {
            return Claim::Hears;
        }
        let who = Who { group, node, device };
        match message::read::<Payload>(heard.payload) {
            Ok(payload) => self.said(who, what, &payload, heard, out),
            Err(reason) => out.push(Finding::Trouble(format!("{}: {reason}", shown(&who.identity())))),
        }
        Claim::Hears
    }

    fn tick(&mut self, now: Timestamp, out: &mut Vec<Finding>) {
        for ((group, name), node) in &mut self.nodes {
            let who = Who { group, node: name, device: None };
            if node.tick(who, &mut self.room, now, out) == Then::Rebirth {
                self.rebirths.want(group, name, now, out);
            }
        }
        self.rebirths.tick(now, out);
    }

    fn reconnected(&mut self, _now: Timestamp, out: &mut Vec<Finding>) {
        // Deaths are not retained: who died meanwhile would be there for ever. Nodes that do not speak by themselves are asked to be born again.
        for ((group, name), node) in &mut self.nodes {
            if node.doubt(Who { group, node: name, device: None }, out) {
                self.rebirths.want_soon(group, name);
            }
        }
    }
}

impl Sparkplug {
    fn said(&mut self, who: Who<'_>, what: What, payload: &Payload, heard: &Heard<'_>, out: &mut Vec<Finding>) {
        let name = (who.group.to_owned(), who.node.to_owned());
        if who.device.is_none() && what == What::Birth {
            return self.born(&name, who, payload, heard.now, out);
        }
        let then = match self.nodes.get_mut(&name) {
            Some(node) if who.device.is_none() && what == What::Death => {
                node.die(who, payload, out);
                Then::Nothing
            }
            Some(node) if node.is_alive => {
                let was_doubted = node.is_doubted;
                let then = node.hear((who, what), payload, &mut self.room, heard, out);
                if was_doubted && !node.is_doubted && then == Then::Nothing {
                    self.rebirths.came(who.group, who.node);
                }
                then
            }
            // Who was known to an earlier run of ours may be gone.
            None | Some(_) if what == What::Death => {
                out.push(Finding::Presence { device: who.identity(), online: false });
                Then::Nothing
            }
            None | Some(_) => Then::Rebirth,
        };
        if then == Then::Rebirth {
            self.rebirths.want(who.group, who.node, heard.now, out);
        }
    }

    fn born(&mut self, name: &(String, String), who: Who<'_>, payload: &Payload, now: Timestamp, out: &mut Vec<Finding>) {
        if self.nodes.len() >= MOST_NODES && !self.nodes.contains_key(name) && !self.forget_one() {
            out.push(Finding::Trouble(format!("{MOST_NODES} nodes are known: no room for \"{}\"", shown(&who.identity()))));
            return;
        }
        self.rebirths.came(who.group, who.node);
        let node = self.nodes.entry(name.clone()).or_default();
        if !node.bear(who, payload, &mut self.room, now, out) {
            if !node.is_alive && node.n_known() == 1 {
                self.nodes.remove(name);
            }
            return;
        }
        if node.go_on(who, &mut self.room, out) == Then::Rebirth {
            self.rebirths.want(who.group, who.node, now, out);
        }
    }

    /// Forgets a node that is not there, if there is one.
    fn forget_one(&mut self) -> bool {
        let Some(name) = self.nodes.iter().find(|(_, node)| !node.is_alive).map(|(name, _)| name.clone()) else { return false };
        if let Some(node) = self.nodes.remove(&name) {
            self.room.give_back(node.n_known());
        }
        true
    }
}
