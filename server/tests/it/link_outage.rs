//! How a link sees that its broker is gone, and comes back.

use std::time::{Duration, Instant};

use domain::live::LinkState;
use server::mqtt::PublishError;
use server::mqtt::link::{LinkSettings, Protocol};
use server::tasks::Tasks;

use crate::link_fake::{DISCONNECT, Line, PINGREQ, SUBSCRIBE, fake_broker, told};
use crate::link_mosquitto::{Mosquitto, publish};
use crate::link_rig::{BOTH, Rig, settings, soon};

#[tokio::test]
async fn a_broker_that_returns_is_reached_and_subscribed_to_within_3_s() {
    let mut broker = Mosquitto::start();
    for protocol in BOTH {
        let tasks = Tasks::default();
        let line = Line::to(broker.port, &tasks).await;
        let mut rig = Rig::up(settings(line.port, "link", protocol)).await;
        broker.kill();
        rig.state(LinkState::Down).await;
        // Four attempts of both connections, so that the waits have grown.
        line.more_connections(8).await;
        broker.restart();
        let returned = Instant::now();
        rig.state(LinkState::Up).await;
        assert!(returned.elapsed() < Duration::from_secs(3), "{:?}", returned.elapsed());
        publish(broker.port, "t/again", "1", 1, false).await;
        assert_eq!(rig.topic().await, "t/again");
        assert_eq!(rig.link.trouble(), None);
        rig.stop().await;
        tasks.stop().await;
    }
}

#[tokio::test]
async fn a_cut_line_is_mended() {
    let broker = Mosquitto::start();
    let tasks = Tasks::default();
    let line = Line::to(broker.port, &tasks).await;
    let mut rig = Rig::up(settings(line.port, "link", Protocol::Auto)).await;
    for _ in 0..3 {
        line.cut();
        rig.state(LinkState::Down).await;
        rig.state(LinkState::Up).await;
    }
    let n_connections = *line.n_connections.borrow();
    assert!(n_connections <= 10, "{n_connections}");
    publish(broker.port, "t/after", "1", 1, false).await;
    assert_eq!(rig.topic().await, "t/after");
    rig.stop().await;
    tasks.stop().await;
}

#[tokio::test]
async fn a_dead_line_is_noticed_within_one_and_a_half_keep_alives() {
    const KEEP_ALIVE: Duration = Duration::from_secs(5);
    for protocol in BOTH {
        let tasks = Tasks::default();
        // Reads on and says nothing more, as a line does that swallows everything.
        let port = fake_broker(&tasks, |mut connection| async move {
            connection.accept_connect(false, &[]).await;
            while let Some(packet) = connection.read().await {
                if packet.kind() != PINGREQ {
                    connection.answer(&packet).await;
                }
            }
        })
        .await;
        let mut rig = Rig::up(LinkSettings { keep_alive: KEEP_ALIVE, ..settings(port, "link", protocol) }).await;
        // Nothing is to come over the wire any more, so time may pass as fast as it can.
        tokio::time::pause();
        let last_heard = tokio::time::Instant::now();
        rig.state(LinkState::Down).await;
        let after = last_heard.elapsed();
        // Timers go by whole milliseconds.
        assert!(after > KEEP_ALIVE && after <= KEEP_ALIVE * 3 / 2 + Duration::from_millis(2), "{protocol:?}: {after:?}");
        assert_eq!(rig.link.trouble().as_deref(), Some("the broker does not answer"));
        tokio::time::resume();
        rig.stop().await;
        tasks.stop().await;
    }
}

#[tokio::test]
async fn a_broker_that_wants_no_keep_alive_gets_no_storm_of_pings() {
    let tasks = Tasks::default();
    let (tell, mut packets) = told();
    let port = fake_broker(&tasks, move |mut connection| {
        let tell = tell.clone();
        async move {
            connection.accept_connect(false, &[0x13, 0, 0]).await;
            while let Some(packet) = connection.read().await {
                tell.send(packet.kind()).expect("the test listens");
                connection.answer(&packet).await;
            }
        }
    })
    .await;
    let rig = Rig::up(settings(port, "link", Protocol::V5)).await;
    for _ in 0..20 {
        assert_eq!(rig.publish("cmd/a", "on").await, Ok(()));
    }
    rig.stop().await;
    let mut n_pings = 0;
    while let Ok(kind) = packets.try_recv() {
        n_pings += usize::from(kind == PINGREQ);
    }
    assert!(n_pings <= 2, "{n_pings} pings, at most one a connection");
    tasks.stop().await;
}

#[tokio::test]
async fn a_refused_subscription_keeps_the_link_down_and_is_named() {
    for (protocol, code, reason) in [(Protocol::V5, 0x87, "not authorized"), (Protocol::V311, 0x80, "failure")] {
        let tasks = Tasks::default();
        let port = fake_broker(&tasks, move |mut connection| async move {
            if connection.is_command() {
                return connection.serve().await;
            }
            connection.accept_connect(false, &[]).await;
            let subscribe = connection.read_kind(SUBSCRIBE).await.expect("subscribes");
            connection.answer_subscribe(&subscribe, code).await;
            connection.read_kind(DISCONNECT).await;
        })
        .await;
        let mut rig = Rig::start(settings(port, "link", protocol));
        rig.state(LinkState::Down).await;
        assert_eq!(rig.link.trouble(), Some(format!("the broker refused the subscription to \"t/#\" ({reason})")));
        rig.stop().await;
        tasks.stop().await;
    }
}

#[tokio::test]
async fn a_link_ends_soon_when_no_broker_is_there() {
    let tasks = Tasks::default();
    // Accepts connections and says nothing.
    let port = fake_broker(&tasks, |mut connection| async move {
        connection.read_kind(DISCONNECT).await;
    })
    .await;
    let rig = Rig::start(settings(port, "link", Protocol::Auto));
    assert_eq!(rig.link.state(), LinkState::Connecting);
    let asked = Instant::now();
    rig.stop().await;
    assert!(asked.elapsed() < Duration::from_secs(1), "{:?}", asked.elapsed());
    tasks.stop().await;
}

#[tokio::test]
async fn a_broker_that_stops_reading_is_noticed() {
    let tasks = Tasks::default();
    let port = fake_broker(&tasks, |mut connection| async move {
        if !connection.is_command() {
            return connection.serve().await;
        }
        connection.accept_connect(false, &[]).await;
        // Holds the connection and reads no more.
        std::future::pending::<()>().await;
    })
    .await;
    let mut rig = Rig::up(LinkSettings { keep_alive: Duration::from_secs(5), ..settings(port, "link", Protocol::V5) }).await;
    // More than the buffers between hold.
    let end = rig.link.publish("cmd/large".to_owned(), vec![0; 15 * 1024 * 1024], 1);
    rig.state(LinkState::Down).await;
    assert_eq!(soon("the end of a publish", end).await, Err(PublishError::Lost));
    rig.stop().await;
    tasks.stop().await;
}
