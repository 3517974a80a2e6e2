//! The Signalbox server: MQTT in, history on disk, pages and live values out.

/// The one place that reads the clock.
pub mod clock;
/// MQTT: links and the embedded broker.
pub mod mqtt;
/// Between ingest and the store.
pub mod recorder;
/// What survives a restart.
pub mod store;
/// Tasks with an owner.
pub mod tasks;
