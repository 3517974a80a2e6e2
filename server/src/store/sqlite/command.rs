use domain::command::CommandReport;
use sqlx::sqlite::SqliteConnection;

use super::registry::to_json;
use crate::store::StoreError;
use crate::store::activity::Actor;

/// One row a command, with its newest state; the log of what was done follows it.
pub(super) async fn upsert(connection: &mut SqliteConnection, commands: &[(CommandReport, Actor)]) -> Result<(), StoreError> {
    if commands.is_empty() {
        return Ok(());
    }
    let commands = to_json(&commands)?;
    sqlx::query(
        "insert into command (command_id, entity_id, sent_at, who, action, state, reason, after_ms)
         select value ->> '$[0].id', value ->> '$[0].entity', value ->> '$[0].sent_at', value ->> '$[1].name', value -> '$[0].action',
                value ->> '$[0].state', value ->> '$[0].reason', value ->> '$[0].after_ms'
         from json_each(?) where true
         on conflict (command_id) do update set state = excluded.state, reason = excluded.reason, after_ms = excluded.after_ms",
    )
    .bind(&commands)
    .execute(&mut *connection)
    .await?;
    super::activity::follow(connection, &commands).await
}
