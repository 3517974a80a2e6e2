use std::collections::VecDeque;

use tokio::sync::mpsc;

use super::super::Ack;

/// A message that the broker waits to have acknowledged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Owed {
    pub(super) pkid: u16,
    pub(super) qos: u8,
}

/// What became of the duty to acknowledge the message with this number.
pub(super) struct Settled {
    number: u64,
    released: bool,
}

/// The acknowledgements of one connection, sent in the order in which the messages came (MQTT 5.0, 4.6), whatever the
/// order in which they are released. A queue per connection: what is released after its connection broke finds nobody
/// to tell, because a packet id of an old connection may name another message in the new one.
pub(super) struct AckQueue {
    waiting: VecDeque<(Owed, State)>,
    /// The number of the front of `waiting`.
    first: u64,
    n_abandoned: usize,
    sender: mpsc::UnboundedSender<Settled>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Held,
    Released,
    Abandoned,
}

impl AckQueue {
    /// A queue and where its duties report. That channel needs no limit: each message reports once, and packet ids
    /// limit the messages to 65,535.
    pub(super) fn new() -> (Self, mpsc::UnboundedReceiver<Settled>) {
        let (sender, settled) = mpsc::unbounded_channel();
        (Self { waiting: VecDeque::new(), first: 0, n_abandoned: 0, sender }, settled)
    }

    /// The duty for a message that just came.
    pub(super) fn owe(&mut self, owed: Owed) -> Ack {
        let number = self.first + self.waiting.len() as u64;
        self.waiting.push_back((owed, State::Held));
        let duty = Duty { number, released: false, sender: self.sender.clone() };
        Ack::new(move || duty.release())
    }

    /// Takes note of a duty that was done or dropped.
    pub(super) fn settle(&mut self, settled: &Settled) {
        let idx = settled.number.checked_sub(self.first).and_then(|idx| usize::try_from(idx).ok());
        if let Some((_, state)) = idx.and_then(|idx| self.waiting.get_mut(idx)) {
            *state = if settled.released { State::Released } else { State::Abandoned };
        }
    }

    /// Sends what may go now. `send` says whether there was room; what had none goes with the next call.
    pub(super) fn flush(&mut self, mut send: impl FnMut(Owed) -> bool) {
        while let Some(&(owed, state)) = self.waiting.front() {
            match state {
                State::Released if send(owed) => {}
                State::Abandoned => self.n_abandoned += 1,
                State::Held | State::Released => return,
            }
            self.waiting.pop_front();
            self.first += 1;
        }
    }

    /// Whether nothing waits to be acknowledged.
    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// How many messages will not be acknowledged on this connection. Each keeps a place in the broker's window.
    pub(super) const fn n_abandoned(&self) -> usize {
        self.n_abandoned
    }
}

/// Reports when it is dropped, so that a message that was given up does not hold back those behind it.
struct Duty {
    number: u64,
    released: bool,
    sender: mpsc::UnboundedSender<Settled>,
}

impl Duty {
    fn release(mut self) {
        self.released = true;
    }
}

impl Drop for Duty {
    fn drop(&mut self) {
        // Nobody listens any more when the connection is gone; then the broker delivers the message again.
        let _: Result<(), _> = self.sender.send(Settled { number: self.number, released: self.released });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(queue: &mut AckQueue, settled: &mut mpsc::UnboundedReceiver<Settled>) -> Vec<u16> {
        while let Ok(settled) = settled.try_recv() {
            queue.settle(&settled);
        }
        let mut sent = Vec::new();
        queue.flush(|owed| {
            sent.push(owed.pkid);
            true
        });
        sent
    }

    fn owe(queue: &mut AckQueue, pkid: u16) -> Ack {
        queue.owe(Owed { pkid, qos: 1 })
    }

    #[test]
    fn acknowledgements_go_out_in_the_order_of_arrival() {
        let (mut queue, mut settled) = AckQueue::new();
        let (first, second, third) = (owe(&mut queue, 7), owe(&mut queue, 3), owe(&mut queue, 9));
        third.release();
        second.release();
        assert!(sent(&mut queue, &mut settled).is_empty());
        first.release();
        assert_eq!(sent(&mut queue, &mut settled), [7, 3, 9]);
        assert!(queue.is_empty());
        owe(&mut queue, 7).release();
        assert_eq!(sent(&mut queue, &mut settled), [7]);
    }

    #[test]
    fn a_dropped_duty_is_not_acknowledged_and_holds_nothing_back() {
        let (mut queue, mut settled) = AckQueue::new();
        let (first, second) = (owe(&mut queue, 1), owe(&mut queue, 2));
        second.release();
        drop(first);
        assert_eq!(sent(&mut queue, &mut settled), [2]);
        assert_eq!(queue.n_abandoned(), 1);
    }

    #[test]
    fn what_finds_no_room_goes_later() {
        let (mut queue, mut settled) = AckQueue::new();
        owe(&mut queue, 1).release();
        queue.settle(&settled.try_recv().expect("released"));
        queue.flush(|_| false);
        assert_eq!(sent(&mut queue, &mut settled), [1]);
    }

    #[test]
    fn a_release_after_the_connection_broke_does_nothing() {
        let (mut queue, settled) = AckQueue::new();
        let ack = owe(&mut queue, 1);
        drop((queue, settled));
        ack.release();
    }
}
