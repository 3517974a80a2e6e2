use std::ops::Range;

use pco::data_types::Number;
use pco::errors::PcoResult;
use pco::wrapped::{ChunkDecompressor, FileCompressor, FileDecompressor};
use pco::{ChunkConfig, DecompressorScratch, PagingSpec};

use super::{UNIT_POINTS, varint};
use crate::store::codec::CodecError;

/// What pco packs, for which it makes tables of as many bytes.
pub(super) trait Offset: Number + Copy + Default + Ord + Into<u64> + TryFrom<u64> {}

impl Offset for u16 {}
impl Offset for u32 {}
impl Offset for u64 {}

/// Writes integers as how far they are from the least, in pages of so many, as the shorter of some ways says them. Returns the bytes of each page.
pub(super) fn write_integers(out: &mut Vec<u8>, integers: &[i64], least: i64, largest: i64, pages: &[usize], ways: &[ChunkConfig]) -> Vec<usize> {
    match largest.abs_diff(least) {
        0..0x1_0000 => write_offsets::<u16>(out, integers, least, pages, ways),
        0x1_0000..0x1_0000_0000 => write_offsets::<u32>(out, integers, least, pages, ways),
        _ => write_offsets::<u64>(out, integers, least, pages, ways),
    }
}

fn write_offsets<T: Offset>(out: &mut Vec<u8>, integers: &[i64], least: i64, pages: &[usize], ways: &[ChunkConfig]) -> Vec<usize> {
    let offsets: Vec<T> = integers.iter().map(|integer| T::try_from(integer.abs_diff(least)).unwrap_or_default()).collect();
    out.push(u8::try_from(size_of::<T>() * 8).unwrap_or_default());
    varint::write_signed(out, least);
    write_numbers(out, &offsets, pages, ways)
}

/// Writes numbers in pages of so many, in the shortest of some ways. Returns the bytes of each page.
pub(super) fn write_numbers<T: Number>(out: &mut Vec<u8>, numbers: &[T], pages: &[usize], ways: &[ChunkConfig]) -> Vec<usize> {
    let pack = |way: &ChunkConfig| {
        let file = FileCompressor::default();
        let mut chunk = file.chunk_compressor(numbers, &way.clone().with_paging_spec(PagingSpec::Exact(pages.to_vec())))?;
        let (mut packed, mut lens) = (vec![], Vec::with_capacity(pages.len()));
        file.write_header(&mut packed)?;
        chunk.write_meta(&mut packed)?;
        for page in 0..pages.len() {
            let before = packed.len();
            chunk.write_page(page, &mut packed)?;
            lens.push(packed.len() - before);
        }
        PcoResult::Ok((packed, lens))
    };
    let (packed, lens) = ways
        .iter()
        .map(|way| pack(way).expect("the settings are valid, no page is empty, and memory takes all that is written to it"))
        .min_by_key(|(packed, _)| packed.len())
        .unwrap_or_default();
    out.extend_from_slice(&packed);
    lens
}

/// A column of which pages are read. Whoever reads brings the scratch, which is the same for all columns.
pub(super) struct Column<'a, T: Number> {
    chunk: ChunkDecompressor<T>,
    pages: &'a [u8],
    /// What was read last: the first of a page, or all.
    read: Vec<T>,
    /// Where its page begins.
    begin: Option<usize>,
}

impl<'a, T: Number + Default> Column<'a, T> {
    /// Reads what all pages have in common.
    ///
    /// # Errors
    /// [`CodecError`] for what is damaged.
    pub(super) fn open(data: &'a [u8]) -> Result<Self, CodecError> {
        let open = || {
            let (file, rest) = FileDecompressor::new(data)?;
            let (chunk, pages) = file.chunk_decompressor::<T, _>(rest)?;
            PcoResult::Ok(Self { chunk, pages, read: vec![], begin: None })
        };
        open().map_err(|error| CodecError::Damaged(error.to_string()))
    }

    /// The numbers of the page that begins at a byte. The one that was read last is not read again.
    ///
    /// # Errors
    /// [`CodecError`] for what is damaged.
    pub(super) fn page(&mut self, begin: usize, n: usize, scratch: &mut DecompressorScratch) -> Result<&[T], CodecError> {
        self.page_until(begin, n, scratch, |_| false)
    }

    /// The first numbers of a page, as many as are enough, or all. They come in steps of [`UNIT_POINTS`], since a page is read from its beginning.
    ///
    /// # Errors
    /// [`CodecError`] for what is damaged.
    pub(super) fn page_until(
        &mut self,
        begin: usize,
        n: usize,
        scratch: &mut DecompressorScratch,
        is_enough: impl Fn(&[T]) -> bool,
    ) -> Result<&[T], CodecError> {
        let is_read = self.begin == Some(begin) && (self.read.len() == n || is_enough(&self.read));
        if !is_read {
            self.begin = None;
            self.read.clear();
            let page = self.pages.get(begin..).ok_or(CodecError::CutOff(self.pages.len()))?;
            let mut read = || {
                let mut page = self.chunk.page_decompressor_with_scratch(page, n, scratch)?;
                while self.read.len() < n && (self.read.is_empty() || !is_enough(&self.read)) {
                    let from = self.read.len();
                    self.read.resize(n.min(from + UNIT_POINTS), T::default());
                    page.read(&mut self.read[from..])?;
                }
                PcoResult::Ok(())
            };
            read().map_err(|error| CodecError::Damaged(error.to_string()))?;
            self.begin = Some(begin);
        }
        Ok(&self.read)
    }
}

/// A column of integers, whichever they are packed as.
pub(super) enum Integers<'a> {
    Short(i64, Column<'a, u16>),
    Middle(i64, Column<'a, u32>),
    Long(i64, Column<'a, u64>),
}

impl<'a> Integers<'a> {
    /// Reads what all pages have in common.
    ///
    /// # Errors
    /// [`CodecError`] for what is damaged.
    pub(super) fn open(mut data: &'a [u8]) -> Result<Self, CodecError> {
        let bits = varint::byte(&mut data)?;
        let least = varint::read_signed(&mut data)?;
        match bits {
            16 => Ok(Self::Short(least, Column::open(data)?)),
            32 => Ok(Self::Middle(least, Column::open(data)?)),
            64 => Ok(Self::Long(least, Column::open(data)?)),
            _ => Err(CodecError::Damaged(format!("integers of {bits} bits"))),
        }
    }

    /// The least of all.
    pub(super) const fn least(&self) -> i64 {
        match self {
            Self::Short(least, _) | Self::Middle(least, _) | Self::Long(least, _) => *least,
        }
    }

    /// Appends what is made of each integer of a page, and of its place there.
    ///
    /// # Errors
    /// [`CodecError`] for what is damaged.
    pub(super) fn extend<V>(
        &mut self,
        begin: usize,
        n: usize,
        scratch: &mut DecompressorScratch,
        out: &mut Vec<V>,
        make: impl Fn(usize, i64) -> V,
    ) -> Result<(), CodecError> {
        fn all<T: Offset, V>(least: i64, offsets: &[T], out: &mut Vec<V>, make: impl Fn(usize, i64) -> V) {
            out.extend(offsets.iter().enumerate().map(|(idx, offset)| make(idx, least.wrapping_add_unsigned((*offset).into()))));
        }
        match self {
            Self::Short(least, column) => all(*least, column.page(begin, n, scratch)?, out, make),
            Self::Middle(least, column) => all(*least, column.page(begin, n, scratch)?, out, make),
            Self::Long(least, column) => all(*least, column.page(begin, n, scratch)?, out, make),
        }
        Ok(())
    }

    /// How many of a page something is true of, where it is true of none after one that it is not true of; and the last of those. It is asked of an
    /// integer and its place in the page.
    ///
    /// # Errors
    /// [`CodecError`] for what is damaged.
    pub(super) fn first(
        &mut self,
        begin: usize,
        n: usize,
        scratch: &mut DecompressorScratch,
        is_so: impl Fn(usize, i64) -> bool,
    ) -> Result<(usize, Option<i64>), CodecError> {
        fn first<T: Offset>(
            (begin, n): (usize, usize),
            scratch: &mut DecompressorScratch,
            (least, column): (i64, &mut Column<'_, T>),
            is_so: impl Fn(usize, i64) -> bool,
        ) -> Result<(usize, Option<i64>), CodecError> {
            let integer = |offset: T| least.wrapping_add_unsigned(offset.into());
            let is_past = |read: &[T]| read.last().is_some_and(|last| !is_so(read.len() - 1, integer(*last)));
            let read = column.page_until(begin, n, scratch, is_past)?;
            let (mut low, mut high) = (0, read.len());
            while low < high {
                let middle = low.midpoint(high);
                if is_so(middle, integer(read[middle])) {
                    low = middle + 1;
                } else {
                    high = middle;
                }
            }
            Ok((low, low.checked_sub(1).and_then(|last| read.get(last)).map(|last| integer(*last))))
        }
        match self {
            Self::Short(least, column) => first((begin, n), scratch, (*least, column), is_so),
            Self::Middle(least, column) => first((begin, n), scratch, (*least, column), is_so),
            Self::Long(least, column) => first((begin, n), scratch, (*least, column), is_so),
        }
    }

    /// What some of a page come to.
    ///
    /// # Errors
    /// [`CodecError`] for what is damaged.
    pub(super) fn total(
        &mut self,
        begin: usize,
        n: usize,
        scratch: &mut DecompressorScratch,
        some: Range<usize>,
    ) -> Result<Option<Total>, CodecError> {
        Ok(match self {
            Self::Short(least, column) => Total::of(*least, column.page(begin, n, scratch)?.get(some).unwrap_or_default()),
            Self::Middle(least, column) => Total::of(*least, column.page(begin, n, scratch)?.get(some).unwrap_or_default()),
            Self::Long(least, column) => Total::of(*least, column.page(begin, n, scratch)?.get(some).unwrap_or_default()),
        })
    }
}

/// What integers come to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Total {
    pub(super) total: i128,
    pub(super) low: i64,
    pub(super) high: i64,
    pub(super) last: i64,
}

impl Total {
    /// `None` for none.
    fn of<T: Offset>(least: i64, offsets: &[T]) -> Option<Self> {
        let last = *offsets.last()?;
        // Of a block that is not damaged no such sum leaves the range.
        let part = |some: &[T]| some.iter().fold(0u64, |sum, offset| sum.wrapping_add((*offset).into()));
        let total: u128 = offsets.chunks(256).map(|some| u128::from(part(some))).sum();
        let (low, high) = offsets.iter().fold((last, last), |(low, high), offset| (low.min(*offset), high.max(*offset)));
        let number = |offset: T| least.wrapping_add_unsigned(offset.into());
        let n = i128::try_from(offsets.len()).ok()?;
        Some(Self { total: i128::from(least) * n + total.cast_signed(), low: number(low), high: number(high), last: number(last) })
    }
}
