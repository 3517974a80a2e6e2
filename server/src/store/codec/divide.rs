use super::column::Reader;
use super::paged::Paged;
use super::{CodecError, FORMAT, FORMAT_1, FORMAT_3, Room, Sum, decode};

/// What the points of a block come to before the first of some moments in ascending order, between each two, and from the last of them on: one more
/// than there are moments, `None` where there is no point. `first_at` is the first moment of the block, `last_key` [`super::Point::key`] of its last
/// point. Far quicker than [`decode`]: of a long block only those parts are unpacked that have one of the moments in them.
///
/// # Errors
/// [`CodecError`] for everything that [`super::encode`] did not make.
pub fn divide(room: &mut Room, data: &[u8], moments: &[i64], first_at: i64, last_key: i64) -> Result<Vec<Option<Sum>>, CodecError> {
    let columns = Reader::new(data, &[FORMAT, FORMAT_3, FORMAT_1])?;
    if columns.format == FORMAT && columns.n > 0 {
        return Paged::open(room.lay(columns.rest), columns.kind, columns.n)?.divide(moments, first_at, last_key);
    }
    let (points, mut begin) = (decode(data)?, 0);
    let ends = moments.iter().map(|moment| points.partition_point(|point| point.taken_at() < *moment)).chain([points.len()]);
    let part = |end: usize| {
        let part = points.get(begin..end).and_then(Sum::all);
        begin = begin.max(end);
        part
    };
    Ok(ends.map(part).collect())
}
