//! The address of the history page: it carries the whole view.

use domain::entity::EntityId;
use domain::history::Range;
use domain::time::{DAY_MS, HOUR_MS, MINUTE_MS, Timestamp};
use leptos_router::params::ParamsMap;

use crate::backend::{HistoryPage, HistoryRequest};
use crate::components::chart::model::MOST_SERIES;

/// A length of time to look at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Preset {
    /// As the address says it: `24h`.
    pub(super) word: &'static str,
    /// As the page says it: `24 h`.
    pub(super) label: &'static str,
    /// As a step of it is named: `One day`.
    pub(super) step: &'static str,
    ms: i64,
}

/// All lengths, shortest first.
pub(super) const PRESETS: [Preset; 6] = [
    Preset { word: "15m", label: "15 m", step: "15 minutes", ms: 15 * MINUTE_MS },
    Preset { word: "1h", label: "1 h", step: "One hour", ms: HOUR_MS },
    Preset { word: "24h", label: "24 h", step: "One day", ms: DAY_MS },
    Preset { word: "7d", label: "7 d", step: "One week", ms: 7 * DAY_MS },
    Preset { word: "30d", label: "30 d", step: "30 days", ms: 30 * DAY_MS },
    Preset { word: "1y", label: "1 y", step: "One year", ms: 365 * DAY_MS },
];

/// What an address asks for: `/history?e=a.b&e=c.d&range=24h&to=1781273006000`.
#[must_use]
pub(super) fn request(query: &ParamsMap) -> HistoryRequest {
    HistoryRequest {
        // One more than can be drawn is enough to see that there were too many.
        entities: query.get_all("e").unwrap_or_default().into_iter().take(MOST_SERIES + 1).collect(),
        range: query.get("range").filter(|word| !word.is_empty()).unwrap_or_else(|| "24h".to_owned()),
        to: query.get("to").and_then(|ms| ms.parse().ok()),
    }
}

/// A view of the history page, from which the addresses of its neighbors are made.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct View {
    /// What is charted, in order.
    pub(super) chosen: Vec<EntityId>,
    range: Range,
    now: Timestamp,
    /// The end, when it does not follow the clock.
    pinned: Option<Timestamp>,
}

impl View {
    /// The view that a page shows. `to` is the end that was asked for.
    pub(super) fn of(page: &HistoryPage, to: Option<i64>) -> Self {
        Self { chosen: page.chosen.clone(), range: page.range, now: page.shell.now, pinned: to.map(|_| page.range.to) }
    }

    /// The length in use: the one nearest to the range.
    pub(super) fn preset(&self) -> Preset {
        PRESETS.into_iter().min_by_key(|preset| (preset.ms - self.range.len_ms()).abs()).unwrap_or(PRESETS[2])
    }

    /// The end, when it does not follow the clock.
    pub(super) const fn pinned(&self) -> Option<Timestamp> {
        self.pinned
    }

    /// The address with another length, and the same end.
    pub(super) fn with_preset(&self, preset: Preset) -> String {
        href(&self.chosen, preset, self.pinned)
    }

    /// The address of one length earlier.
    pub(super) fn back(&self) -> String {
        href(&self.chosen, self.preset(), Some(self.range.from))
    }

    /// The address of one length later; `None` at the present. What would reach the present follows the clock again.
    pub(super) fn forward(&self) -> Option<String> {
        let to = self.pinned?.plus_ms(self.range.len_ms());
        Some(href(&self.chosen, self.preset(), (to < self.now).then_some(to)))
    }

    /// The address without one of the chosen.
    pub(super) fn without(&self, id: &EntityId) -> String {
        let chosen: Vec<EntityId> = self.chosen.iter().filter(|one| *one != id).cloned().collect();
        href(&chosen, self.preset(), self.pinned)
    }

    /// The address with one more at the end, or without it.
    pub(super) fn toggled(&self, id: &EntityId, is_on: bool) -> String {
        if !is_on || self.chosen.contains(id) {
            return if is_on { href(&self.chosen, self.preset(), self.pinned) } else { self.without(id) };
        }
        let chosen: Vec<EntityId> = self.chosen.iter().chain([id]).cloned().collect();
        href(&chosen, self.preset(), self.pinned)
    }
}

/// The address of the last 24 hours of one entity.
#[must_use]
pub(in crate::pages) fn day_of(id: &EntityId) -> String {
    href(std::slice::from_ref(id), PRESETS[2], None)
}

/// Ids hold nothing that an address would have to escape.
fn href(chosen: &[EntityId], preset: Preset, to: Option<Timestamp>) -> String {
    let mut href = "/history?".to_owned();
    for id in chosen {
        href.push_str("e=");
        href.push_str(id.as_str());
        href.push('&');
    }
    href.push_str("range=");
    href.push_str(preset.word);
    if let Some(to) = to {
        href.push_str("&to=");
        href.push_str(&to.as_ms().to_string());
    }
    href
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_781_273_006_000;

    fn id(text: &str) -> EntityId {
        EntityId::parse(text).expect("id")
    }

    fn view(to: i64, is_pinned: bool) -> View {
        let range = Range { from: Timestamp::from_ms(to - DAY_MS), to: Timestamp::from_ms(to) };
        View { chosen: vec![id("a.b"), id("c.d")], range, now: Timestamp::from_ms(NOW), pinned: is_pinned.then_some(range.to) }
    }

    #[test]
    fn an_address_carries_the_whole_view() {
        let mut query = ParamsMap::new();
        for (key, value) in [("e", "a.b"), ("e", "c.d"), ("range", "7d"), ("to", "1781273006000")] {
            query.insert(key, value.to_owned());
        }
        assert_eq!(request(&query), HistoryRequest { entities: vec!["a.b".into(), "c.d".into()], range: "7d".into(), to: Some(NOW) });
        assert_eq!(request(&ParamsMap::new()), HistoryRequest { entities: vec![], range: "24h".into(), to: None });
    }

    #[test]
    fn steps_go_back_and_return_to_the_present() {
        assert_eq!(view(NOW, false).back(), format!("/history?e=a.b&e=c.d&range=24h&to={}", NOW - DAY_MS));
        assert_eq!(view(NOW, false).forward(), None);
        assert_eq!(view(NOW - DAY_MS, true).forward().as_deref(), Some("/history?e=a.b&e=c.d&range=24h"));
        assert_eq!(view(NOW - 2 * DAY_MS, true).forward(), Some(format!("/history?e=a.b&e=c.d&range=24h&to={}", NOW - DAY_MS)));
    }

    #[test]
    fn the_chosen_change_one_at_a_time() {
        assert_eq!(view(NOW, false).without(&id("a.b")), "/history?e=c.d&range=24h");
        assert_eq!(view(NOW, false).toggled(&id("x.y"), true), "/history?e=a.b&e=c.d&e=x.y&range=24h");
        assert_eq!(view(NOW, false).toggled(&id("a.b"), false), "/history?e=c.d&range=24h");
        assert_eq!(view(NOW, true).with_preset(PRESETS[0]), format!("/history?e=a.b&e=c.d&range=15m&to={NOW}"));
        assert_eq!(day_of(&id("a.b")), "/history?e=a.b&range=24h");
    }
}
