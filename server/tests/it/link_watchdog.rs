//! A link that stands and hears nothing.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use domain::live::LinkState;
use domain::topic::TopicFilter;
use server::mqtt::link::{LinkSettings, Protocol, Watchdog};
use server::tasks::Tasks;
use tokio::sync::watch;

use crate::link_fake::{Connection, PUBLISH, SUBSCRIBE, fake_broker};
use crate::link_mosquitto::{Mosquitto, Subscriber, publish};
use crate::link_rig::{BOTH, Rig, settings, soon};

const PROBE: &str = "clients/link/probe";

fn impatient(port: u16, protocol: Protocol) -> LinkSettings {
    let watchdog = Watchdog { quiet: Duration::from_millis(50), patience: Duration::from_millis(400) };
    LinkSettings { watchdog, ..settings(port, "link", protocol) }
}

/// A broker that delivers the probe while it is not deaf.
#[derive(Clone, Default)]
struct Deafness {
    is_deaf: Arc<AtomicBool>,
    n_probes: watch::Sender<usize>,
}

impl Deafness {
    /// Takes the probe from the one connection and delivers it on the other.
    async fn serve(self, mut connection: Connection) {
        connection.accept_connect(false, &[]).await;
        let mut probes = self.n_probes.subscribe();
        loop {
            tokio::select! {
                () = connection.ready() => {
                    let Some(packet) = connection.read().await else { return };
                    if packet.kind() == PUBLISH && packet.topic() == PROBE {
                        self.n_probes.send_modify(|n| *n += 1);
                    }
                    connection.answer(&packet).await;
                }
                Ok(()) = probes.changed() => {
                    if !connection.is_command() && !self.is_deaf.load(Ordering::Relaxed) {
                        connection.deliver(PROBE, "probe", None, None).await;
                    }
                }
            }
        }
    }

    async fn probes(&self, n: usize) {
        soon("probes", self.n_probes.subscribe().wait_for(|sent| *sent >= n)).await.expect("the broker lives");
    }
}

#[tokio::test]
async fn a_connection_that_goes_deaf_is_made_anew() {
    for protocol in BOTH {
        let tasks = Tasks::default();
        let deafness = Deafness::default();
        let broker = deafness.clone();
        let port = fake_broker(&tasks, move |connection| broker.clone().serve(connection)).await;
        let mut rig = Rig::up(impatient(port, protocol)).await;
        // The second one is sent when the first one was heard.
        deafness.probes(2).await;
        deafness.is_deaf.store(true, Ordering::Relaxed);
        rig.state(LinkState::Down).await;
        assert_eq!(rig.link.trouble().as_deref(), Some("the broker answers and delivers nothing, connecting anew"), "{protocol:?}");
        deafness.is_deaf.store(false, Ordering::Relaxed);
        rig.state(LinkState::Up).await;
        assert!(rig.link.counts().n_deaf >= 1 && rig.link.is_watched());
        rig.stop().await;
        tasks.stop().await;
    }
}

#[tokio::test]
async fn a_broker_that_never_delivers_the_probe_is_left_alone() {
    for protocol in BOTH {
        let tasks = Tasks::default();
        let deafness = Deafness::default();
        deafness.is_deaf.store(true, Ordering::Relaxed);
        let broker = deafness.clone();
        let port = fake_broker(&tasks, move |connection| broker.clone().serve(connection)).await;
        let rig = Rig::up(impatient(port, protocol)).await;
        soon("the end of the watch", async {
            while rig.link.is_watched() {
                tokio::task::yield_now().await;
            }
        })
        .await;
        assert_eq!(*deafness.n_probes.borrow(), 3, "{protocol:?}");
        assert_eq!((rig.link.state(), rig.link.counts().n_connects, rig.link.counts().n_deaf), (LinkState::Up, 2, 0), "{protocol:?}");
        rig.stop().await;
        tasks.stop().await;
    }
}

#[tokio::test]
async fn a_broker_that_forbids_the_probe_is_left_alone() {
    for (protocol, code) in [(Protocol::V5, 0x87), (Protocol::V311, 0x80)] {
        let tasks = Tasks::default();
        let port = fake_broker(&tasks, move |mut connection| async move {
            connection.accept_connect(false, &[]).await;
            while let Some(packet) = connection.read().await {
                let is_probe = packet.kind() == SUBSCRIBE && packet.body.windows(PROBE.len()).any(|text| text == PROBE.as_bytes());
                if is_probe {
                    connection.answer_subscribe(&packet, code).await;
                } else {
                    connection.answer(&packet).await;
                }
            }
        })
        .await;
        let rig = Rig::up(impatient(port, protocol)).await;
        soon("the end of the watch", async {
            while rig.link.is_watched() {
                tokio::task::yield_now().await;
            }
        })
        .await;
        assert_eq!((rig.link.state(), rig.link.counts().n_connects), (LinkState::Up, 2), "{protocol:?}");
        rig.stop().await;
        tasks.stop().await;
    }
}

#[tokio::test]
async fn a_broker_that_closes_over_the_probe_is_left_alone() {
    let tasks = Tasks::default();
    let n_closed = Arc::new(AtomicUsize::new(0));
    let closed = Arc::clone(&n_closed);
    let port = fake_broker(&tasks, move |mut connection| {
        let closed = Arc::clone(&closed);
        async move {
            connection.accept_connect(false, &[]).await;
            while let Some(packet) = connection.read().await {
                if packet.kind() == SUBSCRIBE && packet.body.windows(PROBE.len()).any(|text| text == PROBE.as_bytes()) {
                    closed.fetch_add(1, Ordering::Relaxed);
                    return;
                }
                connection.answer(&packet).await;
            }
        }
    })
    .await;
    let mut rig = Rig::up(impatient(port, Protocol::V5)).await;
    soon("the end of the watch", async {
        while rig.link.is_watched() {
            rig.state(LinkState::Down).await;
        }
    })
    .await;
    rig.state(LinkState::Up).await;
    assert_eq!(n_closed.load(Ordering::Relaxed), 3);
    rig.stop().await;
    tasks.stop().await;
}

#[tokio::test]
async fn the_probe_is_seen_by_nobody_behind_the_link_and_kept_by_no_broker() {
    let broker = Mosquitto::start();
    for protocol in BOTH {
        // All three ways to get it: by a subscription of its own, by one that covers it, and by a share of one.
        for filter in ["t/#", "#", "$share/copies/#"] {
            let subscribe = vec![TopicFilter::parse(filter).expect("a filter")];
            let mut rig = Rig::up(LinkSettings { subscribe, ..impatient(broker.port, protocol) }).await;
            let mut subscriber = Subscriber::start(broker.port, "watcher", PROBE).await;
            let (mut seen, mut n_probes) = (Vec::new(), 0);
            while n_probes < 2 {
                tokio::select! {
                    (topic, _, qos, retained) = subscriber.next() => {
                        assert_eq!((topic.as_str(), qos, retained), (PROBE, 0, false));
                        n_probes += 1;
                    }
                    // The presence of the link, which it would have to acknowledge before it looks for silence.
                    topic = rig.topic() => seen.push(topic),
                }
            }
            assert!(rig.link.is_watched());
            publish(broker.port, "t/mark", "1", 1, false).await;
            while seen.last().is_none_or(|topic| topic != "t/mark") {
                seen.push(rig.topic().await);
            }
            assert!(!seen.iter().any(|topic| topic == PROBE), "{protocol:?} {filter}: {seen:?}");
            assert_eq!(rig.link.counts().n_deaf, 0, "{protocol:?} {filter}");
            rig.stop().await;
        }
    }
}
