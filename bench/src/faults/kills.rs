use std::collections::VecDeque;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until};

use super::broker::{self, until_up};
use super::fleet::{self, Plan};
use super::history::{self, Difference};
use super::proxy::{Line, Proxy};
use crate::mosquitto::Mosquitto;
use crate::program::Program;
use crate::task::Task;
use crate::wire;

/// How long history may take to catch up after the last acknowledgment.
const CATCH_UP: Duration = Duration::from_secs(60);

/// 1,000 messages a second for a minute, while the server is killed three times, the broker twice, and the line between them is cut for ten
/// seconds: what was sent is acknowledged, and what is acknowledged is stored once.
pub(super) async fn story(binary: &Path) -> Result<String> {
    let plan = Plan { messages: 60_000, per_s: 1_000, devices: 20 };
    let (folder, broker_folder) = (tempfile::tempdir()?, tempfile::tempdir()?);
    let mut mosquitto = Mosquitto::start(broker_folder.path(), true).await?;
    let line = Proxy::start(mosquitto.address).await?;
    let mut server = Program::start_beside(binary, folder.path(), line.address).await?;
    until_up(server.http).await?;
    let began = Instant::now();
    let at = |second: u64| sleep_until(began + Duration::from_secs(second));
    let mut sent = Task::begin(fleet::send(plan, mosquitto.address, |_| ()));
    at(7).await;
    server = again(server, binary, folder.path(), &line).await?;
    at(14).await;
    mosquitto.kill().await?;
    mosquitto.restart().await?;
    at(21).await;
    line.set(Line::Cut);
    at(31).await;
    line.set(Line::Open);
    at(38).await;
    server = again(server, binary, folder.path(), &line).await?;
    at(45).await;
    mosquitto.kill().await?;
    mosquitto.restart().await?;
    at(52).await;
    server = again(server, binary, folder.path(), &line).await?;
    sent.end().await?;
    let found = history::compare(server.http, plan, CATCH_UP).await?;
    server.stop().await?;
    held(found, plan, 0)
}

async fn again(server: Program, binary: &Path, folder: &Path, line: &Proxy) -> Result<Program> {
    server.kill().await?;
    Program::start_beside(binary, folder, line.address).await
}

/// 20,000 messages at 2,000 a second and ten kills of the server.
pub(super) async fn server_killed(binary: &Path) -> Result<String> {
    let plan = Plan { messages: 20_000, per_s: 2_000, devices: 20 };
    let (folder, broker_folder) = (tempfile::tempdir()?, tempfile::tempdir()?);
    let mosquitto = Mosquitto::start(broker_folder.path(), false).await?;
    let mut server = Program::start_beside(binary, folder.path(), mosquitto.address).await?;
    until_up(server.http).await?;
    let (tell, mut acknowledged) = watch::channel(0);
    let mut sent = Task::begin(fleet::send(plan, mosquitto.address, move |n| _ = tell.send(n)));
    let mut random = fastrand::Rng::with_seed(1);
    let mut slowest_ms = 0_f64;
    for kill in 0..10 {
        let after = kill * 1_900 + random.u32(100..1_800);
        acknowledged.wait_for(|n| *n >= after).await?;
        server.kill().await?;
        server = Program::start_beside(binary, folder.path(), mosquitto.address).await?;
        slowest_ms = slowest_ms.max(server.ms_to_ready());
    }
    sent.end().await?;
    let found = history::compare(server.http, plan, CATCH_UP).await?;
    server.stop().await?;
    ensure!(slowest_ms <= 5_000.0, "a start took {slowest_ms:.0} ms");
    Ok(format!("{}; slowest start {slowest_ms:.0} ms", held(found, plan, 0)?))
}

/// The embedded broker goes with the server: what is stored stays, and at most what was acknowledged within a quarter of a second is lost.
pub(super) async fn embedded_killed(binary: &Path) -> Result<String> {
    const KILLS: u32 = 4;
    let plan = Plan { messages: 20_000, per_s: 2_000, devices: 20 };
    let folder = tempfile::tempdir()?;
    let mut server = Program::start(binary, "serve", folder.path()).await?;
    let broker = server.mqtt;
    until_up(server.http).await?;
    let (tell, mut acknowledged) = watch::channel(0);
    let mut sent = Task::begin(fleet::send(plan, broker, move |n| _ = tell.send(n)));
    let mut may_be_lost = 0;
    for kill in 1..=KILLS {
        may_be_lost += busiest(&mut acknowledged, kill * 4_000).await?;
        server.kill().await?;
        server = Program::start_on(binary, folder.path(), broker).await?;
    }
    sent.end().await?;
    let found = history::compare(server.http, plan, Duration::from_secs(10)).await?;
    server.stop().await?;
    held(found, plan, may_be_lost)
}

/// The most that was acknowledged within a quarter of a second, until it is so many in all.
async fn busiest(acknowledged: &mut watch::Receiver<u32>, end: u32) -> Result<usize> {
    const SPAN: Duration = Duration::from_millis(250);
    let mut recent = VecDeque::new();
    let mut most = 0;
    loop {
        let (at, n) = (Instant::now(), *acknowledged.borrow_and_update());
        recent.push_back((at, n));
        while recent.get(1).is_some_and(|(second, _)| at.duration_since(*second) >= SPAN) {
            recent.pop_front();
        }
        most = most.max(recent.front().map_or(0, |(_, first)| n - first));
        if n >= end {
            return Ok(most as usize);
        }
        acknowledged.changed().await?;
    }
}

/// SIGTERM while devices send, to the server and its broker: nothing is lost, retained messages and sessions are back.
pub(super) async fn stopped(binary: &Path) -> Result<String> {
    let plan = Plan { messages: 20_000, per_s: 4_000, devices: 20 };
    let folder = tempfile::tempdir()?;
    let mut server = Program::start(binary, "serve", folder.path()).await?;
    let broker = server.mqtt;
    let ((mut reader, mut writer), _) = wire::connect(broker, "fault-session", false).await?;
    writer.subscribe("kept/#")?;
    writer.publish("retained/a", b"1", Some(2), true)?;
    writer.flush().await?;
    reader.acknowledged().await?;
    drop((reader, writer));
    let (tell, mut acknowledged) = watch::channel(0);
    let mut sent = Task::begin(fleet::send(plan, broker, move |n| _ = tell.send(n)));
    let mut slowest_ms = 0_f64;
    for after in [4_000, 9_000, 15_000] {
        acknowledged.wait_for(|n| *n >= after).await?;
        slowest_ms = slowest_ms.max(server.stop().await?);
        server = Program::start_on(binary, folder.path(), broker).await?;
    }
    sent.end().await?;
    let found = history::compare(server.http, plan, CATCH_UP).await?;
    let ((mut reader, mut writer), known) = wire::connect(broker, "fault-session", false).await?;
    ensure!(known, "the broker has forgotten a session");
    writer.subscribe("retained/#")?;
    writer.flush().await?;
    broker::delivered(&mut reader, "retained/a").await.context("the broker has forgotten a retained message")?;
    server.stop().await?;
    ensure!(slowest_ms <= 5_000.0, "an end took {slowest_ms:.0} ms");
    Ok(format!("{}; slowest end {slowest_ms:.0} ms, session and retained message kept", held(found, plan, 0)?))
}

/// Five kills of an outside broker: each time the link is back within three seconds, and a command in between is refused, not kept.
pub(super) async fn broker_killed(binary: &Path) -> Result<String> {
    let (folder, broker_folder) = (tempfile::tempdir()?, tempfile::tempdir()?);
    let mut mosquitto = Mosquitto::start(broker_folder.path(), true).await?;
    let server = Program::start_beside(binary, folder.path(), mosquitto.address).await?;
    until_up(server.http).await?;
    broker::say(mosquitto.address, "control/lights/hall/state", b"{\"state\":\"off\"}").await?;
    broker::until_value(server.http, "hall.light", |light| light["state"] == "off").await?;
    let mut slowest_ms = 0;
    for cycle in 0..5_u32 {
        mosquitto.kill().await?;
        broker::until_down(server.http).await?;
        let answer = broker::command(server.http, "hall.light", "turn_on").await?;
        ensure!(answer == 409, "a command without a broker was answered {answer}");
        sleep(Duration::from_secs(u64::from(cycle) * 2)).await;
        mosquitto.restart().await?;
        let back = Instant::now();
        until_up(server.http).await?;
        broker::say(mosquitto.address, "sensors/fault-after/count", cycle.to_string().as_bytes()).await?;
        broker::until_value(server.http, "fault-after.count", |value| value.as_f64() == Some(cycle.into())).await?;
        slowest_ms = slowest_ms.max(back.elapsed().as_millis());
    }
    server.stop().await?;
    ensure!(slowest_ms <= 3_000, "a value came only {slowest_ms} ms after the broker was back");
    Ok(format!("five outages of up to 8 s, a new value at most {slowest_ms} ms after the broker was back"))
}

/// Every message three times, shuffled within ten minutes: each is stored once, sums are those of the readings, and the newest is shown.
pub(super) async fn disorder(binary: &Path) -> Result<String> {
    const MESSAGES: u32 = 3_000;
    let folder = tempfile::tempdir()?;
    let server = Program::start(binary, "serve", folder.path()).await?;
    until_up(server.http).await?;
    let newest_ms = fleet::now_ms()? - 1_000;
    let mut order: Vec<u32> = (0..MESSAGES).flat_map(|n| [n, n, n]).collect();
    // A message each 200 ms: the shuffle goes over ten minutes.
    fastrand::Rng::with_seed(2).shuffle(&mut order);
    let ((mut reader, mut writer), _) = wire::connect(server.mqtt, "fault-disorder", true).await?;
    for chunk in order.chunks(100) {
        for (id, n) in (1_u16..).zip(chunk) {
            let text = format!("{{\"ts\":{},\"value\":{n}}}", newest_ms - u128::from(MESSAGES - 1 - n) * 200);
            writer.publish("sensors/fault-000/count", text.as_bytes(), Some(id), false)?;
        }
        writer.flush().await?;
        for _ in chunk {
            reader.acknowledged().await?;
        }
    }
    let plan = Plan { messages: MESSAGES, per_s: 0, devices: 1 };
    let found = history::compare(server.http, plan, CATCH_UP).await?;
    let figures = held(found, plan, 0)?;
    broker::until_value(server.http, "fault-000.count", |value| value.as_f64() == Some(f64::from(MESSAGES - 1))).await?;
    let in_buckets = history::counted(server.http, &Plan::entity(0), newest_ms, 20).await?;
    ensure!(in_buckets == u64::from(MESSAGES), "the roll-ups count {in_buckets} readings of {MESSAGES}");
    server.stop().await?;
    Ok(format!("{figures}; roll-ups agree, the newest is shown"))
}

/// The sentence of a run that held.
pub(super) fn held(found: Difference, plan: Plan, may_be_lost: usize) -> Result<String> {
    ensure!(
        found.lost <= may_be_lost && found.again == 0,
        "{} of {} acknowledged messages are lost, {} are stored more than once",
        found.lost,
        plan.messages,
        found.again
    );
    Ok(format!("{} sent and acknowledged, {} lost (at most {may_be_lost}), 0 stored twice", plan.messages, found.lost))
}
