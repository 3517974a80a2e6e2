//! What is known of properties by their names (Zigbee2MQTT's exposes have no classes).

/// What the name of a property says beyond its expose.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Property {
    /// The device class in Home Assistant's words.
    pub(super) class: Option<&'static str>,
    /// The unit, where the expose says none.
    pub(super) unit: Option<&'static str>,
    /// Whether it is a meter that counts up.
    pub(super) is_counter: bool,
    /// Whether `true` and `false` are the other way around for its class.
    pub(super) is_inverted: bool,
    /// Out of the overview, also when an older bridge says no category.
    pub(super) is_hidden: bool,
}

/// What a name says: `temperature`, without its endpoint. A binary one may mean something else than a numeric one.
pub(super) fn property(name: &str, is_binary: bool) -> Property {
    let of = |class: &'static str, unit: &'static str| Property {
        class: Some(class),
        unit: Some(unit).filter(|unit| !unit.is_empty()),
        ..Property::default()
    };
    if is_binary {
        return match name {
            // A contact that is closed says `true`; a door that is open is what its class says.
            "contact" => Property { is_inverted: true, ..of("door", "") },
            "occupancy" => of("occupancy", ""),
            "presence" => of("occupancy", ""),
            "motion" => of("motion", ""),
            "vibration" => of("vibration", ""),
            "moving" => of("moving", ""),
            "water_leak" | "rain" => of("moisture", ""),
            "smoke" => of("smoke", ""),
            "gas" => of("gas", ""),
            "carbon_monoxide" => of("carbon_monoxide", ""),
            "tamper" => Property { is_hidden: true, ..of("tamper", "") },
            "battery_low" => of("battery", ""),
            "running" => of("running", ""),
            "sos" => of("safety", ""),
            "noise_detected" => of("sound", ""),
            "update_available" => Property { is_hidden: true, ..of("update", "") },
            "test" | "trigger" | "led_indication" | "child_lock" | "led_disabled_night" | "power_outage_memory" | "auto_lock" => hidden(),
            _ => Property::default(),
        };
    }
    match name {
        "temperature" | "soil_temperature" | "local_temperature" => of("temperature", "°C"),
        "device_temperature" | "cpu_temperature" => Property { is_hidden: true, ..of("temperature", "°C") },
        "humidity" => of("humidity", "%"),
        "soil_moisture" | "moisture" => of("moisture", "%"),
        "battery" => of("battery", "%"),
        "battery_voltage" => Property { is_hidden: true, ..of("voltage", "mV") },
        // The exposes of today say "lx", those of 1.x said raw values beside `illuminance_lux`.
        "illuminance_lux" | "illuminance" => of("illuminance", "lx"),
        "pressure" => of("pressure", "hPa"),
        "co2" => of("carbon_dioxide", "ppm"),
        "co" => of("carbon_monoxide", "ppm"),
        "voc" => of("volatile_organic_compounds", ""),
        "pm25" => of("pm25", "µg/m³"),
        "pm10" => of("pm10", "µg/m³"),
        "pm1" => of("pm1", "µg/m³"),
        "aqi" => of("aqi", ""),
        "power" | "power_phase_b" | "power_phase_c" => of("power", "W"),
        "power_apparent" => of("apparent_power", "VA"),
        "power_reactive" => of("reactive_power", "var"),
        "power_factor" => of("power_factor", ""),
        "energy" | "produced_energy" | "consumed_energy" => Property { is_counter: true, ..of("energy", "kWh") },
        "voltage" | "voltage_phase_b" | "voltage_phase_c" => of("voltage", "V"),
        "current" | "current_phase_b" | "current_phase_c" => of("current", "A"),
        "ac_frequency" => of("frequency", "Hz"),
        "water_consumed" => Property { is_counter: true, ..of("water", "") },
        "flow" => of("volume_flow_rate", ""),
        "distance" | "target_distance" => of("distance", ""),
        "noise" => of("sound_pressure", ""),
        "linkquality" => Property { is_hidden: true, ..of("signal_strength", "lqi") },
        "rssi" => Property { is_hidden: true, ..of("signal_strength", "dBm") },
        "device_age" | "power_outage_count" | "trigger_count" | "identify" | "effect" | "power_on_behavior" | "color_temp_startup"
        | "sensitivity" | "motion_sensitivity" | "occupancy_timeout" | "keypad_lockout" | "countdown" | "indicator_mode" | "switch_type"
        | "action_angle" => hidden(),
        _ if name.ends_with("_calibration") || name.ends_with("_precision") || name.starts_with("action_") => hidden(),
        _ => Property::default(),
    }
}

fn hidden() -> Property {
    Property { is_hidden: true, ..Property::default() }
}
