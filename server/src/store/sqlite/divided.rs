//! Blocks that lie in several buckets: they have to be read. Unpacking is work for a processor, and there may be a thousand of them: it is done on the
//! threads for such work, while the next blocks are read from the disk.

use std::collections::VecDeque;
use std::sync::Arc;

use domain::downsample::Grid;
use sqlx::sqlite::SqliteConnection;
use tokio::task::{JoinHandle, spawn_blocking};

use super::block::{self, AllPacked};
use super::buckets::Buckets;
use super::extent::Extent;
use crate::store::StoreError;
use crate::store::codec::{self, Sum};

/// Blocks that are read and unpacked together.
const BLOCKS: usize = 32;
/// So many times as many may be on their way, for one reader.
const AT_ONCE: usize = 4;

/// What parts of blocks come to, by where their bucket begins.
type Parts = Result<Vec<(i64, Sum)>, StoreError>;

/// Adds what lies in the range of some blocks of one series.
pub(super) async fn add(
    connection: &mut SqliteConnection,
    blocks: &[Extent],
    range: (i64, i64),
    grid: &Grid,
    buckets: &mut Buckets,
) -> Result<(), StoreError> {
    if blocks.is_empty() {
        return Ok(());
    }
    let grid = Arc::new(grid.clone());
    let mut unpacking: VecDeque<JoinHandle<Parts>> = VecDeque::new();
    for blocks in blocks.chunks(BLOCKS) {
        if unpacking.len() >= AT_ONCE {
            take(unpacking.pop_front(), buckets).await?;
        }
        let ids: Vec<i64> = blocks.iter().map(|block| block.data_id).collect();
        let packed = block::read_packed(connection, &ids).await?;
        let (blocks, grid) = (blocks.to_vec(), Arc::clone(&grid));
        unpacking.push_back(spawn_blocking(move || divide(&blocks, &packed, range, &grid)));
    }
    while !unpacking.is_empty() {
        take(unpacking.pop_front(), buckets).await?;
    }
    Ok(())
}

/// In order, so that the same question has the same answer to the last bit.
async fn take(parts: Option<JoinHandle<Parts>>, buckets: &mut Buckets) -> Result<(), StoreError> {
    let Some(parts) = parts else { return Ok(()) };
    for (start, sum) in parts.await.map_err(|error| StoreError::Failed(format!("unpacking ended early: {error}")))?? {
        buckets.add(start, &sum);
    }
    Ok(())
}

fn divide(blocks: &[Extent], packed: &AllPacked, (from, to): (i64, i64), grid: &Grid) -> Parts {
    let (mut parts, mut room) = (vec![], codec::Room::default());
    for extent in blocks {
        let data = packed.get(extent.data_id)?;
        // The first part is what lies before the range, the last what lies behind it.
        let (mut moments, mut starts) = (vec![from], vec![]);
        let mut at = extent.start_at.max(from);
        let end = extent.end_at().saturating_add(1).min(to);
        while at < end {
            let (start, next) = grid.bucket(at);
            starts.push(start);
            moments.push(next.min(to));
            at = next;
        }
        let sums =
            codec::divide(&mut room, data, &moments, extent.start_at, extent.last_key).map_err(|error| block::damaged(extent.data_id, &error))?;
        parts.extend(starts.into_iter().zip(sums.into_iter().skip(1)).filter_map(|(start, sum)| Some((start, sum?))));
    }
    Ok(parts)
}
