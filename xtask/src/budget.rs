use std::fs;
use std::io::Write as _;
use std::path::Path;

use anyhow::{Context, Result, ensure};

use crate::compress::with_suffix;
use crate::fingerprint::files_below;
use crate::layout::site;
use crate::split;

/// Bytes that a first visit may transfer in all: page, style sheet and the code of the overview.
const VISIT: u64 = 300_000;
/// Bytes of it until the values stand on the page: HTML and style sheet.
const FIRST_PAINT: u64 = 30_000;
/// Bytes that the page itself may take of both, compressed. The browser test measures the real one.
const HTML: u64 = 16_500;

/// Prints what the site weighs and checks it against the limits.
///
/// # Errors
/// When a limit is exceeded or a file is missing.
pub(crate) fn check() -> Result<()> {
    let pkg = site().join("pkg");
    let mut table = format!("{:<40} {:>9} {:>9} {:>9}\n", "file", "bytes", "gzip", "brotli");
    let (mut code, mut css) = (0, 0);
    for file in files_below(&pkg)?.iter().filter(|file| !matches!(extension(file), "br" | "gz")) {
        let brotli = size(&with_suffix(file, "br")).or_else(|_| size(file))?;
        let gzip = size(&with_suffix(file, "gz")).or_else(|_| size(file))?;
        let name = file.strip_prefix(&pkg).unwrap_or(file).display().to_string();
        table += &format!("{name:<40} {:>9} {gzip:>9} {brotli:>9}\n", size(file)?);
        match extension(file) {
            "css" => css += brotli,
            _ if split::is_of_single_pages(&name) => {}
            _ => code += brotli,
        }
    }
    ensure!(code > 0 && css > 0, "{} holds no site", pkg.display());
    table += &format!("{:<40} {:>29}\n", "HTML and style sheet, of 30000", HTML + css);
    table += &format!("{:<40} {:>29}\n", format!("first visit, of {VISIT}"), HTML + css + code);
    std::io::stdout().write_all(table.as_bytes()).context("cannot print")?;
    verdict(code, css)
}

fn verdict(code: u64, css: u64) -> Result<()> {
    ensure!(HTML + css <= FIRST_PAINT, "HTML and style sheet take {} bytes, {FIRST_PAINT} are allowed", HTML + css);
    ensure!(HTML + css + code <= VISIT, "a first visit transfers {} bytes, {VISIT} are allowed", HTML + css + code);
    Ok(())
}

fn size(file: &Path) -> Result<u64> {
    Ok(fs::metadata(file).with_context(|| format!("cannot read {}", file.display()))?.len())
}

fn extension(file: &Path) -> &str {
    file.extension().and_then(|e| e.to_str()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_limit_is_kept() {
        assert!(verdict(VISIT - HTML - 10_000, 10_000).is_ok());
        assert!(verdict(VISIT - HTML - 9_999, 10_000).is_err());
        assert!(verdict(0, FIRST_PAINT - HTML).is_ok());
        assert!(verdict(0, FIRST_PAINT - HTML + 1).is_err());
    }
}
