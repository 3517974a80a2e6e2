//! What compressing frames (permessage-deflate) would save and cost: it is off, and this says whether that is still right.

use std::path::Path;

use anyhow::{Result, ensure};
use flate2::{Compress, Compression, FlushCompress};

use super::crowd::{Clock, Place, enter};
use super::pace::Pace;
use crate::mosquitto::Mosquitto;
use crate::processor;
use crate::program::Program;
use crate::table::{Sample, Unit};

/// Frames that are looked at.
const FRAMES: usize = 200;
/// How often each is compressed, so that the clock of the processor can tell.
const TIMES: u32 = 50;
/// What an empty block ends with, which is left out on the wire (RFC 7692, section 7.2.1).
const TAIL: usize = 4;

/// Frames of a busy plant: their bytes, those of each compressed for all viewers at once, and the processor time that it takes.
pub(super) async fn measure(binary: &Path) -> Result<Vec<Sample>> {
    eprintln!("  compressing");
    let pace = Pace { per_s: 1_000, entities: 100, seconds: 5 };
    let (folder, broker_folder) = (tempfile::tempdir()?, tempfile::tempdir()?);
    let mosquitto = Mosquitto::start(broker_folder.path(), false).await?;
    let program = Program::start_beside(binary, folder.path(), mosquitto.address).await?;
    pace.introduce(mosquitto.address).await?;
    let mut socket = enter(Place::Program(program.http)).await?;
    let clock = Clock::new();
    let mut frames = vec![];
    let listening = async {
        while frames.len() < FRAMES {
            frames.push(socket.hear(<[u8]>::to_vec).await?);
        }
        anyhow::Ok(())
    };
    tokio::try_join!(pace.send(mosquitto.address, &clock), listening)?;
    drop(socket);
    program.stop().await?;

    let own = std::process::id();
    let before = processor::seconds(own).await?;
    let (mut plain, mut packed) = (0, 0);
    for frame in &frames {
        for _ in 0..TIMES {
            let n = compressed(frame)?;
            (plain, packed) = (plain + frame.len(), packed + n);
        }
    }
    let busy = processor::seconds(own).await? - before;
    let n = f64::from(TIMES) * super::per(frames.len());
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
    let (plain, packed) = (plain as f64 / n, packed as f64 / n);
    Ok(vec![
        Sample::new("deflate: a frame, compressed", Unit::Bytes, packed).over(plain),
        Sample::new("deflate: processor, a frame", Unit::Us, busy * 1e6 / n),
    ])
}

/// Bytes of a frame that is compressed by itself, as the same bytes for every viewer have to be.
fn compressed(text: &[u8]) -> Result<usize> {
    let mut out = Vec::with_capacity(text.len() + 64);
    let mut stream = Compress::new(Compression::fast(), false);
    stream.compress_vec(text, &mut out, FlushCompress::Sync)?;
    ensure!(stream.total_in() == text.len() as u64, "a frame was not compressed whole");
    Ok(out.len().saturating_sub(TAIL))
}
