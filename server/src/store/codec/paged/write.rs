use pco::{ChunkConfig, DeltaSpec, ModeSpec};

use super::column::{write_integers, write_numbers};
use super::part::Part;
use super::{AS_IS, PAGE_POINTS, UNIT_POINTS, grid, n_pages, varint};
use crate::store::codec::column::Writer;
use crate::store::codec::{FORMAT, Point, Times, scale};

/// What is packed as well with tables half as long is unpacked sooner: they are made anew for each block.
const LEVEL: usize = 6;
/// Integers that lie further apart are all in one page: their sums would need more bits than there are.
const PAGED_SPAN: u64 = 1 << 32;

/// Packs points that are in order.
pub(in crate::store::codec) fn encode(points: &[Point]) -> Vec<u8> {
    let times = Times::of(points);
    let mut out = Writer::new(FORMAT, times as u8, points.len());
    if !points.is_empty() {
        write(out.bytes(), points, times);
    }
    out.finish()
}

fn write(out: &mut Vec<u8>, points: &[Point], times: Times) {
    let marks: Vec<i64> = points.iter().map(|point| times.mark(point)).collect();
    let values: Vec<f64> = points.iter().map(|point| point.value).collect();
    let scaled = scale::to_integers(&values);
    let is_paged = n_pages(points.len(), PAGE_POINTS) > 1 && scaled.as_ref().is_none_or(|(_, integers)| span(integers) < PAGED_SPAN);
    let page_points = if is_paged { PAGE_POINTS } else { 0 };
    let pages: Vec<usize> = (0..n_pages(points.len(), page_points)).map(|page| page * page_points).collect();
    let ends: Vec<usize> = pages.iter().skip(1).copied().chain([points.len()]).collect();
    let ns: Vec<usize> = pages.iter().zip(&ends).map(|(begin, end)| end - begin).collect();

    let (mut numbers, number_lens) = (vec![], &mut vec![]);
    let decimals = match &scaled {
        Some((decimals, integers)) => {
            // Left to itself pco looks at the first two hundred of them only, and takes values as they are for steps from one to the next too rarely.
            let ways = [classic(DeltaSpec::TryConsecutive(1)), ChunkConfig::default().with_compression_level(LEVEL)];
            *number_lens = write_integers(&mut numbers, integers, least(integers), largest(integers), &ns, &ways);
            *decimals
        }
        None => {
            *number_lens = write_numbers(&mut numbers, &values, &ns, &[ChunkConfig::default()]);
            AS_IS
        }
    };
    let (step, offsets, packed, time_lens) = write_times(&marks, &ns);

    out.push(u8::try_from(page_points / UNIT_POINTS).unwrap_or_default());
    out.push(decimals);
    varint::write_signed(out, step);
    if is_paged {
        let mut before = least(&offsets);
        for (idx, (&begin, &end)) in pages.iter().zip(&ends).enumerate() {
            varint::write(out, number_lens[idx] as u64);
            varint::write(out, time_lens[idx] as u64);
            if end < points.len() {
                varint::write_signed(out, offsets[end - 1].wrapping_sub(before));
                before = offsets[end - 1];
            }
            match &scaled {
                Some((_, integers)) => write_integer_sums(out, &integers[begin..end], least(integers)),
                None => write_sums(out, &values[begin..end]),
            }
        }
    }
    varint::write(out, numbers.len() as u64);
    out.extend_from_slice(&numbers);
    out.extend_from_slice(&packed);
}

/// Times in the shorter of two ways: how far they are from a regular step, and how far one is from the one before. The step, what is packed, the column,
/// and the bytes of its pages.
fn write_times(marks: &[i64], pages: &[usize]) -> (i64, Vec<i64>, Vec<u8>, Vec<usize>) {
    let pack = |step: i64, way: DeltaSpec| {
        let offsets: Vec<i64> = marks.iter().enumerate().map(|(idx, mark)| mark.wrapping_sub(grid::after(step, idx))).collect();
        let mut column = vec![];
        let lens = write_integers(&mut column, &offsets, least(&offsets), largest(&offsets), pages, &[classic(way)]);
        (step, offsets, column, lens)
    };
    let chained = pack(0, DeltaSpec::TryConsecutive(1));
    match grid::step(marks) {
        0 => chained,
        step => {
            let regular = pack(step, DeltaSpec::NoOp);
            if regular.2.len() < chained.2.len() { regular } else { chained }
        }
    }
}

fn write_integer_sums(out: &mut Vec<u8>, integers: &[i64], base: i64) {
    let (low, high) = (least(integers), largest(integers));
    varint::write(out, low.abs_diff(base));
    varint::write(out, high.abs_diff(low));
    varint::write(out, integers.last().map_or(0, |last| last.abs_diff(low)));
    varint::write(out, integers.iter().map(|integer| integer.abs_diff(low)).sum());
}

fn write_sums(out: &mut Vec<u8>, numbers: &[f64]) {
    let Some(part) = Part::of(numbers) else { return };
    for number in [part.low, part.high, part.last, part.plain] {
        out.extend(number.to_le_bytes());
    }
}

fn classic(delta: DeltaSpec) -> ChunkConfig {
    // No other guess is worth its search.
    ChunkConfig::default().with_mode_spec(ModeSpec::Classic).with_delta_spec(delta).with_compression_level(LEVEL)
}

fn least(integers: &[i64]) -> i64 {
    integers.iter().copied().min().unwrap_or(0)
}

fn largest(integers: &[i64]) -> i64 {
    integers.iter().copied().max().unwrap_or(0)
}

fn span(integers: &[i64]) -> u64 {
    largest(integers).abs_diff(least(integers))
}
