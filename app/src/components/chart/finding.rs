//! The title of a chart: what it shows, in sentences, for those who do not see it.

use domain::history::Range;
use domain::time::{Timestamp, duration_words};
use domain::words::Words;

use crate::backend::Limit;
use crate::components::chart::bars::counted;
use crate::components::chart::gaps::gaps;
use crate::components::chart::model::Charted;
use crate::components::chart::states::{on_and_known_ms, spans};
use crate::components::chart::stats::stats;
use crate::components::chart::time_axis::point_time;
use crate::components::chart::words::said;

/// Words that are told with their times.
const MOST_NAMED: usize = 3;

/// What a series does in a range: `Air temperature rose from 30.1 to 34.6 °C, lowest 15.8 at 05:02, highest 35 at 14:01. Last crossed “Critical above 34” at 13:57.`
#[must_use]
pub fn finding(one: &Charted, range: Range, utc_offset_s: i32) -> String {
    let name = &one.entity.name;
    let time = |at: Timestamp| point_time(at, range, utc_offset_s);
    if let Some(words) = &one.words {
        return words_finding(name, words, range, utc_offset_s);
    }
    if one.is_state() {
        return state_finding(one, range, utc_offset_s);
    }
    if one.is_meter() {
        return meter_finding(one, range, utc_offset_s);
    }
    let Some(stats) = stats(&one.series, range) else { return format!("{name}: no data.") };
    let words = |v: f64| one.bare_words(v);
    let (first, last) = (one.series.mean.first().copied().unwrap_or(stats.last), stats.last);
    // A tenth of what it moved in all is no trend.
    let moved = (stats.max.0 - stats.min.0) * 0.1;
    let trend = match last - first {
        d if d > moved => format!("rose from {} to {}", words(first), one.words(last)),
        d if d < -moved => format!("fell from {} to {}", words(first), one.words(last)),
        _ => format!("is at {}, about where it began", one.words(last)),
    };
    let mut text =
        format!("{name} {trend}, lowest {} at {}, highest {} at {}.", words(stats.min.0), time(stats.min.1), words(stats.max.0), time(stats.max.1));
    for limit in &one.limits {
        if let Some(at) = last_crossing(one, limit) {
            text.push_str(&format!(" Last crossed \u{201c}{}\u{201d} at {}.", limit.label, time(at)));
        }
    }
    if let Some(gap) = gaps(&one.series.t, one.series.resolution, range).iter().max_by_key(|gap| gap.len_ms()) {
        text.push_str(&format!(" No data for {} from {}.", duration_words(gap.len_ms()), time(gap.from)));
    }
    text
}

/// `Energy counted 12.4 kWh, most from 13:00: 1.2 kWh.`
fn meter_finding(one: &Charted, range: Range, utc_offset_s: i32) -> String {
    let most = one.series.t.iter().zip(&one.series.increase).max_by(|a, b| a.1.total_cmp(b.1));
    let most = most.map(|(&at, &counted)| format!(", most from {}: {}", point_time(at, range, utc_offset_s), one.words(counted)));
    format!("{} counted {}{}.", one.entity.name, one.words(counted(&one.series)), most.unwrap_or_default())
}

/// `Pump mode: Running, since 13:20. Running for 14 h, Idle for 9 h; 34 changes.`
fn words_finding(name: &str, words: &Words, range: Range, utc_offset_s: i32) -> String {
    let Some((row, word)) = words.t.len().checked_sub(1).and_then(|row| Some((row, said(words, row)?))) else { return format!("{name}: no data.") };
    let since = words.t.get(row).filter(|&&at| at > range.from).map(|&at| format!(", since {}", point_time(at, range, utc_offset_s)));
    let held = words.words.iter().take(MOST_NAMED).map(|held| format!("{} for {}", held.word, duration_words(held.ms)));
    let n = words.n_changes;
    format!("{name}: {word}{}. {}; {n} change{}.", since.unwrap_or_default(), held.collect::<Vec<_>>().join(", "), if n == 1 { "" } else { "s" })
}

fn state_finding(one: &Charted, range: Range, utc_offset_s: i32) -> String {
    let name = &one.entity.name;
    let Some(&last) = one.series.last.last() else { return format!("{name}: no data.") };
    let (on_ms, known_ms) = on_and_known_ms(&one.series, range);
    let since = spans(&one.series, range).last().filter(|_| last > 0.5).map(|span| format!(", since {}", point_time(span.from, range, utc_offset_s)));
    let state = one.words(last);
    let on_word = crate::components::chart::model::state_word(&one.entity, true);
    format!("{name}: {state}{}. {on_word} for {} of {}.", since.unwrap_or_default(), duration_words(on_ms), duration_words(known_ms))
}

/// When the values last came from one side of the limit to the other.
fn last_crossing(one: &Charted, limit: &Limit) -> Option<Timestamp> {
    let is_above = |v: f64| v > limit.value;
    let row = one.series.mean.windows(2).rposition(|pair| is_above(pair[0]) != is_above(pair[1]))?;
    one.series.t.get(row + 1).copied()
}
