//! SVG path strings. Coordinates are those of the inner `svg.plot`: x from 0 to 1000, y from 0 to 100.

use crate::components::chart::number::push_tenths;

/// Width of the inner drawing.
pub const PLOT_WIDTH: f64 = 1_000.0;

/// A point of the inner drawing.
pub type Point = (f64, f64);

/// Most points of a piece of a line.
const MOST_OF_A_PIECE: usize = 200;

/// Lines through the points of each segment. A segment of one point becomes a dot (a stroke of no length with round ends).
#[must_use]
pub fn line(segments: &[Vec<Point>]) -> String {
    let mut d = String::new();
    for segment in segments {
        stroke(&mut d, segment);
    }
    d
}

/// Appends the line through the points of one segment.
pub fn stroke(d: &mut String, segment: &[Point]) {
    let mut n = 0;
    for point in segment {
        if is_drawable(point) {
            push(d, if n == 0 { 'M' } else { 'L' }, *point);
            n += 1;
        }
    }
    if n == 1 {
        d.push_str("h0");
    }
}

/// A path of [`line`] in pieces, each of a part of the width. A browser paints in tiles, and each tile strokes all of every path that reaches into it.
/// A piece begins at the point where the one before it ended, and both ends are round as joints are.
#[must_use]
pub fn pieces(d: &str) -> Vec<String> {
    let mut pieces: Vec<String> = vec![];
    let (mut n_points, mut before) = (0, "");
    for command in commands(d) {
        let is_full = n_points >= MOST_OF_A_PIECE;
        match pieces.last_mut() {
            Some(piece) if !is_full => piece.push_str(command),
            Some(_) if command.starts_with('L') => {
                pieces.push(["M", before, command].concat());
                n_points = 1;
            }
            _ => {
                pieces.push(command.to_owned());
                n_points = 0;
            }
        }
        n_points += 1;
        before = &command[1..];
    }
    pieces
}

/// The commands of a path of [`line`], each with its coordinates.
fn commands(d: &str) -> impl Iterator<Item = &str> {
    let starts = d.match_indices(['M', 'L']).map(|(at, _)| at);
    let ends = starts.clone().skip(1).chain([d.len()]);
    starts.zip(ends).filter_map(|(start, end)| d.get(start..end))
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

    #[test]
    fn a_long_line_is_drawn_in_pieces() {
        let points = |from: u32, to: u32| (from..to).map(|n| (f64::from(n), 5.0)).collect::<Vec<Point>>();
        let of = |segments: &[Vec<Point>]| pieces(&line(segments));
        assert_eq!(of(&[vec![]]), Vec::<String>::new());
        // What is short stays one path, gaps and all.
        assert_eq!(of(&[points(0, 2), points(4, 5)]), ["M0 5L1 5M4 5h0"]);
        let long = of(&[points(0, 500)]);
        let ends: Vec<_> = long.iter().map(|d| (&d[..d.find('L').expect("a line")], d.rsplit('L').next().expect("a line"))).collect();
        assert_eq!(ends, [("M0 5", "199 5"), ("M199 5", "398 5"), ("M398 5", "499 5")]);
        // A gap between two pieces stays one.
        let broken = of(&[points(0, 200), points(300, 301), points(400, 402)]);
        assert_eq!(broken[1..], ["M300 5h0M400 5L401 5"]);
    }

    proptest! {
        #[test]
        fn the_pieces_hold_all_strokes_of_a_line_and_no_others(lengths in prop::collection::vec(1u32..700, 0..4)) {
            let mut x = 0.0;
            let segments: Vec<Vec<Point>> = lengths.iter().map(|n| (0..*n).map(|_| { x += 1.0; (x, x % 7.0) }).collect()).collect();
            let strokes = |d: &str| {
                let all: Vec<&str> = commands(d).collect();
                all.windows(2).filter(|pair| pair[1].starts_with('L')).map(|pair| (pair[0][1..].to_owned(), pair[1][1..].to_owned())).collect::<Vec<_>>()
            };
            let d = line(&segments);
            let pieces = pieces(&d);
            prop_assert_eq!(pieces.iter().flat_map(|piece| strokes(piece)).collect::<Vec<_>>(), strokes(&d));
            prop_assert!(pieces.iter().all(|piece| commands(piece).count() <= MOST_OF_A_PIECE));
            prop_assert_eq!(pieces.concat().matches("h0").count(), d.matches("h0").count());
        }

        #[test]
        fn a_path_never_holds_what_svg_cannot_read(points in prop::collection::vec((any::<f64>(), any::<f64>(), any::<f64>()), 0..20)) {
            let is_plain = |d: &str| d.bytes().all(|b| b.is_ascii_digit() || b"MLZh -.".contains(&b));
            let pairs = points.iter().map(|p| (p.0, p.1)).collect();
            prop_assert!(is_plain(&line(&[pairs])));
            prop_assert!(is_plain(&band(&[points])));
        }
    }
}
