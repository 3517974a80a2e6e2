use domain::device::{Device, DeviceId};
use domain::entity::{Entity, EntityId};
use serde::Serialize;
use serde::de::DeserializeOwned;
use sqlx::sqlite::SqliteConnection;

use crate::store::StoreError;

pub(super) async fn upsert_devices(connection: &mut SqliteConnection, devices: &[Device]) -> Result<(), StoreError> {
    if devices.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "insert into device (device_id, data)
         select value ->> 'id', value from json_each(?) where true
         on conflict (device_id) do update set data = excluded.data",
    )
    .bind(to_json(&devices)?)
    .execute(connection)
    .await?;
    Ok(())
}

pub(super) async fn upsert_entities(connection: &mut SqliteConnection, entities: &[Entity]) -> Result<(), StoreError> {
    if entities.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "insert into entity (entity_id, device_id, data)
         select value ->> 'id', value ->> 'device', value from json_each(?) where true
         on conflict (entity_id) do update set device_id = excluded.device_id, data = excluded.data",
    )
    .bind(to_json(&entities)?)
    .execute(&mut *connection)
    .await?;
    super::series::set_kinds(connection, entities).await
}

/// What is there no more. The series of an entity stays, and with it its history, for when it comes back.
pub(super) async fn delete(connection: &mut SqliteConnection, devices: &[DeviceId], entities: &[EntityId]) -> Result<(), StoreError> {
    if !devices.is_empty() {
        let query = sqlx::query("delete from device where device_id in (select value from json_each(?))").bind(to_json(&devices)?);
        query.execute(&mut *connection).await?;
    }
    if !entities.is_empty() {
        let query = sqlx::query("delete from entity where entity_id in (select value from json_each(?))").bind(to_json(&entities)?);
        query.execute(connection).await?;
    }
    Ok(())
}

pub(super) async fn list_devices(connection: &mut SqliteConnection) -> Result<Vec<Device>, StoreError> {
    let rows: Vec<String> = sqlx::query_scalar("select data from device order by device_id").fetch_all(connection).await?;
    Ok(readable("device", &rows))
}

pub(super) async fn list_entities(connection: &mut SqliteConnection) -> Result<Vec<Entity>, StoreError> {
    let rows: Vec<String> = sqlx::query_scalar("select data from entity order by entity_id").fetch_all(connection).await?;
    Ok(readable("entity", &rows))
}

pub(super) async fn is_empty(connection: &mut SqliteConnection) -> Result<bool, StoreError> {
    let empty: bool = sqlx::query_scalar(
        "select not exists (select 1 from device) and not exists (select 1 from series)
           and not exists (select 1 from alarm) and not exists (select 1 from command)",
    )
    .fetch_one(connection)
    .await?;
    Ok(empty)
}

/// JSON for a statement.
pub(super) fn to_json<T: Serialize>(value: &T) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|error| StoreError::Failed(error.to_string()))
}

/// The rows that can be read. One that cannot must not keep the server from starting: what it held is found again with the device's next message.
pub(super) fn readable<T: DeserializeOwned>(what: &str, rows: &[String]) -> Vec<T> {
    let read = |row: &String| match serde_json::from_str(row) {
        Ok(value) => Some(value),
        Err(error) => {
            tracing::warn!(what, %error, "A stored row cannot be read and is left out");
            None
        }
    };
    rows.iter().filter_map(read).collect()
}
