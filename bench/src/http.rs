//! HTTP/1.1 over one connection that is kept: as much as the measurements need, and nothing between them and the socket.

use std::net::SocketAddr;

use anyhow::{Context as _, Result, ensure};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;

/// A connection that is kept from request to request.
pub(crate) struct Connection {
    stream: BufReader<TcpStream>,
    address: SocketAddr,
}

/// What was answered.
#[derive(Debug, Default)]
pub(crate) struct Answer {
    /// The status code.
    pub(crate) status: u16,
    /// How the body is compressed; empty when it is not.
    pub(crate) encoding: String,
    /// The body, compressed as it came.
    pub(crate) body: Vec<u8>,
}

/// How long a body is.
enum Length {
    Bytes(usize),
    Chunked,
}

impl Connection {
    /// Connects.
    pub(crate) async fn open(address: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream: BufReader::with_capacity(64 * 1024, stream), address })
    }

    /// Asks for an encoding such as `br` and reads the answer to its end.
    pub(crate) async fn get(&mut self, path: &str, accept_encoding: &str) -> Result<Answer> {
        let request = format!("GET {path} HTTP/1.1\r\nhost: {}\r\naccept: */*\r\naccept-encoding: {accept_encoding}\r\n\r\n", self.address);
        self.ask(&request).await
    }

    /// Sends JSON and reads the answer to its end.
    pub(crate) async fn post(&mut self, path: &str, body: &str) -> Result<Answer> {
        let head = format!("POST {path} HTTP/1.1\r\nhost: {}\r\ncontent-type: application/json\r\n", self.address);
        self.ask(&format!("{head}content-length: {}\r\n\r\n{body}", body.len())).await
    }

    async fn ask(&mut self, request: &str) -> Result<Answer> {
        self.stream.write_all(request.as_bytes()).await?;
        let status = self.line().await?;
        let status = status.split(' ').nth(1).and_then(|code| code.parse().ok()).with_context(|| format!("\"{status}\" is no status line"))?;
        let mut answer = Answer { status, ..Answer::default() };
        let length = self.headers(&mut answer).await?;
        match length {
            Length::Bytes(n) => self.bytes(n, &mut answer.body).await?,
            Length::Chunked => self.chunks(&mut answer.body).await?,
        }
        Ok(answer)
    }

    async fn headers(&mut self, answer: &mut Answer) -> Result<Length> {
        let mut length = Length::Bytes(0);
        loop {
            let line = self.line().await?;
            if line.is_empty() {
                return Ok(length);
            }
            let (name, value) = line.split_once(':').with_context(|| format!("\"{line}\" is no header"))?;
            let value = value.trim();
            match name.to_ascii_lowercase().as_str() {
                "content-length" => length = Length::Bytes(value.parse()?),
                "transfer-encoding" => {
                    ensure!(value.eq_ignore_ascii_case("chunked"), "unexpected transfer-encoding \"{value}\"");
                    length = Length::Chunked;
                }
                "content-encoding" => value.clone_into(&mut answer.encoding),
                _ => {}
            }
        }
    }

    async fn chunks(&mut self, body: &mut Vec<u8>) -> Result<()> {
        loop {
            let line = self.line().await?;
            let size = line.split(';').next().unwrap_or_default().trim();
            let size = usize::from_str_radix(size, 16).with_context(|| format!("\"{line}\" is no size of a chunk"))?;
            if size > 0 {
                self.bytes(size, body).await?;
            }
            // The end of the chunk, or of the trailers, which nobody sends here.
            ensure!(self.line().await?.is_empty(), "a chunk is longer than it says");
            if size == 0 {
                return Ok(());
            }
        }
    }

    async fn bytes(&mut self, n: usize, body: &mut Vec<u8>) -> Result<()> {
        let began = body.len();
        body.resize(began + n, 0);
        self.stream.read_exact(&mut body[began..]).await?;
        Ok(())
    }

    async fn line(&mut self) -> Result<String> {
        let mut line = String::new();
        ensure!(self.stream.read_line(&mut line).await? > 0, "the server closed the connection");
        line.truncate(line.trim_end().len());
        Ok(line)
    }
}
