//! One component a file.

/// The frame around every page: top bar, navigation, main.
pub mod frame;
/// The line of a tile.
pub mod spark;

pub use frame::Frame;
