//! Whole pages, rendered as the server does over a backend made of constants.
//!
//! With `SIGNALBOX_PAGES=<folder>` in the environment each page is also written there, to look at it in a browser.

mod fake;
mod overview;
mod render;
