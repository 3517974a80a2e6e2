//! What a link publishes, and what it says of itself.

use std::time::{Duration, Instant};

use domain::live::LinkState;
use server::mqtt::PublishError;
use server::mqtt::link::Protocol;
use server::tasks::Tasks;

use crate::link_fake::{Line, PUBLISH, fake_broker, told};
use crate::link_mosquitto::{Mosquitto, Subscriber, publish, seen};
use crate::link_rig::{BOTH, Rig, settings, soon};

#[tokio::test]
async fn a_publish_ends_when_the_broker_took_it_and_is_not_retained() {
    let broker = Mosquitto::start();
    let mut subscriber = Subscriber::start(broker.port, "lamp", "cmd/#").await;
    for protocol in BOTH {
        let rig = Rig::up(settings(broker.port, "link", protocol)).await;
        for qos in 0..=2 {
            let end = rig.link.publish(format!("cmd/{qos}"), b"on".to_vec(), qos);
            assert_eq!(soon("the end of a publish", end).await, Ok(()), "{protocol:?} {qos}");
            assert_eq!(subscriber.next().await, seen(&format!("cmd/{qos}"), "on", qos, false));
        }
        // More than may be in flight, in order.
        let ends: Vec<_> = (0..40).map(|n| rig.link.publish("cmd/n".to_owned(), n.to_string().into(), 1)).collect();
        for (n, end) in ends.into_iter().enumerate() {
            assert_eq!(soon("the end of a publish", end).await, Ok(()));
            assert_eq!(subscriber.next().await.1, n.to_string());
        }
        assert!(matches!(rig.publish("cmd/#", "on").await, Err(PublishError::BadTopic(_))));
        rig.stop().await;
    }
    publish(broker.port, "cmd/mark", "", 1, false).await;
    let mut late = Subscriber::start(broker.port, "late", "cmd/#").await;
    publish(broker.port, "cmd/end", "1", 1, false).await;
    assert_eq!(late.next().await.0, "cmd/end", "nothing was retained");
}

#[tokio::test]
async fn a_publish_while_the_link_is_down_fails_at_once_and_is_never_sent() {
    let mut broker = Mosquitto::start();
    let mut rig = Rig::up(settings(broker.port, "link", Protocol::V5)).await;
    broker.kill();
    rig.state(LinkState::Down).await;
    soon("the command connection to break too", async {
        while rig.publish("cmd/lamp", "on").await != Err(PublishError::LinkDown) {
            tokio::task::yield_now().await;
        }
    })
    .await;
    let asked = Instant::now();
    assert_eq!(rig.publish("cmd/lamp", "on").await, Err(PublishError::LinkDown));
    assert!(asked.elapsed() < Duration::from_millis(100));
    broker.restart();
    let mut subscriber = Subscriber::start(broker.port, "lamp", "cmd/#").await;
    rig.state(LinkState::Up).await;
    assert_eq!(rig.publish("cmd/lamp", "off").await, Ok(()));
    assert_eq!(subscriber.next().await, seen("cmd/lamp", "off", 1, false));
    rig.stop().await;
}

#[tokio::test]
async fn a_publish_that_was_not_acknowledged_when_the_connection_broke_is_lost_and_not_repeated() {
    let tasks = Tasks::default();
    let (tell, mut published) = told();
    let port = fake_broker(&tasks, move |mut connection| {
        let tell = tell.clone();
        async move {
            if !connection.is_command() {
                return connection.serve().await;
            }
            // Claims to have kept the session, which makes rumqttc send everything again.
            connection.accept_connect(true, &[]).await;
            if let Some(packet) = connection.read_kind(PUBLISH).await {
                tell.send(packet.body).expect("the test listens");
            }
        }
    })
    .await;
    let mut rig = Rig::up(settings(port, "link", Protocol::V5)).await;
    let (first, second) = (rig.link.publish("cmd/a".to_owned(), vec![1], 1), rig.link.publish("cmd/b".to_owned(), vec![2], 1));
    assert_eq!(soon("the first", first).await, Err(PublishError::Lost));
    let end = soon("the second", second).await;
    assert!(matches!(end, Err(PublishError::Lost | PublishError::LinkDown)), "{end:?}");
    rig.state(LinkState::Up).await;
    assert_eq!(rig.publish("cmd/c", "3").await, Err(PublishError::Lost));
    let mut topics = Vec::new();
    while let Ok(body) = published.try_recv() {
        topics.push(String::from_utf8_lossy(&body[2..7]).into_owned());
    }
    assert_eq!(topics, ["cmd/a", "cmd/c"]);
    rig.stop().await;
    tasks.stop().await;
}

#[tokio::test]
async fn a_command_tells_the_broker_when_to_throw_it_away() {
    let tasks = Tasks::default();
    let (tell, mut published) = told();
    let port = fake_broker(&tasks, move |mut connection| {
        let tell = tell.clone();
        async move {
            if !connection.is_command() {
                return connection.serve().await;
            }
            connection.accept_connect(false, &[]).await;
            while let Some(packet) = connection.read_kind(PUBLISH).await {
                connection.answer(&packet).await;
                tell.send(packet.body).expect("the test listens");
            }
        }
    })
    .await;
    let rig = Rig::up(settings(port, "link", Protocol::V5)).await;
    for (expires_s, properties) in [(Some(9), vec![5, 2, 0, 0, 0, 9]), (None, vec![0])] {
        let end = rig.link.publish_for("cmd/a".to_owned(), b"on".to_vec(), 1, expires_s);
        assert_eq!(soon("the end of a publish", end).await, Ok(()));
        let body = soon("the packet", published.recv()).await.expect("a packet");
        // Topic with its length, packet id, properties, payload.
        assert_eq!(body[9..], [properties, b"on".to_vec()].concat());
    }
    rig.stop().await;
    tasks.stop().await;
}

#[tokio::test]
async fn a_publish_that_the_broker_refuses_says_why() {
    let tasks = Tasks::default();
    let port = fake_broker(&tasks, |mut connection| async move {
        if !connection.is_command() {
            return connection.serve().await;
        }
        // Largest packet: 1,000 bytes.
        connection.accept_connect(false, &[0x27, 0, 0, 3, 0xe8]).await;
        while let Some(packet) = connection.read_kind(PUBLISH).await {
            let [high, low] = packet.publish_id().to_be_bytes();
            connection.write(0x40, &[high, low, 0x87]).await;
        }
    })
    .await;
    let rig = Rig::up(settings(port, "link", Protocol::V5)).await;
    assert_eq!(rig.publish("cmd/a", "on").await, Err(PublishError::Refused("not authorized".to_owned())));
    assert_eq!(rig.publish("cmd/a", &"x".repeat(1_000)).await, Err(PublishError::Refused("1000 bytes are more than it takes".to_owned())));
    assert_eq!(rig.link.state(), LinkState::Up);
    assert_eq!(rig.publish("cmd/a", "on").await, Err(PublishError::Refused("not authorized".to_owned())));
    rig.stop().await;
    tasks.stop().await;
}

#[tokio::test]
async fn the_presence_topic_says_online_and_offline() {
    let broker = Mosquitto::start();
    for protocol in BOTH {
        let tasks = Tasks::default();
        let line = Line::to(broker.port, &tasks).await;
        let client_id = format!("link-{protocol:?}");
        let topic = format!("clients/{client_id}/status");
        let mut subscriber = Subscriber::start(broker.port, "watcher", &topic).await;
        let mut rig = Rig::up(settings(line.port, &client_id, protocol)).await;
        assert_eq!(subscriber.next().await, seen(&topic, "online", 1, false));
        line.cut();
        assert_eq!(subscriber.next().await, seen(&topic, "offline", 1, false), "the last will");
        assert_eq!(subscriber.next().await, seen(&topic, "online", 1, false));
        rig.state(LinkState::Up).await;
        rig.stop().await;
        assert_eq!(subscriber.next().await, seen(&topic, "offline", 1, false));
        let mut late = Subscriber::start(broker.port, "late", &topic).await;
        assert_eq!(late.next().await, seen(&topic, "offline", 1, true));
        tasks.stop().await;
    }
}

#[tokio::test]
async fn refused_publishes_of_qos_2_do_not_use_up_the_slots() {
    let tasks = Tasks::default();
    let port = fake_broker(&tasks, |mut connection| async move {
        if !connection.is_command() {
            return connection.serve().await;
        }
        connection.accept_connect(false, &[]).await;
        while let Some(packet) = connection.read().await {
            if packet.kind() == PUBLISH && packet.first & 0x06 == 4 {
                let [high, low] = packet.publish_id().to_be_bytes();
                // PUBREC: not authorized.
                connection.write(0x50, &[high, low, 0x87]).await;
            } else {
                connection.answer(&packet).await;
            }
        }
    })
    .await;
    let mut rig = Rig::up(settings(port, "link", Protocol::V5)).await;
    for n in 0..30 {
        let end = soon("the end of a publish", rig.link.publish("cmd/a".to_owned(), vec![1], 2)).await;
        if end == Err(PublishError::LinkDown) {
            rig.state(LinkState::Up).await;
        } else {
            assert_eq!(end, Err(PublishError::Refused("not authorized".to_owned())), "{n}");
        }
    }
    rig.stop().await;
    tasks.stop().await;
}
