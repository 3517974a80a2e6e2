//! The topic explorer of the page of devices, and publishing by hand.

use app::backend::{BackendError, Caller, Role};
use app::devices::{Branch, Level, TopicDetail, TopicsPage, TopicsRequest, Unread};
use domain::device::clean_text;
use domain::time::Timestamp;
use domain::topic::{MAX_TOPIC_BYTES, MAX_TOPIC_LEVELS, TopicFilter};

use super::rights::{Wish, check};
use super::{LiveBackend, require};
use crate::clock::now;
use crate::ingest::State;
use crate::topics::{Bad, Entry, Key, Tree, Twig, Wanted};

/// What is shown of a payload.
pub(super) mod payload;
/// Publishing by hand.
mod publish;

/// Branches of a level.
const MOST_BRANCHES: usize = 200;
/// Entities that are named as readers of a topic.
const MOST_READERS: usize = 50;

impl LiveBackend {
    pub(super) async fn explore(&self, caller: &Caller, request: &TopicsRequest) -> Result<TopicsPage, BackendError> {
        require(caller, Role::Viewer)?;
        if request.topic.len() > MAX_TOPIC_BYTES || request.topic.matches('/').count() > MAX_TOPIC_LEVELS {
            return Err(BackendError::Invalid(format!("topic has more than {MAX_TOPIC_BYTES} bytes or {MAX_TOPIC_LEVELS} levels")));
        }
        let (wanted, problem) = wanted(request.filter.trim());
        let mut tree = Tree::new(open_at(request), wanted, MOST_BRANCHES);
        {
            // As for the list of devices: the state is let go between the parts, and one walks at a time.
            let _turn = self.surveys.lock().await;
            while !tree.look(&self.state().topics) {
                tokio::task::yield_now().await;
            }
        }
        let (levels, _) = tree.end();
        let now = now();
        let state = self.state();
        let levels = levels.into_iter().map(|(prefix, (twigs, is_more))| {
            let branches = twigs.into_iter().map(|(word, twig)| branch(&state, &prefix, &word, &twig)).collect();
            (prefix, Level { branches, is_more })
        });
        let may_hear = |topic: &str| check(caller, Wish::Hear(topic)).is_ok();
        // A level and the topic of its name are looked at together.
        let looked_at = [Some(request.topic.as_str()), request.topic.strip_suffix('/')];
        let details = looked_at.into_iter().flatten().filter(|topic| !topic.is_empty() && may_hear(topic));
        let details = details.flat_map(|topic| state.topics.on(topic)).map(|(link, entry)| detail(&state, link, entry, now)).collect();
        let mut links: Vec<String> = self.links.keys().map(ToString::to_string).collect();
        links.sort();
        Ok(TopicsPage {
            levels: levels.collect(),
            details,
            n_known: state.topics.n_known(),
            n_forgotten: state.topics.n_forgotten(),
            per_s: state.rate.per_s(),
            problem,
            links,
            may_publish: require(caller, Role::Operator).is_ok(),
            told: self.told.get(&request.done),
        })
    }
}

/// What a filter lets through; and what is wrong with one that is none, which lets everything through.
fn wanted(filter: &str) -> (Wanted, String) {
    let prefix = || Wanted::Prefix(filter.to_owned());
    if !filter.contains(['+', '#']) {
        return (prefix(), String::new());
    }
    match TopicFilter::parse(filter) {
        Ok(filter) => (Wanted::Filter(filter), String::new()),
        Err(error) => (Wanted::Prefix(String::new()), app::tile::words::capital(&error.to_string())),
    }
}

/// Down to where the tree is open: to the topic that is looked at, else as far as the filter names one level after the other.
fn open_at(request: &TopicsRequest) -> &str {
    if !request.topic.is_empty() {
        return &request.topic;
    }
    let filter = request.filter.trim();
    let plain = filter.find(['+', '#']).map_or(filter, |at| &filter[..at]);
    let is_short = plain.len() <= MAX_TOPIC_BYTES && plain.matches('/').count() <= MAX_TOPIC_LEVELS;
    plain.rfind('/').filter(|_| is_short).map_or("", |at| &plain[..=at])
}

fn branch(state: &State, prefix: &str, word: &str, twig: &Twig) -> Branch {
    let entry = twig.topic.as_ref().and_then(|(topic, link): &Key| state.topics.get(link, topic));
    Branch {
        name: clean_text(word, MAX_TOPIC_BYTES),
        path: [prefix, word].concat(),
        n_below: twig.n_below,
        is_topic: twig.topic.is_some(),
        last: entry.map(|entry| payload::brief(entry.payload(), entry.size() as usize)).unwrap_or_default(),
    }
}

fn detail(state: &State, link: &str, entry: &Entry, now: Timestamp) -> TopicDetail {
    let topic = entry.topic();
    let unread = |bad: &Bad| Unread { n: bad.n, reason: bad.reason.to_string(), payload: payload::shown(&bad.payload, bad.size), at: bad.at };
    let readers = state.fleet.fed_by(link, topic).into_iter().take(MOST_READERS).filter_map(|id| state.fleet.entity(id));
    TopicDetail {
        topic: clean_text(topic, MAX_TOPIC_BYTES),
        link: link.to_owned(),
        at: entry.heard_at(),
        qos: entry.qos(),
        retained: entry.retained(),
        retained_command: state.fleet.is_retained_command(link, topic),
        per_s: entry.per_s(now),
        n: entry.n(),
        size: entry.size() as usize,
        payload: payload::shown(entry.payload(), entry.size() as usize),
        readers: readers.map(|view| (view.device.to_string(), view.id.to_string(), view.name)).collect(),
        bad: entry.bad().map(unread),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_opens_as_far_as_its_filter_is_plain() {
        let at = |topic: &str, filter: &str| open_at(&TopicsRequest { topic: topic.into(), filter: filter.into(), done: String::new() }).to_owned();
        for (topic, filter, open) in [
            ("", "", ""),
            ("", "greenhouse/#", "greenhouse/"),
            ("", "greenhouse/1/cl", "greenhouse/1/"),
            ("", "+/x/#", ""),
            ("a/b", "greenhouse/#", "a/b"),
            ("", &"/".repeat(100), ""),
        ] {
            assert_eq!(at(topic, filter), open, "{topic} {filter}");
        }
        assert!(matches!(wanted("a/+/b"), (Wanted::Filter(_), problem) if problem.is_empty()));
        assert!(matches!(wanted("a/b+"), (Wanted::Prefix(all), problem) if all.is_empty() && problem.contains("a/b+")));
    }
}
