//! Datatypes, formats and units of Homie, and what they are here.

use super::discover::Property;
use crate::control::Control;
use crate::convention::speech::{ColorForm, Form, Map, Scale};
use crate::entity::EntityKind;

/// Words of an enum that are taken.
const MOST_WORDS: usize = 500;

/// What a property's payloads are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Datatype {
    /// Whole numbers.
    Integer,
    /// Numbers.
    Float,
    /// Numbers, up to version 4.
    Percent,
    /// `true` or `false`.
    Boolean,
    /// Any text.
    #[default]
    String,
    /// One of the words of the format.
    Enum,
    /// A color.
    Color,
    /// An ISO 8601 time.
    Datetime,
    /// An ISO 8601 duration.
    Duration,
    /// JSON, from version 5 on.
    Json,
}

impl Datatype {
    /// As it is written; `None` for one that no version knows.
    pub(super) fn parse(word: &str) -> Option<Self> {
        Some(match word {
            "integer" => Self::Integer,
            "float" => Self::Float,
            "percent" => Self::Percent,
            "boolean" => Self::Boolean,
            "string" => Self::String,
            "enum" => Self::Enum,
            "color" => Self::Color,
            "datetime" => Self::Datetime,
            "duration" => Self::Duration,
            "json" => Self::Json,
            _ => return None,
        })
    }

    const fn is_number(self) -> bool {
        matches!(self, Self::Integer | Self::Float | Self::Percent)
    }
}

fn words_of(property: &Property) -> Vec<String> {
    property.format.split(',').map(str::trim).filter(|word| !word.is_empty()).take(MOST_WORDS).map(str::to_owned).collect()
}

/// What a payload of the property means.
pub(super) fn map_of(property: &Property) -> Map {
    match property.datatype {
        datatype if datatype.is_number() => Map::Number(Scale::default()),
        Datatype::Boolean => Map::OnOff { on: "true".into(), off: "false".into() },
        Datatype::Enum => match words_of(property) {
            words if words.is_empty() => Map::Text,
            words => Map::Words { words: words.into_iter().map(|word| (word.as_str().into(), word)).collect(), others: false },
        },
        _ => Map::Text,
    }
}

/// How a property is set.
pub(super) fn write_of(property: &Property, is_5: bool) -> Form {
    match property.datatype {
        datatype if datatype.is_number() => Form::Number { scale: Scale::default(), whole: datatype == Datatype::Integer },
        Datatype::Boolean => Form::on_off("true", "false"),
        // A message without a payload deletes; one zero byte is the empty text.
        Datatype::String if is_5 => Form::Word { words: vec![(String::new(), "\0".into())], others: true },
        _ => Form::Word { words: vec![], others: true },
    }
}

fn forms(property: &Property, is_5: bool) -> Vec<ColorForm> {
    let form = |word: &str| match (word.trim(), is_5) {
        ("rgb", false) => Some(ColorForm::RgbText),
        ("hsv", false) => Some(ColorForm::HsbText),
        ("rgb", true) => Some(ColorForm::HomieRgb),
        ("hsv", true) => Some(ColorForm::HomieHsv),
        ("xyz", true) => Some(ColorForm::HomieXyz),
        _ => None,
    };
    let known: Vec<ColorForm> = property.format.split(',').take(8).filter_map(form).collect();
    if known.is_empty() { vec![if is_5 { ColorForm::HomieRgb } else { ColorForm::RgbText }] } else { known }
}

/// What a color may be written as: a device that knows several forms says in each message which one it is.
pub(super) fn reads_of_color(property: &Property, is_5: bool) -> Vec<Map> {
    forms(property, is_5).into_iter().map(Map::Color).collect()
}

/// How a color is set: in the form that the device prefers.
pub(super) fn write_of_color(property: &Property, is_5: bool) -> Form {
    Form::Color(forms(property, is_5).first().copied().unwrap_or(ColorForm::RgbText))
}

/// Range or words of something that can be set. A range is `min:max` or `min:max:step`, any of it may be missing; one that cannot be is none.
pub(super) fn control_of(property: &Property) -> Control {
    if property.datatype == Datatype::Enum {
        return Control { options: words_of(property), ..Control::default() };
    }
    if !property.datatype.is_number() || !property.format.contains(':') {
        return Control::default();
    }
    let mut numbers = property.format.split(':').map(|text| text.trim().parse::<f64>().ok().filter(|n| n.is_finite()));
    let mut next = || numbers.next().flatten();
    let (min, max, step) = (next(), next(), next().filter(|step| *step > 0.0));
    if min.zip(max).is_some_and(|(min, max)| min >= max) {
        return Control::default();
    }
    Control { min, max, step, ..Control::default() }
}

/// The unit as it is shown; `#` counts, and has none.
pub(super) fn unit_of(property: &Property) -> Option<String> {
    let unit = property.unit.trim();
    if unit.is_empty() && property.datatype == Datatype::Percent {
        return Some("%".to_owned());
    }
    (!unit.is_empty() && unit != "#").then(|| unit.to_owned())
}

/// The device class that unit and name give away.
pub(super) fn class_of(property: &Property, kind: EntityKind) -> Option<String> {
    let word = property.id.rsplit(['-', '_']).next().unwrap_or_default();
    let class = match kind {
        EntityKind::BinarySensor => match word {
            "contact" => "opening",
            "presence" => "occupancy",
            word => crate::device_class::class(word).filter(|class| class.word_on.is_some()).map(|_| word)?,
        },
        EntityKind::Sensor => match (property.unit.trim(), word) {
            ("°C" | "°F" | "K", _) => "temperature",
            ("W" | "kW", _) => "power",
            ("Wh" | "kWh", _) => "energy",
            ("V" | "mV", _) => "voltage",
            ("A" | "mA", _) => "current",
            ("Hz", _) => "frequency",
            ("lx", _) => "illuminance",
            ("Pa" | "hPa" | "kPa" | "psi" | "bar" | "mbar", _) => "pressure",
            ("dBm", _) => "signal_strength",
            ("%", "humidity") => "humidity",
            ("%", "battery") => "battery",
            _ => return None,
        },
        _ => return None,
    };
    Some(class.to_owned())
}

/// Whether a yes or no of this name switches its node on and off.
pub(super) fn is_switch_word(id: &str) -> bool {
    matches!(id, "on" | "power" | "state" | "switch" | "onoff" | "on-off" | "light" | "lamp")
}
