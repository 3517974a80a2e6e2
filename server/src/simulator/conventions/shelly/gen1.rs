//! A relay of the first generation: plain words below `shellies/<id>`.

use std::time::Duration;

use domain::time::Timestamp;
use serde_json::json;

use super::text;
use crate::simulator::conventions::actor::Speech;
use crate::simulator::conventions::parts::{Meter, curve, number, rounded, switched, word};
use crate::simulator::curve::{Curve, Model};
use crate::simulator::player::Outgoing;

const ID: &str = "shelly1pm-8CAAB55F30D4";

/// The relay.
#[derive(Debug)]
pub(in crate::simulator::conventions) struct Relay {
    on: bool,
    power: Model,
    meter: Meter,
}

impl Relay {
    pub(in crate::simulator::conventions) fn new() -> Self {
        let power = curve("shelly.gen1", Curve::flat(41.0, 2).noise(1.5, 45).within(0.0, 3_500.0));
        Self { on: false, power, meter: Meter::at_wh(3_310.0) }
    }

    fn relay(&self) -> Outgoing {
        Outgoing::event(topic("relay/0"), word(self.on, "on", "off"))
    }

    /// To its own topic and to the one for all.
    fn announcement() -> Vec<Outgoing> {
        let json = json!({
            "id": ID, "model": "SHSW-PM", "mac": "8CAAB55F30D4", "ip": "192.168.7.52", "new_fw": false, "fw_ver": "20230913-112234/v1.14.0-gcb84623",
        });
        vec![Outgoing::event(topic("announce"), json.to_string()), Outgoing::event("shellies/announce", json.to_string())]
    }
}

impl Speech for Relay {
    fn id(&self) -> &str {
        ID
    }

    fn topics(&self) -> Vec<String> {
        vec![topic("relay/0/command"), topic("command"), "shellies/command".to_owned()]
    }

    fn farewell(&self) -> Outgoing {
        Outgoing::retained(topic("online"), "false")
    }

    fn birth(&mut self, now: Timestamp) -> Vec<Outgoing> {
        let mut out = vec![Outgoing::retained(topic("online"), "true")];
        out.extend(Self::announcement());
        out.extend(self.telemetry(now));
        out
    }

    fn every(&self) -> Duration {
        Duration::from_secs(10)
    }

    fn telemetry(&mut self, now: Timestamp) -> Vec<Outgoing> {
        let watts = if self.on { number(&self.power, now) } else { 0.0 };
        // Counted in watt minutes.
        let energy = self.meter.count(watts, now) * 60.0;
        vec![
            self.relay(),
            Outgoing::event(topic("relay/0/power"), format!("{watts:.2}")),
            Outgoing::event(topic("relay/0/energy"), format!("{energy:.0}")),
            Outgoing::event(topic("input/0"), "0"),
            Outgoing::event(topic("temperature"), format!("{:.2}", rounded(38.0 + watts / 20.0, 2))),
        ]
    }

    fn obey(&mut self, said_on: &str, payload: &[u8], now: Timestamp) -> Vec<Outgoing> {
        let Some(said) = text(payload) else { return vec![] };
        if said_on != topic("relay/0/command") {
            return match said {
                "announce" => Self::announcement(),
                "update" => self.telemetry(now),
                _ => vec![],
            };
        }
        let Some(on) = switched(said, self.on) else { return vec![] };
        self.on = on;
        vec![self.relay()]
    }
}

fn topic(below: &str) -> String {
    format!("shellies/{ID}/{below}")
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_ms(1_781_273_006_000);

    fn ask(relay: &mut Relay, on: &str, payload: &str) -> Vec<(String, String)> {
        relay.obey(on, payload.as_bytes(), NOW).into_iter().map(|o| (o.topic.clone(), o.text())).collect()
    }

    #[test]
    fn it_announces_itself_when_it_comes_and_when_it_is_asked() {
        let mut relay = Relay::new();
        let out = relay.birth(NOW);
        assert_eq!(out[0], Outgoing::retained("shellies/shelly1pm-8CAAB55F30D4/online", "true"));
        assert!(out.iter().any(|o| o.topic == "shellies/announce" && o.text().contains(r#""id":"shelly1pm-8CAAB55F30D4""#)));
        assert!(out.iter().any(|o| o.topic.ends_with("/relay/0") && o.text() == "off"));
        assert_eq!(ask(&mut relay, "shellies/command", "announce")[1].0, "shellies/announce");
        assert_eq!(relay.farewell().text(), "false");
    }

    #[test]
    fn it_switches_and_measures() {
        let mut relay = Relay::new();
        let command = "shellies/shelly1pm-8CAAB55F30D4/relay/0/command";
        let power = |relay: &mut Relay| relay.telemetry(NOW)[1].text().parse::<f64>().expect("a number");
        assert!(power(&mut relay) < 0.01);
        for (word, state) in [("on", "on"), ("toggle", "off"), ("toggle", "on")] {
            assert_eq!(ask(&mut relay, command, word), [("shellies/shelly1pm-8CAAB55F30D4/relay/0".to_owned(), state.to_owned())]);
        }
        assert!(power(&mut relay) > 1.0);
        assert_eq!((ask(&mut relay, command, "up"), ask(&mut relay, "shellies/command", "on")), (vec![], vec![]));
        assert_eq!(ask(&mut relay, "shellies/command", "update").len(), 5);
    }
}
