//! What topics are about, as operators wrote it: a few patterns in their order.

use sqlx::sqlite::SqliteConnection;

use crate::store::StoreError;

/// All of them, in their order.
pub(super) async fn list(connection: &mut SqliteConnection) -> Result<Vec<String>, StoreError> {
    Ok(sqlx::query_scalar("select pattern from topic_pattern order by place").fetch_all(connection).await?)
}

/// Puts others in the place of all of them.
pub(super) async fn replace(connection: &mut SqliteConnection, patterns: &[String]) -> Result<(), StoreError> {
    sqlx::query("delete from topic_pattern").execute(&mut *connection).await?;
    for (place, pattern) in (0_i64..).zip(patterns) {
        sqlx::query("insert into topic_pattern (place, pattern) values (?, ?)").bind(place).bind(pattern).execute(&mut *connection).await?;
    }
    Ok(())
}
