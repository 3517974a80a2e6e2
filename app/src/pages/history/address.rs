//! The address of the history page: it carries the whole view.

use domain::entity::EntityId;
use domain::history::Range;
use domain::time::{DAY_MS, HOUR_MS, MINUTE_MS, Timestamp};
use leptos_router::params::ParamsMap;
use serde::{Deserialize, Serialize};

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

/// What an address asks for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Asked {
    /// What the server is asked.
    pub(super) request: HistoryRequest,
    /// Draws the area from smallest to largest.
    pub(super) has_band: bool,
    /// What the list of series is narrowed to.
    pub(super) filter: String,
    /// The reading that somebody is asked about before it is taken out: `a.b@1781273006000`.
    #[serde(default)]
    pub(super) exclude: String,
}

/// Reads an address: `/history?e=a.b&e=c.d&range=24h&to=1781273006000&compare=1&band=0`, where `entities=a.b,c.d` does as well.
#[must_use]
pub(super) fn asked(query: &ParamsMap) -> Asked {
    let text = |key| query.get(key).unwrap_or_default();
    let (from, to) = (text("from"), text("to"));
    // One more than can be drawn is enough to see that there were too many.
    let listed = || text("entities").split(',').filter(|id| !id.is_empty()).map(str::to_owned).collect::<Vec<_>>();
    let mut entities = query.get_all("e").unwrap_or_else(listed);
    entities.truncate(MOST_SERIES + 1);
    let range = Some(text("range")).filter(|word| !word.is_empty()).unwrap_or_else(|| "24h".to_owned());
    Asked {
        request: HistoryRequest {
            entities,
            range,
            from,
            to,
            compare: text("compare") == "1",
            points: text("points").parse().ok(),
            meter: text("meter") == "1",
        },
        has_band: text("band") != "0",
        filter: text("q"),
        exclude: text("exclude"),
    }
}

/// A view of the history page, from which the addresses of its neighbors are made.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct View {
    /// What is charted, in order.
    pub(super) chosen: Vec<EntityId>,
    /// What is shown.
    pub(super) range: Range,
    /// The end follows the clock.
    pub(super) is_live: bool,
    /// Beside the period before.
    pub(super) compare: bool,
    /// With the area from smallest to largest.
    pub(super) has_band: bool,
    /// What the list of series is narrowed to.
    pub(super) filter: String,
    /// What meters show, instead of what they counted; `None` where none is charted.
    pub(super) meter: Option<bool>,
    points: Option<usize>,
    now: Timestamp,
    /// Both ends were given.
    is_custom: bool,
}

impl View {
    /// The view that a page shows.
    pub(super) fn of(page: &HistoryPage, asked: &Asked) -> Self {
        let Asked { request, has_band, filter, .. } = asked;
        Self {
            chosen: page.chosen.clone(),
            range: page.range,
            is_live: page.is_live,
            compare: request.compare,
            has_band: *has_band,
            filter: filter.clone(),
            meter: (request.meter || page.series.iter().any(|series| !series.increase.is_empty())).then_some(request.meter),
            points: request.points,
            now: page.shell.now,
            is_custom: !request.from.is_empty() && !PRESETS.iter().any(|preset| preset.ms == page.range.len_ms()),
        }
    }

    /// The length in use; `None` for one of its own.
    pub(super) fn preset(&self) -> Option<Preset> {
        let nearest = PRESETS.into_iter().min_by_key(|preset| (preset.ms - self.range.len_ms()).abs())?;
        (!self.is_custom).then_some(nearest)
    }

    /// The address of this view.
    pub(super) fn href(&self) -> String {
        let mut href = Address::of(&self.chosen);
        match self.preset() {
            Some(preset) => {
                href.push("range", preset.word);
                if !self.is_live {
                    href.push("to", &self.range.to.as_ms().to_string());
                }
            }
            None => {
                href.push("from", &self.range.from.as_ms().to_string());
                href.push("to", &self.range.to.as_ms().to_string());
            }
        }
        for (key, value) in self.options() {
            href.push(key, &value);
        }
        href.0
    }

    /// What the address says besides entities and range.
    pub(super) fn options(&self) -> Vec<(&'static str, String)> {
        let compare = self.compare.then(|| ("compare", "1".to_owned()));
        let band = (!self.has_band).then(|| ("band", "0".to_owned()));
        let meter = (self.meter == Some(true)).then(|| ("meter", "1".to_owned()));
        let points = self.points.map(|points| ("points", points.to_string()));
        compare.into_iter().chain(band).chain(meter).chain(points).collect()
    }

    /// The parts of the address that say what is shown, for a form.
    pub(super) fn range_fields(&self) -> Vec<(&'static str, String)> {
        match self.preset() {
            Some(preset) if self.is_live => vec![("range", preset.word.to_owned())],
            Some(preset) => vec![("range", preset.word.to_owned()), ("to", self.range.to.as_ms().to_string())],
            None => vec![("from", self.range.from.as_ms().to_string()), ("to", self.range.to.as_ms().to_string())],
        }
    }

    /// The address with another length, and the same end.
    pub(super) fn with_preset(&self, preset: Preset) -> String {
        let from = self.range.to.plus_ms(-preset.ms);
        Self { range: Range { from, to: self.range.to }, is_custom: false, ..self.clone() }.href()
    }

    /// The address of a part of time.
    pub(super) fn with_range(&self, range: Range) -> String {
        Self { range, is_live: false, is_custom: true, ..self.clone() }.href()
    }

    /// The address of a range as a form's fields write it: `2026-06-11T14:03`.
    pub(super) fn with_civil(&self, from: &str, to: &str) -> String {
        let mut href = Address::of(&self.chosen);
        // Whatever else stands there is not taken: the server says that it is no time.
        let plain = |text: &str| -> String { text.chars().filter(|c| c.is_ascii_alphanumeric() || "-:.".contains(*c)).collect() };
        href.push("from", &plain(from));
        href.push("to", &plain(to));
        for (key, value) in self.options() {
            href.push(key, &value);
        }
        href.0
    }

    /// The address that asks whether a reading is to be taken out.
    pub(super) fn excluding(&self, id: &EntityId, at: Timestamp) -> String {
        let mut href = Address(self.href());
        href.push("exclude", &format!("{id}@{}", at.as_ms()));
        href.0
    }

    /// What is one step called: `One day`.
    pub(super) fn step(&self) -> &'static str {
        self.preset().map_or("One period", |preset| preset.step)
    }

    /// The address of one length earlier.
    pub(super) fn back(&self) -> String {
        self.moved(-self.range.len_ms()).href()
    }

    /// The address of one length later; `None` at the present. What would reach the present, or a twentieth of the length before it, follows the
    /// clock again: time goes on while somebody looks.
    pub(super) fn forward(&self) -> Option<String> {
        if self.is_live || self.range.to >= self.now {
            return None;
        }
        let later = self.moved(self.range.len_ms());
        if later.range.to < self.now.plus_ms(-self.range.len_ms() / 20) {
            return Some(later.href());
        }
        let last = self.moved(self.now.since_ms(self.range.to));
        Some(Self { is_live: !last.is_custom, ..last }.href())
    }

    fn moved(&self, ms: i64) -> Self {
        let range = Range { from: self.range.from.plus_ms(ms), to: self.range.to.plus_ms(ms) };
        Self { range, is_live: false, ..self.clone() }
    }

    /// The address that compares, or not.
    pub(super) fn with_compare(&self, compare: bool) -> String {
        Self { compare, ..self.clone() }.href()
    }

    /// The address with or without the area from smallest to largest.
    pub(super) fn with_band(&self, has_band: bool) -> String {
        Self { has_band, ..self.clone() }.href()
    }

    /// The address with what meters show, or what they counted.
    pub(super) fn with_meter(&self, is_shown: bool) -> String {
        Self { meter: Some(is_shown), ..self.clone() }.href()
    }

    /// The address that follows the clock, with the length in use or the next one, or that stands still.
    pub(super) fn with_live(&self, is_live: bool) -> String {
        let preset = PRESETS.into_iter().find(|preset| preset.ms >= self.range.len_ms()).unwrap_or(PRESETS[5]);
        let from = self.range.to.plus_ms(-preset.ms);
        let range = if is_live { Range { from, to: self.range.to } } else { self.range };
        Self { is_live, is_custom: !is_live && self.is_custom, range, ..self.clone() }.href()
    }

    /// The address that shows the same to everybody, also tomorrow.
    pub(super) fn share(&self) -> String {
        Self { is_live: false, ..self.clone() }.href()
    }

    /// The address without one of the chosen.
    pub(super) fn without(&self, id: &EntityId) -> String {
        let chosen = self.chosen.iter().filter(|one| *one != id).cloned().collect();
        Self { chosen, ..self.clone() }.href()
    }

    /// The address with one more at the end, or without it.
    pub(super) fn toggled(&self, id: &EntityId, is_on: bool) -> String {
        if !is_on {
            return self.without(id);
        }
        let added = (!self.chosen.contains(id)).then_some(id);
        Self { chosen: self.chosen.iter().chain(added).cloned().collect(), ..self.clone() }.href()
    }

    /// The address of the same as a table for programs: the drawn points, or every reading.
    pub(super) fn csv(&self, is_raw: bool) -> String {
        let ids: Vec<&str> = self.chosen.iter().map(EntityId::as_str).collect();
        let (from, to) = (self.range.from.as_ms(), self.range.to.as_ms());
        let rows = if is_raw { "resolution=raw".to_owned() } else { format!("points={}", self.points.unwrap_or(500)) };
        format!("/api/v1/history.csv?entities={}&from={from}&to={to}&{rows}", ids.join(","))
    }
}

/// The address of the last 24 hours of one entity.
#[must_use]
pub(in crate::pages) fn day_of(id: &EntityId) -> String {
    let mut href = Address::of(std::slice::from_ref(id));
    href.push("range", PRESETS[2].word);
    href.0
}

/// An address that is being written. Ids, words and numbers hold nothing that it would have to escape.
struct Address(String);

impl Address {
    fn of(chosen: &[EntityId]) -> Self {
        let mut address = Self("/history".to_owned());
        for id in chosen {
            address.push("e", id.as_str());
        }
        if chosen.is_empty() {
            // Nothing chosen is something else than nothing said.
            address.push("e", "");
        }
        address
    }

    fn push(&mut self, key: &str, value: &str) {
        self.0.push(if self.0.contains('?') { '&' } else { '?' });
        self.0.push_str(key);
        self.0.push('=');
        self.0.push_str(value);
    }
}

#[cfg(test)]
mod tests;
