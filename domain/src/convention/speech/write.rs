//! From an action to messages.

use serde::{Deserialize, Serialize};
use serde_json::{Map as Object, Value as Json, json};

use super::color::ColorForm;
use super::written::{Wanted, bare, look, put, wanted, written};
use super::{Part, Scale, Speech, scalar_text};
use crate::command::Action;
use crate::convention::template::Templates;
use crate::entity::{Entity, EntityKind};
use crate::time::Timestamp;
use crate::value::Value;

/// One place that a part of what is asked goes to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Write {
    /// The topic.
    pub topic: String,
    /// Which part.
    pub part: Part,
    /// How it is written.
    pub form: Form,
    /// Left out where another part goes out in its place: a device that takes a brightness for on.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub only_alone: bool,
}

/// How a part of what is asked is written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Form {
    /// A word, or what the device calls it. With words given, one that is not among them cannot be asked for, unless `others` may.
    Word {
        /// Our word, and what the device takes.
        #[serde(default)]
        words: Vec<(String, Json)>,
        /// Other words go out as they are.
        #[serde(default)]
        others: bool,
    },
    /// A number in the device's scale.
    Number {
        /// The device's scale.
        #[serde(default)]
        scale: Scale,
        /// Rounded to a whole number.
        #[serde(default)]
        whole: bool,
    },
    /// Kelvin as mireds.
    Mired,
    /// A color.
    Color(ColorForm),
    /// What a Jinja template makes of `value`; of a color it also gets `red`, `green`, `blue`, `hue`, `sat`, `x` and `y`.
    Template(String),
    /// What a Jinja template makes of `value` as another form writes it.
    Made {
        /// The template.
        template: String,
        /// What it gets.
        form: Box<Form>,
    },
    /// All that is asked of a light by one Jinja template: it gets `state`, and of `brightness`, `color_temp`, `red`, `green`, `blue`, `hue`, `sat`,
    /// `effect` and `transition` what is asked.
    Look {
        /// The template for a light that shall be on.
        on: String,
        /// The template for one that shall be off.
        off: String,
        /// The device's scale of brightness.
        scale: Scale,
        /// Whether `color_temp` is in kelvin: mireds otherwise.
        is_kelvin: bool,
    },
    /// It goes out in the message of another part.
    Beside,
    /// Under a name of a JSON object, in which all parts meet that go to one topic.
    Json {
        /// The names on the way, from the outside.
        path: Vec<String>,
        /// How it is written there.
        form: Box<Form>,
    },
    /// A call as Shelly takes it: `{"id":1,"src":"…","method":"Switch.Set","params":{"id":0,"on":true}}`.
    Rpc {
        /// The method.
        method: String,
        /// What always stands in `params`.
        params: Object<String, Json>,
        /// The name in `params`; an empty one takes nothing, and the call is made for the words of its form alone.
        key: String,
        /// How it is written there.
        form: Box<Form>,
    },
    /// A metric of Sparkplug B.
    Sparkplug {
        /// Its name.
        metric: String,
        /// Its data type by number.
        datatype: u32,
    },
}

impl Form {
    /// `ON` and `OFF`, or other words for them.
    #[must_use]
    pub fn on_off(on: impl Into<Json>, off: impl Into<Json>) -> Self {
        Self::Word { words: vec![("on".to_owned(), on.into()), ("off".to_owned(), off.into())], others: false }
    }

    /// Under one name of a JSON object.
    #[must_use]
    pub fn at(self, name: &str) -> Self {
        Self::Json { path: vec![name.to_owned()], form: Box::new(self) }
    }
}

/// A message of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// Where to.
    pub topic: String,
    /// What.
    pub payload: Vec<u8>,
}

/// What a command is written with.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// All templates.
    pub templates: &'a Templates,
    /// The number of the command: a reply names it.
    pub ticket: u32,
    /// Our name, under which replies come.
    pub source: &'a str,
    /// What the entity is now: what is not asked for stays as it is.
    pub before: Option<&'a Value>,
    /// Now.
    pub now: Timestamp,
}

/// The messages that ask an entity for something, in the order in which they go out; none where it cannot be asked for that.
#[must_use]
pub fn encode(speech: &Speech, entity: &Entity, action: &Action, context: Context<'_>) -> Vec<Order> {
    let mut wanted = wanted(entity.kind, action);
    // Some colors carry a brightness: a light that is asked for a color alone keeps its own.
    for (_, asked) in &mut wanted {
        if let (Wanted::Color(_, brightness @ None), Some(Value::Light(light))) = (asked, context.before) {
            *brightness = light.brightness;
        }
    }
    let mut orders: Vec<Order> = vec![];
    let mut objects: Vec<(usize, Object<String, Json>)> = vec![];
    let n_written = wanted.iter().filter(|(part, _)| speech.writes.iter().any(|write| write.part == *part)).count();
    for write in &speech.writes {
        let Some((_, asked)) = wanted.iter().find(|(part, _)| *part == write.part) else { continue };
        if write.only_alone && n_written > 1 {
            continue;
        }
        match &write.form {
            Form::Json { path, form } => {
                let Some(value) = written(form, asked, context) else { continue };
                let at = orders.iter().position(|order| order.topic == write.topic).unwrap_or_else(|| {
                    orders.push(Order { topic: write.topic.clone(), payload: vec![] });
                    orders.len() - 1
                });
                if !objects.iter().any(|(known, _)| *known == at) {
                    objects.push((at, Object::new()));
                }
                if let Some((_, object)) = objects.iter_mut().find(|(known, _)| *known == at) {
                    put(object, path, value);
                }
            }
            Form::Rpc { method, params, key, form } => {
                // A call for another word: `Cover.Open` is no way to close.
                let Some(value) = written(form, asked, context) else { continue };
                let mut params = params.clone();
                if !key.is_empty() {
                    params.insert(key.clone(), value);
                }
                match orders.iter_mut().find(|order| order.topic == write.topic && joins(&order.payload, method)) {
                    // One call with all that is asked.
                    Some(order) => {
                        if let Ok(Json::Object(mut call)) = serde_json::from_slice(&order.payload) {
                            if let Some(Json::Object(known)) = call.get_mut("params") {
                                known.extend(params);
                            }
                            order.payload = Json::Object(call).to_string().into_bytes();
                        }
                    }
                    None => {
                        let call = json!({ "id": context.ticket, "src": context.source, "method": method, "params": params });
                        orders.push(Order { topic: write.topic.clone(), payload: call.to_string().into_bytes() });
                    }
                }
            }
            Form::Sparkplug { metric, datatype } => {
                let said = match asked {
                    Wanted::Word(word) => Json::from(*word),
                    Wanted::Number(n) => Json::from(*n),
                    Wanted::Value(value) => bare(value),
                    Wanted::Color(..) => continue,
                };
                if let Some(payload) = crate::convention::sparkplug::encode(metric, *datatype, &said, context.now) {
                    orders.push(Order { topic: write.topic.clone(), payload });
                }
            }
            Form::Look { on, off, scale, is_kelvin } => {
                let template = if matches!(asked, Wanted::Word("off")) { off } else { on };
                if let Ok(made) = context.templates.render_parts(template, look(&wanted, *scale, *is_kelvin)) {
                    orders.push(Order { topic: write.topic.clone(), payload: made.into_bytes() });
                }
            }
            form => {
                if let Some(value) = written(form, asked, context) {
                    let text = scalar_text(&value).map_or_else(|| value.to_string(), std::borrow::Cow::into_owned);
                    orders.push(Order { topic: write.topic.clone(), payload: text.into_bytes() });
                }
            }
        }
    }
    for (at, object) in objects {
        if let Some(order) = orders.get_mut(at) {
            order.payload = Json::Object(object).to_string().into_bytes();
        }
    }
    orders
}

/// The first field of an action that a device has no way of being told.
#[must_use]
pub fn unwritable(speech: &Speech, kind: EntityKind, action: &Action) -> Option<&'static str> {
    let has = |part: Part| speech.writes.iter().any(|write| write.part == part);
    // How long a change takes is a wish: a device that cannot do it does it at once.
    wanted(kind, action).into_iter().find(|(part, _)| !has(*part) && *part != Part::Transition).map(|(part, asked)| match (part, asked) {
        (Part::State, Wanted::Word("stop")) => "stop",
        (Part::State, _) => "value",
        (Part::Brightness, _) => "brightness",
        (Part::ColorTemp, _) => "color_temp",
        (Part::Color, _) => "color",
        (Part::Effect, _) => "effect",
        (Part::ColorMode, _) => "color_mode",
        (Part::Transition, _) => "transition_s",
        (Part::Position, _) => "position",
        (Part::Mode, _) => "mode",
        (Part::Temperature | Part::CurrentTemperature, _) => "temperature",
        (Part::FanMode, _) => "fan_mode",
        (Part::Preset, _) => "preset",
    })
}

/// Whether a call is one of this method.
fn joins(payload: &[u8], method: &str) -> bool {
    serde_json::from_slice::<Json>(payload).is_ok_and(|call| call["method"] == method)
}
