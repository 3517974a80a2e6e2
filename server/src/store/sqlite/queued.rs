//! Commands that wait for their devices.

use domain::change::QueueChange;
use domain::command::QueuedCommand;
use sqlx::sqlite::SqliteConnection;

use super::registry::{readable, to_json};
use crate::store::StoreError;

/// What happened to them, in this order.
pub(super) async fn apply(connection: &mut SqliteConnection, changes: &[QueueChange]) -> Result<(), StoreError> {
    for change in changes {
        let query = match change {
            QueueChange::Put(queued) => {
                sqlx::query("insert or replace into queued_command (entity_id, command_id, expires_at, data) values (?, ?, ?, ?)")
                    .bind(queued.report.entity.as_str())
                    .bind(&queued.report.id)
                    .bind(queued.expires_at.as_ms())
                    .bind(to_json(queued)?)
            }
            QueueChange::Gone(id) => sqlx::query("delete from queued_command where command_id = ?").bind(id),
        };
        query.execute(&mut *connection).await?;
    }
    Ok(())
}

pub(super) async fn list(connection: &mut SqliteConnection) -> Result<Vec<QueuedCommand>, StoreError> {
    let rows: Vec<String> = sqlx::query_scalar("select data from queued_command order by entity_id").fetch_all(connection).await?;
    Ok(readable("queued command", &rows))
}
