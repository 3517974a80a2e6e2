use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

use anyhow::{Context as _, Result, ensure};
use fastrand::Rng;
use tokio::process::Command;
use tokio::sync::watch;

use super::fleet::{self, Plan};
use super::kills::held;
use super::{NotHere, broker, history, sqlite};
use crate::mosquitto::Mosquitto;
use crate::program::Program;
use crate::task::Task;

/// What a disk writes at once.
const SECTOR: usize = 512;
/// How long a sync takes, as on a card that is slow: so that some of the cuts come between writing and that.
const SYNC_US: &str = "250000";
/// Messages a second.
const PER_S: u32 = 1_000;
/// Messages between two cuts, at most; at least a third of it.
const BETWEEN: u32 = 2_000;

/// The power of the server's machine goes, again and again, while devices send to a broker on another one. Of each file remains what was synced;
/// every second time also some of the sectors that were written since, as a disk writes them in an order of its own. That names of files survive is
/// taken for granted.
pub(super) async fn cut(binary: &Path, times: u32) -> Result<String> {
    let plan = Plan { messages: times * BETWEEN + 2_000, per_s: PER_S, devices: 100 };
    let (folder, broker_folder, machine) = (tempfile::tempdir()?, tempfile::tempdir()?, Machine::build().await?);
    // As the system names it, not over links.
    let data = folder.path().canonicalize()?.join("data");
    let env = machine.env(&data);
    let mosquitto = Mosquitto::start(broker_folder.path(), false).await?;
    let mut server = Program::start_beside_in(binary, folder.path(), mosquitto.address, &env).await?;
    broker::until_up(server.http).await?;
    let (tell, mut acknowledged) = watch::channel(0);
    let mut sent = Task::begin(fleet::send(plan, mosquitto.address, move |n| _ = tell.send(n)));
    let mut random = Rng::with_seed(6);
    let mut changed = 0;
    for round in 0..times {
        let after = round * BETWEEN + random.u32(BETWEEN / 3..BETWEEN);
        acknowledged.wait_for(|n| *n >= after).await?;
        server.kill().await?;
        let torn = (round % 2 == 1).then_some(&mut random);
        changed += usize::from(machine.lose(&data, torn).with_context(|| format!("cut {}", round + 1))?);
        // On a copy: what SQLite makes good when it opens a database is the server's own task.
        let copy = tempfile::tempdir()?;
        for file in files(&data)? {
            fs::copy(&file, copy.path().join(file.file_name().context("a file without a name")?))?;
        }
        sqlite::check(&copy.path().join("signalbox.db")).await.with_context(|| format!("after cut {}", round + 1))?;
        server =
            Program::start_beside_in(binary, folder.path(), mosquitto.address, &env).await.with_context(|| format!("after cut {}", round + 1))?;
    }
    sent.end().await?;
    let found = history::compare(server.http, plan, Duration::from_secs(60)).await?;
    server.stop().await?;
    sqlite::check(&data.join("signalbox.db")).await?;
    let held = held(found, plan, 0)?;
    // Half of the time something is written and not synced.
    ensure!(changed > 0 || times < 10, "no cut came while something was not synced, so nothing is shown");
    Ok(format!("{held}; {times} of {times} cuts with integrity ok, {changed} of them lost something that was not synced"))
}

/// A machine whose disk remembers what was synced.
struct Machine {
    folder: tempfile::TempDir,
}

impl Machine {
    async fn build() -> Result<Self> {
        let folder = tempfile::tempdir()?;
        fs::create_dir(folder.path().join("kept"))?;
        fs::write(folder.path().join("power.c"), include_str!("power.c"))?;
        let compiling =
            Command::new("cc").args(["-shared", "-fPIC", "-O2", "-Wall", "-o", "power.so", "power.c"]).current_dir(folder.path()).output().await;
        let compiled = compiling.map_err(|error| NotHere(format!("cannot run the C compiler cc ({error}): please install one")))?;
        if !compiled.status.success() {
            let why = String::from_utf8_lossy(&compiled.stderr);
            return Err(NotHere(format!("cc does not take the part that watches what is synced, which is for Linux: {}", why.trim())).into());
        }
        Ok(Self { folder })
    }

    fn kept(&self) -> PathBuf {
        self.folder.path().join("kept")
    }

    /// For a program whose files in `data` are watched.
    fn env(&self, data: &Path) -> [(&'static str, OsString); 4] {
        let mut root = data.as_os_str().to_owned();
        root.push("/");
        [
            ("LD_PRELOAD", self.folder.path().join("power.so").into()),
            ("POWER_ROOT", root),
            ("POWER_KEPT", self.kept().into()),
            ("POWER_SLOW_US", SYNC_US.into()),
        ]
    }

    /// Leaves of each file what was synced, and with `torn` some of what was written since. Whether that changed anything but the index of the
    /// log, which is memory and is never synced.
    fn lose(&self, data: &Path, mut torn: Option<&mut Rng>) -> Result<bool> {
        let mut changed = false;
        for file in files(data)? {
            let kept = self.kept().join(identity(&file)?);
            let written = fs::read(&file)?;
            let left = match (fs::read(&kept).ok(), &mut torn) {
                (None, _) if file.extension().is_some_and(|extension| extension == "db") => {
                    anyhow::bail!("{} was never synced, or nobody saw it: is the program linked statically?", file.display())
                }
                (None, None) => None,
                (None, Some(_)) => Some(vec![]),
                (Some(synced), None) => Some(synced),
                (Some(synced), Some(random)) => Some(tear(&synced, &written, random)),
            };
            changed |= left.as_ref() != Some(&written) && !file.to_string_lossy().ends_with("-shm");
            match left {
                // In place: the next sync must find the same file.
                Some(left) => {
                    fs::write(&file, &left)?;
                    // What lies on the disk now is what was synced.
                    fs::write(&kept, left)?;
                }
                None => fs::remove_file(&file)?,
            }
        }
        Ok(changed)
    }
}

/// Some sectors as they were synced, some as they were written since, and one of both lengths.
fn tear(synced: &[u8], written: &[u8], random: &mut Rng) -> Vec<u8> {
    let length = if random.bool() { synced.len() } else { written.len() };
    let mut left = Vec::with_capacity(length);
    while left.len() < length {
        let at = left.len();
        let n = SECTOR.min(length - at);
        let source = if random.bool() { synced } else { written };
        let sector = source.get(at..(at + n).min(source.len())).unwrap_or_default();
        left.extend_from_slice(sector);
        // Longer than it was: the file system has given it room and nothing was written there.
        left.resize(at + n, 0);
    }
    left
}

/// As the part in C names what it keeps.
fn identity(file: &Path) -> Result<String> {
    let known = fs::metadata(file)?;
    let born = known.created().ok().and_then(|born| born.duration_since(UNIX_EPOCH).ok()).map_or(0, |since| since.as_nanos());
    Ok(format!("{}-{born}", known.ino()))
}

/// The files of a folder. With an outside broker there is no folder in it.
fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = vec![];
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        ensure!(entry.file_type()?.is_file(), "{} is no file", entry.path().display());
        files.push(entry.path());
    }
    Ok(files)
}
