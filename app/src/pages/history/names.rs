//! Names of what is charted: two series must not read the same.

use domain::live::EntityView;

use crate::backend::HistoryPage;
use crate::components::chart::model::Charted;

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
            Some(Charted { entity: EntityView { name, ..(*entity).clone() }, series: series.clone(), limits })
        })
        .collect()
}

/// The name of `entity`, with its device where another of `all` has the same name.
#[must_use]
pub(super) fn distinct<'a>(entity: &EntityView, all: impl IntoIterator<Item = &'a EntityView>) -> String {
    let is_shared = all.into_iter().any(|other| other.id != entity.id && other.name == entity.name);
    if is_shared { format!("{}, {}", entity.name, entity.device) } else { entity.name.clone() }
}
