//! One component a file.

/// Charts.
pub mod chart;
/// The frame around every page: top bar, navigation, main.
pub mod frame;
/// Icons and alarm marks.
pub mod icon;
/// The icon sheet.
pub mod sprite;

/// Account menu with the theme switch.
pub mod account;
/// The most urgent alarms.
pub mod alert_strip;
/// An area with its tiles.
pub mod area;
/// What happened while nobody looked.
pub mod away;
/// What a page says while it is cut off.
pub mod banner;
/// Controls of numbers, selects, texts, buttons and covers.
pub mod control;
/// Brightness and warmth.
pub mod fader;
/// Main navigation.
pub mod nav;
/// A page that could not be made.
pub mod problem;
/// The search box.
pub mod search;
/// The line of a tile.
pub mod spark;
/// The strip of a tile.
pub mod strip;
/// The switch of a tile.
pub mod switch;
/// One entity.
pub mod tile;
/// The small text of a tile.
pub mod tile_foot;
/// The bar above every page.
pub mod topbar;

pub use frame::Frame;
pub use icon::{glyph, icon};
pub use problem::Problem;
pub use tile::TileCard;
