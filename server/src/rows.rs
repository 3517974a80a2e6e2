//! A table with commas that comes in piece by piece: rows with their lines, in bounded memory.

use csv_core::{ReadRecordResult, Reader};

/// Longest row in bytes.
const MAX_BYTES: usize = 64 * 1024;
/// Most columns of a row.
const MAX_FIELDS: usize = 64;

/// Why a table cannot be read, with the line. Lines are counted from 1.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RowsError {
    /// More than is held in memory.
    #[error("line {0}: the row is longer than {MAX_BYTES} bytes")]
    Long(u64),
    /// More than anybody needs.
    #[error("line {0}: the row has more than {MAX_FIELDS} columns")]
    Wide(u64),
    /// Bytes that are no text.
    #[error("line {0}: the row is not UTF-8")]
    NotUtf8(u64),
}

/// A row of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The line that it stands on; of several, the last.
    pub line: u64,
    text: String,
    ends: Vec<usize>,
}

impl Row {
    /// The cell in a column, without what a spreadsheet was kept from reading as a formula with; `None` past the last one.
    #[must_use]
    pub fn cell(&self, column: usize) -> Option<&str> {
        let start = column.checked_sub(1).map_or(Some(0), |before| self.ends.get(before).copied())?;
        let cell = self.text.get(start..*self.ends.get(column)?)?.trim();
        Some(cell.strip_prefix('\'').filter(|rest| rest.starts_with(['=', '+', '-', '@'])).unwrap_or(cell))
    }

    /// How many cells it has.
    #[must_use]
    pub const fn width(&self) -> usize {
        self.ends.len()
    }
}

/// Reads rows.
#[derive(Debug)]
pub struct Rows {
    reader: Reader,
    /// What is known of the row that is being read.
    bytes: Vec<u8>,
    n_bytes: usize,
    ends: Vec<usize>,
    n_ends: usize,
}

impl Default for Rows {
    fn default() -> Self {
        Self { reader: Reader::new(), bytes: vec![0; MAX_BYTES], n_bytes: 0, ends: vec![0; MAX_FIELDS], n_ends: 0 }
    }
}

impl Rows {
    /// Takes a piece of the table, and appends the rows that it completes. No bytes at all are the end of the table.
    ///
    /// # Errors
    /// [`RowsError`]; the rows before it are appended, and nothing more is to be asked.
    pub fn push(&mut self, mut piece: &[u8], rows: &mut Vec<Row>) -> Result<(), RowsError> {
        let is_end = piece.is_empty();
        loop {
            let (result, read, written, ended) = self.reader.read_record(piece, &mut self.bytes[self.n_bytes..], &mut self.ends[self.n_ends..]);
            let has_ended_its_line = read > 0 && piece[read - 1] == b'\n';
            piece = &piece[read..];
            self.n_bytes += written;
            self.n_ends += ended;
            let line = self.reader.line() - u64::from(has_ended_its_line);
            match result {
                ReadRecordResult::InputEmpty if !is_end => return Ok(()),
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::OutputFull => return Err(RowsError::Long(line)),
                ReadRecordResult::OutputEndsFull => return Err(RowsError::Wide(line)),
                ReadRecordResult::Record => {
                    let text = String::from_utf8(self.bytes[..self.n_bytes].to_vec()).map_err(|_| RowsError::NotUtf8(line))?;
                    rows.push(Row { line, text, ends: self.ends[..self.n_ends].to_vec() });
                    (self.n_bytes, self.n_ends) = (0, 0);
                    if piece.is_empty() && !is_end {
                        return Ok(());
                    }
                }
                ReadRecordResult::End => return Ok(()),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Lines and cells of a table that comes in pieces of `size` bytes.
    fn read(table: &[u8], size: usize) -> (Vec<(u64, Vec<String>)>, Option<RowsError>) {
        let (mut rows, mut reader) = (vec![], Rows::default());
        let pieces = table.chunks(size.max(1)).chain([&[][..]]);
        let error = pieces.map(|piece| reader.push(piece, &mut rows)).find_map(Result::err);
        let cells = |row: &Row| (0..row.width()).map(|n| row.cell(n).unwrap().to_owned()).collect();
        (rows.iter().map(|row| (row.line, cells(row))).collect(), error)
    }

    #[test]
    fn rows_know_their_lines_whatever_ends_them_and_wherever_the_table_is_cut() {
        for end in ["\n", "\r\n"] {
            let table = ["\u{feff}entity,time", "a.b,\"1,5\"", "", "c.d, 2 ", "e.f,'-3"].join(end);
            for size in [3, 4, 5, 7, 1_000] {
                let (rows, error) = read(table.as_bytes(), size);
                let expected = [(1, ["entity", "time"]), (2, ["a.b", "1,5"]), (4, ["c.d", "2"]), (5, ["e.f", "-3"])];
                assert_eq!((rows, error), (expected.map(|(line, cells)| (line, cells.map(ToOwned::to_owned).to_vec())).to_vec(), None));
            }
        }
    }

    #[test]
    fn a_quote_is_taken_off_where_it_hides_a_formula_and_nowhere_else() {
        let (rows, _) = read(b"'=1+1,'+5,'@x,'quoted','',x'-1", 8);
        assert_eq!(rows[0].1, ["=1+1", "+5", "@x", "'quoted'", "''", "x'-1"]);
    }

    #[test]
    fn what_would_take_memory_without_end_is_refused_with_its_line() {
        let long = [b"a,b\n".to_vec(), vec![b'x'; MAX_BYTES + 1]].concat();
        assert_eq!(read(&long, 4_096).1, Some(RowsError::Long(2)));
        assert_eq!(read(&[b"\n\n".to_vec(), vec![b','; MAX_FIELDS]].concat(), 7).1, Some(RowsError::Wide(3)));
        let (rows, error) = read(b"a,b\n1,\xff\n", 100);
        assert_eq!((rows.len(), error), (1, Some(RowsError::NotUtf8(2))));
    }

    proptest! {
        #[test]
        fn anything_is_read_the_same_in_pieces_of_any_size(table in prop::collection::vec(prop::sample::select(b"a,'-\"\r\n\xff".to_vec()), 3..60), size in 3usize..9) {
            prop_assert_eq!(read(&table, size), read(&table, table.len()));
        }
    }
}
