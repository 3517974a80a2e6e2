//! The generated past: what the simulated devices would have said in the week before the demo's first start.

use domain::entity::EntityId;
use domain::reading::Reading;
use domain::time::{DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS, Timestamp};
use domain::value::Value;

use super::curve::Model;
use crate::store::{Batch, Store, StoreError};

/// How far the past reaches back.
const LEN_MS: i64 = 7 * DAY_MS;
/// How often a number is written: enough for a chart of a day, few enough for a start within seconds.
const NUMBER_EVERY_MS: i64 = 2 * MINUTE_MS;
/// How often within the last hours, which tiles show closely.
const RECENT_EVERY_MS: i64 = 20 * SECOND_MS;
/// How long those last hours are.
const RECENT_MS: i64 = 2 * HOUR_MS;
/// How closely a state is looked at for a change.
const STATE_EVERY_MS: i64 = 10 * SECOND_MS;
/// A state that does not change is repeated this often, as devices do.
const STATE_REPEAT_MS: i64 = HOUR_MS;
/// Time that is written in one transaction: long enough to write few, short enough that no transaction takes long.
const BATCH_MS: i64 = 12 * HOUR_MS;

/// Fills an empty store with a week of what the models say, up to `now`.
///
/// # Errors
/// What the store says; what was written before stays.
pub async fn fill(store: &dyn Store, models: &[(EntityId, Model)], now: Timestamp) -> Result<(), StoreError> {
    let recent = now.plus_ms(-RECENT_MS);
    let mut from = now.plus_ms(-LEN_MS);
    while from < now {
        let (to, every_ms) = if from < recent { (from.plus_ms(BATCH_MS).min(recent), NUMBER_EVERY_MS) } else { (now, RECENT_EVERY_MS) };
        let mut readings: Vec<Reading> = models.iter().flat_map(|(entity, model)| past(entity, model, (from, to), every_ms)).collect();
        // The store keeps readings in order of time: in that order each finds its place at the end.
        readings.sort_unstable_by_key(|reading| reading.taken_at);
        store.write(&Batch { readings, ..Batch::default() }).await?;
        from = to;
    }
    Ok(())
}

/// What one entity would have said from the first moment (inside) to the second (outside), in order of time: a number every `every_ms`, a state when
/// it changes and once an hour. Asked piece by piece it says the same as asked at once, but for the state at the beginning of each piece.
#[must_use]
pub fn past(entity: &EntityId, model: &Model, (from, to): (Timestamp, Timestamp), every_ms: i64) -> Vec<Reading> {
    let reading = |at, value| Reading { entity: entity.clone(), value, taken_at: at, received_at: at, device_time: true };
    if model.decimals().is_some() {
        return moments(from, to, every_ms).map(|at| reading(at, model.value_at(at))).collect();
    }
    let mut said: Option<(Timestamp, Value)> = None;
    let mut readings = vec![];
    for at in moments(from, to, STATE_EVERY_MS) {
        let value = model.value_at(at);
        if said.as_ref().is_none_or(|(since, before)| *before != value || at.since_ms(*since) >= STATE_REPEAT_MS) {
            readings.push(reading(at, value.clone()));
            said = Some((at, value));
        }
    }
    readings
}

/// The multiples of `step_ms` from `from` (inside) to `to` (outside).
fn moments(from: Timestamp, to: Timestamp, step_ms: i64) -> impl Iterator<Item = Timestamp> {
    let first = (from.as_ms() + step_ms - 1).div_euclid(step_ms);
    let end = (to.as_ms() + step_ms - 1).div_euclid(step_ms);
    (first..end).map(move |nth| Timestamp::from_ms(nth * step_ms))
}

#[cfg(test)]
mod tests {
    use domain::history::Range;

    use super::*;
    use crate::simulator::models;
    use crate::store::sqlite::SqliteStore;

    const NOW: Timestamp = Timestamp::from_ms(1_781_273_006_123);

    #[test]
    fn the_past_is_what_the_model_says_and_nothing_of_the_future() {
        for (entity, model) in models() {
            let readings = past(&entity, &model, (NOW.plus_ms(-DAY_MS), NOW), MINUTE_MS);
            assert!(readings.len() >= 20, "{entity}: {}", readings.len());
            assert!(readings.iter().all(|reading| reading.taken_at < NOW && reading.value == model.value_at(reading.taken_at)), "{entity}");
            assert!(readings.is_sorted_by(|a, b| a.taken_at < b.taken_at), "{entity}");
        }
    }

    #[test]
    fn numbers_are_the_same_piece_by_piece() {
        for (entity, model) in models().into_iter().filter(|(_, model)| model.decimals().is_some()) {
            let (from, middle) = (NOW.plus_ms(-2 * HOUR_MS), NOW.plus_ms(-HOUR_MS));
            let pieces = [(from, middle), (middle, NOW)].map(|span| past(&entity, &model, span, MINUTE_MS)).concat();
            assert_eq!(pieces, past(&entity, &model, (from, NOW), MINUTE_MS), "{entity}");
        }
    }

    #[tokio::test]
    async fn a_week_of_every_entity_is_small_and_complete() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("signalbox.db");
        let store = SqliteStore::open(&path).await.expect("opens");
        let models = models();
        fill(&store, &models, NOW).await.expect("fills");
        let last = store.load().await.expect("loads").last;
        assert_eq!(last.len(), models.len());
        assert!(last.iter().all(|reading| NOW.since_ms(reading.taken_at) <= HOUR_MS));

        let entities: Vec<EntityId> = models.iter().map(|(entity, _)| entity.clone()).collect();
        let week = Range { from: NOW.plus_ms(-LEN_MS), to: NOW };
        for (series, (entity, model)) in store.history(&entities, week, 1_000).await.expect("reads").iter().zip(&models) {
            let readings: u32 = series.n.iter().sum();
            match model {
                Model::Text(_) => assert_eq!(readings, 0, "{entity}"),
                Model::Number(_) | Model::DayMeter(_) => {
                    assert!((LEN_MS / NUMBER_EVERY_MS..=LEN_MS / MINUTE_MS).contains(&i64::from(readings)), "{entity}: {readings}");
                }
                // Changes only; the state is known from the beginning on.
                Model::Binary(_) | Model::Light { .. } => {
                    assert!(readings >= 7, "{entity}: {readings}");
                    assert!(series.t.first().is_some_and(|first| first.since_ms(week.from) <= HOUR_MS), "{entity}");
                }
            }
        }
        store.close().await;
        let bytes = std::fs::metadata(&path).expect("a file").len();
        assert!(bytes < 40 << 20, "{bytes} bytes");
    }
}
