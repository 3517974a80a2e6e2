//! More than anybody reads: the rest stays live.

use rumqttc::{AsyncClient, Event, EventLoop, MqttOptions, Packet, QoS};
use serde_json::json;
use server::application::{Application, Play};

use crate::link_mosquitto::Mosquitto;
use crate::link_rig::soon;
use crate::test_app::{Device, Viewer, config_beside, request_to};

const TOPICS: usize = 20_000;
const NOISE: usize = 50_000;

fn client(port: u16, id: &str) -> (AsyncClient, EventLoop) {
    let mut options = MqttOptions::new(id, "127.0.0.1", port);
    options.set_inflight(1_000);
    AsyncClient::new(options, 1_000)
}

/// Leaves a retained message on each of many topics.
async fn flood(port: u16) {
    let (client, mut events) = client(port, "flood");
    let publish = async {
        for n in 0..TOPICS {
            client.publish(format!("sensors/flood-{n}/temperature"), QoS::AtLeastOnce, true, (n % 50).to_string()).await.unwrap();
        }
    };
    let count = async {
        let mut left = TOPICS;
        while left > 0 {
            if matches!(soon("an acknowledgement", events.poll()).await.unwrap(), Event::Incoming(Packet::PubAck(_))) {
                left -= 1;
            }
        }
    };
    tokio::join!(publish, count);
}

/// As many messages on one topic, as fast as they go.
async fn noise(port: u16) {
    let (client, mut events) = client(port, "noise");
    let publish = async {
        for n in 0..NOISE {
            client.publish("sensors/noise/temperature", QoS::AtMostOnce, false, (n % 50).to_string()).await.unwrap();
        }
    };
    tokio::select! {
        () = publish => {}
        () = async { while events.poll().await.is_ok() {} } => {}
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_of_retained_topics_and_a_noisy_one_leave_the_rest_live() {
    let mosquitto = Mosquitto::start();
    flood(mosquitto.port).await;
    let folder = tempfile::tempdir().unwrap();
    let config = config_beside(folder.path(), mosquitto.port);
    let app = Application::start(&config, Play::Real).await.unwrap();
    let mut viewer = Viewer::connect(app.http_addr(), "/live").await;
    viewer.says(json!({"type": "subscribe", "topics": ["sensors/live/temperature"]})).await;
    let mut device = Device::connect(([127, 0, 0, 1], mosquitto.port).into()).await;

    device.publishes("sensors/live/temperature", "1", true).await;
    // It may come twice: as it is sent, and again with what is retained.
    while viewer.hears("sensor-update").await["value"] != 1.0 {}
    let beside = async {
        for n in 2..12 {
            device.publishes("sensors/live/temperature", n.to_string(), true).await;
            while viewer.hears("sensor-update").await["value"] != f64::from(n) {}
        }
    };
    tokio::join!(noise(mosquitto.port), beside);

    // Everything of the flood is there, once.
    let request = "GET /metrics HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    let all = format!("signalbox_entities {}\n", TOPICS + 2);
    soon("every entity", async { while !request_to(app.http_addr(), request).await.2.contains(&all) {} }).await;
    soon("the end", app.stop()).await;
}
