//! A line that can be cut: stands between the server and its broker.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

/// How the line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Line {
    /// Passes everything on.
    Open,
    /// Every connection breaks at once, new ones too.
    Cut,
    /// Swallows everything and says nothing: the peer has vanished.
    Hole,
    /// 20 ms later, and a kilobyte a second.
    Slow,
}

/// The line. Dropped, all connections end.
pub(crate) struct Proxy {
    /// Where the server connects to.
    pub(crate) address: SocketAddr,
    line: Arc<watch::Sender<Line>>,
    _tasks: JoinSet<()>,
}

impl Proxy {
    /// An open line to `target`.
    pub(crate) async fn start(target: SocketAddr) -> Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let line = Arc::new(watch::Sender::new(Line::Open));
        let mut tasks = JoinSet::new();
        let watched = Arc::clone(&line);
        tasks.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((near, _)) = listener.accept().await {
                connections.spawn(serve(near, target, watched.subscribe()));
                while connections.try_join_next().is_some() {}
            }
        });
        Ok(Self { address, line, _tasks: tasks })
    }

    /// From now on the line is so.
    pub(crate) fn set(&self, line: Line) {
        self.line.send_replace(line);
    }
}

async fn serve(near: TcpStream, target: SocketAddr, mut line: watch::Receiver<Line>) {
    // Dropping both ends closes them; with unread data that is a reset, as a firewall does it.
    if *line.borrow() == Line::Cut {
        return;
    }
    let Ok(far) = TcpStream::connect(target).await else { return };
    // The line itself adds no delay of its own.
    if near.set_nodelay(true).is_err() || far.set_nodelay(true).is_err() {
        return;
    }
    let (near_read, near_write) = near.into_split();
    let (far_read, far_write) = far.into_split();
    let (up, down) = (line.clone(), line.clone());
    tokio::select! {
        () = pass(near_read, far_write, up) => {}
        () = pass(far_read, near_write, down) => {}
        _ = line.wait_for(|line| *line == Line::Cut) => {}
    }
}

/// Passes bytes on as the line allows. Returns when an end has closed, except into a hole, which tells nobody.
async fn pass(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, mut line: watch::Receiver<Line>) {
    let mut buffer = vec![0; 16 * 1024];
    loop {
        let most = if *line.borrow() == Line::Slow { 50 } else { buffer.len() };
        let read = from.read(&mut buffer[..most]).await;
        let state = *line.borrow_and_update();
        match state {
            // What was read is lost, and with it the stream: nothing more may pass on this connection.
            Line::Hole => return std::future::pending().await,
            // 50 bytes each 50 ms are a kilobyte a second; the first waits at least 20 ms.
            Line::Slow => tokio::time::sleep(Duration::from_millis(50)).await,
            Line::Open | Line::Cut => {}
        }
        match read {
            Ok(n) if n > 0 && to.write_all(&buffer[..n]).await.is_ok() => {}
            _ => return,
        }
    }
}
