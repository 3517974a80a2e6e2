//! A drawing that is moved and stretched instead of being made anew.
//!
//! Lines of thousands of points take a browser several milliseconds to lay out and as many to paint, each time they stand in another scale. A layer
//! that is only moved costs next to nothing. So while somebody zooms or pans, and while the chart follows the clock, the drawing stays what it was
//! and is laid over what is shown; it is made anew when it would be stretched too far to look right, when it does not reach far enough, and once
//! the movement is over.

use domain::history::Range;

use crate::components::chart::time_axis::x_beyond;

/// So far, as a share of its width, a drawing reaches past both of its ends: `overflow-clip-margin` of `.plots > .plot`.
const BEYOND: f64 = 0.1;
/// A drawing is stretched to at most so many times its width, and pressed to the inverse.
const MOST_STRETCHED: f64 = 1.3;

/// How a drawing lies in what is shown.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Stretch {
    /// Its left edge, in per cent of the width of what is shown.
    pub left: f64,
    /// Its width as a multiple of that width; exactly 1 where it is only moved.
    pub width: f64,
}

impl Stretch {
    /// Of a drawing of `drawn`, where `window` is shown.
    #[must_use]
    pub fn of(drawn: Range, window: Range) -> Self {
        Self { left: x_beyond(window, drawn.from), width: share(drawn.len_ms(), window.len_ms()) }
    }

    /// Nothing is moved or stretched.
    #[must_use]
    pub fn is_none(self) -> bool {
        self.left == 0.0 && self.width == 1.0
    }
}

/// Whether a drawing of `drawn` can stand for one of `window`. `rests`: it is looked at, and nobody moves it.
#[must_use]
pub fn still_serves(drawn: Range, window: Range, rests: bool) -> bool {
    if drawn.len_ms() != window.len_ms() {
        let width = share(drawn.len_ms(), window.len_ms());
        if rests || !(MOST_STRETCHED.recip()..=MOST_STRETCHED).contains(&width) {
            return false;
        }
    }
    let (left, right) = (x_beyond(drawn, window.from) / 100.0, x_beyond(drawn, window.to) / 100.0);
    left >= -BEYOND && right <= 1.0 + BEYOND
}

#[expect(clippy::cast_precision_loss, reason = "milliseconds of some thousand years are whole numbers of an f64")]
fn share(part_ms: i64, whole_ms: i64) -> f64 {
    part_ms.max(1) as f64 / whole_ms.max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::time::Timestamp;
    use proptest::prelude::*;

    fn seconds(from: i64, to: i64) -> Range {
        Range { from: Timestamp::from_ms(from * 1_000), to: Timestamp::from_ms(to * 1_000) }
    }

    #[test]
    fn a_drawing_lies_where_its_moments_are() {
        assert_eq!(Stretch::of(seconds(100, 200), seconds(100, 200)), Stretch { left: 0.0, width: 1.0 });
        assert!(Stretch::of(seconds(100, 200), seconds(100, 200)).is_none());
        // A later window has it further left, a shorter one wider.
        assert_eq!(Stretch::of(seconds(100, 200), seconds(110, 210)), Stretch { left: -10.0, width: 1.0 });
        assert_eq!(Stretch::of(seconds(100, 200), seconds(120, 200)), Stretch { left: -25.0, width: 1.25 });
    }

    #[test]
    fn what_only_moves_stays_as_long_as_it_reaches() {
        for rests in [false, true] {
            assert!(still_serves(seconds(100, 200), seconds(110, 210), rests));
            assert!(still_serves(seconds(100, 200), seconds(90, 190), rests));
            assert!(!still_serves(seconds(100, 200), seconds(111, 211), rests));
            assert!(!still_serves(seconds(100, 200), seconds(89, 189), rests));
        }
    }

    #[test]
    fn what_is_stretched_stays_while_it_moves_and_not_far() {
        assert!(still_serves(seconds(100, 200), seconds(110, 190), false));
        assert!(!still_serves(seconds(100, 200), seconds(110, 190), true));
        assert!(!still_serves(seconds(100, 200), seconds(120, 190), false));
        assert!(!still_serves(seconds(100, 200), seconds(60, 200), false));
    }

    proptest! {
        #[test]
        fn what_serves_covers_all_that_is_shown(
            from in 0i64..1_000_000, len in 1i64..100_000, to in 0i64..1_000_000, shown in 1i64..100_000, rests in any::<bool>(), at in 0.0..=1.0f64,
        ) {
            let (drawn, window) = (seconds(from, from + len), seconds(to, to + shown));
            if still_serves(drawn, window, rests) {
                let Stretch { left, width } = Stretch::of(drawn, window);
                // A place of the window, as a share of the drawing.
                let place = (at - left / 100.0) / width;
                prop_assert!((-BEYOND - 1e-9..=1.0 + BEYOND + 1e-9).contains(&place), "{place}");
                prop_assert!((1.0 / MOST_STRETCHED - 1e-9..=MOST_STRETCHED + 1e-9).contains(&width), "{width}");
            }
        }
    }
}
