//! Sparkplug B: an edge node with a press and a conveyor behind it. Data goes by alias; births say what the aliases mean.

use std::time::Duration;

use domain::time::Timestamp;
use prost::Message as _;

use self::machine::Machine;
use self::proto::{MetricValue, Payload, datatype};
use super::actor::Speech;
use super::parts::Uptime;
use crate::simulator::player::Outgoing;

/// The machines: their metrics, what moves them, what can be written.
mod machine;
/// The messages.
mod proto;

const GROUP: &str = "Plant-1";
const NODE: &str = "Press-Line";
const REBIRTH: &str = "Node Control/Rebirth";
const UPTIME_ALIAS: u64 = 2;
const REBIRTH_ALIAS: u64 = 1;

/// The edge node.
#[derive(Debug)]
pub(super) struct EdgeNode {
    machines: Vec<Machine>,
    /// Number of the connection, 0 to 255: it ties a death to its birth.
    bd_seq: u8,
    /// Number of the next message, 0 to 255.
    seq: u8,
    uptime: Uptime,
}

impl EdgeNode {
    pub(super) fn new() -> Self {
        // The first connection counts from 0.
        Self { machines: vec![machine::press(), machine::conveyor()], bd_seq: u8::MAX, seq: 0, uptime: Uptime::new() }
    }

    fn bd_seq_metric(&self, now: Option<Timestamp>) -> proto::Metric {
        let value = Some(MetricValue::Long(self.bd_seq.into()));
        proto::Metric { name: Some("bdSeq".into()), timestamp: now.map(unsigned), datatype: Some(datatype::INT64), value, ..proto::Metric::default() }
    }

    fn uptime(&mut self, now: Timestamp) -> MetricValue {
        MetricValue::Long(self.uptime.seconds(now))
    }

    /// Everything about the node and its machines; numbering begins anew.
    fn births(&mut self, now: Timestamp) -> Vec<Outgoing> {
        self.seq = 0;
        let metric = |name: &str, alias, datatype, value| proto::Metric {
            name: Some(name.to_owned()),
            alias: Some(alias),
            timestamp: Some(unsigned(now)),
            datatype: Some(datatype),
            value: Some(value),
            ..proto::Metric::default()
        };
        let node = vec![
            self.bd_seq_metric(Some(now)),
            metric(REBIRTH, REBIRTH_ALIAS, datatype::BOOLEAN, MetricValue::Boolean(false)),
            metric("Node Info/Uptime", UPTIME_ALIAS, datatype::INT64, self.uptime(now)),
            metric("Node Info/Firmware", 3, datatype::STRING, MetricValue::String("4.2.0".into())),
        ];
        let mut out = vec![self.message("NBIRTH", None, node, now)];
        for n in 0..self.machines.len() {
            let (name, metrics) = (self.machines[n].name, self.machines[n].birth(now));
            out.push(self.message("DBIRTH", Some(name), metrics, now));
        }
        out
    }

    fn message(&mut self, kind: &str, device: Option<&str>, metrics: Vec<proto::Metric>, now: Timestamp) -> Outgoing {
        let payload = Payload { timestamp: Some(unsigned(now)), metrics, seq: Some(self.seq.into()) };
        self.seq = self.seq.wrapping_add(1);
        Outgoing::event(topic(kind, device), payload.encode_to_vec()).at_most_once()
    }
}

impl Speech for EdgeNode {
    fn id(&self) -> &'static str {
        "sparkplug-press-line"
    }

    fn topics(&self) -> Vec<String> {
        vec![topic("NCMD", None), topic("DCMD", Some("+"))]
    }

    fn will(&mut self) -> Outgoing {
        self.bd_seq = self.bd_seq.wrapping_add(1);
        self.farewell()
    }

    /// The only message without a sequence number.
    fn farewell(&self) -> Outgoing {
        let payload = Payload { timestamp: None, metrics: vec![self.bd_seq_metric(None)], seq: None };
        Outgoing::event(topic("NDEATH", None), payload.encode_to_vec())
    }

    fn birth(&mut self, now: Timestamp) -> Vec<Outgoing> {
        self.births(now)
    }

    fn every(&self) -> Duration {
        Duration::from_secs(2)
    }

    fn telemetry(&mut self, now: Timestamp) -> Vec<Outgoing> {
        let uptime = proto::Metric {
            alias: Some(UPTIME_ALIAS),
            timestamp: Some(unsigned(now)),
            datatype: Some(datatype::INT64),
            value: Some(self.uptime(now)),
            ..proto::Metric::default()
        };
        let mut out = vec![self.message("NDATA", None, vec![uptime], now)];
        for n in 0..self.machines.len() {
            let (name, changed) = (self.machines[n].name, self.machines[n].changed(now));
            if !changed.is_empty() {
                out.push(self.message("DDATA", Some(name), changed, now));
            }
        }
        out
    }

    fn obey(&mut self, said_on: &str, payload: &[u8], now: Timestamp) -> Vec<Outgoing> {
        let Ok(command) = Payload::decode(payload) else { return vec![] };
        if said_on == topic("NCMD", None) {
            let rebirth = |metric: &proto::Metric| {
                (metric.name.as_deref() == Some(REBIRTH) || metric.alias == Some(REBIRTH_ALIAS)) && metric.value == Some(MetricValue::Boolean(true))
            };
            return if command.metrics.iter().any(rebirth) { self.births(now) } else { vec![] };
        }
        let Some(machine) = self.machines.iter_mut().find(|machine| topic("DCMD", Some(machine.name)) == said_on) else { return vec![] };
        let (name, written) = (machine.name, machine.write(&command.metrics, now));
        if written.is_empty() { vec![] } else { vec![self.message("DDATA", Some(name), written, now)] }
    }
}

fn topic(kind: &str, device: Option<&str>) -> String {
    device.map_or_else(|| format!("spBv1.0/{GROUP}/{kind}/{NODE}"), |device| format!("spBv1.0/{GROUP}/{kind}/{NODE}/{device}"))
}

fn unsigned(at: Timestamp) -> u64 {
    at.as_ms().max(0).unsigned_abs()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_ms(1_781_273_006_000);

    fn read(message: &Outgoing) -> (String, Payload) {
        assert!(!message.retain);
        (message.topic.clone(), Payload::decode(message.payload.as_slice()).expect("a payload"))
    }

    fn named(payload: &Payload, name: &str) -> proto::Metric {
        payload.metrics.iter().find(|metric| metric.name.as_deref() == Some(name)).expect("a metric").clone()
    }

    fn command(name: Option<&str>, alias: Option<u64>, value: MetricValue) -> Vec<u8> {
        let metric = proto::Metric { name: name.map(ToOwned::to_owned), alias, value: Some(value), ..proto::Metric::default() };
        Payload { timestamp: Some(1), metrics: vec![metric], seq: None }.encode_to_vec()
    }

    #[test]
    fn a_birth_and_the_will_of_its_connection_have_the_same_number() {
        let mut node = EdgeNode::new();
        for connection in [0, 1] {
            let (topic, death) = read(&node.will());
            assert_eq!((topic.as_str(), death.seq, node.farewell().qos), ("spBv1.0/Plant-1/NDEATH/Press-Line", None, 1));
            let births: Vec<_> = node.birth(NOW).iter().map(read).collect();
            let topics: Vec<&str> = births.iter().map(|(topic, _)| topic.as_str()).collect();
            assert_eq!(
                topics,
                ["spBv1.0/Plant-1/NBIRTH/Press-Line", "spBv1.0/Plant-1/DBIRTH/Press-Line/Press-1", "spBv1.0/Plant-1/DBIRTH/Press-Line/Conveyor"]
            );
            assert_eq!(births.iter().map(|(_, payload)| payload.seq).collect::<Vec<_>>(), [Some(0), Some(1), Some(2)]);
            let number = named(&births[0].1, "bdSeq").value;
            assert_eq!((&number, &named(&death, "bdSeq").value), (&Some(MetricValue::Long(connection)), &number));
        }
    }

    #[test]
    fn messages_are_numbered_from_0_to_255_and_round_again() {
        let mut node = EdgeNode::new();
        node.will();
        let mut expected = 0_u64;
        let mut out = node.birth(NOW);
        for step in 0..200 {
            for (topic, payload) in out.iter().map(read) {
                assert_eq!(payload.seq, Some(expected % 256), "{topic}");
                assert!(!topic.contains("DATA") || payload.metrics.iter().all(|m| m.alias.is_some() && m.name.is_none()), "{payload:?}");
                expected += 1;
            }
            out = node.telemetry(NOW.plus_ms(step * 2_000));
        }
        assert!(expected > 256, "{expected} messages");
    }

    #[test]
    fn a_rebirth_begins_anew() {
        let mut node = EdgeNode::new();
        node.will();
        node.birth(NOW);
        node.telemetry(NOW);
        for (name, alias) in [(Some(REBIRTH), None), (None, Some(REBIRTH_ALIAS))] {
            let out = node.obey("spBv1.0/Plant-1/NCMD/Press-Line", &command(name, alias, MetricValue::Boolean(true)), NOW);
            assert_eq!((out.len(), read(&out[0]).1.seq), (3, Some(0)));
        }
        for nonsense in [
            command(Some(REBIRTH), None, MetricValue::Boolean(false)),
            command(Some("Node Control/Reboot"), None, MetricValue::Boolean(true)),
            vec![0xff; 9],
        ] {
            assert_eq!(node.obey("spBv1.0/Plant-1/NCMD/Press-Line", &nonsense, NOW), []);
        }
    }

    #[test]
    fn what_is_writable_is_written_by_name_or_by_alias() {
        let mut node = EdgeNode::new();
        node.will();
        let births: Vec<_> = node.birth(NOW).iter().map(read).collect();
        let press = "spBv1.0/Plant-1/DCMD/Press-Line/Press-1";
        let alias = |name: &str| named(&births[1].1, name).alias;
        let below_zero = MetricValue::Int((-7_i32).cast_unsigned());
        for (name, by_name, value) in [
            ("Outputs/Run", true, MetricValue::Boolean(false)),
            ("Outputs/Trim", false, below_zero),
            ("Outputs/Setpoint", false, MetricValue::Double(61.5)),
            ("Outputs/Program", true, MetricValue::String("B".into())),
        ] {
            let telegram = command(by_name.then_some(name), alias(name).filter(|_| !by_name), value.clone());
            let out = node.obey(press, &telegram, NOW);
            let (topic, payload) = read(&out[0]);
            assert_eq!(topic, "spBv1.0/Plant-1/DDATA/Press-Line/Press-1");
            assert_eq!((payload.metrics[0].alias, &payload.metrics[0].value), (alias(name), &Some(value)), "{name}");
        }
        for (name, value) in [
            ("Inputs/Temperature", MetricValue::Float(1.0)),
            ("Outputs/Run", MetricValue::Int(1)),
            ("Nothing", MetricValue::Boolean(true)),
            ("Outputs/Setpoint", MetricValue::Double(f64::NAN)),
        ] {
            assert_eq!(node.obey(press, &command(Some(name), None, value), NOW), [], "{name}");
        }
        assert_eq!(node.obey("spBv1.0/Plant-1/DCMD/Press-Line/Nobody", &command(Some("Outputs/Run"), None, MetricValue::Boolean(true)), NOW), []);
        // The next birth holds what was written.
        let births: Vec<_> = node.birth(NOW).iter().map(read).collect();
        assert_eq!(named(&births[1].1, "Outputs/Setpoint").value, Some(MetricValue::Double(61.5)));
    }
}
