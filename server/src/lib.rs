//! The Signalbox server: MQTT in, history on disk, pages and live values out.

/// What the commands of the command line do.
pub mod program;
/// The command line.
pub mod cli;
/// What can be set, and by whom.
pub mod config;
/// The log.
pub mod telemetry;

/// Starts and ends everything in order.
pub mod application;
/// Tasks with an owner.
pub mod tasks;
/// The one place that reads the clock.
pub mod clock;

/// MQTT: links and the embedded broker.
pub mod mqtt;
/// The only task that changes the fleet.
pub mod ingest;
/// The last hour of every entity.
pub mod trends;
/// From changes to the store.
pub mod recorder;
/// What survives a restart.
pub mod store;
/// What viewers see.
pub mod hub;
/// What pages, REST and sockets ask.
pub mod backend;
/// Pages, REST and sockets.
pub mod http;

/// The simulated devices of the demo.
pub mod simulator;
/// The demo's names, rules and history.
pub mod demo;
