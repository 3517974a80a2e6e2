//! Columns of equal length, one after the other, with a checksum over all.

use std::hash::Hasher as _;

use pco::data_types::Number;
use pco::wrapped::{FileCompressor, FileDecompressor};
use pco::{ChunkConfig, DeltaSpec, ModeSpec};

use super::scale;
use super::{CodecError, MAX_POINTS};

/// What stands before the columns.
pub(super) const HEAD_BYTES: usize = 10;
/// With this level pco tells hardly any kinds of numbers apart.
const PLAIN_LEVEL: usize = 2;
/// The part of a column that may be paid for reading it quickly.
const PLAIN_PART: usize = 48;
/// Numbers as they are, not as integers.
const AS_IS: u8 = 255;

/// Writes columns.
pub(super) struct Writer {
    out: Vec<u8>,
}

impl Writer {
    /// `format` says what the columns are, `kind` something about them.
    pub(super) fn new(format: u8, kind: u8, n: usize) -> Self {
        assert!(n <= MAX_POINTS, "blocks are cut long before");
        let n = u32::try_from(n).expect("fewer than the most points");
        let mut out = vec![format, kind];
        out.extend(n.to_le_bytes());
        out.extend([0; 4]);
        Self { out }
    }

    /// Integers of which each is a little more than the one before.
    pub(super) fn ticking(&mut self, column: &[i64]) {
        // No other guess is worth its search.
        let config = ChunkConfig::default().with_mode_spec(ModeSpec::Classic).with_delta_spec(DeltaSpec::TryConsecutive(1));
        let begin = self.out.len();
        self.append(column, &config);
        let plain_from = self.out.len();
        self.append(column, &config.with_compression_level(PLAIN_LEVEL));
        // Few kinds of differences are read in half the time, which is worth a little room.
        let (small, plain) = (plain_from - begin, self.out.len() - plain_from);
        if plain <= small + small / PLAIN_PART {
            self.out.drain(begin..plain_from);
        } else {
            self.out.truncate(plain_from);
        }
    }

    /// Any integers.
    pub(super) fn integers(&mut self, column: &[i64]) {
        self.append(column, &ChunkConfig::default());
    }

    /// Any numbers; decimals as integers.
    pub(super) fn numbers(&mut self, column: &[f64]) {
        match scale::to_integers(column) {
            Some((decimals, integers)) => {
                self.out.push(decimals);
                self.integers(&integers);
            }
            None => {
                self.out.push(AS_IS);
                self.append(column, &ChunkConfig::default());
            }
        }
    }

    /// Everything written so far, to write more.
    pub(super) const fn bytes(&mut self) -> &mut Vec<u8> {
        &mut self.out
    }

    /// Everything written, with its checksum.
    pub(super) fn finish(mut self) -> Vec<u8> {
        let sum = checksum(&self.out);
        self.out[HEAD_BYTES - 4..HEAD_BYTES].copy_from_slice(&sum.to_le_bytes());
        self.out
    }

    fn append<T: Number>(&mut self, column: &[T], config: &ChunkConfig) {
        if column.is_empty() {
            return;
        }
        let file = FileCompressor::default();
        let mut write = || {
            file.write_header(&mut self.out)?;
            let mut chunk = file.chunk_compressor(column, config)?;
            chunk.write_meta(&mut self.out)?;
            chunk.write_page(0, &mut self.out)?;
            pco::errors::PcoResult::Ok(())
        };
        write().expect("the settings are valid, there are numbers but not too many, and memory takes all that is written to it");
    }
}

/// Reads columns in the order they were written.
pub(super) struct Reader<'a> {
    /// What was not read yet.
    pub(super) rest: &'a [u8],
    /// What the columns are.
    pub(super) format: u8,
    /// Something about the columns.
    pub(super) kind: u8,
    /// Length of each.
    pub(super) n: usize,
}

impl<'a> Reader<'a> {
    pub(super) fn new(data: &'a [u8], expected: &[u8]) -> Result<Self, CodecError> {
        let (Some(&[format, kind, n0, n1, n2, n3, s0, s1, s2, s3]), Some(rest)) = (data.first_chunk(), data.get(HEAD_BYTES..)) else {
            return Err(CodecError::CutOff(data.len()));
        };
        if !expected.contains(&format) {
            return Err(CodecError::Format(format));
        }
        if checksum(data) != u32::from_le_bytes([s0, s1, s2, s3]) {
            return Err(CodecError::Damaged("its checksum differs".to_owned()));
        }
        let n = usize::try_from(u32::from_le_bytes([n0, n1, n2, n3])).unwrap_or(usize::MAX);
        if n > MAX_POINTS {
            return Err(CodecError::Damaged(format!("{n} points")));
        }
        Ok(Self { rest, format, kind, n })
    }

    pub(super) fn integers(&mut self) -> Result<Vec<i64>, CodecError> {
        self.take()
    }

    pub(super) fn numbers(&mut self) -> Result<Vec<f64>, CodecError> {
        let (&kind, rest) = self.rest.split_first().ok_or(CodecError::CutOff(0))?;
        self.rest = rest;
        if kind == AS_IS {
            return self.take();
        }
        scale::to_numbers(kind, &self.take::<i64>()?).ok_or_else(|| CodecError::Damaged(format!("numbers with {kind} decimals")))
    }

    fn take<T: Number + Default>(&mut self) -> Result<Vec<T>, CodecError> {
        let mut column = vec![T::default(); self.n];
        if self.n == 0 {
            return Ok(column);
        }
        let mut read = || {
            let (file, left) = FileDecompressor::new(self.rest)?;
            let (mut chunk, left) = file.chunk_decompressor::<T, _>(left)?;
            let mut page = chunk.page_decompressor(left, self.n)?;
            page.read(&mut column)?;
            self.rest = page.into_src();
            pco::errors::PcoResult::Ok(())
        };
        read().map_err(|error| CodecError::Damaged(error.to_string()))?;
        Ok(column)
    }
}

/// Over everything but the checksum itself: against disks that forget, not against people.
pub(super) fn checksum(data: &[u8]) -> u32 {
    let (before, after) = (&data[..HEAD_BYTES - 4], &data[HEAD_BYTES..]);
    match data[0] {
        // FNV-1a, folded. It takes as long as reading half of the numbers.
        super::FORMAT_1 | super::sum::FORMAT => {
            let mut hasher = fnv::FnvHasher::default();
            hasher.write(before);
            hasher.write(after);
            let hash = hasher.finish();
            #[expect(clippy::cast_possible_truncation, reason = "both halves are in it")]
            let folded = (hash ^ (hash >> 32)) as u32;
            folded
        }
        _ => {
            let mut hasher = crc32fast::Hasher::new();
            hasher.update(before);
            hasher.update(after);
            hasher.finalize()
        }
    }
}
