//! The Signalbox server: MQTT in, history on disk, pages and live values out.

/// The command line.
pub mod cli;
/// What can be set, and by whom.
pub mod config;
/// What the commands of the command line do.
pub mod program;
/// The log.
pub mod telemetry;

/// Starts and ends everything in order.
pub mod application;
/// The one place that reads the clock.
pub mod clock;
/// Tasks with an owner.
pub mod tasks;

/// What pages, REST and sockets ask.
pub mod backend;
/// Small files that a power cut must not take.
pub mod durable;
/// History as a table, on the command line.
pub mod export;
/// What somebody fills into history.
pub mod fill;
/// Pages, REST and sockets.
pub mod http;
/// What viewers see.
pub mod hub;
/// History from a table, on the command line.
pub mod import;
/// The only task that changes the fleet.
pub mod ingest;
/// What operators are told of the links to brokers.
pub mod link_watch;
/// Moments as they are written.
pub mod moment;
/// MQTT: links and the embedded broker.
pub mod mqtt;
/// What goes into the log of what was done.
pub mod noted;
/// What topics are about, as operators write it.
pub mod patterns;
/// What operators set up: scenes and schedules in memory.
pub mod plans;
/// Messages a second.
pub mod rate;
/// From changes to the store.
pub mod recorder;
/// What a broker delivers twice.
pub mod redelivery;
/// Tables that come in piece by piece.
pub mod rows;
/// What is done by itself.
pub mod schedules;
/// What survives a restart.
pub mod store;
/// Tables of readings as they come in.
pub mod table_in;
/// Tables of history as they go out.
pub mod table_out;
/// What was heard on each topic.
pub mod topics;
/// The last hour of every entity.
pub mod trends;
/// What the store does beside ingest.
pub mod upkeep;

/// The demo's names, rules and history.
pub mod demo;
/// The simulated devices of the demo.
pub mod simulator;
