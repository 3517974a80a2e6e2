use std::future::Future;
use std::pin::pin;
use std::time::Duration;

use futures_util::FutureExt;
use tokio::time::{Instant, sleep_until, timeout};

use super::shared::Half;
use super::version::Accepted;
use super::wire::{Client, Event, Events, Failure, Granted, Options};
use crate::tasks::Tasks;

/// What a connection is for.
pub(super) trait Role: Send {
    /// Which of the two it is.
    const HALF: Half;
    /// What the rest of the server gives it to do.
    type Item: Send;

    fn options(&self) -> Options;
    /// The broker accepted the connection.
    fn begin(&mut self, granted: &Granted, client: &impl Client);
    /// Waits for something to do. May be dropped and called again.
    fn next(&mut self) -> impl Future<Output = Self::Item> + Send;
    /// Does it; an error ends the connection.
    fn take(&mut self, item: Self::Item, client: &impl Client) -> Result<(), Failure>;
    /// Something happened on the connection; an error ends it.
    fn event(&mut self, event: Event, client: &impl Client) -> Result<(), Failure>;
    /// The server stops: say what is to be said before the end.
    fn leave(&mut self, client: &impl Client);
    /// Whether nothing is left to wait for after [`Role::leave`].
    fn is_done(&self) -> bool;
    /// The connection is gone.
    fn end(&mut self);
}

/// How a connection ended.
pub(super) enum Ended {
    /// We closed it, because the server stops.
    Stopped,
    /// We closed it, to try MQTT 5 once more.
    TryV5Again,
    /// It broke, or never came about.
    Failed {
        failure: Failure,
        /// How long it had stood; `None` when the broker never accepted it.
        stood: Option<Duration>,
    },
}

/// Beyond rumqttc's own 5 s for connecting.
const CONNECT_LIMIT: Duration = Duration::from_secs(10);
/// How long saying goodbye may take; and then how long the broker has to close the connection after DISCONNECT. To wait
/// for that is to know that it has read the acknowledgements before it: a server that starts again at once would
/// otherwise take over the session before they count.
const GOODBYE: Duration = Duration::from_secs(1);

/// Runs one connection to its end. This is the task that polls the event loop; between two polls it waits for nothing,
/// and a poll that was begun is never dropped while the connection is to live.
pub(super) async fn run<R: Role, C: Client, E: Events>(
    role: &mut R,
    (client, mut events): (C, E),
    accepted: impl FnMut(&Granted) -> Accepted + Send,
    tasks: &Tasks,
) -> Ended {
    let ended = poll_to_the_end(role, &client, &mut events, accepted, tasks).await;
    for event in events.left() {
        // The connection is over; only what had arrived still counts.
        let _: Result<(), Failure> = role.event(event, &client);
    }
    role.end();
    ended
}

async fn poll_to_the_end<R: Role, C: Client, E: Events>(
    role: &mut R,
    client: &C,
    events: &mut E,
    mut accepted: impl FnMut(&Granted) -> Accepted + Send,
    tasks: &Tasks,
) -> Ended {
    let (mut heard, mut silence_limit) = (Instant::now(), CONNECT_LIMIT);
    // One timer, set anew when it rings: setting it for each message would cost more than the message.
    let mut silence = pin!(sleep_until(heard + silence_limit));
    let mut connected: Option<Instant> = None;
    let mut leave_until: Option<Instant> = None;
    let mut closing = false;
    loop {
        let polled = {
            let mut poll = pin!(events.poll());
            loop {
                if leave_until.is_some() && !closing && role.is_done() {
                    closing = client.try_disconnect();
                }
                tokio::select! {
                    polled = &mut poll => break polled,
                    // rumqttc alone needs two keep alives to see that nobody answers, and in MQTT 5 has no limit for a
                    // flush: a peer that stops reading would keep it there.
                    () = &mut silence => {
                        if heard + silence_limit <= Instant::now() {
                            // After a pause of our own, such as a machine that slept, the answer may be there already.
                            break poll.now_or_never().unwrap_or(Err(Failure::Silent));
                        }
                        silence.as_mut().reset(heard + silence_limit);
                    }
                    item = role.next(), if connected.is_some() => {
                        if let Err(failure) = role.take(item, client) {
                            break Err(failure);
                        }
                    }
                    () = tasks.stopping(), if leave_until.is_none() => {
                        if connected.is_none() {
                            return Ended::Stopped;
                        }
                        role.leave(client);
                        leave_until = Some(Instant::now() + GOODBYE);
                    }
                    () = sleep_until(leave_until.unwrap_or_else(Instant::now)), if leave_until.is_some() => {
                        if closing || !client.try_disconnect() {
                            return Ended::Stopped;
                        }
                        closing = true;
                        leave_until = Some(Instant::now() + GOODBYE);
                    }
                }
            }
        };
        if polled.as_ref().is_ok_and(Event::is_from_broker) {
            heard = Instant::now();
        }
        let happened = match polled {
            Err(failure) => Err(failure),
            Ok(Event::Connected(granted)) => {
                if accepted(&granted) == Accepted::TryV5Again {
                    close(client, events).await;
                    return Ended::TryV5Again;
                }
                connected = Some(Instant::now());
                silence_limit = granted.keep_alive * 3 / 2;
                silence.as_mut().reset(heard + silence_limit);
                if granted.session_present {
                    events.expect_releases();
                }
                role.begin(&granted, client);
                Ok(())
            }
            Ok(event) => role.event(event, client),
        };
        if let Err(failure) = happened {
            return if leave_until.is_some() { Ended::Stopped } else { Ended::Failed { failure, stood: connected.map(|since| since.elapsed()) } };
        }
    }
}

/// Closes a connection that was only a question, so that its last will is not published.
async fn close(client: &impl Client, events: &mut impl Events) {
    if client.try_disconnect() {
        let disconnected = async { while !matches!(events.poll().await, Ok(Event::Disconnecting) | Err(_)) {} };
        let _: Result<(), _> = timeout(GOODBYE, disconnected).await;
    }
}
