use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use fastrand::Rng;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep, timeout};

use super::broker::{connects, n_entities, n_tiles, say, until_up, until_value};
use crate::memory;
use crate::mosquitto::Mosquitto;
use crate::program::Program;
use crate::wire;

/// Retained messages of 2 MB and 20 kB: no loop of reconnects, everything else goes on.
pub(super) async fn poison(binary: &Path) -> Result<String> {
    let (folder, broker_folder) = (tempfile::tempdir()?, tempfile::tempdir()?);
    let mosquitto = Mosquitto::start(broker_folder.path(), false).await?;
    let ((mut reader, mut writer), _) = wire::connect(mosquitto.address, "fault-poison", true).await?;
    for (id, size) in [(1, 2_000_000), (2, 20_000)] {
        writer.publish(&format!("sensors/poison-{id}/temperature"), &vec![b'7'; size], Some(id), true)?;
        writer.flush().await?;
        reader.acknowledged().await?;
    }
    let server = Program::start_beside(binary, folder.path(), mosquitto.address).await?;
    until_up(server.http).await?;
    say(mosquitto.address, "sensors/fault-other/temperature", b"21").await?;
    until_value(server.http, "fault-other.temperature", |value| value.as_f64() == Some(21.0)).await?;
    // As long as a loop needs to show.
    sleep(Duration::from_secs(5)).await;
    let connects = connects(server.http).await?;
    server.stop().await?;
    ensure!(connects <= 3, "{connects} connections");
    Ok(format!("{connects} connections in all, others flow"))
}

/// 100,000 messages that nobody should send: nothing panics, nothing of them is shown, memory stays.
pub(super) async fn payloads(binary: &Path) -> Result<String> {
    const MESSAGES: usize = 100_000;
    let folder = tempfile::tempdir()?;
    let server = Program::start(binary, "serve", folder.path()).await?;
    until_up(server.http).await?;
    say(server.mqtt, "sensors/fault-good/temperature", b"20").await?;
    until_value(server.http, "fault-good.temperature", |value| value.as_f64() == Some(20.0)).await?;
    let mut random = Rng::with_seed(3);
    // Half of them first: how much is on its way at once settles by then, and what is asked here is what stays of each message.
    send(server.mqtt, MESSAGES / 2, || bad_payload(&mut random)).await?;
    let (before, entities) = (memory::resident_mib(&server).await?, n_entities(server.http).await?);
    send(server.mqtt, MESSAGES / 2, || bad_payload(&mut random)).await?;
    say(server.mqtt, "sensors/fault-good/temperature", b"22").await?;
    until_value(server.http, "fault-good.temperature", |value| value.as_f64() == Some(22.0)).await?;
    let (grown, after) = (memory::resident_mib(&server).await? - before, n_entities(server.http).await?);
    server.stop().await?;
    no_panic(folder.path()).await?;
    ensure!(after == entities, "{} entities came of it", after - entities);
    ensure!(grown <= 12.0, "memory grew by {grown:.1} MiB from the first half to the second");
    Ok(format!("{MESSAGES} messages, none shown, the second half of them {grown:+.1} MiB"))
}

/// In rounds, each acknowledged: the broker may drop nothing on the way.
async fn send(broker: SocketAddr, n: usize, mut payload: impl FnMut() -> Vec<u8>) -> Result<()> {
    let ((mut reader, mut writer), _) = wire::connect(broker, "fault-payloads", true).await?;
    for _ in 0..n / 100 {
        for id in 1..=100 {
            writer.publish("sensors/fault-good/temperature", &payload(), Some(id), false)?;
        }
        writer.flush().await?;
        for _ in 0..100 {
            reader.acknowledged().await?;
        }
    }
    Ok(())
}

/// Something that is no temperature.
fn bad_payload(random: &mut Rng) -> Vec<u8> {
    match random.u8(0..60) {
        // Large ones are rare: how many bytes are on their way is bounded by the window of a session, and what is asked here is what stays.
        0 => vec![b'9'; random.usize(400..70_000)],
        1..5 => "{\"a\":".repeat(random.usize(33..5_000)).into_bytes(),
        5..10 => "[".repeat(random.usize(1..10_000)).into_bytes(),
        10..25 => (0..random.usize(1..64)).map(|_| random.u8(0x80..)).collect(),
        25..35 => b"NaN".to_vec(),
        35..45 => b"1e999".to_vec(),
        _ => b"{\"value\":".to_vec(),
    }
}

/// 3,000 connections of broken packets to the embedded broker: a device that behaves does not notice.
pub(super) async fn packets(binary: &Path) -> Result<String> {
    const SESSIONS: u32 = 3_000;
    let folder = tempfile::tempdir()?;
    let server = Program::start(binary, "serve", folder.path()).await?;
    until_up(server.http).await?;
    let ((mut reader, mut writer), _) = wire::connect(server.mqtt, "fault-good", true).await?;
    let mut random = Rng::with_seed(4);
    for session in 0..SESSIONS {
        for version in [4, 5] {
            attack(server.mqtt, broken_session(&mut random, version)).await?;
        }
        if session % 100 == 0 {
            writer.publish("sensors/fault-good/count", session.to_string().as_bytes(), Some(1), false)?;
            writer.flush().await?;
            timeout(Duration::from_secs(10), reader.acknowledged()).await.context("the device that behaves gets no answer")??;
        }
    }
    until_value(server.http, "fault-good.count", |value| value.as_f64() == Some(f64::from(SESSIONS - 100))).await?;
    server.stop().await?;
    no_panic(folder.path()).await?;
    Ok(format!("{SESSIONS} sessions of MQTT 3.1.1 and as many of 5"))
}

/// A session as a client would send it, with some bytes changed.
fn broken_session(random: &mut Rng, version: u8) -> Vec<u8> {
    let properties: &[u8] = if version == 5 { &[0] } else { &[] };
    let mut connect = vec![0, 4, b'M', b'Q', b'T', b'T', version, 2, 0, 60];
    connect.extend_from_slice(properties);
    connect.extend_from_slice(&[0, 4, b'e', b'v', b'i', b'l']);
    let mut subscribe = vec![0, 1];
    subscribe.extend_from_slice(properties);
    subscribe.extend_from_slice(&[0, 3, b'a', b'/', b'#', 1]);
    let mut publish = vec![0, 3, b'a', b'/', b'b', 0, 2];
    publish.extend_from_slice(properties);
    publish.extend_from_slice(b"21.5");
    let mut bytes = vec![];
    for (kind, body) in [(0x10, connect), (0x82, subscribe), (0x32, publish), (0xc0, vec![]), (0xe0, vec![])] {
        bytes.push(kind);
        bytes.push(u8::try_from(body.len()).expect("short bodies"));
        bytes.extend(body);
    }
    for _ in 0..random.usize(1..6) {
        let idx = random.usize(..bytes.len());
        match random.u8(0..3) {
            0 => bytes[idx] = random.u8(..),
            1 => _ = bytes.remove(idx),
            _ => bytes.insert(idx, random.u8(..)),
        }
    }
    bytes
}

/// Sends it all, reads what is answered at once, and leaves.
async fn attack(broker: SocketAddr, bytes: Vec<u8>) -> Result<()> {
    let mut stream = TcpStream::connect(broker).await?;
    // The broker may close in the middle of it: that is its right.
    if stream.write_all(&bytes).await.is_ok() {
        let mut answer = [0; 256];
        let _nothing = timeout(Duration::from_millis(2), stream.read(&mut answer)).await;
    }
    Ok(())
}

/// 50,000 retained messages on topics of their own from one device: the broker and the server keep to 10,000 of them, the page to 1,000, and a
/// restart is quick.
pub(super) async fn topics(binary: &Path) -> Result<String> {
    const TOPICS: u32 = 50_000;
    let folder = tempfile::tempdir()?;
    let server = Program::start(binary, "serve", folder.path()).await?;
    let broker = server.mqtt;
    until_up(server.http).await?;
    let ((mut reader, mut writer), _) = wire::connect(broker, "fault-bomb", true).await?;
    let mut random = Rng::with_seed(5);
    for _ in 0..TOPICS / 100 {
        for id in 1..=100 {
            writer.publish(&format!("sensors/bomb-{:x}/temperature", random.u64(..)), b"21", Some(id), true)?;
        }
        writer.flush().await?;
        for _ in 0..100 {
            reader.acknowledged().await?;
        }
    }
    say(broker, "sensors/fault-good/count", b"1").await?;
    let entities = n_entities(server.http).await?;
    let (tiles, more) = n_tiles(server.http).await?;
    server.stop().await?;
    let began = Instant::now();
    let server = Program::start_on(binary, folder.path(), broker).await?;
    wire::connect(broker, "fault-first", true).await?;
    let connected_ms = began.elapsed().as_millis();
    server.stop().await?;
    no_panic(folder.path()).await?;
    let figures =
        format!("{TOPICS} retained topics: {entities} entities, {tiles} on the page and {more} more, CONNACK {connected_ms} ms after a restart");
    ensure!(entities <= 10_000 && connected_ms <= 5_000 && tiles <= 1_000 && tiles + more == entities, "{figures}");
    Ok(figures)
}

/// Nothing in what it logged says that a task died.
pub(super) async fn no_panic(folder: &Path) -> Result<()> {
    let log = tokio::fs::read_to_string(folder.join("signalbox.log")).await?;
    let panic = log.lines().find(|line| line.contains("panicked"));
    ensure!(panic.is_none(), "{}", panic.unwrap_or_default());
    Ok(())
}
