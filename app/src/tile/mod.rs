//! What a tile shows, as plain functions of what is known. No signals, no DOM, no clock: time comes in.

/// Which alarm comes first.
pub mod alarms;
/// A command as a switch shows it.
pub mod asked;
/// The line of small text at the bottom.
pub mod foot;
/// Which tile an entity gets.
pub mod kind;
/// The last hour.
pub mod trend;
/// Values and moments in words.
pub mod words;
