//! What operators wrote about entities, devices and areas.

use domain::device::{AreaId, DeviceId};
use domain::entity::EntityId;
use domain::written::{AreaOverride, DeviceOverride, Override, Written};
use serde::de::DeserializeOwned;
use sqlx::sqlite::SqliteConnection;

use super::registry::{readable, to_json};
use crate::store::StoreError;

/// Stores what is written, in this order; where nothing is left, nothing is stored.
pub(super) async fn upsert(connection: &mut SqliteConnection, written: &[Written]) -> Result<(), StoreError> {
    for written in written {
        let (subject, id, data, is_nothing) = match written {
            Written::Entity(id, written) => ("entity", id.as_str(), to_json(written)?, *written == Override::default()),
            Written::Device(id, written) => ("device", id.as_str(), to_json(written)?, *written == DeviceOverride::default()),
            Written::Area(id, written) => ("area", id.as_str(), to_json(written)?, *written == AreaOverride::default()),
        };
        if is_nothing {
            sqlx::query("delete from override where subject = ? and subject_id = ?").bind(subject).bind(id).execute(&mut *connection).await?;
        } else {
            sqlx::query(
                "insert into override (subject, subject_id, data) values (?, ?, ?)
                 on conflict (subject, subject_id) do update set data = excluded.data",
            )
            .bind(subject)
            .bind(id)
            .bind(data)
            .execute(&mut *connection)
            .await?;
        }
    }
    Ok(())
}

/// All of it, by subject and id. What cannot be read is left out.
pub(super) async fn list(connection: &mut SqliteConnection) -> Result<Vec<Written>, StoreError> {
    let rows: Vec<(String, String, String)> =
        sqlx::query_as("select subject, subject_id, data from override order by subject, subject_id").fetch_all(connection).await?;
    Ok(rows.into_iter().filter_map(|(subject, id, data)| read(&subject, &id, data)).collect())
}

fn read(subject: &str, id: &str, data: String) -> Option<Written> {
    fn data_of<T: DeserializeOwned>(data: String) -> Option<T> {
        readable("override", &[data]).pop()
    }
    match subject {
        "entity" => Some(Written::Entity(EntityId::parse(id).ok()?, data_of(data)?)),
        "device" => Some(Written::Device(DeviceId::parse(id).ok()?, data_of(data)?)),
        "area" => Some(Written::Area(AreaId::parse(id).ok()?, data_of(data)?)),
        _ => None,
    }
}
