//! Taking a reading out of history, after a question, and taking it back. Plain forms: a page without script does the same.

use domain::entity::EntityId;
use domain::excluded::Excluded;
use domain::history::Resolution;
use domain::time::Timestamp;
use leptos::prelude::*;

use crate::backend::{HistoryPage, Role};
use crate::components::chart::model::Charted;
use crate::components::chart::time_axis::point_time;
use crate::erase::Erase as _;
use crate::pages::history::address::View;

/// What can be done to the readings of a page.
#[derive(Clone, Debug)]
pub(super) struct Excluding<'a> {
    page: &'a HistoryPage,
    view: View,
    /// The reading that somebody is asked about.
    asked: Option<(EntityId, Timestamp)>,
}

impl<'a> Excluding<'a> {
    /// Of a page that was asked for with `asked`, `a.b@1781265806000`.
    pub(super) fn of(page: &'a HistoryPage, view: View, asked: &str) -> Self {
        let read = |text: &str| {
            let (id, at) = text.split_once('@')?;
            Some((EntityId::parse(id).ok()?, Timestamp::from_ms(at.parse().ok()?)))
        };
        Self { page, view, asked: read(asked) }
    }

    /// A question stands on the page.
    pub(super) fn is_asked(&self, charted: &[Charted]) -> bool {
        self.reading(charted).is_some()
    }

    /// The way to take the reading of a series at a moment out; nothing where it is no reading, and for those who may not.
    pub(super) fn action(&self, one: &Charted, at: Timestamp) -> Option<AnyView> {
        let (_, is_reading) = reading_at(one, at)?;
        (is_reading && self.page.shell.role >= Role::Operator).then(|| {
            let label = format!("Exclude {} of {}", self.when(at), one.entity.name);
            view! {
                "\u{2003}"
                <a class="text-button" href=self.view.excluding(&one.entity.id, at) aria-label=label rel="nofollow">
                    "Exclude"
                </a>
            }
            .erase()
        })
    }

    /// The question about the reading that was chosen.
    pub(super) fn question(&self, charted: &[Charted]) -> Option<AnyView> {
        let (one, at, value) = self.reading(charted)?;
        let what = format!("Take {} of {}, {}, out of history?", one.words(value), one.entity.name, self.when(at));
        Some(
            view! {
                <div class="banner no-print" id="exclude">
                    <p>
                        <strong>{what}</strong>
                        " It leaves charts, figures and tables, and can be taken back. Tiles go on showing what the device said last."
                    </p>
                    <form class="inline-form" method="post" action="/fn/exclude">
                        <input type="hidden" name="entity" value=one.entity.id.to_string()/>
                        <input type="hidden" name="t" value=at.as_ms().to_string()/>
                        <button class="button button-danger" type="submit">
                            "Exclude reading"
                        </button>
                    </form>
                    <a class="button" href=self.view.href()>
                        "Cancel"
                    </a>
                </div>
            }
            .erase(),
        )
    }

    /// What is taken out, with the way back.
    pub(super) fn list(&self) -> Option<AnyView> {
        let HistoryPage { excluded, choices, shell, .. } = self.page;
        let row = |one: &Excluded| {
            let entity = choices.iter().find(|choice| choice.id == one.entity);
            let name = entity.map_or_else(|| one.entity.to_string(), |entity| entity.name.clone());
            let unit = entity.and_then(|entity| entity.unit.as_deref()).map(|unit| format!("\u{a0}{unit}")).unwrap_or_default();
            let value = one.v.words(entity.and_then(|entity| entity.precision)).into_owned() + &unit;
            let label = format!("Include {} of {name} again", self.when(one.t));
            let back = (shell.role >= Role::Operator).then(|| {
                view! {
                    <form class="inline-form" method="post" action="/fn/include">
                        <input type="hidden" name="entity" value=one.entity.to_string()/>
                        <input type="hidden" name="t" value=one.t.as_ms().to_string()/>
                        <button class="text-button" type="submit" aria-label=label>
                            "Include again"
                        </button>
                    </form>
                }
            });
            view! {
                <tr>
                    <th scope="row">
                        <time datetime=one.t.rfc3339()>{self.when(one.t)}</time>
                    </th>
                    <td>{name}</td>
                    <td class="num">{value}</td>
                    <td>{one.who.clone()} <small>{self.day(one.at)}</small></td>
                    <td>{back}</td>
                </tr>
            }
        };
        (!excluded.is_empty()).then(|| {
            view! {
                <div class="table-wrap readings no-print" tabindex="0" role="region" aria-label="Excluded readings">
                    <table class="table" id="excluded">
                        <caption class="hint">"Taken out of history in this period"</caption>
                        <thead>
                            <tr>
                                <th scope="col">"Time"</th>
                                <th scope="col">"Series"</th>
                                <th scope="col" class="num">
                                    "Value"
                                </th>
                                <th scope="col">"By"</th>
                                <th scope="col">
                                    <span class="visually-hidden">"Way back"</span>
                                </th>
                            </tr>
                        </thead>
                        <tbody>{excluded.iter().map(row).collect_view()}</tbody>
                    </table>
                </div>
            }
            .erase()
        })
    }

    /// The reading that somebody is asked about, if it is there.
    fn reading<'c>(&self, charted: &'c [Charted]) -> Option<(&'c Charted, Timestamp, f64)> {
        let (id, at) = self.asked.as_ref().filter(|_| self.page.shell.role >= Role::Operator)?;
        let one = charted.iter().find(|one| one.entity.id == *id)?;
        let (value, is_reading) = reading_at(one, *at)?;
        is_reading.then_some((one, *at, value))
    }

    fn when(&self, at: Timestamp) -> String {
        point_time(at, self.page.range, self.page.utc_offset_s)
    }

    fn day(&self, at: Timestamp) -> String {
        let civil = at.civil(self.page.utc_offset_s);
        format!("{} {}", civil.date(), civil.hour_minute())
    }
}

/// What a series has at a moment, and whether it is a single reading: the state that held when the range began is older than what stands there.
fn reading_at(one: &Charted, at: Timestamp) -> Option<(f64, bool)> {
    let row = one.series.t.binary_search(&at).ok()?;
    let is_reading = one.series.resolution == Resolution::Raw && one.series.n.get(row).is_some_and(|&n| n > 0);
    Some((*one.series.last.get(row)?, is_reading))
}
