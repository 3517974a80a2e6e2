//! Builds the site, and keeps its size: `cargo run -q -p xtask -- site`.

use std::process::ExitCode;

/// Keeps what a first visit transfers under its limits.
mod budget;
/// Copies of a file that a browser takes in fewer bytes.
mod compress;
/// Skips what would give the same again.
mod fingerprint;
/// The script beside the code.
mod glue;
/// Where everything is.
mod layout;
/// The order of the steps.
mod site;
/// A line for each step with its seconds.
mod split;
mod step;
/// The style sheet.
mod style;
/// The browser's code.
mod wasm;

const USAGE: &str = "usage: cargo run -q -p xtask -- COMMAND

  site     builds the site into target/site-embed, where the server's build takes it from
  budget   builds the site, prints its sizes and fails when a first visit would transfer too much";

fn main() -> ExitCode {
    let command = std::env::args().nth(1).unwrap_or_default();
    let outcome = match command.as_str() {
        "site" => site::build(),
        "budget" => site::build().and_then(|()| budget::check()),
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
