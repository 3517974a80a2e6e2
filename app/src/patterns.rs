//! What the page of devices shows of topic patterns, and what its forms say.

use serde::{Deserialize, Serialize};

use crate::devices::Told;

/// What the address says of patterns.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PatternsRequest {
    /// They are shown.
    #[serde(default)]
    pub is_open: bool,
    /// `texts` is the whole list of operators; else they come behind those that stand.
    #[serde(default)]
    pub is_draft: bool,
    /// Patterns in their order; empty ones are none.
    #[serde(default)]
    pub texts: Vec<String>,
    /// `up-1`, `down-1` or `remove-1` (places from 0), `add`, or `try` for what the list would match.
    #[serde(default)]
    pub act: String,
    /// Stands in the topics that are listed.
    #[serde(default)]
    pub find: String,
    /// What became of a form: the name of an answer.
    #[serde(default)]
    pub done: String,
}

/// The patterns.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PatternsPage {
    /// Those of the configuration, which are changed there and come first.
    pub fixed: Vec<PatternRow>,
    /// Those of operators, as the form shows them.
    pub own: Vec<PatternRow>,
    /// Patterns of operators that there may be.
    pub most: usize,
    /// `own` is what stands.
    pub is_standing: bool,
    /// The viewer may change them.
    pub may_write: bool,
    /// Why the list is refused.
    #[serde(default)]
    pub problem: Option<PatternProblem>,
    /// What the list would match, where that was asked for.
    #[serde(default)]
    pub preview: Option<PatternPreview>,
    /// What became of the form before.
    #[serde(default)]
    pub told: Option<Told>,
}

/// A pattern in the list.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PatternRow {
    /// As it is written.
    pub text: String,
    /// Topics that it takes, and those that it matches and an earlier one takes; `None` while nobody counted.
    #[serde(default)]
    pub counts: Option<(usize, usize)>,
}

/// Why a list is refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PatternProblem {
    /// Which of the list; `None` for all of it.
    pub place: Option<usize>,
    /// In words.
    pub words: String,
}

/// What a list would make of the topics.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PatternPreview {
    /// The first topics.
    pub rows: Vec<TriedRow>,
    /// Topics that any of the list matches.
    pub matched: usize,
    /// Those of them that were searched for.
    pub found: usize,
    /// Topics that feed nothing today and would feed something.
    pub new: usize,
    /// Topics that would feed other entities than today.
    pub changed: usize,
}

/// A topic that a pattern matches.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TriedRow {
    /// The topic.
    pub topic: String,
    /// The device.
    pub device: String,
    /// What it measures; empty where the payload says it.
    pub measure: String,
    /// The area.
    pub area: String,
    /// The last payload in a few characters.
    pub last: String,
    /// What it would feed, in words.
    pub would: String,
    /// What it feeds now, in words.
    pub now: String,
    /// The pattern that takes it, where an earlier one than expected does; why it stays what it is; why nothing comes of it. Empty where there is
    /// nothing to say.
    pub note: String,
}
