//! The machines behind the edge node: metrics that follow curves, and metrics that can be written.

use domain::time::Timestamp;

use super::proto::{self, MetricValue, PropertyKind, PropertySet, PropertyValue, datatype};
use super::unsigned;
use crate::simulator::conventions::parts::{curve, number};
use crate::simulator::curve::{Curve, Model};

/// A machine.
#[derive(Debug)]
pub(super) struct Machine {
    /// Its id in topics.
    pub(super) name: &'static str,
    metrics: Vec<Metric>,
}

/// One metric of it.
#[derive(Debug)]
pub(super) struct Metric {
    name: &'static str,
    alias: u64,
    datatype: u32,
    unit: Option<&'static str>,
    /// Least and most of what may be written.
    range: Option<(f64, f64)>,
    source: Source,
    /// As told last.
    value: MetricValue,
}

#[derive(Debug)]
enum Source {
    /// Follows a curve while the machine runs, and stands at 0 while it does not.
    Curve(Model),
    /// Stands as it was written.
    Written,
}

/// A press that can be run, trimmed and told a program.
pub(super) fn press() -> Machine {
    let temperature = curve("sparkplug.press.t", Curve::flat(68.0, 1).wave(3.0, 21).noise(0.8, 40));
    let force = curve("sparkplug.press.f", Curve::flat(412.0, 0).noise(22.0, 12));
    Machine {
        name: "Press-1",
        metrics: vec![
            Metric::measured("Inputs/Temperature", 11, datatype::FLOAT, "°C", temperature),
            Metric::measured("Inputs/Force", 12, datatype::DOUBLE, "kN", force),
            Metric::written(RUN, 13, datatype::BOOLEAN, MetricValue::Boolean(true)),
            Metric::written("Outputs/Setpoint", 14, datatype::DOUBLE, MetricValue::Double(70.0)).within("°C", 20.0, 120.0),
            Metric::written("Outputs/Trim", 15, datatype::INT32, MetricValue::Int(2)).within("mm", -20.0, 20.0),
            Metric::written("Outputs/Program", 16, datatype::STRING, MetricValue::String("A".into())),
        ],
    }
}

/// A conveyor that can be run at a speed.
pub(super) fn conveyor() -> Machine {
    let speed = curve("sparkplug.conveyor.v", Curve::flat(0.8, 2).noise(0.03, 8).within(0.0, 2.0));
    Machine {
        name: "Conveyor",
        metrics: vec![
            Metric::measured("Inputs/Speed", 21, datatype::FLOAT, "m/s", speed),
            Metric::written(RUN, 22, datatype::BOOLEAN, MetricValue::Boolean(true)),
            Metric::written("Outputs/Speed", 23, datatype::FLOAT, MetricValue::Float(0.8)).within("m/s", 0.1, 2.0),
        ],
    }
}

const RUN: &str = "Outputs/Run";

impl Machine {
    /// Every metric with its name, alias, type and properties.
    pub(super) fn birth(&mut self, now: Timestamp) -> Vec<proto::Metric> {
        self.measure(now);
        self.metrics.iter().map(|metric| metric.born(now)).collect()
    }

    /// The metrics that moved since they were told.
    pub(super) fn changed(&mut self, now: Timestamp) -> Vec<proto::Metric> {
        let before: Vec<MetricValue> = self.metrics.iter().map(|metric| metric.value.clone()).collect();
        self.measure(now);
        self.metrics.iter().zip(before).filter(|(metric, before)| metric.value != *before).map(|(metric, _)| metric.data(now)).collect()
    }

    /// Writes what may be written; answers with the new values.
    pub(super) fn write(&mut self, wanted: &[proto::Metric], now: Timestamp) -> Vec<proto::Metric> {
        let mut written = vec![];
        for wanted in wanted {
            let is_meant = |metric: &&mut Metric| wanted.alias == Some(metric.alias) || wanted.name.as_deref() == Some(metric.name);
            let (Some(metric), Some(value)) = (self.metrics.iter_mut().find(is_meant), &wanted.value) else { continue };
            if metric.takes(value) {
                metric.value = value.clone();
                written.push(metric.data(now));
            }
        }
        written
    }

    fn measure(&mut self, now: Timestamp) {
        let runs = self.metrics.iter().any(|metric| metric.name == RUN && metric.value == MetricValue::Boolean(true));
        for metric in &mut self.metrics {
            if let Source::Curve(model) = &metric.source {
                let measured = if runs { number(model, now) } else { 0.0 };
                metric.value = if metric.datatype == datatype::FLOAT { MetricValue::Float(measured as f32) } else { MetricValue::Double(measured) };
            }
        }
    }
}

impl Metric {
    fn measured(name: &'static str, alias: u64, datatype: u32, unit: &'static str, model: Model) -> Self {
        Self { name, alias, datatype, unit: Some(unit), range: None, source: Source::Curve(model), value: MetricValue::Float(0.0) }
    }

    const fn written(name: &'static str, alias: u64, datatype: u32, value: MetricValue) -> Self {
        Self { name, alias, datatype, unit: None, range: None, source: Source::Written, value }
    }

    fn within(self, unit: &'static str, least: f64, most: f64) -> Self {
        Self { unit: Some(unit), range: Some((least, most)), ..self }
    }

    /// Whether a value may be written here: the type that was announced, within the range.
    fn takes(&self, value: &MetricValue) -> bool {
        let number = match value {
            MetricValue::Int(n) => f64::from(n.cast_signed()),
            MetricValue::Float(n) => f64::from(*n),
            MetricValue::Double(n) => *n,
            MetricValue::Long(_) | MetricValue::Boolean(_) | MetricValue::String(_) => 0.0,
        };
        matches!(self.source, Source::Written)
            && std::mem::discriminant(value) == std::mem::discriminant(&self.value)
            && self.range.is_none_or(|(least, most)| (least..=most).contains(&number))
    }

    /// As in data: the alias, no name.
    fn data(&self, now: Timestamp) -> proto::Metric {
        proto::Metric {
            alias: Some(self.alias),
            timestamp: Some(unsigned(now)),
            datatype: Some(self.datatype),
            value: Some(self.value.clone()),
            ..proto::Metric::default()
        }
    }

    /// As in a birth.
    fn born(&self, now: Timestamp) -> proto::Metric {
        let mut properties = PropertySet::default();
        let mut say = |key: &str, datatype, value| {
            properties.keys.push(key.to_owned());
            properties.values.push(PropertyValue { datatype: Some(datatype), value: Some(value) });
        };
        say("writable", datatype::BOOLEAN, PropertyKind::Boolean(matches!(self.source, Source::Written)));
        if let Some(unit) = self.unit {
            say("engUnit", datatype::STRING, PropertyKind::String(unit.to_owned()));
        }
        if let Some((least, most)) = self.range {
            say("engLow", datatype::DOUBLE, PropertyKind::Double(least));
            say("engHigh", datatype::DOUBLE, PropertyKind::Double(most));
        }
        proto::Metric { name: Some(self.name.to_owned()), properties: Some(properties), ..self.data(now) }
    }
}
