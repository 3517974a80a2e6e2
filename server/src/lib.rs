//! The Signalbox server: MQTT in, history on disk, pages and live values out.

/// The command line.
pub mod cli;
/// What can be set, and by whom.
pub mod config;
/// The log.
pub mod telemetry;

/// MQTT: links and the embedded broker.
pub mod mqtt;
/// The simulated devices of the demo.
pub mod simulator;
/// What survives a restart.
pub mod store;
/// Tasks with an owner.
pub mod tasks;
