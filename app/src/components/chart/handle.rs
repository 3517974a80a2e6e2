//! A chart that stands in a page: its data, what of them is shown, and where its crosshair is.

use std::sync::Arc;

use domain::history::Range;
use domain::time::Timestamp;
use leptos::prelude::*;
use leptos::svg;

use crate::components::chart::hit::nearest;
use crate::components::chart::model::{ChartModel, Charted};
use crate::components::chart::stretch::{Stretch, still_serves};
use crate::components::chart::time_axis::{TimeTick, x_percent};
use crate::erase::memo;

/// As many newer values wait beside the drawn lines before all of it is drawn anew.
const MOST_WAITING: usize = 300;

/// The part for which the lines of a model are drawn.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Drawn {
    window: Range,
    /// Which model: the lines of another one are drawn anew anyway.
    of: usize,
}

/// Newer values of a series, oldest first.
pub(super) type Tail = Vec<(Timestamp, f64)>;

/// A chart that stands in a page. Cheap to copy.
#[derive(Clone, Copy)]
pub struct Chart {
    pub(super) model: RwSignal<Arc<ChartModel>>,
    /// What came since the model was made, one list for each of its series. Drawn as an end of the line, so that no path of thousands of points is
    /// written anew for each value.
    pub(super) tails: RwSignal<Vec<Tail>>,
    /// The part that somebody chose by hand.
    wanted: RwSignal<Option<Range>>,
    /// The end of what is shown, where that follows the clock.
    end: RwSignal<Option<Timestamp>>,
    /// Nothing is later.
    latest: RwSignal<Timestamp>,
    window: Memo<Range>,
    /// The part for which the lines are drawn. What is shown differs from it for a moment, and then the drawing is moved and stretched.
    drawn: Memo<Drawn>,
    /// Nobody is moving the chart: the lines are drawn for just what is shown.
    rests: RwSignal<bool>,
    ticks: Memo<Vec<TimeTick>>,
    /// Counts when the figures beside the chart follow the newest values.
    said: RwSignal<u32>,
    /// Where the crosshair stands.
    pub(super) at: RwSignal<Option<Timestamp>>,
    /// The two places, 0 to 1, between which a drag selects.
    pub(super) selected: RwSignal<Option<(f64, f64)>>,
    /// The part of the page that is as wide as the panes' drawings.
    pub(super) drawing: NodeRef<svg::Svg>,
    /// Whether the page around takes up what is chosen by hand.
    pub(super) can_zoom: bool,
}

impl Chart {
    /// A chart that shows all of its range, always.
    #[must_use]
    pub fn fixed(model: ChartModel) -> Self {
        Self::new(model, false)
    }

    /// A chart of which parts can be chosen: the page follows [`Chart::wanted`].
    #[must_use]
    pub fn zoomable(model: ChartModel) -> Self {
        Self::new(model, true)
    }

    fn new(model: ChartModel, can_zoom: bool) -> Self {
        let (tails, latest) = (vec![vec![]; model.charted.len()], RwSignal::new(model.range.to));
        let (model, wanted, end) = (RwSignal::new(Arc::new(model)), RwSignal::new(None), RwSignal::new(None::<Timestamp>));
        let window = memo(move || {
            let range = model.with(|model| model.range);
            // What follows the clock keeps its length.
            let follows = || end.get().map(|to| Range { from: to.plus_ms(-range.len_ms()), to });
            wanted.get().or_else(follows).unwrap_or(range)
        });
        let rests = RwSignal::new(true);
        let drawn = Memo::new(move |before: Option<&Drawn>| {
            let (window, rests) = (window.get(), rests.get());
            let of = model.with(|model| Arc::as_ptr(model) as usize);
            let kept = before.filter(|before| before.of == of && still_serves(before.window, window, rests));
            kept.copied().unwrap_or(Drawn { window, of })
        });
        let said = RwSignal::new(0);
        let ticks = memo(move || model.with(|model| model.ticks(window.get())));
        let tails = RwSignal::new(tails);
        let (at, selected, drawing) = (RwSignal::new(None), RwSignal::new(None), NodeRef::new());
        Self { model, tails, wanted, end, latest, window, drawn, rests, ticks, said, at, selected, drawing, can_zoom }
    }

    /// What is shown. Tracked.
    #[must_use]
    pub fn window(self) -> Range {
        self.window.get()
    }

    /// The part that somebody chose by hand. Tracked.
    #[must_use]
    pub fn wanted(self) -> Option<Range> {
        self.wanted.get()
    }

    /// Shows a part, until other data are loaded.
    pub fn want(self, range: Range) {
        if self.window.get_untracked() != range {
            if self.rests.get_untracked() {
                self.rests.set(false);
            }
            self.wanted.set(Some(range));
        }
    }

    /// The movement is over: draws the lines for just what is shown.
    pub fn rest(self) {
        if !self.rests.get_untracked() {
            self.rests.set(true);
        }
    }

    /// The part for which the lines are drawn. Tracked.
    pub(super) fn drawn(self) -> Range {
        self.drawn.get().window
    }

    /// How the lines lie in what is shown. Tracked.
    pub(super) fn stretch(self) -> Stretch {
        Stretch::of(self.drawn(), self.window.get())
    }

    /// Nothing is later than this. Not tracked.
    #[must_use]
    pub fn latest(self) -> Timestamp {
        self.latest.get_untracked()
    }

    /// Names of the series that found no room. Tracked.
    #[must_use]
    pub fn left_out(self) -> Vec<String> {
        self.model.with(|model| model.left_out.clone())
    }

    /// The labels under what is shown. Tracked.
    pub(super) fn ticks(self) -> Vec<TimeTick> {
        self.ticks.get()
    }

    /// Draws other data. What was chosen by hand ends with `is_answer`: the data are what was chosen.
    pub fn load(self, model: ChartModel, is_answer: bool) {
        let tails = self.tails.with_untracked(|tails| {
            let newer = |(n, one): (usize, &Charted)| -> Tail {
                // A tail belongs to an entity, which may have another place now.
                let before = self.model.with_untracked(|old| old.charted.iter().position(|other| other.entity.id == one.entity.id));
                let last = one.series.t.last().copied();
                let tail = before.filter(|_| n < model.charted.len()).and_then(|old| tails.get(old)).cloned().unwrap_or_default();
                tail.into_iter().filter(|(at, _)| last.is_none_or(|last| *at > last)).collect()
            };
            model.charted.iter().enumerate().map(newer).collect()
        });
        self.latest.update(|latest| *latest = model.range.to.max(*latest));
        batch_set(self, model, tails, is_answer);
    }

    /// The clock says `now`. `follows` moves what is shown along with it.
    pub fn tick(self, now: Timestamp, follows: bool) {
        if now > self.latest.get_untracked() {
            self.latest.set(now);
        }
        let end = (follows && self.wanted.with_untracked(Option::is_none)).then(|| self.latest.get_untracked());
        let shown = self.end.get_untracked();
        // Less than half a pixel is not worth a drawing.
        let least = self.model.with_untracked(|model| model.range.len_ms()) / 4_000;
        if end.is_some() != shown.is_some() || end.zip(shown).is_some_and(|(end, shown)| end.since_ms(shown) > least) {
            self.end.set(end);
        }
    }

    /// Newer values, each with the place of its series. One that is not newer is left to the next load.
    pub fn append(self, values: &[(usize, Timestamp, f64)]) {
        let model = self.model.get_untracked();
        let mut is_drawn_anew = false;
        self.tails.maybe_update(|tails| {
            let mut has_grown = false;
            for &(n, at, value) in values {
                let (Some(one), Some(tail)) = (model.charted.get(n), tails.get_mut(n)) else { continue };
                let newest = tail.last().map(|(at, _)| *at).or(one.series.t.last().copied());
                if !value.is_finite() || one.words.is_some() || newest.is_some_and(|newest| newest >= at) {
                    continue;
                }
                tail.push((at, value));
                has_grown = true;
                let is_gap = newest.is_none_or(|newest| !one.goes_on(newest, at));
                let is_outside = model.panes.iter().any(|pane| pane.lines.iter().any(|line| line.style == n + 1) && !pane.scale.holds(value));
                is_drawn_anew |= one.is_state() || one.is_meter() || is_gap || is_outside;
            }
            is_drawn_anew |= tails.iter().map(Vec::len).sum::<usize>() > MOST_WAITING;
            has_grown
        });
        if is_drawn_anew {
            let grown = self.tails.with_untracked(|tails| model.grown(tails));
            batch_set(self, grown, vec![vec![]; model.charted.len()], false);
        }
    }

    /// Newer words, each with the place of its series.
    pub fn say(self, news: &[(usize, Timestamp, String)]) {
        if let Some(model) = self.model.with_untracked(|model| model.spoken(news)) {
            // What waits for the lines goes on waiting.
            self.model.set(Arc::new(model));
        }
    }

    /// The stop of the crosshair nearest to a moment.
    pub(super) fn stop_near(self, moment: Timestamp) -> Option<Timestamp> {
        let drawn = self.model.with_untracked(|model| nearest(&model.stops, moment).map(|row| model.stops[row]));
        let waiting =
            self.tails.with_untracked(|tails| tails.iter().flatten().map(|(at, _)| *at).min_by_key(|at| at.since_ms(moment).saturating_abs()));
        drawn.into_iter().chain(waiting).min_by_key(|at| at.since_ms(moment).saturating_abs())
    }

    /// The value of a series, by its place, at a moment. Tracked.
    pub(super) fn value_at(self, model: &ChartModel, n: usize, moment: Timestamp) -> Option<f64> {
        let one = model.charted.get(n)?;
        let waiting = self.tails.with(|tails| {
            let tail = tails.get(n).filter(|tail| tail.first().is_some_and(|(first, _)| *first <= moment))?;
            tail.iter().min_by_key(|(at, _)| at.since_ms(moment).saturating_abs()).map(|(_, value)| *value)
        });
        waiting.or_else(|| one.value_at(moment))
    }

    /// Has figures beside the chart follow the newest values. Not with each value: a table is laid out with the whole page.
    pub fn say_newest(self) {
        self.said.update(|n| *n = n.wrapping_add(1));
    }

    /// The newest value of a series in words, by its place, when [`Chart::say_newest`] was called last. Tracked.
    #[must_use]
    pub fn newest_words(self, n: usize) -> Option<String> {
        self.said.track();
        let waiting = self.tails.with_untracked(|tails| tails.get(n).and_then(|tail| tail.last()).map(|(_, value)| *value));
        self.model.with(|model| {
            let one = model.charted.get(n)?;
            waiting.or_else(|| one.series.last.last().copied()).map(|value| one.bare_words(value))
        })
    }

    /// The place of the crosshair in per cent from the left; `None` where it is out of sight. Tracked.
    pub(super) fn x(self) -> Option<f64> {
        let (at, window) = (self.at.get()?, self.window.get());
        (window.from <= at && at <= window.to).then(|| x_percent(window, at))
    }

    /// The place of a pointer, 0 (left edge of the drawing) to 1; may lie outside. `None` before the drawing stands.
    pub(super) fn place_of(self, client_x: i32) -> Option<f64> {
        let rect = self.drawing.get_untracked()?.get_bounding_client_rect();
        (rect.width() > 0.0).then(|| (f64::from(client_x) - rect.left()) / rect.width())
    }
}

/// Sets what belongs together; what follows any of it runs after all of it.
fn batch_set(chart: Chart, model: ChartModel, tails: Vec<Tail>, is_answer: bool) {
    chart.tails.set(tails);
    chart.model.set(Arc::new(model));
    if is_answer {
        chart.rest();
        chart.wanted.set(None);
        chart.end.set(None);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::components::chart::model::ChartSize;
    use crate::components::chart::tests::{ROWS, charted};
    use domain::entity::EntityKind;
    use domain::history::Resolution;

    const RANGE: Range = Range { from: Timestamp::from_ms(0), to: Timestamp::from_ms(100_000) };

    fn at(s: i64) -> Timestamp {
        Timestamp::from_ms(s * 1_000)
    }

    fn model() -> ChartModel {
        let number = charted("a.b", EntityKind::Sensor, None, Resolution::Raw, &ROWS);
        let state = charted("a.on", EntityKind::Switch, None, Resolution::Raw, &[(0, 0.0), (50_000, 1.0)]);
        ChartModel::new(vec![number, state], RANGE, 0, ChartSize::Full)
    }

    fn with_chart(test: impl FnOnce(Chart)) {
        Owner::new().with(|| test(Chart::zoomable(model())));
    }

    fn drawn(chart: Chart, n: usize) -> usize {
        chart.model.with_untracked(|model| model.charted[n].series.t.len())
    }

    #[test]
    fn a_newer_value_waits_at_the_end_of_its_line() {
        with_chart(|chart| {
            let axis = chart.model.with_untracked(|model| model.panes[0].scale);
            chart.append(&[(0, at(100), 14.5), (0, at(100), 99.0)]);
            chart.append(&[(0, at(90), 99.0), (7, at(100), 1.0)]);
            assert_eq!((drawn(chart, 0), chart.newest_words(0).as_deref()), (5, Some("14.5")));
            assert_eq!(chart.model.with_untracked(|model| model.panes[0].scale), axis);
            let model = chart.model.get_untracked();
            assert_eq!((chart.value_at(&model, 0, at(100)), chart.value_at(&model, 0, at(80))), (Some(14.5), Some(15.0)));
            assert_eq!(chart.stop_near(at(99)), Some(at(100)));
        });
    }

    #[test]
    fn what_a_line_cannot_simply_go_on_with_is_drawn_anew() {
        // Beyond the axis, after a gap, and a state.
        for (n, when, value, rows, words) in [(0, 100, 40.0, 6, "40.0"), (0, 161, 14.0, 6, "14.0"), (1, 90, 0.0, 3, "Closed")] {
            with_chart(|chart| {
                chart.append(&[(n, at(when), value)]);
                assert_eq!((drawn(chart, n), chart.newest_words(n).as_deref()), (rows, Some(words)), "{value} at {when}");
                assert_eq!(chart.tails.get_untracked(), [vec![], vec![]]);
            });
        }
    }

    #[test]
    fn data_that_hold_what_waited_take_its_place() {
        with_chart(|chart| {
            chart.append(&[(0, at(100), 14.5), (0, at(110), 14.6)]);
            let mut newer = model();
            newer.charted[0].push(at(105), 14.7);
            chart.load(newer, true);
            assert_eq!(chart.tails.get_untracked(), [vec![(at(110), 14.6)], vec![]]);
        });
    }

    #[test]
    fn what_follows_the_clock_keeps_its_length_until_somebody_chooses() {
        with_chart(|chart| {
            assert_eq!(chart.window(), RANGE);
            chart.tick(at(130), true);
            assert_eq!(chart.window(), Range { from: at(30), to: at(130) });
            let chosen = Range { from: at(10), to: at(20) };
            chart.want(chosen);
            chart.tick(at(140), true);
            assert_eq!(chart.window(), chosen);
            // Data that were asked for before do not take it away, their answer does.
            chart.load(model(), false);
            assert_eq!(chart.window(), chosen);
            chart.load(model(), true);
            assert_eq!((chart.window(), chart.wanted(), chart.latest()), (RANGE, None, at(140)));
        });
    }
}
