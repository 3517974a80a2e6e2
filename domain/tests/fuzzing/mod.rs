//! A fuzzer for what devices send: messages from a corpus, changed at random, fed to everything that reads them.
//!
//! What comes is told by a seed and a number alone, so that every finding can be had again. Wrong outcomes are panics, as crashes are.

/// The files it starts from.
mod corpus;
/// Changes them.
mod mutator;
/// What reads them, and what must be true of it.
mod target;

use std::panic::{AssertUnwindSafe, catch_unwind};

pub use corpus::Corpus;
use mutator::Random;
use target::Plant;

/// Messages that one fleet gets, one after the other.
pub const SESSION: u64 = 64;

/// A session that went wrong.
#[derive(Debug)]
pub struct Finding {
    /// Its number.
    pub session: u64,
    /// The messages of it, the last of which is what went wrong: topic and payload.
    pub messages: Vec<(String, Vec<u8>)>,
    /// What the panic said.
    pub what: String,
}

/// Runs one session: [`SESSION`] messages into a new fleet, each of them a case.
///
/// # Errors
/// The first message that panicked.
pub fn session(corpus: &Corpus, seed: u64, number: u64) -> Result<(), Box<Finding>> {
    let mut random = Random::new(seed, number);
    let (mut plant, mut messages) = (Plant::new(), vec![]);
    for n in 1..=SESSION {
        let topic = String::from_utf8_lossy(&corpus.topic(&mut random)).into_owned();
        let payload = corpus.payload(&mut random);
        let (retained, pause) = (random.one_in(5), random.pause_ms());
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            target::read_payload(&payload);
            target::read_topic(&topic, &payload);
            plant.hear(&topic, &payload, retained, pause);
            if n == SESSION {
                plant.check_all();
            }
        }));
        messages.push((topic, payload));
        if let Err(panic) = outcome {
            let text = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
            return Err(Box::new(Finding { session: number, messages, what: text.unwrap_or("a panic").to_owned() }));
        }
    }
    Ok(())
}

/// Reads every file of the corpus as it is: each topic with each payload, the large ones with some of the topics.
pub fn replay(corpus: &Corpus) {
    for (n, topic) in corpus.topics().iter().enumerate() {
        let mut plant = Plant::new();
        let topic = String::from_utf8_lossy(topic);
        for payload in corpus.payloads().iter().filter(|payload| n % 8 == 0 || payload.len() < 2_000) {
            target::read_payload(payload);
            target::read_topic(&topic, payload);
            plant.hear(&topic, payload, false, 1_000);
        }
        plant.check_all();
    }
}
