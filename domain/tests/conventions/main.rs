//! Conventions through the fleet: tables of real messages, with what becomes of them. One file a convention.

mod attributes;
mod rig;

mod esphome;
mod homeassistant;
mod homie;
mod shelly;
mod sparkplug;
mod tasmota;
mod together;
mod zigbee2mqtt;
