//! What simulated devices are: data, from which their behavior, their names on the page and their past follow.

use std::time::Duration;

use domain::entity::EntityId;
use domain::value::{LightState, OnOff};

use super::curve::{Model, seed_of};

/// A place with devices, as one file builds it.
#[derive(Clone, Debug)]
pub struct Scene {
    /// Name for the command line and the log: `pump-house`.
    pub name: &'static str,
    /// The area that its devices stand in.
    pub area: Place,
    /// Its devices; each has a connection of its own.
    pub devices: Vec<Device>,
}

/// An area as the page shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Area id: `[a-z0-9_-]+`.
    pub id: &'static str,
    /// Shown name.
    pub name: &'static str,
    /// Icon name without `i-`.
    pub icon: &'static str,
}

/// One simulated device: one MQTT client with a last will.
#[derive(Clone, Debug)]
pub struct Device {
    /// The id in its topics: `[a-z0-9_-]+`.
    pub id: &'static str,
    /// What it measures.
    pub sensors: Vec<Sensor>,
    /// What it lets others set.
    pub controls: Vec<Control>,
    /// What goes wrong with it, again and again.
    pub fault: Option<Fault>,
}

impl Device {
    /// A device that does nothing yet.
    #[must_use]
    pub const fn new(id: &'static str) -> Self {
        Self { id, sensors: Vec::new(), controls: Vec::new(), fault: None }
    }

    /// Publishes one entity on `sensors/<id>/<measure>`.
    #[must_use]
    pub fn sensor(self, measure: &'static str, every_ms: i64, form: Form, shown: Shown, model: Model) -> Self {
        let topic = format!("sensors/{}/{measure}", self.id);
        self.sensor_on(topic, every_ms, form, vec![Measured::new(measure, shown, model)])
    }

    /// Publishes what it measures on any topic of two or three levels.
    #[must_use]
    pub fn sensor_on(mut self, topic: String, every_ms: i64, form: Form, measured: Vec<Measured>) -> Self {
        let device = self.id;
        let measured = measured.into_iter().map(|m| m.seeded_for(device)).collect();
        self.sensors.push(Sensor { topic, every_ms, form, measured });
        self
    }

    /// Obeys commands.
    #[must_use]
    pub fn control(mut self, control: Control) -> Self {
        self.controls.push(control);
        self
    }

    /// Fails from time to time.
    #[must_use]
    pub const fn failing(mut self, fault: Fault) -> Self {
        self.fault = Some(fault);
        self
    }

    /// The topic that says whether it is there.
    #[must_use]
    pub fn status_topic(&self) -> String {
        format!("devices/{}/status", self.id)
    }

    /// Every entity that the server will make of it: id, how it is shown, how it behaves.
    pub fn entities(&self) -> impl Iterator<Item = (EntityId, Shown, Model)> {
        let sensors = self.sensors.iter().flat_map(|sensor| &sensor.measured).map(|m| (self.entity_id(m.key), m.shown, m.model.clone()));
        let controls = self.controls.iter().map(|c| (self.entity_id(c.kind.key()), c.shown, c.model(self.id)));
        sensors.chain(controls)
    }

    fn entity_id(&self, key: &str) -> EntityId {
        EntityId::parse(&format!("{}.{key}", self.id)).expect("the scenes' ids are checked by a test")
    }
}

/// One topic that a device publishes in a rhythm, retained, QoS 1.
#[derive(Clone, Debug)]
pub struct Sensor {
    /// The topic.
    pub topic: String,
    /// Milliseconds from message to message.
    pub every_ms: i64,
    /// How the payload is written.
    pub form: Form,
    /// What stands in it: one thing, or several with [`Form::Leaves`].
    pub measured: Vec<Measured>,
}

/// How a payload is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// The bare value: `21.4`, `Depot 3`.
    Plain,
    /// A word for yes and one for no: `open`, `closed`.
    Words(&'static str, &'static str),
    /// `{"value":12.1,"unit":"V","ts":1781273006000}`: with the device's own time in milliseconds.
    Object {
        /// The unit as the device writes it.
        unit: &'static str,
    },
    /// `{"power":412,"energy_today":6.83}`: one member for each thing measured.
    Leaves,
}

/// One thing that is measured.
#[derive(Clone, Debug)]
pub struct Measured {
    /// The second half of the entity's id, and the member's name with [`Form::Leaves`].
    pub key: &'static str,
    /// How the page shows it.
    pub shown: Shown,
    /// How it behaves.
    pub model: Model,
}

impl Measured {
    /// A thing measured.
    #[must_use]
    pub const fn new(key: &'static str, shown: Shown, model: Model) -> Self {
        Self { key, shown, model }
    }

    fn seeded_for(mut self, device: &str) -> Self {
        // The words of one device change together: a van that is driving is not at its depot.
        let seed = if matches!(self.model, Model::Text(_)) { seed_of(device) } else { seed_of(&format!("{device}.{}", self.key)) };
        self.model = self.model.seeded(seed);
        self
    }
}

/// How the page shows an entity.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Shown {
    /// Name.
    pub name: &'static str,
    /// Icon name without `i-`.
    pub icon: &'static str,
    /// Unit; `None` for states and texts.
    pub unit: Option<&'static str>,
    /// The words for yes and no, where they are not on and off.
    pub words: Option<(&'static str, &'static str)>,
    /// Place within the area, lower first.
    pub order: i32,
}

impl Shown {
    /// A name, an icon and a place.
    #[must_use]
    pub const fn new(order: i32, name: &'static str, icon: &'static str) -> Self {
        Self { name, icon, unit: None, words: None, order }
    }

    /// With a unit.
    #[must_use]
    pub const fn unit(mut self, unit: &'static str) -> Self {
        self.unit = Some(unit);
        self
    }

    /// With words for yes and no.
    #[must_use]
    pub const fn words(mut self, yes: &'static str, no: &'static str) -> Self {
        self.words = Some((yes, no));
        self
    }
}

/// Something that obeys commands: command topic `control/<kind>s/<device>`, state topic `state/<kind>s/<device>`, retained.
#[derive(Clone, Debug)]
pub struct Control {
    /// A light or a switch.
    pub kind: ControlKind,
    /// How the page shows it.
    pub shown: Shown,
    /// The state it starts in. A switch has no brightness and no color temperature.
    pub initial: LightState,
    /// When it was on in the generated past.
    pub past: super::curve::Spells,
    /// Whether it does what it is told. One that does not still reports the state it stays in.
    pub obeys: bool,
}

impl Control {
    /// The topic that it takes commands on.
    #[must_use]
    pub fn command_topic(&self, device: &str) -> String {
        format!("control/{}/{device}", self.kind.plural())
    }

    /// The topic that it reports its state on.
    #[must_use]
    pub fn state_topic(&self, device: &str) -> String {
        format!("state/{}/{device}", self.kind.plural())
    }

    fn model(&self, device: &str) -> Model {
        let model = match self.kind {
            ControlKind::Switch => Model::Binary(self.past.clone()),
            ControlKind::Light => Model::Light {
                on: self.past.clone(),
                brightness: self.initial.brightness.unwrap_or(100),
                color_temp: self.initial.color_temp.unwrap_or(2_700),
            },
        };
        model.seeded(seed_of(device))
    }
}

/// What a control is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ControlKind {
    /// On or off, brightness, warmth.
    Light,
    /// On or off.
    Switch,
}

impl ControlKind {
    /// The second half of the entity's id: `light`.
    #[must_use]
    pub const fn key(self) -> &'static str {
        match self {
            Self::Light => "light",
            Self::Switch => "switch",
        }
    }

    const fn plural(self) -> &'static str {
        match self {
            Self::Light => "lights",
            Self::Switch => "switches",
        }
    }
}

/// A light that starts with this state; `past` says when it was on before the demo began.
#[must_use]
pub const fn light(shown: Shown, on: OnOff, brightness: u8, color_temp: u16, past: super::curve::Spells) -> Control {
    let initial = LightState { brightness: Some(brightness), color_temp: Some(color_temp), ..LightState::new(on) };
    Control { kind: ControlKind::Light, shown, initial, past, obeys: true }
}

/// A switch that starts with this state; `past` says when it was on before the demo began.
#[must_use]
pub const fn switch(shown: Shown, on: OnOff, past: super::curve::Spells) -> Control {
    let initial = LightState::new(on);
    Control { kind: ControlKind::Switch, shown, initial, past, obeys: true }
}

/// What goes wrong with a device: after `first_after` for `lasts`, then again after each `between`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    /// What happens.
    pub kind: FaultKind,
    /// From the first connect to the first fault.
    pub first_after: Duration,
    /// How long each lasts.
    pub lasts: Duration,
    /// From the end of one to the next.
    pub between: Duration,
}

/// What happens in a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// Stays connected and publishes no readings: its values go stale.
    Silent,
    /// The connection breaks without a DISCONNECT, so that the last will tells.
    Dropped,
}

impl Fault {
    /// How long the fault still lasts `elapsed` after the first connect; `None` while all is well.
    #[must_use]
    pub fn remaining(&self, elapsed: Duration) -> Option<Duration> {
        let since_first = elapsed.checked_sub(self.first_after)?;
        let period_ms = (self.lasts + self.between).as_millis().max(1);
        let into_ms = since_first.as_millis() % period_ms;
        let left_ms = self.lasts.as_millis().checked_sub(into_ms).filter(|&left| left > 0)?;
        Some(Duration::from_millis(u64::try_from(left_ms).unwrap_or(u64::MAX)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_come_back_in_their_rhythm() {
        let s = Duration::from_secs;
        let fault = Fault { kind: FaultKind::Silent, first_after: s(20), lasts: s(180), between: s(60) };
        for (at, left) in [(0, None), (19, None), (20, Some(180)), (199, Some(1)), (200, None), (259, None), (260, Some(180)), (500, Some(180))] {
            assert_eq!(fault.remaining(s(at)), left.map(s), "after {at} s");
        }
    }
}
