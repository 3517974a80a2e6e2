//! What everybody asks of a store, and which part of this one answers.

use std::time::Duration;

use async_trait::async_trait;
use domain::downsample::{self, Grid};
use domain::entity::EntityId;
use domain::excluded::Excluded;
use domain::history::{Range, Resolution, Series};
use domain::reading::Reading;
use domain::time::Timestamp;
use domain::value::Value;
use domain::words::Words;
use jiff::tz::TimeZone;
use tokio::time::Instant;

use super::history::Asked;
use super::{
    SqliteStore, activity, alarm, alarm_journal, delivery, exclude, floor, held, history, last_value, marks, pattern, queued, registry, report,
    scene, series, states, words, written,
};
use crate::clock::now;
use crate::store::activity::{Activity, Filter, Page, Place};
use crate::store::plan::{PlanChange, PlanKind, PlanRow};
use crate::store::retention::Kept;
use crate::store::{AlarmEvent, Batch, Held, Marks, Saved, Sizes, Store, StoreError, civil};

/// More buckets are in no answer, whatever was asked for: those of states are filled, whether anything changed in them or not.
const MOST_BUCKETS: usize = 100_000;

/// How long what was said of what is kept is true enough.
const KEPT_FOR: Duration = Duration::from_secs(10);

#[async_trait]
impl Store for SqliteStore {
    async fn load(&self) -> Result<Saved, StoreError> {
        if let Err(error) = self.writer.settle().await {
            // Also on a full disk the server starts and shows what it has.
            tracing::warn!(%error, "The last values may be older than history");
        }
        let mut reader = self.readers.acquire().await?;
        Ok(Saved {
            devices: registry::list_devices(&mut reader).await?,
            entities: registry::list_entities(&mut reader).await?,
            last: last_value::list(&mut reader).await?,
            alarms: alarm::list_not_normal(&mut reader).await?,
            queued: queued::list(&mut reader).await?,
            taken: delivery::list(&mut reader).await?,
            written: written::list(&mut reader).await?,
        })
    }

    async fn write(&self, batch: &Batch) -> Result<(), StoreError> {
        if batch.is_empty() { Ok(()) } else { self.writer.write(batch).await }
    }

    async fn history(&self, entities: &[EntityId], range: Range, points: usize) -> Result<Vec<Series>, StoreError> {
        let range = history::within_ends(range);
        let bucket_ms = downsample::bucket_ms(range, points.min(MOST_BUCKETS));
        let asked = Asked { range, grid: Grid::Even(bucket_ms), resolution: Resolution::BucketMs(bucket_ms) };
        self.ask(entities, asked, Some(points)).await
    }

    async fn history_in(&self, zone: &TimeZone, entities: &[EntityId], range: Range, points: usize) -> Result<Vec<Series>, StoreError> {
        let range = history::within_ends(range);
        let (grid, bucket_ms) = civil::grid(range, points.min(MOST_BUCKETS), zone);
        self.ask(entities, Asked { range, grid, resolution: Resolution::BucketMs(bucket_ms) }, Some(points)).await
    }

    async fn buckets(&self, entities: &[EntityId], range: Range, bucket_ms: i64) -> Result<Vec<Series>, StoreError> {
        let (range, bucket_ms) = (history::within_ends(range), bucket_ms.max(1));
        self.ask(entities, Asked { range, grid: Grid::Even(bucket_ms), resolution: Resolution::BucketMs(bucket_ms) }, None).await
    }

    async fn buckets_in(&self, zone: &TimeZone, entities: &[EntityId], range: Range, points: usize) -> Result<Vec<Series>, StoreError> {
        let range = history::within_ends(range);
        let (grid, bucket_ms) = civil::grid(range, points.min(MOST_BUCKETS), zone);
        self.ask(entities, Asked { range, grid, resolution: Resolution::BucketMs(bucket_ms) }, None).await
    }

    async fn states(&self, entities: &[EntityId], range: Range, limit: usize) -> Result<Vec<Vec<(Timestamp, Value)>>, StoreError> {
        let mut reader = self.readers.acquire().await?;
        let keys = series::find(&mut reader, entities).await?;
        let mut all = Vec::with_capacity(entities.len());
        for entity in entities {
            all.push(match keys.get(entity) {
                Some(&key) => states::list(&mut reader, key, range, limit).await?,
                None => vec![],
            });
        }
        Ok(all)
    }

    async fn held(&self, entities: &[EntityId], range: Range) -> Result<Vec<Held>, StoreError> {
        let mut reader = self.readers.acquire().await?;
        let keys = series::find(&mut reader, entities).await?;
        let (mut all, now) = (Vec::with_capacity(entities.len()), now());
        for entity in entities {
            all.push(match keys.get(entity) {
                Some(&key) => held::list(&mut reader, key, Range { to: range.to.min(now), ..range }).await?,
                None => Held::default(),
            });
        }
        Ok(all)
    }

    async fn words(&self, entities: &[EntityId], range: Range, points: usize) -> Result<Vec<Words>, StoreError> {
        let mut reader = self.readers.acquire().await?;
        let keys = series::find(&mut reader, entities).await?;
        let (mut all, now) = (Vec::with_capacity(entities.len()), now().plus_ms(1));
        for entity in entities {
            all.push(match keys.get(entity) {
                Some(&key) => words::list(&mut reader, key, entity, Range { to: range.to.min(now), ..range }, points).await?,
                None => Words::none(entity.clone()),
            });
        }
        Ok(all)
    }

    async fn fill(&self, readings: &[Reading]) -> Result<usize, StoreError> {
        // Faster than readings are sealed, they would all be in memory.
        while self.writer.hot().ask(|tables| tables.n_open().0) > self.tender.most_hot() && self.tend().await? {}
        Ok(usize::try_from(self.writer.fill(readings).await?).unwrap_or(usize::MAX))
    }

    async fn exclude(&self, at: Timestamp, entry: &Activity) -> Result<Vec<Excluded>, StoreError> {
        let Some(entity) = &entry.entity else { return Ok(vec![]) };
        // Before a reader is taken: a step that is being taken may wait for one.
        let _held = self.tender.hold(&self.writer).await?;
        let mut reader = self.readers.acquire().await?;
        let Some(&series) = series::find(&mut reader, std::slice::from_ref(entity)).await?.get(entity) else { return Ok(vec![]) };
        let Some(exclusion) = exclude::find(&mut reader, self.writer.hot(), series, at.as_ms()).await? else { return Ok(vec![]) };
        // Whoever else asks may have it meanwhile.
        drop(reader);
        if let Some(change) = &exclusion.change {
            self.writer.prepare(change).await?;
        }
        let taken = self.writer.exclude(&exclusion, entry).await?;
        Ok(taken.map(|taken| taken.list(entity, entry)).unwrap_or_default())
    }

    async fn include(&self, at: Timestamp, entry: &Activity) -> Result<usize, StoreError> {
        let Some(entity) = &entry.entity else { return Ok(0) };
        let keys = series::find(&mut *self.readers.acquire().await?, std::slice::from_ref(entity)).await?;
        let Some(&series) = keys.get(entity) else { return Ok(0) };
        Ok(usize::try_from(self.writer.include(series, at.as_ms(), entry).await?).unwrap_or(usize::MAX))
    }

    async fn raw_from(&self, entity: &EntityId) -> Result<Timestamp, StoreError> {
        let keys = series::find(&mut *self.readers.acquire().await?, std::slice::from_ref(entity)).await?;
        let of = |key| self.writer.hot().ask(|tables| floor::Floor::of(tables.floors(), key).raw_from);
        Ok(Timestamp::from_ms(keys.get(entity).map_or(i64::MIN, |&key| of(key))))
    }

    async fn excluded(&self, entities: &[EntityId], range: Range, limit: usize) -> Result<Vec<Excluded>, StoreError> {
        exclude::list(&mut *self.readers.acquire().await?, entities, range, limit).await
    }

    async fn note(&self, entry: &Activity) -> Result<(), StoreError> {
        self.writer.note(entry).await
    }

    async fn activity_of(&self, filter: &Filter, before: Option<&Place>, limit: usize) -> Result<Page, StoreError> {
        activity::list(&mut *self.readers.acquire().await?, filter, before, limit).await
    }

    async fn activity_count(&self, filter: &Filter, limit: usize) -> Result<(usize, bool), StoreError> {
        activity::count(&mut *self.readers.acquire().await?, filter, limit).await
    }

    async fn people(&self, limit: usize) -> Result<Vec<String>, StoreError> {
        activity::people(&mut *self.readers.acquire().await?, limit).await
    }

    async fn plans(&self, kind: PlanKind) -> Result<Vec<PlanRow>, StoreError> {
        scene::list(&mut *self.readers.acquire().await?, kind).await
    }

    async fn change_plan(&self, kind: PlanKind, change: &PlanChange, entry: Option<&Activity>) -> Result<(), StoreError> {
        self.writer.change_plan(kind, change, entry).await
    }

    async fn topic_patterns(&self) -> Result<Vec<String>, StoreError> {
        pattern::list(&mut *self.readers.acquire().await?).await
    }

    async fn set_topic_patterns(&self, patterns: &[String], entry: &Activity) -> Result<(), StoreError> {
        self.writer.set_patterns(patterns, entry).await
    }

    async fn alarm_journal(&self, alarm: &str, limit: usize) -> Result<Vec<AlarmEvent>, StoreError> {
        alarm_journal::list(&mut *self.readers.acquire().await?, alarm, limit).await
    }

    async fn marks(&self, entities: &[EntityId], range: Range, limit: usize) -> Result<Marks, StoreError> {
        let mut reader = self.readers.acquire().await?;
        marks::list(&mut reader, entities, range, limit).await
    }

    async fn tend(&self) -> Result<bool, StoreError> {
        self.tender.step(&self.writer, &self.readers).await
    }

    async fn is_empty(&self) -> Result<bool, StoreError> {
        let mut reader = self.readers.acquire().await?;
        registry::is_empty(&mut reader).await
    }

    async fn kept(&self) -> Result<Kept, StoreError> {
        let mut known = self.kept.lock().await;
        if let Some((at, kept)) = &*known
            && at.elapsed() < KEPT_FOR
        {
            return Ok(kept.clone());
        }
        let sizes = self.writer.sizes().await;
        let kept = report::kept(&mut *self.readers.acquire().await?, self.writer.hot(), &self.retention, sizes, now()).await?;
        *known = Some((Instant::now(), kept.clone()));
        Ok(kept)
    }

    async fn sizes(&self) -> Sizes {
        self.writer.sizes().await
    }

    async fn close(&self) {
        // Readers first: the last connection to go folds the log into the database file.
        self.readers.close().await;
        self.writer.close().await;
    }
}
