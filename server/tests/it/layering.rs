//! The invariants of ARCHITECTURE.md that a machine can read off the sources: who may name what.

use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// All Rust files below a folder of the workspace.
fn sources(folder: &str) -> Vec<(String, String)> {
    let mut found = vec![];
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap().map(Result::unwrap) {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|end| end == "rs") {
                let name = path.strip_prefix(root()).unwrap().to_string_lossy().into_owned();
                found.push((name, std::fs::read_to_string(&path).unwrap()));
            }
        }
    }
    assert!(!found.is_empty(), "{folder} has sources");
    found
}

/// The code of a file: comments may name what they explain.
fn code(text: &str) -> impl Iterator<Item = &str> {
    text.lines().map(|line| line.split("//").next().unwrap_or_default())
}

fn only_in(folder: &str, word: &str, allowed: &[&str]) {
    for (name, text) in sources(folder) {
        let uses = code(&text).any(|line| line.contains(word));
        assert!(!uses || allowed.iter().any(|prefix| name.starts_with(prefix)), "{name} uses {word}");
    }
}

#[test]
fn the_domain_does_no_io_and_reads_no_clock() {
    for word in [
        "std::fs",
        "std::net",
        "std::env",
        "SystemTime",
        "Instant::now",
        "Timestamp::now",
        "tokio",
        "static mut",
        "OnceLock",
        "LazyLock",
        "thread_local",
    ] {
        only_in("domain/src", word, &[]);
    }
    // Templates are rendered into memory, which to their library is a writer like any other.
    only_in("domain/src", "std::io", &["domain/src/convention/template.rs"]);
}

#[test]
fn each_outside_library_keeps_to_its_folder() {
    only_in("server/src", "sqlx::", &["server/src/store/"]);
    only_in("server/src", "rumqttc::", &["server/src/mqtt/", "server/src/simulator/client.rs"]);
    only_in("server/src", "rustls::", &["server/src/mqtt/link/"]);
    only_in("server/src", "mqtt5::", &["server/src/mqtt/embedded/", "server/src/telemetry.rs"]);
    only_in("server/src", "axum::", &["server/src/http/", "server/src/application.rs"]);
    only_in("server/src", "SystemTime", &["server/src/clock.rs"]);
}

#[test]
fn only_ingest_changes_the_fleet() {
    only_in("server/src", "fleet.apply(", &["server/src/ingest.rs", "server/src/ingest/", "server/src/demo.rs", "server/src/hub.rs"]);
    only_in("server/src", ".restore(", &["server/src/application.rs"]);
}

#[test]
fn at_most_one_file_of_the_pages_knows_which_half_it_is_compiled_for() {
    let files: Vec<String> = sources("app/src")
        .into_iter()
        .filter(|(_, text)| code(text).any(|line| line.contains("cfg") && line.contains("\"ssr\"")))
        .map(|(name, _)| name)
        .collect();
    assert!(files.len() <= 1, "{files:?}");
}

#[test]
fn nothing_below_the_server_knows_it() {
    for manifest in ["domain/Cargo.toml", "app/Cargo.toml", "frontend/Cargo.toml"] {
        let text = std::fs::read_to_string(root().join(manifest)).unwrap();
        assert!(!text.contains("\nserver"), "{manifest}");
    }
    assert!(!std::fs::read_to_string(root().join("domain/Cargo.toml")).unwrap().contains("\napp"));
}

#[test]
fn pages_write_no_markup_from_strings() {
    only_in("app/src", "inner_html", &[]);
}
