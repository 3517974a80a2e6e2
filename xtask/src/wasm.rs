use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use wasm_bindgen_cli_support::Bindgen;

use crate::glue;
use crate::layout::{NAME, parts, root, wasm_target};
use crate::split;
use crate::step::step;

const TARGET: &str = "wasm32-unknown-unknown";
const PROFILE: &str = "wasm-release";

/// What rustc lets LLVM use of WebAssembly, named one by one: `--all-features` would let wasm-opt emit what no browser has.
const FEATURES: [&str; 8] = [
    "--enable-bulk-memory",
    "--enable-bulk-memory-opt",
    "--enable-call-indirect-overlong",
    "--enable-multivalue",
    "--enable-mutable-globals",
    "--enable-nontrapping-float-to-int",
    "--enable-reference-types",
    "--enable-sign-ext",
];

/// Smaller before faster. Nobody catches a trap: what leads to one need not be kept apart from what does not. Below the first kilobyte is the far end of
/// the stack, where nothing has its address. Twice, for the first round leaves what the second can use; a third finds nothing.
const SMALLER: [&str; 4] = ["-Oz", "-Oz", "--traps-never-happen", "--low-memory-unused"];

/// Makes `signalbox.js` and `signalbox_bg.wasm` in [`parts`], with the modules that they import and those that they fetch when they need them.
///
/// # Errors
/// When a tool is missing or fails; its own output stands above.
pub(crate) fn build(optimizer: Option<&Path>) -> Result<()> {
    let module = step("code for the browser (cargo, wasm32)", compile)?;
    empty(&parts())?;
    let main = step("pages apart (wasm-split)", || split::apart(&module))?;
    step("glue (wasm-bindgen)", || bind(&main))?;
    match optimizer {
        Some(optimizer) => step("smaller code (wasm-opt -Oz)", || split::modules()?.iter().try_for_each(|module| optimize(optimizer, module))),
        None => {
            eprintln!("site: wasm-opt is not installed: the code stays a tenth larger (`npm ci --prefix end2end` brings it)");
            Ok(())
        }
    }
}

/// `wasm-opt`: the one that the end-to-end tests pin, else the one on the PATH.
pub(crate) fn find_optimizer() -> Option<PathBuf> {
    let pinned = ["end2end/node_modules/.bin", "node_modules/.bin"].map(|folder| root().join(folder));
    let on_path = std::env::var_os("PATH").unwrap_or_default();
    pinned.into_iter().chain(std::env::split_paths(&on_path)).map(|folder| folder.join("wasm-opt")).find(|tool| tool.is_file())
}

fn compile() -> Result<PathBuf> {
    install_target()?;
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status = Command::new(cargo)
        .current_dir(root())
        .args(["build", "--quiet", "--package", "frontend", "--features", "split", "--target", TARGET, "--profile", PROFILE, "--target-dir"])
        .arg(wasm_target())
        // In place of flags meant for this machine (a linker, a processor), which break a build for the browser.
        .env("CARGO_ENCODED_RUSTFLAGS", flags())
        .status()
        .context("cannot run cargo")?;
    ensure!(status.success(), "the browser's code does not compile (`rustup target add {TARGET}` helps when it says that `core` is missing)");
    Ok(wasm_target().join(TARGET).join(PROFILE).join("frontend.wasm"))
}

/// Installs the browser's standard library where it is missing: rustup brings it with the toolchain, but not to one that was there before. Without
/// rustup the compiler itself says what is missing.
fn install_target() -> Result<()> {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let asked =
        Command::new(rustc).current_dir(root()).args(["--print", "target-libdir", "--target", TARGET]).output().context("cannot run rustc")?;
    if !Path::new(String::from_utf8_lossy(&asked.stdout).trim()).is_dir() {
        let added = Command::new("rustup").current_dir(root()).args(["target", "add", TARGET]).status();
        if let Err(error) = added {
            eprintln!("site: rustup cannot be run to add {TARGET}: {error}");
        }
    }
    Ok(())
}

/// Panic messages name source files: without the first they would carry the folders of whoever built the site to every browser, and the longest part of
/// each name says nothing.
/// Relocations tell which code and data a page needs.
fn flags() -> String {
    let home = std::env::var("CARGO_HOME").ok().or_else(|| Some(format!("{}/.cargo", std::env::var("HOME").ok()?)));
    // The last one that fits is taken.
    let sources = home.iter().flat_map(|home| std::fs::read_dir(Path::new(home).join("registry/src")).into_iter().flatten().flatten());
    let sources: Vec<_> = sources.map(|folder| (folder.path().display().to_string(), "c")).collect();
    let folders = [Some((root().display().to_string(), ".")), home.map(|home| (home, "cargo"))];
    let flags = folders.into_iter().flatten().chain(sources).map(|(from, to)| format!("--remap-path-prefix={from}={to}"));
    flags.chain(["-Clink-arg=--emit-relocs".to_owned()]).collect::<Vec<_>>().join("\u{1f}")
}

fn bind(module: &Path) -> Result<()> {
    Bindgen::new()
        .input_path(module)
        .out_name(NAME)
        .web(true)?
        .typescript(false)
        // The modules of single pages find what they share with the main one by these names.
        .keep_lld_exports(true)
        .demangle(false)
        // The page names the module, by its hash.
        .omit_default_module_path(true)
        .remove_name_section(true)
        .remove_producers_section(true)
        .generate(parts())
        .context("wasm-bindgen failed")?;
    glue::shorten(&parts().join(format!("{NAME}.js")))
}

fn empty(folder: &Path) -> Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder).with_context(|| format!("cannot empty {}", folder.display()))?;
    }
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))
}

fn optimize(optimizer: &Path, module: &Path) -> Result<()> {
    let output = Command::new(optimizer).args(FEATURES).args(SMALLER).arg(module).arg("-o").arg(module).output().context("cannot run wasm-opt")?;
    if !output.status.success() {
        bail!("{} failed (older than version 120?): {}", optimizer.display(), String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(())
}
