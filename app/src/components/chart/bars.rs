//! Bars: what a meter counted in each bucket.

use domain::history::{Range, Series};
use domain::time::Timestamp;

use crate::components::chart::gaps::bucket_ms;
use crate::components::chart::number::push_tenths;
use crate::components::chart::panes::plot_x;
use crate::components::chart::scale::Scale;

/// The share of a bucket that its bars leave free.
const FREE: f64 = 0.16;

/// Where a bar stands among those of the same buckets: the how manieth of how many.
pub type Place = (usize, usize);

/// The path of all bars of a meter, each from zero up.
#[must_use]
pub fn bars(series: &Series, scale: &Scale, range: Range, place: Place) -> String {
    let mut d = String::new();
    for (left, right, height) in sides(series, range, place) {
        push(&mut d, 'M', left);
        push(&mut d, ' ', scale.y(0.0));
        push(&mut d, 'V', scale.y(height));
        push(&mut d, 'H', right);
        push(&mut d, 'V', scale.y(0.0));
        d.push('Z');
    }
    d
}

/// The path of the tops of the bars.
#[must_use]
pub fn tops(series: &Series, scale: &Scale, range: Range, place: Place) -> String {
    let mut d = String::new();
    for (left, right, height) in sides(series, range, place) {
        push(&mut d, 'M', left);
        push(&mut d, ' ', scale.y(height));
        push(&mut d, 'H', right);
    }
    d
}

/// The moment at which the bucket of a row ends. Where clocks are set it is longer or shorter than others.
#[must_use]
pub fn end(series: &Series, row: usize) -> Timestamp {
    let length = bucket_ms(series.resolution).unwrap_or(1);
    let at = series.t.get(row).copied().unwrap_or_default();
    match series.t.get(row + 1) {
        Some(&next) if next.since_ms(at) < length + length / 2 => next,
        _ => at.plus_ms(length),
    }
}

/// What the meter counted in the bucket of a moment; `None` where it said nothing.
#[must_use]
pub fn increase_at(series: &Series, moment: Timestamp) -> Option<f64> {
    let row = series.t.partition_point(|&t| t <= moment).checked_sub(1)?;
    series.increase.get(row).copied().filter(|_| moment < end(series, row))
}

/// What the meter counted in all.
#[must_use]
pub fn counted(series: &Series) -> f64 {
    series.increase.iter().filter(|counted| counted.is_finite()).sum()
}

/// Left and right edge of each bar in the inner drawing, and its value.
fn sides(series: &Series, range: Range, (nth, of): Place) -> impl Iterator<Item = (f64, f64, f64)> {
    #[expect(clippy::cast_precision_loss, reason = "a handful of series")]
    let (nth, of) = (nth as f64, of.max(1) as f64);
    let rows = series.t.iter().zip(&series.increase).enumerate().filter(|(_, (_, counted))| counted.is_finite());
    rows.map(move |(row, (&at, &counted))| {
        let (from, to) = (plot_x(range, at), plot_x(range, end(series, row)));
        let (slot, left) = ((to - from) * (1.0 - FREE) / of, from + (to - from) * FREE / 2.0);
        (left + slot * nth, left + slot * (nth + 1.0), counted)
    })
}

fn push(d: &mut String, command: char, value: f64) {
    d.push(command);
    push_tenths(d, value);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::components::chart::scale::Fit;
    use domain::entity::EntityId;
    use domain::history::Resolution;

    fn series(rows: &[(i64, f64)]) -> Series {
        Series {
            t: rows.iter().map(|row| Timestamp::from_ms(row.0)).collect(),
            increase: rows.iter().map(|row| row.1).collect(),
            ..Series::empty(EntityId::parse("a.b").expect("id"), Resolution::BucketMs(100))
        }
    }

    fn range() -> Range {
        Range { from: Timestamp::from_ms(0), to: Timestamp::from_ms(1_000) }
    }

    #[test]
    fn a_bar_stands_on_zero_and_leaves_room_beside_it() {
        let scale = Scale::covering([0.0, 10.0], Fit::FromZero);
        let top = |value: f64| {
            let mut text = String::new();
            push_tenths(&mut text, scale.y(value));
            text
        };
        let one = series(&[(100, 10.0)]);
        assert_eq!(bars(&one, &scale, range(), (0, 1)), format!("M108 {zero}V{}H192V{zero}Z", top(10.0), zero = top(0.0)));
        // Two meters share the place.
        assert!(bars(&one, &scale, range(), (1, 2)).starts_with("M150 "));
        assert_eq!(tops(&one, &scale, range(), (0, 1)), format!("M108 {}H192", top(10.0)));
        assert_eq!(bars(&series(&[(100, f64::NAN)]), &scale, range(), (0, 1)), "");
    }

    #[test]
    fn a_bucket_counts_up_to_its_end_also_where_clocks_are_set() {
        let series = series(&[(0, 1.0), (104, 2.0), (300, 4.0)]);
        for (at, counted) in
            [(0, Some(1.0)), (103, Some(1.0)), (104, Some(2.0)), (203, Some(2.0)), (204, None), (399, Some(4.0)), (400, None), (-1, None)]
        {
            assert_eq!(increase_at(&series, Timestamp::from_ms(at)), counted, "{at}");
        }
        assert_eq!(counted(&series), 7.0);
    }
}
