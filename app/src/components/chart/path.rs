//! SVG path strings. Coordinates are those of the inner `svg.plot`: x from 0 to 1000, y from 0 to 100.

use crate::components::chart::number::push_tenths;

/// Width of the inner drawing.
pub const PLOT_WIDTH: f64 = 1_000.0;

/// A point of the inner drawing.
pub type Point = (f64, f64);

/// Lines through the points of each segment. A segment of one point becomes a dot (a stroke of no length with round ends).
#[must_use]
pub fn line(segments: &[Vec<Point>]) -> String {
    let mut d = String::new();
    for segment in segments {
        let mut points = segment.iter().filter(|p| is_drawable(p));
        let Some(first) = points.next() else { continue };
        push(&mut d, 'M', *first);
        let mut n = 1;
        for point in points {
            push(&mut d, 'L', *point);
            n += 1;
        }
        if n == 1 {
            d.push_str("h0");
        }
    }
    d
}

/// The areas between the lower and the upper edge of each segment: `(x, y of the smallest, y of the largest)`. One point has no area.
#[must_use]
pub fn band(segments: &[Vec<(f64, f64, f64)>]) -> String {
    let mut d = String::new();
    for segment in segments {
        let points: Vec<_> = segment.iter().filter(|(x, low, high)| is_drawable(&(*x, *low)) && high.is_finite()).collect();
        if points.len() < 2 {
            continue;
        }
        for (n, (x, _, high)) in points.iter().enumerate() {
            push(&mut d, if n == 0 { 'M' } else { 'L' }, (*x, *high));
        }
        for (x, low, _) in points.iter().rev() {
            push(&mut d, 'L', (*x, *low));
        }
        d.push('Z');
    }
    d
}

fn is_drawable((x, y): &Point) -> bool {
    x.is_finite() && y.is_finite()
}

fn push(d: &mut String, command: char, (x, y): Point) {
    d.push(command);
    push_tenths(d, x);
    d.push(' ');
    push_tenths(d, y);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn lines_break_between_segments() {
        assert_eq!(line(&[vec![(0.0, 30.12), (3.5, 29.9)], vec![(10.0, 5.0)]]), "M0 30.1L3.5 29.9M10 5h0");
        assert_eq!(line(&[vec![]]), "");
    }

    #[test]
    fn a_band_is_closed() {
        assert_eq!(band(&[vec![(0.0, 9.0, 1.0), (10.0, 8.0, 2.0)]]), "M0 1L10 2L10 8L0 9Z");
        assert_eq!(band(&[vec![(0.0, 9.0, 1.0)]]), "");
    }

    proptest! {
        #[test]
        fn a_path_never_holds_what_svg_cannot_read(points in prop::collection::vec((any::<f64>(), any::<f64>(), any::<f64>()), 0..20)) {
            let is_plain = |d: &str| d.bytes().all(|b| b.is_ascii_digit() || b"MLZh -.".contains(&b));
            let pairs = points.iter().map(|p| (p.0, p.1)).collect();
            prop_assert!(is_plain(&line(&[pairs])));
            prop_assert!(is_plain(&band(&[points])));
        }
    }
}
