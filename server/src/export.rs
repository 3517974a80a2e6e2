//! `signalbox export`: history as a table, beside a running server or without one.

use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail, ensure};
use domain::device::clean_text;
use domain::entity::EntityId;
use domain::history::{Range, Series};
use domain::time::Timestamp;
use jiff::tz::TimeZone;
use tempfile::NamedTempFile;

use crate::application::plant_of;
use crate::clock::now;
use crate::config::Config;
use crate::moment;
use crate::store::StoreError;
use crate::store::sqlite::Beside;
use crate::table_out::{Part, Rows, Source, Table, csv_head, csv_rows};

/// Tables for programs that read columns.
#[cfg(feature = "parquet")]
mod columnar;

/// What `signalbox export` takes, as it is written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExportArgs {
    /// First moment; the beginning of history without one.
    pub from: Option<String>,
    /// First moment after; now without one.
    pub to: Option<String>,
    /// Names of entities, in which `*` stands for anything; all of them without any.
    pub entities: Vec<String>,
    /// `raw`, or the length of a bucket.
    pub resolution: String,
    /// The form of the table.
    pub format: Format,
    /// The file; standard output without one.
    pub output: Option<PathBuf>,
    /// A file that is there is replaced.
    pub force: bool,
}

/// The form of a table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// Lines of text, with commas.
    #[default]
    Csv,
    /// Apache Parquet.
    Parquet,
}

/// A table that is being written.
trait Sheet {
    /// Adds rows.
    fn write(&mut self, series: &Series) -> Result<()>;
    /// Ends the table: everything is written then.
    fn finish(self: Box<Self>) -> Result<()>;
}

/// Writes history as it was asked for. A file is written whole or not at all.
///
/// # Errors
/// A sentence that names what is in the way.
pub async fn run(config: &Config, args: &ExportArgs) -> Result<()> {
    let zone = config.time.zone();
    let rows = match args.resolution.as_str() {
        "raw" => Rows::Every,
        text => {
            let why = || format!("resolution \"{}\" is neither raw nor a length such as 15m or 1h", clean_text(text, 40));
            Rows::Buckets(moment::parse_length(text).with_context(why)?)
        }
    };
    let to = moment_of("to", args.to.as_deref(), &zone)?.unwrap_or_else(|| now().plus_ms(1));
    let from = moment_of("from", args.from.as_deref(), &zone)?;
    ensure!(from.is_none_or(|from| from <= to), "from is after to");
    if let Some(output) = &args.output {
        ensure!(args.force || !output.exists(), "{} is there already; --force replaces it", output.display());
    }
    let mut database = Beside::open(&config.database.path).await?;
    // In the units that are shown, as everywhere else. Nothing is heard here, so no topic needs a pattern.
    let plant = plant_of(config, vec![], database.registry().await?);
    let shown = |mut series: Series| {
        if let Some(conversion) = plant.conversion(&series.entity) {
            series.show_in(conversion);
        }
        series
    };
    let chosen = chosen(database.list_entities().await?, &args.entities)?;
    let mut ranges = Vec::with_capacity(chosen.len());
    for entity in chosen {
        // From where there is something: nobody has to go through the years before.
        let Some(known) = database.ends(&entity).await? else { continue };
        let range = Range { from: known.from.max(from.unwrap_or(known.from)), to: known.to.min(to) };
        if range.from < range.to {
            ranges.push((entity, range));
        }
    }
    let mut table = Table::new(database, ranges.into_iter(), rows.clone());
    match &args.output {
        Some(path) => {
            let file = beside(path)?;
            let mut sheet = sheet(args.format, rows, BufWriter::new(file.reopen()?))?;
            while let Some(Part::Numbers(series)) = table.next().await? {
                sheet.write(&shown(series)).with_context(|| format!("cannot write {}", path.display()))?;
            }
            sheet.finish().with_context(|| format!("cannot write {}", path.display()))?;
            keep(file, path, args.force)
        }
        None => {
            let written = async {
                let mut sheet = sheet(args.format, rows, BufWriter::new(io::stdout()))?;
                while let Some(Part::Numbers(series)) = table.next().await? {
                    sheet.write(&shown(series))?;
                }
                sheet.finish()
            };
            match written.await {
                // Whoever reads has seen enough.
                Err(error) if is_closed_pipe(&error) => Ok(()),
                written => written,
            }
        }
    }
}

fn moment_of(name: &str, text: Option<&str>, zone: &TimeZone) -> Result<Option<Timestamp>> {
    let read = |text: &str| {
        let why = || format!("{name} \"{}\" is no time: write 2026-06-11, 2026-06-11T14:03, RFC 3339 or Unix milliseconds", clean_text(text, 40));
        moment::parse_in(text, zone).with_context(why)
    };
    text.map(read).transpose()
}

/// The entities that one of the names stands for; each name stands for at least one.
fn chosen(all: Vec<EntityId>, names: &[String]) -> Result<Vec<EntityId>> {
    for name in names {
        ensure!(all.iter().any(|id| matches(name, id.as_str())), "no entity with a history is called {}", clean_text(name, 80));
    }
    Ok(all.into_iter().filter(|id| names.is_empty() || names.iter().any(|name| matches(name, id.as_str()))).collect())
}

/// Whether a name, in which `*` stands for anything, stands for a text.
fn matches(name: &str, text: &str) -> bool {
    let Some((before, after)) = name.split_once('*') else { return name == text };
    let Some(mut left) = text.strip_prefix(before) else { return false };
    let mut parts = after.split('*').peekable();
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return left.ends_with(part);
        }
        // The first place is as good as any: what follows has the most room then.
        let Some(at) = left.find(part) else { return false };
        left = &left[at + part.len()..];
    }
    true
}

/// A file beside the one that is to be there in the end.
fn beside(path: &Path) -> Result<NamedTempFile> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut builder = tempfile::Builder::new();
    builder.prefix(".signalbox-export-");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        // As every file that is made: what the user's mask leaves.
        builder.permissions(std::fs::Permissions::from_mode(0o666));
    }
    builder.tempfile_in(folder).with_context(|| format!("cannot write to the folder {}", folder.display()))
}

/// Gives a file that is whole its name.
fn keep(file: NamedTempFile, path: &Path, force: bool) -> Result<()> {
    file.as_file().sync_all().with_context(|| format!("cannot write {}", path.display()))?;
    let kept = if force { file.persist(path) } else { file.persist_noclobber(path) };
    match kept {
        Ok(_) => Ok(()),
        Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => bail!("{} is there already; --force replaces it", path.display()),
        Err(error) => Err(error.error).with_context(|| format!("cannot write {}", path.display())),
    }
}

fn sheet(format: Format, rows: Rows, out: impl Write + Send + 'static) -> Result<Box<dyn Sheet + Send>> {
    match format {
        Format::Csv => Ok(Box::new(Csv::begin(rows, out)?)),
        #[cfg(feature = "parquet")]
        Format::Parquet => Ok(Box::new(columnar::Columnar::begin(&rows, out)?)),
        #[cfg(not(feature = "parquet"))]
        Format::Parquet => bail!("this signalbox was built without Parquet: build it with the feature parquet, or export CSV"),
    }
}

/// Lines of text.
struct Csv<W> {
    rows: Rows,
    out: W,
}

impl<W: Write> Csv<W> {
    fn begin(rows: Rows, mut out: W) -> Result<Self> {
        out.write_all(csv_head(&rows).as_bytes())?;
        Ok(Self { rows, out })
    }
}

impl<W: Write> Sheet for Csv<W> {
    fn write(&mut self, series: &Series) -> Result<()> {
        Ok(self.out.write_all(csv_rows(&self.rows, series).as_bytes())?)
    }

    fn finish(mut self: Box<Self>) -> Result<()> {
        Ok(self.out.flush()?)
    }
}

fn is_closed_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| cause.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe))
}

// Numbers only: this source says no words.
impl Source for Beside {
    type Error = StoreError;

    async fn raw_from(&mut self, entity: &EntityId) -> Result<Timestamp, StoreError> {
        Self::raw_from(self, entity).await
    }

    async fn points(&mut self, entity: &EntityId, range: Range, points: usize, _zone: Option<&TimeZone>) -> Result<Option<Series>, StoreError> {
        Ok(self.history(std::slice::from_ref(entity), range, points).await?.pop())
    }

    async fn buckets(&mut self, entity: &EntityId, range: Range, bucket_ms: i64) -> Result<Option<Series>, StoreError> {
        Ok(Self::buckets(self, std::slice::from_ref(entity), range, bucket_ms).await?.pop())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_anything() {
        for (name, text, expected) in [
            ("a.b", "a.b", true),
            ("a.b", "a.bc", false),
            ("*", "a.b", true),
            ("a.*", "a.b", true),
            ("a.*", "aa.b", false),
            ("*.temperature", "greenhouse-1.temperature", true),
            ("green*.t*e", "greenhouse-1.temperature", true),
            ("*a*a", "a.a", true),
            ("*a*a", "a", false),
            ("a*a", "a", false),
            ("*x*", "a.b", false),
            ("**", "", true),
        ] {
            assert_eq!(matches(name, text), expected, "{name} {text}");
        }
    }

    #[test]
    fn every_name_stands_for_something() {
        let all = || ["a.x", "a.y", "b.x"].map(|id| EntityId::parse(id).unwrap()).to_vec();
        let names = |names: &[&str]| chosen(all(), &names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>());
        assert_eq!(names(&[]).unwrap().len(), 3);
        assert_eq!(names(&["*.x", "a.*"]).unwrap().len(), 3);
        assert_eq!(names(&["a.x", "c.*"]).unwrap_err().to_string(), "no entity with a history is called c.*");
    }
}
