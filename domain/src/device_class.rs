//! Device classes: what Home Assistant calls a kind of sensor gives its name, icon, words and decimals. Other conventions map to the same words.

/// What a device class gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeviceClass {
    /// The name of an entity that has none: `Temperature`.
    pub name: &'static str,
    /// Icon name without `i-`.
    pub icon: &'static str,
    /// The word for `true` of a binary sensor; `None` is `On`.
    pub word_on: Option<&'static str>,
    /// The word for `false`.
    pub word_off: Option<&'static str>,
}

/// Decimals that are worth showing of a sensor of a class, in its unit, 0 to 3; `None` where nobody can say, and for what is no number.
#[must_use]
pub fn decimals(class_word: &str, unit: Option<&str>) -> Option<u8> {
    class(class_word)?;
    match class_word {
        "battery" | "aqi" => Some(0),
        "power_factor" | "ph" => Some(2),
        _ => crate::units::decimals(unit?),
    }
}

/// A device class by its word, `temperature`.
#[must_use]
pub fn class(word: &str) -> Option<DeviceClass> {
    let (name, icon, words) = match word {
        "temperature" => ("Temperature", "temperature", None),
        "humidity" => ("Humidity", "humidity", None),
        "moisture" => ("Moisture", "soil", Some(("Wet", "Dry"))),
        "carbon_dioxide" => ("Carbon dioxide", "air", None),
        "carbon_monoxide" => ("Carbon monoxide", "air", Some(("Detected", "Clear"))),
        "pm1" => ("PM1", "air", None),
        "pm25" => ("PM2.5", "air", None),
        "pm10" => ("PM10", "air", None),
        "aqi" => ("Air quality index", "air", None),
        "volatile_organic_compounds" | "volatile_organic_compounds_parts" => ("Volatile organic compounds", "air", None),
        "ozone" => ("Ozone", "air", None),
        "nitrogen_dioxide" => ("Nitrogen dioxide", "air", None),
        "sulphur_dioxide" => ("Sulphur dioxide", "air", None),
        "gas" => ("Gas", "flow", Some(("Detected", "Clear"))),
        "power" => ("Power", "energy", Some(("On", "Off"))),
        "apparent_power" => ("Apparent power", "energy", None),
        "reactive_power" => ("Reactive power", "energy", None),
        "power_factor" => ("Power factor", "energy", None),
        "energy" => ("Energy", "energy", None),
        "energy_storage" => ("Stored energy", "battery", None),
        "current" => ("Current", "energy", None),
        "voltage" => ("Voltage", "energy", None),
        "frequency" => ("Frequency", "activity", None),
        "battery" => ("Battery", "battery", Some(("Low", "Normal"))),
        "battery_charging" => ("Charging", "battery", Some(("Charging", "Not charging"))),
        "pressure" | "atmospheric_pressure" => ("Pressure", "gauge", None),
        "illuminance" => ("Illuminance", "sun", None),
        "irradiance" => ("Irradiance", "sun", None),
        "signal_strength" => ("Signal strength", "activity", None),
        "sound_pressure" => ("Sound pressure", "activity", Some(("Detected", "Clear"))),
        "speed" | "wind_speed" => ("Speed", "gauge", None),
        "wind_direction" => ("Wind direction", "pin", None),
        "precipitation" | "precipitation_intensity" => ("Precipitation", "humidity", None),
        "water" => ("Water", "flow", None),
        "volume" | "volume_storage" => ("Volume", "flow", None),
        "volume_flow_rate" => ("Flow", "flow", None),
        "weight" => ("Weight", "gauge", None),
        "distance" => ("Distance", "gauge", None),
        "duration" => ("Duration", "clock", None),
        "timestamp" => ("Time", "clock", None),
        "date" => ("Date", "clock", None),
        "ph" => ("pH", "gauge", None),
        "enum" => ("State", "tag", None),
        "data_rate" => ("Data rate", "activity", None),
        "data_size" => ("Data size", "activity", None),
        "door" => ("Door", "door", Some(("Open", "Closed"))),
        "garage_door" | "garage" => ("Garage door", "door", Some(("Open", "Closed"))),
        "window" => ("Window", "door", Some(("Open", "Closed"))),
        "opening" => ("Opening", "door", Some(("Open", "Closed"))),
        "lock" => ("Lock", "key", Some(("Unlocked", "Locked"))),
        "motion" => ("Motion", "motion", Some(("Detected", "Clear"))),
        "occupancy" => ("Occupancy", "motion", Some(("Detected", "Clear"))),
        "presence" => ("Presence", "motion", Some(("Home", "Away"))),
        "moving" => ("Moving", "motion", Some(("Moving", "Still"))),
        "vibration" => ("Vibration", "activity", Some(("Detected", "Clear"))),
        "sound" => ("Sound", "activity", Some(("Detected", "Clear"))),
        "smoke" => ("Smoke", "air", Some(("Detected", "Clear"))),
        "heat" => ("Heat", "temperature", Some(("Hot", "Normal"))),
        "cold" => ("Cold", "temperature", Some(("Cold", "Normal"))),
        "light" => ("Light", "bulb", Some(("Detected", "Clear"))),
        "plug" => ("Plug", "power", Some(("Plugged in", "Unplugged"))),
        "running" => ("Running", "activity", Some(("Running", "Not running"))),
        "problem" => ("Problem", "alarm", Some(("Problem", "OK"))),
        "safety" => ("Safety", "alarm", Some(("Unsafe", "Safe"))),
        "tamper" => ("Tamper", "alarm", Some(("Detected", "Clear"))),
        "connectivity" => ("Connection", "activity", Some(("Connected", "Disconnected"))),
        "update" => ("Update", "tag", Some(("Available", "Up to date"))),
        "outlet" => ("Outlet", "power", None),
        "switch" => ("Switch", "power", None),
        "restart" => ("Restart", "power", None),
        "identify" => ("Identify", "pin", None),
        "blind" | "shade" | "shutter" | "curtain" | "awning" | "damper" | "gate" => ("Cover", "door", None),
        _ => return None,
    };
    Some(DeviceClass { name, icon, word_on: words.map(|words| words.0), word_off: words.map(|words| words.1) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_go_by_class_and_unit() {
        for (class, unit, expected) in [
            ("temperature", Some("°C"), Some(1)),
            ("humidity", Some("%"), Some(1)),
            ("battery", Some("%"), Some(0)),
            ("power", Some("W"), Some(0)),
            ("power", Some("kW"), Some(3)),
            ("energy", Some("kWh"), Some(2)),
            ("voltage", Some("V"), Some(1)),
            ("current", Some("A"), Some(2)),
            ("pressure", Some("hPa"), Some(0)),
            ("power_factor", None, Some(2)),
            ("energy", Some("pulses"), None),
            ("timestamp", None, None),
            ("nonsense", Some("W"), None),
        ] {
            assert_eq!(decimals(class, unit), expected, "{class} {unit:?}");
        }
    }
}
