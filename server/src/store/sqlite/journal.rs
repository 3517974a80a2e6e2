//! What came in, in order of arrival, a row a batch: appending is the cheapest that can be done to a table, and nothing is ever asked of it but to
//! be read whole at a start.

use sqlx::sqlite::SqliteConnection;

use super::registry::to_json;
use crate::store::StoreError;
use crate::store::codec::Point;

/// Points in a row, so that no row is long.
const ROW_POINTS: usize = 4_096;
/// Rows that are read at once.
const ROWS: i64 = 64;

/// A number and whose it is.
pub(super) type Entry = (i64, Point);

/// What the numbers of a row are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Devices sent them.
    Came = 0,
    /// They were filled in afterwards, and are nobody's last value.
    Filled = 1,
    /// They are taken out of the rows before.
    TakenOut = 2,
}

/// A row that was read.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) seq: i64,
    pub(super) kind: Kind,
    pub(super) entries: Vec<Entry>,
}

/// Appends what a batch brought, after row `seq`; returns the last row then.
pub(super) async fn append(connection: &mut SqliteConnection, mut seq: i64, kind: Kind, entries: &[Entry]) -> Result<i64, StoreError> {
    for row in entries.chunks(ROW_POINTS) {
        seq += 1;
        sqlx::query("insert into journal (seq, kind, data) values (?, ?, ?)")
            .bind(seq)
            .bind(kind as i64)
            .bind(encode(row))
            .execute(&mut *connection)
            .await?;
    }
    Ok(seq)
}

/// Some rows after `seq`; whoever asks again from the last one reads all.
pub(super) async fn list(connection: &mut SqliteConnection, seq: i64) -> Result<Vec<Row>, StoreError> {
    let rows: Vec<(i64, i64, Vec<u8>)> =
        sqlx::query_as("select seq, kind, data from journal where seq > ? order by seq limit ?").bind(seq).bind(ROWS).fetch_all(connection).await?;
    let row = |(seq, kind, data): (i64, i64, Vec<u8>)| {
        let kind = match kind {
            0 => Some(Kind::Came),
            1 => Some(Kind::Filled),
            2 => Some(Kind::TakenOut),
            _ => None,
        };
        let (kind, entries) = kind.zip(decode(&data)).ok_or_else(|| StoreError::Failed(format!("row {seq} of the journal is damaged")))?;
        Ok(Row { seq, kind, entries })
    };
    rows.into_iter().map(row).collect()
}

/// Deletes some rows up to `seq`; how many.
pub(super) async fn delete(connection: &mut SqliteConnection, seq: i64) -> Result<u64, StoreError> {
    let rows: Vec<i64> =
        sqlx::query_scalar("select seq from journal where seq <= ? order by seq limit ?").bind(seq).bind(ROWS).fetch_all(&mut *connection).await?;
    if rows.is_empty() {
        return Ok(0);
    }
    let done = sqlx::query("delete from journal where seq in (select value from json_each(?))").bind(to_json(&rows)?).execute(connection).await?;
    Ok(done.rows_affected())
}

/// Series and time as differences to the entry before, seven bits a byte; numbers as they are.
fn encode(entries: &[Entry]) -> Vec<u8> {
    let mut out = Vec::with_capacity(entries.len() * 13);
    let (mut series, mut key) = (0i64, 0i64);
    for (next, point) in entries {
        append_difference(&mut out, next.wrapping_sub(series));
        append_difference(&mut out, point.key().wrapping_sub(key));
        out.extend(point.value.to_bits().to_le_bytes());
        (series, key) = (*next, point.key());
    }
    out
}

fn decode(mut data: &[u8]) -> Option<Vec<Entry>> {
    let mut entries = Vec::with_capacity(data.len() / 10);
    let (mut series, mut key) = (0i64, 0i64);
    while !data.is_empty() {
        series = series.wrapping_add(take_difference(&mut data)?);
        key = key.wrapping_add(take_difference(&mut data)?);
        let (number, rest) = data.split_first_chunk()?;
        data = rest;
        let value = f64::from_bits(u64::from_le_bytes(*number));
        // What is not finite was never written.
        entries.push((series, Point::of_key(key, value.is_finite().then_some(value)?)));
    }
    Some(entries)
}

fn append_difference(out: &mut Vec<u8>, difference: i64) {
    // The sign goes to the last bit, so that small differences are small either way.
    let mut left = (difference.wrapping_shl(1) ^ (difference >> 63)).cast_unsigned();
    while left >= 0x80 {
        out.push((left & 0x7f) as u8 | 0x80);
        left >>= 7;
    }
    out.push(left as u8);
}

fn take_difference(data: &mut &[u8]) -> Option<i64> {
    let mut found = 0u64;
    for shift in (0..64).step_by(7) {
        let (&byte, rest) = data.split_first()?;
        *data = rest;
        found |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some((found >> 1).cast_signed() ^ -(found & 1).cast_signed());
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_written_is_read_again(entries in prop::collection::vec((any::<i64>(), any::<i64>(), -1e300f64..1e300), 0..200)) {
            let entries: Vec<Entry> = entries.into_iter().map(|(series, key, value)| (series, Point::of_key(key, value))).collect();
            prop_assert_eq!(decode(&encode(&entries)), Some(entries));
        }

        #[test]
        fn anything_else_is_refused_or_read(data in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = decode(&data);
        }
    }

    #[test]
    fn a_reading_of_a_batch_costs_few_bytes() {
        let entries: Vec<Entry> = (0..1_000).map(|i| (i * 7 % 1_000, Point::new(1_781_273_006_123 + i / 5, false, 21.4))).collect();
        assert!(encode(&entries).len() < 12 * entries.len());
    }
}
