//! Some thousands of hostile messages, the same ones in every run. More: `cargo run --release -p domain --features decode --example fuzz -- 10000000`.

mod fuzzing;

use fuzzing::{Corpus, SESSION, replay, session};

#[test]
fn no_file_of_the_corpus_does_harm() {
    replay(&Corpus::load());
}

#[test]
fn no_message_near_the_corpus_does_harm() {
    let corpus = Corpus::load();
    for number in 0..20_000 / SESSION {
        if let Err(finding) = session(&corpus, 1, number) {
            let (topic, payload) = finding.messages.last().expect("a message");
            panic!("session {} of seed 1: {}\n{topic:?} {:?}", finding.session, finding.what, payload.escape_ascii().to_string());
        }
    }
}
