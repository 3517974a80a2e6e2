use std::path::{Path, PathBuf};

/// The name that every file of the site's code begins with.
pub(crate) const NAME: &str = "signalbox";

/// The workspace's folder: xtask lives one below it.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask is a folder of the workspace")
}

/// What cargo makes of the browser's code. A folder of its own: `hydrate` and `ssr` must never meet in one build.
pub(crate) fn wasm_target() -> PathBuf {
    root().join("target/wasm")
}

/// What wasm-bindgen makes of it, kept so that a change of the style sheet does not build code.
pub(crate) fn parts() -> PathBuf {
    root().join("target/site-parts")
}

/// The finished site: what the server embeds. Nothing else may lie here.
pub(crate) fn site() -> PathBuf {
    root().join("target/site-embed")
}
