use anyhow::{Context, Result};
use grass::{Options, OutputStyle};

use crate::layout::root;

/// The style sheet, compressed, from its one entry.
///
/// # Errors
/// When the entry is missing or no valid Sass; the message names file and line.
pub(crate) fn compile() -> Result<String> {
    let entry = root().join("style/main.scss");
    let options = Options::default().style(OutputStyle::Compressed);
    grass::from_path(&entry, &options).with_context(|| format!("cannot compile {}", entry.display()))
}
