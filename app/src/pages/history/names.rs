//! What is charted, under names that tell it apart.

use domain::entity::EntityId;
use domain::history::Series;
use domain::live::EntityView;

use crate::backend::HistoryPage;
use crate::components::chart::events::{alarm_lane, command_lane};
use crate::components::chart::model::{ChartModel, ChartSize, Charted};

/// The chart of a page.
#[must_use]
pub(super) fn model(page: &HistoryPage, has_band: bool) -> ChartModel {
    let (range, offset) = (page.range, page.utc_offset_s);
    let all = charted(page);
    let name = |id: &EntityId| all.iter().find(|one| one.entity.id == *id).map(|one| one.entity.name.clone()).unwrap_or_default();
    let alarms = alarm_lane(&page.alarms, range, offset, |alarm| name(&alarm.entity));
    let commands = command_lane(&page.commands, range, offset, |report| name(&report.entity));
    let events = alarms.into_iter().chain(commands).collect();
    let model = ChartModel::new(all, range, offset, ChartSize::Full).with_events(events);
    if has_band { model } else { model.without_band() }
}

/// The chosen series with their entities, in the order chosen. A series whose entity is not among the choices is left out.
#[must_use]
pub(super) fn charted(page: &HistoryPage) -> Vec<Charted> {
    let chosen: Vec<&EntityView> = page.chosen.iter().filter_map(|id| page.choices.iter().find(|choice| choice.id == *id)).collect();
    page.series
        .iter()
        .filter_map(|series| {
            let entity = chosen.iter().find(|choice| choice.id == series.entity)?;
            let limits = page.chosen.iter().position(|id| *id == series.entity).and_then(|n| page.limits.get(n)).cloned().unwrap_or_default();
            let name = distinct(entity, chosen.iter().copied());
            let previous = page.previous.iter().find(|before| before.entity == series.entity);
            let entity = EntityView { name, ..(*entity).clone() };
            if let Some(words) = page.words.iter().find(|words| words.entity == series.entity) {
                return Some(Charted::spoken(entity, words.clone()));
            }
            let one = Charted::new(entity, series.clone(), limits);
            Some(one.beside(previous.map(|before| moved(before, page.range.len_ms()))))
        })
        .collect()
}

/// A series later by `ms`.
fn moved(series: &Series, ms: i64) -> Series {
    Series { t: series.t.iter().map(|t| t.plus_ms(ms)).collect(), ..series.clone() }
}

/// The name of `entity`, with its device where another of `all` has the same name.
#[must_use]
pub(super) fn distinct<'a>(entity: &EntityView, all: impl IntoIterator<Item = &'a EntityView>) -> String {
    let is_shared = all.into_iter().any(|other| other.id != entity.id && other.name == entity.name);
    if is_shared { format!("{}, {}", entity.name, entity.device) } else { entity.name.clone() }
}
