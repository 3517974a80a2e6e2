//! One device's connection: a real MQTT client with a last will. MQTT 3.1.1, which every broker speaks.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use domain::time::Timestamp;
use rumqttc::{AsyncClient, ConnectionError, Event, EventLoop, LastWill, MqttOptions, Packet, QoS};
use tokio::time::{Instant, sleep_until, timeout};
use tracing::{debug, info, warn};

use super::SimTarget;
use super::player::{Moment, Outgoing, Player};
use crate::tasks::Tasks;

/// Requests that wait for the connection; more than a device says at once, and some write a tree of topics.
const QUEUE: usize = 256;
/// Largest packet in bytes, either way: a bridge tells of all its devices in one.
const MAX_PACKET: usize = 1 << 20;
const KEEP_ALIVE: Duration = Duration::from_secs(30);
/// Long enough for a broker to acknowledge the last messages, short enough for a clean stop of the whole server.
const FAREWELL: Duration = Duration::from_secs(2);
const FIRST_RETRY: Duration = Duration::from_millis(100);
const LAST_RETRY: Duration = Duration::from_secs(10);
/// A device with nothing to say sleeps no longer than this.
const LONGEST_SLEEP: Duration = Duration::from_secs(3_600);

/// The broker as all devices see it together.
#[derive(Debug)]
pub(super) struct Broker {
    target: SimTarget,
    /// So that an outage is logged once and not by each device.
    unreachable: AtomicBool,
}

impl Broker {
    pub(super) const fn new(target: SimTarget) -> Self {
        Self { target, unreachable: AtomicBool::new(false) }
    }

    fn failed(&self, error: &ConnectionError) {
        if !self.unreachable.swap(true, Ordering::Relaxed) {
            warn!(broker.host = %self.target.host, broker.port = self.target.port, %error, "Simulated devices lost the broker, they keep trying");
        }
    }

    fn reached(&self) {
        if self.unreachable.swap(false, Ordering::Relaxed) {
            info!(broker.host = %self.target.host, broker.port = self.target.port, "Simulated devices reached the broker again");
        }
    }
}

/// Plays one device until the tasks are told to stop.
pub(super) async fn play(mut player: Box<dyn Player>, broker: Arc<Broker>, tasks: Tasks) {
    let clock = Clock { switched_on: Instant::now() };
    let mut retry = FIRST_RETRY;
    while !tasks.is_stopping() {
        let wait = if let Some(absent) = player.absent_for(clock.uptime()) {
            absent
        } else {
            let (end, was_up) = Connection::open(&mut *player, &broker.target).run(&mut *player, clock, &broker, &tasks).await;
            match end {
                End::Stopped => return,
                End::Dropped => continue,
                End::Failed(error) => {
                    broker.failed(&error);
                    retry = if was_up { FIRST_RETRY } else { (retry * 2).min(LAST_RETRY) };
                    // Between half and all of it, so that the devices do not come back in one wave.
                    retry.mul_f64(0.5 + 0.5 * fastrand::f64())
                }
            }
        };
        // Either the wait is over or the tasks stop; the loop's condition tells which.
        let _either = timeout(wait, tasks.stopping()).await;
    }
}

/// Why a connection ended.
enum End {
    /// The device said goodbye, or the broker was not there to hear it.
    Stopped,
    /// The device's own fault cut it, without a goodbye.
    Dropped,
    /// The broker or the network did.
    Failed(ConnectionError),
}

/// One connection from CONNECT to its end. A new client each time: nothing queued for an old connection goes out on a new one.
struct Connection {
    client: AsyncClient,
    events: EventLoop,
}

impl Connection {
    fn open(player: &mut dyn Player, target: &SimTarget) -> Self {
        // Random: two simulators with equal ids would throw each other out forever.
        let id = format!("sim-{}-{:06x}", player.name(), fastrand::u32(..0x0100_0000));
        let mut options = MqttOptions::new(id, target.host.clone(), target.port);
        let will = player.will();
        options.set_keep_alive(KEEP_ALIVE).set_clean_session(true).set_max_packet_size(MAX_PACKET, MAX_PACKET);
        options.set_last_will(LastWill::new(&will.topic, will.payload.clone(), qos_of(&will), will.retain));
        if let Some((username, password)) = &target.credentials {
            options.set_credentials(username, password);
        }
        let (client, events) = AsyncClient::new(options, QUEUE);
        Self { client, events }
    }

    /// Runs until the end and says whether the broker was reached.
    ///
    /// Only this function polls, and it never waits for anything that the poll itself must free. A poll is one future kept across wake-ups:
    /// dropped half-way it could write a packet twice.
    async fn run(self, player: &mut dyn Player, clock: Clock, broker: &Broker, tasks: &Tasks) -> (End, bool) {
        let Self { client, mut events } = self;
        let mut up = false;
        let mut unacknowledged = 0_usize;
        let mut farewell: Option<Instant> = None;
        loop {
            let event = {
                let poll = events.poll();
                tokio::pin!(poll);
                loop {
                    tokio::select! {
                        event = &mut poll => break event,
                        () = sleep_until(clock.wake(player)), if up && farewell.is_none() => {
                            if player.absent_for(clock.uptime()).is_some() {
                                debug!(device.id = player.name(), "Simulated device drops its connection");
                                return (End::Dropped, up);
                            }
                            unacknowledged += publish(&client, player.due(clock.moment()));
                        }
                        () = tasks.stopping(), if farewell.is_none() => {
                            if !up {
                                return (End::Stopped, up);
                            }
                            farewell = Some(Instant::now() + FAREWELL);
                            unacknowledged += publish(&client, vec![player.farewell()]);
                        }
                        () = sleep_until(farewell.unwrap_or_else(Instant::now)), if farewell.is_some() => return (End::Stopped, up),
                    }
                }
            };
            match event {
                Ok(Event::Incoming(Packet::ConnAck(_))) => {
                    up = true;
                    broker.reached();
                    for topic in player.topics() {
                        if let Err(error) = client.try_subscribe(topic, QoS::AtLeastOnce) {
                            warn!(device.id = player.name(), %error, "Simulated device cannot ask for its commands");
                        }
                    }
                    unacknowledged += publish(&client, player.connected(clock.moment()));
                }
                // A retained command is a mistake of its sender: obeyed, it would switch the device again at every reconnect.
                Ok(Event::Incoming(Packet::Publish(message))) if !message.retain => {
                    player.receive(&message.topic, &message.payload, clock.moment());
                }
                Ok(Event::Incoming(Packet::PubAck(_))) => unacknowledged = unacknowledged.saturating_sub(1),
                Ok(Event::Outgoing(rumqttc::Outgoing::Disconnect)) => return (End::Stopped, up),
                Ok(_) => {}
                Err(_) if farewell.is_some() => return (End::Stopped, up),
                Err(error) => return (End::Failed(error), up),
            }
            // The goodbye is the last word: everything before it has reached the broker.
            if farewell.is_some() && unacknowledged == 0 && client.try_disconnect().is_err() {
                return (End::Stopped, up);
            }
        }
    }
}

/// Queues messages; says how many the broker will acknowledge. A full queue means a broker that no longer reads: the readings are lost, as with a
/// real device, and newer ones follow.
fn publish(client: &AsyncClient, messages: Vec<Outgoing>) -> usize {
    messages.into_iter().filter(|m| client.try_publish(&m.topic, qos_of(m), m.retain, &*m.payload).is_ok() && m.qos > 0).count()
}

const fn qos_of(message: &Outgoing) -> QoS {
    if message.qos == 0 { QoS::AtMostOnce } else { QoS::AtLeastOnce }
}

#[derive(Clone, Copy)]
struct Clock {
    switched_on: Instant,
}

impl Clock {
    fn uptime(self) -> Duration {
        self.switched_on.elapsed()
    }

    fn moment(self) -> Moment {
        Moment { uptime: self.uptime(), now: Timestamp::from_ms(jiff::Timestamp::now().as_millisecond()) }
    }

    fn wake(self, player: &dyn Player) -> Instant {
        self.switched_on + player.next_wake().min(self.uptime() + LONGEST_SLEEP)
    }
}
