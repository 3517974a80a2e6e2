use sqlx::sqlite::SqliteConnection;

use super::budget::{self, Budget};
use crate::store::StoreError;

/// Free pages that stay: what is cleared away makes room for what comes next.
const KEPT: i64 = 256;

/// Gives some free pages back to the disk, where more are free than a sixteenth of the file, or the file is longer than it may be; how many are to be
/// given back next.
pub(super) async fn give_back(connection: &mut SqliteConnection, budget: Option<Budget>) -> Result<usize, StoreError> {
    // A file of an earlier version cannot be made shorter.
    let is_possible: i64 = sqlx::query_scalar("pragma auto_vacuum").fetch_one(&mut *connection).await?;
    let free = free_pages(connection, budget).await?;
    if is_possible == 0 || free <= 0 {
        return Ok(0);
    }
    // Each is a page from the end of the file moved to a free place: few at once.
    sqlx::query("pragma incremental_vacuum(64)").execute(&mut *connection).await?;
    let left = free_pages(connection, budget).await?.max(0);
    // Should nothing have moved, there is nothing to be gained by asking again.
    Ok(if left < free { usize::try_from(left).unwrap_or(0) } else { 0 })
}

/// Free pages that nobody is to have.
async fn free_pages(connection: &mut SqliteConnection, budget: Option<Budget>) -> Result<i64, StoreError> {
    let (all, free) = budget::pages(connection).await?;
    let too_many = budget.map_or(0, |budget| all - budget.most_pages());
    Ok((free - KEPT.max(all / 16)).max(too_many.min(free)))
}
