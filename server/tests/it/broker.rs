//! The embedded broker as its clients know it, in both versions of MQTT.

use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};

use futures_util::{SinkExt, StreamExt};
use server::mqtt::embedded::{BrokerError, BrokerSettings, EmbeddedBroker, start};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite;

use crate::broker_client::Version::{V5, V311};
use crate::broker_client::{Connect, Message};

const BOTH: [crate::broker_client::Version; 2] = [V311, V5];

fn settings(folder: &Path) -> BrokerSettings {
    BrokerSettings { listen: "127.0.0.1:0".parse().unwrap(), ..BrokerSettings::new(folder) }
}

async fn broker(folder: &Path) -> Box<dyn EmbeddedBroker> {
    start(settings(folder)).await.unwrap()
}

fn message(topic: &str, payload: &str, qos: u8, retain: bool) -> Message {
    Message { topic: topic.into(), payload: payload.into(), qos, retain }
}

#[tokio::test]
async fn a_message_arrives_with_the_lower_of_both_qualities_and_its_topic_unchanged() {
    let folder = TempDir::new().unwrap();
    let broker = broker(folder.path()).await;
    for version in BOTH {
        for subscribed in 0..=2 {
            let (mut subscriber, _) = Connect::new(version, "subscriber").to(broker.local_addr()).await;
            let (mut publisher, _) = Connect::new(version, "publisher").to(broker.local_addr()).await;
            subscriber.subscribe("#", subscribed).await;
            for published in 0..=2 {
                // Spaces, empty levels and letters beyond ASCII are all part of a topic.
                let topic = "/haus/Küche//größe °C/日本/🌡";
                publisher.publish(topic, published, false, "21.3").await;
                assert_eq!(subscriber.message().await, message(topic, "21.3", published.min(subscribed), false), "{version:?}");
            }
        }
    }
    broker.stop().await;
}

#[tokio::test]
async fn wildcards_match_whole_levels_only() {
    let folder = TempDir::new().unwrap();
    let broker = broker(folder.path()).await;
    for version in BOTH {
        let (mut subscriber, _) = Connect::new(version, "subscriber").to(broker.local_addr()).await;
        let (mut publisher, _) = Connect::new(version, "publisher").to(broker.local_addr()).await;
        subscriber.subscribe("sensors/+/temperature", 1).await;
        subscriber.subscribe("devices/#", 1).await;
        for topic in ["sensors/a/temperature", "sensors/a/b/temperature", "sensors/a/humidity", "devices", "devices/a/status", "devicesx/a"] {
            publisher.publish(topic, 1, false, "x").await;
        }
        publisher.publish("devices/end", 1, false, "x").await;
        for topic in ["sensors/a/temperature", "devices", "devices/a/status", "devices/end"] {
            assert_eq!(subscriber.message().await.topic, topic, "{version:?}");
        }
    }
    broker.stop().await;
}

#[tokio::test]
async fn a_retained_message_is_kept_over_a_restart_until_it_is_cleared() {
    let folder = TempDir::new().unwrap();
    let first = broker(folder.path()).await;
    let (mut publisher, _) = Connect::new(V5, "publisher").to(first.local_addr()).await;
    publisher.publish("kept", 1, true, "old").await;
    publisher.publish("kept", 1, true, "new").await;
    publisher.publish("cleared", 1, true, "x").await;
    publisher.publish("cleared", 1, true, "").await;
    first.stop().await;

    let second = broker(folder.path()).await;
    for version in BOTH {
        let (mut subscriber, _) = Connect::new(version, "subscriber").to(second.local_addr()).await;
        subscriber.subscribe("#", 1).await;
        assert_eq!(subscriber.message().await, message("kept", "new", 1, true));
        subscriber.publish("end", 1, false, "x").await;
        assert_eq!(subscriber.message().await.topic, "end", "{version:?}: nothing else was retained");
    }
    second.stop().await;
}

#[tokio::test]
async fn a_will_is_published_when_the_connection_breaks_and_only_then() {
    let folder = TempDir::new().unwrap();
    let broker = broker(folder.path()).await;
    for version in BOTH {
        let (mut subscriber, _) = Connect::new(version, "subscriber").to(broker.local_addr()).await;
        subscriber.subscribe("devices/+/status", 1).await;
        let (polite, _) = Connect::new(version, "polite").will("devices/polite/status", "offline").to(broker.local_addr()).await;
        polite.leave().await;
        let (broken, _) = Connect::new(version, "broken").will("devices/broken/status", "offline").to(broker.local_addr()).await;
        drop(broken);
        assert_eq!(subscriber.message().await, message("devices/broken/status", "offline", 1, false), "{version:?}");
        subscriber.publish("devices/broken/status", 1, true, "").await;
    }
    broker.stop().await;
}

#[tokio::test]
async fn a_persistent_session_gets_what_it_missed_in_order() {
    let folder = TempDir::new().unwrap();
    let broker = broker(folder.path()).await;
    for (version, id) in [(V311, "away-311"), (V5, "away-5")] {
        let away = || Connect::new(version, id).persistent();
        let (mut subscriber, known) = away().to(broker.local_addr()).await;
        assert!(!known);
        subscriber.subscribe("missed/#", 1).await;
        subscriber.leave().await;
        publish_numbered(broker.local_addr(), 500).await;

        let (mut subscriber, known) = away().to(broker.local_addr()).await;
        assert!(known);
        for n in 0..500 {
            assert_eq!(subscriber.message().await.payload, n.to_string().into_bytes(), "{version:?}");
        }
        drop(subscriber);
        // The session ends with a connection that asks for a fresh one.
        let (fresh, known) = Connect::new(version, id).to(broker.local_addr()).await;
        assert!(!known);
        drop(fresh);
    }
    broker.stop().await;
}

#[tokio::test]
async fn a_restart_keeps_sessions_and_the_messages_waiting_for_them() {
    let folder = TempDir::new().unwrap();
    let first = broker(folder.path()).await;
    for (version, id) in [(V311, "away-311"), (V5, "away-5")] {
        let (mut subscriber, _) = Connect::new(version, id).persistent().to(first.local_addr()).await;
        subscriber.subscribe("missed/#", 1).await;
        subscriber.leave().await;
    }
    publish_numbered(first.local_addr(), 300).await;
    first.stop().await;

    let second = broker(folder.path()).await;
    for (version, id) in [(V311, "away-311"), (V5, "away-5")] {
        let (mut subscriber, known) = Connect::new(version, id).persistent().to(second.local_addr()).await;
        assert!(known, "{version:?}");
        for n in 0..300 {
            assert_eq!(subscriber.message().await.payload, n.to_string().into_bytes(), "{version:?}");
        }
    }
    second.stop().await;
}

async fn publish_numbered(address: SocketAddr, n: usize) {
    let (mut publisher, _) = Connect::new(V5, "publisher").to(address).await;
    for i in 0..n {
        publisher.send("missed/x", 1, false, i.to_string().into_bytes()).await;
    }
    publisher.acknowledged(n).await;
}

#[tokio::test]
async fn a_second_connection_with_the_same_name_takes_the_session_over() {
    let folder = TempDir::new().unwrap();
    let broker = broker(folder.path()).await;
    for (version, id) in [(V311, "twin-311"), (V5, "twin-5")] {
        let (mut first, _) = Connect::new(version, id).persistent().to(broker.local_addr()).await;
        first.subscribe("twins", 1).await;
        let (mut second, known) = Connect::new(version, id).persistent().to(broker.local_addr()).await;
        assert!(known);
        first.closed().await;
        second.publish("twins", 1, false, "mine").await;
        assert_eq!(second.message().await.payload, b"mine", "{version:?}");
    }
    broker.stop().await;
}

#[tokio::test]
async fn a_retained_payload_of_a_mebibyte_passes() {
    let folder = TempDir::new().unwrap();
    let broker = broker(folder.path()).await;
    for version in BOTH {
        let (mut client, _) = Connect::new(version, "client").to(broker.local_addr()).await;
        let payload = vec![b'x'; 1 << 20];
        client.publish("large", 1, true, payload.clone()).await;
        client.subscribe("large", 1).await;
        let received = client.message().await;
        assert!(received.retain && received.payload == payload, "{version:?}");
    }
    broker.stop().await;
}

#[tokio::test]
async fn a_connect_that_declares_256_megabytes_is_closed() {
    let folder = TempDir::new().unwrap();
    let broker = broker(folder.path()).await;
    let mut socket = TcpStream::connect(broker.local_addr()).await.unwrap();
    socket.write_all(&[0x10, 0xff, 0xff, 0xff, 0x7f, 0, 4]).await.unwrap();
    assert_closed(&mut socket).await;
    broker.stop().await;
}

async fn assert_closed(socket: &mut TcpStream) {
    let mut rest = Vec::new();
    // A reset is as good an end as a close.
    let _ = timeout(Duration::from_secs(5), socket.read_to_end(&mut rest)).await.expect("the broker closes the connection");
}

#[tokio::test]
async fn the_websocket_listener_speaks_the_subprotocol_mqtt() {
    let folder = TempDir::new().unwrap();
    let broker = start(BrokerSettings { websocket: Some("127.0.0.1:0".parse().unwrap()), ..settings(folder.path()) }).await.unwrap();
    let address = broker.websocket_addr().unwrap();
    let mut request = tungstenite::client::IntoClientRequest::into_client_request(format!("ws://{address}/mqtt")).unwrap();
    request.headers_mut().insert("sec-websocket-protocol", "mqtt".parse().unwrap());
    let (mut socket, response) = tokio_tungstenite::connect_async(request).await.unwrap();
    assert_eq!(response.headers()["sec-websocket-protocol"], "mqtt");

    // CONNECT of MQTT 3.1.1 with a clean session, a keep-alive of 10 s and the client id "ws".
    let connect: &[u8] = b"\x10\x0e\x00\x04MQTT\x04\x02\x00\x0a\x00\x02ws";
    socket.send(tungstenite::Message::binary(connect.to_vec())).await.unwrap();
    let connack = timeout(Duration::from_secs(5), socket.next()).await.unwrap().unwrap().unwrap();
    assert_eq!(connack.into_data().as_ref(), b"\x20\x02\x00\x00");
    broker.stop().await;
}

#[tokio::test]
async fn a_port_in_use_is_named() {
    let folders = [TempDir::new().unwrap(), TempDir::new().unwrap()];
    let broker = broker(folders[0].path()).await;
    let taken = broker.local_addr();
    for settings in
        [BrokerSettings { listen: taken, ..settings(folders[1].path()) }, BrokerSettings { websocket: Some(taken), ..settings(folders[1].path()) }]
    {
        let error = refused(settings).await;
        assert_eq!(error.to_string(), format!("address {taken} is already in use by another program"));
    }
    broker.stop().await;
}

#[tokio::test]
async fn an_address_open_to_the_network_is_refused() {
    let folder = TempDir::new().unwrap();
    for address in ["0.0.0.0:0", "[::]:0", "192.0.2.1:1883"] {
        let open = address.parse().unwrap();
        for settings in
            [BrokerSettings { listen: open, ..settings(folder.path()) }, BrokerSettings { websocket: Some(open), ..settings(folder.path()) }]
        {
            let error = refused(settings).await;
            assert!(error.to_string().starts_with(&format!("{address} is open to the network")), "{error}");
        }
    }
}

#[tokio::test]
async fn a_folder_that_cannot_be_used_is_named() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    let error = refused(settings(&file)).await;
    assert!(error.to_string().starts_with(&format!("cannot use the broker's folder \"{}/broker\": ", file.display())), "{error}");

    let broker = broker(folder.path()).await;
    let error = refused(settings(folder.path())).await;
    assert!(matches!(&error, BrokerError::FolderInUse { path } if *path == folder.path().join("broker")), "{error}");
    broker.stop().await;
}

async fn refused(settings: BrokerSettings) -> BrokerError {
    match start(settings).await {
        Ok(_) => panic!("the broker started"),
        Err(error) => error,
    }
}

#[tokio::test]
async fn a_stop_tells_the_clients_and_frees_port_and_folder_at_once() {
    let folder = TempDir::new().unwrap();
    let first = broker(folder.path()).await;
    let address = first.local_addr();
    let mut clients = Vec::new();
    for (version, id) in [(V311, "a"), (V5, "b"), (V5, "c")] {
        clients.push(Connect::new(version, id).persistent().to(address).await.0);
    }
    // rumqttc does not understand a DISCONNECT without properties, so the farewell is read from a plain socket:
    // CONNECT of MQTT 5 with a clean start, a keep-alive of 10 s and the client id "d".
    let mut plain = TcpStream::connect(address).await.unwrap();
    plain.write_all(b"\x10\x0e\x00\x04MQTT\x05\x02\x00\x0a\x00\x00\x01d").await.unwrap();
    let mut connack = [0; 2];
    plain.read_exact(&mut connack).await.unwrap();
    plain.read_exact(&mut vec![0; usize::from(connack[1])]).await.unwrap();
    // A connection that never says CONNECT is the hardest to end: the broker waits ten seconds for it.
    let mut silent = TcpStream::connect(address).await.unwrap();

    let began = Instant::now();
    first.stop().await;
    let took = began.elapsed();
    assert!(took < Duration::from_secs(2), "the stop took {took:?}");
    for client in &mut clients {
        client.closed().await;
    }
    let mut farewell = Vec::new();
    plain.read_to_end(&mut farewell).await.unwrap();
    assert_eq!(farewell, [0xe0, 1, 0x8b], "a DISCONNECT that says the server is shutting down");
    assert_closed(&mut silent).await;

    let second = start(BrokerSettings { listen: address, ..settings(folder.path()) }).await.unwrap();
    assert_eq!(second.local_addr(), address);
    second.stop().await;
    second.stop().await;
}
