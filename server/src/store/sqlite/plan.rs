//! Which series retention has something to do with: because of their age, or because room is needed.

use domain::device::AreaId;
use domain::entity::EntityId;
use domain::time::{HOUR_MS, Timestamp};
use sqlx::sqlite::SqliteConnection;

use super::budget::{Budget, Pressure};
use super::expire::Expired;
use super::floor::Floor;
use super::hours::Span;
use super::retire::{Cut, Task};
use crate::store::StoreError;
use crate::store::retention::{Class, Retention};

/// Series that a statement looks at.
const SERIES: i64 = 500;
/// Series that make room at once: the oldest ones.
const AT_ONCE: usize = 64;

/// The oldest there is of a series.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Oldest {
    series: i64,
    class: Class,
    /// The first block that may be minutes next. What readings of states and meters come to depends on their order: they stay as long as minutes.
    next_block: Option<i64>,
    /// The first moment that is told as it came.
    begin: Option<i64>,
    /// Where the first of all its blocks ends.
    block: Option<i64>,
    minutes: Option<i64>,
    hours: Option<i64>,
    state: Option<i64>,
}

type Row = (i64, String, Option<String>, Option<i64>, Option<i64>, Option<i64>, Option<i64>, Option<i64>, Option<i64>);

/// The oldest there is of every series.
pub(super) async fn oldest(reader: &mut SqliteConnection, generation: i64, retention: &Retention) -> Result<Vec<Oldest>, StoreError> {
    let (mut all, mut after) = (vec![], i64::MIN);
    loop {
        let rows: Vec<Row> = sqlx::query_as(
            "select series.series_id, entity_id, device.data ->> 'area',
               (select start_at from block where block.series_id = series.series_id and start_at >= coalesce(packed_to, ?4) and data_id > 0
                  and coalesce(kind, 0) = 0 and born <= ?1 and (died is null or died > ?1) order by start_at limit 1),
               (select max(start_at, coalesce(raw_from, ?4)) from block where block.series_id = series.series_id
                  and end_key >> 1 >= coalesce(raw_from, ?4) and born <= ?1 and (died is null or died > ?1) order by start_at limit 1),
               (select end_key >> 1 from block where block.series_id = series.series_id
                  and born <= ?1 and (died is null or died > ?1) order by start_at limit 1),
               (select chunk_at from minutes where minutes.series_id = series.series_id
                  and born <= ?1 and (died is null or died > ?1) order by chunk_at limit 1),
               (select chunk_at from hours where hours.series_id = series.series_id
                  and born <= ?1 and (died is null or died > ?1) order by chunk_at limit 1),
               (select taken_at from state where state.series_id = series.series_id order by taken_at limit 1)
             from series left join floor using (series_id)
               left join device on device_id = substr(entity_id, 1, instr(entity_id, '.') - 1)
             where series.series_id > ?2 order by series.series_id limit ?3",
        )
        .bind(generation)
        .bind(after)
        .bind(SERIES)
        .bind(Floor::NONE.packed_to)
        .fetch_all(&mut *reader)
        .await?;
        let Some(last) = rows.last() else { return Ok(all) };
        after = last.0;
        all.extend(rows.into_iter().map(|(series, entity, area, next_block, begin, block, minutes, hours, state)| {
            let area = area.and_then(|area| AreaId::parse(&area).ok());
            let class = EntityId::parse(&entity).map_or(retention.class, |entity| retention.class_of(&entity, area.as_ref()));
            Oldest { series, class, next_block, begin, block, minutes, hours, state }
        }));
        // One statement after the other holds up nobody; all of them may take a while.
        tokio::task::yield_now().await;
    }
}

/// The first moment of any series that is kept as it came, of minutes, and of hours.
pub(super) fn first_of(oldest: &[Oldest]) -> [Option<i64>; 3] {
    let of = |what: fn(&Oldest) -> Option<i64>| oldest.iter().filter_map(what).min();
    [of(|one| one.begin), of(|one| one.minutes), of(|one| one.hours)]
}

/// What is due by its age.
pub(super) fn by_age(oldest: &[Oldest], now: Timestamp) -> Vec<Task> {
    let mut tasks = vec![];
    for one in oldest {
        let is_before = |at: Option<i64>, cut: i64| at.is_some_and(|at| at < cut);
        let minutes_cut = one.class.rollup_cut(now).map(|cut| Floor::row_before(Span::Minute, cut.as_ms()));
        let raw_cut = one.class.raw_cut(now).map(Timestamp::as_ms);
        let cut = match (minutes_cut, raw_cut) {
            // One task a series at once; the other follows.
            (Some(cut), _) if is_before(one.minutes, cut) || is_before(one.block, cut) => Cut::Drop(cut),
            (_, Some(cut)) if is_before(one.next_block, cut) => Cut::Old(cut),
            _ => continue,
        };
        tasks.push(Task { series: one.series, cut });
    }
    tasks
}

/// States that are due by their age.
pub(super) fn states(oldest: &[Oldest], now: Timestamp) -> Vec<Expired> {
    let due = |one: &Oldest| Some((one.series, one.class.rollup_cut(now).filter(|cut| one.state.is_some_and(|at| at < cut.as_ms()))?));
    oldest.iter().filter_map(due).map(|(series, cut)| Expired::States(series, cut)).collect()
}

/// States that have to go for room: the oldest sixteenth of the time there are any of.
pub(super) fn oldest_states(oldest: &[Oldest], now: Timestamp) -> Vec<Expired> {
    let Some(first) = oldest.iter().filter_map(|one| one.state).min() else { return vec![] };
    let cut = first + (now.as_ms() - first).max(0) / 16;
    let of = |one: &Oldest| one.state.is_some_and(|at| at < cut).then_some(Expired::States(one.series, Timestamp::from_ms(cut)));
    oldest.iter().filter_map(of).collect()
}

/// What goes first where room is needed: the oldest of what takes more than its share, or else of what there is least need of. Of the running hour
/// everything stays, and of the running three weeks their hours: rather nothing new is taken.
pub(super) fn for_room(oldest: &[Oldest], budget: Budget, pressure: Pressure, tiers: [i64; 3], now: Timestamp) -> Vec<Task> {
    let shares = budget.shares();
    let hour_up = |at: i64| at.saturating_add(HOUR_MS - 1).div_euclid(HOUR_MS) * HOUR_MS;
    let (hour, weeks) = (now.as_ms().div_euclid(HOUR_MS) * HOUR_MS, Floor::row_before(Span::Hour, now.as_ms()));
    let raw = || match pressure {
        // In a hurry nothing is summed up: that takes room before it gives some.
        Pressure::High => vec![],
        _ => tasks(oldest, |one| one.next_block, i64::MAX, HOUR_MS, Cut::Pack),
    };
    // Readings that stay because they take no more room than minutes go with those.
    let minutes = || {
        let row = |one: &Oldest| one.minutes.map(|at| at + Span::Minute.chunk_ms());
        let block = |one: &Oldest| one.block.map(|end| hour_up(end + 1));
        tasks(oldest, |one| row(one).into_iter().chain(block(one)).min(), hour, Span::Minute.chunk_ms(), |cut| Cut::Drop(hour_up(cut)))
    };
    let hours = || tasks(oldest, |one| one.hours.map(|at| at + Span::Hour.chunk_ms()), weeks, Span::Hour.chunk_ms(), Cut::Forget);
    let of = [&raw as &dyn Fn() -> Vec<Task>, &minutes, &hours];
    let over = (0..3).filter(|nth| tiers[*nth] > shares[*nth]).map(|nth| of[nth]());
    // Where nothing has more than its share, something else takes the room: then what is worth least.
    over.chain(of.iter().map(|of| of())).find(|tasks| !tasks.is_empty()).unwrap_or_default()
}

/// The series whose oldest is oldest, and until when: up to where the next one begins, and a while further, but not past `end`.
fn tasks(oldest: &[Oldest], of: impl Fn(&Oldest) -> Option<i64>, end: i64, further_ms: i64, cut: impl Fn(i64) -> Cut) -> Vec<Task> {
    let mut firsts: Vec<(i64, i64)> = oldest.iter().filter_map(|one| Some((of(one)?, one.series))).filter(|(first, _)| *first <= end).collect();
    firsts.sort_unstable();
    let Some((first, _)) = firsts.first().copied() else { return vec![] };
    let until = firsts.get(AT_ONCE).map_or(i64::MIN, |(next, _)| *next).max(first.saturating_add(further_ms)).min(end);
    firsts.truncate(AT_ONCE);
    firsts.into_iter().filter(|(first, _)| *first <= until).map(|(_, series)| Task { series, cut: cut(until) }).collect()
}
