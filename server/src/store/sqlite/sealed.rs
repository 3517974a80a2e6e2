use sqlx::sqlite::SqliteConnection;

use crate::store::StoreError;

/// Generation of the blocks that are there, and the last row of the journal that they hold.
pub(super) async fn get(connection: &mut SqliteConnection) -> Result<(i64, i64), StoreError> {
    Ok(sqlx::query_as("select generation, seq from sealed where one = 1").fetch_one(connection).await?)
}

/// Blocks of this generation are there from now on, and the journal up to `seq` is not.
pub(super) async fn set(connection: &mut SqliteConnection, generation: i64, seq: i64) -> Result<(), StoreError> {
    sqlx::query("update sealed set generation = ?, seq = ? where one = 1").bind(generation).bind(seq).execute(connection).await?;
    Ok(())
}
