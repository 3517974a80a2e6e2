use std::collections::HashMap;

use domain::entity::EntityId;
use domain::reading::Reading;
use sqlx::sqlite::SqliteConnection;

use super::registry::to_json;
use crate::store::StoreError;

/// Keys known to be in the database.
#[derive(Debug, Default)]
pub(super) struct Keys {
    known: HashMap<EntityId, i64>,
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
