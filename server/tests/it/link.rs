//! What a broker delivers, and when it is acknowledged.

use std::collections::BTreeSet;

use domain::topic::TopicFilter;
use server::mqtt::Ack;
use server::mqtt::link::{LinkSettings, Protocol};
use server::tasks::Tasks;

use crate::link_fake::{Line, PUBACK, PUBCOMP, fake_broker, told};
use crate::link_mosquitto::{Mosquitto, kick, publish};
use crate::link_rig::{BOTH, Rig, settings, soon};

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
                connection.accept_subscriber(false).await;
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
