//! The pages of Signalbox: rendered on the server, brought to life in the browser.

// The types of nested views grow with every element.
#![recursion_limit = "256"]

/// The component that holds everything, and the HTML document around it.
pub mod app;
/// What the pages ask of a server.
pub mod backend;
/// What the page of a device is asked for and shows besides its values.
pub mod device;
/// What the page of devices shows, and what its forms say.
pub mod devices;
/// What the page knows, kept up to date over the WebSocket.
pub mod live;
/// What the page of devices shows of topic patterns.
pub mod patterns;
/// What the page of groups, scenes and schedules shows.
pub mod plans;
/// Whether a device is there.
pub mod presence;
/// The calls from page to server.
pub mod server_fns;
/// What the server says about a page beside its HTML.
pub mod status;
/// Light, dark, or what the system prefers.
pub mod theme;

/// What a tile shows, as plain functions.
pub mod tile;

/// What a page rarely needs.
pub mod rare;

/// One component a file.
pub mod components;
/// Views of one type, at little cost.
pub mod erase;
/// One page a file: a page fetches, a component shows.
pub mod pages;
