//! What Signalbox knows, and how it changes.
//!
//! Pure code: no input or output, no clock, no global state. Time comes in with the [`input::Input`], so every behaviour of the
//! product can be tested by feeding inputs to a [`fleet::Fleet`] and reading the [`change::Change`]s it answers with.
//! The crate compiles for the server and for the browser.

/// Moments and their notation.
pub mod time;

/// Names of devices and areas, and whether a device is there.
pub mod device;
/// What a kind of sensor gives: name, icon, words.
#[cfg(feature = "decode")]
pub mod device_class;
/// One thing a device measures or lets you set.
pub mod entity;
/// How far a shown value can be trusted.
pub mod quality;
/// A value with its times.
pub mod reading;
/// Names, units and icons of what is measured.
pub mod units;
/// What an entity can say.
pub mod value;
/// What people write about all of these.
pub mod written;

/// Something an operator must know.
pub mod alarm;
/// Asking a device for something, and what came of it.
pub mod command;
/// Range and options of what can be set.
pub mod control;
/// Devices that are gone and still announced.
pub mod ghost;
/// Several lights or switches as one.
pub mod group;
/// When an alarm is raised and cleared.
pub mod rule;
/// A named set of commands.
pub mod scene;
/// What is done by itself, and when.
pub mod schedule;
/// MQTT topics and filters.
pub mod topic;

/// Everything that follows from it.
pub mod change;
/// How devices talk.
#[cfg(feature = "decode")]
pub mod convention;
/// All devices and entities: the state of the plant.
#[cfg(feature = "decode")]
pub mod fleet;
/// Everything that can happen to a fleet.
pub mod input;

/// Many points into few.
pub mod downsample;
/// Readings that somebody took out of history.
pub mod excluded;
/// Asking for the past.
pub mod history;
/// Frames of the WebSocket.
pub mod live;
/// What is said in words.
pub mod words;
