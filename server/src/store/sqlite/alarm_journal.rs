//! What became of alarms: each change of state, and from when to when they lasted.

use domain::alarm::{Alarm, AlarmState};
use domain::entity::EntityId;
use domain::history::Range;
use domain::time::Timestamp;
use sqlx::sqlite::SqliteConnection;

use super::registry::{readable, to_json};
use crate::store::{AlarmEvent, StoreError};

/// Writes down what happened to alarms, in this order.
pub(super) async fn append(connection: &mut SqliteConnection, events: &[(Alarm, AlarmEvent)]) -> Result<(), StoreError> {
    if events.is_empty() {
        return Ok(());
    }
    let rows: Vec<_> = events.iter().map(|(alarm, event)| (alarm, event.at, &event.who, event.state)).collect();
    let rows = to_json(&rows)?;
    sqlx::query(
        "insert into alarm_event (alarm_id, at, who, state)
         select value ->> '$[0].id', value ->> '$[1]', value ->> '$[2]', value ->> '$[3]' from json_each(?)",
    )
    .bind(&rows)
    .execute(&mut *connection)
    .await?;
    // What has returned and is acknowledged afterwards ended when it returned.
    sqlx::query(
        "insert into alarm_span (alarm_id, raised_at, entity_id, ended_at, data)
         select value ->> '$[0].id', value ->> '$[0].since', value ->> '$[0].entity',
                iif(value ->> '$[3]' in ('returned', 'normal'), value ->> '$[1]', null), value -> '$[0]'
         from json_each(?) where true
         on conflict (alarm_id, raised_at) do update
           set ended_at = coalesce(alarm_span.ended_at, excluded.ended_at), data = excluded.data",
    )
    .bind(rows)
    .execute(connection)
    .await?;
    Ok(())
}

/// The alarms of some entities that lasted in a range, oldest first, with their ends; at most `limit`, newest kept.
pub(super) async fn spans(
    connection: &mut SqliteConnection,
    entities: &[EntityId],
    range: Range,
    limit: usize,
) -> Result<Vec<(Alarm, Option<Timestamp>)>, StoreError> {
    let rows: Vec<(Option<i64>, String)> = sqlx::query_as(
        "select ended_at, data from json_each(?) as asked
         cross join alarm_span on entity_id = asked.value and raised_at < ? and (ended_at is null or ended_at >= ?)
         order by raised_at desc limit ?",
    )
    .bind(to_json(&entities)?)
    .bind(range.to.as_ms())
    .bind(range.from.as_ms())
    .bind(i64::try_from(limit).unwrap_or(i64::MAX))
    .fetch_all(connection)
    .await?;
    let span = |(ended_at, data): (Option<i64>, String)| Some((readable("alarm", &[data]).pop()?, ended_at.map(Timestamp::from_ms)));
    Ok(rows.into_iter().rev().filter_map(span).collect())
}

/// What happened to an alarm, oldest first; at most `limit`, newest kept.
pub(super) async fn list(connection: &mut SqliteConnection, alarm: &str, limit: usize) -> Result<Vec<AlarmEvent>, StoreError> {
    let rows: Vec<(i64, String, String)> =
        sqlx::query_as("select at, who, state from alarm_event where alarm_id = ? order by at desc, alarm_event_id desc limit ?")
            .bind(alarm)
            .bind(i64::try_from(limit).unwrap_or(i64::MAX))
            .fetch_all(connection)
            .await?;
    let event = |(at, who, state): (i64, String, String)| {
        let state: AlarmState = serde_json::from_value(state.into()).ok()?;
        Some(AlarmEvent { at: Timestamp::from_ms(at), who, state })
    };
    Ok(rows.into_iter().rev().filter_map(event).collect())
}
