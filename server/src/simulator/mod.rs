//! The simulated devices of the demo: real MQTT clients that publish to any broker and obey commands.
//!
//! A scene is data (one file each). From it follow what a device publishes ([`behavior`]), how the server shows it ([`demo`]) and what it would
//! have published in the past ([`models`]). The devices of [`conventions`] speak as those of other products do. All are a [`Player`]; the only part
//! that touches the network is the client.

use std::sync::Arc;

use crate::tasks::Tasks;

/// Believable curves.
pub mod curve;
/// What simulated devices are.
pub mod device;
/// What they write and understand.
pub mod payload;

/// The generated past.
pub mod past;

/// What they do next.
pub mod behavior;
mod client;
/// Devices that speak the conventions of other products.
pub mod conventions;
/// What every simulated device is to its connection.
pub mod player;

/// Names, areas and alarm rules of the demo.
pub mod demo;

mod greenhouse;
mod home;
mod pump_house;
mod van;

pub use curve::Model;
pub use demo::{DemoEntity, demo_areas, demo_entities, demo_rules, models};
pub use device::{Device, Scene};
pub use player::Player;

/// The broker that the devices talk to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SimTarget {
    /// Host name or address.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// User name and password.
    pub credentials: Option<(String, String)>,
}

/// All scenes, in the order of the page.
#[must_use]
pub fn scenes() -> Vec<Scene> {
    vec![home::scene(), greenhouse::scene(), pump_house::scene(), van::scene()]
}

/// What `simulate --scene` knows: the scenes of the demo, the devices of the conventions, and all of them together.
pub const SCENES: [&str; 6] = ["home", "greenhouse", "pump-house", "van", CONVENTIONS, ALL];
const CONVENTIONS: &str = "conventions";
const ALL: &str = "all";

/// The devices of these of the [`SCENES`], each once; without a name those of the demo. Names that are none of them stand for nothing.
#[must_use]
pub fn players(names: &[String]) -> Vec<Box<dyn Player>> {
    let wanted = |name: &str| names.iter().any(|n| n == name || n == ALL);
    let scenes = scenes().into_iter().filter(|scene| names.is_empty() || wanted(scene.name));
    let mut players = at_work(scenes);
    if wanted(CONVENTIONS) {
        players.extend(conventions::players());
    }
    players
}

fn at_work(scenes: impl Iterator<Item = Scene>) -> Vec<Box<dyn Player>> {
    scenes.flat_map(|scene| scene.devices).map(|device| -> Box<dyn Player> { Box::new(behavior::Behavior::new(device, fastrand::u64(..))) }).collect()
}

/// The device with this id.
#[must_use]
pub fn find_device(scenes: Vec<Scene>, id: &str) -> Option<Device> {
    scenes.into_iter().flat_map(|scene| scene.devices).find(|device| device.id == id)
}

/// Starts every device of the scenes on `tasks`: [`play`].
pub fn run(target: SimTarget, scenes: Vec<Scene>, tasks: &Tasks) {
    play(target, at_work(scenes.into_iter()), tasks);
}

/// Starts every device on `tasks`, each with a connection of its own, and returns at once. Devices find a broker that comes late or goes away by
/// themselves; they say what their last will says when the tasks are told to stop, and end within two seconds.
pub fn play(target: SimTarget, players: Vec<Box<dyn Player>>, tasks: &Tasks) {
    let broker = Arc::new(client::Broker::new(target));
    for player in players {
        tasks.spawn(client::play(player, Arc::clone(&broker), tasks.clone()));
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use domain::device::DeviceId;
    use domain::entity::EntityId;
    use domain::time::Timestamp;

    use super::*;

    fn devices() -> impl Iterator<Item = Device> {
        scenes().into_iter().flat_map(|scene| scene.devices)
    }

    /// Letters, digits, `-` and `_` between slashes: nothing that a broker refuses or that a server must escape.
    fn is_plain_topic(topic: &str) -> bool {
        topic.split('/').count() == 3 && topic.split('/').all(|level| DeviceId::parse(level).is_ok())
    }

    #[test]
    fn every_id_is_one_and_stands_once() {
        let mut seen = HashSet::new();
        for device in devices() {
            assert!(DeviceId::parse(device.id).is_ok(), "{}", device.id);
            assert!(seen.insert(device.id.to_owned()), "{} twice", device.id);
            for key in device.sensors.iter().flat_map(|s| &s.measured).map(|m| m.key).chain(device.controls.iter().map(|c| c.kind.key())) {
                let id = EntityId::parse(&format!("{}.{key}", device.id)).expect("an entity id");
                assert!(seen.insert(id.to_string()), "{id} twice");
            }
        }
    }

    #[test]
    fn the_scenes_that_can_be_asked_for_are_those_there_are() {
        let names: Vec<&str> = scenes().iter().map(|scene| scene.name).chain([CONVENTIONS, ALL]).collect();
        assert_eq!(names, SCENES);
        let count = |names: &[&str]| players(&names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>()).len();
        let (demo, conventions) = (devices().count(), count(&["conventions"]));
        assert!(conventions >= 15, "{conventions}");
        assert_eq!((count(&[]), count(&["van", "home", "van"]), count(&["all", "van"])), (demo, 4 + 6, demo + conventions));
    }

    #[test]
    fn every_device_has_a_client_id_of_its_own() {
        let mut seen = HashSet::new();
        for mut player in players(&[ALL.to_owned()]) {
            assert!(player.name().bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b)), "{}", player.name());
            assert!(seen.insert(player.name().to_owned()), "{} twice", player.name());
            let will = player.will();
            assert_eq!((will.topic, will.payload), {
                let bye = player.farewell();
                (bye.topic, bye.payload)
            });
        }
    }

    #[test]
    fn topics_are_plain_topics() {
        for device in devices() {
            let controls = device.controls.iter().flat_map(|c| [c.command_topic(device.id), c.state_topic(device.id)]);
            let topics: Vec<String> = device.sensors.iter().map(|s| s.topic.clone()).chain(controls).chain([device.status_topic()]).collect();
            assert!(topics.iter().all(|topic| is_plain_topic(topic)), "{topics:?}");
            for sensor in &device.sensors {
                assert!(sensor.topic.starts_with("sensors/") || sensor.topic.starts_with("home/"), "{}", sensor.topic);
                assert_eq!(sensor.topic.split('/').nth(1), Some(device.id));
                assert_eq!(sensor.measured.len() > 1, sensor.form == device::Form::Leaves, "{}", sensor.topic);
                // What the server calls the entity: the last level, or the member of the object.
                assert!(sensor.form == device::Form::Leaves || sensor.topic.ends_with(&format!("/{}", sensor.measured[0].key)), "{}", sensor.topic);
            }
        }
    }

    #[test]
    fn every_payload_says_something_at_any_time() {
        for sensor in devices().flat_map(|device| device.sensors) {
            for hour in 0..168 {
                let text = payload::reading(&sensor, Timestamp::from_ms(1_781_200_000_000 + hour * 3_600_000));
                assert!((1..=64).contains(&text.len()), "{}: {text}", sensor.topic);
                assert!(!matches!(text.to_ascii_lowercase().as_str(), "online" | "offline"), "{}: {text} is a word of availability", sensor.topic);
            }
        }
    }

    #[test]
    fn each_sensor_speaks_every_one_to_five_seconds_and_all_together_twenty_to_forty_times() {
        let sensors: Vec<_> = devices().flat_map(|device| device.sensors).collect();
        assert!(sensors.iter().all(|s| (1_000..=5_000).contains(&s.every_ms)));
        let per_second: f64 = sensors.iter().map(|s| 1_000.0 / s.every_ms as f64).sum();
        assert!((20.0..=40.0).contains(&per_second), "{per_second} messages a second");
    }
}
