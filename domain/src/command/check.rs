//! Whether an entity can do what is asked: by its kind, its range, its steps and its options.

use super::{Action, Paint, Refusal, Wish};
use crate::entity::{Entity, EntityKind};
use crate::value::{Value, number_words};

/// Looks at an action for an entity; the action with its values as the entity takes them. Whether the device is there is another question.
///
/// # Errors
/// [`Refusal::Unsupported`] for what this kind cannot do, [`Refusal::OutOfRange`] and [`Refusal::Invalid`] with the field.
pub fn check(entity: &Entity, action: &Action) -> Result<Action, Refusal> {
    use EntityKind::{Button, Climate, Cover, Fan, Light, Lock, Number, Select, Switch, Text};
    let unsupported = || Refusal::Unsupported { entity: entity.id.clone(), action: action.as_str() };
    if !entity.is_settable() {
        return Err(unsupported());
    }
    match (entity.kind, action) {
        (Light, Action::TurnOn { brightness, color_temp }) => looks(*brightness, *color_temp)?,
        (Light, Action::Paint(paint)) => paints(paint)?,
        (Switch | Fan, Action::TurnOn { brightness: None, color_temp: None }) => {}
        (Light | Switch | Fan, Action::TurnOff {} | Action::Toggle {}) => {}
        (Button, Action::Press {}) => {}
        (Cover, Action::Open {} | Action::Close {} | Action::Stop {}) => {}
        (Lock, Action::Lock {} | Action::Unlock {}) => {}
        (Number | Select | Text | Cover | Climate, Action::Set(wish)) => return sets(entity, wish).map(|wish| Action::Set(Box::new(wish))),
        _ => return Err(unsupported()),
    }
    Ok(action.clone())
}

fn looks(brightness: Option<u8>, color_temp: Option<u16>) -> Result<(), Refusal> {
    if brightness.is_some_and(|b| b > 100) {
        return Err(Refusal::OutOfRange { field: "brightness", min: 0, max: 100 });
    }
    if color_temp.is_some_and(|k| !(1_000..=20_000).contains(&k)) {
        return Err(Refusal::OutOfRange { field: "color_temp", min: 1_000, max: 20_000 });
    }
    Ok(())
}

fn paints(paint: &Paint) -> Result<(), Refusal> {
    looks(paint.brightness, paint.color_temp)?;
    if paint.color.is_some() && paint.color_temp.is_some() {
        return Err(invalid("color", "cannot stand beside color_temp: a light shows one of them"));
    }
    if paint.transition_s.is_some_and(|s| !(0.0..=3_600.0).contains(&s)) {
        return Err(Refusal::OutOfRange { field: "transition_s", min: 0, max: 3_600 });
    }
    Ok(())
}

fn sets(entity: &Entity, wish: &Wish) -> Result<Wish, Refusal> {
    let own: &[&str] = match entity.kind {
        EntityKind::Cover => &["position"],
        EntityKind::Climate => &["temperature", "mode", "fan_mode", "preset"],
        _ => &["value"],
    };
    let given = given(wish);
    if let Some(field) = given.iter().find(|field| !own.contains(field)) {
        return Err(invalid(field, &format!("is nothing that {} has: expected {}", entity.id, own.join(", "))));
    }
    if given.is_empty() {
        return Err(invalid(own[0], "is missing"));
    }
    match entity.kind {
        EntityKind::Cover => match wish.position {
            Some(101..) => Err(Refusal::OutOfRange { field: "position", min: 0, max: 100 }),
            _ => Ok(wish.clone()),
        },
        EntityKind::Climate => {
            if let Some(temperature) = wish.temperature {
                within(entity, "temperature", temperature)?;
            }
            if let Some(mode) = &wish.mode {
                one_of(&entity.control.options, "mode", mode)?;
            }
            Ok(wish.clone())
        }
        kind => Ok(Wish { value: wish.value.as_ref().map(|value| value_of(entity, kind, value)).transpose()?, ..Wish::default() }),
    }
}

fn value_of(entity: &Entity, kind: EntityKind, value: &Value) -> Result<Value, Refusal> {
    match (kind, value) {
        (EntityKind::Number, Value::Number(n)) => within(entity, "value", *n).map(|()| value.clone()),
        // As a form sends it.
        (EntityKind::Number, Value::Text(text)) if text.trim().parse::<f64>().is_ok_and(f64::is_finite) => {
            value_of(entity, kind, &Value::Number(text.trim().parse().unwrap_or_default()))
        }
        (EntityKind::Number, other) => Err(invalid("value", &format!("cannot be \"{}\", expected a number", other.words(None)))),
        (EntityKind::Select, other) => {
            // An option may look like a number.
            let word = other.words(None).into_owned();
            one_of(&entity.control.options, "value", &word).map(|()| Value::Text(word))
        }
        (_, Value::Number(n)) => Ok(Value::Text(n.to_string())),
        (_, other) => Ok(other.clone()),
    }
}

/// Between least and most, on a step.
fn within(entity: &Entity, field: &'static str, n: f64) -> Result<(), Refusal> {
    let control = &entity.control;
    let words = |n: f64| number_words(n, None);
    if control.min.is_some_and(|min| n < min) || control.max.is_some_and(|max| n > max) {
        let range = match (control.min, control.max) {
            (Some(min), Some(max)) => format!("between {} and {}", words(min), words(max)),
            (Some(min), None) => format!("at least {}", words(min)),
            (_, max) => format!("at most {}", words(max.unwrap_or_default())),
        };
        return Err(invalid(field, &format!("cannot be {}, it must be {range}", words(n))));
    }
    if let Some(step) = control.step.filter(|step| *step > 0.0) {
        let steps = (n - control.min.unwrap_or(0.0)) / step;
        // Steps such as 0.1 are no binary numbers.
        if (steps - steps.round()).abs() > 1e-6 * steps.abs().max(1.0) {
            let from = words(control.min.unwrap_or(0.0));
            return Err(invalid(field, &format!("cannot be {}, it goes in steps of {} from {from}", words(n), words(step))));
        }
    }
    Ok(())
}

/// Without options everything may be one.
fn one_of(options: &[String], field: &str, word: &str) -> Result<(), Refusal> {
    if options.is_empty() || options.iter().any(|option| option == word) {
        return Ok(());
    }
    Err(invalid(field, &format!("cannot be \"{word}\", expected one of {}", options.join(", "))))
}

fn given(wish: &Wish) -> Vec<&'static str> {
    let Wish { value, position, temperature, mode, fan_mode, preset } = wish;
    let fields = [
        ("value", value.is_some()),
        ("position", position.is_some()),
        ("temperature", temperature.is_some()),
        ("mode", mode.is_some()),
        ("fan_mode", fan_mode.is_some()),
        ("preset", preset.is_some()),
    ];
    fields.into_iter().filter_map(|(field, is_given)| is_given.then_some(field)).collect()
}

fn invalid(field: &str, reason: &str) -> Refusal {
    Refusal::Invalid { field: field.to_owned(), reason: reason.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::control::Control;
    use crate::device::DeviceId;
    use crate::entity::EntityId;

    fn entity(kind: EntityKind) -> Entity {
        let device = DeviceId::parse("a").expect("id");
        let control = Control {
            min: Some(5.0),
            max: Some(30.0),
            step: Some(0.1),
            options: ["heat", "off", "3"].map(str::to_owned).to_vec(),
            ..Control::default()
        };
        Entity { kind, command_topic: Some("a/set".into()), control, ..Entity::new(EntityId::new(&device, "b"), device) }
    }

    fn told(kind: EntityKind, action: &str) -> String {
        let action: Action = serde_json::from_str(action).expect("an action");
        match check(&entity(kind), &action) {
            Ok(action) => serde_json::to_string(&action).expect("JSON"),
            Err(refusal) => refusal.to_string(),
        }
    }

    #[test]
    fn each_kind_does_what_it_can_and_says_what_it_cannot() {
        use EntityKind::{Button, Climate, Cover, Fan, Light, Lock, Number, Select, Sensor, Switch, Text};
        for (kind, action, told_is) in [
            (Light, r#"{"action":"turn_on","brightness":101}"#, "brightness must be between 0 and 100"),
            (Light, r#"{"action":"turn_on","color":{"r":1,"g":2,"b":3},"transition_s":4000}"#, "transition_s must be between 0 and 3600"),
            (
                Light,
                r#"{"action":"turn_on","color":{"r":1,"g":2,"b":3},"color_temp":3000}"#,
                "color cannot stand beside color_temp: a light shows one of them",
            ),
            (Light, r#"{"action":"turn_on","effect":"x"}"#, r#"{"action":"turn_on","effect":"x"}"#),
            (Light, r#"{"action":"open"}"#, "a.b cannot open"),
            (Switch, r#"{"action":"turn_on","brightness":1}"#, "a.b cannot turn_on"),
            (Switch, r#"{"action":"turn_on","effect":"x"}"#, "a.b cannot turn_on"),
            (Fan, r#"{"action":"toggle"}"#, r#"{"action":"toggle"}"#),
            (Number, r#"{"action":"set","value":21.3}"#, r#"{"action":"set","value":21.3}"#),
            (Number, r#"{"action":"set","value":31}"#, "value cannot be 31, it must be between 5 and 30"),
            (Number, r#"{"action":"set","value":5.25}"#, "value cannot be 5.25, it goes in steps of 0.1 from 5"),
            (Number, r#"{"action":"set","value":"x"}"#, "value cannot be \"x\", expected a number"),
            (Number, r#"{"action":"set","position":3}"#, "position is nothing that a.b has: expected value"),
            (Number, r#"{"action":"set"}"#, "value is missing"),
            (Select, r#"{"action":"set","value":"heat"}"#, r#"{"action":"set","value":"heat"}"#),
            (Select, r#"{"action":"set","value":3}"#, r#"{"action":"set","value":"3"}"#),
            (Select, r#"{"action":"set","value":"cool"}"#, "value cannot be \"cool\", expected one of heat, off, 3"),
            (Text, r#"{"action":"set","value":1.5}"#, r#"{"action":"set","value":"1.5"}"#),
            (Button, r#"{"action":"press"}"#, r#"{"action":"press"}"#),
            (Button, r#"{"action":"turn_on"}"#, "a.b cannot turn_on"),
            (Cover, r#"{"action":"set","position":101}"#, "position must be between 0 and 100"),
            (Cover, r#"{"action":"stop"}"#, r#"{"action":"stop"}"#),
            (Climate, r#"{"action":"set","temperature":40}"#, "temperature cannot be 40, it must be between 5 and 30"),
            (Climate, r#"{"action":"set","mode":"cool"}"#, "mode cannot be \"cool\", expected one of heat, off, 3"),
            (Climate, r#"{"action":"set","temperature":20.5,"preset":"away"}"#, r#"{"action":"set","temperature":20.5,"preset":"away"}"#),
            (Lock, r#"{"action":"open"}"#, "a.b cannot open"),
            (Lock, r#"{"action":"unlock"}"#, r#"{"action":"unlock"}"#),
            (Switch, r#"{"action":"lock"}"#, "a.b cannot lock"),
            (Sensor, r#"{"action":"toggle"}"#, "a.b cannot toggle"),
        ] {
            assert_eq!(told(kind, action), told_is, "{kind:?} {action}");
        }
    }

    #[test]
    fn what_has_no_command_topic_cannot_be_set() {
        let sensor = Entity { command_topic: None, ..entity(EntityKind::Switch) };
        assert!(matches!(check(&sensor, &Action::TurnOff {}), Err(Refusal::Unsupported { .. })));
    }
}
