//! What became of forms that were sent without script: the page that follows says it.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use app::devices::Told;

use crate::backend::new_id;

/// Answers that are kept; the oldest goes.
const MOST: usize = 64;
/// Longest payload that is shown again, in bytes.
const MAX_BYTES: usize = 64 * 1024;

/// Answers by names that nobody guesses.
#[derive(Debug, Default)]
pub struct Answers {
    kept: Mutex<VecDeque<(String, Told)>>,
}

impl Answers {
    /// Keeps an answer; the name to ask for it by.
    pub fn keep(&self, mut told: Told) -> String {
        if told.publish.as_ref().is_some_and(|form| form.payload.len() + form.topic.len() > MAX_BYTES) {
            told.publish = None;
        }
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= MOST {
            kept.pop_front();
        }
        let name = new_id();
        kept.push_back((name.clone(), told));
        name
    }

    /// The answer of a name.
    pub fn get(&self, name: &str) -> Option<Told> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.iter().find(|(known, _)| known == name).map(|(_, told)| told.clone())
    }
}
