//! A broker that does what a test tells it, byte by byte, and a line that can be cut.

use std::sync::Arc;

use server::tasks::Tasks;
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};

use crate::link_rig::soon;

/// Packet types, as the first four bits of a packet.
pub(crate) const CONNECT: u8 = 1;
pub(crate) const PUBLISH: u8 = 3;
pub(crate) const PUBACK: u8 = 4;
pub(crate) const PUBCOMP: u8 = 7;
pub(crate) const SUBSCRIBE: u8 = 8;
pub(crate) const PINGREQ: u8 = 12;
pub(crate) const DISCONNECT: u8 = 14;

/// A packet: its first byte and what follows the length.
#[derive(Debug)]
pub(crate) struct Packet {
    pub(crate) first: u8,
    pub(crate) body: Vec<u8>,
}

impl Packet {
    pub(crate) const fn kind(&self) -> u8 {
        self.first >> 4
    }

    /// Two bytes in network order.
    pub(crate) fn number(&self, at: usize) -> u16 {
        u16::from_be_bytes([self.body[at], self.body[at + 1]])
    }

    /// The topic of a PUBLISH.
    pub(crate) fn topic(&self) -> String {
        String::from_utf8_lossy(&self.body[2..2 + usize::from(self.number(0))]).into_owned()
    }

    /// The packet id of a PUBLISH.
    pub(crate) fn publish_id(&self) -> u16 {
        self.number(2 + usize::from(self.number(0)))
    }
}

/// A client that just connected.
pub(crate) struct Connection {
    stream: TcpStream,
    /// 4 or 5.
    pub(crate) level: u8,
    pub(crate) client_id: String,
}

impl Connection {
    /// Reads CONNECT.
    async fn accept(stream: TcpStream) -> Option<Self> {
        let mut connection = Self { stream, level: 0, client_id: String::new() };
        let connect = connection.read().await?;
        assert_eq!(connect.kind(), CONNECT);
        connection.level = connect.body[6];
        // Protocol name, level, flags, keep alive, then properties in MQTT 5 (fewer than 128 bytes).
        let at = if connection.level == 5 { 11 + usize::from(connect.body[10]) } else { 10 };
        let length = usize::from(connect.number(at));
        connection.client_id = String::from_utf8_lossy(&connect.body[at + 2..at + 2 + length]).into_owned();
        Some(connection)
    }

    pub(crate) fn is_command(&self) -> bool {
        self.client_id.ends_with("-cmd")
    }

    /// Waits until there is something to read; may be dropped.
    pub(crate) async fn ready(&self) {
        // The client may be gone; reading tells.
        let _: std::io::Result<usize> = self.stream.peek(&mut [0]).await;
    }

    /// The next packet; `None` when the client closed or said DISCONNECT.
    pub(crate) async fn read(&mut self) -> Option<Packet> {
        self.read_any().await.filter(|packet| packet.kind() != DISCONNECT)
    }

    async fn read_any(&mut self) -> Option<Packet> {
        let first = self.stream.read_u8().await.ok()?;
        let (mut length, mut shift) = (0, 0);
        loop {
            let byte = self.stream.read_u8().await.ok()?;
            length |= usize::from(byte & 0x7f) << shift;
            shift += 7;
            if byte < 0x80 {
                break;
            }
        }
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body).await.ok()?;
        Some(Packet { first, body })
    }

    /// The next packet of this kind; others are answered as a broker should. `None` when the client said DISCONNECT.
    pub(crate) async fn read_kind(&mut self, kind: u8) -> Option<Packet> {
        loop {
            let packet = self.read_any().await?;
            if packet.kind() == kind {
                return Some(packet);
            }
            if packet.kind() == DISCONNECT {
                return None;
            }
            self.answer(&packet).await;
        }
    }

    /// Writes a packet whose body has fewer than 128 bytes.
    pub(crate) async fn write(&mut self, first: u8, body: &[u8]) {
        let mut bytes = vec![first, u8::try_from(body.len()).expect("a short body")];
        bytes.extend_from_slice(body);
        // The client may be gone; the test sees that otherwise.
        let _: std::io::Result<()> = self.stream.write_all(&bytes).await;
    }

    /// Accepts the connection. `properties` are those of MQTT 5.
    pub(crate) async fn accept_connect(&mut self, session_present: bool, properties: &[u8]) {
        let mut body = vec![u8::from(session_present), 0];
        if self.level == 5 {
            body.push(u8::try_from(properties.len()).expect("few properties"));
            body.extend_from_slice(properties);
        }
        self.write(0x20, &body).await;
    }

    /// Answers CONNECT and grants the one subscription that follows.
    pub(crate) async fn accept_subscriber(&mut self, is_session_present: bool) {
        self.accept_connect(is_session_present, &[]).await;
        let subscribe = self.read_kind(SUBSCRIBE).await.expect("a client that subscribes");
        self.answer_subscribe(&subscribe, 1).await;
    }

    /// Answers SUBSCRIBE with this code for its one filter.
    pub(crate) async fn answer_subscribe(&mut self, subscribe: &Packet, code: u8) {
        let mut body = subscribe.body[..2].to_vec();
        if self.level == 5 {
            body.push(0);
        }
        body.push(code);
        self.write(0x90, &body).await;
    }

    /// Answers SUBSCRIBE, PUBLISH and PINGREQ.
    pub(crate) async fn answer(&mut self, packet: &Packet) {
        match packet.kind() {
            SUBSCRIBE => self.answer_subscribe(packet, 1).await,
            PUBLISH if packet.first & 0x06 == 2 => self.write(0x40, &packet.publish_id().to_be_bytes()).await,
            PINGREQ => self.write(0xd0, &[]).await,
            _ => {}
        }
    }

    /// Delivers a message; `alias` with MQTT 5 only. QoS 0 has no packet id.
    pub(crate) async fn deliver(&mut self, topic: &str, payload: &str, id: Option<u16>, alias: Option<u8>) {
        self.deliver_as(if id.is_some() { 0x32 } else { 0x30 }, topic, payload, id, alias).await;
    }

    /// As [`Self::deliver`], with the first byte of the packet.
    pub(crate) async fn deliver_as(&mut self, first: u8, topic: &str, payload: &str, id: Option<u16>, alias: Option<u8>) {
        let mut body = u16::try_from(topic.len()).expect("short").to_be_bytes().to_vec();
        body.extend_from_slice(topic.as_bytes());
        body.extend(id.into_iter().flat_map(u16::to_be_bytes));
        match alias {
            Some(alias) => body.extend_from_slice(&[3, 0x23, 0, alias]),
            None if self.level == 5 => body.push(0),
            None => {}
        }
        body.extend_from_slice(payload.as_bytes());
        self.write(first, &body).await;
    }

    /// Accepts the connection and does what a broker does until the client closes.
    pub(crate) async fn serve(mut self) {
        self.accept_connect(false, &[]).await;
        while let Some(packet) = self.read().await {
            self.answer(&packet).await;
        }
    }
}

/// Listens on a free port and treats each client with `serve`.
pub(crate) async fn fake_broker<F: Future<Output = ()> + Send + 'static>(
    tasks: &Tasks,
    serve: impl Fn(Connection) -> F + Send + Sync + 'static,
) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let port = listener.local_addr().expect("bound").port();
    let (serve, all) = (Arc::new(serve), tasks.clone());
    tasks.spawn(async move {
        while let Some(Ok((stream, _))) = or_stop(&all, listener.accept()).await {
            let (serve, stop) = (Arc::clone(&serve), all.clone());
            all.spawn(async move {
                or_stop(&stop, async {
                    if let Some(connection) = Connection::accept(stream).await {
                        serve(connection).await;
                    }
                })
                .await;
            });
        }
    });
    port
}

/// The future, unless the tasks are told to stop first.
async fn or_stop<T>(tasks: &Tasks, future: impl Future<Output = T>) -> Option<T> {
    tokio::select! {
        () = tasks.stopping() => None,
        value = future => Some(value),
    }
}

/// A line to a broker that can be cut.
pub(crate) struct Line {
    pub(crate) port: u16,
    cut: watch::Sender<u64>,
    /// How many connections were made.
    pub(crate) n_connections: watch::Sender<usize>,
}

impl Line {
    pub(crate) async fn to(port: u16, tasks: &Tasks) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let line = Self { port: listener.local_addr().expect("bound").port(), cut: watch::Sender::new(0), n_connections: watch::Sender::new(0) };
        let (cut, all, n_connections) = (line.cut.clone(), tasks.clone(), line.n_connections.clone());
        tasks.spawn(async move {
            while let Some(Ok((mut near, _))) = or_stop(&all, listener.accept()).await {
                n_connections.send_modify(|n| *n += 1);
                let (mut was_cut, stop) = (cut.subscribe(), all.clone());
                all.spawn(async move {
                    let Ok(mut far) = TcpStream::connect(("127.0.0.1", port)).await else { return };
                    tokio::select! {
                        () = stop.stopping() => {}
                        _ = was_cut.changed() => {}
                        _ = copy_bidirectional(&mut near, &mut far) => {}
                    }
                });
            }
        });
        line
    }

    /// Cuts every connection that stands.
    pub(crate) fn cut(&self) {
        self.cut.send_modify(|n| *n += 1);
    }

    /// Waits for `n` more connections.
    pub(crate) async fn more_connections(&self, n: usize) {
        let mut made = self.n_connections.subscribe();
        let wanted = *made.borrow() + n;
        soon("more connections", made.wait_for(|made| *made >= wanted)).await.expect("the line lives");
    }
}

/// A channel on which a fake broker tells its test what it saw.
pub(crate) fn told<T>() -> (mpsc::UnboundedSender<T>, mpsc::UnboundedReceiver<T>) {
    mpsc::unbounded_channel()
}
