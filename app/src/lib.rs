//! The pages of Signalbox: rendered on the server, brought to life in the browser.

/// What the pages ask of a server.
pub mod backend;

/// One component a file.
pub mod components;
