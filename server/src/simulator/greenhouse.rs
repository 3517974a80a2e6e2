//! The scene "greenhouse": air, soil and light, and a misting valve that never confirms.

use domain::value::OnOff;

use super::curve::{Curve, Model, Spells, Words};
use super::device::{Control, Device, Form, Place, Scene, Shown, light, switch};

/// Greenhouse 1.
pub(super) fn scene() -> Scene {
    let area = Place { id: "greenhouse-1", name: "Greenhouse 1", icon: "greenhouse" };
    Scene { name: "greenhouse", area, devices: vec![climate(), soil_bed_a(), soil_bed_b(), misting_valve(), grow_lights(), irrigation()] }
}

/// The vents open and close in waves of half an hour, so that the air is above 34 °C for some minutes of many of them.
fn climate() -> Device {
    let air = Curve::flat(32.6, 1).daily(0.8, 13).wave(1.9, 28).noise(0.4, 150);
    let humidity = Curve::flat(74.0, 0).daily(-3.0, 13).wave(-3.0, 28).noise(1.5, 200).within(30.0, 100.0);
    let co2 = Curve::flat(820.0, 0).daily(-120.0, 13).wave(40.0, 35).noise(25.0, 90).within(380.0, 2_000.0);
    Device::new("greenhouse-1")
        .sensor("air-temperature", 1_000, Form::Plain, Shown::new(1, "Air temperature", "temperature").unit("°C"), Model::Number(air))
        .sensor("humidity", 1_000, Form::Plain, Shown::new(2, "Humidity", "humidity").unit("%"), Model::Number(humidity))
        .sensor("co2", 1_000, Form::Plain, Shown::new(3, "CO₂", "air").unit("ppm"), Model::Number(co2))
}

fn soil_bed_a() -> Device {
    let moisture = Curve::flat(41.0, 0).falling(5.0, 9).noise(0.8, 1_200).within(0.0, 100.0);
    Device::new("soil-bed-a").sensor("moisture", 2_000, Form::Plain, Shown::new(4, "Soil, bed A", "soil").unit("%"), Model::Number(moisture))
}

/// Too dry: its drip line is clogged.
fn soil_bed_b() -> Device {
    let moisture = Curve::flat(18.4, 0).daily(-0.4, 15).noise(0.7, 1_500).within(0.0, 19.0);
    Device::new("soil-bed-b").sensor("moisture", 2_000, Form::Plain, Shown::new(5, "Soil, bed B", "soil").unit("%"), Model::Number(moisture))
}

/// Takes commands and does nothing: its coil is burnt.
fn misting_valve() -> Device {
    let shown = Shown::new(6, "Misting valve", "humidity");
    Device::new("misting-valve").control(Control { obeys: false, ..switch(shown, OnOff::Off, Spells::new(7_200, 0.7, 300, 600)) })
}

fn grow_lights() -> Device {
    let past = Spells::new(86_400, 1.0, 14_400, 28_800);
    Device::new("grow-lights").control(light(Shown::new(7, "Grow lights", "bulb"), OnOff::Off, 80, 4_000, past))
}

fn irrigation() -> Device {
    let mode = Words::new(&["Auto, drip", "Auto, idle", "Manual, drip"], 1_800, 0.7);
    Device::new("irrigation").sensor("mode", 5_000, Form::Plain, Shown::new(8, "Irrigation", "tag"), Model::Text(mode))
}
