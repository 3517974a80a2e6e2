//! Topic patterns on the page of devices: the list as its form shows it, and what it would match.

use app::backend::{BackendError, Caller, Role};
use app::devices::Told;
use app::patterns::{PatternPreview, PatternProblem, PatternRow, PatternsPage, PatternsRequest, TriedRow};
use app::tile::words::capital;
use domain::convention::plain::MAX_PATTERNS;
use domain::device::clean_text;
use domain::group::BadPlan;
use domain::topic::MAX_TOPIC_BYTES;

use super::{CountedPattern, Origin, TopicPatterns, Trial, TriedTopic};
use crate::backend::plans::PlanError;
use crate::backend::{LiveBackend, require};

/// Topics that a preview on the page lists.
const ROWS: usize = 200;
/// Longest part of a topic that is searched for, in characters.
const FIND_CHARS: usize = 200;

impl LiveBackend {
    pub(in crate::backend) async fn show_patterns(&self, caller: &Caller, request: &PatternsRequest) -> Result<PatternsPage, BackendError> {
        require(caller, Role::Viewer)?;
        let may_write = require(caller, Role::Operator).is_ok();
        let TopicPatterns { items, .. } = self.topic_patterns(caller).await?;
        let (fixed, standing): (Vec<_>, Vec<_>) = items.into_iter().partition(|one| one.origin == Origin::File);
        let own: Vec<String> = standing.iter().map(|one| one.pattern.clone()).collect();
        let texts = if may_write { drafted(request, &own) } else { own.clone() };
        let written: Vec<String> = texts.iter().filter(|text| !text.is_empty()).cloned().collect();
        let mut page = PatternsPage {
            fixed: fixed.iter().map(counted).collect(),
            own: texts.iter().map(|text| standing.iter().find(|one| one.pattern == *text).map_or_else(|| uncounted(text), counted)).collect(),
            most: MAX_PATTERNS,
            is_standing: written == own,
            may_write,
            problem: None,
            preview: None,
            told: self.told.get(&request.done),
        };
        if !may_write || request.act != "try" {
            return Ok(page);
        }
        let find = request.find.trim().chars().take(FIND_CHARS).collect();
        match self.try_patterns(caller, Trial { patterns: written, q: find, after: None, limit: ROWS }).await {
            Ok(tried) => {
                page.own = tried.patterns.iter().filter(|one| one.origin == Origin::Operator).map(counted).collect();
                page.preview = Some(PatternPreview {
                    rows: tried.items.into_iter().map(row).collect(),
                    matched: tried.matched,
                    found: tried.found,
                    new: tried.new,
                    changed: tried.changed,
                });
            }
            Err(PlanError::Bad(bad)) => page.problem = Some(problem(&bad)),
            Err(PlanError::Refused(error)) => return Err(error),
            Err(PlanError::Conflict(why)) => page.problem = Some(PatternProblem { place: None, words: capital(&why) }),
        }
        Ok(page)
    }

    pub(in crate::backend) async fn write_patterns(&self, caller: &Caller, texts: Vec<String>) -> Result<Told, BackendError> {
        let told = |words: String, failed| Told { words: capital(&clean_text(&words, 300)), failed, field: String::new(), publish: None };
        match self.put_patterns(caller, texts).await {
            Ok(()) => Ok(told("topic patterns saved: they count from the next message of each topic on.".to_owned(), false)),
            Err(PlanError::Refused(error)) => Err(error),
            Err(PlanError::Bad(bad)) => Ok(told(format!("not saved: {}", bad.reason), true)),
            Err(PlanError::Conflict(why)) => Ok(told(format!("not saved: {why}"), true)),
        }
    }
}

/// The list that the form shows: what stands, or what somebody is writing, after what was pressed. At most one of them is empty, the last.
fn drafted(request: &PatternsRequest, own: &[String]) -> Vec<String> {
    let given = request.texts.iter().map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
    let mut texts: Vec<String> = if request.is_draft { vec![] } else { own.to_vec() };
    for text in given.take(MAX_PATTERNS + 1) {
        if request.is_draft || !texts.contains(&text) {
            texts.push(text);
        }
    }
    let place = |act: &str| request.act.strip_prefix(act).and_then(|n| n.parse::<usize>().ok()).filter(|n| *n < texts.len());
    if let Some(n) = place("up-").filter(|n| *n > 0) {
        texts.swap(n, n - 1);
    } else if let Some(n) = place("down-").filter(|n| n + 1 < texts.len()) {
        texts.swap(n, n + 1);
    } else if let Some(n) = place("remove-") {
        texts.remove(n);
    } else if request.act == "add" {
        texts.push(String::new());
    }
    if texts.is_empty() && request.act != "try" {
        texts.push(String::new());
    }
    texts
}

/// Hostile text is shown as it is told, and sent back cleaned: what was cut away is in no pattern.
fn uncounted(text: &str) -> PatternRow {
    PatternRow { text: clean_text(text, MAX_TOPIC_BYTES + 1), counts: None }
}

fn counted(one: &CountedPattern) -> PatternRow {
    PatternRow { text: one.pattern.clone(), counts: Some((one.topics, one.shadowed)) }
}

fn problem(bad: &BadPlan) -> PatternProblem {
    let place = bad.field.strip_prefix("patterns[").and_then(|rest| rest.strip_suffix(']')).and_then(|n| n.parse().ok());
    PatternProblem { place, words: capital(&bad.reason) }
}

fn row(tried: TriedTopic) -> TriedRow {
    let ids = |ids: &[domain::entity::EntityId]| ids.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    let stays = match tried.stays {
        Some("convention") => "stays: it announces itself what it is",
        Some("written") => "stays: somebody wrote about it",
        Some("presence") => "stays until the next start",
        _ => "",
    };
    let reason = tried.reason.map(|reason| format!("last payload: {reason}")).unwrap_or_default();
    let also = if tried.also.is_empty() { String::new() } else { format!("by {}, before {}", tried.pattern, tried.also.join(", ")) };
    let would = match (tried.role, tried.entities.is_empty()) {
        (_, false) => ids(&tried.entities),
        ("presence", _) => "says whether the device is there".to_owned(),
        _ => "nothing".to_owned(),
    };
    TriedRow {
        topic: tried.topic,
        device: tried.device.map(|device| device.to_string()).unwrap_or_default(),
        measure: tried.measure.unwrap_or_default(),
        area: tried.area.map(|area| area.to_string()).unwrap_or_default(),
        last: tried.last,
        would,
        now: match ids(&tried.now) {
            now if now.is_empty() => "nothing".to_owned(),
            now => format!("is now {now}"),
        },
        note: [stays, &reason, &also].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("; "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::patterns::read_patterns;
    use proptest::prelude::*;

    fn list(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|text| (*text).to_owned()).collect()
    }

    fn request(is_draft: bool, texts: &[&str], act: &str) -> PatternsRequest {
        PatternsRequest { is_open: true, is_draft, texts: list(texts), act: act.into(), ..PatternsRequest::default() }
    }

    #[test]
    fn a_form_shows_what_was_pressed() {
        let own = list(&["a/{device}", "b/{device}"]);
        for (request, shown) in [
            (request(false, &[], ""), &["a/{device}", "b/{device}"][..]),
            (request(false, &["x/y"], ""), &["a/{device}", "b/{device}", "x/y"]),
            (request(false, &["b/{device}"], ""), &["a/{device}", "b/{device}"]),
            (request(true, &["c", " d ", ""], "try"), &["c", "d"]),
            (request(true, &["c", "d"], "up-1"), &["d", "c"]),
            (request(true, &["c", "d"], "down-0"), &["d", "c"]),
            (request(true, &["c", "d"], "down-1"), &["c", "d"]),
            (request(true, &["c", "d"], "remove-0"), &["d"]),
            (request(true, &["c"], "remove-0"), &[""]),
            (request(true, &["c"], "add"), &["c", ""]),
            (request(true, &[], "try"), &[]),
        ] {
            assert_eq!(drafted(&request, &own), list(shown), "{request:?}");
        }
    }

    proptest! {
        #[test]
        fn no_form_panics_and_no_list_grows(texts in proptest::collection::vec(".{0,6}", 0..80), act in "(up|down|remove)-[0-9]{1,20}|add|try|.{0,4}", is_draft: bool) {
            let request = PatternsRequest { is_draft, texts, act, ..PatternsRequest::default() };
            prop_assert!(drafted(&request, &[]).len() <= MAX_PATTERNS + 2);
            let _: Result<_, _> = read_patterns(&request.texts, &[]);
        }
    }
}
