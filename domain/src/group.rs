//! Groups: several lights or switches that are shown and switched as one.

use serde::{Deserialize, Serialize};

#[cfg(feature = "decode")]
use crate::control::Limits;
use crate::device::{BadId, DeviceId, MAX_NAME_CHARS, clean_text};
use crate::entity::{EntityId, EntityKind};
use crate::live::{EntityView, Members};
use crate::quality::Quality;
use crate::value::{LightState, OnOff, Value};

/// Most groups of a server.
pub const MAX_GROUPS: usize = 100;
/// Most members of a group.
pub const MAX_MEMBERS: usize = 100;
/// The part of a group's entity id before the point: `group.stairs`.
pub const GROUP_DEVICE: &str = "group";
/// Longest id of a group, scene or schedule, in bytes.
pub const MAX_PLAN_ID_BYTES: usize = 64;

/// What is wrong with a group, scene or schedule that somebody wrote: which field, and why.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {reason}")]
pub struct BadPlan {
    /// The field as the body names it: `members[3]`.
    pub field: String,
    /// Why, as the end of a sentence that begins with the field.
    pub reason: String,
}

impl BadPlan {
    /// A field and why it is not taken.
    pub fn new(field: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { field: field.into(), reason: reason.into() }
    }
}

/// Several lights or switches that are shown and switched as one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Group {
    /// `[a-z0-9_-]`, at most [`MAX_PLAN_ID_BYTES`]; its entity is `group.<id>`.
    pub id: String,
    /// Shown name.
    pub name: String,
    /// What it is made of: 1 to [`MAX_MEMBERS`], each once, no groups.
    pub members: Vec<EntityId>,
}

impl Group {
    /// The group, if it is right in itself: whether its members exist is for the fleet to say.
    ///
    /// # Errors
    /// [`BadPlan`] names the field.
    pub fn checked(self) -> Result<Self, BadPlan> {
        check_id(&self.id)?;
        let name = checked_name(&self.name)?;
        if self.members.is_empty() || self.members.len() > MAX_MEMBERS {
            return Err(BadPlan::new("members", format!("a group has 1 to {MAX_MEMBERS} members, not {}", self.members.len())));
        }
        for (n, member) in self.members.iter().enumerate() {
            if self.members[..n].contains(member) {
                return Err(BadPlan::new(format!("members[{n}]"), format!("{member} is a member already")));
            }
        }
        Ok(Self { name, ..self })
    }

    /// The id of its entity; `None` for an id that [`Group::checked`] would refuse.
    #[must_use]
    pub fn entity(&self) -> Option<EntityId> {
        EntityId::parse(&format!("{GROUP_DEVICE}.{}", self.id)).ok()
    }

    /// The group as an entity, worked out from its members; those that are not known are `None`. `id` is that of its entity.
    ///
    /// It is a light when all that are known are lights, else a switch. Its value says whether all are on, and `members` how many. It is as good as
    /// the worst of them, but offline or unknown only when all are: as long as one can be switched, so can the group.
    #[must_use]
    pub fn view(&self, id: EntityId, device: DeviceId, members: &[Option<EntityView>]) -> EntityView {
        let known: Vec<&EntityView> = members.iter().flatten().collect();
        let is_light = !known.is_empty() && known.iter().all(|view| view.kind == EntityKind::Light);
        let is_on = |view: &&EntityView| view.v.as_ref().and_then(Value::is_on);
        let (on, total) = (known.iter().filter(|view| is_on(view) == Some(true)).count(), self.members.len());
        let is_all_on = on == total;
        let is_mixed = on > 0 && !is_all_on;
        let has_value = known.iter().any(|view| is_on(view).is_some());
        let shared = |of: fn(&EntityView) -> Option<&crate::device::AreaId>| {
            let first = known.first().and_then(|view| of(view))?;
            known.iter().all(|view| of(view) == Some(first)).then(|| first.clone())
        };
        EntityView {
            id,
            device,
            area: shared(|view| view.area.as_ref()),
            name: self.name.clone(),
            kind: if is_light { EntityKind::Light } else { EntityKind::Switch },
            unit: None,
            #[cfg(feature = "decode")]
            unit_guessed: false,
            v: has_value.then(|| if is_light { light(&known, is_all_on) } else { Value::Bool(is_all_on) }),
            t: known.iter().filter_map(|view| view.t).max(),
            q: worst(members),
            assumed: !known.is_empty() && known.iter().all(|view| view.assumed),
            settable: known.iter().any(|view| view.settable),
            icon: if is_light { "bulb" } else { "power" }.to_owned(),
            precision: None,
            since: known.iter().filter_map(|view| view.since).max(),
            word_on: None,
            word_off: is_mixed.then(|| format!("Mixed · {on} of {total} on")),
            offline_since: known.iter().filter_map(|view| view.offline_since).max(),
            topic: String::new(),
            hidden: false,
            link: None,
            #[cfg(feature = "decode")]
            limits: Limits::default(),
            members: Some(Members { on, total, mixed: is_mixed }),
        }
    }
}

/// The state of lights as one: the brightness and warmth that those which are on have on average.
fn light(known: &[&EntityView], is_all_on: bool) -> Value {
    let states: Vec<LightState> = known
        .iter()
        .filter_map(|view| match view.v {
            Some(Value::Light(state)) if state.state == OnOff::On => Some(state),
            _ => None,
        })
        .collect();
    let mean = |of: fn(&LightState) -> Option<u16>| {
        let all: Vec<u32> = states.iter().filter_map(of).map(u32::from).collect();
        let n = u32::try_from(all.len()).ok().filter(|&n| n > 0)?;
        u16::try_from((all.iter().sum::<u32>() + n / 2) / n).ok()
    };
    let brightness = mean(|state| state.brightness.map(u16::from)).and_then(|mean| u8::try_from(mean).ok());
    let state = if is_all_on { OnOff::On } else { OnOff::Off };
    Value::Light(LightState { brightness, color_temp: mean(|state| state.color_temp), ..LightState::new(state) })
}

/// How far the members can be trusted together.
fn worst(members: &[Option<EntityView>]) -> Quality {
    let qualities = || members.iter().map(|member| member.as_ref().map_or(Quality::Unknown, |view| view.q));
    for all in [Quality::Offline, Quality::Unknown] {
        if qualities().all(|q| q == all) {
            return all;
        }
    }
    let rank = |q: Quality| match q {
        Quality::Good => 0,
        Quality::Retained => 1,
        Quality::Bad => 2,
        Quality::Stale | Quality::Unknown | Quality::Offline => 3,
    };
    match qualities().map(rank).max() {
        Some(0) => Quality::Good,
        Some(1) => Quality::Retained,
        Some(2) => Quality::Bad,
        _ => Quality::Stale,
    }
}

/// Checks the id of a group, scene or schedule.
///
/// # Errors
/// [`BadPlan`] names the text.
pub fn check_id(id: &str) -> Result<(), BadPlan> {
    if id.len() > MAX_PLAN_ID_BYTES {
        return Err(BadPlan::new("id", format!("at most {MAX_PLAN_ID_BYTES} characters are allowed")));
    }
    DeviceId::parse(id).map(drop).map_err(|BadId(id)| BadPlan::new("id", format!("\"{id}\" is no id: only a-z, 0-9, _ and - are allowed")))
}

/// A shown name without blanks around it.
///
/// # Errors
/// [`BadPlan`] for one that is blank, too long, or has control or bidi characters.
pub fn checked_name(name: &str) -> Result<String, BadPlan> {
    let name = name.trim();
    if name.is_empty() {
        return Err(BadPlan::new("name", "it must not be empty"));
    }
    if clean_text(name, MAX_NAME_CHARS) != name {
        return Err(BadPlan::new("name", format!("at most {MAX_NAME_CHARS} characters and no control characters are allowed")));
    }
    Ok(name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn id(text: &str) -> EntityId {
        EntityId::parse(text).expect("id")
    }

    fn group(members: &[&str]) -> Group {
        Group { id: "all".into(), name: " All lamps ".into(), members: members.iter().map(|text| id(text)).collect() }
    }

    fn lamp(v: Option<Value>, q: Quality) -> Option<EntityView> {
        let kind = if matches!(v, Some(Value::Bool(_))) { EntityKind::Switch } else { EntityKind::Light };
        let text = "{\"id\":\"a.light\",\"device\":\"a\",\"area\":\"hall\",\"name\":\"A\",\"kind\":\"light\",\"unit\":null,\"v\":null,\"t\":5,\
                    \"q\":\"good\",\"settable\":true,\"icon\":\"bulb\",\"topic\":\"t\"}";
        let view: EntityView = serde_json::from_str(text).expect("a view");
        Some(EntityView { v, q, kind, ..view })
    }

    fn light(state: OnOff, brightness: u8) -> Option<Value> {
        Some(Value::Light(LightState { brightness: Some(brightness), ..LightState::new(state) }))
    }

    fn view(members: &[Option<EntityView>]) -> EntityView {
        let names: Vec<String> = (0..members.len()).map(|n| format!("m{n}.light")).collect();
        let group = group(&names.iter().map(String::as_str).collect::<Vec<_>>());
        group.view(group.entity().expect("id"), DeviceId::slug("group"), members)
    }

    #[test]
    fn a_group_is_on_when_all_are_and_mixed_when_some_are() {
        use OnOff::{Off, On};
        let good = Quality::Good;
        let all = view(&[lamp(light(On, 40), good), lamp(light(On, 61), good)]);
        assert_eq!((all.v.clone(), all.words()), (light(On, 51), "On".to_owned()));
        assert_eq!(all.members, Some(Members { on: 2, total: 2, mixed: false }));
        let some = view(&[lamp(light(On, 40), good), lamp(light(Off, 90), good), lamp(light(On, 40), good)]);
        assert_eq!((some.v.clone(), some.words()), (light(Off, 40), "Mixed · 2 of 3 on".to_owned()));
        assert_eq!(some.area.as_ref().map(crate::device::AreaId::as_str), Some("hall"));
        let none = view(&[lamp(light(Off, 40), good), None]);
        assert_eq!((none.words(), none.q, none.members), ("Off".to_owned(), Quality::Stale, Some(Members { on: 0, total: 2, mixed: false })));
        let plug = view(&[lamp(light(On, 1), good), lamp(Some(Value::Bool(true)), good)]);
        assert_eq!((plug.kind, plug.v), (EntityKind::Switch, Some(Value::Bool(true))));
    }

    #[test]
    fn a_group_is_as_good_as_its_worst_member_and_gone_only_when_all_are() {
        use Quality::{Bad, Good, Offline, Retained, Stale, Unknown};
        for (of, q) in [
            (vec![Good, Good], Good),
            (vec![Good, Retained], Retained),
            (vec![Bad, Retained], Bad),
            (vec![Good, Offline], Stale),
            (vec![Good, Unknown], Stale),
            (vec![Offline, Unknown], Stale),
            (vec![Offline, Offline], Offline),
            (vec![Unknown], Unknown),
        ] {
            let members: Vec<_> = of.iter().map(|&q| lamp(light(OnOff::On, 1), q)).collect();
            assert_eq!(view(&members).q, q, "{of:?}");
        }
        let unheard = view(&[None, None]);
        assert_eq!((unheard.q, unheard.v, unheard.settable), (Unknown, None, false));
    }

    #[test]
    fn a_group_that_makes_no_sense_is_refused_with_its_field() {
        let long = "x".repeat(MAX_PLAN_ID_BYTES + 1);
        let many: Vec<String> = (0..=MAX_MEMBERS).map(|n| format!("m{n}.light")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        for (bad, field) in [
            (Group { id: "No".into(), ..group(&["a.light"]) }, "id"),
            (Group { id: long, ..group(&["a.light"]) }, "id"),
            (Group { name: " ".into(), ..group(&["a.light"]) }, "name"),
            (Group { name: "a\u{202e}b".into(), ..group(&["a.light"]) }, "name"),
            (group(&[]), "members"),
            (group(&many), "members"),
            (group(&["a.light", "b.light", "a.light"]), "members[2]"),
        ] {
            assert_eq!(bad.checked().expect_err("refused").field, field);
        }
        assert_eq!(group(&["a.light"]).checked().expect("right").name, "All lamps");
    }

    proptest! {
        #[test]
        fn what_a_group_says_counts_its_members(states in proptest::collection::vec(proptest::option::of(any::<bool>()), 1..20)) {
            let members: Vec<_> = states.iter().map(|state| lamp(state.map(Value::Bool), Quality::Good)).collect();
            let on = states.iter().filter(|state| **state == Some(true)).count();
            let view = view(&members);
            prop_assert_eq!(view.members, Some(Members { on, total: states.len(), mixed: on > 0 && on < states.len() }));
            let says = view.v.and_then(|v| v.is_on());
            prop_assert_eq!(says, states.iter().any(Option::is_some).then_some(on == states.len()));
        }

        #[test]
        fn any_text_is_read_or_refused(text in ".{0,80}") {
            if let Ok(group) = serde_json::from_str::<Group>(&text) {
                _ = group.checked();
            }
            _ = check_id(&text);
            if let Ok(name) = checked_name(&text) {
                prop_assert_eq!(checked_name(&name), Ok(name.clone()));
            }
        }
    }
}
