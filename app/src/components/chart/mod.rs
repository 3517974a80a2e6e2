//! Charts: drawn completely by the server, stepped through with mouse, finger or keys in the browser.

/// What a chart draws, computed without a page.
pub mod model;

/// The value axis.
pub mod scale;
/// The time axis.
pub mod time_axis;

/// The title of a chart in sentences.
pub mod finding;
/// Where data are missing.
pub mod gaps;
/// Which point the crosshair is at.
pub mod hit;
/// Numbers as the pages write them.
pub mod number;
/// SVG path strings.
pub mod path;
/// Series of states.
pub mod states;
/// Figures of a series.
pub mod stats;
