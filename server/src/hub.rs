//! The hub: what viewers see. What changed in an interval is encoded once and shared; a viewer has a cursor, not a queue, so that nothing grows for
//! a viewer that does not read.
//!
//! Every change of an entity gets the next sequence number, and each entity stands in the order of its newest change only. What a viewer
//! with cursor `n` has missed is everything after `n`: the newest value of each entity, never more than there are entities.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use domain::alarm::Alarm;
use domain::change::Change;
use domain::command::CommandReport;
use domain::device::Area;
use domain::entity::EntityId;
use domain::input::Message;
use domain::live::{EntityChange, EntityView, LinkView};
use tokio::sync::{broadcast, watch};

pub use interval::Interval;
pub use packed::Packed;
pub use table::Missed;
use table::{Table, change_of};

/// What is shared.
mod interval;
/// Frames as they are written.
mod packed;
/// What is known of each entity.
mod table;

/// Events held for a viewer that is busy; one that falls further behind gets a snapshot.
const EVENTS: usize = 256;
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
                Change::Alarm(alarm) | Change::AlarmWords(alarm) => self.tell(Event::Alarm(Arc::new(alarm.clone()))),
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
                | Change::DeviceGone(_)
                | Change::Ask { .. }
                | Change::Answered { .. }
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

#[cfg(test)]
mod tests {
    use domain::change::Change;
    use domain::fleet::{Fleet, Settings};
    use domain::input::Input;
    use domain::live::{Changes, ServerFrame, read_for_page};
    use domain::time::Timestamp;
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
