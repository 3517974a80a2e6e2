//! One test binary: the server from outside, on port 0, with a real store and real brokers. Linking once is what takes the time.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod test_app;

mod activity;
mod commands;
mod device_page;
mod devices_page;
mod export;
mod ghosts;
mod groups;
mod health;
mod history_fill;
mod history_page;
mod import;
mod live;
mod live_resume;
mod live_schema;
mod live_wire;
mod metrics;
mod openapi;
mod overload;
mod pages;
mod patterns;
mod program;
mod rest;
mod scenes;
mod scenes_page;
mod schedules;
mod stuck;
mod topics;
mod unclaimed;
mod units;
mod why;
mod write;

mod link;
mod link_certificates;
mod link_fake;
mod link_many;
mod link_mosquitto;
mod link_outage;
mod link_publish;
mod link_rig;
mod link_tls;
mod link_traps;
mod link_version;
mod link_watchdog;
mod redelivery;

mod broker;
mod broker_client;

mod store;
mod store_beside;
mod store_budget;
mod store_exclude;
mod store_exclude_all;
mod store_held;
mod store_history;
mod store_kinds;
mod store_load;
mod store_open;
mod store_recorder;
mod store_retention;
mod store_sealing;

mod mosquitto;
mod retention;
mod simulated_conventions;
mod simulated_fleet;
mod simulator;

mod kinds;
mod layering;
