//! The link to a broker: against mosquitto, and against a broker that misbehaves on purpose.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use domain::live::LinkState;
use domain::topic::TopicFilter;
use server::mqtt::link::{LinkCounts, LinkSettings, Protocol};
use server::mqtt::{Ack, PublishError};
use server::tasks::Tasks;

use crate::link_fake::{DISCONNECT, Line, PINGREQ, PUBACK, PUBCOMP, PUBLISH, SUBSCRIBE, fake_broker, told};
use crate::link_mosquitto::{Mosquitto, Subscriber, kick, publish};
use crate::link_rig::{Rig, settings, soon};

const BOTH: [Protocol; 2] = [Protocol::V5, Protocol::V311];

fn seen(topic: &str, payload: &str, qos: u8, retained: bool) -> (String, String, u8, bool) {
    (topic.to_owned(), payload.to_owned(), qos, retained)
}

#[tokio::test]
async fn messages_arrive_with_their_qos_and_retained_flag() {
    let broker = Mosquitto::start();
    for protocol in BOTH {
        publish(broker.port, "t/kept", "1", 1, true).await;
        let mut rig = Rig::start(LinkSettings { qos: 2, ..settings(broker.port, &format!("link-{protocol:?}"), protocol) });
        let (message, ack) = rig.message().await;
        assert_eq!((&*message.topic, &*message.payload, message.qos, message.retained, &*message.link), ("t/kept", &b"1"[..], 1, true, "test"));
        ack.expect("QoS 1 wants an acknowledgement").release();
        for qos in 0..=2 {
            publish(broker.port, "t/live", "2", qos, false).await;
            let (message, ack) = rig.message().await;
            assert_eq!((message.qos, message.retained, ack.is_some()), (qos, false, qos > 0), "{protocol:?}");
            ack.into_iter().for_each(Ack::release);
        }
        rig.stop().await;
    }
}

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
async fn only_what_was_not_acknowledged_is_delivered_again() {
    let broker = Mosquitto::start();
    for (protocol, qos) in [(Protocol::V5, 1), (Protocol::V311, 1), (Protocol::V5, 2), (Protocol::V311, 2)] {
        let client_id = format!("link-{protocol:?}-{qos}");
        let wanted = LinkSettings { qos, ..settings(broker.port, &client_id, protocol) };
        let mut rig = Rig::up(wanted.clone()).await;
        publish(broker.port, "t/a", "recorded", qos, false).await;
        publish(broker.port, "t/b", "not recorded", qos, false).await;
        rig.message().await.1.expect("QoS above 0").release();
        let (_, held) = rig.message().await;
        kick(broker.port, &client_id).await;
        let (message, again) = rig.message().await;
        assert_eq!(&*message.topic, "t/b", "{protocol:?} {qos}");
        // The acknowledgement of the broken connection must not count for the new one.
        held.expect("QoS above 0").release();
        kick(broker.port, &client_id).await;
        let (message, last) = rig.message().await;
        assert_eq!(&*message.topic, "t/b", "{protocol:?} {qos}");
        drop(again);
        last.expect("QoS above 0").release();
        // A stop keeps the session; nothing is left in it.
        rig.stop().await;
        let mut rig = Rig::up(wanted).await;
        publish(broker.port, "t/c", "new", qos, false).await;
        assert_eq!(rig.topic().await, "t/c", "{protocol:?} {qos}");
        rig.stop().await;
    }
}

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
async fn a_large_retained_message_does_not_break_the_connection() {
    let broker = Mosquitto::start();
    publish(broker.port, "t/large", vec![b'x'; 2_000_000], 1, true).await;
    for protocol in BOTH {
        let mut rig = Rig::start(settings(broker.port, "link", protocol));
        assert_eq!(rig.text().await.len(), 2_000_000);
        publish(broker.port, "t/small", "1", 1, false).await;
        assert_eq!(rig.topic().await, "t/small");
        assert_eq!(rig.link.counts(), LinkCounts { n_connects: 2, ..LinkCounts::default() });
        rig.stop().await;
    }
}

#[tokio::test]
async fn a_message_above_the_packet_limit_is_withheld_in_mqtt_5_and_named_in_mqtt_3() {
    let broker = Mosquitto::start();
    publish(broker.port, "t/large", vec![b'x'; 2_000_000], 1, true).await;
    let mut rig = Rig::up(LinkSettings { packet_limit: 1_000_000, ..settings(broker.port, "link5", Protocol::V5) }).await;
    publish(broker.port, "t/small", "1", 1, false).await;
    assert_eq!(rig.topic().await, "t/small");
    assert_eq!(rig.link.counts().n_connects, 2);
    rig.stop().await;

    let mut rig = Rig::start(LinkSettings { packet_limit: 1_000_000, ..settings(broker.port, "link3", Protocol::V311) });
    rig.state(LinkState::Down).await;
    let trouble = rig.link.trouble().expect("down");
    assert!(trouble.contains("larger than the packet limit"), "{trouble}");
    rig.stop().await;
}

#[tokio::test]
async fn a_broker_of_mqtt_3_1_1_is_found_and_remembered() {
    // As brokers answer: with the return code of their own version, by closing, and with the reason code of MQTT 5.
    for answer in [&[0x20, 2, 0, 1][..], &[], &[0x20, 3, 0, 0x84, 0]] {
        let tasks = Tasks::default();
        let (tell, mut levels) = told();
        let (kick, kicked) = tokio::sync::watch::channel(());
        let port = fake_broker(&tasks, move |mut connection| {
            let (tell, mut kicked) = (tell.clone(), kicked.clone());
            async move {
                // Only a kick from now on counts.
                kicked.mark_unchanged();
                tell.send(connection.level).expect("the test listens");
                if connection.level == 5 {
                    if let Some((first, rest)) = answer.split_first() {
                        connection.write(*first, &rest[1..]).await;
                    }
                    return;
                }
                tokio::select! {
                    () = connection.serve() => {}
                    _ = kicked.changed() => {}
                }
            }
        })
        .await;
        let started = Instant::now();
        let mut rig = Rig::start(settings(port, "link", Protocol::Auto));
        rig.state(LinkState::Up).await;
        assert!(started.elapsed() < Duration::from_secs(5), "{answer:?}: {:?}", started.elapsed());
        while levels.try_recv().is_ok() {}
        kick.send(()).expect("the broker listens");
        rig.state(LinkState::Down).await;
        rig.state(LinkState::Up).await;
        while let Ok(level) = levels.try_recv() {
            assert_eq!(level, 4, "{answer:?}: the version is remembered");
        }
        rig.stop().await;
        tasks.stop().await;
    }
}

#[tokio::test]
async fn auto_speaks_mqtt_5_to_a_broker_that_does() {
    let tasks = Tasks::default();
    let (tell, mut levels) = told();
    let port = fake_broker(&tasks, move |connection| {
        tell.send(connection.level).expect("the test listens");
        connection.serve()
    })
    .await;
    Rig::up(settings(port, "link", Protocol::Auto)).await.stop().await;
    assert_eq!((levels.try_recv(), levels.try_recv()), (Ok(5), Ok(5)));
    tasks.stop().await;
}

#[tokio::test]
async fn a_message_without_a_topic_is_counted_and_not_passed_on() {
    let tasks = Tasks::default();
    let (tell, mut acknowledged) = told();
    let port = fake_broker(&tasks, move |mut connection| {
        let tell = tell.clone();
        async move {
            if connection.is_command() {
                return connection.serve().await;
            }
            connection.accept_connect(false, &[]).await;
            let subscribe = connection.read_kind(SUBSCRIBE).await.expect("subscribes");
            connection.answer_subscribe(&subscribe, 1).await;
            connection.deliver("t/a", "1", Some(1), Some(1)).await;
            connection.deliver("", "2", Some(2), Some(1)).await;
            connection.deliver("t/b", "3", Some(3), None).await;
            while let Some(packet) = connection.read_kind(PUBACK).await {
                tell.send(packet.number(0)).expect("the test listens");
            }
        }
    })
    .await;
    let mut rig = Rig::start(settings(port, "link", Protocol::V5));
    assert_eq!([rig.topic().await, rig.topic().await], ["t/a", "t/b"]);
    for id in 1..=3 {
        assert_eq!(soon("an acknowledgement", acknowledged.recv()).await, Some(id));
    }
    assert_eq!(rig.link.counts().n_nameless, 1);
    rig.stop().await;
    tasks.stop().await;
}

#[tokio::test]
async fn acknowledgements_are_sent_in_the_order_of_arrival() {
    for protocol in BOTH {
        let tasks = Tasks::default();
        let (tell, mut acknowledged) = told();
        let port = fake_broker(&tasks, move |mut connection| {
            let tell = tell.clone();
            async move {
                if connection.is_command() {
                    return connection.serve().await;
                }
                connection.accept_connect(false, &[]).await;
                let subscribe = connection.read_kind(SUBSCRIBE).await.expect("subscribes");
                connection.answer_subscribe(&subscribe, 1).await;
                for id in [5, 3, 9] {
                    connection.deliver("t/a", "1", Some(id), None).await;
                }
                while let Some(packet) = connection.read_kind(PUBACK).await {
                    tell.send(packet.number(0)).expect("the test listens");
                }
            }
        })
        .await;
        let mut rig = Rig::start(settings(port, "link", protocol));
        let mut acks = Vec::new();
        for _ in 0..3 {
            acks.push(rig.message().await.1.expect("QoS 1"));
        }
        // The last first.
        while let Some(ack) = acks.pop() {
            ack.release();
        }
        for id in [5, 3, 9] {
            assert_eq!(soon("an acknowledgement", acknowledged.recv()).await, Some(id), "{protocol:?}");
        }
        rig.stop().await;
        tasks.stop().await;
    }
}

#[tokio::test]
async fn a_broker_that_stops_answering_is_noticed_within_two_keep_alives() {
    let tasks = Tasks::default();
    let (tell, mut gone) = told();
    let port = fake_broker(&tasks, move |mut connection| {
        let tell = tell.clone();
        async move {
            // Server keep alive: 1 s.
            connection.accept_connect(false, &[0x13, 0, 1]).await;
            let start = Instant::now();
            while let Some(packet) = connection.read().await {
                if packet.kind() != PINGREQ {
                    connection.answer(&packet).await;
                }
            }
            // The test may have seen enough.
            let _: Result<(), _> = tell.send(start.elapsed());
        }
    })
    .await;
    let mut rig = Rig::up(settings(port, "link", Protocol::V5)).await;
    rig.state(LinkState::Down).await;
    let after = soon("a closed connection", gone.recv()).await.expect("told");
    assert!(after < Duration::from_millis(2_500), "{after:?}");
    assert_eq!(rig.link.trouble().as_deref(), Some("the broker does not answer"));
    rig.stop().await;
    tasks.stop().await;
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
async fn a_broker_that_closes_after_accepting_is_not_called_in_a_hot_loop() {
    let tasks = Tasks::default();
    let (tell, mut connects) = told();
    let port = fake_broker(&tasks, move |mut connection| {
        let tell = tell.clone();
        async move {
            if connection.is_command() {
                return connection.serve().await;
            }
            // The test may have seen enough.
            let _: Result<(), _> = tell.send(Instant::now());
            connection.accept_connect(false, &[]).await;
        }
    })
    .await;
    let rig = Rig::start(settings(port, "link", Protocol::V5));
    let first = soon("a connect", connects.recv()).await.expect("told");
    let mut last = first;
    for _ in 0..4 {
        last = soon("a connect", connects.recv()).await.expect("told");
    }
    // 80, 160, 320 and 640 ms at least.
    assert!(last - first >= Duration::from_millis(1_200), "{:?}", last - first);
    rig.stop().await;
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
async fn a_release_that_the_broker_repeats_after_a_reconnect_is_answered() {
    for protocol in BOTH {
        let tasks = Tasks::default();
        let (tell, mut answers) = told();
        let port = fake_broker(&tasks, move |mut connection| {
            let tell = tell.clone();
            async move {
                if connection.is_command() {
                    return connection.serve().await;
                }
                connection.accept_connect(true, &[]).await;
                // PUBREL of a QoS 2 message from a connection before.
                connection.write(0x62, &[0, 7]).await;
                while let Some(packet) = connection.read_kind(PUBCOMP).await {
                    tell.send(packet.number(0)).expect("the test listens");
                }
            }
        })
        .await;
        let rig = Rig::up(settings(port, "link", protocol)).await;
        assert_eq!(soon("PUBCOMP", answers.recv()).await, Some(7), "{protocol:?}");
        assert_eq!(rig.link.counts().n_connects, 2);
        rig.stop().await;
        tasks.stop().await;
    }
}

#[tokio::test]
async fn under_overload_only_qos_0_is_dropped_and_it_is_counted() {
    let tasks = Tasks::default();
    let (tell, mut delivered) = told();
    let port = fake_broker(&tasks, move |mut connection| {
        let tell = tell.clone();
        async move {
            if connection.is_command() {
                return connection.serve().await;
            }
            connection.accept_connect(false, &[]).await;
            let subscribe = connection.read_kind(SUBSCRIBE).await.expect("subscribes");
            connection.answer_subscribe(&subscribe, 1).await;
            for id in 1..=20 {
                connection.deliver("t/0", "1", None, None).await;
                connection.deliver("t/1", "1", Some(id), None).await;
            }
            tell.send(()).expect("the test listens");
            while let Some(packet) = connection.read().await {
                connection.answer(&packet).await;
            }
        }
    })
    .await;
    let wanted = LinkSettings { receive_maximum: 4, ..settings(port, "link", Protocol::V5) };
    let mut rig = Rig::start_with_capacity(wanted, 1);
    soon("everything delivered", delivered.recv()).await;
    soon("a drop", async {
        while rig.link.counts().n_dropped == 0 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    for _ in 0..20 {
        while rig.message().await.0.qos == 0 {}
    }
    assert!(rig.link.counts().n_dropped <= 20);
    rig.stop().await;
    tasks.stop().await;
}

#[tokio::test]
async fn messages_that_were_given_up_are_asked_for_again() {
    let broker = Mosquitto::start();
    let mut rig = Rig::up(settings(broker.port, "link", Protocol::V5)).await;
    for n in 0..10 {
        publish(broker.port, "t/a", n.to_string(), 1, false).await;
        drop(rig.message().await);
    }
    for n in 0..10 {
        assert_eq!(rig.text().await, n.to_string());
    }
    rig.stop().await;
}

#[tokio::test]
async fn every_message_of_a_burst_arrives_whatever_the_order_of_releases_and_however_often_the_line_is_cut() {
    let broker = Mosquitto::start();
    for protocol in BOTH {
        let tasks = Tasks::default();
        let line = Line::to(broker.port, &tasks).await;
        let wanted = settings(line.port, &format!("link-{protocol:?}"), protocol);
        let mut rig = Rig::up(wanted.clone()).await;
        let nothing = vec![TopicFilter::parse("none").expect("a filter")];
        let sender = Rig::up(LinkSettings { subscribe: nothing, ..settings(broker.port, "sender", Protocol::V5) }).await;
        let (mut sent, mut found, mut held) = (0_u32, BTreeSet::new(), Vec::new());
        while found.len() < 1_000 {
            for _ in 0..50 {
                if sent < 1_000 {
                    assert_eq!(sender.publish("t/n", &sent.to_string()).await, Ok(()));
                    sent += 1;
                }
            }
            // Fewer than mosquitto's window of 20, so that it can go on.
            while held.len() < 10 && found.len() < usize::try_from(sent).expect("small") {
                let (message, ack) = rig.message().await;
                found.insert(String::from_utf8(message.payload.to_vec()).expect("text"));
                held.extend(ack);
            }
            while let Some(ack) = held.pop() {
                ack.release();
            }
            if matches!(sent, 300 | 600) {
                line.cut();
            }
        }
        let n_connects = rig.link.counts().n_connects;
        rig.stop().await;
        // All of it was acknowledged before the end: nothing comes again.
        let mut rig = Rig::up(wanted).await;
        assert_eq!(sender.publish("t/n", "last").await, Ok(()));
        let text = rig.text().await;
        assert_eq!(text, "last", "{protocol:?}, {n_connects} connects");
        rig.stop().await;
        sender.stop().await;
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
