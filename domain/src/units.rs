//! Names, units and icons that a measure's name gives away: `temperature` is °C. Below it, units that convert into one another.

pub use conversion::{Conversion, all, alternatives, decimals, spelled};

/// From one unit into another.
mod conversion;
/// Which units there are.
mod table;

/// What is known of a measure by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Measure {
    /// Unit as shown; empty for none.
    pub unit: &'static str,
    /// Icon name without `i-`.
    pub icon: &'static str,
    /// Decimals shown at most; `None` shows what arrives.
    pub precision: Option<u8>,
}

impl Measure {
    /// The icon, or `other` when the name says nothing.
    #[must_use]
    pub fn icon_or(self, other: &'static str) -> &'static str {
        if self == UNKNOWN { other } else { self.icon }
    }
}

const UNKNOWN: Measure = Measure { unit: "", icon: "gauge", precision: None };

/// What is known of a measure by the words of its name; the last word that says something wins (`soil_moisture`, `air-temperature`).
#[must_use]
pub fn measure(key: &str) -> Measure {
    key.rsplit(['_', '-', '.', '/']).find_map(word).unwrap_or(UNKNOWN)
}

fn word(word: &str) -> Option<Measure> {
    let (unit, icon) = match word {
        "temperature" | "temp" => ("°C", "temperature"),
        "humidity" => ("%", "humidity"),
        "co2" => ("ppm", "air"),
        "power" => ("W", "energy"),
        "energy" => ("kWh", "energy"),
        "voltage" => ("V", "battery"),
        "current" => ("A", "energy"),
        "pressure" => ("hPa", "gauge"),
        "battery" => ("%", "battery"),
        "moisture" | "soil" => ("%", "soil"),
        "illuminance" | "lux" => ("lx", "sun"),
        "rpm" => ("rpm", "pump"),
        "speed" => ("km/h", "gauge"),
        "flow" => ("m³/h", "flow"),
        "level" => ("%", "flow"),
        "fuel" => ("%", "gauge"),
        "vibration" => ("mm/s", "activity"),
        "lat" | "lon" | "position" => ("", "pin"),
        "door" | "contact" | "window" => ("", "door"),
        "motion" | "occupancy" => ("", "motion"),
        "light" => ("", "bulb"),
        "switch" => ("", "power"),
        "pump" => ("", "pump"),
        "fan" => ("", "fan"),
        "valve" => ("", "humidity"),
        "mode" => ("", "tag"),
        "ignition" => ("", "key"),
        "tyre" | "tire" => ("bar", "tyre"),
        _ => return None,
    };
    Some(Measure { unit, icon, precision: None })
}

/// Whether a sensor of this unit and name is a meter that counts up. Liters are not taken for one: tanks are measured in them.
#[must_use]
pub fn counts(unit: Option<&str>, key: &str) -> bool {
    match unit.unwrap_or_default() {
        "Wh" | "kWh" | "MWh" | "GWh" | "varh" | "kvarh" | "VAh" | "kVAh" | "m³" | "ft³" => true,
        "°C" | "°F" | "K" | "%" | "W" | "kW" | "MW" | "V" | "mV" | "A" | "mA" | "VA" | "var" | "Hz" | "ppm" | "ppb" | "lx" | "Pa" | "hPa" | "kPa"
        | "bar" | "mbar" | "rpm" | "km/h" | "m/s" | "m³/h" | "L/min" | "l/min" | "mm/s" | "dB" | "dBm" | "L" | "l" => false,
        _ => key.rsplit(['_', '-']).next().is_some_and(|word| matches!(word, "total" | "count" | "counter")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_measure_gives_its_unit() {
        for (key, unit) in
            [("temperature", "°C"), ("humidity", "%"), ("power", "W"), ("co2", "ppm"), ("soil_moisture", "%"), ("battery.voltage", "V"), ("x", "")]
        {
            assert_eq!(measure(key).unit, unit, "{key}");
        }
    }
}
