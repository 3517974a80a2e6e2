//! The traps of rumqttc 0.25, each with the tests that would catch it. The numbers are issues of bytebeamio/rumqtt.
//!
//! | trap | tests |
//! | --- | --- |
//! | after an acknowledgement out of order it pings forever and publishes nothing (#1056, #1014) | `publishes_flow_again_after_acknowledgements_out_of_order` |
//! | whoever waits for the client in the task that polls waits forever (#1025, #263) | `a_window_far_beyond_every_queue_is_acknowledged_to_the_end` |
//! | a session that the broker lost takes queued publishes with it in silence | `every_publish_is_answered_when_the_session_is_lost`, `link_publish` |
//! | a retained message above the limit is fetched again and again without a pause | `a_message_that_is_too_large_is_not_fetched_in_a_loop`, `a_message_above_…` |
//! | a message under a topic alias has no topic | `a_message_without_a_topic_is_counted_and_not_passed_on` |
//! | it connects again without a pause | `a_broker_that_closes_after_accepting_is_not_called_in_a_hot_loop` |
//! | it does not subscribe again (#250) | `every_connection_subscribes_whatever_the_broker_kept`, `link_outage` |
//! | it forgets which QoS 2 messages it has seen | `link::a_release_that_the_broker_repeats_after_a_reconnect_is_answered` |
//! | a refused QoS 2 publish keeps its slot | `link_publish::refused_publishes_of_qos_2_do_not_use_up_the_slots` |
//! | a keep alive of 0 is a storm of pings | `link_outage::a_broker_that_wants_no_keep_alive_gets_no_storm_of_pings` |
//! | a dead line is noticed after two keep alives, a peer that reads nothing never | `link_outage::a_dead_line_…`, `link_outage::a_broker_that_stops_reading_is_noticed` |

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use domain::live::LinkState;
use server::mqtt::PublishError;
use server::mqtt::link::{LinkCounts, LinkSettings, Protocol};
use server::tasks::Tasks;

use crate::link_fake::{PUBACK, PUBLISH, fake_broker, told};
use crate::link_mosquitto::{Mosquitto, publish};
use crate::link_rig::{BOTH, PATIENCE, Rig, settings, soon};

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
async fn a_message_without_a_topic_is_counted_and_not_passed_on() {
    let tasks = Tasks::default();
    let (tell, mut acknowledged) = told();
    let port = fake_broker(&tasks, move |mut connection| {
        let tell = tell.clone();
        async move {
            if connection.is_command() {
                return connection.serve().await;
            }
            connection.accept_subscriber(false).await;
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
async fn under_overload_only_qos_0_is_dropped_and_it_is_counted() {
    let tasks = Tasks::default();
    let (tell, mut delivered) = told();
    let port = fake_broker(&tasks, move |mut connection| {
        let tell = tell.clone();
        async move {
            if connection.is_command() {
                return connection.serve().await;
            }
            connection.accept_subscriber(false).await;
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
async fn publishes_flow_again_after_acknowledgements_out_of_order() {
    for protocol in BOTH {
        let tasks = Tasks::default();
        let n_commands = Arc::new(AtomicUsize::new(0));
        let port = fake_broker(&tasks, move |mut connection| {
            let n_commands = Arc::clone(&n_commands);
            async move {
                if !connection.is_command() || n_commands.fetch_add(1, Ordering::Relaxed) > 0 {
                    return connection.serve().await;
                }
                // Pings every second, so that the end is soon.
                connection.accept_connect(false, if connection.level == 5 { &[0x13, 0, 1] } else { &[] }).await;
                let mut ids = Vec::new();
                while ids.len() < 10 {
                    let Some(packet) = connection.read_kind(PUBLISH).await else { return };
                    ids.push(packet.publish_id());
                }
                // All but the first, the last one first. The next publish gets the id of the first.
                for id in ids[1..].iter().rev() {
                    connection.write(0x40, &id.to_be_bytes()).await;
                }
                while let Some(packet) = connection.read().await {
                    if packet.kind() != PUBLISH {
                        connection.answer(&packet).await;
                    }
                }
            }
        })
        .await;
        let rig = Rig::up(LinkSettings { keep_alive: Duration::from_secs(1), ..settings(port, "link", protocol) }).await;
        let ends: Vec<_> = (0..11).map(|n| rig.link.publish(format!("cmd/{n}"), vec![1], 1)).collect();
        let mut answers = Vec::new();
        for end in ends {
            answers.push(soon("the end of a publish", end).await);
        }
        assert_eq!((&answers[0], &answers[10]), (&Err(PublishError::Lost), &Err(PublishError::Lost)), "{protocol:?}");
        assert!(answers[1..10].iter().all(Result::is_ok), "{protocol:?}: {answers:?}");
        soon("a publish after it", async {
            while rig.publish("cmd/again", "on").await.is_err() {
                tokio::task::yield_now().await;
            }
        })
        .await;
        rig.stop().await;
        tasks.stop().await;
    }
}

#[tokio::test]
async fn a_window_far_beyond_every_queue_is_acknowledged_to_the_end() {
    const N: u16 = 500;
    for protocol in BOTH {
        let tasks = Tasks::default();
        let (tell, mut acknowledged) = told();
        let port = fake_broker(&tasks, move |mut connection| {
            let tell = tell.clone();
            async move {
                if connection.is_command() {
                    return connection.serve().await;
                }
                connection.accept_subscriber(false).await;
                // It minds no window.
                for id in 1..=N {
                    connection.deliver("t/a", "1", Some(id), None).await;
                }
                while let Some(packet) = connection.read_kind(PUBACK).await {
                    tell.send(packet.number(0)).expect("the test listens");
                }
            }
        })
        .await;
        let mut rig = Rig::up(LinkSettings { receive_maximum: 4, ..settings(port, "link", protocol) }).await;
        let mut acks = Vec::new();
        for _ in 0..N {
            acks.extend(rig.message().await.1);
        }
        // In one go, while the other connection is busy too.
        let ends: Vec<_> = (0..50).map(|n| rig.link.publish(format!("cmd/{n}"), vec![1], 1)).collect();
        for ack in acks {
            ack.release();
        }
        for id in 1..=N {
            assert_eq!(soon("an acknowledgement", acknowledged.recv()).await, Some(id), "{protocol:?}");
        }
        for end in ends {
            assert_eq!(soon("the end of a publish", end).await, Ok(()), "{protocol:?}");
        }
        assert_eq!(rig.link.counts().n_connects, 2, "{protocol:?}");
        rig.stop().await;
        tasks.stop().await;
    }
}

#[tokio::test]
async fn every_publish_is_answered_when_the_session_is_lost() {
    for protocol in BOTH {
        let tasks = Tasks::default();
        let (tell, mut arrived) = told();
        let n_commands = Arc::new(AtomicUsize::new(0));
        let port = fake_broker(&tasks, move |mut connection| {
            let (tell, n_commands) = (tell.clone(), Arc::clone(&n_commands));
            async move {
                if !connection.is_command() {
                    return connection.serve().await;
                }
                connection.accept_connect(false, &[]).await;
                let is_first = n_commands.fetch_add(1, Ordering::Relaxed) == 0;
                let mut n_taken = 0;
                while let Some(packet) = connection.read().await {
                    if packet.kind() == PUBLISH {
                        tell.send(packet.topic()).expect("the test listens");
                        n_taken += 1;
                    }
                    connection.answer(&packet).await;
                    if is_first && n_taken == 5 {
                        return;
                    }
                }
            }
        })
        .await;
        let mut rig = Rig::up(settings(port, "link", protocol)).await;
        let ends: Vec<_> = (0..60).map(|n| rig.link.publish(format!("cmd/{n}"), vec![1], 1)).collect();
        let mut n_taken = 0;
        for end in ends {
            match soon("the end of a publish", end).await {
                Ok(()) => n_taken += 1,
                Err(error) => assert!(matches!(error, PublishError::Lost | PublishError::LinkDown), "{error}"),
            }
        }
        assert!(n_taken <= 5, "{protocol:?}: {n_taken}");
        rig.state(LinkState::Up).await;
        assert_eq!(rig.publish("cmd/last", "on").await, Ok(()));
        // What was answered as not sent never arrives later.
        let mut topics = Vec::new();
        while let Ok(topic) = arrived.try_recv() {
            topics.push(topic);
        }
        assert_eq!(topics.len(), 6, "{protocol:?}: {topics:?}");
        assert_eq!(topics[5], "cmd/last");
        rig.stop().await;
        tasks.stop().await;
    }
}

#[tokio::test]
async fn a_message_that_is_too_large_is_not_fetched_in_a_loop() {
    let tasks = Tasks::default();
    let (tell, mut connects) = told();
    let port = fake_broker(&tasks, move |mut connection| {
        let tell = tell.clone();
        async move {
            if connection.is_command() {
                return connection.serve().await;
            }
            // The test may have seen enough.
            let _: Result<(), _> = tell.send(tokio::time::Instant::now());
            connection.accept_subscriber(false).await;
            // Retained, so it comes with every connection.
            connection.deliver_as(0x33, "t/large", &"x".repeat(100), Some(1), None).await;
            while connection.read().await.is_some() {}
        }
    })
    .await;
    let wanted = LinkSettings { packet_limit: 90, keep_alive: Duration::from_secs(600), ..settings(port, "link", Protocol::V311) };
    let mut rig = Rig::start(wanted);
    for _ in 0..3 {
        soon("a connect", connects.recv()).await;
    }
    rig.state(LinkState::Down).await;
    // Its third time: from here on nothing comes over the wire until the pause is over.
    soon("the third failure", async {
        while rig.link.trouble().is_none_or(|trouble| !trouble.contains("larger than the packet limit")) || rig.link.counts().n_connects < 4 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    let paused = tokio::time::Instant::now();
    tokio::time::pause();
    let again = tokio::time::timeout(PATIENCE * 4, connects.recv()).await.expect("another try").expect("told");
    assert!(again - paused >= Duration::from_secs(20), "{:?}", again - paused);
    tokio::time::resume();
    rig.stop().await;
    tasks.stop().await;
}

#[tokio::test]
async fn every_connection_subscribes_whatever_the_broker_kept() {
    for protocol in BOTH {
        let tasks = Tasks::default();
        let (tell, mut subscribed) = told();
        let port = fake_broker(&tasks, move |mut connection| {
            let tell = tell.clone();
            async move {
                if connection.is_command() {
                    return connection.serve().await;
                }
                connection.accept_subscriber(true).await;
                // The test may have seen enough.
                let _: Result<(), _> = tell.send(());
            }
        })
        .await;
        let rig = Rig::start(settings(port, "link", protocol));
        for _ in 0..2 {
            assert_eq!(soon("a subscription", subscribed.recv()).await, Some(()), "{protocol:?}");
        }
        rig.stop().await;
        tasks.stop().await;
    }
}
