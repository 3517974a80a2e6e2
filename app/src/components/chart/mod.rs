//! Charts: drawn completely by the server, stepped through with mouse, finger or keys in the browser.

/// The overview under a chart.
pub mod brush;
/// A chart that stands in a page.
pub mod handle;
/// The component.
pub mod time_chart;

/// What charts ask of a browser.
pub(crate) mod browser;
/// The line under the pointer.
mod crosshair;
/// Once a frame.
pub mod frame;
/// What mouse, fingers and keys do.
mod gestures;
/// The drawing of a lane.
mod lane_view;
/// The drawing of a pane.
mod pane_view;
/// Parts of drawings.
pub mod shapes;

/// What a chart draws, computed without a page.
pub mod model;

/// Alarms and commands.
pub mod events;
/// Lanes: states and words over time.
pub mod lanes;
/// Panes: numbers of one unit over one value axis.
pub mod panes;
/// The value axis.
pub mod scale;
/// The time axis.
pub mod time_axis;

/// What meters counted, as bars.
pub mod bars;
/// How long a series was beyond a limit.
pub mod beyond;
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
/// Drawings that are moved and stretched.
pub mod stretch;
/// Series of words.
pub mod words;
/// Where zooming and panning lead.
pub mod zoom;

#[cfg(test)]
mod tests;

pub use handle::Chart;
pub use shapes::Swatch;
pub use time_chart::TimeChart;
