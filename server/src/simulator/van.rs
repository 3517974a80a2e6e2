//! The scene "van": Van 12 on the road and at its depot, and a cargo bay sensor that falls silent.

use std::time::Duration;

use domain::value::OnOff;

use super::curve::{Curve, Model, Spells, Words};
use super::device::{Device, Fault, FaultKind, Form, Place, Scene, Shown, switch};

/// Van 12.
pub(super) fn scene() -> Scene {
    let area = Place { id: "van-12", name: "Van 12", icon: "van" };
    Scene { name: "van", area, devices: vec![tracker(), cargo_bay(), tyres(), cooling_unit()] }
}

fn tracker() -> Device {
    let battery = Curve::flat(12.2, 1).wave(0.1, 44).noise(0.06, 400).within(10.0, 15.0);
    let fuel = Curve::flat(58.0, 0).falling(34.0, 30).within(0.0, 100.0);
    let cabin = Curve::flat(25.6, 1).daily(2.6, 14).wave(0.6, 70).noise(0.3, 240);
    let ignition = Words::new(&["Off, parked", "On, driving"], 1_500, 0.7);
    let position = Words::new(&["Depot 3", "Ring road", "Depot 1"], 1_500, 0.7);
    let doors = Spells::new(1_800, 0.5, 45, 240);
    Device::new("van-12")
        .sensor("starter-battery", 1_000, Form::Object { unit: "V" }, Shown::new(2, "Starter battery", "battery").unit("V"), Model::Number(battery))
        .sensor("ignition", 2_000, Form::Plain, Shown::new(3, "Ignition", "key"), Model::Text(ignition))
        .sensor("rear-doors", 2_000, Form::Words("open", "closed"), Shown::new(5, "Rear doors", "door").words("Open", "Closed"), Model::Binary(doors))
        .sensor("position", 2_000, Form::Plain, Shown::new(6, "Position", "pin"), Model::Text(position))
        .sensor("fuel", 2_000, Form::Plain, Shown::new(7, "Fuel", "gauge").unit("%"), Model::Number(fuel))
        .sensor("cabin", 1_000, Form::Plain, Shown::new(9, "Cabin", "temperature").unit("°C"), Model::Number(cabin))
}

/// Stays connected and stops speaking 20 s after it came: its value goes stale.
fn cargo_bay() -> Device {
    let temperature = Curve::flat(-18.4, 1).wave(0.7, 38).noise(0.2, 200);
    let s = Duration::from_secs;
    Device::new("van-12-cargo")
        .sensor("temperature", 2_000, Form::Plain, Shown::new(1, "Cargo bay", "temperature").unit("°C"), Model::Number(temperature))
        .failing(Fault { kind: FaultKind::Silent, first_after: s(20), lasts: s(240), between: s(60) })
}

fn tyres() -> Device {
    let pressure = Curve::flat(3.4, 1).daily(0.1, 14).noise(0.06, 900).within(0.0, 6.0);
    Device::new("van-12-tyres").sensor(
        "front-left",
        2_000,
        Form::Plain,
        Shown::new(4, "Tyre, front left", "tyre").unit("bar"),
        Model::Number(pressure),
    )
}

fn cooling_unit() -> Device {
    Device::new("cooling-unit").control(switch(Shown::new(8, "Cooling unit", "fan"), OnOff::On, Spells::new(1_200, 1.0, 540, 960)))
}
