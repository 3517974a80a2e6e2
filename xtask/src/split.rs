use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow};
use wasm_split_cli_support::{Options, transform};

use crate::fingerprint::files_below;
use crate::layout::{NAME, parts};

/// Takes the code of single pages out of the compiled module, into modules that the browser fetches when it shows such a page:
///
/// ```text
/// signalbox.split.js            fetches them; imported by the glue
/// signalbox.split_<page>.wasm   what only that page needs
/// signalbox.chunk_<n>.wasm      what several of them need
/// ```
///
/// Answers the path of what is left: the main module, to be bound.
///
/// # Errors
/// When the module cannot be read or taken apart.
pub(crate) fn apart(module: &Path) -> Result<PathBuf> {
    let input = fs::read(module).with_context(|| format!("cannot read {}", module.display()))?;
    let main = module.with_file_name("frontend_main.wasm");
    let (folder, loader, glue) = (parts(), format!("./{NAME}.split.js"), format!("./{NAME}.js"));
    let mut options = Options::new(&input);
    options.output_dir = &folder;
    options.main_out_path = &main;
    options.link_name = &loader;
    options.main_module = &glue;
    // Its error is of another family, which keeps the causes to itself unless asked.
    let made = transform(options).map_err(|error| anyhow!("the module cannot be taken apart: {error:#}"))?;
    name(&folder.join(&loader), &made.split_modules)?;
    Ok(main)
}

/// Puts our name in front of the modules', in the loader too, so that they are named after the site's content like all its code.
fn name(loader: &Path, modules: &[PathBuf]) -> Result<()> {
    let mut script = fs::read_to_string(loader).with_context(|| format!("cannot read {}", loader.display()))?;
    for module in modules {
        let file = module.file_name().and_then(|name| name.to_str()).with_context(|| format!("no file name for the web: {}", module.display()))?;
        fs::rename(module, module.with_file_name(format!("{NAME}.{file}"))).with_context(|| format!("cannot rename {}", module.display()))?;
        script = script.replace(&format!("\"./{file}\""), &format!("\"./{NAME}.{file}\""));
    }
    fs::write(loader, script).with_context(|| format!("cannot write {}", loader.display()))
}

/// Whether the file named `name` holds code of single pages, which a first visit does not fetch.
pub(crate) fn is_of_single_pages(name: &str) -> bool {
    name.ends_with(".wasm") && (name.contains(".split_") || name.contains(".chunk_"))
}

/// All modules of the site: the main one and those of single pages.
///
/// # Errors
/// When the folder cannot be read.
pub(crate) fn modules() -> Result<Vec<PathBuf>> {
    Ok(files_below(&parts())?.into_iter().filter(|file| file.extension().is_some_and(|end| end == "wasm")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fingerprint::test_folder;

    #[test]
    fn modules_of_pages_are_named_after_the_site() {
        let folder = test_folder("split");
        let module = folder.join("split_history.wasm");
        fs::write(&module, "").unwrap();
        let loader = folder.join("loader.js");
        fs::write(&loader, r#"fetch(new URL("./split_history.wasm", import.meta.url))"#).unwrap();
        name(&loader, &[module]).unwrap();
        assert!(folder.join("signalbox.split_history.wasm").is_file());
        assert_eq!(fs::read_to_string(&loader).unwrap(), r#"fetch(new URL("./signalbox.split_history.wasm", import.meta.url))"#);
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_first_visit_fetches_the_main_module_and_the_loader() {
        for (name, single) in [
            ("signalbox.0a_bg.wasm", false),
            ("signalbox.0a.split.js", false),
            ("signalbox.0a.split_history.wasm", true),
            ("signalbox.0a.chunk_3.wasm", true),
        ] {
            assert_eq!(is_of_single_pages(name), single, "{name}");
        }
    }
}
