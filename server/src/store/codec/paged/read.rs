use std::ops::Range;

use pco::DecompressorScratch;

use super::column::{Column, Integers, Total};
use super::part::Part;
use super::room::{PADDING, Room};
use super::{AS_IS, UNIT_POINTS, grid, n_pages, varint};
use crate::store::codec::{CodecError, Point, Sum, Times, scale};

/// A block of points of which pages are read.
pub(in crate::store::codec) struct Paged<'a> {
    times: Times,
    n: usize,
    step: i64,
    pages: Vec<Page>,
    numbers: Numbers<'a>,
    marks: Integers<'a>,
    scratch: &'a mut DecompressorScratch,
}

/// Some points that are packed together.
#[derive(Clone, Copy, Debug)]
struct Page {
    /// Its first point.
    begin: usize,
    n: usize,
    numbers_at: usize,
    times_at: usize,
    /// What stands for its last time, but for the last page.
    last: i64,
    /// What its numbers come to, where that is said.
    said: Option<Said>,
}

/// What is said of the numbers of a page.
#[derive(Clone, Copy, Debug)]
enum Said {
    /// The least beyond the least of the block; the largest, the last and all of them beyond that.
    Integers {
        low: u64,
        high: u64,
        last: u64,
        total: u64,
    },
    AsIs(Part),
}

enum Numbers<'a> {
    /// With so many digits after the point.
    Integers(u8, Integers<'a>),
    AsIs(Column<'a, f64>),
}

impl<'a> Paged<'a> {
    /// Reads what stands in front of the pages of a block that was laid into the room; there is one point at least.
    pub(in crate::store::codec) fn open(room: &'a mut Room, kind: u8, n: usize) -> Result<Self, CodecError> {
        let Room { data, end, scratch } = room;
        let mut data: &[u8] = data;
        let times = Times::of_kind(kind)?;
        let page_points = usize::from(varint::byte(&mut data)?) * UNIT_POINTS;
        let decimals = varint::byte(&mut data)?;
        let step = varint::read_signed(&mut data)?;
        let mut pages = vec![Page { begin: 0, n, numbers_at: 0, times_at: 0, last: 0, said: None }];
        if page_points > 0 {
            pages = read_pages(&mut data, n, page_points, decimals)?;
        }
        let len = usize::try_from(varint::read(&mut data)?).unwrap_or(usize::MAX);
        // Numbers are read with what comes behind them in sight, for the same reason that blocks are with zeros behind them.
        let marks = data.get(len..).filter(|marks| marks.len() >= PADDING).ok_or(CodecError::CutOff(*end))?;
        let marks = Integers::open(marks)?;
        let numbers = match decimals {
            AS_IS => Numbers::AsIs(Column::open(data)?),
            _ => Numbers::Integers(decimals, Integers::open(data)?),
        };
        // From how far each is after the one before to what it is.
        let mut before = marks.least();
        for page in &mut pages {
            before = before.wrapping_add(page.last);
            page.last = before.wrapping_add(grid::after(step, (page.begin + page.n).saturating_sub(1)));
        }
        Ok(Self { times, n, step, pages, numbers, marks, scratch })
    }

    /// All points.
    pub(in crate::store::codec) fn points(mut self) -> Result<Vec<Point>, CodecError> {
        let (mut points, mut marks, mut values) = (Vec::with_capacity(self.n), vec![], vec![]);
        for page in &self.pages {
            let (step, begin) = (self.step, page.begin);
            marks.clear();
            self.marks.extend(page.times_at, page.n, self.scratch, &mut marks, |place, offset| mark(step, begin + place, offset))?;
            values.clear();
            match &mut self.numbers {
                Numbers::Integers(decimals, integers) => {
                    let power = power(*decimals)?;
                    integers.extend(page.numbers_at, page.n, self.scratch, &mut values, |_, integer| scale::number(integer, power))?;
                }
                Numbers::AsIs(column) => values.extend_from_slice(column.page(page.numbers_at, page.n, self.scratch)?),
            }
            let marks = marks.iter().zip(&values);
            points.extend(marks.map(|(mark, value)| self.times.point(*mark, *value)));
        }
        Ok(points)
    }

    /// What points come to before the first of some moments, between each two, and from the last of them on. The first moment and the last key are those
    /// of the block.
    pub(in crate::store::codec) fn divide(mut self, moments: &[i64], first_at: i64, last_key: i64) -> Result<Vec<Option<Sum>>, CodecError> {
        let mut parts = Vec::with_capacity(moments.len() + 1);
        let mut begin = 0;
        for moment in moments {
            let (end, key) = if *moment <= first_at { (0, last_key) } else { self.below(self.times.first_mark(*moment), last_key)? };
            parts.push(self.sum(begin..end, key)?);
            begin = end.max(begin);
        }
        parts.push(self.sum(begin..self.n, last_key)?);
        Ok(parts)
    }

    /// How many points lie below a mark, and the key of the last of them, if there is one.
    fn below(&mut self, bound: i64, last_key: i64) -> Result<(usize, i64), CodecError> {
        let (last, whole) = (self.times.mark(&Point::of_key(last_key, 0.0)), self.pages.len() - 1);
        if last < bound {
            return Ok((self.n, last_key));
        }
        let idx = self.pages[..whole].partition_point(|page| page.last < bound);
        let (page, step) = (self.pages[idx], self.step);
        let is_below = |place: usize, offset: i64| mark(step, page.begin + place, offset) < bound;
        let (n, before) = self.marks.first(page.times_at, page.n, self.scratch, is_below)?;
        let before = before.map(|offset| mark(step, page.begin + n.saturating_sub(1), offset));
        let mark = before.or_else(|| Some(self.pages[idx.checked_sub(1)?].last));
        Ok((page.begin + n, mark.map_or(last_key, |mark| self.times.point(mark, 0.0).key())))
    }

    fn sum(&mut self, range: Range<usize>, last_key: i64) -> Result<Option<Sum>, CodecError> {
        let mut all: Option<Part> = None;
        let first = self.pages.partition_point(|page| page.begin + page.n <= range.start);
        for page in &self.pages[first..] {
            if page.begin >= range.end {
                break;
            }
            let some = range.start.saturating_sub(page.begin)..(range.end - page.begin).min(page.n);
            let part = match page.said {
                Some(said) if some.len() == page.n => Some(self.numbers.said(page.n, said)?),
                _ => self.numbers.part(page, self.scratch, some)?,
            };
            match (&mut all, part) {
                (Some(all), Some(part)) => all.then(&part),
                (all, part) => *all = part,
            }
        }
        let decimals = match &self.numbers {
            Numbers::Integers(decimals, _) => Some(*decimals),
            Numbers::AsIs(_) => None,
        };
        Ok(all.and_then(|all| all.sum(decimals, last_key)))
    }
}

impl Numbers<'_> {
    /// What all of a page come to.
    fn said(&self, n: usize, said: Said) -> Result<Part, CodecError> {
        match (self, said) {
            (Self::Integers(decimals, integers), Said::Integers { low, high, last, total }) => {
                let low = integers.least().wrapping_add_unsigned(low);
                let all = i128::from(low).wrapping_mul(n as i128).wrapping_add(i128::from(total));
                integer_part(*decimals, n, &Total { total: all, low, high: low.wrapping_add_unsigned(high), last: low.wrapping_add_unsigned(last) })
            }
            (Self::AsIs(_), Said::AsIs(part)) => Ok(part),
            _ => Err(CodecError::Damaged("sums of other numbers".to_owned())),
        }
    }

    /// What some of a page come to.
    fn part(&mut self, page: &Page, scratch: &mut DecompressorScratch, some: Range<usize>) -> Result<Option<Part>, CodecError> {
        let n = some.len();
        match self {
            Self::Integers(decimals, integers) => {
                integers.total(page.numbers_at, page.n, scratch, some)?.map(|total| integer_part(*decimals, n, &total)).transpose()
            }
            Self::AsIs(column) => Ok(column.page(page.numbers_at, page.n, scratch)?.get(some).and_then(Part::of)),
        }
    }
}

/// What stands for a time, of how far it is from a regular clock after so many points.
const fn mark(step: i64, n: usize, offset: i64) -> i64 {
    offset.wrapping_add(grid::after(step, n))
}

fn integer_part(decimals: u8, n: usize, of: &Total) -> Result<Part, CodecError> {
    let power = power(decimals)?;
    let number = |integer| scale::number(integer, power);
    Ok(Part { n, total: of.total, plain: 0.0, low: number(of.low), high: number(of.high), last: number(of.last) })
}

fn power(decimals: u8) -> Result<f64, CodecError> {
    scale::power(decimals).ok_or_else(|| CodecError::Damaged(format!("numbers with {decimals} decimals")))
}

/// What is said of several pages.
fn read_pages(data: &mut &[u8], n: usize, page_points: usize, decimals: u8) -> Result<Vec<Page>, CodecError> {
    let (mut pages, mut numbers_at, mut times_at) = (vec![], 0usize, 0usize);
    let n_pages = n_pages(n, page_points);
    for idx in 0..n_pages {
        let (begin, is_last) = (idx * page_points, idx + 1 == n_pages);
        let n = if is_last { n - begin } else { page_points };
        let (number_bytes, time_bytes) = (varint::read(data)?, varint::read(data)?);
        let last = if is_last { 0 } else { varint::read_signed(data)? };
        let said = if decimals == AS_IS {
            let (low, high, last, plain) = (varint::number(data)?, varint::number(data)?, varint::number(data)?, varint::number(data)?);
            Said::AsIs(Part { n, total: 0, plain, low, high, last })
        } else {
            Said::Integers { low: varint::read(data)?, high: varint::read(data)?, last: varint::read(data)?, total: varint::read(data)? }
        };
        pages.push(Page { begin, n, numbers_at, times_at, last, said: Some(said) });
        numbers_at = numbers_at.saturating_add(usize::try_from(number_bytes).unwrap_or(usize::MAX));
        times_at = times_at.saturating_add(usize::try_from(time_bytes).unwrap_or(usize::MAX));
    }
    Ok(pages)
}
