//! Feeds hostile messages to everything that reads them: `cargo run --release -p domain --features decode --example fuzz -- CASES [SEED]`.
//! Prints what it found, and how fast it was; exit 1 with a finding.
#![allow(clippy::print_stdout, reason = "what it prints is what it is for")]

#[path = "../tests/fuzzing/mod.rs"]
mod fuzzing;

use std::process::ExitCode;
use std::time::Instant;

use fuzzing::{Corpus, SESSION, replay, session};

fn main() -> ExitCode {
    let mut numbers = std::env::args().skip(1).map(|text| text.parse::<u64>());
    let (Some(Ok(n_cases)), Ok(seed)) = (numbers.next(), numbers.next().unwrap_or(Ok(1))) else {
        println!("usage: fuzz CASES [SEED]");
        return ExitCode::from(2);
    };
    let corpus = Corpus::load();
    replay(&corpus);
    // Each finding is printed below, with its message.
    std::panic::set_hook(Box::new(|_| {}));
    let begin = Instant::now();
    let (mut n_done, mut n_found) = (0, 0);
    for number in 0..n_cases.div_ceil(SESSION) {
        if let Err(finding) = session(&corpus, seed, number) {
            n_found += 1;
            let (topic, payload) = finding.messages.last().expect("a message");
            println!("session {} of seed {seed}, message {}: {}", finding.session, finding.messages.len(), finding.what);
            println!("  topic   {topic:?}\n  payload b\"{}\"", payload.escape_ascii());
        }
        n_done += SESSION;
        if n_found >= 20 {
            println!("stopped: that is enough to mend");
            break;
        }
    }
    let seconds = begin.elapsed().as_secs_f64();
    #[expect(clippy::cast_precision_loss, reason = "a rate for people")]
    let per_s = n_done as f64 / seconds.max(1e-9);
    println!("{n_done} cases in {seconds:.0} s, {per_s:.0} a second, seed {seed}: {n_found} findings");
    if n_found == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
