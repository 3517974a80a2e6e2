use domain::entity::EntityId;
use domain::time::Timestamp;
use sqlx::sqlite::SqliteConnection;

use crate::store::StoreError;
use crate::store::activity::{Activity, Actor, Place};

/// Adds an entry to the log.
pub(super) async fn insert(connection: &mut SqliteConnection, entry: &Activity) -> Result<(), StoreError> {
    sqlx::query("insert into activity (at, who, address, what, entity_id, outcome, detail) values (?, ?, ?, ?, ?, ?, ?)")
        .bind(entry.at.as_ms())
        .bind(&entry.who.name)
        .bind(entry.who.address.map(|address| address.to_string()))
        .bind(&entry.what)
        .bind(entry.entity.as_ref().map(EntityId::as_str))
        .bind(&entry.outcome)
        .bind(entry.detail.to_string())
        .execute(connection)
        .await?;
    Ok(())
}

/// A row of either table: place, who, address, what, entity, outcome, detail.
type Row = (i64, String, String, Option<String>, String, Option<String>, String, String);

/// Entries before a place, newest first; commands stand among them. At most `limit`, whatever else there is.
pub(super) async fn list(connection: &mut SqliteConnection, before: Option<&Place>, limit: usize) -> Result<Vec<(Place, Activity)>, StoreError> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let (at, id) = before.map_or((i64::MAX, ""), |place| (place.at, place.id.as_str()));
    // Each table gives its newest by its own index, of which the newest of both are taken.
    let rows: Vec<Row> = sqlx::query_as(
        "select at, id, who, address, what, entity_id, outcome, detail from (
           select * from (
             select at, printf('a%016d', activity_id) as id, who, address, what, entity_id, outcome, detail from activity
             where at <= ?1 and (at < ?1 or printf('a%016d', activity_id) < ?2) order by at desc, id desc limit ?3
           )
           union all
           select * from (
             select sent_at as at, 'c' || command_id as id, who, null as address, action ->> 'action' as what, entity_id, state as outcome,
                    json_object('command', command_id, 'action', json(action), 'reason', reason, 'after_ms', after_ms) as detail
             from command
             where sent_at <= ?1 and (sent_at < ?1 or 'c' || command_id < ?2) order by at desc, id desc limit ?3
           )
         ) order by at desc, id desc limit ?3",
    )
    .bind(at)
    .bind(id)
    .bind(limit)
    .fetch_all(connection)
    .await?;
    let entry = |(at, id, name, address, what, entity, outcome, detail): Row| {
        let who = Actor { name, address: address.and_then(|address| address.parse().ok()) };
        let entity = entity.and_then(|entity| EntityId::parse(&entity).ok());
        let detail = serde_json::from_str(&detail).unwrap_or_default();
        (Place { at, id }, Activity { at: Timestamp::from_ms(at), who, what, entity, outcome, detail })
    };
    Ok(rows.into_iter().map(entry).collect())
}
