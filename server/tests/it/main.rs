//! Tests of the server from outside, in one binary: linking once is what takes the time.

mod store;
mod store_history;
mod store_open;
mod store_recorder;
