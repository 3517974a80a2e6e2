//! MQTT 3.1.1 on a bare socket: a device that knows exactly what was acknowledged, and can write faster than a client library.

use std::net::SocketAddr;

use anyhow::{Context as _, Result, bail, ensure};
use bytes::BytesMut;
use rumqttc::mqttbytes::v4::{Connect, Packet, PubAck, Publish, Subscribe};
use rumqttc::{ConnectReturnCode, QoS};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};

/// Largest packet that is read.
const MAX_PACKET: usize = 16 * 1024 * 1024;

/// The half that reads.
pub(crate) struct Reader {
    socket: OwnedReadHalf,
    buffer: BytesMut,
}

/// The half that writes. What is put into it goes out with [`Writer::flush`].
pub(crate) struct Writer {
    socket: OwnedWriteHalf,
    buffer: BytesMut,
}

/// Connects with a keep alive of ten minutes, and a session that ends with the connection when `clean`. The second value is whether the broker
/// knew the session.
pub(crate) async fn connect(address: SocketAddr, id: &str, clean: bool) -> Result<((Reader, Writer), bool)> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let (read, write) = stream.into_split();
    let (mut reader, mut writer) =
        (Reader { socket: read, buffer: BytesMut::with_capacity(64 * 1024) }, Writer { socket: write, buffer: BytesMut::new() });
    let connect = Connect { keep_alive: 600, clean_session: clean, ..Connect::new(id) };
    connect.write(&mut writer.buffer).map_err(|error| anyhow::anyhow!("CONNECT: {error}"))?;
    writer.flush().await?;
    match reader.packet().await? {
        Packet::ConnAck(answer) => {
            ensure!(answer.code == ConnectReturnCode::Success, "the broker refused {id}: {:?}", answer.code);
            Ok(((reader, writer), answer.session_present))
        }
        other => bail!("the broker answered {id} with {other:?}"),
    }
}

impl Reader {
    /// The next packet.
    pub(crate) async fn packet(&mut self) -> Result<Packet> {
        loop {
            match Packet::read(&mut self.buffer, MAX_PACKET) {
                Ok(packet) => return Ok(packet),
                Err(rumqttc::Error::InsufficientBytes(_)) => {
                    self.buffer.reserve(64 * 1024);
                    ensure!(self.socket.read_buf(&mut self.buffer).await? > 0, "the broker closed the connection");
                }
                Err(error) => bail!("the broker sent no MQTT: {error}"),
            }
        }
    }

    /// The id of the next PUBACK; everything else is passed over.
    pub(crate) async fn acknowledged(&mut self) -> Result<u16> {
        loop {
            if let Packet::PubAck(PubAck { pkid }) = self.packet().await? {
                return Ok(pkid);
            }
        }
    }
}

impl Writer {
    /// Puts a message into the buffer: QoS 1 under an id, QoS 0 without.
    pub(crate) fn publish(&mut self, topic: &str, payload: &[u8], id: Option<u16>, retain: bool) -> Result<()> {
        let qos = if id.is_some() { QoS::AtLeastOnce } else { QoS::AtMostOnce };
        let message = Publish { retain, pkid: id.unwrap_or(0), ..Publish::new(topic, qos, payload) };
        message.write(&mut self.buffer).map(drop).map_err(|error| anyhow::anyhow!("PUBLISH to {topic}: {error}"))
    }

    /// Puts a subscription with QoS 1 into the buffer.
    pub(crate) fn subscribe(&mut self, filter: &str) -> Result<()> {
        let subscribe = Subscribe { pkid: 1, ..Subscribe::new(filter, QoS::AtLeastOnce) };
        subscribe.write(&mut self.buffer).map(drop).map_err(|error| anyhow::anyhow!("SUBSCRIBE to {filter}: {error}"))
    }

    /// Writes what is in the buffer.
    pub(crate) async fn flush(&mut self) -> Result<()> {
        self.socket.write_all(&self.buffer).await.context("the broker does not read")?;
        self.buffer.clear();
        Ok(())
    }
}
