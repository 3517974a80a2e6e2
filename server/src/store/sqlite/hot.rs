//! What is not sealed yet, in memory, by series and time: the journal read the other way.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use super::floor::{Floor, Floors};
use super::journal::{Entry, Kind};
use crate::store::codec::Point;

/// Readings that are not in blocks yet. All that is asked of it is short, and nothing is waited for meanwhile.
#[derive(Debug, Default)]
pub(super) struct Hot {
    tables: Mutex<Tables>,
}

/// What is asked while nothing changes.
#[derive(Debug, Default)]
pub(super) struct Tables {
    /// What is sealed is of this generation.
    generation: i64,
    /// What of it is kept as it was.
    floors: Arc<Floors>,
    lease: Arc<()>,
    /// Readers may still look at earlier generations.
    earlier: Vec<(i64, Weak<()>)>,
    /// Being sealed, as the next generation. It does not change any more.
    closed: Option<Layer>,
    open: Layer,
}

/// Some of the journal.
#[derive(Clone, Debug, Default)]
pub(super) struct Layer {
    by_series: HashMap<i64, Arc<Vec<Point>>>,
    n: usize,
    /// Last row of the journal.
    seq: i64,
}

/// What a reader sees, unchanged for as long as it holds it: some series of the hot readings, and blocks of `generation`.
#[derive(Debug)]
pub(super) struct View {
    pub(super) generation: i64,
    pub(super) floors: Arc<Floors>,
    layers: Vec<HashMap<i64, Arc<Vec<Point>>>>,
    _lease: Arc<()>,
}

impl View {
    /// Hot readings of a series, in pieces that are each in order; at the same moment those of a later piece came later.
    pub(super) fn points(&self, series: i64) -> impl Iterator<Item = &[Point]> {
        self.layers.iter().filter_map(move |layer| layer.get(&series)).map(|points| points.as_slice())
    }
}

impl Hot {
    fn lock(&self) -> MutexGuard<'_, Tables> {
        self.tables.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks something of the tables.
    pub(super) fn ask<T>(&self, question: impl FnOnce(&Tables) -> T) -> T {
        question(&self.lock())
    }

    /// What a reader of some series sees from now on.
    pub(super) fn view(&self, series: &[i64]) -> View {
        let tables = self.lock();
        let of = |layer: &Layer| series.iter().filter_map(|key| Some((*key, Arc::clone(layer.by_series.get(key)?)))).collect();
        let layers = tables.layers().map(of).collect();
        View { generation: tables.generation, floors: Arc::clone(&tables.floors), layers, _lease: Arc::clone(&tables.lease) }
    }

    /// Takes what stands in the journal up to row `seq`.
    pub(super) fn add(&self, seq: i64, entries: &[Entry]) {
        let open = &mut self.lock().open;
        let mut disordered = HashSet::new();
        for &(series, point) in entries {
            // A reader that holds the list keeps it as it is; the next list is a copy then.
            let points = Arc::make_mut(open.by_series.entry(series).or_default());
            if points.last().is_some_and(|last| last.key() > point.key()) {
                disordered.insert(series);
            }
            points.push(point);
        }
        for series in disordered {
            if let Some(points) = open.by_series.get_mut(&series) {
                // Stable, for the order of arrival; and quick, for it is two lists in order.
                Arc::make_mut(points).sort_by_key(Point::key);
            }
        }
        open.n += entries.len();
        open.seq = seq;
    }

    /// Takes what stands in the journal up to row `seq`, of whatever kind it is.
    pub(super) fn follow(&self, seq: i64, kind: Kind, entries: &[Entry]) {
        match kind {
            Kind::Came | Kind::Filled => self.add(seq, entries),
            Kind::TakenOut => self.take_out(seq, entries),
        }
    }

    /// Gives up what was taken out, up to row `seq` of the journal. Also of what is closed: whoever takes something out keeps it from being sealed
    /// meanwhile. What is in blocks already is no business of this.
    fn take_out(&self, seq: i64, entries: &[Entry]) {
        let Tables { closed, open, .. } = &mut *self.lock();
        for layer in closed.iter_mut().chain([&mut *open]) {
            for (series, point) in entries {
                let Some(points) = layer.by_series.get_mut(series) else { continue };
                let points = Arc::make_mut(points);
                let before = points.len();
                points.retain(|known| known.key() != point.key());
                layer.n -= before - points.len();
                if points.is_empty() {
                    layer.by_series.remove(series);
                }
            }
        }
        open.seq = seq;
    }

    /// Begins anew, as the database says it.
    pub(super) fn reset(&self, generation: i64, seq: i64) {
        let mut tables = self.lock();
        tables.advance(generation);
        tables.closed = None;
        tables.open = Layer { seq, ..Layer::default() };
    }

    /// Nothing is added any more to what is there now: it is to be sealed.
    pub(super) fn close(&self) {
        let mut tables = self.lock();
        if tables.closed.is_none() {
            let seq = tables.open.seq;
            tables.closed = Some(std::mem::replace(&mut tables.open, Layer { seq, ..Layer::default() }));
        }
    }

    /// What is closed, is sealed.
    pub(super) fn sealed(&self, generation: i64) {
        let mut tables = self.lock();
        tables.advance(generation);
        tables.closed = None;
    }

    /// Some blocks took the place of others; what is hot stays as it is.
    pub(super) fn remade(&self, generation: i64) {
        self.lock().advance(generation);
    }

    /// What retention did, as the database says it.
    pub(super) fn floors(&self, floors: Floors) {
        self.lock().floors = Arc::new(floors);
    }

    /// Retention went on with some series; what is hot stays as it is.
    pub(super) fn retired(&self, generation: i64, changed: &[(i64, Floor)]) {
        let mut tables = self.lock();
        tables.advance(generation);
        // A reader that holds the floors keeps them as they are.
        Arc::make_mut(&mut tables.floors).extend(changed.iter().copied());
    }

    /// Whether somebody may still read blocks of an earlier generation than the one that is sealed.
    pub(super) fn is_read(&self) -> bool {
        let mut tables = self.lock();
        tables.earlier.retain(|(_, lease)| lease.strong_count() > 0);
        !tables.earlier.is_empty()
    }
}

impl Tables {
    fn layers(&self) -> impl Iterator<Item = &Layer> {
        self.closed.iter().chain([&self.open])
    }

    fn advance(&mut self, generation: i64) {
        if generation != self.generation {
            self.earlier.push((self.generation, Arc::downgrade(&self.lease)));
            (self.generation, self.lease) = (generation, Arc::default());
        }
    }

    /// What is sealed is of this generation.
    pub(super) const fn generation(&self) -> i64 {
        self.generation
    }

    /// What retention left.
    pub(super) const fn floors(&self) -> &Arc<Floors> {
        &self.floors
    }

    /// Last row of the journal that is known here.
    pub(super) const fn seq(&self) -> i64 {
        self.open.seq
    }

    /// Last row of the journal that is closed.
    pub(super) fn closed_seq(&self) -> Option<i64> {
        Some(self.closed.as_ref()?.seq)
    }

    /// Readings that can still be added to, and series of theirs.
    pub(super) fn n_open(&self) -> (usize, usize) {
        (self.open.n, self.open.by_series.len())
    }

    /// Readings that are closed.
    pub(super) fn n_closed(&self) -> usize {
        self.closed.as_ref().map_or(0, |closed| closed.n)
    }

    /// Closed series and their readings, in order of series.
    pub(super) fn list_closed(&self) -> Vec<(i64, Arc<Vec<Point>>)> {
        let of = |layer: &Layer| layer.by_series.iter().map(|(key, points)| (*key, Arc::clone(points))).collect();
        let mut closed: Vec<(i64, Arc<Vec<Point>>)> = self.closed.as_ref().map(of).unwrap_or_default();
        closed.sort_unstable_by_key(|(series, _)| *series);
        closed
    }

    /// Whether a reading whose time the device said is there.
    pub(super) fn contains(&self, series: i64, key: i64) -> bool {
        self.layers().filter_map(|layer| layer.by_series.get(&series)).any(|points| match points.last() {
            Some(last) if last.key() >= key => points.binary_search_by_key(&key, Point::key).is_ok(),
            _ => false,
        })
    }
}
