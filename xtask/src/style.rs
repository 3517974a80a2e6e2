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

#[cfg(test)]
mod tests {
    use super::*;

    /// The server looks for the cut by its words, and what it takes for the overview must draw tiles.
    #[test]
    fn the_style_sheet_is_cut_after_what_the_overview_shows() {
        let css = compile().unwrap();
        let (first, later) = css.split_once("@layer later;").unwrap();
        assert!(!later.contains("@layer later;"));
        for (rule, part) in
            [(".tile{", first), (".alert-strip{", first), (".banner{", first), (".chart{", later), (".table th", later), (".field{", later)]
        {
            assert!(part.contains(rule), "{rule} stands in the wrong part");
        }
    }
}
