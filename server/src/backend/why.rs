//! Why there is no data of an entity: the way of a message, step by step, until one fails.

use app::backend::BackendError;
use app::device::{Step, Why};
use domain::device::{Availability, clean_text};
use domain::entity::EntityId;
use domain::fleet::Standing;
use domain::live::{EntityView, LinkState};
use domain::quality::Quality;
use domain::time::{Timestamp, duration_words};
use domain::topic::TopicFilter;

use super::LiveBackend;
use crate::clock::now;
use crate::ingest::State;
use crate::topics::Scan;

/// Topics that look like one that nobody heard: so many are named.
const MOST_ALIKE: usize = 3;
/// So many are looked at, from one level of the tree.
const MOST_LOOKED_AT: usize = 500;
/// Characters shown of a payload.
const MAX_SHOWN: usize = 120;

/// All that is known about the way of an entity's messages.
#[derive(Clone, Debug)]
struct Known {
    view: EntityView,
    standing: Standing,
    /// The name of the broker, and the broker; `None` when the configuration names it no more.
    broker: String,
    link: Option<Broker>,
    /// The newest message of its topics.
    heard: Option<Heard>,
    /// Topics that were heard and look like its own, and how many were looked at.
    alike: (Vec<String>, usize),
    /// Why the last message could not be read, and the beginning of that message.
    bad: Option<(String, Option<String>)>,
    /// By how much the device's clock is wrong, in milliseconds.
    skew_ms: Option<i64>,
    /// Since when its device says that it is not there.
    offline_since: Option<Timestamp>,
    now: Timestamp,
    /// Seconds east of UTC.
    offset_s: i32,
}

#[derive(Clone, Debug)]
struct Broker {
    state: LinkState,
    since: Timestamp,
    error: Option<String>,
    filters: Vec<TopicFilter>,
    refused: Vec<(String, String)>,
}

#[derive(Clone, Debug)]
struct Heard {
    topic: String,
    at: Timestamp,
    retained: bool,
}

impl LiveBackend {
    /// Why there is no data of an entity, or that nothing is wrong.
    ///
    /// # Errors
    /// [`BackendError::NotFound`] for one that there is not.
    pub(super) fn why_of(&self, id: &EntityId) -> Result<Why, BackendError> {
        let now = now();
        let (view, standing, mut known) = {
            let state = self.state();
            let view = state.fleet.entity(id).ok_or_else(|| BackendError::NotFound(format!("entity {id}")))?;
            let Some(standing) = state.fleet.standing(id) else { return Ok(of_group(view)) };
            let known = self.known_of(&state, &view, &standing, now);
            (view, standing, known)
        };
        if known.heard.is_none()
            && let Some(topic) = standing.topics.first()
        {
            known.alike = self.alike(view.link.as_deref().unwrap_or_default(), topic);
        }
        Ok(why(&known))
    }

    fn known_of(&self, state: &State, view: &EntityView, standing: &Standing, now: Timestamp) -> Known {
        let broker = view.link.clone().unwrap_or_default();
        let shown = state.fleet.links().find(|link| link.broker == broker);
        let link = self.links.get(broker.as_str()).map(|link| Broker {
            state: link.state(),
            since: shown.map_or(self.started, |shown| shown.since),
            error: link.trouble(),
            filters: link.filters().to_vec(),
            refused: link.refused(),
        });
        let entries = || standing.topics.iter().filter_map(|topic| state.topics.get(&broker, topic));
        let heard = entries().max_by_key(|entry| entry.heard_at());
        let bad_payload = || entries().filter_map(|entry| entry.bad()).max_by_key(|bad| bad.at).map(|bad| shown_payload(&bad.payload));
        let device = state.fleet.device(&view.device);
        let offline = device.filter(|device| device.availability == Availability::Offline).map(|device| device.availability_since);
        Known {
            view: view.clone(),
            standing: standing.clone(),
            link,
            heard: heard.map(|entry| Heard { topic: entry.topic().to_owned(), at: entry.heard_at(), retained: entry.retained() }),
            alike: (vec![], 0),
            bad: state.fleet.bad_reason(&view.id).map(|reason| (reason.to_owned(), bad_payload())),
            skew_ms: state.fleet.clock_skew_ms(&view.id),
            offline_since: offline,
            now,
            offset_s: self.offset_at(now),
            broker,
        }
    }

    /// Topics of a broker that were heard beside one that was not, the most alike first; and how many there are, as far as was looked.
    fn alike(&self, broker: &str, topic: &str) -> (Vec<String>, usize) {
        let levels = topic.match_indices('/').map(|(at, _)| &topic[..=at]).rev();
        for prefix in levels.chain(std::iter::once("")) {
            let mut scan = Scan::new(prefix.to_owned(), None, MOST_LOOKED_AT);
            // The state is let go between the parts: a message never waits for more than one of them.
            while !scan.look(&self.state().topics) {}
            let mut found: Vec<(usize, String)> = scan
                .end()
                .0
                .into_iter()
                .filter(|(_, of)| **of == *broker)
                .map(|(other, _)| (difference(topic, &other), clean_text(&other, MAX_SHOWN)))
                // Of all topics there are only those count that could be meant.
                .filter(|(difference, _)| !prefix.is_empty() || difference * 2 <= topic.chars().count())
                .collect();
            if !found.is_empty() {
                found.sort();
                let n = found.len();
                return (found.into_iter().take(MOST_ALIKE).map(|(_, topic)| topic).collect(), n);
            }
        }
        (vec![], 0)
    }
}

/// How many of the letters of two topics differ, from the front and from the back: cheap, and good enough to name the most alike first.
fn difference(a: &str, b: &str) -> usize {
    let same = |a: char, b: char| a.eq_ignore_ascii_case(&b);
    let (n_a, n_b) = (a.chars().count(), b.chars().count());
    let front = a.chars().zip(b.chars()).take_while(|(a, b)| same(*a, *b)).count();
    let back = a.chars().rev().zip(b.chars().rev()).take_while(|(a, b)| same(*a, *b)).count();
    n_a.max(n_b) - (front + back).min(n_a.min(n_b))
}

fn shown_payload(payload: &[u8]) -> String {
    match std::str::from_utf8(payload) {
        Ok(text) => clean_text(text, MAX_SHOWN),
        Err(_) => payload.iter().take(MAX_SHOWN / 2).map(|byte| format!("{byte:02x}")).collect(),
    }
}

/// A group has no way of its own.
fn of_group(view: EntityView) -> Why {
    let verdict = "A group is worked out from its members: ask about those that show nothing.".to_owned();
    Why { entity: view.id, name: view.name, steps: vec![], verdict }
}

/// What a step came to: whether it is passed, and the evidence.
type Came = (Option<bool>, String);

/// Walks the way of a message. What comes behind a step that fails is still said where it is known.
fn why(known: &Known) -> Why {
    let steps: Vec<Step> = [
        ("link", link(known)),
        ("rights", rights(known)),
        ("subscription", subscription(known)),
        ("message", message(known)),
        ("parse", parse(known)),
        ("time", time(known)),
        ("shown", shown(known)),
    ]
    .into_iter()
    .map(|(step, (ok, detail))| Step { step: step.to_owned(), ok, detail })
    .collect();
    let failing = steps.iter().find(|step| step.ok == Some(false));
    let verdict = match (failing, known.view.t) {
        (Some(step), _) => step.detail.clone(),
        (None, Some(t)) => format!("All is well: the value is of {}.", known.moment(t)),
        (None, None) => "Nothing is wrong; it has not said anything yet.".to_owned(),
    };
    Why { entity: known.view.id.clone(), name: known.view.name.clone(), steps, verdict }
}

impl Known {
    /// `12 Jun 14:03:26`.
    fn moment(&self, at: Timestamp) -> String {
        let civil = at.civil(self.offset_s);
        if self.now.civil(self.offset_s).date() == civil.date() { civil.clock() } else { format!("{} {}", civil.date(), civil.clock()) }
    }

    fn since(&self, at: Timestamp) -> String {
        format!("{} ({})", self.moment(at), duration_words(self.now.since_ms(at)))
    }

    /// Its topics as they are shown, or nothing.
    fn topics(&self) -> String {
        self.standing.topics.iter().map(|topic| format!("\"{}\"", clean_text(topic, MAX_SHOWN))).collect::<Vec<_>>().join(", ")
    }

    /// The broker, connected: that something is refused does not cut it off.
    fn connected(&self) -> Option<&Broker> {
        self.link.as_ref().filter(|link| link.state == LinkState::Up || !link.refused.is_empty())
    }

    /// Filters of the broker that hold one of its topics: those that the broker granted, and those that it refused with the reason.
    fn filters<'a>(&self, broker: &'a Broker) -> (Vec<&'a str>, Vec<&'a (String, String)>) {
        let holds = |filter: &&TopicFilter| self.standing.topics.iter().any(|topic| filter.matches(topic));
        let refusal = |filter: &TopicFilter| broker.refused.iter().find(|(refused, _)| refused == filter.as_str());
        let holding: Vec<&TopicFilter> = broker.filters.iter().filter(holds).collect();
        let granted = holding.iter().filter(|filter| refusal(filter).is_none()).map(|filter| filter.as_str()).collect();
        (granted, holding.iter().filter_map(|filter| refusal(filter)).collect())
    }
}

fn link(known: &Known) -> Came {
    let broker = &known.broker;
    match &known.link {
        None => {
            (Some(false), format!("The configuration names no broker \"{broker}\" any more: add its [[mqtt]] block again, or remove the device."))
        }
        Some(link) if known.connected().is_some() => (Some(true), format!("\"{broker}\" is reached since {}.", known.since(link.since))),
        Some(link) => {
            let state = if link.state == LinkState::Connecting { "is being connected to" } else { "is not reached" };
            let error = link.error.as_ref().map(|error| format!(": {}", clean_text(error, 300))).unwrap_or_default();
            let todo = "Is the broker running, and are address and password in its [[mqtt]] block right?";
            (Some(false), format!("\"{broker}\" {state} since {}{error}. {todo}", known.since(link.since)))
        }
    }
}

/// The word of a broker for what a login may not read.
fn is_about_rights(reason: &str) -> bool {
    reason.to_lowercase().contains("authori")
}

fn rights(known: &Known) -> Came {
    let Some(broker) = known.connected() else { return (None, "Unknown while the broker is not reached.".to_owned()) };
    let (granted, refused) = known.filters(broker);
    match refused.iter().find(|(_, reason)| is_about_rights(reason)) {
        Some((filter, reason)) if granted.is_empty() => {
            let todo = "Allow the login of this server to read the topic, in the access list of the broker.";
            (Some(false), format!("The broker does not let this server read {}: it refused \"{filter}\" ({reason}). {todo}", known.topics()))
        }
        _ => (Some(true), "The broker took the login of this server.".to_owned()),
    }
}

fn subscription(known: &Known) -> Came {
    let Some(broker) = known.connected() else { return (None, "Unknown while the broker is not reached.".to_owned()) };
    if known.standing.topics.is_empty() {
        return (None, "It reports no state: there is no topic to subscribe to.".to_owned());
    }
    let (granted, refused) = known.filters(broker);
    match (granted.first(), refused.first()) {
        (Some(filter), _) => (Some(true), format!("The filter \"{filter}\" holds {}, and the broker granted it.", known.topics())),
        (None, Some((_, reason))) if is_about_rights(reason) => (None, "Unknown while the broker refuses it.".to_owned()),
        (None, Some((filter, reason))) => (Some(false), format!("The broker refused the subscription to \"{filter}\" ({reason}).")),
        (None, None) => {
            let filters: Vec<String> = broker.filters.iter().map(|filter| format!("\"{}\"", filter.as_str())).collect();
            let todo = format!("Add one to \"subscribe\" in the [[mqtt]] block of \"{}\".", known.broker);
            (Some(false), format!("No filter of the broker holds {}: there are {}. {todo}", known.topics(), filters.join(", ")))
        }
    }
}

fn message(known: &Known) -> Came {
    if let Some(came) = absent(known) {
        return came;
    }
    if known.standing.topics.is_empty() {
        return (None, "It reports no state: what is shown is what was asked for last.".to_owned());
    }
    match &known.heard {
        Some(heard) => {
            let how = if heard.retained { "kept by the broker: the device has not spoken since the server started" } else { "from the device" };
            (Some(true), format!("The last message came at {} on \"{}\", {how}.", known.since(heard.at), clean_text(&heard.topic, MAX_SHOWN)))
        }
        // An earlier run heard it: there is a value.
        None => (Some(false), never(known)),
    }
}

/// The device, or somebody for it, says that it is not there.
fn absent(known: &Known) -> Option<Came> {
    if known.offline_since.is_none() && !known.standing.is_absent {
        return None;
    }
    let since = known.offline_since.map(|at| format!(" since {}", known.since(at))).unwrap_or_default();
    let topics: Vec<String> = known.standing.presence.iter().map(|topic| format!("\"{}\"", clean_text(topic, MAX_SHOWN))).collect();
    let says = if topics.is_empty() { "its convention says so".to_owned() } else { format!("{} says so", topics.join(" or ")) };
    Some((Some(false), format!("It is offline{since}: {says}. Look at its power and its network.")))
}

fn never(known: &Known) -> String {
    let before = if known.view.t.is_some() { " since the server started; the value is of an earlier run" } else { "" };
    let (alike, n) = &known.alike;
    let alike = match alike.as_slice() {
        [] => "Nothing was heard near it either.".to_owned(),
        some => {
            let some: Vec<String> = some.iter().map(|topic| format!("\"{topic}\"")).collect();
            format!("Of {n} topics beside it the nearest are {}.", some.join(", "))
        }
    };
    let todo = "Is the device on, and does it write the topic so? A broker may also grant a subscription and withhold the topic by its access list.";
    format!("No message was ever heard on {}{before}. {alike} {todo}", known.topics())
}

fn parse(known: &Known) -> Came {
    match (&known.bad, &known.heard) {
        (Some((reason, payload)), _) => {
            let payload = payload.as_ref().map(|payload| format!(" It was: {payload}")).unwrap_or_default();
            let kept = if known.view.v.is_some() { " The last good value is shown." } else { "" };
            (Some(false), format!("The last message could not be read: {}.{kept}{payload}", clean_text(reason, 300)))
        }
        (None, Some(heard)) if known.view.v.is_none() => {
            let place =
                known.standing.leaf.as_deref().map_or_else(|| "no value for it".to_owned(), |leaf| format!("no \"{}\"", clean_text(leaf, 80)));
            (Some(false), format!("The messages on \"{}\" hold {place}.", clean_text(&heard.topic, MAX_SHOWN)))
        }
        (None, Some(_)) => (Some(true), "The last message could be read.".to_owned()),
        (None, None) => (None, "There was no message to be read.".to_owned()),
    }
}

fn time(known: &Known) -> Came {
    if known.view.q == Quality::Stale {
        let newest = known.standing.heard_at.or(known.view.t);
        let silent = newest.map_or_else(|| "It is silent".to_owned(), |at| format!("It is silent since {}", known.since(at)));
        let usual = known.standing.late_after_ms.map(|ms| format!(", and is late after {}", duration_words(ms))).unwrap_or_default();
        return (Some(false), format!("{silent}{usual}. Look at its power, its battery and its network."));
    }
    if let Some(skew) = known.skew_ms {
        let way = if skew > 0 { "ahead" } else { "behind" };
        let wrong = duration_words(skew.saturating_abs());
        return (
            Some(false),
            format!("The clock of the device is {wrong} {way}: its times are not used, values stand where they arrived. Set its clock."),
        );
    }
    match (known.view.t, known.standing.late_after_ms) {
        (None, _) => (None, "There is no value yet.".to_owned()),
        (Some(t), Some(late)) => (Some(true), format!("The value is of {}; it is late after {}.", known.since(t), duration_words(late))),
        (Some(t), None) => (Some(true), format!("The value is of {}; it is sent when it changes.", known.since(t))),
    }
}

fn shown(known: &Known) -> Came {
    if known.standing.is_hidden {
        return (Some(false), "It is hidden: it stays out of the overview. Show it on the page of its device.".to_owned());
    }
    if known.standing.is_unlisted {
        return (
            Some(false),
            "Too many entities came that nobody has claimed: it is not listed. Name it, or put its device into an area.".to_owned(),
        );
    }
    (Some(true), "It stands on the overview.".to_owned())
}

#[cfg(test)]
mod tests;
