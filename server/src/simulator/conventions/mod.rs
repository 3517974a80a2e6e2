//! Devices that speak as those of other products do, one file or folder a convention: each a real MQTT client with a last will.
//!
//! What they say is written here by hand from the documents of the conventions, and not with what the server reads it by.

use super::player::Player;
use actor::{Actor, Speech};

mod actor;
mod esphome;
mod homeassistant;
mod homie;
mod parts;
mod plain;
mod shelly;
mod sparkplug;
mod tasmota;
mod zigbee2mqtt;

/// Every device of every convention, just switched on.
pub(super) fn players() -> Vec<Box<dyn Player>> {
    vec![
        at_work(homeassistant::weather::Weather::new()),
        at_work(homeassistant::lights::Dimmer::new()),
        at_work(homeassistant::lights::Strip::new()),
        at_work(homeassistant::blind::Blind::new()),
        at_work(homeassistant::heating::Heating::new()),
        at_work(zigbee2mqtt::Bridge::new()),
        at_work(tasmota::Tasmota::relay()),
        at_work(tasmota::Tasmota::light()),
        at_work(tasmota::Tasmota::plug()),
        at_work(shelly::plug::plug()),
        at_work(shelly::cover::cover()),
        at_work(shelly::gen1::Relay::new()),
        at_work(esphome::Node::new()),
        at_work(homie::v4::Ventilation::new()),
        at_work(homie::v5::HeatPump::new()),
        at_work(sparkplug::EdgeNode::new()),
        at_work(plain::Porch::new()),
        at_work(plain::PorchMotion::new()),
    ]
}

fn at_work(speech: impl Speech + 'static) -> Box<dyn Player> {
    Box::new(Actor::new(speech, fastrand::u64(..)))
}
