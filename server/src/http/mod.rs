//! HTTP: the only place that knows axum.

/// The site's files: code, style sheet, icons.
pub mod assets;
