use std::io::Write;
use std::sync::Arc;

use anyhow::Result;
use domain::history::Series;
use parquet::basic::Compression;
use parquet::data_type::{ByteArray, ByteArrayType, DoubleType, Int32Type, Int64Type};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::parser::parse_message_type;

use super::Sheet;
use crate::table_out::Rows;

/// Rows of a group: what is held in memory.
const GROUP: usize = 131_072;
const EVERY: &str = "message history {
  required binary entity (STRING);
  required int64 time (TIMESTAMP(MILLIS, true));
  required double value;
}";
const BUCKETS: &str = "message history {
  required binary entity (STRING);
  required int64 time (TIMESTAMP(MILLIS, true));
  required double min;
  required double mean;
  required double max;
  required double last;
  required int32 n (INTEGER(32, false));
}";

/// A table of columns.
pub(super) struct Columnar<W: Write + Send> {
    out: SerializedFileWriter<W>,
    is_raw: bool,
    /// Rows that wait until a group is full.
    waiting: Vec<Series>,
    n_waiting: usize,
}

impl<W: Write + Send> Columnar<W> {
    pub(super) fn begin(rows: &Rows, out: W) -> Result<Self> {
        let is_raw = *rows == Rows::Every;
        let schema = Arc::new(parse_message_type(if is_raw { EVERY } else { BUCKETS })?);
        let properties = WriterProperties::builder().set_compression(Compression::SNAPPY).set_created_by("signalbox".to_owned()).build();
        Ok(Self { out: SerializedFileWriter::new(out, schema, Arc::new(properties))?, is_raw, waiting: vec![], n_waiting: 0 })
    }

    fn write_group(&mut self) -> Result<()> {
        let rows = std::mem::take(&mut self.waiting);
        self.n_waiting = 0;
        let mut group = self.out.next_row_group()?;
        let names = rows.iter().flat_map(|series| {
            let name = ByteArray::from(series.entity.as_str());
            series.t.iter().map(move |_| name.clone())
        });
        column::<ByteArrayType, W>(&mut group, &names.collect::<Vec<_>>())?;
        column::<Int64Type, W>(&mut group, &rows.iter().flat_map(|series| series.t.iter().map(|t| t.as_ms())).collect::<Vec<_>>())?;
        let columns: &[fn(&Series) -> &Vec<f64>] = if self.is_raw {
            &[|series| &series.last]
        } else {
            &[|series| &series.min, |series| &series.mean, |series| &series.max, |series| &series.last]
        };
        for of in columns {
            column::<DoubleType, W>(&mut group, &rows.iter().flat_map(|series| of(series).iter().copied()).collect::<Vec<_>>())?;
        }
        if !self.is_raw {
            let ns = rows.iter().flat_map(|series| series.n.iter().map(|n| n.cast_signed()));
            column::<Int32Type, W>(&mut group, &ns.collect::<Vec<_>>())?;
        }
        group.close()?;
        Ok(())
    }
}

impl<W: Write + Send> Sheet for Columnar<W> {
    fn write(&mut self, series: &Series) -> Result<()> {
        self.n_waiting += series.t.len();
        self.waiting.push(series.clone());
        if self.n_waiting >= GROUP { self.write_group() } else { Ok(()) }
    }

    fn finish(mut self: Box<Self>) -> Result<()> {
        if self.n_waiting > 0 {
            self.write_group()?;
        }
        self.out.into_inner()?.flush()?;
        Ok(())
    }
}

fn column<T: parquet::data_type::DataType, W: Write + Send>(group: &mut SerializedRowGroupWriter<'_, W>, values: &[T::T]) -> Result<()> {
    if let Some(mut column) = group.next_column()? {
        column.typed::<T>().write_batch(values, None, None)?;
        column.close()?;
    }
    Ok(())
}
