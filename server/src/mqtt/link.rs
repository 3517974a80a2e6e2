//! The connection to a broker.
