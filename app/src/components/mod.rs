//! One component a file.

/// Charts.
pub mod chart;
/// The frame around every page: top bar, navigation, main.
pub mod frame;
/// The line of a tile.
pub mod spark;

pub use frame::Frame;
