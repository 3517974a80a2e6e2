use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use sqlx::sqlite::SqliteConnection;

use super::registry::to_json;
use crate::redelivery::{REMEMBERED, Taken};
use crate::store::StoreError;

/// Messages in a row: a longer one would spill over into a page of its own.
const RUN: usize = 256;
/// Bytes of a message in a row.
const BYTES: usize = 10;

/// Appends messages, and drops what is no longer remembered.
pub(super) async fn append(connection: &mut SqliteConnection, taken: &[Taken]) -> Result<(), StoreError> {
    if taken.is_empty() {
        return Ok(());
    }
    let mut by_link: BTreeMap<&Arc<str>, Vec<&Taken>> = BTreeMap::new();
    for taken in taken {
        by_link.entry(&taken.link).or_default().push(taken);
    }
    let (mut rows, mut ends) = (vec![], vec![]);
    for (link, taken) in by_link {
        for run in runs(&taken) {
            if let Some(last) = run.last() {
                rows.push((link.to_string(), last.n, encode(run)));
            }
        }
        // Now and then only: it is a look at all that is remembered.
        if let (Some(first), Some(last)) = (taken.first(), taken.last())
            && first.n / 256 != (last.n + 1) / 256
        {
            ends.push((link.to_string(), last.n.saturating_sub(REMEMBERED)));
        }
    }
    sqlx::query("insert into delivery_run (link, last_n, data) select value ->> 0, value ->> 1, unhex(value ->> 2) from json_each(?)")
        .bind(to_json(&rows)?)
        .execute(&mut *connection)
        .await?;
    for (link, end) in ends {
        sqlx::query("delete from delivery_run where link = ? and last_n <= ?").bind(link).bind(end.cast_signed()).execute(&mut *connection).await?;
    }
    Ok(())
}

/// Everything remembered, oldest first.
pub(super) async fn list(connection: &mut SqliteConnection) -> Result<Vec<Taken>, StoreError> {
    let rows: Vec<(String, i64, Vec<u8>)> =
        sqlx::query_as("select link, last_n, data from delivery_run order by last_n, link").fetch_all(connection).await?;
    let mut newest: BTreeMap<&str, u64> = BTreeMap::new();
    for (link, last_n, _) in &rows {
        newest.insert(link, last_n.cast_unsigned());
    }
    let mut taken: Vec<Taken> = rows.iter().flat_map(|(link, last_n, data)| decode(link, last_n.cast_unsigned(), data)).collect();
    taken.retain(|taken| newest.get(&*taken.link).is_some_and(|newest| taken.n + REMEMBERED > *newest));
    taken.sort_by_key(|taken| taken.n);
    Ok(taken)
}

/// Runs of messages that follow each other without a gap.
fn runs<'a>(taken: &'a [&'a Taken]) -> impl Iterator<Item = &'a [&'a Taken]> {
    taken.chunk_by(|a, b| a.n + 1 == b.n).flat_map(|run| run.chunks(RUN))
}

/// In hexadecimal, as JSON can carry it.
fn encode(run: &[&Taken]) -> String {
    let mut text = String::with_capacity(run.len() * BYTES * 2);
    for Taken { packet_id, digest, .. } in run {
        write!(text, "{packet_id:04x}{digest:016x}").expect("a string takes all that is written to it");
    }
    text
}

fn decode(link: &str, last_n: u64, data: &[u8]) -> Vec<Taken> {
    let link: Arc<str> = Arc::from(link);
    let messages = data.as_chunks::<BYTES>().0;
    let first = (last_n + 1).saturating_sub(messages.len() as u64);
    let taken = |(n, &[a, b, digest @ ..]): (u64, &[u8; BYTES])| Taken {
        link: Arc::clone(&link),
        n,
        packet_id: u16::from_be_bytes([a, b]),
        digest: u64::from_be_bytes(digest),
    };
    (first..).zip(messages).map(taken).collect()
}
