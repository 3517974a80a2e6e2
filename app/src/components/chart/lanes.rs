//! Lanes: states and words over time.

use domain::history::Range;
use domain::time::Timestamp;

use crate::components::chart::finding::finding;
use crate::components::chart::model::Charted;
use crate::components::chart::states::{Span, spans};
use crate::components::chart::time_axis::x_percent;
use crate::components::chart::words;

/// One series of states or words.
#[derive(Clone, Debug, PartialEq)]
pub struct Lane {
    /// 1 to 6: its place among the series.
    pub style: usize,
    /// The entity's name.
    pub name: String,
    /// What the lane shows, in a sentence.
    pub title: String,
    /// The spans that were on, oldest first; none of words.
    pub on: Vec<Span>,
    /// What was said, oldest first; nothing of states.
    pub words: Vec<words::Span>,
    /// The first moment at which the state is known.
    pub known_from: Timestamp,
    /// The end of what is known; what lasts until then goes on. Newer values may be later than the range.
    pub until: Timestamp,
    /// The last state in words.
    pub end: Option<String>,
}

impl Lane {
    /// Left edge and width of each span that was on, in per cent of `window`. What was on at the end still is.
    #[must_use]
    pub fn bars(&self, window: Range) -> Vec<(f64, f64)> {
        self.on.iter().filter_map(|span| self.placed((span.from, span.to), window)).collect()
    }

    /// Left edge and width of each word, with what it says.
    #[must_use]
    pub fn said(&self, window: Range) -> Vec<(f64, f64, &words::Span)> {
        let place = |span: &words::Span| self.placed((span.from, span.to), window);
        self.words.iter().filter_map(|span| place(span).map(|(x, width)| (x, width, span))).collect()
    }

    /// Left edge and width of a span in per cent of `window`; `None` out of sight.
    fn placed(&self, (from, to): (Timestamp, Timestamp), window: Range) -> Option<(f64, f64)> {
        let to = if to >= self.until { window.to.max(to) } else { to };
        let (x, end) = (x_percent(window, from), x_percent(window, to));
        (from < window.to && to > window.from).then_some((x, end - x))
    }

    /// Width of the time before the first state, in per cent of `window`; `None` if there is none.
    #[must_use]
    pub fn before(&self, window: Range) -> Option<f64> {
        Some(x_percent(window, self.known_from)).filter(|&width| width > 0.0)
    }
}

/// Lays out the lane of a series of states or words. `style` is its place among the chart's series, counted from 1.
#[must_use]
pub fn lane(style: usize, one: &Charted, range: Range, utc_offset_s: i32) -> Lane {
    let until = one.series.t.last().map_or(range.to, |last| last.plus_ms(1).max(range.to));
    let known = Range { to: until, ..range };
    Lane {
        style,
        name: one.entity.name.clone(),
        title: finding(one, range, utc_offset_s),
        on: if one.is_state() { spans(&one.series, known) } else { vec![] },
        words: one.words.as_ref().map(|words| words::spans(words, known, utc_offset_s)).unwrap_or_default(),
        until,
        known_from: one.series.t.first().map_or(range.to, |&t| t),
        end: one.series.last.last().map(|&v| one.words(v)),
    }
}
