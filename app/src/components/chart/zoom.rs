//! Where zooming and panning lead. Pure: places are shares of the width, 0 (left) to 1 (right).

use domain::history::Range;
use domain::time::{DAY_MS, SECOND_MS, Timestamp};

/// The shortest that can be looked at.
const SHORTEST_MS: f64 = 10.0 * SECOND_MS as f64;
/// The longest: no device has measured for longer.
const LONGEST_MS: f64 = 20.0 * 365.0 * DAY_MS as f64;
/// A selection narrower than this was a press, not a drag.
const NARROWEST: f64 = 0.008;

/// An end of a range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Edge {
    /// Where it begins.
    Start,
    /// Where it ends.
    End,
}

/// `window` with its length times `factor`; the moment at `place` stays where it is. Nothing reaches past `latest`.
#[must_use]
pub fn zoomed(window: Range, place: f64, factor: f64, latest: Timestamp) -> Range {
    let len = len(window);
    let longer = (len * factor).clamp(SHORTEST_MS, LONGEST_MS);
    kept(ms(window.from) + place.clamp(0.0, 1.0) * (len - longer), longer, latest)
}

/// `window` moved by a share of its length; forward is positive.
#[must_use]
pub fn panned(window: Range, by: f64, latest: Timestamp) -> Range {
    kept(ms(window.from) + by * len(window), len(window), latest)
}

/// The window in which two moments, held by two fingers, stand at two places. `None` while the fingers are too near each other to tell.
#[must_use]
pub fn pinched(moments: (f64, f64), places: (f64, f64), latest: Timestamp) -> Option<Range> {
    let (apart, shares) = (moments.1 - moments.0, places.1 - places.0);
    if shares.abs() < 0.02 || (apart > 0.0) != (shares > 0.0) {
        return None;
    }
    let len = (apart / shares).clamp(SHORTEST_MS, LONGEST_MS);
    Some(kept(moments.0 - places.0 * len, len, latest))
}

/// The part of `window` between two places. `None` when it is too narrow to be meant.
#[must_use]
pub fn selected(window: Range, places: (f64, f64), latest: Timestamp) -> Option<Range> {
    let (left, right) = (places.0.min(places.1).clamp(0.0, 1.0), places.0.max(places.1).clamp(0.0, 1.0));
    let wide = (right - left) * len(window);
    (right - left >= NARROWEST).then(|| kept(ms(window.from) + left * len(window), wide.max(SHORTEST_MS), latest))
}

/// `window` with one end moved to `to`; the ends keep their order.
#[must_use]
pub fn resized(window: Range, edge: Edge, to: f64, latest: Timestamp) -> Range {
    let (from, end) = match edge {
        Edge::Start => (to.min(ms(window.to) - SHORTEST_MS), ms(window.to)),
        Edge::End => (ms(window.from), to.min(ms(latest)).max(ms(window.from) + SHORTEST_MS)),
    };
    kept(from, (end - from).clamp(SHORTEST_MS, LONGEST_MS), latest)
}

/// The moment at a place, not rounded: where a finger is held.
#[must_use]
pub fn held(window: Range, place: f64) -> f64 {
    ms(window.from) + place * len(window)
}

/// A range from the first moment of Unix time to `latest` at most; one that would reach past an end is moved, not cut.
#[expect(clippy::cast_possible_truncation, reason = "milliseconds of some thousand years are whole numbers of an f64")]
fn kept(from: f64, len: f64, latest: Timestamp) -> Range {
    let from = if from.is_finite() { from } else { 0.0 };
    let from = from.min(ms(latest) - len).max(0.0).round() as i64;
    Range { from: Timestamp::from_ms(from), to: Timestamp::from_ms(from).plus_ms(len.round() as i64) }
}

#[expect(clippy::cast_precision_loss, reason = "milliseconds of some thousand years are whole numbers of an f64")]
fn ms(at: Timestamp) -> f64 {
    at.as_ms() as f64
}

fn len(window: Range) -> f64 {
    (ms(window.to) - ms(window.from)).max(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::time::HOUR_MS;
    use proptest::prelude::*;

    const LATEST: Timestamp = Timestamp::from_ms(1_781_265_806_000);

    fn hours(from: i64, to: i64) -> Range {
        Range { from: LATEST.plus_ms(from * HOUR_MS), to: LATEST.plus_ms(to * HOUR_MS) }
    }

    #[test]
    fn zooming_keeps_the_moment_under_the_pointer() {
        assert_eq!(zoomed(hours(-10, -2), 0.25, 0.5, LATEST), hours(-9, -5));
        assert_eq!(zoomed(hours(-8, -4), 0.5, 2.0, LATEST), hours(-10, -2));
    }

    #[test]
    fn nothing_reaches_into_the_future() {
        assert_eq!(zoomed(hours(-4, 0), 0.5, 2.0, LATEST), hours(-8, 0));
        assert_eq!(panned(hours(-4, -1), 1.0, LATEST), hours(-3, 0));
        assert_eq!(resized(hours(-4, -1), Edge::End, 1e15, LATEST), hours(-4, 0));
    }

    #[test]
    fn two_fingers_hold_their_moments() {
        let window = hours(-10, 0);
        let moments = (held(window, 0.4), held(window, 0.6));
        assert_eq!(
            pinched(moments, (0.3, 0.7), LATEST),
            Some(Range { from: LATEST.plus_ms(-15 * HOUR_MS / 2), to: LATEST.plus_ms(-5 * HOUR_MS / 2) })
        );
        assert_eq!(pinched(moments, (0.5, 0.5), LATEST), None);
    }

    #[test]
    fn a_press_selects_nothing_and_a_drag_works_both_ways() {
        assert_eq!(selected(hours(-10, 0), (0.5, 0.503), LATEST), None);
        assert_eq!(selected(hours(-10, 0), (0.6, 0.2), LATEST), Some(hours(-8, -4)));
    }

    proptest! {
        #[test]
        fn no_gesture_leads_to_a_range_that_is_none(from in 0i64..1_781_265_806_000, len in 1i64..1_000_000_000_000, a in -3.0..3.0f64, b in any::<f64>()) {
            let window = Range { from: Timestamp::from_ms(from), to: Timestamp::from_ms(from + len) };
            let all = [
                Some(zoomed(window, a, b.abs(), LATEST)), Some(panned(window, b, LATEST)), selected(window, (a, b), LATEST),
                Some(resized(window, Edge::Start, b, LATEST)), Some(resized(window, Edge::End, b, LATEST)),
                pinched((held(window, 0.2), held(window, 0.7)), (a, b), LATEST),
            ];
            for range in all.into_iter().flatten() {
                prop_assert!(range.from < range.to && range.from.as_ms() >= 0, "{range:?}");
            }
        }
    }
}
