//! Tests of the server from outside, in one binary: linking once is what takes the time.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod mosquitto;
mod simulator;
