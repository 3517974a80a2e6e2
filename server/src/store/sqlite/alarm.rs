use domain::alarm::Alarm;
use sqlx::sqlite::SqliteConnection;

use super::registry::{readable, to_json};
use crate::store::StoreError;

pub(super) async fn upsert(connection: &mut SqliteConnection, alarms: &[Alarm]) -> Result<(), StoreError> {
    if alarms.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "insert into alarm (alarm_id, state, data)
         select value ->> 'id', value ->> 'state', value from json_each(?) where true
         on conflict (alarm_id) do update set state = excluded.state, data = excluded.data",
    )
    .bind(to_json(&alarms)?)
    .execute(connection)
    .await?;
    Ok(())
}

pub(super) async fn list_not_normal(connection: &mut SqliteConnection) -> Result<Vec<Alarm>, StoreError> {
    let rows: Vec<String> = sqlx::query_scalar("select data from alarm where state <> 'normal' order by alarm_id").fetch_all(connection).await?;
    Ok(readable("alarm", &rows))
}
