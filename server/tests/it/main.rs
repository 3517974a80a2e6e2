//! One test binary: the server from outside, on port 0, with a real store and a real broker.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod broker;
mod broker_client;
