//! The line of a tile.

use crate::backend::{Tile, Trend};

/// The tile with its trend cut to four significant digits: more the line cannot show, and each digit travels in every page.
#[must_use]
pub fn compact(mut tile: Tile) -> Tile {
    if let Trend::Line(points) = &mut tile.trend {
        for point in points.iter_mut().flatten() {
            *point = four_digits(*point);
        }
    }
    tile
}

fn four_digits(n: f64) -> f64 {
    if n == 0.0 || !n.is_finite() {
        return n;
    }
    let scale = 10f64.powi(3 - n.abs().log10().floor() as i32);
    (n * scale).round() / scale
}
