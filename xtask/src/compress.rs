use std::ffi::OsString;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use brotli::enc::BrotliEncoderParams;
use flate2::Compression;
use flate2::write::GzEncoder;

/// Below this a compressed copy saves less than its headers cost.
const WORTH_IT: usize = 256;

/// Puts `.br` and `.gz` beside a file whose content shrinks by it.
///
/// # Errors
/// When the file cannot be read or a copy not be written.
pub(crate) fn beside(file: &Path) -> Result<()> {
    let extension = file.extension().and_then(|e| e.to_str()).unwrap_or_default();
    // Pictures and fonts are compressed already.
    if !matches!(extension, "js" | "wasm" | "css" | "svg" | "html" | "json" | "webmanifest" | "txt" | "xml" | "ico") {
        return Ok(());
    }
    let content = fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
    if content.len() < WORTH_IT {
        return Ok(());
    }
    for (suffix, copy) in [("br", brotli(&content)?), ("gz", gzip(&content)?)] {
        if copy.len() < content.len() {
            let to = with_suffix(file, suffix);
            fs::write(&to, copy).with_context(|| format!("cannot write {}", to.display()))?;
        }
    }
    Ok(())
}

/// `a.css` and `br` give `a.css.br`.
pub(crate) fn with_suffix(file: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(file);
    name.push(".");
    name.push(suffix);
    name.into()
}

/// Quality 11 with a window of 16 MiB: the most that every browser takes.
/// Sizes of blocks, as powers of two: each block is coded with statistics of its own. Which serves a file best only trying tells: of two builds of
/// the same code the one lost half a per cent with any one of them.
const BLOCKS: [i32; 3] = [21, 19, 18];
/// A file that is smaller is one block with any of them.
const SEVERAL_BLOCKS: usize = 1 << 18;

fn brotli(content: &[u8]) -> Result<Vec<u8>> {
    let mut least: Option<Vec<u8>> = None;
    for lgblock in if content.len() < SEVERAL_BLOCKS { &BLOCKS[..1] } else { &BLOCKS } {
        let params = BrotliEncoderParams { quality: 11, lgwin: 24, lgblock: *lgblock, size_hint: content.len(), ..BrotliEncoderParams::default() };
        let mut out = Vec::new();
        brotli::BrotliCompress(&mut &content[..], &mut out, &params).context("brotli failed")?;
        if least.as_ref().is_none_or(|least| out.len() < least.len()) {
            least = Some(out);
        }
    }
    least.context("nothing was tried")
}

fn gzip(content: &[u8]) -> Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(content).context("gzip failed")?;
    encoder.finish().context("gzip failed")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fingerprint::test_folder;

    #[test]
    fn only_what_shrinks_gets_copies() {
        let folder = test_folder("compress");
        let names = |name: &str, content: &[u8]| {
            let file = folder.join(name);
            fs::write(&file, content).unwrap();
            beside(&file).unwrap();
            ["br", "gz"].map(|suffix| with_suffix(&file, suffix).exists())
        };
        assert_eq!(names("long.css", "a{color:red}".repeat(100).as_bytes()), [true, true]);
        assert_eq!(names("short.css", b"a{color:red}"), [false, false]);
        assert_eq!(names("picture.png", &[0; 4096]), [false, false]);
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn copies_hold_what_the_file_holds() {
        let content = "signalbox ".repeat(1000).into_bytes();
        let mut plain = Vec::new();
        brotli::BrotliDecompress(&mut brotli(&content).unwrap().as_slice(), &mut plain).unwrap();
        assert_eq!(plain, content);
        let mut plain = Vec::new();
        std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(gzip(&content).unwrap().as_slice()), &mut plain).unwrap();
        assert_eq!(plain, content);
    }
}
