//! The disk budget: what of it is used, and who has to make room.

use sqlx::sqlite::SqliteConnection;

use crate::store::StoreError;

/// Bytes of a page.
pub(super) const PAGE_BYTES: i64 = 4_096;
/// The log is begun anew at this length, whatever the budget.
const LONG_LOG_BYTES: i64 = 64 * 1024 * 1024;

/// Pages that are never for what is new.
const LEFT_PAGES: i64 = 48;

/// How a budget is divided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Budget {
    bytes: i64,
}

/// How little room is left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Pressure {
    /// Enough.
    None,
    /// Old things have to go.
    Some,
    /// At once: there is no time to sum them up.
    High,
}

impl Budget {
    pub(super) fn of(bytes: u64) -> Self {
        // Past what any disk holds sums would overflow.
        Self { bytes: i64::try_from(bytes).unwrap_or(i64::MAX).min(1 << 60) }
    }

    /// Length at which the write-ahead log is begun anew. It takes some batches until that is seen, so that it may be twice as long.
    pub(super) fn long_log_bytes(self) -> i64 {
        (self.bytes / 16).min(LONG_LOG_BYTES)
    }

    /// Pages of the log after which it is copied to the database.
    pub(super) fn checkpoint_pages(self) -> i64 {
        (self.long_log_bytes() / PAGE_BYTES / 4).clamp(8, 1_000)
    }

    /// Most pages of the database file.
    pub(super) fn most_pages(self) -> i64 {
        self.room_bytes() / PAGE_BYTES
    }

    /// Pages that a file of this length may have from now on. One that is longer than the budget needs a few more to become shorter.
    pub(super) fn end_of(self, file_bytes: u64) -> i64 {
        let pages = i64::try_from(file_bytes).unwrap_or(i64::MAX) / PAGE_BYTES;
        if pages > self.most_pages() { pages.saturating_add(LEFT_PAGES) } else { self.most_pages() }
    }

    /// Readings in memory at most: those of the journal, once more while they are sealed.
    pub(super) fn most_hot(self, asked: usize) -> usize {
        usize::try_from(self.bytes / 128).unwrap_or(usize::MAX).min(asked).max(500)
    }

    fn room_bytes(self) -> i64 {
        self.bytes - 2 * self.long_log_bytes()
    }

    /// What single readings may take once the others have to go for them, and minutes, and hours: halves of what is left, and the rest. What one does
    /// not take yet is for single readings.
    pub(super) fn shares(self) -> [i64; 3] {
        let bytes = self.soft_bytes();
        [bytes / 2, bytes / 8 * 3, bytes / 8]
    }

    /// Past it nothing new is taken: what is left is for sealing, and for giving up what is old, which take room before they give some.
    pub(super) fn end_bytes(self) -> i64 {
        self.room_bytes() / 32 * 31 - LEFT_PAGES * PAGE_BYTES
    }

    /// Past it, old things go.
    pub(super) fn soft_bytes(self) -> i64 {
        self.end_bytes() / 16 * 15
    }

    /// What `used` bytes of the file mean.
    pub(super) fn pressure(self, used: i64) -> Pressure {
        match () {
            () if used >= self.end_bytes() / 64 * 63 => Pressure::High,
            () if used >= self.soft_bytes() => Pressure::Some,
            () => Pressure::None,
        }
    }
}

/// Whether there is room for something new. In a file that is longer than a smaller budget allows, that is what was given up so far.
pub(super) async fn has_room(connection: &mut SqliteConnection, budget: Budget) -> Result<bool, StoreError> {
    let (all, free) = pages(connection).await?;
    Ok((all - free) * PAGE_BYTES < budget.end_bytes() || all > budget.most_pages() && free > LEFT_PAGES)
}

/// Pages of the file, and how many of them are free.
pub(super) async fn pages(connection: &mut SqliteConnection) -> Result<(i64, i64), StoreError> {
    Ok((
        sqlx::query_scalar("pragma page_count").fetch_one(&mut *connection).await?,
        sqlx::query_scalar("pragma freelist_count").fetch_one(&mut *connection).await?,
    ))
}

/// Bytes of what is packed: readings, minutes and hours.
pub(super) async fn tiers(connection: &mut SqliteConnection) -> Result<[i64; 3], StoreError> {
    let rows: Vec<(String, i64)> = sqlx::query_as("select name, bytes from tier").fetch_all(connection).await?;
    Ok(["raw", "minutes", "hours"].map(|tier| rows.iter().find(|(name, _)| name == tier).map_or(0, |(_, bytes)| *bytes)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_and_log_fit_into_the_budget_whatever_it_is() {
        for mb in [1u64, 2, 16, 64, 2048, 1 << 20] {
            let budget = Budget::of(mb * 1_000_000);
            let all = budget.most_pages() * PAGE_BYTES + 2 * budget.long_log_bytes();
            assert!(all <= i64::try_from(mb * 1_000_000).unwrap() && all >= i64::try_from(mb * 990_000).unwrap(), "{mb}: {all}");
            assert!(budget.soft_bytes() < budget.most_pages() * PAGE_BYTES, "{mb}");
            assert_eq!(budget.pressure(budget.soft_bytes() - 1), Pressure::None);
            assert_eq!(budget.pressure(budget.soft_bytes()), Pressure::Some);
            assert_eq!(budget.pressure(budget.most_pages() * PAGE_BYTES), Pressure::High);
            assert!(budget.shares().iter().sum::<i64>() <= budget.soft_bytes());
        }
        assert_eq!(Budget::of(2_048_000_000).most_hot(1_000_000), 1_000_000);
        assert_eq!(Budget::of(1_000_000).most_hot(1_000_000), 7_812);
    }
}
