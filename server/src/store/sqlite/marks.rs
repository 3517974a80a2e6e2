use domain::command::{Action, CommandReport, CommandState};
use domain::entity::EntityId;
use domain::history::Range;
use domain::time::Timestamp;
use serde::de::DeserializeOwned;
use sqlx::sqlite::SqliteConnection;

use super::alarm_journal;
use super::registry::to_json;
use crate::store::{Marks, StoreError};

/// A command as it is stored: id, entity, when, who, action, state, reason and milliseconds to that state.
type Row = (String, String, i64, String, String, String, Option<String>, Option<i64>);

/// What happened to some entities in a range, at most `limit` alarms and commands, newest kept.
pub(super) async fn list(connection: &mut SqliteConnection, entities: &[EntityId], range: Range, limit: usize) -> Result<Marks, StoreError> {
    let alarms = alarm_journal::spans(connection, entities, range, limit).await?;
    let rows: Vec<Row> = sqlx::query_as(
        "select command_id, entity_id, sent_at, who, action, state, reason, after_ms from command
         where entity_id in (select value from json_each(?)) and sent_at >= ? and sent_at < ?
         order by sent_at desc, command_id limit ?",
    )
    .bind(to_json(&entities)?)
    .bind(range.from.as_ms())
    .bind(range.to.as_ms())
    .bind(i64::try_from(limit).unwrap_or(i64::MAX))
    .fetch_all(&mut *connection)
    .await?;
    Ok(Marks { alarms, commands: rows.into_iter().rev().filter_map(report).collect() })
}

/// A stored command; `None` for one of another release, which this one cannot read.
fn report((id, entity, sent_at, who, action, state, reason, after_ms): Row) -> Option<(CommandReport, String)> {
    let entity = EntityId::parse(&entity).ok()?;
    let action: Action = read(&action)?;
    let state: CommandState = read(&format!("\"{state}\""))?;
    Some((CommandReport { id, entity, action, state, reason, sent_at: Timestamp::from_ms(sent_at), after_ms, usual_ms: None }, who))
}

fn read<T: DeserializeOwned>(json: &str) -> Option<T> {
    serde_json::from_str(json).inspect_err(|error| tracing::warn!(%error, "A stored command cannot be read and is left out")).ok()
}
