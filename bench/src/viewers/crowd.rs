//! Many viewers at once, and how late the values are that they see.
//!
//! A value is the moment at which it was sent, in microseconds since the crowd's beginning: whoever sees it knows how late it is.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Context as _, Result};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};

use super::socket::Socket;

/// Connections that are opened at the same time.
const OPENING: usize = 64;
/// In which all of a crowd have to be connected.
const ARRIVAL: Duration = Duration::from_secs(60);
/// What stands before a value in a frame.
const BEFORE_VALUE: &[u8] = b"\"v\":";

/// What a viewer connects to.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Place {
    /// The program: all entities are subscribed to.
    Program(SocketAddr),
    /// A bare bridge, which sends everything unasked.
    Bridge(SocketAddr),
}

/// Connected viewers. Dropped, they go.
pub(crate) struct Crowd {
    viewers: JoinSet<Result<Seen>>,
    clock: Clock,
    over: watch::Sender<bool>,
    n_seen: Arc<AtomicU64>,
}

/// What a viewer saw of values that were sent since the measurement began.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    /// How late each value was, in microseconds.
    pub(crate) late: Vec<u32>,
}

/// The clock that values tell, and from when on they count.
#[derive(Clone, Debug)]
pub(crate) struct Clock {
    epoch: Instant,
    from: Arc<AtomicU64>,
}

impl Clock {
    pub(super) fn new() -> Self {
        Self { epoch: Instant::now(), from: Arc::new(AtomicU64::new(u64::MAX)) }
    }

    /// Microseconds since the beginning.
    pub(crate) fn now(&self) -> u64 {
        u64::try_from(self.epoch.elapsed().as_micros()).unwrap_or(u64::MAX)
    }

    /// Values sent from now on count.
    pub(crate) fn count(&self) {
        self.from.store(self.now(), Ordering::Relaxed);
    }
}

impl Crowd {
    /// Connects `n` viewers and returns once each of them has what it came for.
    pub(crate) async fn gather(place: Place, n: usize) -> Result<Self> {
        let clock = Clock::new();
        let (over, told) = watch::channel(false);
        let (doors, n_seen, n_there) = (Arc::new(Semaphore::new(OPENING)), Arc::<AtomicU64>::default(), Arc::<AtomicUsize>::default());
        let (there, mut all_there) = watch::channel(0);
        let mut viewers = JoinSet::new();
        for _ in 0..n {
            let (clock, told, doors, n_seen, n_there, there) =
                (clock.clone(), told.clone(), Arc::clone(&doors), Arc::clone(&n_seen), Arc::clone(&n_there), there.clone());
            viewers.spawn(async move {
                let door = doors.acquire_owned().await?;
                let socket = enter(place).await?;
                drop(door);
                there.send_replace(n_there.fetch_add(1, Ordering::Relaxed) + 1);
                watch_values(socket, clock, told, n_seen).await
            });
        }
        drop(there);
        // The numbers may pass each other on their way: what counts is how many are there.
        let arrival = all_there.wait_for(|_| n_there.load(Ordering::Relaxed) == n);
        timeout(ARRIVAL, arrival).await.context("not all viewers were let in")?.context("a viewer left at once")?;
        Ok(Self { viewers, clock, over, n_seen })
    }

    /// What their values tell.
    pub(crate) fn clock(&self) -> Clock {
        self.clock.clone()
    }

    /// Values that all of them have seen so far, of those that count.
    pub(crate) fn n_seen(&self) -> u64 {
        self.n_seen.load(Ordering::Relaxed)
    }

    /// Sends them home: what each of them saw.
    pub(crate) async fn end(mut self) -> Result<Vec<Seen>> {
        self.over.send_replace(true);
        let mut all = vec![];
        while let Some(seen) = self.viewers.join_next().await {
            all.push(seen??);
        }
        Ok(all)
    }
}

/// A viewer that has what it came for: the snapshot, where there is one.
pub(crate) async fn enter(place: Place) -> Result<Socket> {
    match place {
        Place::Program(address) => {
            let mut socket = Socket::connect(address, "/live").await?;
            socket.say(r#"{"type":"subscribe","entities":["*"]}"#).await?;
            while !socket.hear(|text| text.starts_with(br#"{"type":"snapshot""#)).await? {}
            Ok(socket)
        }
        Place::Bridge(address) => Socket::connect(address, "/").await,
    }
}

async fn watch_values(mut socket: Socket, clock: Clock, mut over: watch::Receiver<bool>, n_seen: Arc<AtomicU64>) -> Result<Seen> {
    let mut seen = Seen::default();
    loop {
        tokio::select! {
            _ = over.wait_for(|over| *over) => return Ok(seen),
            heard = socket.hear(|text| scan(text, &clock, &mut seen)) => {
                n_seen.fetch_add(heard?, Ordering::Relaxed);
            }
        }
    }
}

/// Notes the values of a frame; how many there were.
fn scan(text: &[u8], clock: &Clock, seen: &mut Seen) -> u64 {
    let (now, from) = (clock.now(), clock.from.load(Ordering::Relaxed));
    let (mut rest, mut n) = (text, 0);
    while let Some(at) = find(rest, BEFORE_VALUE) {
        rest = &rest[at + BEFORE_VALUE.len()..];
        let sent =
            rest.iter().take_while(|byte| byte.is_ascii_digit()).fold(0_u64, |all, digit| all.wrapping_mul(10).wrapping_add(u64::from(digit - b'0')));
        if sent >= from && sent <= now {
            seen.late.push(u32::try_from(now - sent).unwrap_or(u32::MAX));
            n += 1;
        }
    }
    n
}

fn find(text: &[u8], what: &[u8]) -> Option<usize> {
    text.windows(what.len()).position(|window| window == what)
}
