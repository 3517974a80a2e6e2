use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};

use crate::fingerprint::{Fingerprint, files_below, forget, hex, is_current, remember};
use crate::layout::{NAME, parts, root, site};
use crate::step::step;
use crate::{compress, style, wasm};

/// What the browser's code is made of. The lock file stands for all that is not ours.
const CODE: [&str; 8] = ["app", "domain", "frontend", "xtask/Cargo.toml", "xtask/src", "Cargo.toml", "Cargo.lock", "rust-toolchain.toml"];

/// Builds the site into [`site`], unless it stands there already:
///
/// ```text
/// pkg/signalbox.<hash>.js         the glue
/// pkg/signalbox.<hash>_bg.wasm    the browser's code
/// pkg/signalbox.<hash>.split.js   fetches the code of single pages
/// pkg/signalbox.<hash>.*.wasm     the code of single pages
/// pkg/signalbox.<hash>.css        the style sheet
/// pkg/snippets/…                  modules that the glue imports, when there are any
/// …                               the files of public/
/// ```
///
/// each with a `.br` and a `.gz` beside it where that is smaller. The hash is over all of `pkg`, so that the names follow from one word: the
/// server gives Leptos `signalbox.<hash>` as the name of its output.
///
/// # Errors
/// When a step fails.
pub(crate) fn build() -> Result<()> {
    let optimizer = wasm::find_optimizer();
    let tool = optimizer.as_deref().map_or("no wasm-opt".into(), Path::to_string_lossy);
    let code = Fingerprint::of(root(), &CODE)?.and(&tool).finish();
    let whole = Fingerprint::of(root(), &["style", "public"])?.and(&code).finish();
    if is_current(&site(), &whole) {
        eprintln!("site: nothing changed");
        return Ok(());
    }
    if !is_current(&parts(), &code) {
        forget(&parts())?;
        wasm::build(optimizer.as_deref())?;
        remember(&parts(), &code)?;
    }
    forget(&site())?;
    let css = step("style sheet", style::compile)?;
    step("names", || assemble(&css))?;
    step("brotli and gzip", || files_below(&site())?.iter().try_for_each(|file| compress::beside(file)))?;
    remember(&site(), &whole)
}

/// Puts all files under their final names into an empty [`site`].
fn assemble(css: &str) -> Result<()> {
    let to = site();
    if to.exists() {
        fs::remove_dir_all(&to).with_context(|| format!("cannot empty {}", to.display()))?;
    }
    copy_below(&root().join("public"), &to, str::to_owned)?;
    let stem = format!("{NAME}.{}", content_hash(css)?);
    let pkg = to.join("pkg");
    copy_below(&parts(), &pkg, |name| name.strip_prefix(NAME).map_or_else(|| name.to_owned(), |rest| format!("{stem}{rest}")))?;
    rename_in_scripts(&pkg, &stem)?;
    fs::write(pkg.join(format!("{stem}.css")), css).context("cannot write the style sheet")
}

/// Scripts import each other, and fetch modules, as `./signalbox.…`: gives these the final stem. (The main module names what it imports in the
/// same way; that is a key of the script's, and stays.)
fn rename_in_scripts(pkg: &Path, stem: &str) -> Result<()> {
    for file in files_below(pkg)?.iter().filter(|file| file.extension().is_some_and(|end| end == "js")) {
        let script = fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
        let script =
            ["from \"./", "URL(\"./"].iter().fold(script, |script, before| script.replace(&format!("{before}{NAME}."), &format!("{before}{stem}.")));
        fs::write(file, script).with_context(|| format!("cannot write {}", file.display()))?;
    }
    Ok(())
}

/// Copies all files below `from` to the same places below `to`; `rename` is given their paths as `a/b.js`.
fn copy_below(from: &Path, to: &Path, rename: impl Fn(&str) -> String) -> Result<()> {
    for file in files_below(from)? {
        let name = file.strip_prefix(from).ok().and_then(Path::to_str).with_context(|| format!("no file name for the web: {}", file.display()))?;
        let copy = to.join(rename(name));
        fs::create_dir_all(copy.parent().expect("it lies in `to`"))?;
        fs::copy(&file, &copy).with_context(|| format!("cannot copy {}", file.display()))?;
    }
    Ok(())
}

/// Sixteen hexadecimal digits that change when any file of `pkg` does.
fn content_hash(css: &str) -> Result<String> {
    let mut digest = Sha256::new();
    digest.update(css);
    // What is done to the scripts after this: files of one name must have one content for as long as browsers keep them.
    digest.update(include_str!("site.rs"));
    digest.update(Fingerprint::of(&parts(), &["."])?.finish());
    Ok(hex(&digest.finalize()[..8]))
}
