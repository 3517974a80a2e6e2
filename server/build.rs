//! Lets the server embed the site, and embed it again when it changed.

use std::path::Path;

fn main() -> std::io::Result<()> {
    let site = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/site-embed");
    // An empty folder embeds as an empty table: the server compiles before the site was ever built.
    std::fs::create_dir_all(&site)?;
    println!("cargo:rerun-if-changed={}", site.display());
    Ok(())
}
