//! Points in pages: what a page comes to stands in front, so that whoever divides a block unpacks only the pages with an edge in them.
//!
//! ```text
//! byte 10     points of a page, in 256; 0 where all are in one. The last page holds what is left over, half of a page to one and a half
//! byte 11     digits after the point of the numbers, or 255 for numbers as they are
//! step        by how much a time lies after the one before, in 65,536ths of its unit, zigzag; what is packed of times is how far they are from there
//! pages       where there are several, for each: bytes of its numbers, bytes of its times; but for the last page its last time after that of the page
//!             before; what its numbers come to: least, largest and last, and the sum of all beyond the least (8 bytes each for numbers as they are:
//!             least, largest, last, sum)
//! numbers     length in bytes, then a column: bits of an integer (or 0 for numbers as they are), the least of them, zigzag; header, chunk and pages of
//!             pco's wrapped format, which pack how far each is from the least
//! times       a column
//! ```
//!
//! Integers without a size are little endian, 7 bits a byte.

pub(super) use read::Paged;
pub use room::Room;
pub(super) use write::encode;

/// Columns of unsigned integers and of numbers, by pages.
mod column;
/// Times as how far they are from a regular step.
mod grid;
/// What numbers come to, of which some are integers.
mod part;
/// From bytes to points.
mod read;
/// Memory to unpack in.
mod room;
/// Integers of as few bytes as they need.
mod varint;
/// From points to bytes.
mod write;

/// Points of a page: a page is unpacked in some ten microseconds, and what stands beside it takes a fiftieth of it.
const PAGE_POINTS: usize = 512;
/// Pages are made of so many: what pco unpacks at once.
const UNIT_POINTS: usize = pco::FULL_BATCH_N;
/// Numbers as they are, not as integers.
const AS_IS: u8 = 255;

/// How many pages there are, of `page_points` each, 0 for one page. The last one takes what is left over: half of one at least, one and a half at most.
const fn n_pages(n: usize, page_points: usize) -> usize {
    match (n + page_points / 2).checked_div(page_points) {
        None | Some(0) => 1,
        Some(pages) => pages,
    }
}
