//! The scene "home": a living room with lights, doors and a power meter.

use domain::value::OnOff;

use super::curve::{Curve, DayMeter, Model, Spells};
use super::device::{Device, Form, Measured, Place, Scene, Shown, light, switch};

/// The living room.
pub(super) fn scene() -> Scene {
    let area = Place { id: "livingroom", name: "Living room", icon: "home" };
    Scene { name: "home", area, devices: vec![climate(), garden(), ceiling_light(), floor_lamp(), meter(), hall()] }
}

/// Speaks `<site>/<area>/<measure>`, as many home-made sensors do.
fn climate() -> Device {
    let temperature = Curve::flat(21.1, 1).daily(0.6, 17).wave(0.2, 50).noise(0.2, 240);
    let humidity = Curve::flat(46.0, 0).daily(-2.0, 16).noise(1.6, 300).within(20.0, 90.0);
    Device::new("livingroom")
        .sensor_on(
            "home/livingroom/temperature".into(),
            1_000,
            Form::Plain,
            vec![Measured::new("temperature", Shown::new(1, "Temperature", "temperature").unit("°C"), Model::Number(temperature))],
        )
        .sensor_on(
            "home/livingroom/humidity".into(),
            1_000,
            Form::Plain,
            vec![Measured::new("humidity", Shown::new(2, "Humidity", "humidity").unit("%"), Model::Number(humidity))],
        )
}

fn garden() -> Device {
    let open = Model::Binary(Spells::new(2_400, 0.6, 60, 360));
    Device::new("garden").sensor("door", 2_000, Form::Words("open", "closed"), Shown::new(3, "Garden door", "door").words("Open", "Closed"), open)
}

fn ceiling_light() -> Device {
    Device::new("ceiling-light").control(light(Shown::new(4, "Ceiling light", "bulb"), OnOff::On, 65, 2_900, Spells::new(21_600, 0.8, 3_600, 14_400)))
}

fn floor_lamp() -> Device {
    Device::new("floor-lamp").control(switch(Shown::new(5, "Floor lamp", "power"), OnOff::Off, Spells::new(43_200, 0.9, 1_800, 14_400)))
}

/// One JSON object with two leaves.
fn meter() -> Device {
    let power = Curve::flat(300.0, 0).daily(80.0, 18).cycle(95.0, 42, 0.35).bursts(1_850.0, 150, 0.03).bursts(420.0, 1_800, 0.15).noise(30.0, 20);
    let energy = DayMeter::new(10.4, 2);
    Device::new("house-energy").sensor_on(
        "sensors/house-energy/data".into(),
        1_000,
        Form::Leaves,
        vec![
            Measured::new("power", Shown::new(6, "House energy", "energy").unit("W"), Model::Number(power.within(60.0, 9_000.0))),
            Measured::new("energy_today", Shown::new(7, "Energy today", "energy").unit("kWh"), Model::DayMeter(energy)),
        ],
    )
}

fn hall() -> Device {
    let motion = Model::Binary(Spells::new(420, 0.5, 15, 90));
    Device::new("hall").sensor("motion", 1_000, Form::Words("on", "off"), Shown::new(8, "Hall motion", "motion").words("Motion", "Clear"), motion)
}
