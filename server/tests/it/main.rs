//! One test binary: the server from outside, on port 0, with a real store and a real broker.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod store;
mod store_history;
mod store_open;
mod store_recorder;
