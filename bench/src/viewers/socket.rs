//! A WebSocket on a bare socket: a viewer that costs so little that thousands of them fit beside what is measured.

use std::net::SocketAddr;

use anyhow::{Context as _, Result, bail, ensure};
use bytes::{Buf as _, BytesMut};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// Bytes of an answer to an upgrade at most.
const MOST_HEAD: usize = 16 * 1024;
/// What a client's frame is masked with: any four bytes will do, and with zeros the text stays as it is.
const MASK: [u8; 4] = [0; 4];

/// A connected viewer.
pub(crate) struct Socket {
    stream: TcpStream,
    buffer: BytesMut,
}

/// What a server's frame is.
enum Kind {
    Text,
    Ping,
    Close,
    Other,
}

impl Socket {
    /// Connects to a path and waits until the server has agreed.
    pub(crate) async fn connect(address: SocketAddr, path: &str) -> Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let mut socket = Self { stream, buffer: BytesMut::new() };
        let request = format!(
            "GET {path} HTTP/1.1\r\nhost: {address}\r\nupgrade: websocket\r\nconnection: upgrade\r\n\
             sec-websocket-version: 13\r\nsec-websocket-key: c2lnbmFsYm94LWJlbmNoLQ==\r\n\r\n"
        );
        socket.stream.write_all(request.as_bytes()).await?;
        loop {
            if let Some(end) = socket.buffer.windows(4).position(|four| four == b"\r\n\r\n") {
                let head = socket.buffer.split_to(end + 4);
                let line = head.as_ref().split(|byte: &u8| *byte == b'\r').next().unwrap_or_default();
                ensure!(line.starts_with(b"HTTP/1.1 101"), "the server answered \"{}\"", String::from_utf8_lossy(line));
                return Ok(socket);
            }
            ensure!(socket.buffer.len() < MOST_HEAD, "the server's answer has no end");
            socket.fill().await?;
        }
    }

    /// Sends a text frame.
    pub(crate) async fn say(&mut self, text: &str) -> Result<()> {
        self.send(0x81, text.as_bytes()).await
    }

    /// The next text frame, which `look` sees; pings are answered.
    pub(crate) async fn hear<T>(&mut self, look: impl FnOnce(&[u8]) -> T) -> Result<T> {
        loop {
            let (kind, head, len) = loop {
                match self.head()? {
                    Some(found) if self.buffer.len() >= found.1 + found.2 => break found,
                    _ => self.fill().await?,
                }
            };
            self.buffer.advance(head);
            match kind {
                Kind::Text => {
                    let seen = look(&self.buffer[..len]);
                    self.buffer.advance(len);
                    return Ok(seen);
                }
                Kind::Ping => {
                    let said = self.buffer.split_to(len);
                    self.send(0x8a, &said).await?;
                }
                Kind::Close => bail!("the server closed the WebSocket: {}", String::from_utf8_lossy(self.buffer.get(2..len).unwrap_or_default())),
                Kind::Other => self.buffer.advance(len),
            }
        }
    }

    /// What is at the beginning of the buffer: kind, bytes of the head, bytes after it. `None` while the head is not whole.
    fn head(&self) -> Result<Option<(Kind, usize, usize)>> {
        let Some(&[first, second]) = self.buffer.first_chunk() else { return Ok(None) };
        ensure!(first & 0x80 != 0, "a frame in parts");
        let kind = match first & 0x0f {
            1 => Kind::Text,
            8 => Kind::Close,
            9 => Kind::Ping,
            _ => Kind::Other,
        };
        let (head, len) = match second & 0x7f {
            126 => (4, self.buffer.get(2..4).map(|bytes| u64::from(u16::from_be_bytes([bytes[0], bytes[1]])))),
            127 => (10, self.buffer.get(2..10).and_then(|bytes| Some(u64::from_be_bytes(bytes.try_into().ok()?)))),
            short => (2, Some(u64::from(short))),
        };
        len.map(|len| Ok((kind, head, usize::try_from(len)?))).transpose()
    }

    async fn fill(&mut self) -> Result<()> {
        self.buffer.reserve(2 * 1024);
        ensure!(self.stream.read_buf(&mut self.buffer).await.context("the server broke the WebSocket")? > 0, "the server closed the connection");
        Ok(())
    }

    async fn send(&mut self, first: u8, payload: &[u8]) -> Result<()> {
        let mut frame = vec![first];
        match u8::try_from(payload.len()) {
            Ok(len) if len < 126 => frame.push(0x80 | len),
            _ => {
                frame.push(0x80 | 126);
                frame.extend(u16::try_from(payload.len()).context("a long frame")?.to_be_bytes());
            }
        }
        frame.extend(MASK);
        frame.extend(payload);
        Ok(self.stream.write_all(&frame).await?)
    }
}
