//! One page a file: a page fetches, a component shows.

/// The log of what was done.
pub mod activity;
/// One device.
pub mod device;
/// All devices, and the topics that they speak on.
pub mod devices;
/// The past, as charts.
pub mod history;
/// Pages whose code comes when they are first shown.
pub mod lazy;
/// What there is not, or not yet.
pub mod not_found;
/// All tiles by area.
pub mod overview;
/// Groups, scenes and schedules.
pub mod scenes;

/// Rules of style that one page needs alone.
mod rules;
/// What a page shows instead of its content.
mod trouble;

pub use activity::Activity;
pub use device::DevicePage;
pub use devices::Devices;
pub use history::History;
pub use not_found::NotFound;
pub use overview::OverviewPage;
pub use scenes::Scenes;
