//! A ventilation unit of convention 4.

use domain::time::Timestamp;

use super::{boolean, kept, property};
use crate::simulator::conventions::actor::Speech;
use crate::simulator::conventions::parts::{curve, number, text, whole};
use crate::simulator::curve::{Curve, Model};
use crate::simulator::player::Outgoing;

const ROOT: &str = "homie/ventilation";
const LEVELS: [&str; 3] = ["low", "medium", "high"];

/// The ventilation unit: a fan, a lamp, the air.
#[derive(Debug)]
pub(in crate::simulator::conventions) struct Ventilation {
    power: bool,
    /// Per cent.
    speed: u8,
    level: &'static str,
    color: [u8; 3],
    temperature: Model,
    humidity: Model,
}

/// A property as the tree describes it: node, id, name, datatype, format, unit, whether it can be set.
type Property = (&'static str, &'static str, &'static str, &'static str, Option<&'static str>, Option<&'static str>, bool);

const NODES: [(&str, &str, &str, &str); 3] =
    [("fan", "Fan", "fan", "power,speed,level"), ("lamp", "Status lamp", "light", "color"), ("air", "Exhaust air", "sensor", "temperature,humidity")];

const PROPERTIES: [Property; 6] = [
    ("fan", "power", "Power", "boolean", None, None, true),
    ("fan", "speed", "Speed", "integer", Some("10:100"), Some("%"), true),
    ("fan", "level", "Level", "enum", Some("low,medium,high"), None, true),
    ("lamp", "color", "Color", "color", Some("rgb"), None, true),
    ("air", "temperature", "Temperature", "float", None, Some("°C"), false),
    ("air", "humidity", "Humidity", "float", Some("0:100"), Some("%"), false),
];

impl Ventilation {
    pub(in crate::simulator::conventions) fn new() -> Self {
        Self {
            power: true,
            speed: 40,
            level: "medium",
            color: [0, 120, 0],
            temperature: curve("homie4.t", Curve::flat(22.8, 1).daily(0.9, 16).noise(0.3, 200)),
            humidity: curve("homie4.h", Curve::flat(57.0, 1).noise(3.0, 260).within(0.0, 100.0)),
        }
    }

    fn tree() -> Vec<Outgoing> {
        let device = [
            ("$homie", "4.0.0"),
            ("$name", "Ventilation"),
            ("$state", "init"),
            ("$extensions", ""),
            ("$implementation", "signalbox"),
            ("$nodes", "fan,lamp,air"),
        ];
        let mut out: Vec<Outgoing> = device.into_iter().map(|(attribute, value)| kept(ROOT, attribute, value)).collect();
        for (node, name, kind, properties) in NODES {
            out.extend([("$name", name), ("$type", kind), ("$properties", properties)].map(|(a, value)| kept(ROOT, &format!("{node}/{a}"), value)));
        }
        for (node, id, name, datatype, format, unit, settable) in PROPERTIES {
            let settable = if settable { "true" } else { "false" };
            let attributes =
                [("$name", Some(name)), ("$datatype", Some(datatype)), ("$format", format), ("$unit", unit), ("$settable", Some(settable))];
            out.extend(attributes.into_iter().filter_map(|(a, value)| Some(kept(ROOT, &format!("{node}/{id}/{a}"), value?))));
        }
        out
    }

    fn value(&self, property: &str, now: Timestamp) -> Outgoing {
        let [r, g, b] = self.color;
        let value = match property {
            "fan/power" => self.power.to_string(),
            "fan/speed" => self.speed.to_string(),
            "fan/level" => self.level.to_owned(),
            "lamp/color" => format!("{r},{g},{b}"),
            "air/temperature" => format!("{:.1}", number(&self.temperature, now)),
            _ => format!("{:.1}", number(&self.humidity, now)),
        };
        kept(ROOT, property, value)
    }

    fn set(&mut self, property: &str, payload: &[u8]) -> Option<()> {
        let said = text(payload)?;
        match property {
            "fan/power" => self.power = boolean(said)?,
            "fan/speed" => self.speed = whole(payload, 10..=100)?,
            "fan/level" => self.level = LEVELS.into_iter().find(|level| *level == said)?,
            "lamp/color" => {
                let parts: Vec<u8> = said.split(',').map(|part| part.parse().ok()).collect::<Option<_>>()?;
                self.color = parts.try_into().ok()?;
            }
            _ => return None,
        }
        Some(())
    }
}

impl Speech for Ventilation {
    fn id(&self) -> &'static str {
        "homie-ventilation"
    }

    fn topics(&self) -> Vec<String> {
        vec![format!("{ROOT}/+/+/set")]
    }

    fn farewell(&self) -> Outgoing {
        kept(ROOT, "$state", "lost")
    }

    fn birth(&mut self, now: Timestamp) -> Vec<Outgoing> {
        let mut out = Self::tree();
        out.extend(PROPERTIES.map(|(node, id, ..)| self.value(&format!("{node}/{id}"), now)));
        out.push(kept(ROOT, "$state", "ready"));
        out
    }

    fn telemetry(&mut self, now: Timestamp) -> Vec<Outgoing> {
        vec![self.value("air/temperature", now), self.value("air/humidity", now)]
    }

    fn obey(&mut self, topic: &str, payload: &[u8], now: Timestamp) -> Vec<Outgoing> {
        let Some(property) = property(ROOT, topic) else { return vec![] };
        self.set(property, payload).map(|()| vec![self.value(property, now)]).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_ms(1_781_273_006_000);

    #[test]
    fn it_is_ready_once_its_whole_tree_is_told() {
        let mut device = Ventilation::new();
        let out = device.birth(NOW);
        assert!(out.iter().all(|o| o.retain && o.qos == 1));
        let states: Vec<(usize, String)> =
            out.iter().enumerate().filter(|(_, o)| o.topic == "homie/ventilation/$state").map(|(n, o)| (n, o.text())).collect();
        assert_eq!(states, [(2, "init".to_owned()), (out.len() - 1, "ready".to_owned())]);
        let find = |below: &str| out.iter().find(|o| o.topic == format!("homie/ventilation/{below}")).map(Outgoing::text);
        // What the tree lists is there, and nothing else.
        let mut listed = 0;
        for node in find("$nodes").expect("nodes").split(',') {
            for id in find(&format!("{node}/$properties")).expect("properties").split(',') {
                assert!(find(&format!("{node}/{id}/$datatype")).is_some() && find(&format!("{node}/{id}")).is_some(), "{node}/{id}");
                listed += 1;
            }
        }
        assert_eq!(listed, PROPERTIES.len());
        assert_eq!(device.farewell(), Outgoing::retained("homie/ventilation/$state", "lost"));
    }

    #[test]
    fn it_takes_what_its_formats_allow() {
        let mut device = Ventilation::new();
        let mut tell = |property: &str, value: &str| device.obey(&format!("homie/ventilation/{property}/set"), value.as_bytes(), NOW);
        for (property, value) in [("fan/power", "false"), ("fan/speed", "75"), ("fan/level", "high"), ("lamp/color", "255,0,9")] {
            assert_eq!(tell(property, value), [Outgoing::retained(format!("homie/ventilation/{property}"), value)]);
        }
        for (property, value) in
            [("fan/power", "on"), ("fan/speed", "9"), ("fan/level", "turbo"), ("lamp/color", "1,2"), ("lamp/color", "1,2,256"), ("air/humidity", "5")]
        {
            assert_eq!(tell(property, value), [], "{property} {value}");
        }
    }
}
