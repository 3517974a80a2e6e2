//! What topics are about, as operators write it: what the list is, what another one would make of the topics of the live brokers, and writing it.

use app::backend::{BackendError, Caller, Role};
use domain::convention::plain::{MAX_PATTERNS, TopicPattern};
use serde::Serialize;
use serde_json::{Value as Json, json};
use tokio::sync::oneshot;
use utoipa::ToSchema;

use super::amend::entry;
use super::plans::PlanError;
use super::{LiveBackend, require};
use crate::ingest::{Request, State};
use crate::patterns::read_patterns;
use crate::topics::Key;

/// The page of devices.
mod page;
/// What stands in a row of a preview.
mod row;
/// Looking at all topics.
mod survey;

pub use row::TriedTopic;
use survey::Survey;

/// Rows that are made while nobody else may change the state.
const ROWS_AT_ONCE: usize = 16;
/// Patterns that an entry of the log names.
const MOST_LOGGED: usize = 20;

/// Who wrote a pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// The configuration: it is changed there, and comes first.
    File,
    /// An operator.
    Operator,
}

/// A pattern, and how many of the topics that are remembered it is for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct CountedPattern {
    /// As it is written.
    pub pattern: String,
    /// Who wrote it.
    pub origin: Origin,
    /// Topics that it is the first to match.
    pub topics: usize,
    /// Topics that it matches and an earlier one takes.
    pub shadowed: usize,
}

/// All patterns, in the order in which they are asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct TopicPatterns {
    /// Those of the configuration, then those of operators.
    pub items: Vec<CountedPattern>,
    /// Always `null`: there are few.
    pub next_cursor: Option<String>,
    /// Topics that are remembered.
    pub known: usize,
    /// Patterns of operators that there may be.
    pub most: usize,
}

/// What is asked of a preview.
#[derive(Clone, Debug, Default)]
pub struct Trial {
    /// What operators' patterns would be: all of them, in their order.
    pub patterns: Vec<String>,
    /// Stands in the topics that are listed, whatever the case; empty is all.
    pub q: String,
    /// Where the list begins.
    pub after: Option<Key>,
    /// Topics listed at most.
    pub limit: usize,
}

/// What patterns would make of the topics that are remembered.
#[derive(Clone, Debug, PartialEq)]
pub struct Tried {
    /// The topics that operators' patterns would match, in their order, as many as were asked for.
    pub items: Vec<TriedTopic>,
    /// The last of them, where there are more.
    pub next: Option<Key>,
    /// Those of the configuration, then the ones asked about.
    pub patterns: Vec<CountedPattern>,
    /// Topics that any of the patterns asked about matches.
    pub matched: usize,
    /// Those of them that `q` lets through.
    pub found: usize,
    /// Topics that feed nothing today and would feed something.
    pub new: usize,
    /// Topics that would feed other entities than today.
    pub changed: usize,
    /// Topics that are remembered.
    pub known: usize,
}

impl LiveBackend {
    /// All patterns with how many topics each is for.
    ///
    /// # Errors
    /// [`BackendError::Forbidden`] for those who may not look.
    pub async fn topic_patterns(&self, caller: &Caller) -> Result<TopicPatterns, BackendError> {
        require(caller, Role::Viewer)?;
        let (patterns, n_fixed) = self.patterns_now();
        let survey = self.walk(Survey::counting(patterns, n_fixed)).await;
        Ok(TopicPatterns { items: survey.counted(), next_cursor: None, known: self.state().topics.n_known(), most: MAX_PATTERNS })
    }

    /// What other patterns of operators would make of the topics. Nothing is changed.
    ///
    /// # Errors
    /// [`PlanError::Bad`] names the place in the list and the pattern.
    pub async fn try_patterns(&self, caller: &Caller, trial: Trial) -> Result<Tried, PlanError> {
        require(caller, Role::Operator)?;
        let (mut patterns, n_fixed) = self.patterns_now();
        let own = read_patterns(&trial.patterns, patterns.get(..n_fixed).unwrap_or_default())?;
        patterns.truncate(n_fixed);
        patterns.extend(own);
        let survey = self.walk(Survey::trying(patterns, n_fixed, &trial)).await;
        let (keys, is_more) = survey.keys();
        let mut items = Vec::with_capacity(keys.len());
        for part in keys.chunks(ROWS_AT_ONCE) {
            {
                let state = self.state();
                // One that was forgotten since it was found is left out.
                items.extend(part.iter().filter_map(|key| row::row(&state, &survey.patterns, key)));
            }
            tokio::task::yield_now().await;
        }
        Ok(Tried {
            items,
            next: keys.last().filter(|_| is_more).cloned(),
            patterns: survey.counted(),
            matched: survey.matched,
            found: survey.found,
            new: survey.new,
            changed: survey.changed,
            known: self.state().topics.n_known(),
        })
    }

    /// Puts other patterns of operators in the place of all of them: they count from now on, and after a restart.
    ///
    /// # Errors
    /// [`PlanError::Bad`] names the place in the list and the pattern; nothing is changed then.
    pub async fn put_patterns(&self, caller: &Caller, texts: Vec<String>) -> Result<(), PlanError> {
        require(caller, Role::Operator)?;
        let (backend, caller) = (self.clone(), caller.clone());
        let (reply, done) = oneshot::channel();
        // What is stored counts at once also when whoever asked is gone.
        self.plans.tasks.spawn(async move {
            let put = backend.put_checked(&caller, &texts).await;
            // Nobody may be left to tell.
            let _: Result<(), _> = reply.send(put);
        });
        done.await.map_err(|_| BackendError::Internal)?
    }

    async fn put_checked(&self, caller: &Caller, texts: &[String]) -> Result<(), PlanError> {
        let _held = self.plans.editing.lock().await;
        let (before, n_fixed) = self.patterns_now();
        let (fixed, before) = before.split_at(n_fixed.min(before.len()));
        let patterns = read_patterns(texts, fixed)?;
        if patterns == before {
            return Ok(());
        }
        let entry = entry(caller, "patterns.written", None, changes(before, &patterns));
        self.store.set_topic_patterns(texts, &entry).await.map_err(|error| {
            tracing::error!(%error, "Topic patterns could not be stored");
            BackendError::Internal
        })?;
        let (reply, taken) = oneshot::channel();
        self.requests.send(Request::SetPatterns { patterns, reply }).await.map_err(|_| BackendError::Internal)?;
        Ok(taken.await.map_err(|_| BackendError::Internal)?)
    }

    /// All patterns, and how many of them are the configuration's.
    fn patterns_now(&self) -> (Vec<TopicPattern>, usize) {
        let state: &State = &self.state();
        (state.fleet.patterns().to_vec(), state.n_fixed_patterns)
    }

    /// Looks at all topics, in parts between which messages arrive; one at a time, as for the list of devices.
    async fn walk(&self, mut survey: Survey) -> Survey {
        let _turn = self.surveys.lock().await;
        while !survey.look(&self.state()) {
            tokio::task::yield_now().await;
        }
        survey
    }
}

/// What an entry of the log says: what came, what went, whether the others stand in another order, and how many there are.
fn changes(before: &[TopicPattern], after: &[TopicPattern]) -> Json {
    let only_in = |these: &[TopicPattern], those: &[TopicPattern]| -> Vec<String> {
        these.iter().filter(|one| !those.contains(one)).take(MOST_LOGGED).map(ToString::to_string).collect()
    };
    let stayed: Vec<_> = before.iter().filter(|one| after.contains(one)).collect();
    let order = stayed.iter().copied().ne(after.iter().filter(|one| before.contains(one)));
    json!({"added": only_in(after, before), "removed": only_in(before, after), "order": order, "n": after.len()})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_log_says_what_came_what_went_and_what_moved() {
        let of = |texts: &[&str]| texts.iter().map(|text| TopicPattern::parse(text).expect(text)).collect::<Vec<_>>();
        let before = of(&["a/{device}", "b/{device}", "c/{device}"]);
        let told = changes(&before, &of(&["c/{device}", "d/{device}", "a/{device}"]));
        assert_eq!(told, json!({"added": ["d/{device}"], "removed": ["b/{device}"], "order": true, "n": 3}));
        assert_eq!(changes(&before, &before[1..])["order"], json!(false));
    }
}
