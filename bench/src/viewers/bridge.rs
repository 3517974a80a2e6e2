//! What is left when a dashboard only passes messages on: `rumqttc`, a broadcast, a WebSocket frame for each message and viewer. A process of its
//! own, so that its processor time can be told from that of whoever measures.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Result;
use axum::Router;
use axum::extract::ws::{Message, Utf8Bytes, WebSocket, WebSocketUpgrade};
use axum::routing::get;
use axum::serve::ListenerExt as _;
use rumqttc::{AsyncClient, Event, MqttOptions, Packet, QoS};
use tokio::net::TcpListener;
use tokio::sync::broadcast::{self, error::RecvError};

/// Messages that wait for a slow viewer.
const WAITING: usize = 4_096;

/// Serves `/` with everything that the broker has, until it is killed.
pub(crate) async fn run(broker: SocketAddr) -> Result<()> {
    let (tell, _) = broadcast::channel::<Utf8Bytes>(WAITING);
    let told = tell.clone();
    let viewers = move |upgrade: WebSocketUpgrade| async move {
        let messages = told.subscribe();
        upgrade.read_buffer_size(1_024).write_buffer_size(4 * 1_024).on_upgrade(move |socket| pass_on(socket, messages))
    };
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    // Values are small and must not wait for each other.
    let listener = listener.tap_io(|stream| _ = stream.set_nodelay(true));
    let mut options = MqttOptions::new("bench-bridge", broker.ip().to_string(), broker.port());
    options.set_keep_alive(Duration::from_secs(30));
    let (client, mut connection) = AsyncClient::new(options, 100);
    client.subscribe("sensors/#", QoS::AtLeastOnce).await?;
    while !matches!(connection.poll().await?, Event::Incoming(Packet::SubAck(_))) {}
    println!("listening http {address}\nready");
    let serving = axum::serve(listener, Router::new().route("/", get(viewers))).into_future();
    let hearing = async {
        loop {
            if let Event::Incoming(Packet::Publish(message)) = connection.poll().await? {
                let payload = String::from_utf8_lossy(&message.payload);
                // Nobody may be watching.
                let _: Result<_, _> = tell.send(format!("{{\"topic\":\"{}\",\"v\":{payload}}}", message.topic).into());
            }
        }
    };
    tokio::select! {
        served = serving => Ok(served?),
        heard = hearing => heard,
    }
}

async fn pass_on(mut socket: WebSocket, mut messages: broadcast::Receiver<Utf8Bytes>) {
    loop {
        match messages.recv().await {
            Ok(text) => {
                if socket.send(Message::Text(text)).await.is_err() {
                    return;
                }
            }
            Err(RecvError::Lagged(_)) => {}
            Err(RecvError::Closed) => return,
        }
    }
}
