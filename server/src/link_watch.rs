//! What operators are told of the links to brokers: what goes through them, what is dropped, what is wrong.

use std::collections::HashMap;
use std::sync::Arc;

use domain::alarm::Severity;
use domain::device::clean_text;
use domain::input::Input;
use domain::live::LinkState;
use domain::time::{MINUTE_MS, SECOND_MS, Timestamp};

use crate::mqtt::link::Link;
use crate::rate::Rate;

/// How long after the last one that was dropped messages count as being dropped.
const DROPPED_MS: i64 = MINUTE_MS;
/// How often links are looked at: every page is told.
const FIGURES_MS: i64 = 10 * SECOND_MS;
/// Characters of an error that are shown; brokers and certificates give the words.
const ERROR_CHARS: usize = 160;

/// What was seen of the links before.
#[derive(Debug, Default)]
pub struct LinkWatch {
    /// When each link dropped messages last, and how many it had dropped then.
    dropped: HashMap<Arc<str>, (u64, Timestamp)>,
    /// When the figures were taken last.
    looked_at: Option<Timestamp>,
}

impl LinkWatch {
    /// A link was reached or lost: its figures are not what they were.
    pub const fn changed(&mut self) {
        self.looked_at = None;
    }

    /// What goes through each link; nothing when that was asked a short time ago.
    pub fn figures(&mut self, links: &HashMap<Arc<str>, Link>, rates: &HashMap<Arc<str>, Rate>, now: Timestamp) -> Vec<Input> {
        if self.looked_at.is_some_and(|at| (0..FIGURES_MS).contains(&now.since_ms(at))) {
            return vec![];
        }
        self.looked_at = Some(now);
        let figures = links.iter().map(|(name, link)| {
            let is_up = link.state() == LinkState::Up;
            let error = link.trouble().filter(|_| !is_up).map(|trouble| clean_text(&trouble, ERROR_CHARS));
            let messages_per_s = rates.get(name).filter(|_| is_up).map(Rate::per_s);
            Input::LinkFigures { broker: Arc::clone(name), error, messages_per_s, dropped: link.counts().n_dropped }
        });
        figures.collect()
    }

    /// Whether links had to drop messages within the last minute.
    pub fn dropping(&mut self, links: &HashMap<Arc<str>, Link>, now: Timestamp) -> Input {
        let mut names = vec![];
        for (name, link) in links {
            let n = link.counts().n_dropped;
            match self.dropped.get_mut(name) {
                Some(known) if known.0 != n => *known = (n, now),
                None if n > 0 => {
                    self.dropped.insert(Arc::clone(name), (n, now));
                }
                _ => {}
            }
            if self.dropped.get(name).is_some_and(|(_, at)| now.since_ms(*at) < DROPPED_MS) {
                names.push(&**name);
            }
        }
        names.sort_unstable();
        let message = (!names.is_empty())
            .then(|| format!("More arrives from {} than can be taken: messages with QoS 0 are dropped", clean_text(&names.join(", "), 100)));
        Input::Trouble { id: "signalbox.overload", severity: Severity::Warning, condition: "dropping messages", message }
    }
}
