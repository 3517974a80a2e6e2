//! What an entry of the log says in words, with the names that things have now.

use app::backend::{ActivityRow, Standing};
use domain::device::{AreaId, DeviceId, clean_text, name_from};
use domain::fleet::Fleet;
use domain::time::{MINUTE_MS, Timestamp};
use serde_json::Value as Json;

use crate::noted::PROGRAM;
use crate::store::activity::{Activity, Kind};

/// Longest text out of an entry that is shown, in characters.
const MOST_CHARS: usize = 160;
/// A command without an outcome after this time was cut off with the server.
const PENDING_MS: i64 = 5 * MINUTE_MS;

/// What an entry about a group, scene or schedule is about: `Scene evening`.
fn plan(entry: &Activity) -> String {
    let kind = entry.what.split('.').next().unwrap_or_default();
    let id = entry.entity.as_ref().map(|id| id.key().to_owned());
    format!("{} {}", app::tile::words::capital(kind), id.unwrap_or_else(|| words(&entry.detail["id"])))
}

/// What became of the members of a run: `2 confirmed, 1 refused`.
fn members(members: &Json) -> String {
    let mut counts = std::collections::BTreeMap::<&str, usize>::new();
    for state in members.as_array().into_iter().flatten().filter_map(|member| member["state"].as_str()) {
        *counts.entry(state).or_default() += 1;
    }
    counts.iter().map(|(state, n)| format!("{n} {state}")).collect::<Vec<_>>().join(", ")
}

/// What became of patterns of topics: `added a/{device}; removed b/{device}; 3 in all`.
fn patterns(detail: &Json) -> String {
    let of = |key: &str| {
        let texts: Vec<String> = detail[key].as_array().into_iter().flatten().map(words).collect();
        (!texts.is_empty()).then(|| format!("{key} {}", texts.join(" ")))
    };
    let order = (detail["order"] == true).then(|| "order changed".to_owned());
    [of("added"), of("removed"), order, Some(format!("{} in all", words(&detail["n"])))].into_iter().flatten().collect::<Vec<_>>().join("; ")
}

/// The row of an entry; when it was and its place in the log are left to the caller.
pub(super) fn tell(entry: &Activity, fleet: &Fleet, now: Timestamp) -> ActivityRow {
    let view = entry.entity.as_ref().and_then(|id| fleet.entity(id));
    let detail = |key: &str| words(&entry.detail[key]);
    let id = entry.entity.as_ref().map(ToString::to_string).unwrap_or_default();
    let name = match &view {
        Some(view) => view.name.clone(),
        None if entry.entity.as_ref().is_some_and(|id| id.device() == PROGRAM) => "Signalbox".to_owned(),
        None => id,
    };
    let area = view.as_ref().and_then(|view| view.area.clone()).map(|area| area_name(fleet, &area));
    let device = || DeviceId::parse(&detail("device")).ok().and_then(|id| fleet.device(&id));
    let device_name = || device().map_or_else(|| detail("device"), |device| device.name.clone());
    let entity_icon = || view.as_ref().map_or_else(|| "tag".to_owned(), |view| view.icon.clone());
    let (title, note, icon) = match entry.what.as_str() {
        "alarm.raised" => (format!("{name} {}", detail("condition")), detail("message"), String::new()),
        "alarm.acknowledged" => (format!("{name} acknowledged"), detail("condition"), String::new()),
        "alarm.returned" | "alarm.cleared" => (format!("{name} back to normal"), format!("was {}", detail("condition")), String::new()),
        "device.offline" => (format!("{} went offline", device_name()), String::new(), "offline".to_owned()),
        "device.online" => (format!("{} back online", device_name()), String::new(), "plug".to_owned()),
        "history.exclude" => (format!("Reading of {name} taken out of history"), String::new(), "history".to_owned()),
        "history.include" => (format!("Reading of {name} taken back into history"), String::new(), "history".to_owned()),
        "history.fill" => (format!("Readings of {name} filled in"), stored(entry), "history".to_owned()),
        "history.import" => ("Readings imported".to_owned(), stored(entry), "history".to_owned()),
        "entity.written" => (format!("{name} changed"), fields(&entry.detail["written"]), "settings".to_owned()),
        "device.written" => (format!("{} changed", device_name()), fields(&entry.detail["written"]), "settings".to_owned()),
        "device.removed" => (format!("{} removed", device_name()), String::new(), "trash".to_owned()),
        "device.zigbee_renamed" => (format!("{} renamed on its Zigbee network", detail("called")), said(entry, &detail("name")), "edit".to_owned()),
        "device.zigbee_removed" => (format!("{} removed from its Zigbee network", detail("called")), detail("reason"), "trash".to_owned()),
        "device.zigbee_join" if entry.detail["seconds"] == 0 => ("Zigbee network closed".to_owned(), detail("reason"), "key".to_owned()),
        "device.zigbee_join" => ("Zigbee network opened".to_owned(), said(entry, &format!("for {} s", detail("seconds"))), "key".to_owned()),
        "device.merged" => {
            let into = DeviceId::parse(&words(&entry.detail["written"]["into"])).ok().and_then(|id| fleet.device(&id));
            let into = into.map_or_else(|| words(&entry.detail["written"]["into"]), |device| device.name.clone());
            (format!("{} is one with {into}", detail("device")), String::new(), "devices".to_owned())
        }
        "area.written" => {
            let area = AreaId::parse(&detail("area")).map_or_else(|_| detail("area"), |id| area_name(fleet, &id));
            (format!("{area} changed"), fields(&entry.detail["written"]), "settings".to_owned())
        }
        "scene.run" => (format!("Scene {} run", detail("scene")), members(&entry.detail["members"]), "calendar".to_owned()),
        "schedule.run" => (format!("Schedule {} run", detail("schedule")), members(&entry.detail["members"]), "calendar".to_owned()),
        "schedule.missed" => (format!("Schedule {} missed", detail("schedule")), String::new(), "calendar".to_owned()),
        "group.save" | "scene.save" | "schedule.save" => (format!("{} set up", plan(entry)), String::new(), "calendar".to_owned()),
        "group.delete" | "scene.delete" | "schedule.delete" => (format!("{} deleted", plan(entry)), String::new(), "calendar".to_owned()),
        "patterns.written" => ("Topic patterns changed".to_owned(), patterns(&entry.detail), "settings".to_owned()),
        "message.published" => {
            let kept = if entry.detail["retain"] == true { ", retained" } else { "" };
            (format!("Published to {}", detail("topic")), format!("{}{kept}, to broker {}", detail("payload"), detail("broker")), "pin".to_owned())
        }
        "message.clearing" => (format!("Clearing of {} retained messages begun", detail("messages")), detail("devices"), "trash".to_owned()),
        "message.cleared" => {
            let failed = if entry.detail["failed"] == 0 { String::new() } else { format!(", {} failed", detail("failed")) };
            (format!("{} of {} retained messages cleared{failed}", detail("cleared"), detail("messages")), detail("devices"), "trash".to_owned())
        }
        "server.started" => ("Server started".to_owned(), format!("version {}", detail("version")), "power".to_owned()),
        "server.stopped" => ("Server stopped".to_owned(), String::new(), "power".to_owned()),
        "link.up" => (format!("Broker {} connected", detail("broker")), String::new(), "plug".to_owned()),
        "link.down" => (format!("Connection to broker {} lost", detail("broker")), String::new(), "offline".to_owned()),
        what if Kind::of(what) == Kind::Control => (asked(&name, what, &entry.detail["action"]), detail("reason"), entity_icon()),
        what => (format!("{name} {}", clean_text(what, 40)).trim().to_owned(), String::new(), "info".to_owned()),
    };
    let from = entry.who.address.map(|address| format!("from {address}"));
    let note = area.into_iter().chain(Some(note)).chain(from).filter(|part| !part.is_empty()).collect::<Vec<_>>().join(", ");
    let (by, initials) = by(&entry.who.name, fleet);
    let mark = (Kind::of(&entry.what) == Kind::Alarm).then(|| {
        let severity = serde_json::from_value(entry.detail["severity"].clone()).ok()?;
        Some((severity, serde_json::from_value(entry.detail["state"].clone()).ok()?))
    });
    let assumed = view.as_ref().is_some_and(|view| view.assumed);
    let (standing, outcome) = standing(entry, assumed, now);
    let href = view.as_ref().map(|view| view.device.to_string()).or_else(|| device().map(|device| device.id.to_string()));
    ActivityRow {
        id: String::new(),
        at: entry.at,
        day: String::new(),
        clock: String::new(),
        icon,
        mark: mark.flatten(),
        title: clean_text(&title, MOST_CHARS),
        note: clean_text(&note, MOST_CHARS),
        who: by,
        initials,
        standing,
        outcome,
        href: href.map(|id| format!("/devices/{id}")),
    }
}

/// `Floor lamp turned on, brightness 80`.
fn asked(name: &str, what: &str, action: &Json) -> String {
    let verb = match what {
        "turn_on" => "turned on",
        "turn_off" => "turned off",
        "toggle" => "toggled",
        "press" => "pressed",
        "open" => "opened",
        "close" => "closed",
        "stop" => "stopped",
        "set" => "set",
        other => other,
    };
    let rest = action.as_object().into_iter().flatten().filter(|(key, _)| *key != "action");
    let rest: Vec<String> = rest
        .map(|(key, value)| if key == "value" { format!("to {}", words(value)) } else { format!("{} {}", key.replace('_', " "), words(value)) })
        .collect();
    let rest = rest.join(", ");
    if rest.is_empty() { format!("{name} {verb}") } else { format!("{name} {verb}, {rest}").replace("set, to ", "set to ") }
}

/// What was asked of a bridge, and why it was not done.
fn said(entry: &Activity, asked: &str) -> String {
    let reason = words(&entry.detail["reason"]);
    if reason.is_empty() { asked.to_owned() } else { format!("{asked}, {reason}") }
}

/// What was written: `name Warmth, area attic`; what was taken back: `name as found`.
fn fields(written: &Json) -> String {
    let field = |(key, value): (&String, &Json)| if value.is_null() { format!("{key} as found") } else { format!("{key} {}", words(value)) };
    written.as_object().into_iter().flatten().map(field).collect::<Vec<_>>().join(", ")
}

fn stored(entry: &Activity) -> String {
    let n = words(&entry.detail["stored"]);
    if n.is_empty() { n } else { format!("{n} stored") }
}

/// A value of an entry as text; nothing for one that is not there.
fn words(value: &Json) -> String {
    match value {
        Json::Null => String::new(),
        Json::String(text) => clean_text(text, MOST_CHARS),
        other => clean_text(&other.to_string(), MOST_CHARS),
    }
}

fn area_name(fleet: &Fleet, id: &AreaId) -> String {
    fleet.area(id).map_or_else(|| name_from(id.as_str()), |area| area.name.clone())
}

/// Who it was, by name.
pub(super) fn who(name: &str, fleet: &Fleet) -> String {
    by(name, fleet).0
}

/// The name of a rule; of one without, what it watches for. One that is gone has its id.
fn rule_name(id: &str, fleet: &Fleet) -> String {
    match fleet.rule(id) {
        Some(rule) if !rule.name.is_empty() => rule.name.clone(),
        Some(rule) => {
            let name = fleet.entity(&rule.entity).map_or_else(|| rule.entity.to_string(), |view| view.name);
            format!("{name} {}", rule.condition.words())
        }
        None => id.to_owned(),
    }
}

/// Who it was, and the letters that stand for a person.
fn by(name: &str, fleet: &Fleet) -> (String, Option<String>) {
    if name == PROGRAM {
        return ("Signalbox".to_owned(), None);
    }
    if let Some(rule) = name.strip_prefix("rule ") {
        return (format!("Rule “{}”", clean_text(&rule_name(rule, fleet), 60)), None);
    }
    if name.starts_with(PROGRAM) {
        return (clean_text(name, 60), None);
    }
    let name = clean_text(name, 60);
    let letters = name.split([' ', '.', '-', '_']).filter_map(|word| word.chars().next()).filter(|c| c.is_alphanumeric());
    let initials: String = letters.take(2).flat_map(char::to_uppercase).collect();
    (name, Some(initials).filter(|initials| !initials.is_empty()))
}

/// What became of it, and the words for that; none where it is simply done.
fn standing(entry: &Activity, assumed: bool, now: Timestamp) -> (Standing, String) {
    let after = entry.after_ms.map(|ms| if ms < 10_000 { format!(", {}.{} s", ms / 1_000, ms % 1_000 / 100) } else { format!(", {} s", ms / 1_000) });
    let is_old = now.since_ms(entry.at) > PENDING_MS;
    match entry.outcome.as_str() {
        "done" => (Standing::None, String::new()),
        "confirmed" => (Standing::Confirmed, format!("Confirmed{}", after.unwrap_or_default())),
        "accepted" if assumed => (Standing::Confirmed, "Sent".to_owned()),
        "sent" | "accepted" if is_old => (Standing::Failed, "Outcome unknown".to_owned()),
        "sent" | "accepted" => (Standing::Pending, "Waiting".to_owned()),
        "unconfirmed" => (Standing::Failed, "Not confirmed".to_owned()),
        "failed" => (Standing::Failed, "Failed".to_owned()),
        "refused" => (Standing::Failed, "Refused".to_owned()),
        other => (Standing::Pending, app::tile::words::capital(&clean_text(other, 20))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::noted::entry;
    use crate::store::activity::Actor;
    use domain::fleet::Settings;
    use proptest::prelude::*;
    use serde_json::json;

    fn told(what: &str, who: &str, detail: Json, outcome: &str, after_ms: Option<i64>) -> ActivityRow {
        let at = Timestamp::from_ms(1_000);
        let entity = domain::entity::EntityId::parse("hall.light").ok();
        tell(&Activity { entity, outcome: outcome.into(), after_ms, ..entry(what, who.into(), detail, at) }, &Fleet::new(Settings::default()), at)
    }

    #[test]
    fn entries_are_told_in_words() {
        let command = |action: Json, outcome: &str, ms| {
            told(action["action"].as_str().unwrap_or_default(), "mara ilves", json!({"action": action}), outcome, ms)
        };
        let on = command(json!({"action": "turn_on", "brightness": 80}), "confirmed", Some(912));
        assert_eq!(
            (on.title.as_str(), on.outcome.as_str(), on.standing),
            ("hall.light turned on, brightness 80", "Confirmed, 0.9 s", Standing::Confirmed)
        );
        assert_eq!((on.who.as_str(), on.initials.as_deref()), ("mara ilves", Some("MI")));
        assert_eq!(command(json!({"action": "set", "value": 21.5}), "unconfirmed", None).title, "hall.light set to 21.5");
        let raised = told("alarm.raised", "rule hot", json!({"condition": "above 30", "severity": "critical", "state": "unacked"}), "done", None);
        assert_eq!((raised.title.as_str(), raised.who.as_str(), raised.mark.is_some()), ("hall.light above 30", "Rule “hot”", true));
        assert_eq!(
            told("scene.run", "jo", json!({"scene": "evening", "members": [{"state": "refused"}, {"state": "confirmed"}]}), "failed", None).note,
            "1 confirmed, 1 refused"
        );
        assert_eq!(told("group.save", "jo", json!({}), "done", None).title, "Group light set up");
        let written = told("entity.written", "jo", json!({"written": {"name": "Lamp", "area": null}}), "done", None);
        assert_eq!(written.note, "area as found, name Lamp");
    }

    proptest! {
        #[test]
        fn whatever_stands_in_an_entry_it_is_one_harmless_line(what in ".{0,40}", who in ".{0,40}", text in ".{0,400}", outcome in ".{0,40}") {
            let detail = json!({"action": {"action": what, "value": text}, "device": text, "condition": text, "written": {"name": text}, "reason": text});
            for what in [what.as_str(), "alarm.raised", "device.offline", "entity.written", "set"] {
                let row = told(what, &who, detail.clone(), &outcome, Some(i64::MAX));
                for said in [row.title, row.note, row.who, row.outcome] {
                    prop_assert!(said.chars().count() <= MOST_CHARS + 60, "{said}");
                    prop_assert!(!said.chars().any(|c| c.is_control() || domain::device::is_bidi_control(c)), "{said}");
                }
            }
        }
    }

    #[test]
    fn programs_and_rules_have_no_initials() {
        let rule: domain::rule::Rule = serde_json::from_value(
            json!({"id": "hot", "entity": "hall.temperature", "condition": {"type": "above", "limit": 30}, "severity": "critical"}),
        )
        .expect("a rule");
        let named = domain::rule::Rule { id: "cold".to_owned(), name: "Frost <b>".to_owned(), ..rule.clone() };
        let fleet = Fleet::new(Settings { rules: vec![rule, named], ..Settings::default() });
        assert_eq!(by(PROGRAM, &fleet), ("Signalbox".to_owned(), None));
        assert_eq!(by("signalbox import", &fleet).1, None);
        for (id, told) in [("rule hot", "Rule “hall.temperature above 30”"), ("rule cold", "Rule “Frost <b>”"), ("rule gone", "Rule “gone”")]
        {
            assert_eq!(by(id, &fleet), (told.to_owned(), None));
        }
        assert_eq!(Actor::from("x").address, None);
    }
}
