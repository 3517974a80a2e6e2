//! Groups: each is commanded and heard like a device, and is what its members are.

use serde_json::Value as Json;

use super::discover::{Main, check_name};
use super::exposes::{Maker, presence};
use super::specific::{light_of, switch_of};
use super::{Base, read_list, text};
use crate::convention::Heard;
use crate::convention::found::{Finding, FoundDevice};
use crate::convention::payload::shown;
use crate::device::About;

/// Groups of one bridge.
const MOST_GROUPS: usize = 1_000;
/// Members of one group that are remembered.
const MOST_MEMBERS: usize = 500;

/// A group.
#[derive(Debug, Default)]
pub(super) struct Group {
    pub(super) name: String,
    /// Addresses of its members.
    members: Vec<String>,
    /// What was found of it last.
    main: Option<Main>,
}

impl Base {
    /// Takes the bridge's list of groups: those that it does not name any more are gone.
    pub(super) fn take_groups(&mut self, base: &str, heard: &Heard<'_>, out: &mut Vec<Finding>) {
        let Some(list) = read_list(heard, out) else { return };
        let mut before = std::mem::take(&mut self.groups);
        if list.len() > MOST_GROUPS {
            out.push(Finding::Trouble(format!("\"{}\" lists {} groups: only {MOST_GROUPS} are taken", shown(heard.topic), list.len())));
        }
        for one in list.iter().take(MOST_GROUPS) {
            let Some(id) = one.get("id").and_then(Json::as_u64) else {
                out.push(Finding::Trouble(format!("\"{}\" lists a group without a number", shown(heard.topic))));
                continue;
            };
            let id = group_id(base, id);
            let known = before.remove(&id);
            let name = one.get("friendly_name").and_then(Json::as_str).unwrap_or_default();
            if let Err(reason) = if name.is_empty() { Err("a group without a name".to_owned()) } else { check_name(base, name) } {
                out.push(Finding::Trouble(reason));
                self.groups.extend(known.map(|known| (id, known)));
                continue;
            }
            let members = one.get("members").and_then(Json::as_array).map(Vec::as_slice).unwrap_or_default();
            let members = members.iter().filter_map(|member| text(member, "ieee_address")).take(MOST_MEMBERS).map(str::to_owned).collect();
            self.groups.insert(id, Group { name: name.to_owned(), members, main: known.and_then(|known| known.main) });
        }
        out.extend(before.into_iter().filter(|(_, group)| group.main.is_some()).map(|(device, _)| Finding::DeviceGone { device }));
        self.regroup(base, out);
    }

    /// Finds groups anew: what they are goes by what their members are.
    pub(super) fn find_groups(&mut self, base: &str, out: &mut Vec<Finding>) {
        for (id, group) in &mut self.groups {
            let mains = group.members.iter().filter_map(|member| self.devices.get(member)?.main);
            let main = mains.fold(None, |known, main| match (known, main) {
                (Some(Main::Light(mut looks)), Main::Light(more)) => {
                    looks.brightness |= more.brightness;
                    looks.color_temp |= more.color_temp;
                    looks.color |= more.color;
                    Some(Main::Light(looks))
                }
                (Some(light @ Main::Light(_)), Main::Switch) => Some(light),
                (_, main) => Some(main),
            });
            match main {
                Some(main) => out.push(Finding::Device(Box::new(found(base, id, &group.name, main)))),
                None if group.main.is_some() => out.push(Finding::DeviceGone { device: id.clone() }),
                None => {}
            }
            group.main = main;
        }
    }
}

/// What a group is called here: groups of two bridges have the same numbers.
fn group_id(base: &str, id: u64) -> String {
    format!("{base} group {id}")
}

fn found(base: &str, id: &str, name: &str, main: Main) -> FoundDevice {
    let topic = format!("{base}/{name}");
    let set_topic = format!("{topic}/set");
    let mut maker = Maker::new(id, &topic, &set_topic, presence(base, &topic));
    match main {
        Main::Light(looks) => light_of(&mut maker, looks),
        Main::Switch => switch_of(&mut maker),
    }
    let entities = maker.entities;
    FoundDevice {
        device: id.to_owned(),
        name: name.to_owned(),
        id_hint: name.to_owned(),
        topic_root: topic,
        about: About { model: Some("Group".to_owned()), ..About::default() },
        entities,
        is_whole: true,
        ..FoundDevice::default()
    }
}
