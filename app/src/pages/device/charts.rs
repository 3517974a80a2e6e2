//! The last 24 hours of a device's first numbers.

use domain::history::Range;
use domain::time::DAY_MS;
use leptos::prelude::*;

use crate::backend::DevicePage;
use crate::components::chart::model::{ChartModel, ChartSize, Charted};
use crate::components::chart::{Chart, TimeChart};
use crate::components::icon;
use crate::erase::Erase as _;
use crate::pages::history::day_of;

/// The ids of the charts: as many as there can be.
const IDS: [(&str, &str); 2] = [("day-1", "day-1-h"), ("day-2", "day-2-h")];

/// The small charts; nothing without numbers.
pub(super) fn charts(page: &DevicePage) -> Option<AnyView> {
    let range = Range { from: page.shell.now.plus_ms(-DAY_MS), to: page.shell.now };
    let charted = page.charts.iter().filter_map(|series| {
        let tile = page.tiles.iter().find(|tile| tile.entity.id == series.entity)?;
        Some(Charted::new(tile.entity.clone(), series.clone(), tile.limits.clone()))
    });
    let figures: Vec<AnyView> = charted.zip(IDS).map(|(one, ids)| figure(one, ids, range, page.shell.utc_offset_s)).collect();
    (!figures.is_empty()).then(|| view! { <div class="cols-2">{figures}</div> }.erase())
}

fn figure(one: Charted, (id, head_id): (&'static str, &'static str), range: Range, utc_offset_s: i32) -> AnyView {
    let name = one.entity.name.clone();
    let href = day_of(&one.entity.id);
    let model = ChartModel::new(vec![one], range, utc_offset_s, ChartSize::Small);
    view! {
        <figure class="card" aria-labelledby=head_id>
            <figcaption class="card-head">
                <h3 id=head_id>{name.clone()}</h3>
                <p>"last 24 h"</p>
                <a class="button button-quiet row-end" href=href aria-label=format!("History of {name}")>
                    {icon("history", "")}
                    "History"
                </a>
            </figcaption>
            <TimeChart chart=Chart::fixed(model) id/>
        </figure>
    }
    .erase()
}
