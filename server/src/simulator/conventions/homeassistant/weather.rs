//! A weather station that says everything in one JSON object, with a template for each component.

use domain::time::Timestamp;
use serde_json::json;

use super::{HUB_STATUS, about, asks_again, availability, config};
use crate::simulator::conventions::actor::Speech;
use crate::simulator::conventions::parts::{curve, is_on, number, spells};
use crate::simulator::curve::{Curve, Model, Spells};
use crate::simulator::player::Outgoing;

const ID: &str = "weather-7";

/// The weather station.
#[derive(Debug)]
pub(in crate::simulator::conventions) struct Weather {
    temperature: Model,
    humidity: Model,
    wind: Model,
    rain: Model,
}

impl Weather {
    pub(in crate::simulator::conventions) fn new() -> Self {
        Self {
            temperature: curve("weather-7.t", Curve::flat(17.2, 1).daily(4.5, 14).noise(0.5, 600)),
            humidity: curve("weather-7.h", Curve::flat(64.0, 0).daily(-14.0, 14).noise(3.0, 700).within(20.0, 100.0)),
            wind: curve("weather-7.w", Curve::flat(4.2, 1).noise(2.4, 120).noise(1.2, 15).within(0.0, 40.0)),
            rain: spells("weather-7.r", Spells::new(3_600, 0.4, 300, 1_500)),
        }
    }

    fn state(&self, now: Timestamp) -> Outgoing {
        let rain = if is_on(&self.rain, now) { 1.4 } else { 0.0 };
        let json = json!({
            "temperature": number(&self.temperature, now),
            "humidity": number(&self.humidity, now),
            "wind": { "speed": number(&self.wind, now) },
            "rain": rain,
        });
        Outgoing::retained(format!("{ID}/state"), json.to_string())
    }

    fn announcement() -> Outgoing {
        let (device, origin) = about(ID, "Weather station", "Wetterfrosch", "WF-7");
        let sensor = |id: &str, class: &str, unit: &str, template: &str| {
            let mut json = json!({ "p": "sensor", "stat_cla": "measurement", "uniq_id": format!("{ID}_{id}") });
            json["dev_cla"] = class.into();
            json["unit_of_meas"] = unit.into();
            json["val_tpl"] = template.into();
            json
        };
        let rain = json!({
            "p": "binary_sensor", "name": "Rain", "dev_cla": "moisture", "uniq_id": format!("{ID}_r"),
            "val_tpl": "{{ 'ON' if value_json.rain > 0 else 'OFF' }}",
        });
        let json = json!({
            "dev": device, "o": origin,
            "stat_t": format!("{ID}/state"), "avty_t": format!("{ID}/availability"), "qos": 1,
            "cmps": {
                "t": sensor("t", "temperature", "°C", "{{ value_json.temperature }}"),
                "h": sensor("h", "humidity", "%", "{{ value_json.humidity | int }}"),
                "w": sensor("w", "wind_speed", "m/s", "{{ value_json['wind']['speed'] | round(1) }}"),
                "r": rain,
            },
        });
        config("device/weather_7", &json)
    }
}

impl Speech for Weather {
    fn id(&self) -> &str {
        ID
    }

    fn topics(&self) -> Vec<String> {
        vec![HUB_STATUS.to_owned()]
    }

    fn farewell(&self) -> Outgoing {
        availability(ID, false)
    }

    fn birth(&mut self, now: Timestamp) -> Vec<Outgoing> {
        vec![Self::announcement(), availability(ID, true), self.state(now)]
    }

    fn telemetry(&mut self, now: Timestamp) -> Vec<Outgoing> {
        vec![self.state(now)]
    }

    fn obey(&mut self, topic: &str, payload: &[u8], now: Timestamp) -> Vec<Outgoing> {
        if asks_again(topic, payload) { self.birth(now) } else { vec![] }
    }
}
