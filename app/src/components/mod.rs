//! One component a file.

/// Charts.
pub mod chart;
