//! The files it starts from: `tests/corpus/{topic,payload,batch}/*`, a message part each.

use std::path::Path;

use super::mutator::Random;

/// Topics and payloads to start from.
pub struct Corpus {
    topics: Vec<Vec<u8>>,
    payloads: Vec<Vec<u8>>,
}

impl Corpus {
    /// The corpus of this repository.
    pub fn load() -> Self {
        let read = |folder: &str| -> Vec<Vec<u8>> {
            let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus").join(folder);
            let mut paths: Vec<_> = std::fs::read_dir(&folder).expect("the corpus is there").map(|file| file.expect("a file").path()).collect();
            // The order of a folder is nobody's promise, and a seed must mean the same everywhere.
            paths.sort();
            paths.iter().map(|path| std::fs::read(path).expect("a file can be read")).collect()
        };
        Self { topics: read("topic"), payloads: [read("payload"), read("batch")].concat() }
    }

    pub fn topics(&self) -> &[Vec<u8>] {
        &self.topics
    }

    pub fn payloads(&self) -> &[Vec<u8>] {
        &self.payloads
    }

    /// A topic: mostly as it is, so that the same ones come again.
    pub fn topic(&self, random: &mut Random) -> Vec<u8> {
        let mut topic = random.pick(&self.topics).clone();
        if random.one_in(4) {
            random.mutate(&mut topic, &self.topics);
        }
        topic
    }

    /// A payload, changed most of the time.
    pub fn payload(&self, random: &mut Random) -> Vec<u8> {
        let mut payload = random.pick(&self.payloads).clone();
        // The large ones cost a hundred times the others and say no more.
        if payload.len() > 1_000 && !random.one_in(50) {
            payload.truncate(random.below(1_000));
        }
        if !random.one_in(8) {
            random.mutate(&mut payload, &self.payloads);
        }
        payload
    }
}
