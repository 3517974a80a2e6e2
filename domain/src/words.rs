//! What an entity said that speaks in words: a mode, where a gate stands.

use serde::{Deserialize, Serialize};

use crate::entity::EntityId;
use crate::history::Resolution;
use crate::time::Timestamp;

/// Most characters of a word; longer ones end in `…`.
pub const MOST_CHARS: usize = 60;

/// The words of one entity in a range, in columns. A word holds until the next row; nothing is known before the first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Words {
    /// Whose.
    pub entity: EntityId,
    /// Raw where each change is a row; else rows stand for the changes of about this time.
    pub resolution: Resolution,
    /// Since when each row holds, ascending; the first may be the beginning of the range.
    pub t: Vec<Timestamp>,
    /// Which of `words` each row says.
    pub word: Vec<usize>,
    /// Changes that each row stands for: 1; 0 for the word in force when the range began. Of several, the word is the one that held longest up to the
    /// next row.
    pub n: Vec<u32>,
    /// Each word once, the one that held longest in front.
    pub words: Vec<HeldWord>,
    /// For how long all others held, in milliseconds. No row says them.
    pub other_ms: i64,
    /// Changes in the range.
    pub n_changes: u32,
}

/// For how long a word held.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeldWord {
    /// The word.
    pub word: String,
    /// In milliseconds, within the range.
    pub ms: i64,
}

impl Words {
    /// Nothing was said.
    #[must_use]
    pub const fn none(entity: EntityId) -> Self {
        Self { entity, resolution: Resolution::Raw, t: vec![], word: vec![], n: vec![], words: vec![], other_ms: 0, n_changes: 0 }
    }

    /// Takes a newer word in; `false` when it is not newer, or says again what is so.
    pub fn push(&mut self, at: Timestamp, word: &str) -> bool {
        let word = shown(word);
        let before = self.word.last().zip(self.n.last()).filter(|(_, n)| **n <= 1).and_then(|(&idx, _)| self.words.get(idx));
        if self.t.last().is_some_and(|&last| last >= at) || before.is_some_and(|held| held.word == word) {
            return false;
        }
        let idx = self.words.iter().position(|held| held.word == word).unwrap_or_else(|| {
            // For how long it holds, nobody knows yet.
            self.words.push(HeldWord { word, ms: 0 });
            self.words.len() - 1
        });
        self.t.push(at);
        self.word.push(idx);
        self.n.push(1);
        self.n_changes = self.n_changes.saturating_add(1);
        true
    }
}

/// A word as it is shown: cut after [`MOST_CHARS`]; a dash where there is nothing to see.
#[must_use]
pub fn shown(word: &str) -> String {
    if word.is_empty() {
        return "–".to_owned();
    }
    match word.char_indices().nth(MOST_CHARS) {
        Some(_) => word.chars().take(MOST_CHARS - 1).chain(['…']).collect(),
        None => word.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_that_is_said_again_changes_nothing() {
        let mut words = Words::none(EntityId::parse("pump.mode").expect("id"));
        let at = Timestamp::from_ms;
        let pushed =
            [(10, "Idle"), (20, "Idle"), (30, "Running"), (30, "Fault"), (25, "Fault"), (40, "Idle")].map(|(ms, word)| words.push(at(ms), word));
        assert_eq!(pushed, [true, false, true, false, false, true]);
        assert_eq!((words.t, words.word, words.n_changes), (vec![at(10), at(30), at(40)], vec![0, 1, 0], 3));
        assert_eq!(words.words.iter().map(|held| held.word.as_str()).collect::<Vec<_>>(), ["Idle", "Running"]);
    }

    #[test]
    fn a_long_word_is_cut_between_letters() {
        let long = "é".repeat(MOST_CHARS);
        assert_eq!(shown(&long), long);
        assert_eq!(shown(&(long.clone() + "é")), "é".repeat(MOST_CHARS - 1) + "…");
        assert_eq!((shown(""), shown("On the road")), ("–".to_owned(), "On the road".to_owned()));
    }
}
