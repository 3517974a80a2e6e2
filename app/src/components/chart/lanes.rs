//! Lanes: states over time.

use domain::history::Range;
use domain::time::Timestamp;

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
    /// The spans that were on, oldest first.
    pub on: Vec<Span>,
    /// The first moment at which the state is known.
    pub known_from: Timestamp,
    /// The last state in words.
    pub end: Option<String>,
}

impl Lane {
    /// Left edge and width of each span that was on, in per cent of `window`. What was on at the end still is.
    #[must_use]
    pub fn bars(&self, range: Range, window: Range) -> Vec<(f64, f64)> {
        let shown = self.on.iter().filter_map(|span| {
            let to = if span.to >= range.to { window.to.max(span.to) } else { span.to };
            let (x, end) = (x_percent(window, span.from), x_percent(window, to));
            (span.from < window.to && to > window.from).then_some((x, end - x))
        });
        shown.collect()
    }

    /// Width of the time before the first state, in per cent of `window`; `None` if there is none.
    #[must_use]
    pub fn before(&self, window: Range) -> Option<f64> {
        Some(x_percent(window, self.known_from)).filter(|&width| width > 0.0)
    }
}

/// Lays out the lane of a series of states. `style` is its place among the chart's series, counted from 1.
#[must_use]
pub fn lane(style: usize, one: &Charted, range: Range, utc_offset_s: i32) -> Lane {
    Lane {
        style,
        name: one.entity.name.clone(),
        title: finding(one, range, utc_offset_s),
        on: spans(&one.series, range),
        known_from: one.series.t.first().map_or(range.to, |&t| t),
        end: one.series.last.last().map(|&v| one.words(v)),
    }
}
