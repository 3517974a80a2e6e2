use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use domain::reading::Reading;
use domain::value::Value;
use sqlx::sqlite::SqliteConnection;

use super::block;
use super::exclude::Excluded;
use super::floor::{Floor, Floors};
use super::hot::Hot;
use super::hours::{self, Span};
use super::journal::Entry;
use super::last_value::Last;
use super::registry::to_json;
use super::series::Keys;
use crate::store::StoreError;
use crate::store::codec::Point;

/// First and last moment that is kept: those of JavaScript. Past them are only broken clocks, and sums of times that overflow.
pub(super) const ENDS_MS: (i64, i64) = (-8_640_000_000_000_000, 8_640_000_000_000_000);
/// Blocks that are looked into at once.
const BLOCKS: usize = 64;

/// Where readings come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// Devices, as they speak: the newest is a last value.
    Device,
    /// Somebody who knows what was. Entity and moment say which reading it is: where there is one already, also one that arrived then, it is known.
    Filled,
    /// They were taken out, and are taken back.
    TakenBack,
}

/// What of a batch was not stored before.
#[derive(Debug, Default)]
pub(super) struct New {
    /// How many readings.
    pub(super) n: usize,
    /// Numbers, states as 1 and 0, in the order they came.
    pub(super) numbers: Vec<Entry>,
    /// The readings that numbers came with, for those that are no states.
    pub(super) last_numbers: Vec<(i64, Last)>,
}

/// Where each series' blocks end, as far as it was asked.
#[derive(Debug, Default)]
pub(super) struct Ends {
    known: HashMap<i64, i64>,
}

impl Ends {
    /// Forgets all: blocks were made.
    pub(super) fn forget(&mut self) {
        self.known.clear();
    }

    async fn ask(&mut self, connection: &mut SqliteConnection, generation: i64, floors: &Floors, series: &[i64]) -> Result<(), StoreError> {
        let unknown: HashSet<i64> = series.iter().copied().filter(|key| !self.known.contains_key(key)).collect();
        if unknown.is_empty() {
            return Ok(());
        }
        let moments: Vec<(i64, i64)> = unknown.iter().map(|&key| (key, i64::MAX)).collect();
        // Where every block is minutes now, what was in them is not new for that.
        self.known.extend(unknown.into_iter().map(|key| (key, Floor::of(floors, key).raw_from.saturating_sub(1))));
        for head in block::at(connection, generation, &moments).await? {
            let end = self.known.entry(head.series).or_insert(i64::MIN);
            *end = head.end_at().max(*end);
        }
        Ok(())
    }

    fn of(&self, series: i64) -> i64 {
        self.known.get(&series).copied().unwrap_or(i64::MIN)
    }
}

/// Finds the readings that are not there yet, and stores the states among them. Numbers that are not finite are left out, and so are moments that
/// no calendar has.
pub(super) async fn insert(
    connection: &mut SqliteConnection,
    keys: &mut Keys,
    ends: &mut Ends,
    hot: &Hot,
    excluded: &Excluded,
    origin: Origin,
    readings: &[Reading],
) -> Result<New, StoreError> {
    let series = keys.of(connection, readings).await?;
    let (generation, floors) = hot.ask(|tables| (tables.generation(), Arc::clone(tables.floors())));
    ends.ask(connection, generation, &floors, &series).await?;
    keys.latest.ask(connection, readings, &series).await?;
    let mut places = Places::of(connection, readings, &series).await?;
    let sealed = sealed(connection, generation, ends, &floors, origin, readings, &series).await?;

    let mut found: HashSet<(i64, i64)> = HashSet::new();
    let (mut states, mut newest_states) = (vec![], HashMap::new());
    let mut new = New { numbers: Vec::with_capacity(readings.len()), ..New::default() };
    hot.ask(|tables| {
        for (reading, &series) in readings.iter().zip(&series) {
            let taken_at = reading.taken_at.as_ms();
            let number = reading.value.as_number();
            let is_state = !matches!(reading.value, Value::Number(_));
            if number.is_some_and(|number| !number.is_finite()) || !(ENDS_MS.0..=ENDS_MS.1).contains(&taken_at) {
                continue;
            }
            let point = number.map(|number| Point::new(taken_at, reading.device_time, number));
            let is_there = |device_time: bool| {
                let key = Point::new(taken_at, device_time, 0.0).key();
                found.contains(&(series, key)) || sealed.contains(&(series, key)) || tables.contains(series, key) || excluded.contains(series, key)
            };
            if reading.device_time && is_there(true) || origin == Origin::Filled && (is_there(false) || places.is_taken(taken_at, series)) {
                continue;
            }
            if is_state {
                let is_out = |key| excluded.contains(series, key);
                let is_repeat = origin == Origin::Device && keys.latest.repeats(series, reading, is_out);
                if !is_repeat {
                    let Some(n) = places.take(taken_at, series, reading.device_time) else { continue };
                    states.push((series, taken_at, n, &reading.value));
                    keys.latest.take(series, reading, is_out);
                }
                let last = newest_states.entry(series).or_insert((taken_at, reading));
                if taken_at >= last.0 {
                    *last = (taken_at, reading);
                }
                if is_repeat {
                    continue;
                }
            } else {
                new.last_numbers.push((series, Last::of(reading)));
            }
            new.n += 1;
            if let Some(point) = point {
                if reading.device_time {
                    found.insert((series, point.key()));
                }
                new.numbers.push((series, point));
            }
        }
    });
    insert_states(connection, &states).await?;
    if origin != Origin::Device {
        // What somebody knows of the past says nothing of now.
        new.last_numbers.clear();
        return Ok(new);
    }
    // At once, for the journal does not know states.
    let newest: HashMap<i64, Last> = newest_states.into_iter().map(|(series, (_, reading))| (series, Last::of(reading))).collect();
    super::last_value::upsert(connection, &newest).await?;
    Ok(new)
}

/// Readings of the batch that are in blocks already. Hardly ever there is one to look for: only what is older than the end of its series' blocks.
async fn sealed(
    connection: &mut SqliteConnection,
    generation: i64,
    ends: &Ends,
    floors: &Floors,
    origin: Origin,
    readings: &[Reading],
    series: &[i64],
) -> Result<HashSet<(i64, i64)>, StoreError> {
    let mut late: HashMap<(i64, i64), i64> = HashMap::new();
    for (reading, &series) in readings.iter().zip(series) {
        let taken_at = reading.taken_at.as_ms();
        if reading.device_time && taken_at <= ends.of(series) && (ENDS_MS.0..=ENDS_MS.1).contains(&taken_at) {
            late.insert((series, taken_at), Point::new(taken_at, true, 0.0).key());
        }
    }
    let mut found = HashSet::new();
    if late.is_empty() {
        return Ok(found);
    }
    let moments: Vec<(i64, i64)> = late.keys().copied().collect();
    // The same block for many moments.
    let blocks: HashMap<i64, block::Head> = block::at(connection, generation, &moments).await?.into_iter().map(|head| (head.data_id, head)).collect();
    let ids: Vec<i64> = blocks.keys().copied().collect();
    for ids in ids.chunks(BLOCKS) {
        for (id, points) in block::read(connection, ids).await? {
            let Some(head) = blocks.get(&id) else { continue };
            found.extend(points.iter().filter(|point| late.contains_key(&(head.series, point.taken_at()))).map(|point| (head.series, point.key())));
        }
    }
    // Where single readings are not kept any more, nobody can say whether this one was among them: it is taken only where it is the last.
    for span in [Span::Minute, Span::Hour].into_iter().filter(|_| origin != Origin::TakenBack) {
        let older = |(series, at): &(i64, i64)| Floor::of(floors, *series).span(*at) == Some(span);
        let moments: Vec<(i64, i64)> = late.keys().copied().filter(older).collect();
        for (moment, last_key) in hours::last_keys(connection, generation, span, &moments).await? {
            found.extend(late.get(&moment).filter(|key| **key <= last_key).map(|key| (moment.0, *key)));
        }
    }
    Ok(found)
}

/// The places in use where the states of a batch go: 0 for the one whose time the device said, from 1 on for those that arrived then.
#[derive(Default)]
struct Places {
    device_time: HashSet<(i64, i64)>,
    last_n: HashMap<(i64, i64), i64>,
}

impl Places {
    async fn of(connection: &mut SqliteConnection, readings: &[Reading], series: &[i64]) -> Result<Self, StoreError> {
        let state = |(reading, &series): (&Reading, &i64)| (!matches!(reading.value, Value::Number(_))).then_some((reading.taken_at.as_ms(), series));
        let moments: Vec<(i64, i64)> = readings.iter().zip(series).filter_map(state).collect();
        let mut places = Self::default();
        if moments.is_empty() {
            return Ok(places);
        }
        let taken: Vec<(i64, i64, i64)> = sqlx::query_as(
            "select state.taken_at, state.series_id, state.n from json_each(?) as moment
             cross join state on state.series_id = moment.value ->> 1 and state.taken_at = moment.value ->> 0",
        )
        .bind(to_json(&moments)?)
        .fetch_all(connection)
        .await?;
        for (taken_at, series, n) in taken {
            if n == 0 {
                places.device_time.insert((taken_at, series));
            } else {
                let last = places.last_n.entry((taken_at, series)).or_default();
                *last = n.max(*last);
            }
        }
        Ok(places)
    }

    /// Whether there is a state of a moment.
    fn is_taken(&self, taken_at: i64, series: i64) -> bool {
        self.device_time.contains(&(taken_at, series)) || self.last_n.contains_key(&(taken_at, series))
    }

    /// The place of one more; `None` when it is there already.
    fn take(&mut self, taken_at: i64, series: i64, device_time: bool) -> Option<i64> {
        if device_time {
            return self.device_time.insert((taken_at, series)).then_some(0);
        }
        let last = self.last_n.entry((taken_at, series)).or_default();
        *last += 1;
        Some(*last)
    }
}

async fn insert_states(connection: &mut SqliteConnection, rows: &[(i64, i64, i64, &Value)]) -> Result<(), StoreError> {
    if rows.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "insert into state (series_id, taken_at, n, value)
         select value ->> 0, value ->> 1, value ->> 2, value -> 3 from json_each(?)",
    )
    .bind(to_json(&rows)?)
    .execute(connection)
    .await?;
    Ok(())
}
