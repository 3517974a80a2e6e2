use std::collections::{HashMap, VecDeque};

use tokio::sync::oneshot;

use super::super::PublishError;

/// Who waits to hear what became of a publish; nobody for the presence of the link itself.
pub(super) type Reply = Option<oneshot::Sender<Result<(), PublishError>>>;

/// Finds the publish that an acknowledgement belongs to, which rumqttc does not tell: it writes publishes in the order
/// in which they were queued, and names the packet id of each when it is written.
#[derive(Default)]
pub(super) struct Tracker {
    queued: VecDeque<Reply>,
    in_flight: HashMap<u16, Reply>,
}

impl Tracker {
    /// A publish was handed to rumqttc.
    pub(super) fn queued(&mut self, reply: Reply) {
        self.queued.push_back(reply);
    }

    /// The oldest queued publish was written with this packet id; 0 for QoS 0, which nobody acknowledges.
    pub(super) fn written(&mut self, pkid: u16) {
        let Some(reply) = self.queued.pop_front() else { return };
        if pkid == 0 {
            answer(reply, Ok(()));
        } else {
            self.in_flight.insert(pkid, reply);
        }
    }

    /// The broker answered the publish with this packet id.
    pub(super) fn acknowledged(&mut self, pkid: u16, refused: Option<String>) {
        if let Some(reply) = self.in_flight.remove(&pkid) {
            answer(reply, refused.map_or(Ok(()), |reason| Err(PublishError::Refused(reason))));
        }
    }

    /// How many publishes wait.
    pub(super) fn len(&self) -> usize {
        self.queued.len() + self.in_flight.len()
    }

    /// The connection broke: what was not acknowledged may or may not have arrived.
    pub(super) fn lose_all(&mut self) {
        for reply in self.queued.drain(..).chain(self.in_flight.drain().map(|(_, reply)| reply)) {
            answer(reply, Err(PublishError::Lost));
        }
    }
}

/// Nobody may listen any more; that is theirs to choose.
pub(super) fn answer(reply: Reply, result: Result<(), PublishError>) {
    if let Some(reply) = reply {
        let _: Result<(), _> = reply.send(result);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn queue(tracker: &mut Tracker) -> oneshot::Receiver<Result<(), PublishError>> {
        let (reply, answer) = oneshot::channel();
        tracker.queued(Some(reply));
        answer
    }

    #[test]
    fn each_acknowledgement_finds_its_publish() {
        let mut tracker = Tracker::default();
        let (mut first, mut second, mut third) = (queue(&mut tracker), queue(&mut tracker), queue(&mut tracker));
        tracker.written(4);
        tracker.written(0);
        tracker.written(5);
        assert_eq!(second.try_recv(), Ok(Ok(())), "nobody acknowledges QoS 0");
        tracker.acknowledged(5, Some("not authorized".to_owned()));
        assert_eq!(third.try_recv(), Ok(Err(PublishError::Refused("not authorized".to_owned()))));
        assert!(first.try_recv().is_err());
        tracker.acknowledged(4, None);
        assert_eq!((first.try_recv(), tracker.len()), (Ok(Ok(())), 0));
    }

    #[test]
    fn what_was_not_acknowledged_when_the_connection_broke_is_lost() {
        let mut tracker = Tracker::default();
        let (mut written, mut queued) = (queue(&mut tracker), queue(&mut tracker));
        tracker.written(1);
        tracker.lose_all();
        assert_eq!((written.try_recv(), queued.try_recv()), (Ok(Err(PublishError::Lost)), Ok(Err(PublishError::Lost))));
        tracker.acknowledged(1, None);
    }
}
