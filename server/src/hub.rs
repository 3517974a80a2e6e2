//! The hub: what viewers see. What changed in an interval is encoded once and shared; a viewer has a cursor, not a queue, so that nothing grows for
//! a viewer that does not read.
//!
//! Every change of an entity gets the next sequence number, and each entity stands in the order of its newest change only. What a viewer
//! with cursor `n` has missed is everything after `n`: the newest value of each entity, never more than there are entities.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use domain::alarm::Alarm;
use domain::change::Change;
use domain::command::CommandReport;
use domain::device::Area;
use domain::entity::EntityId;
use domain::input::Message;
use domain::live::{EntityChange, EntityView, LinkView};
use domain::quality::Quality;
use domain::time::Timestamp;
use tokio::sync::{broadcast, watch};

pub use interval::Interval;
pub use packed::Packed;

/// What is shared.
mod interval;
/// Frames as they are written.
mod packed;

/// Events held for a viewer that is busy; one that falls further behind gets a snapshot.
const EVENTS: usize = 256;
/// Groups that are there no more and still told as such.
const MAX_GONE: usize = 100;
/// Messages held for a viewer that follows topics; one that falls further behind gets the current values.
const MESSAGES: usize = 4_096;

/// What does not wait for a frame.
#[derive(Clone, Debug)]
pub enum Event {
    /// An alarm changed its state.
    Alarm(Arc<Alarm>),
    /// A command changed its state.
    Command(Arc<CommandReport>),
    /// A broker was reached or lost.
    Link(Arc<LinkView>),
    /// There are other areas, or they have other names.
    Areas(Arc<[Area]>),
}

/// A message with what it fed, for those who follow its topic.
#[derive(Debug)]
pub struct TopicMessage {
    /// The message.
    pub message: Message,
    /// The entities that it fed, as they were right after it.
    pub fed: Vec<EntityView>,
    /// Its number: it was the n-th since the start. The state counts in the same order ([`crate::ingest::State::rate`]).
    pub n: u64,
    /// The number of the newest change when it was handled.
    pub seq: u64,
}

/// What viewers see. Cheap to clone through an `Arc`.
#[derive(Debug)]
pub struct Hub {
    table: Mutex<Table>,
    seq: watch::Sender<u64>,
    intervals: watch::Sender<Arc<Interval>>,
    /// Viewers that do not read at the moment.
    n_behind: AtomicUsize,
    events: broadcast::Sender<Event>,
    /// How many events were told.
    n_told: AtomicU64,
    messages: broadcast::Sender<Arc<TopicMessage>>,
}

#[derive(Debug, Default)]
struct Table {
    seq: u64,
    n_messages: u64,
    entities: HashMap<EntityId, Entry>,
    order: BTreeMap<u64, EntityId>,
    n_hidden: usize,
    /// What is there no more and still stands in the order, so that viewers are told; oldest first.
    gone: VecDeque<EntityId>,
}

#[derive(Debug)]
struct Entry {
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

impl Default for Hub {
    fn default() -> Self {
        Self {
            table: Mutex::default(),
            seq: watch::Sender::new(0),
            intervals: watch::Sender::new(Arc::default()),
            n_behind: AtomicUsize::new(0),
            events: broadcast::Sender::new(EVENTS),
            n_told: AtomicU64::new(0),
            messages: broadcast::Sender::new(MESSAGES),
        }
    }
}

impl Hub {
    /// Shows what an earlier run left.
    pub fn fill(&self, views: &[EntityView]) {
        let mut table = self.lock();
        for view in views {
            table.show(&change_of(view), Some(view));
        }
        self.seq.send_replace(table.seq);
    }

    /// Shows the changes of one batch of inputs. `view` gives an entity as it is now; it is asked only where somebody follows topics.
    pub fn publish(&self, changes: &[Change], view: impl Fn(&EntityId) -> Option<EntityView>) {
        let mut table = self.lock();
        let followed = self.messages.receiver_count() > 0;
        for change in changes {
            match change {
                Change::Entity(_, view) => table.show(&change_of(view), Some(view)),
                Change::Group(view) => table.show(&change_of(view), Some(view)),
                Change::Gone(id) => table.forget(id),
                Change::Shown(change) => table.show(change, None),
                Change::Alarm(alarm) => self.tell(Event::Alarm(Arc::new(alarm.clone()))),
                Change::Command(report) => self.tell(Event::Command(Arc::new(report.clone()))),
                Change::Areas(areas) => self.tell(Event::Areas(areas.as_slice().into())),
                Change::Link(link) => self.tell(Event::Link(Arc::new(link.clone()))),
                Change::Message { message, fed } => {
                    table.n_messages += 1;
                    if followed {
                        // By now the entity may be past this message: the next one of the same batch has fed it too.
                        let then = |fed: &EntityChange| view(&fed.e).map(|view| EntityView { v: fed.v.clone(), t: fed.t, q: fed.q, ..view });
                        let fed = fed.iter().filter_map(then).collect();
                        let told = TopicMessage { message: message.clone(), fed, n: table.n_messages, seq: table.seq };
                        // Nobody is left to hear it: fine.
                        let _: Result<_, _> = self.messages.send(Arc::new(told));
                    }
                }
                Change::Device(_)
                | Change::Reading(_)
                | Change::Rejected { .. }
                | Change::Publish(_)
                | Change::Queue(_)
                | Change::Written(_)
                | Change::RetainedCommand { .. } => {}
            }
        }
        self.seq.send_if_modified(|seq| std::mem::replace(seq, table.seq) != table.seq);
    }

    /// How many entities there are.
    #[must_use]
    pub fn n_entities(&self) -> usize {
        self.lock().entities.len()
    }

    /// How many viewers there are.
    #[must_use]
    pub fn n_viewers(&self) -> usize {
        self.events.receiver_count()
    }

    /// The number of the newest change.
    #[must_use]
    pub fn seq(&self) -> u64 {
        *self.seq.borrow()
    }

    /// Alarms, command outcomes and links from now on.
    #[must_use]
    pub fn events(&self) -> broadcast::Receiver<Event> {
        self.events.subscribe()
    }

    /// Messages from now on.
    #[must_use]
    pub fn messages(&self) -> broadcast::Receiver<Arc<TopicMessage>> {
        self.messages.subscribe()
    }

    /// What changed after `cursor` and not after `until` among the entities that `wanted` lets through. It is told of each whether it stays out of
    /// the overview and that was known at `cursor`. What changed again after `until` comes with a later interval.
    #[must_use]
    pub fn missed(&self, cursor: u64, until: u64, wanted: impl Fn(&EntityId, bool) -> bool) -> Missed {
        self.lock().missed(cursor, until, wanted)
    }

    /// What has happened so far: the number of the newest change, and how many events were told.
    #[must_use]
    pub fn standing(&self) -> (u64, u64) {
        (self.seq(), self.n_told.load(Ordering::Acquire))
    }

    fn tell(&self, event: Event) {
        self.n_told.fetch_add(1, Ordering::Release);
        // Nobody is left to hear it: fine.
        let _: Result<_, _> = self.events.send(event);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Table {
    /// Tells that nothing is known of an entity any more. A page shows it so until it is loaded again.
    fn forget(&mut self, id: &EntityId) {
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

    fn show(&mut self, change: &EntityChange, view: Option<&EntityView>) {
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

    fn missed(&self, cursor: u64, until: u64, wanted: impl Fn(&EntityId, bool) -> bool) -> Missed {
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

    fn text(&self, now: Timestamp) -> Option<String> {
        if self.changes.is_empty() {
            return None;
        }
        let mut text = String::with_capacity(self.changes.len() + 64);
        // Writing to a String cannot fail.
        let _: std::fmt::Result = write!(text, "{{\"type\":\"changes\",\"seq\":{},\"now\":{},\"c\":[{}]}}", self.seq, now.as_ms(), self.changes);
        Some(text)
    }
}

fn change_of(view: &EntityView) -> EntityChange {
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

#[cfg(test)]
mod tests {
    use domain::change::Change;
    use domain::fleet::{Fleet, Settings};
    use domain::input::Input;
    use domain::live::{Changes, ServerFrame, read_for_page};
    use domain::value::Value;

    use super::*;

    /// A fleet whose changes go to a hub.
    fn say(hub: &Hub, fleet: &mut Fleet, topic: &str, payload: &str) -> Vec<Change> {
        let mut out = vec![];
        let message = Message { link: "main".into(), topic: topic.into(), payload: payload.as_bytes().into(), qos: 0, retained: false };
        fleet.apply(Input::Message(message), Timestamp::from_ms(1), &mut out);
        hub.publish(&out, |id| fleet.entity(id));
        out
    }

    fn changes(missed: &Missed) -> Vec<EntityChange> {
        match missed.text(Timestamp::from_ms(1)).and_then(|text| read_for_page(&text)) {
            Some(ServerFrame::Changes(Changes { c, .. })) => c,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_viewer_gets_the_newest_value_of_each_entity_and_nothing_twice() {
        let (hub, mut fleet) = (Hub::default(), Fleet::new(Settings::default()));
        say(&hub, &mut fleet, "sensors/a/temperature", "1");
        say(&hub, &mut fleet, "sensors/b/temperature", "5");
        let first = hub.missed(0, hub.seq(), |_, _| true);
        assert!(changes(&first).iter().all(|c| c.entity.is_some()));
        for n in 2..100 {
            say(&hub, &mut fleet, "sensors/a/temperature", &n.to_string());
        }
        let missed = hub.missed(first.seq, hub.seq(), |_, _| true);
        let got = changes(&missed);
        assert_eq!(
            got.iter().map(|c| (c.e.as_str(), c.v.clone(), c.entity.is_some())).collect::<Vec<_>>(),
            [("a.temperature", Some(Value::Number(99.0)), false)]
        );
        assert_eq!(hub.missed(missed.seq, hub.seq(), |_, _| true).changes, "");
    }

    #[test]
    fn an_entity_that_is_new_to_a_viewer_comes_whole_with_its_newest_value() {
        let (hub, mut fleet) = (Hub::default(), Fleet::new(Settings::default()));
        say(&hub, &mut fleet, "sensors/a/temperature", "1");
        let seen = hub.seq();
        say(&hub, &mut fleet, "sensors/<b>/temperature", "2");
        say(&hub, &mut fleet, "sensors/<b>/temperature", "3");
        let got = changes(&hub.missed(seen, hub.seq(), |_, _| true));
        assert_eq!(got.len(), 1);
        assert_eq!((got[0].v.clone(), got[0].entity.as_ref().map(|e| e.name.clone())), (Some(Value::Number(3.0)), Some("Temperature".to_owned())));
    }

    #[test]
    fn an_interval_is_encoded_once_and_those_who_come_later_miss_nothing_and_see_nothing_twice() {
        let (hub, mut fleet) = (Hub::default(), Fleet::new(Settings::default()));
        let values = |missed: &Missed| {
            let all = if missed.changes.is_empty() { vec![] } else { changes(missed) };
            all.into_iter().map(|change| (change.e.as_str().to_owned(), change.v, change.entity.is_some())).collect::<Vec<_>>()
        };
        let number = |n: f64| Some(Value::Number(n));
        let mut intervals = hub.intervals();
        say(&hub, &mut fleet, "sensors/a/count", "1");
        say(&hub, &mut fleet, "sensors/b/count", "1");
        let late = hub.seq();
        say(&hub, &mut fleet, "sensors/a/count", "2");
        hub.end_interval();
        let first = Arc::clone(&intervals.borrow_and_update());
        // Who has seen all that was before it gets the bytes of all others.
        assert_eq!(changes(&hub.missed(first.from, first.to, |_, _| true)).len(), 2);
        let text = first.frame.as_ref().map(|frame| String::from_utf8_lossy(frame.as_bytes()).into_owned()).unwrap_or_default();
        assert!(text.contains("\"a.count\"") && text.contains("\"b.count\""), "{text}");
        // Who came in its middle gets the rest of it.
        assert_eq!(values(&hub.missed(late, first.to, |_, _| true)), [("a.count".to_owned(), number(2.0), false)]);
        // Who is behind is told of what is new, and of values only up to the end of the interval.
        say(&hub, &mut fleet, "sensors/b/count", "2");
        assert_eq!(
            values(&hub.missed(0, first.to, |_, _| true)),
            [("a.count".to_owned(), number(2.0), true), ("b.count".to_owned(), number(2.0), true)]
        );
        assert_eq!(values(&hub.missed(late, first.to, |_, _| true)), [("a.count".to_owned(), number(2.0), false)]);
        hub.end_interval();
        let second = Arc::clone(&intervals.borrow_and_update());
        assert_eq!((second.from, second.to), (first.to, hub.seq()));
        assert_eq!(values(&hub.missed(first.to, second.to, |_, _| true)), [("b.count".to_owned(), number(2.0), false)]);
    }

    #[test]
    fn those_who_follow_topics_hear_each_message_with_what_it_fed() {
        let (hub, mut fleet) = (Hub::default(), Fleet::new(Settings::default()));
        let mut messages = hub.messages();
        say(&hub, &mut fleet, "sensors/a/temperature", "1");
        say(&hub, &mut fleet, "commands/a", "restart");
        assert_eq!(messages.try_recv().expect("first").fed.len(), 1);
        assert!(messages.try_recv().expect("second").fed.is_empty());
    }

    #[test]
    fn messages_that_are_handled_together_are_told_with_their_own_values() {
        let (hub, mut fleet, mut out) = (Hub::default(), Fleet::new(Settings::default()), vec![]);
        let mut messages = hub.messages();
        for n in 1..=3 {
            let message =
                Message { link: "main".into(), topic: "sensors/a/count".into(), payload: n.to_string().as_bytes().into(), qos: 0, retained: false };
            fleet.apply(Input::Message(message), Timestamp::from_ms(n), &mut out);
        }
        hub.publish(&out, |id| fleet.entity(id));
        for (n, at, value) in [(1, 1, 1.0), (2, 2, 2.0), (3, 3, 3.0)] {
            let told = messages.try_recv().expect("a message");
            assert_eq!((told.n, told.fed[0].t, told.fed[0].v.clone()), (n, Some(Timestamp::from_ms(at)), Some(Value::Number(value))));
        }
    }
}
