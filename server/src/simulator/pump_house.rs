//! The scene "pump house": a tank, two pumps, and a drive whose connection breaks.

use std::time::Duration;

use domain::value::OnOff;

use super::curve::{Curve, Model, Spells, Words};
use super::device::{Device, Fault, FaultKind, Form, Place, Scene, Shown, switch};

/// The pump house.
pub(super) fn scene() -> Scene {
    let area = Place { id: "pump-house", name: "Pump house", icon: "pump" };
    Scene { name: "pump-house", area, devices: vec![plant(), pump_1(), pump_2_drive(), motor_1()] }
}

fn plant() -> Device {
    let level = Curve::flat(62.0, 0).wave(7.0, 95).noise(1.0, 300).within(0.0, 100.0);
    let pressure = Curve::flat(3.91, 2).noise(0.05, 40).noise(0.03, 9).within(0.0, 10.0);
    let flow = Curve::flat(14.0, 1).noise(0.4, 60).noise(0.3, 12).within(0.0, 40.0);
    let vibration = Curve::flat(2.8, 1).noise(0.3, 25).noise(0.2, 5).within(0.0, 20.0);
    let mode = Words::new(&["Lead-lag", "Duty, standby"], 21_600, 0.85);
    let door = Spells::new(3_600, 0.5, 240, 1_200);
    Device::new("pump-house")
        .sensor("tank-level", 1_000, Form::Plain, Shown::new(1, "Tank level", "flow").unit("%"), Model::Number(level))
        .sensor("line-pressure", 1_000, Form::Plain, Shown::new(2, "Line pressure", "gauge").unit("bar"), Model::Number(pressure))
        .sensor("flow", 1_000, Form::Plain, Shown::new(3, "Flow", "flow").unit("m³/h"), Model::Number(flow))
        .sensor("mode", 5_000, Form::Plain, Shown::new(7, "Pump mode", "tag"), Model::Text(mode))
        .sensor("door", 2_000, Form::Words("open", "closed"), Shown::new(8, "Pump house door", "door").words("Open", "Closed"), Model::Binary(door))
        .sensor("vibration", 1_000, Form::Plain, Shown::new(9, "Vibration", "activity").unit("mm/s"), Model::Number(vibration))
}

fn pump_1() -> Device {
    let shown = Shown::new(4, "Pump 1", "pump").words("Running", "Stopped");
    Device::new("pump-1").control(switch(shown, OnOff::On, Spells::new(14_400, 0.9, 7_200, 14_400)))
}

/// Its connection breaks 15 s after it came, without a word: the broker says it with the last will.
fn pump_2_drive() -> Device {
    let rpm = Curve::flat(1_440.0, 0).noise(12.0, 15).within(0.0, 3_000.0);
    let s = Duration::from_secs;
    Device::new("pump-2-drive")
        .sensor("rpm", 1_000, Form::Plain, Shown::new(5, "Pump 2 drive", "pump").unit("rpm"), Model::Number(rpm))
        .failing(Fault { kind: FaultKind::Dropped, first_after: s(15), lasts: s(300), between: s(90) })
}

/// Crosses 80 °C for some minutes of each of its cycles.
fn motor_1() -> Device {
    let temperature = Curve::flat(73.5, 1).wave(7.5, 34).noise(0.6, 45);
    Device::new("motor-1").sensor("temperature", 1_000, Form::Plain, Shown::new(6, "Motor 1", "temperature").unit("°C"), Model::Number(temperature))
}
