//! Tests through the outer edges: real sockets, real brokers, real databases.

mod link;
mod link_fake;
mod link_mosquitto;
mod link_rig;
