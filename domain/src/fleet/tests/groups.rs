//! Groups: what they show, and what becomes of commands to them.

use super::*;
use crate::group::Group;
use crate::live::Members;

/// Three lamps that report their state, and a group of them.
fn plant() -> Plant {
    let mut plant = Plant::new(Settings::default());
    for lamp in ["a", "b", "c"] {
        plant.says(&format!("state/lights/{lamp}"), "off");
        plant.says(&format!("control/lights/{lamp}/status"), "online");
    }
    plant.feed(Input::PutGroup(group("all", &["a.light", "b.light", "c.light"])));
    plant
}

fn group(id: &str, members: &[&str]) -> Group {
    Group { id: id.into(), name: "All lamps".into(), members: members.iter().map(|id| entity_id(id)).collect() }
}

fn on() -> Action {
    Action::TurnOn { brightness: None, color_temp: None }
}

/// How the commands to the group went, with their reasons.
fn told(out: &[Change]) -> Vec<(CommandState, Option<String>)> {
    let of_group = |change: &Change| match change {
        Change::Command(report) if report.entity.device() == "group" => Some((report.state, report.reason.clone())),
        _ => None,
    };
    out.iter().filter_map(of_group).collect()
}

fn published(out: &[Change]) -> Vec<String> {
    out.iter().filter_map(|change| if let Change::Publish(publish) = change { Some(publish.command.clone()) } else { None }).collect()
}

#[test]
fn a_group_is_an_entity_that_follows_its_members() {
    let mut plant = plant();
    assert_eq!(plant.entity("group.all").words(), "Off");
    let out = plant.says("state/lights/b", "on");
    assert!(out.iter().any(|change| matches!(change, Change::Group(view) if view.words() == "Mixed · 1 of 3 on")), "{out:?}");
    plant.says("state/lights/a", "on");
    let out = plant.says("state/lights/c", "on");
    assert!(out.iter().any(|change| matches!(change, Change::Group(view) if view.words() == "On")), "{out:?}");
    assert_eq!(plant.entity("group.all").members, Some(Members { on: 3, total: 3, mixed: false }));
    assert!(plant.fleet.entities().iter().any(|view| view.id.as_str() == "group.all"));
    // The same again moves the age alone.
    plant.now += 5;
    let out = plant.says("state/lights/c", "on");
    let ages: Vec<_> =
        out.iter().filter_map(|change| if let Change::Shown(change) = change { Some((change.e.as_str(), change.t)) } else { None }).collect();
    assert!(ages.contains(&("group.all", Some(Timestamp::from_ms(plant.now)))), "{ages:?}");
    assert_eq!(plant.fleet.first_shown(), plant.fleet.entities().first().map(|view| &view.id));
    // It is worked out, and stored nowhere.
    assert!(plant.fleet.known_entities().all(|entity| entity.id.device() != "group"));
    assert_eq!(plant.feed(Input::RemoveGroup { id: "all".into() }), [Change::Gone(entity_id("group.all"))]);
    assert_eq!(plant.fleet.entity(&entity_id("group.all")), None);
}

#[test]
fn a_command_to_a_group_is_confirmed_when_every_member_is() {
    let mut plant = plant();
    let out = plant.feed(Input::Command { id: "g".into(), entity: entity_id("group.all"), action: Action::Toggle {} });
    assert_eq!(told(&out), [(CommandState::Sent, None)]);
    let parts = published(&out);
    assert_eq!(parts.len(), 3);
    let accepted: Vec<_> = parts.iter().flat_map(|id| told(&plant.feed(Input::CommandAccepted { id: id.clone() }))).collect();
    assert_eq!(accepted, [(CommandState::Accepted, None)]);
    assert_eq!(plant.fleet.pending(&entity_id("group.all")).map(|report| report.state), Some(CommandState::Accepted));
    plant.says("state/lights/a", "on");
    assert_eq!(told(&plant.says("state/lights/b", "on")), []);
    assert_eq!(told(&plant.says("state/lights/c", "on")), [(CommandState::Confirmed, None)]);
    assert_eq!(plant.fleet.pending(&entity_id("group.all")), None);
}

#[test]
fn the_members_that_did_not_do_it_are_named() {
    let mut plant = plant();
    plant.says("devices/b/status", "offline");
    let out = plant.feed(Input::Command { id: "g".into(), entity: entity_id("group.all"), action: on() });
    assert_eq!((told(&out), published(&out).len()), (vec![(CommandState::Sent, None)], 2), "the others are asked all the same");
    plant.says("state/lights/a", "on");
    let late = told(&plant.wait(crate::fleet::UNLEARNED_WAIT_MS));
    let reason = "b.light: b.light is offline; c.light: no answer in 10 s".to_owned();
    assert_eq!(late, [(CommandState::Failed, Some(reason))]);

    let mut plant = self::plant();
    plant.feed(Input::Command { id: "g".into(), entity: entity_id("group.all"), action: on() });
    plant.says("state/lights/a", "on");
    plant.says("state/lights/b", "on");
    let late = told(&plant.wait(crate::fleet::UNLEARNED_WAIT_MS));
    assert_eq!(late, [(CommandState::Unconfirmed, Some("c.light: no answer in 10 s".to_owned()))]);
}

#[test]
fn a_group_of_which_nothing_can_be_asked_refuses() {
    let mut plant = plant();
    for lamp in ["a", "b", "c"] {
        plant.says(&format!("devices/{lamp}/status"), "offline");
    }
    assert_eq!(plant.value("group.all").1, Quality::Offline);
    let out = plant.feed(Input::Command { id: "g".into(), entity: entity_id("group.all"), action: on() });
    assert_eq!(told(&out), [(CommandState::Refused, Some("a.light is offline".to_owned()))]);
    assert_eq!(published(&out).len(), 0);
}

#[test]
fn a_newer_command_ends_the_older_one() {
    let mut plant = plant();
    plant.feed(Input::Command { id: "g1".into(), entity: entity_id("group.all"), action: on() });
    let out = plant.feed(Input::Command { id: "g2".into(), entity: entity_id("group.all"), action: Action::TurnOff {} });
    let ended: Vec<_> = told(&out).into_iter().map(|(state, _)| state).collect();
    assert_eq!(ended, [CommandState::Sent, CommandState::Unconfirmed]);
    plant.wait(crate::fleet::MAX_WAIT_MS);
    assert!(plant.fleet.groups.pending.is_empty() && plant.fleet.groups.parts.is_empty(), "nothing is left of what ended");
}

#[test]
fn lamps_that_report_nothing_end_with_accepted() {
    let mut plant = Plant::new(Settings::default());
    plant.says("control/lights/x", "{\"state\":\"off\"}");
    plant.feed(Input::PutGroup(group("dumb", &["x.light"])));
    assert!(plant.entity("group.dumb").assumed);
    let out = plant.feed(Input::Command { id: "g".into(), entity: entity_id("group.dumb"), action: on() });
    let accepted = told(&plant.feed(Input::CommandAccepted { id: published(&out)[0].clone() }));
    assert_eq!(accepted, [(CommandState::Accepted, None)]);
    assert!(plant.fleet.groups.pending.is_empty());
}

#[test]
fn what_does_not_fit_is_refused_with_its_field() {
    let mut plant = plant();
    plant.says("sensors/a/temperature", "1");
    plant.says("sensors/group/temperature", "1");
    for (bad, field) in [
        (group("temperature", &["a.light"]), "id"),
        (group("new", &["a.light", "nobody.light"]), "members[1]"),
        (group("new", &["a.temperature"]), "members[0]"),
        (group("new", &["group.all"]), "members[0]"),
    ] {
        assert_eq!(plant.fleet.check_group(&bad).expect_err("refused").field, field);
    }
    for n in 0..crate::group::MAX_GROUPS - 1 {
        plant.feed(Input::PutGroup(group(&format!("g{n}"), &["a.light"])));
    }
    assert_eq!(plant.fleet.check_group(&group("more", &["a.light"])).expect_err("full").field, "id");
    assert_eq!(plant.fleet.check_group(&group("all", &["a.light"])), Ok(()), "one that is there can be changed");
    // A device does not take the id of a group either.
    plant.says("sensors/group/all", "5");
    assert_eq!(plant.entity("group.all").name, "All lamps");
    assert_eq!(plant.value("group.all-2").0, Some(Value::Number(5.0)));
}

proptest! {
    #[test]
    fn a_group_says_what_its_members_say(says in proptest::collection::vec((0_usize..3, any::<bool>()), 0..30)) {
        let mut plant = plant();
        let mut lit = [false; 3];
        for (lamp, is_on) in says {
            lit[lamp] = is_on;
            plant.says(&format!("state/lights/{}", ["a", "b", "c"][lamp]), if is_on { "on" } else { "off" });
            let n = lit.iter().filter(|lit| **lit).count();
            let words = match n { 0 => "Off".to_owned(), 3 => "On".to_owned(), n => format!("Mixed · {n} of 3 on") };
            prop_assert_eq!(plant.entity("group.all").words(), words);
        }
    }
}
