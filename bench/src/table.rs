//! Samples, and the table of their medians.

use std::fmt::Write as _;

/// What one run measured.
#[derive(Clone, Debug)]
pub(crate) struct Sample {
    name: &'static str,
    unit: Unit,
    value: f64,
    /// The same measured without Signalbox, in the same run.
    floor: Option<f64>,
}

/// What a number counts.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Unit {
    /// Milliseconds.
    Ms,
    /// Microseconds.
    Us,
    /// 1024 × 1024 bytes.
    MiB,
    /// Bytes.
    Bytes,
    /// Messages in a second.
    PerS,
    /// Messages.
    Messages,
    /// Hundredths.
    Percent,
}

impl Sample {
    /// A sample without a floor.
    pub(crate) const fn new(name: &'static str, unit: Unit, value: f64) -> Self {
        Self { name, unit, value, floor: None }
    }

    /// With what was measured without Signalbox.
    pub(crate) const fn over(self, floor: f64) -> Self {
        Self { floor: Some(floor), ..self }
    }
}

/// The 50th and 99th percentile, in milliseconds, of times in seconds.
pub(crate) fn percentiles(mut seconds: Vec<f64>) -> (f64, f64) {
    seconds.sort_by(f64::total_cmp);
    let at = |per_cent: usize| seconds.get((seconds.len() * per_cent).div_ceil(100).saturating_sub(1)).map_or(f64::NAN, |s| s * 1e3);
    (at(50), at(99))
}

/// A line for each measurement. All runs measure the same in the same order.
pub(crate) fn of(runs: &[Vec<Sample>]) -> String {
    let mut table = line(["", "median", "range", "floor", "ratio"]);
    for (idx, first) in runs.first().into_iter().flatten().enumerate() {
        let all = || runs.iter().filter_map(move |run| run.get(idx));
        let values = sorted(all().map(|sample| sample.value));
        let floors = sorted(all().filter_map(|sample| sample.floor));
        let ratios = sorted(all().filter_map(|sample| Some(sample.value / sample.floor?)));
        let range = values.first().zip(values.last()).map_or_else(String::new, |(low, high)| format!("{} – {}", digits(*low), digits(*high)));
        let value = median(&values).map_or_else(String::new, |value| format!("{} {}", digits(value), first.unit.symbol()));
        let floor = median(&floors).map_or_else(String::new, |floor| format!("{} {}", digits(floor), first.unit.symbol()));
        let ratio = median(&ratios).map_or_else(String::new, |ratio| format!("× {}", digits(ratio)));
        table += &line([first.name, &value, &range, &floor, &ratio]);
    }
    table
}

impl Unit {
    const fn symbol(self) -> &'static str {
        match self {
            Self::Ms => "ms",
            Self::Us => "µs",
            Self::MiB => "MiB",
            Self::Bytes => "B",
            Self::PerS => "/s",
            Self::Messages => "msg",
            Self::Percent => "%",
        }
    }
}

fn line([name, value, range, floor, ratio]: [&str; 5]) -> String {
    let mut text = String::new();
    write!(text, "{name:<32}{value:>14}{range:>22}{floor:>14}{ratio:>10}").expect("a string takes all that is written to it");
    format!("{}\n", text.trim_end())
}

fn sorted(values: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values
}

/// The middle of sorted values; of an even number, between the two in the middle.
fn median(sorted: &[f64]) -> Option<f64> {
    let upper = sorted.get(sorted.len() / 2)?;
    let lower = sorted.get((sorted.len().max(1) - 1) / 2)?;
    Some(f64::midpoint(*lower, *upper))
}

/// Three digits that mean something, and no more.
fn digits(value: f64) -> String {
    let decimals = match value.abs() {
        size if size >= 100.0 => 0,
        size if size >= 10.0 => 1,
        size if size >= 1.0 => 2,
        _ => 3,
    };
    let sign = if value < 0.0 { "-" } else { "" };
    let text = format!("{:.decimals$}", value.abs());
    match text.len() {
        4.. if decimals == 0 => {
            let (thousands, rest) = text.split_at(text.len() - 3);
            format!("{sign}{thousands},{rest}")
        }
        _ => format!("{sign}{text}"),
    }
}
