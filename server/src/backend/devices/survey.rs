//! Looking at all devices, a part at a time: how many there are of each kind, and the first of those that are asked for.

use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap, HashMap};

use app::devices::Counts;
use domain::device::{Area, AreaId, Device};

use super::count;
use super::question::{Key, Question, Sort, Stands, Status};
use super::row::{Standing, standing};
use crate::ingest::State;

/// Entities and devices looked at in one part: some tenths of a millisecond.
const PART: usize = 512;
/// Conventions that are named.
const MOST_CONVENTIONS: usize = 30;

/// Devices on their way.
#[derive(Debug)]
pub(super) struct Survey {
    question: Question,
    limit: usize,
    next: usize,
    /// The names of areas, for a list that is ordered by them.
    areas: HashMap<AreaId, String>,
    /// The first ones so far, the last of them on top: one more than asked for, to know whether there are more.
    first: BinaryHeap<Key>,
    /// The same for a list the other way round.
    last: BinaryHeap<Reverse<Key>>,
    n_before: usize,
    all: Counts,
    found: Counts,
    conventions: BTreeSet<String>,
}

/// What came out.
#[derive(Debug)]
pub(super) struct End {
    /// In the order asked for.
    pub keys: Vec<Key>,
    /// There are more behind them.
    pub is_more: bool,
    /// How many stand before the first.
    pub n_before: usize,
    /// All devices.
    pub all: Counts,
    /// Those that are asked for, whatever their status.
    pub found: Counts,
    /// What they speak.
    pub conventions: Vec<String>,
}

impl Survey {
    /// The first `limit` devices of a list.
    pub fn new(question: Question, limit: usize, areas: &[Area]) -> Self {
        let named = |area: &Area| (area.id.clone(), area.name.to_lowercase());
        Self {
            areas: if question.sort == Sort::Area { areas.iter().map(named).collect() } else { HashMap::new() },
            question,
            limit,
            next: 0,
            first: BinaryHeap::new(),
            last: BinaryHeap::new(),
            n_before: 0,
            all: Counts::default(),
            found: Counts::default(),
            conventions: BTreeSet::new(),
        }
    }

    /// Looks at a part of the devices; whether that was the last one.
    pub fn look(&mut self, state: &State) -> bool {
        let mut n = 0;
        for (next, id, entities) in state.roster.from(self.next) {
            if n >= PART {
                return false;
            }
            n += 1 + entities.len();
            self.next = next;
            if let Some(device) = state.fleet.device(id) {
                self.take(device, standing(state, device, entities));
            }
        }
        true
    }

    fn take(&mut self, device: &Device, Standing { presence, hidden, .. }: Standing) {
        count(&mut self.all, presence, hidden);
        if !self.conventions.contains(&device.convention) && self.conventions.len() < MOST_CONVENTIONS {
            self.conventions.insert(device.convention.clone());
        }
        let name = device.name.to_lowercase();
        if !self.is_asked_for(device, &name) {
            return;
        }
        count(&mut self.found, presence, hidden);
        let is_wanted = match self.question.status {
            None => !hidden,
            Some(Status::Hidden) => hidden,
            Some(Status::Is(wanted)) => !hidden && presence == wanted,
        };
        if !is_wanted || self.limit == 0 {
            return;
        }
        let (first, text) = match self.question.sort {
            Sort::Device => (0, name),
            Sort::Status => (presence as i64, name),
            Sort::Seen => (device.last_seen.map_or(i64::MIN, domain::time::Timestamp::as_ms).saturating_neg(), name),
            Sort::Area => {
                let area = device.area.as_ref().map(|area| self.areas.get(area).map_or(area.as_str(), String::as_str));
                (i64::from(area.is_none()), [area.unwrap_or_default(), "\u{1}", &name].concat())
            }
        };
        self.offer(Key { first, text, id: device.id.clone() });
    }

    fn is_asked_for(&self, device: &Device, name: &str) -> bool {
        let Question { text, area, convention, .. } = &self.question;
        let stands = match area {
            None => true,
            Some(Stands::Nowhere) => device.area.is_none(),
            Some(Stands::In(area)) => device.area.as_ref() == Some(area),
        };
        let speaks = convention.is_empty() || device.convention == *convention;
        let named = || name.contains(text.as_str()) || device.id.as_str().contains(text.as_str()) || device.topic_root.to_lowercase().contains(text);
        stands && speaks && (text.is_empty() || named())
    }

    fn offer(&mut self, key: Key) {
        let is_before = match (&self.question.after, self.question.is_descending) {
            (None, _) => false,
            (Some(after), false) => key <= *after,
            (Some(after), true) => key >= *after,
        };
        if is_before {
            self.n_before += 1;
        } else if self.question.is_descending {
            self.last.push(Reverse(key));
            if self.last.len() > self.limit + 1 {
                self.last.pop();
            }
        } else {
            self.first.push(key);
            if self.first.len() > self.limit + 1 {
                self.first.pop();
            }
        }
    }

    /// What came out.
    pub fn end(self) -> End {
        let Self { limit, first, last, n_before, all, found, conventions, .. } = self;
        // One of the two is empty.
        let mut keys = first.into_sorted_vec();
        keys.extend(last.into_sorted_vec().into_iter().map(|Reverse(key)| key));
        let is_more = keys.len() > limit;
        keys.truncate(limit);
        End { keys, is_more, n_before, all, found, conventions: conventions.into_iter().filter(|name| !name.is_empty()).collect() }
    }
}
