//! A server of a test's own, with verbs.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use rumqttc::{AsyncClient, Event, MqttOptions, Packet, QoS};
use serde_json::{Value as Json, json};
use server::application::{Application, Play};
use server::config::{Config, ConfigArgs, Mode, load};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

/// Longest wait for anything.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// Waits for something that must happen.
pub async fn soon<T>(what: &str, future: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, future).await.unwrap_or_else(|_| panic!("{what} did not happen within {PATIENCE:?}"))
}

/// A running server with a folder of its own.
pub struct TestApp {
    app: Option<Application>,
    pub config: Config,
    folder: TempDir,
}

/// A configuration with one outside broker and its data in `folder`.
pub fn config_beside(folder: &Path, port: u16) -> Config {
    let file = folder.join("signalbox.toml");
    let text =
        format!("auth.anonymous = \"operator\"\nhttp.listen = \"127.0.0.1:0\"\n[[mqtt]]\nname = \"plant\"\nurl = \"mqtt://127.0.0.1:{port}\"\n");
    std::fs::write(&file, text).unwrap();
    load(&ConfigArgs { mode: Mode::Serve, file: Some(file), flags: vec![] }, [], folder).unwrap()
}

/// A configuration on free ports in a new folder, with an anonymous operator.
pub fn config(folder: &TempDir) -> Config {
    let mut config = Config { data_dir: folder.path().to_owned(), ..Config::default() };
    config.database.path = folder.path().join("signalbox.db");
    config.http.listen = ([127, 0, 0, 1], 0).into();
    config.broker.listen = ([127, 0, 0, 1], 0).into();
    config.auth.anonymous = Some(app::backend::Role::Operator);
    config
}

impl TestApp {
    /// A server with the embedded broker.
    pub async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    /// A server whose configuration is changed first.
    pub async fn start_with(change: impl FnOnce(&mut Config)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut config = config(&folder);
        change(&mut config);
        let app = Application::start(&config, Play::Real).await.unwrap();
        let app = Self { app: Some(app), config, folder };
        app.until_linked().await;
        app
    }

    /// A server on what an earlier one wrote.
    pub async fn start_on(config: Config, folder: TempDir) -> Self {
        let app = Application::start(&config, Play::Real).await.unwrap();
        let app = Self { app: Some(app), config, folder };
        app.until_linked().await;
        app
    }

    /// A server whose brokers are not reached, or not quite.
    pub async fn start_unlinked(config: Config, folder: TempDir) -> Self {
        let app = Application::start(&config, Play::Real).await.unwrap();
        Self { app: Some(app), config, folder }
    }

    /// Stops the server and starts it again on the same folder.
    pub async fn restart(&mut self) {
        self.app.take().unwrap().stop().await;
        self.app = Some(Application::start(&self.config, Play::Real).await.unwrap());
        self.until_linked().await;
    }

    /// Stops the server; the folder goes with it.
    pub async fn stop(mut self) {
        soon("the stop", self.app.take().unwrap().stop()).await;
        drop(self.folder);
    }

    /// Stops the server and leaves what it wrote.
    pub async fn halt(mut self) -> TempDir {
        soon("the stop", self.app.take().unwrap().stop()).await;
        self.folder
    }

    pub fn http(&self) -> SocketAddr {
        self.app.as_ref().unwrap().http_addr()
    }

    pub fn mqtt(&self) -> SocketAddr {
        self.app.as_ref().unwrap().mqtt_addr().unwrap()
    }

    /// Waits until every broker is reached, as a viewer is told.
    async fn until_linked(&self) {
        let mut viewer = self.viewer().await;
        viewer.says(json!({"type": "subscribe", "entities": ["*"]})).await;
        let up = |link: &Json| link["state"] == "up";
        let mut linked = viewer.hears("snapshot").await["links"].as_array().is_some_and(|links| !links.is_empty() && links.iter().all(up));
        while !linked {
            linked = up(&viewer.hears("link").await);
        }
    }

    /// A viewer on `/live`, past its `hello`.
    pub async fn viewer(&self) -> Viewer {
        Viewer::connect(self.http(), "/live").await
    }

    /// A device on the embedded broker.
    pub async fn device(&self) -> Device {
        Device::connect(self.mqtt()).await
    }

    /// The answer to a request: status, headers, body.
    pub async fn request(&self, request: &str) -> (u16, String, String) {
        request_to(self.http(), request).await
    }

    /// The body of `GET path`, which must answer 200.
    pub async fn get(&self, path: &str) -> String {
        let (status, _, body) = self.request(&format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")).await;
        assert_eq!(status, 200, "{path}: {body}");
        body
    }

    /// The status of `GET path`.
    pub async fn status(&self, path: &str) -> u16 {
        self.request(&format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")).await.0
    }

    /// The JSON of `GET path`.
    pub async fn json(&self, path: &str) -> Json {
        serde_json::from_str(&self.get(path).await).unwrap()
    }

    /// The answer to `POST path` with a JSON body: status and JSON.
    pub async fn post(&self, path: &str, body: &str) -> (u16, Json) {
        self.sends("POST", path, body).await
    }

    /// The answer to a request with a JSON body: status and JSON.
    pub async fn sends(&self, method: &str, path: &str, body: &str) -> (u16, Json) {
        let request = format!(
            "{method} {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        let (status, _, body) = self.request(&request).await;
        (status, serde_json::from_str(&body).unwrap_or(Json::Null))
    }
}

/// Sends a request as it is written and reads the answer until the connection ends: nothing between the test and the wire.
pub async fn request_to(address: SocketAddr, request: &str) -> (u16, String, String) {
    soon("an answer", async {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = vec![];
        stream.read_to_end(&mut answer).await.unwrap();
        let answer = String::from_utf8_lossy(&answer).into_owned();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
        (status, head.to_owned(), unchunked(head, body))
    })
    .await
}

fn unchunked(head: &str, body: &str) -> String {
    if !head.to_ascii_lowercase().contains("transfer-encoding: chunked") {
        return body.to_owned();
    }
    let (mut rest, mut whole) = (body.as_bytes(), vec![]);
    while let Some(end) = rest.windows(2).position(|w| w == b"\r\n") {
        let size = usize::from_str_radix(std::str::from_utf8(&rest[..end]).unwrap().trim(), 16).unwrap();
        if size == 0 {
            break;
        }
        whole.extend_from_slice(&rest[end + 2..end + 2 + size]);
        rest = &rest[end + 4 + size..];
    }
    String::from_utf8_lossy(&whole).into_owned()
}

/// A viewer of the WebSocket.
pub struct Viewer {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    pub hello: Json,
}

impl Viewer {
    pub async fn connect(address: SocketAddr, path: &str) -> Self {
        let (socket, _) = tokio_tungstenite::connect_async(format!("ws://{address}{path}")).await.unwrap();
        let mut viewer = Self { socket, hello: Json::Null };
        viewer.hello = viewer.hears("hello").await;
        viewer
    }

    /// The HTTP status that a connection from a page of `origin` gets.
    pub async fn status_from(address: SocketAddr, origin: &str) -> u16 {
        let mut request = format!("ws://{address}/live").into_client_request().unwrap();
        request.headers_mut().insert("origin", origin.parse().unwrap());
        match tokio_tungstenite::connect_async(request).await {
            Ok((_, answer)) => answer.status().as_u16(),
            Err(tokio_tungstenite::tungstenite::Error::Http(answer)) => answer.status().as_u16(),
            Err(error) => panic!("{error}"),
        }
    }

    pub async fn says(&mut self, frame: Json) {
        self.says_text(&frame.to_string()).await;
    }

    pub async fn says_text(&mut self, text: &str) {
        self.socket.send(Message::Text(text.to_owned().into())).await.unwrap();
    }

    /// The next frame of any kind; `None` when the connection ended.
    pub async fn next(&mut self) -> Option<Json> {
        soon("a frame", async {
            loop {
                match self.socket.next().await {
                    Some(Ok(Message::Text(text))) => return Some(serde_json::from_str(text.as_str()).unwrap()),
                    Some(Ok(Message::Close(_)) | Err(_)) | None => return None,
                    Some(Ok(_)) => {}
                }
            }
        })
        .await
    }

    /// The next frame of one kind; frames of other kinds are passed over.
    pub async fn hears(&mut self, kind: &str) -> Json {
        loop {
            let frame = self.next().await.unwrap_or_else(|| panic!("the connection ended before a {kind} frame"));
            if frame["type"] == kind {
                return frame;
            }
        }
    }

    /// The next change of an entity that satisfies `wanted`.
    pub async fn sees(&mut self, entity: &str, wanted: impl Fn(&Json) -> bool) -> Json {
        loop {
            let frame = self.hears("changes").await;
            let found = frame["c"].as_array().unwrap().iter().find(|change| change["e"] == entity && wanted(change));
            if let Some(change) = found {
                return change.clone();
            }
        }
    }
}

/// A client on a broker, as any device is one.
pub struct Device {
    client: AsyncClient,
    events: tokio::sync::mpsc::UnboundedReceiver<Event>,
    poll: tokio::task::JoinHandle<()>,
}

impl Device {
    pub async fn connect(broker: SocketAddr) -> Self {
        Self::connect_with(broker, |_| {}).await
    }

    pub async fn connect_with(broker: SocketAddr, change: impl FnOnce(&mut MqttOptions)) -> Self {
        let mut options = MqttOptions::new(format!("device-{:08x}", fastrand::u32(..)), broker.ip().to_string(), broker.port());
        options.set_max_packet_size(1 << 24, 1 << 24);
        change(&mut options);
        let (client, mut events) = AsyncClient::new(options, 100);
        let (sender, received) = tokio::sync::mpsc::unbounded_channel();
        #[expect(clippy::disallowed_methods, reason = "ends with the device")]
        let poll = tokio::spawn(async move {
            while let Ok(event) = events.poll().await {
                if sender.send(event).is_err() {
                    return;
                }
            }
        });
        let mut device = Self { client, events: received, poll };
        device.until(|event| matches!(event, Event::Incoming(Packet::ConnAck(_)))).await;
        device
    }

    async fn until(&mut self, wanted: impl Fn(&Event) -> bool) -> Event {
        soon("an event of the broker", async {
            loop {
                let event = self.events.recv().await.expect("the connection holds");
                if wanted(&event) {
                    return event;
                }
            }
        })
        .await
    }

    /// Publishes with QoS 1 and waits for the broker's word.
    pub async fn publishes(&mut self, topic: &str, payload: impl Into<Vec<u8>>, retain: bool) {
        self.client.publish(topic, QoS::AtLeastOnce, retain, payload.into()).await.unwrap();
        self.until(|event| matches!(event, Event::Incoming(Packet::PubAck(_)))).await;
    }

    /// Publishes with QoS 1 as fast as the broker takes it, then waits for its word on all of them.
    pub async fn bursts(&mut self, topic: &str, payloads: impl ExactSizeIterator<Item = String>) {
        let n = payloads.len();
        for payload in payloads {
            self.client.publish(topic, QoS::AtLeastOnce, false, payload).await.unwrap();
        }
        for _ in 0..n {
            self.until(|event| matches!(event, Event::Incoming(Packet::PubAck(_)))).await;
        }
    }

    pub async fn subscribes(&mut self, filter: &str) {
        self.client.subscribe(filter, QoS::AtLeastOnce).await.unwrap();
        self.until(|event| matches!(event, Event::Incoming(Packet::SubAck(_)))).await;
    }

    /// The next message: topic, payload, QoS, retained.
    pub async fn receives(&mut self) -> (String, String, u8, bool) {
        match self.until(|event| matches!(event, Event::Incoming(Packet::Publish(_)))).await {
            Event::Incoming(Packet::Publish(p)) => (p.topic, String::from_utf8_lossy(&p.payload).into_owned(), p.qos as u8, p.retain),
            _ => unreachable!("only publishes pass"),
        }
    }

    /// Drops the connection without a word, as a device does that loses its power.
    pub fn dies(self) {
        self.poll.abort();
    }
}
