//! Lanes: states over time.

use domain::history::Range;

use crate::components::chart::finding::finding;
use crate::components::chart::model::Charted;
use crate::components::chart::states::{Span, spans};
use crate::components::chart::time_axis::x_percent;

/// One series of states.
#[derive(Clone, Debug, PartialEq)]
pub struct Lane {
    /// 1 to 6: its place among the series.
    pub style: usize,
    /// The entity's name.
    pub name: String,
    /// What the lane shows, in a sentence.
    pub title: String,
    /// Left edge and width of each span that was on, in per cent.
    pub on: Vec<(f64, f64)>,
    /// Width of the time before the first state, in per cent; `None` if there is none.
    pub before: Option<f64>,
    /// The last state in words.
    pub end: Option<String>,
}

/// Lays out the lane of a series of states. `style` is its place among the chart's series, counted from 1.
#[must_use]
pub fn lane(style: usize, one: &Charted, range: Range, utc_offset_s: i32) -> Lane {
    let on = spans(&one.series, range);
    let place = |span: &Span| (x_percent(range, span.from), x_percent(range, span.to) - x_percent(range, span.from));
    let first = one.series.t.first().map_or(range.to, |&t| t);
    let before = x_percent(range, first);
    Lane {
        style,
        name: one.entity.name.clone(),
        title: finding(one, range, utc_offset_s),
        on: on.iter().map(place).collect(),
        before: (before > 0.0).then_some(before),
        end: one.series.last.last().map(|&v| one.words(v)),
    }
}
