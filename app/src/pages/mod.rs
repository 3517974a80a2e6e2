//! One page a file: a page fetches, a component shows.

/// One device.
mod device;
/// The past, as charts.
mod history;
/// What there is not, or not yet.
mod not_found;
/// All tiles by area.
mod overview;

/// Small parts that several pages use.
mod parts;
/// What a page shows instead of its content.
mod trouble;

pub use device::DevicePage;
pub use history::History;
pub use not_found::NotFound;
pub use overview::OverviewPage;
