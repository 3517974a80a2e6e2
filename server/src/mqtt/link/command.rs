use std::sync::Arc;

use tokio::sync::mpsc;

use super::super::PublishError;
use super::connection::Role;
use super::shared::{Half, Publish, Shared};
use super::tracker::{Tracker, answer};
use super::wire::{Client, Event, Failure, Granted, MAX_IN_FLIGHT, Options};

/// The connection that publishes, in a clean session: what an outage catches is reported, never sent later.
pub(super) struct Command {
    shared: Arc<Shared>,
    /// What waits to be written; a channel for each connection, so that nothing of the last one is left.
    requests: Option<mpsc::Receiver<Publish>>,
    tracker: Tracker,
    max_qos: u8,
    packet_limit: usize,
    n_slots_lost: u16,
}

/// How many publishes may wait behind those in flight.
const QUEUE: usize = 64;
/// More than the header of a PUBLISH can take beside topic and payload, an expiry included.
const HEADER: usize = 24;

impl Command {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Self { shared, requests: None, tracker: Tracker::default(), max_qos: 2, packet_limit: 0, n_slots_lost: 0 }
    }

    /// Takes what waits out of the queue; none of it was sent.
    fn close_queue(&mut self) {
        self.shared.close_door();
        if let Some(mut requests) = self.requests.take() {
            while let Ok(publish) = requests.try_recv() {
                answer(publish.reply, Err(PublishError::LinkDown));
            }
        }
    }
}

impl Role for Command {
    const HALF: Half = Half::Command;
    type Item = Publish;

    fn options(&self) -> Options {
        let settings = &self.shared.settings;
        Options { client_id: format!("{}-cmd", settings.client_id), n_requests: usize::from(MAX_IN_FLIGHT) * 2, ..Options::of(settings) }
    }

    fn begin(&mut self, granted: &Granted, _: &impl Client) {
        self.max_qos = granted.max_qos;
        self.packet_limit = usize::try_from(granted.packet_limit).unwrap_or(usize::MAX);
        let (door, requests) = mpsc::channel(QUEUE);
        self.requests = Some(requests);
        self.shared.open_door(door);
        self.shared.up(Half::Command);
    }

    async fn next(&mut self) -> Publish {
        if self.tracker.len() < usize::from(MAX_IN_FLIGHT)
            && let Some(requests) = &mut self.requests
            && let Some(publish) = requests.recv().await
        {
            return publish;
        }
        std::future::pending().await
    }

    fn take(&mut self, publish: Publish, client: &impl Client) -> Result<(), Failure> {
        let Publish { topic, payload, qos, retain, expires_s, reply } = publish;
        // rumqttc would break the connection over it.
        if topic.len() + payload.len() + HEADER > self.packet_limit {
            answer(reply, Err(PublishError::Refused(format!("{} bytes are more than it takes", payload.len()))));
        } else if client.try_publish_for(&topic, payload, qos.min(self.max_qos), retain, expires_s) {
            self.tracker.queued(reply);
        } else {
            answer(reply, Err(PublishError::QueueFull));
        }
        Ok(())
    }

    fn event(&mut self, event: Event, _: &impl Client) -> Result<(), Failure> {
        match event {
            Event::Written(pkid) => self.tracker.written(pkid),
            Event::Acknowledged { pkid, refused, slot_lost } => {
                self.tracker.acknowledged(pkid, refused);
                self.n_slots_lost += u16::from(slot_lost);
            }
            _ => {}
        }
        if self.n_slots_lost >= MAX_IN_FLIGHT / 2 && self.tracker.len() == 0 {
            return Err(Failure::Broken("too many refused messages, connecting anew".to_owned()));
        }
        Ok(())
    }

    fn leave(&mut self, _: &impl Client) {
        self.close_queue();
    }

    fn is_done(&self) -> bool {
        self.tracker.len() == 0
    }

    fn end(&mut self) {
        self.close_queue();
        self.tracker.lose_all();
        self.n_slots_lost = 0;
    }
}
