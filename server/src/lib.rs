//! The Signalbox server: MQTT in, history on disk, pages and live values out.

/// HTTP: the only place that knows axum.
pub mod http;
/// MQTT: links and the embedded broker.
pub mod mqtt;
/// What survives a restart.
pub mod store;
/// Tasks with an owner.
pub mod tasks;
