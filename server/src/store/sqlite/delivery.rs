use std::sync::Arc;

use sqlx::sqlite::SqliteConnection;

use super::registry::to_json;
use crate::redelivery::{REMEMBERED, Taken};
use crate::store::StoreError;

/// Writes the newest into the ring, over the oldest.
pub(super) async fn upsert(connection: &mut SqliteConnection, taken: &[Taken]) -> Result<(), StoreError> {
    if taken.is_empty() {
        return Ok(());
    }
    let row = |taken: &Taken| (taken.link.to_string(), taken.n % REMEMBERED, taken.n, taken.packet_id, taken.digest.cast_signed());
    sqlx::query(
        "insert or replace into delivery (link, slot, n, packet_id, digest)
         select value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4 from json_each(?)",
    )
    .bind(to_json(&taken.iter().map(row).collect::<Vec<_>>())?)
    .execute(connection)
    .await?;
    Ok(())
}

/// Everything remembered, oldest first.
pub(super) async fn list(connection: &mut SqliteConnection) -> Result<Vec<Taken>, StoreError> {
    let rows: Vec<(String, i64, u16, i64)> =
        sqlx::query_as("select link, n, packet_id, digest from delivery order by n").fetch_all(connection).await?;
    let taken = |(link, n, packet_id, digest): (String, i64, u16, i64)| Taken {
        link: Arc::from(link),
        n: n.cast_unsigned(),
        packet_id,
        digest: digest.cast_unsigned(),
    };
    Ok(rows.into_iter().map(taken).collect())
}
