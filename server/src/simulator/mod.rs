//! The simulated devices of the demo: real MQTT clients that publish to any broker and obey commands.

/// Believable curves.
pub mod curve;
