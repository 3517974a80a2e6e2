//! What is known of each entity, in the order of the newest changes.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::fmt::Write as _;
use std::sync::{Arc, OnceLock};

use domain::entity::EntityId;
use domain::live::{EntityChange, EntityView};
use domain::quality::Quality;
use domain::time::Timestamp;

use super::Packed;

/// Groups that are there no more and still told as such.
const MAX_GONE: usize = 100;

#[derive(Debug, Default)]
pub(super) struct Table {
    pub(super) seq: u64,
    pub(super) n_messages: u64,
    pub(super) entities: HashMap<EntityId, Entry>,
    order: BTreeMap<u64, EntityId>,
    pub(super) n_hidden: usize,
    /// What is there no more and still stands in the order, so that viewers are told; oldest first.
    gone: VecDeque<EntityId>,
}

#[derive(Debug)]
pub(super) struct Entry {
    seq: u64,
    /// The number of the last change of more than the value.
    known_seq: u64,
    change: EntityChange,
    /// The change as `{"e":…,"v":…}`, once somebody asked: of most values of a busy device nobody ever does.
    text: OnceLock<Box<str>>,
    /// Everything but the value, as an [`EntityView`].
    about: Box<str>,
    /// It stays out of the overview.
    is_hidden: bool,
}

impl Entry {
    fn text(&self) -> &str {
        self.text.get_or_init(|| encode(&self.change))
    }
}

/// What a viewer has missed.
#[derive(Debug, PartialEq, Eq)]
pub struct Missed {
    /// The cursor after it.
    pub seq: u64,
    /// The changes as the inside of a JSON list; empty when nothing was missed.
    pub changes: String,
}

impl Table {
    /// Tells that nothing is known of an entity any more. A page shows it so until it is loaded again.
    pub(super) fn forget(&mut self, id: &EntityId) {
        if !self.entities.contains_key(id) {
            return;
        }
        self.show(&EntityChange { e: id.clone(), v: None, t: None, q: Quality::Unknown, since: None, entity: None }, None);
        self.gone.retain(|known| known != id);
        self.gone.push_back(id.clone());
        if self.gone.len() > MAX_GONE
            && let Some(entry) = self.gone.pop_front().and_then(|oldest| self.entities.remove(&oldest))
        {
            self.order.remove(&entry.seq);
        }
    }

    pub(super) fn show(&mut self, change: &EntityChange, view: Option<&EntityView>) {
        let seq = self.seq + 1;
        if view.is_some() && !self.gone.is_empty() {
            self.gone.retain(|gone| *gone != change.e);
        }
        if let Some(entry) = self.entities.get_mut(&change.e) {
            self.order.remove(&entry.seq);
            if let Some((view, about)) = view.map(|view| (view, about(view))).filter(|(_, about)| *about != entry.about) {
                (entry.about, entry.known_seq) = (about, seq);
                self.n_hidden = self.n_hidden - usize::from(entry.is_hidden) + usize::from(view.hidden);
                entry.is_hidden = view.hidden;
            }
            (entry.seq, entry.change, entry.text) = (seq, change.clone(), OnceLock::new());
        } else {
            // A value of an entity that was never told: ingest tells the entity first.
            let Some(view) = view else { return };
            self.n_hidden += usize::from(view.hidden);
            let entry = Entry { seq, known_seq: seq, change: change.clone(), text: OnceLock::new(), about: about(view), is_hidden: view.hidden };
            self.entities.insert(change.e.clone(), entry);
        }
        self.order.insert(seq, change.e.clone());
        self.seq = seq;
    }

    pub(super) fn missed(&self, cursor: u64, until: u64, wanted: impl Fn(&EntityId, bool) -> bool) -> Missed {
        let mut changes = String::new();
        for (seq, id) in self.order.range(cursor.saturating_add(1)..) {
            let Some(entry) = self.entities.get(id) else { continue };
            let is_known = entry.known_seq <= cursor;
            // What is new about an entity is told now even if its value is one of the next interval: that one is for those who know it.
            let is_due = *seq <= until || (!is_known && entry.known_seq <= until);
            if !is_due || !wanted(id, entry.is_hidden && is_known) {
                continue;
            }
            if !changes.is_empty() {
                changes.push(',');
            }
            if is_known {
                changes.push_str(entry.text());
            } else {
                // The viewer does not know the entity as it is now: everything about it goes along, inside the same object.
                changes.push_str(entry.text().strip_suffix('}').unwrap_or_default());
                changes.push_str(",\"entity\":");
                changes.push_str(&entry.about);
                changes.push('}');
            }
        }
        Missed { seq: until.max(cursor), changes }
    }
}

impl Missed {
    /// The `changes` frame around it; `None` when nothing was missed.
    #[must_use]
    pub fn frame(&self, now: Timestamp) -> Option<Arc<Packed>> {
        self.text(now).map(|text| Arc::new(Packed::new(&text)))
    }

    pub(super) fn text(&self, now: Timestamp) -> Option<String> {
        if self.changes.is_empty() {
            return None;
        }
        let mut text = String::with_capacity(self.changes.len() + 64);
        // Writing to a String cannot fail.
        let _: std::fmt::Result = write!(text, "{{\"type\":\"changes\",\"seq\":{},\"now\":{},\"c\":[{}]}}", self.seq, now.as_ms(), self.changes);
        Some(text)
    }
}

pub(super) fn change_of(view: &EntityView) -> EntityChange {
    EntityChange { e: view.id.clone(), v: view.v.clone(), t: view.t, q: view.q, since: view.since, entity: None }
}

/// Everything about an entity but its value, which the change itself carries.
fn about(view: &EntityView) -> Box<str> {
    encode(&EntityView { v: None, t: None, q: Quality::Unknown, since: None, offline_since: None, ..view.clone() })
}

/// Made of strings and finite numbers, these always encode.
fn encode(value: &impl serde::Serialize) -> Box<str> {
    serde_json::to_string(value).unwrap_or_default().into()
}
