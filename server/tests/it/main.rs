//! One test binary: the server from outside, on port 0, with a real store and real brokers. Linking once is what takes the time.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod mosquitto;
mod test_app;

mod broker;
mod broker_client;
mod simulated_fleet;
mod simulator;
mod layering;
mod live;
mod pages;
mod program;
mod rest;
