use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use tokio::sync::watch;
use tokio::time::{Instant, interval, sleep, timeout};

use super::NotHere;
use super::broker::{connects, until_up, until_value};
use super::fleet::now_ms;
use super::history::{self, Rows};
use super::hostile::no_panic;
use crate::program::Program;
use crate::task::Task;
use crate::wire;

/// How long the clock stays wrong: long enough for whatever waits some seconds before it judges.
const WRONG: Duration = Duration::from_secs(20);
/// How long it is right in between.
const RIGHT: Duration = Duration::from_secs(6);
/// How soon a new value must be shown after a jump.
const SHOWN: Duration = Duration::from_secs(5);
/// Between two messages of a device.
const EVERY: Duration = Duration::from_millis(200);
/// A device's own clock may be this far ahead.
const AHEAD_MS: u128 = 15_000;

/// Says no time in its messages.
const PLAIN: &str = "fault-plain.count";
/// Says the right time.
const TIMED: &str = "fault-timed.count";

/// The clock of the server jumps an hour ahead, an hour back, to 1970 and over the end of 32 bits in 2038, and back each time, while devices send.
/// Everything that is wrong is gathered: one jump says nothing of the next.
pub(super) async fn jumps(binary: &Path) -> Result<String> {
    let folder = tempfile::tempdir()?;
    let clock = Clock::new(folder.path()).await?;
    let server = Program::start_in(binary, folder.path(), &clock.env()?).await?;
    until_up(server.http).await?;
    let ((reader, mut writer), _) = wire::connect(server.mqtt, "fault-session", false).await?;
    writer.subscribe("kept/#")?;
    writer.flush().await?;
    drop((reader, writer));
    let (tell, said) = watch::channel(0);
    let mut sending = Task::begin(send(server.mqtt, tell));
    sleep(RIGHT).await;
    let connected = connects(server.http).await?;
    let mut wrong = vec![];
    for (name, ahead_s) in jumps_at(now_ms()? / 1_000)? {
        for (when, offset_s, stays) in [("at", ahead_s, WRONG), ("after", 0, RIGHT)] {
            clock.set(offset_s).await?;
            let at = *said.borrow();
            let jumped = Instant::now();
            for entity in [PLAIN, TIMED] {
                let shown = timeout(SHOWN, until_value(server.http, entity, |value| value.as_f64().is_some_and(|n| n > f64::from(at) + 1.0))).await;
                match shown {
                    Ok(shown) => shown.with_context(|| format!("{when} {name}"))?,
                    Err(_) => wrong.push(format!("{when} {name} {entity} shows no new value")),
                }
            }
            sleep(stays.saturating_sub(jumped.elapsed())).await;
        }
        if name == "-1 h" && !wire::connect(server.mqtt, "fault-session", false).await?.1 {
            wrong.push("the broker has forgotten a session".to_owned());
        }
    }
    ensure!(!sending.has_ended()?, "the devices have lost their connection");
    let last = *said.borrow();
    drop(sending);
    let again = connects(server.http).await? - connected;
    for entity in [PLAIN, TIMED] {
        wrong.extend(disagreements(server.http, entity, last).await?);
    }
    let future = history::rows(server.http, TIMED, now_ms()? + AHEAD_MS, 5_000).await?;
    if future.n > 0 {
        wrong.push(format!("{} readings of {TIMED}, which always said the right time, lie in the future", future.n));
    }
    server.stop().await?;
    no_panic(folder.path()).await?;
    ensure!(again == 0 && wrong.is_empty(), "{again} new connections; {}", wrong.join("; "));
    Ok(format!("{last} messages of each device: all stored, values shown within 5 s of 8 jumps, roll-ups agree, nothing in the future, session kept"))
}

/// The clock is ahead by so many seconds then.
fn jumps_at(now_s: u128) -> Result<[(&'static str, i64); 4]> {
    let now_s = i64::try_from(now_s)?;
    // Five seconds before the last second that 32 bits can say.
    Ok([("+1 h", 3_600), ("-1 h", -3_600), ("1970", 3_600 - now_s), ("2038", i64::from(i32::MAX) - 5 - now_s)])
}

/// Two devices that count, one with a time of its own; each message is acknowledged, and the connection stays.
async fn send(broker: SocketAddr, said: watch::Sender<u32>) -> Result<()> {
    let ((mut reader, mut writer), _) = wire::connect(broker, "fault-devices", true).await?;
    let mut tick = interval(EVERY);
    for n in 1.. {
        tick.tick().await;
        writer.publish("sensors/fault-plain/count", n.to_string().as_bytes(), Some(1), false)?;
        writer.publish("sensors/fault-timed/count", format!("{{\"ts\":{},\"value\":{n}}}", now_ms()?).as_bytes(), Some(2), false)?;
        writer.flush().await?;
        for _ in 0..2 {
            timeout(Duration::from_secs(10), reader.acknowledged()).await.context("the broker does not acknowledge")??;
        }
        said.send_replace(n);
    }
    Ok(())
}

/// What is missing in history, and where sums are not those of the readings.
async fn disagreements(http: SocketAddr, entity: &str, last: u32) -> Result<Vec<String>> {
    let until = Instant::now() + Duration::from_secs(10);
    // What was acknowledged last may still be on its way to the disk.
    let single = loop {
        let single = history::rows(http, entity, 0, 5_000).await?;
        if single.max >= f64::from(last) || Instant::now() > until {
            break single;
        }
        sleep(EVERY).await;
    };
    let mut wrong = vec![];
    // One more may have been sent and not counted.
    if single.n != u64::from(last) && single.n != u64::from(last) + 1 {
        wrong.push(format!("{} of {last} messages of {entity} are stored", single.n));
    }
    for points in [1, 7, 100] {
        let Rows { n, min, max, .. } = history::rows(http, entity, 0, points).await?;
        if (n, min, max) != (single.n, single.min, single.max) {
            wrong.push(format!(
                "{points} buckets of {entity} hold {n} readings from {min} to {max}, not {} from {} to {}",
                single.n, single.min, single.max
            ));
        }
    }
    Ok(wrong)
}

/// The server's clock: Debian's faketime, which reads from a file what the time is.
struct Clock {
    library: PathBuf,
    file: PathBuf,
}

impl Clock {
    async fn new(folder: &Path) -> Result<Self> {
        let clock = Self { library: library().await?, file: folder.join("clock") };
        clock.set(0).await?;
        Ok(clock)
    }

    /// From now on it is ahead by so many seconds.
    async fn set(&self, offset_s: i64) -> Result<()> {
        let new = self.file.with_extension("new");
        tokio::fs::write(&new, format!("{offset_s:+}\n")).await?;
        // At once: half a line would be another time.
        Ok(tokio::fs::rename(new, &self.file).await?)
    }

    fn env(&self) -> Result<Vec<(&'static str, OsString)>> {
        Ok(vec![
            ("LD_PRELOAD", self.library.clone().into()),
            ("FAKETIME_TIMESTAMP_FILE", self.file.canonicalize()?.into()),
            ("FAKETIME_NO_CACHE", "1".into()),
            // As when somebody sets a clock: what measures intervals does not jump.
            ("FAKETIME_DONT_FAKE_MONOTONIC", "1".into()),
            ("NO_FAKE_STAT", "1".into()),
        ])
    }
}

/// Where the package has put it: in a folder of the machine's kind.
async fn library() -> Result<PathBuf> {
    let mut folders = tokio::fs::read_dir("/usr/lib").await?;
    while let Some(folder) = folders.next_entry().await? {
        let library = folder.path().join("faketime/libfaketimeMT.so.1");
        if tokio::fs::try_exists(&library).await.unwrap_or(false) {
            return Ok(library);
        }
    }
    Err(NotHere("there is no libfaketimeMT.so.1: please install faketime".to_owned()).into())
}
