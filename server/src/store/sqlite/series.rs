use std::collections::HashMap;

use domain::entity::{Entity, EntityId};
use domain::history::SeriesKind;
use domain::reading::Reading;
use sqlx::sqlite::SqliteConnection;

use super::latest::Latest;
use super::registry::to_json;
use crate::store::StoreError;

/// Keys known to be in the database.
#[derive(Debug, Default)]
pub(super) struct Keys {
    known: HashMap<EntityId, i64>,
    /// The state that each of them was in last.
    pub(super) latest: Latest,
}

impl Keys {
    /// The key of each reading's entity, given out where there is none yet.
    pub(super) async fn of(&mut self, connection: &mut SqliteConnection, readings: &[Reading]) -> Result<Vec<i64>, StoreError> {
        let unknown: Vec<EntityId> =
            readings.iter().filter(|reading| !self.known.contains_key(&reading.entity)).map(|reading| reading.entity.clone()).collect();
        if !unknown.is_empty() {
            insert(connection, &unknown).await?;
            self.known.extend(find(connection, &unknown).await?);
        }
        let key = |reading: &Reading| self.known.get(&reading.entity).copied();
        readings.iter().map(key).collect::<Option<_>>().ok_or_else(|| StoreError::Failed("a series was not stored".to_owned()))
    }

    /// Forgets all keys; they are looked up again.
    pub(super) fn forget(&mut self) {
        self.known.clear();
        self.latest.forget();
    }
}

async fn insert(connection: &mut SqliteConnection, entities: &[EntityId]) -> Result<(), StoreError> {
    sqlx::query("insert into series (entity_id) select value from json_each(?) where true on conflict (entity_id) do nothing")
        .bind(to_json(&entities)?)
        .execute(connection)
        .await?;
    Ok(())
}

/// The keys of those entities that have a history.
pub(super) async fn find(connection: &mut SqliteConnection, entities: &[EntityId]) -> Result<HashMap<EntityId, i64>, StoreError> {
    let rows: Vec<(i64, i64)> =
        sqlx::query_as("select asked.key, series.series_id from json_each(?) as asked cross join series on series.entity_id = asked.value")
            .bind(to_json(&entities)?)
            .fetch_all(connection)
            .await?;
    Ok(rows.into_iter().filter_map(|(idx, key)| Some((entities.get(usize::try_from(idx).ok()?)?.clone(), key))).collect())
}

/// The keys of those entities that have a history, and what it is a history of.
pub(super) async fn find_kinds(connection: &mut SqliteConnection, entities: &[EntityId]) -> Result<HashMap<EntityId, (i64, SeriesKind)>, StoreError> {
    let rows: Vec<(i64, i64, Option<i64>)> =
        sqlx::query_as("select asked.key, series.series_id, kind from json_each(?) as asked cross join series on series.entity_id = asked.value")
            .bind(to_json(&entities)?)
            .fetch_all(connection)
            .await?;
    let found = |(idx, key, kind): (i64, i64, Option<i64>)| Some((entities.get(usize::try_from(idx).ok()?)?.clone(), (key, kind_of(kind))));
    Ok(rows.into_iter().filter_map(found).collect())
}

/// Which of some series are of states or of meters.
pub(super) async fn traced(connection: &mut SqliteConnection, series: &[i64]) -> Result<Vec<i64>, StoreError> {
    let sql = "select series_id from json_each(?) as asked cross join series on series_id = asked.value where kind > 0";
    Ok(sqlx::query_scalar(sql).bind(to_json(&series)?).fetch_all(connection).await?)
}

/// Notes what the histories of entities are histories of. Writes only what changed.
pub(super) async fn set_kinds(connection: &mut SqliteConnection, entities: &[Entity]) -> Result<(), StoreError> {
    let rows: Vec<(&EntityId, i64)> = entities.iter().map(|entity| (&entity.id, number_of(entity.series_kind()))).collect();
    sqlx::query(
        "insert into series (entity_id, kind) select value ->> 0, value ->> 1 from json_each(?) where true
         on conflict (entity_id) do update set kind = excluded.kind where kind is not excluded.kind",
    )
    .bind(to_json(&rows)?)
    .execute(connection)
    .await?;
    Ok(())
}

/// Notes what the histories of all known entities are histories of: an earlier version did not. Writes only where something is to be written.
pub(super) async fn know_kinds(connection: &mut SqliteConnection) -> Result<(), StoreError> {
    let entities = super::registry::list_entities(connection).await?;
    let known: HashMap<String, Option<i64>> =
        sqlx::query_as::<_, (String, Option<i64>)>("select entity_id, kind from series").fetch_all(&mut *connection).await?.into_iter().collect();
    let is_news = |entity: &Entity| known.get(entity.id.as_str()).copied().flatten() != Some(number_of(entity.series_kind()));
    let news: Vec<Entity> = entities.into_iter().filter(is_news).collect();
    if news.is_empty() { Ok(()) } else { set_kinds(connection, &news).await }
}

/// Notes that the histories of some series are of states, where nobody knew.
pub(super) async fn set_states(connection: &mut SqliteConnection, series: &[i64]) -> Result<(), StoreError> {
    sqlx::query("update series set kind = 1 where kind is null and series_id in (select value from json_each(?))")
        .bind(to_json(&series)?)
        .execute(connection)
        .await?;
    Ok(())
}

const fn kind_of(number: Option<i64>) -> SeriesKind {
    match number {
        Some(1) => SeriesKind::Step,
        Some(2) => SeriesKind::Counter,
        _ => SeriesKind::Gauge,
    }
}

const fn number_of(kind: SeriesKind) -> i64 {
    match kind {
        SeriesKind::Gauge => 0,
        SeriesKind::Step => 1,
        SeriesKind::Counter => 2,
    }
}
