//! Tables of readings as they come in: `entity,time,value`, in any order of columns, with others beside.

use domain::device::clean_text;
use domain::reading::Reading;
use domain::time::Timestamp;

use crate::fill::{Given, Target, Unfit};
use crate::moment;
use crate::rows::Row;

/// Names of the columns.
const NAMES: [&str; 3] = ["entity", "time", "value"];

/// Where the columns stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Columns {
    places: [usize; 3],
}

/// The cells of a row that say something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cells<'a> {
    /// Whose.
    pub entity: &'a str,
    /// When.
    pub time: &'a str,
    /// What.
    pub value: &'a str,
}

/// Why a row cannot be read; the message names line and column.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {why}")]
pub struct TableError {
    line: u64,
    column: &'static str,
    why: String,
}

impl TableError {
    /// There is no such entity.
    #[must_use]
    pub fn unknown(line: u64, entity: &str) -> Self {
        Self { line, column: NAMES[0], why: format!("unknown entity \"{}\"", clean_text(entity, 80)) }
    }

    /// The column that is to blame.
    #[must_use]
    pub const fn column(&self) -> &'static str {
        self.column
    }
}

impl Columns {
    /// Reads the first row of a table, which names its columns.
    ///
    /// # Errors
    /// [`TableError`] names the column that is missing.
    pub fn read(head: &Row) -> Result<Self, TableError> {
        let mut places = [0; 3];
        for (place, column) in places.iter_mut().zip(NAMES) {
            let named = |n: &usize| head.cell(*n).is_some_and(|cell| cell.eq_ignore_ascii_case(column));
            let why = || format!("the first line must name the columns {}", NAMES.join(","));
            *place = (0..head.width()).find(named).ok_or_else(|| TableError { line: head.line, column, why: why() })?;
        }
        Ok(Self { places })
    }

    /// What a row says.
    ///
    /// # Errors
    /// [`TableError`] names the column that the row lacks.
    pub fn cells<'a>(&self, row: &'a Row) -> Result<Cells<'a>, TableError> {
        let cell = |n: usize| {
            let missing = || TableError { line: row.line, column: NAMES[n], why: "the row ends before it".to_owned() };
            row.cell(self.places[n]).ok_or_else(missing)
        };
        Ok(Cells { entity: cell(0)?, time: cell(1)?, value: cell(2)? })
    }

    /// The reading that a row says, of the entity that it names.
    ///
    /// # Errors
    /// [`TableError`] says what is wrong with which column.
    pub fn reading(&self, row: &Row, target: &Target, now: Timestamp) -> Result<Reading, TableError> {
        let bad = |column: usize, why: &Unfit| TableError { line: row.line, column: NAMES[column], why: why.to_string() };
        let cells = self.cells(row)?;
        let at = moment::parse(cells.time).ok_or_else(|| bad(1, &Unfit::Time(format!("\"{}\"", clean_text(cells.time, 40)))))?;
        target.reading(at, Given::Text(cells.value), now).map_err(|why| match why {
            Unfit::Future(_) | Unfit::Beyond(_) => bad(1, &why),
            _ => bad(2, &why),
        })
    }
}
