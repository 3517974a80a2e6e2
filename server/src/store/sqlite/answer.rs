use std::collections::HashMap;

use domain::entity::EntityId;
use domain::history::{Resolution, Series, SeriesKind};
use sqlx::sqlite::SqliteConnection;

use super::history::{self, Asked};
use super::hot::Hot;
use super::{series, traced};
use crate::clock::now;
use crate::store::StoreError;

/// One series for each entity, in the order asked.
pub(super) async fn answer(
    reader: &mut SqliteConnection,
    hot: &Hot,
    entities: &[EntityId],
    asked: Asked,
    points: Option<usize>,
) -> Result<Vec<Series>, StoreError> {
    let keys = series::find_kinds(reader, entities).await?;
    let view = hot.view(&distinct(&keys, |_| true));
    let gauges = distinct(&keys, |kind| kind == SeriesKind::Gauge);
    let (found, empty) = match points {
        Some(points) => (history::points(reader, &view, &gauges, &asked, points).await?, Resolution::Raw),
        None => (history::buckets(reader, &view, &gauges, &asked).await?, asked.resolution),
    };
    let (mut traced, now) = (HashMap::new(), now().as_ms());
    for &(key, kind) in keys.values().filter(|(_, kind)| *kind != SeriesKind::Gauge) {
        traced.insert(key, traced::answer(reader, &view, (key, kind), &asked, points, now).await?);
    }
    let series = |entity: &EntityId| {
        let key = keys.get(entity).map(|(key, _)| key);
        let gauge = || key.and_then(|key| found.get(key)).map(|columns| columns.series(entity.clone()));
        let traced = || key.and_then(|key| traced.get(key)).map(|rows| rows.series(entity.clone()));
        gauge().or_else(traced).unwrap_or_else(|| Series::empty(entity.clone(), empty))
    };
    Ok(entities.iter().map(series).collect())
}

/// The keys of entities whose histories are of some kinds.
fn distinct(keys: &HashMap<EntityId, (i64, SeriesKind)>, is_wanted: impl Fn(SeriesKind) -> bool) -> Vec<i64> {
    keys.values().filter(|(_, kind)| is_wanted(*kind)).map(|(key, _)| *key).collect()
}
