//! Commands: a payload with one metric, by its name.

use prost::Message;
use serde_json::Value as Json;

use super::datatype::{DataType, Integer};
use super::message::{Metric, MetricValue, Payload};
use super::topic::command_topic;
use crate::convention::Order;
use crate::time::Timestamp;

/// The metric by which a node is asked to say again all that it has (specification, section 6.4.7).
pub(super) const REBIRTH: &str = "Node Control/Rebirth";

/// A command as Sparkplug writes it: a payload with one metric; `None` where the value does not fit the data type.
pub fn encode(metric: &str, datatype: u32, said: &Json, now: Timestamp) -> Option<Vec<u8>> {
    let value = value(DataType::of(datatype), said)?;
    let timestamp = u64::try_from(now.as_ms()).ok();
    let metric = Metric { name: Some(metric.to_owned()), timestamp, datatype: Some(datatype), value: Some(value), ..Metric::default() };
    // Commands carry no number: they are none of the node's own messages.
    Some(Payload { timestamp, metrics: vec![metric], seq: None }.encode_to_vec())
}

/// What asks a node to say again all that it has.
pub(super) fn rebirth(group: &str, node: &str, now: Timestamp) -> Option<Order> {
    let payload = encode(REBIRTH, DataType::BOOLEAN, &Json::Bool(true), now)?;
    Some(Order { topic: command_topic(group, node, None), payload })
}

fn value(datatype: DataType, said: &Json) -> Option<MetricValue> {
    match datatype {
        DataType::Integer(integer) => whole(integer, said),
        #[expect(clippy::cast_possible_truncation, reason = "what is too large for it is infinite, and refused")]
        DataType::Float => number(said).map(|n| n as f32).filter(|n| n.is_finite()).map(MetricValue::Float),
        DataType::Double => number(said).map(MetricValue::Double),
        DataType::Boolean => match said {
            Json::Bool(on) => Some(*on),
            Json::String(word) => match word.as_str() {
                "on" | "true" | "press" => Some(true),
                "off" | "false" => Some(false),
                _ => None,
            },
            _ => None,
        }
        .map(MetricValue::Boolean),
        DataType::Text => match said {
            Json::String(text) => Some(MetricValue::String(text.clone())),
            Json::Bool(_) | Json::Number(_) => Some(MetricValue::String(said.to_string())),
            _ => None,
        },
        _ => None,
    }
}

fn number(said: &Json) -> Option<f64> {
    match said {
        Json::Number(n) => n.as_f64(),
        Json::String(text) => text.trim().parse().ok(),
        _ => None,
    }
    .filter(|n: &f64| n.is_finite())
}

/// A whole number in the range of its type, those with a sign as two's complement of their own width.
fn whole(integer: Integer, said: &Json) -> Option<MetricValue> {
    let n = number(said).filter(|n| n.fract() == 0.0 && integer.range().contains(n))?;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "held in the range of its type")]
    let bits = if integer.is_signed() { n as i64 as u64 } else { n as u64 };
    let bits = bits & integer.mask();
    Some(u32::try_from(bits).ok().filter(|_| integer.bits() <= 32).map_or(MetricValue::Long(bits), MetricValue::Int))
}
