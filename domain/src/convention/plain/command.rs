//! How commands are written, and what agrees with them.

use serde_json::json;

use crate::command::{Action, Paint, Wish};
use crate::convention::Order;
use crate::entity::{Entity, EntityKind};
use crate::value::{ClimateState, Color, CoverState, CoverWord, LightState, OnOff, Value};

/// By how many per cent a cover may miss the position that it was asked for: motors do.
const POSITION_SLACK: u8 = 2;
/// By how much warmth may differ for a device's own scale, in kelvin.
const WARMTH_SLACK: u16 = 50;
/// By how much a temperature may differ, for devices that round.
const TEMPERATURE_SLACK: f64 = 0.051;

/// The command to an entity. Lights and switches: JSON in lower case, brightness in per cent, `{"state":"on","brightness":80}`. Climates: a JSON
/// object of what is set. Everything else: the bare value. `None` without a command topic, and for `Toggle`, which is resolved before.
#[must_use]
pub fn encode(entity: &Entity, action: &Action) -> Option<Order> {
    let topic = entity.command_topic.as_ref()?;
    let text = |text: &str| text.as_bytes().to_vec();
    let (topic, payload) = match action {
        Action::TurnOn { .. } | Action::TurnOff {} => (topic, serde_json::to_vec(&wanted_light(action)?).ok()?),
        Action::Paint(paint) => {
            let mut json = serde_json::to_value(wanted_light(action)?).ok()?;
            if let Some(transition_s) = paint.transition_s {
                json["transition_s"] = transition_s.into();
            }
            (topic, json.to_string().into_bytes())
        }
        Action::Toggle {} => return None,
        Action::Press {} => (topic, text(entity.control.payload_press.as_deref().unwrap_or("PRESS"))),
        Action::Open {} => (topic, text("open")),
        Action::Close {} => (topic, text("close")),
        Action::Stop {} => (topic, text("stop")),
        Action::Lock {} => (topic, text("lock")),
        Action::Unlock {} => (topic, text("unlock")),
        Action::Set(wish) => match (&**wish, &wish.value) {
            (Wish { position: Some(position), .. }, _) => {
                (entity.control.position_command_topic.as_ref().unwrap_or(topic), position.to_string().into_bytes())
            }
            (_, Some(Value::Number(n))) => (topic, text(&n.to_string())),
            (_, Some(value)) => (topic, text(&value.words(None))),
            (Wish { temperature, mode, fan_mode, preset, .. }, None) => {
                let mut json = json!({});
                let fields = [
                    ("temperature", temperature.map(serde_json::Value::from)),
                    ("mode", mode.clone().map(Into::into)),
                    ("fan_mode", fan_mode.clone().map(Into::into)),
                    ("preset", preset.clone().map(Into::into)),
                ];
                fields.into_iter().filter_map(|(field, value)| Some((field, value?))).for_each(|(field, value)| json[field] = value);
                (topic, json.to_string().into_bytes())
            }
        },
    };
    Some(Order { topic: topic.clone(), payload })
}

/// What a light is asked to be, with nothing that it is not asked for.
fn wanted_light(action: &Action) -> Option<LightState> {
    Some(match action {
        Action::TurnOn { brightness, color_temp } => LightState { brightness: *brightness, color_temp: *color_temp, ..LightState::new(OnOff::On) },
        Action::Paint(paint) => {
            let Paint { brightness, color_temp, color, effect, .. } = **paint;
            LightState { state: OnOff::On, brightness, color_temp, color, effect }
        }
        Action::TurnOff {} => LightState::new(OnOff::Off),
        _ => return None,
    })
}

/// What the device would report if it did what was asked, for an entity of this kind that reported `now` last; `None` where nobody can tell.
#[must_use]
pub fn expected(kind: EntityKind, action: &Action, now: Option<&Value>) -> Option<Value> {
    match action {
        Action::TurnOn { .. } | Action::Paint(_) | Action::TurnOff {} => {
            let wanted = wanted_light(action)?;
            if kind != EntityKind::Light {
                return Some(Value::Bool(wanted.state == OnOff::On));
            }
            let before = match now {
                Some(Value::Light(light)) => *light,
                _ => LightState::new(OnOff::Off),
            };
            Some(Value::Light(LightState {
                state: wanted.state,
                brightness: wanted.brightness.or(before.brightness),
                color_temp: wanted.color_temp.or(before.color_temp),
                color: wanted.color.or(before.color),
                effect: wanted.effect.or(before.effect),
            }))
        }
        Action::Open {} => Some(Value::Cover(CoverState { state: CoverWord::Open, position: Some(100) })),
        Action::Close {} => Some(Value::Cover(CoverState { state: CoverWord::Closed, position: Some(0) })),
        Action::Lock {} => Some(Value::Text("locked".to_owned())),
        Action::Unlock {} => Some(Value::Text("unlocked".to_owned())),
        Action::Set(wish) => match (&**wish, &wish.value) {
            (_, Some(value)) => Some(value.clone()),
            (Wish { position: Some(position), .. }, _) => {
                let state = if *position == 0 { CoverWord::Closed } else { CoverWord::Open };
                Some(Value::Cover(CoverState { state, position: Some(*position) }))
            }
            (wish, None) => {
                let mut climate = match now {
                    Some(Value::Climate(climate)) => (**climate).clone(),
                    _ => ClimateState::default(),
                };
                climate.mode = wish.mode.clone().or(climate.mode);
                climate.temperature = wish.temperature.or(climate.temperature);
                climate.fan_mode = wish.fan_mode.clone().or(climate.fan_mode);
                climate.preset = wish.preset.clone().or(climate.preset);
                Some(Value::Climate(Box::new(climate)))
            }
        },
        Action::Toggle {} | Action::Press {} | Action::Stop {} => None,
    }
}

/// Whether a report agrees with what was asked: only what the command named is compared. A cover that moves the right way agrees: it takes longer
/// to arrive than anybody waits for an answer.
#[must_use]
pub fn agrees(action: &Action, reported: &Value) -> bool {
    match action {
        Action::TurnOff {} => reported.is_on() == Some(false),
        Action::TurnOn { .. } | Action::Paint(_) => {
            reported.is_on() == Some(true)
                && match (wanted_light(action), reported) {
                    (Some(wanted), Value::Light(light)) => looks_as(&wanted, light),
                    _ => true,
                }
        }
        Action::Open {} | Action::Close {} | Action::Stop {} => matches!(reported, Value::Cover(cover) if moves_as(action, *cover)),
        Action::Lock {} | Action::Unlock {} => expected(EntityKind::Lock, action, None).as_ref() == Some(reported),
        Action::Set(wish) => match (&wish.value, reported) {
            (Some(Value::Number(wanted)), Value::Number(n)) => (wanted - n).abs() <= 1e-6 * wanted.abs().max(1.0),
            (Some(wanted), reported) => wanted == reported,
            (None, Value::Cover(cover)) => wish.position.is_some_and(|wanted| stands_at(wanted, *cover)),
            (None, Value::Climate(climate)) => does_as(wish, climate),
            (None, _) => false,
        },
        Action::Toggle {} | Action::Press {} => false,
    }
}

fn looks_as(wanted: &LightState, light: &LightState) -> bool {
    let near = |asked: Option<u16>, got: Option<u16>, slack: u16| asked.is_none_or(|asked| got.is_some_and(|got| got.abs_diff(asked) <= slack));
    let channels = |color: Color| [color.r, color.g, color.b];
    let same_color = |wanted: Color, got: Color| channels(wanted).into_iter().zip(channels(got)).all(|(wanted, got)| wanted.abs_diff(got) <= 2);
    near(wanted.brightness.map(u16::from), light.brightness.map(u16::from), 1)
        && near(wanted.color_temp, light.color_temp, WARMTH_SLACK)
        && wanted.color.is_none_or(|wanted| light.color.is_some_and(|got| same_color(wanted, got)))
        && wanted.effect.is_none_or(|wanted| light.effect == Some(wanted))
}

fn moves_as(action: &Action, cover: CoverState) -> bool {
    use CoverWord::{Closed, Closing, Open, Opening, Stopped};
    match action {
        Action::Open {} => cover.state == Opening || (cover.state == Open && cover.position.is_none_or(|at| at >= 100 - POSITION_SLACK)),
        Action::Close {} => cover.state == Closing || (cover.state == Closed && cover.position.is_none_or(|at| at <= POSITION_SLACK)),
        _ => matches!(cover.state, Open | Closed | Stopped),
    }
}

fn stands_at(wanted: u8, cover: CoverState) -> bool {
    cover.position.is_some_and(|at| match cover.state {
        CoverWord::Opening => at < wanted,
        CoverWord::Closing => at > wanted,
        _ => at.abs_diff(wanted) <= POSITION_SLACK,
    })
}

fn does_as(wish: &Wish, climate: &ClimateState) -> bool {
    let same = |wanted: &Option<String>, got: &Option<String>| wanted.is_none() || wanted == got;
    wish.temperature.is_none_or(|wanted| climate.temperature.is_some_and(|got| (wanted - got).abs() <= TEMPERATURE_SLACK))
        && same(&wish.mode, &climate.mode)
        && same(&wish.fan_mode, &climate.fan_mode)
        && same(&wish.preset, &climate.preset)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::control::Control;
    use crate::device::DeviceId;
    use crate::entity::EntityId;

    fn action(json: &str) -> Action {
        serde_json::from_str(json).expect("an action")
    }

    #[test]
    fn commands_are_written_as_plain_devices_read_them() {
        let device = DeviceId::parse("a").expect("id");
        let control = Control { position_command_topic: Some("a/at".into()), payload_press: Some("go".into()), ..Control::default() };
        let entity = Entity { command_topic: Some("a/set".into()), control, ..Entity::new(EntityId::new(&device, "b"), device) };
        for (asked, topic, payload) in [
            (r#"{"action":"turn_on","brightness":80}"#, "a/set", r#"{"state":"on","brightness":80}"#),
            (r#"{"action":"turn_off"}"#, "a/set", r#"{"state":"off"}"#),
            (
                r#"{"action":"turn_on","color":{"r":1,"g":2,"b":3},"transition_s":2}"#,
                "a/set",
                r#"{"color":{"b":3,"g":2,"r":1},"state":"on","transition_s":2.0}"#,
            ),
            (r#"{"action":"set","value":21.5}"#, "a/set", "21.5"),
            (r#"{"action":"set","value":3}"#, "a/set", "3"),
            (r#"{"action":"set","value":"Eco"}"#, "a/set", "Eco"),
            (r#"{"action":"press"}"#, "a/set", "go"),
            (r#"{"action":"open"}"#, "a/set", "open"),
            (r#"{"action":"stop"}"#, "a/set", "stop"),
            (r#"{"action":"unlock"}"#, "a/set", "unlock"),
            (r#"{"action":"set","position":40}"#, "a/at", "40"),
            (r#"{"action":"set","temperature":21.5,"mode":"heat"}"#, "a/set", r#"{"mode":"heat","temperature":21.5}"#),
        ] {
            let order = encode(&entity, &action(asked)).expect(asked);
            let written = String::from_utf8(order.payload).expect("text");
            // The order of fields is nobody's business.
            let same = written == payload
                || serde_json::from_str::<serde_json::Value>(&written).ok() == serde_json::from_str::<serde_json::Value>(payload).ok();
            assert!(order.topic == topic && same, "{asked}: {written}");
        }
        assert_eq!(encode(&entity, &Action::Toggle {}), None);
        let bare = Entity { control: Control::default(), ..entity };
        assert_eq!(encode(&bare, &Action::Press {}).expect("goes out").payload, b"PRESS");
        assert_eq!(encode(&bare, &action(r#"{"action":"set","position":40}"#)).expect("goes out").topic, "a/set");
    }

    #[test]
    fn only_what_was_asked_must_agree() {
        for (asked, reported, is_agreed) in [
            (r#"{"action":"turn_on","brightness":60}"#, r#"{"state":"on","brightness":59}"#, true),
            (r#"{"action":"turn_on","brightness":60}"#, r#"{"state":"on","brightness":50}"#, false),
            (r#"{"action":"turn_on","brightness":60}"#, r#"{"state":"off","brightness":60}"#, false),
            (r#"{"action":"turn_on","brightness":60}"#, r#"{"state":"on"}"#, false),
            (r#"{"action":"turn_on"}"#, r#"{"state":"on","brightness":3}"#, true),
            (r#"{"action":"turn_on","color":{"r":1,"g":2,"b":3}}"#, r#"{"state":"on","color":{"r":2,"g":2,"b":1}}"#, true),
            (r#"{"action":"turn_on","color":{"r":1,"g":2,"b":3}}"#, r#"{"state":"on","color":{"r":9,"g":2,"b":3}}"#, false),
            (r#"{"action":"turn_on","effect":"x"}"#, r#"{"state":"on"}"#, false),
            (r#"{"action":"turn_off"}"#, "false", true),
            (r#"{"action":"set","value":0.3}"#, "0.30000001192092896", true),
            (r#"{"action":"set","value":3}"#, "3.1", false),
            (r#"{"action":"set","value":"Eco"}"#, "\"Eco\"", true),
            (r#"{"action":"set","value":"Eco"}"#, "\"Auto\"", false),
            (r#"{"action":"open"}"#, r#"{"state":"opening","position":3}"#, true),
            (r#"{"action":"open"}"#, r#"{"state":"open","position":60}"#, false),
            (r#"{"action":"open"}"#, r#"{"state":"open"}"#, true),
            (r#"{"action":"close"}"#, r#"{"state":"open","position":60}"#, false),
            (r#"{"action":"close"}"#, r#"{"state":"closed","position":0}"#, true),
            (r#"{"action":"stop"}"#, r#"{"state":"opening","position":60}"#, false),
            (r#"{"action":"stop"}"#, r#"{"state":"stopped","position":60}"#, true),
            (r#"{"action":"set","position":40}"#, r#"{"state":"open","position":41}"#, true),
            (r#"{"action":"set","position":40}"#, r#"{"state":"opening","position":10}"#, true),
            (r#"{"action":"set","position":40}"#, r#"{"state":"closing","position":10}"#, false),
            (r#"{"action":"set","position":40}"#, r#"{"state":"open"}"#, false),
            (r#"{"action":"set","temperature":21,"mode":"heat"}"#, r#"{"mode":"heat","temperature":21.05,"preset":"away"}"#, true),
            (r#"{"action":"set","temperature":21,"mode":"heat"}"#, r#"{"mode":"off","temperature":21}"#, false),
            (r#"{"action":"press"}"#, "true", false),
            (r#"{"action":"lock"}"#, "\"locked\"", true),
            (r#"{"action":"lock"}"#, "\"locking\"", false),
            (r#"{"action":"unlock"}"#, "\"jammed\"", false),
        ] {
            let value: Value = serde_json::from_str(reported).expect(reported);
            assert_eq!(agrees(&action(asked), &value), is_agreed, "{asked} {reported}");
        }
    }

    #[test]
    fn what_is_expected_agrees() {
        use EntityKind::{Climate, Cover, Light, Lock, Number, Select, Switch};
        for (kind, asked) in [
            (Light, r#"{"action":"turn_on","brightness":80,"color":{"r":1,"g":2,"b":3},"effect":"x"}"#),
            (Light, r#"{"action":"turn_off"}"#),
            (Switch, r#"{"action":"turn_on"}"#),
            (Number, r#"{"action":"set","value":3}"#),
            (Select, r#"{"action":"set","value":"x"}"#),
            (Lock, r#"{"action":"lock"}"#),
            (Lock, r#"{"action":"unlock"}"#),
            (Cover, r#"{"action":"open"}"#),
            (Cover, r#"{"action":"close"}"#),
            (Cover, r#"{"action":"set","position":7}"#),
            (Climate, r#"{"action":"set","temperature":21,"mode":"heat","preset":"away","fan_mode":"low"}"#),
        ] {
            let asked = action(asked);
            assert!(expected(kind, &asked, None).is_some_and(|value| agrees(&asked, &value)), "{asked:?}");
        }
    }
}
