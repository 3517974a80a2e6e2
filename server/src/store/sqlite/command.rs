use domain::command::CommandReport;
use sqlx::sqlite::SqliteConnection;

use super::registry::to_json;
use crate::store::StoreError;

/// One row a command, with its newest state.
pub(super) async fn upsert(connection: &mut SqliteConnection, commands: &[(CommandReport, String)]) -> Result<(), StoreError> {
    if commands.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "insert into command (command_id, entity_id, sent_at, who, action, state, reason, after_ms)
         select value ->> '$[0].id', value ->> '$[0].entity', value ->> '$[0].sent_at', value ->> '$[1]', value -> '$[0].action',
                value ->> '$[0].state', value ->> '$[0].reason', value ->> '$[0].after_ms'
         from json_each(?) where true
         on conflict (command_id) do update set state = excluded.state, reason = excluded.reason, after_ms = excluded.after_ms",
    )
    .bind(to_json(&commands)?)
    .execute(connection)
    .await?;
    Ok(())
}
