//! The simulated devices of the demo: real MQTT clients that publish to any broker and obey commands.
//!
//! A scene is data (one file each). From it follow what a device publishes ([`behavior`]), how the server shows it ([`demo`]) and what it would
//! have published in the past ([`models`]). The only part that touches the network is the client.

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

/// Names, areas and alarm rules of the demo.
pub mod demo;

mod greenhouse;
mod home;
mod pump_house;
mod van;

pub use curve::Model;
pub use demo::{DemoEntity, demo_areas, demo_entities, demo_rules, models};
pub use device::{Device, Scene};

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

/// The device with this id.
#[must_use]
pub fn find_device(scenes: Vec<Scene>, id: &str) -> Option<Device> {
    scenes.into_iter().flat_map(|scene| scene.devices).find(|device| device.id == id)
}

/// Starts every device of the scenes on `tasks`, each with a connection of its own, and returns at once. Devices find a broker that comes late
/// or goes away by themselves; they say `offline` when the tasks are told to stop, and end within two seconds.
pub fn run(target: SimTarget, scenes: Vec<Scene>, tasks: &Tasks) {
    let broker = Arc::new(client::Broker::new(target));
    for device in scenes.into_iter().flat_map(|scene| scene.devices) {
        let behavior = behavior::Behavior::new(device, fastrand::u64(..));
        tasks.spawn(client::play(behavior, Arc::clone(&broker), tasks.clone()));
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
