//! Units that convert into one another, by quantity, with what one of each is in the quantity's own unit.
//!
//! Factors are exact by definition where the source defines them: the SI Brochure (9th edition, 2019) for the SI and what is accepted beside it, NIST
//! Special Publication 811 (2008), appendix B, for feet, pounds, gallons (of the United States), knots, inches and millimetres of mercury, pounds
//! of force per square inch and calories (thermochemical). Temperatures have an offset as well.

/// A unit of a quantity.
#[derive(Debug)]
pub(super) struct Unit {
    /// As it is written: `°C`.
    pub(super) name: &'static str,
    /// One of it in the unit of the quantity.
    pub(super) factor: f64,
    /// What zero of it is in the unit of the quantity.
    pub(super) offset: f64,
    /// Decimals that are worth showing of a usual reading.
    pub(super) decimals: u8,
    /// Other spellings, that mean nothing else.
    pub(super) spellings: &'static [&'static str],
}

const fn unit(name: &'static str, factor: f64, decimals: u8, spellings: &'static [&'static str]) -> Unit {
    Unit { name, factor, offset: 0.0, decimals, spellings }
}

/// Quantities: within each, units convert into one another, and nowhere else. No spelling stands in two of them.
pub(super) const QUANTITIES: &[&[Unit]] = &[
    // Temperature, in kelvin.
    &[
        Unit {
            name: "°C", factor: 1.0, offset: 273.15, decimals: 1, spellings: &["℃", "C", "degC", "deg C", "ºC", "° C", "celsius", "Celsius"]
        },
        Unit {
            name: "°F",
            factor: 5.0 / 9.0,
            offset: 459.67 * 5.0 / 9.0,
            decimals: 1,
            spellings: &["℉", "F", "degF", "deg F", "ºF", "° F", "fahrenheit", "Fahrenheit"],
        },
        unit("K", 1.0, 1, &["kelvin", "Kelvin"]),
    ],
    // Power, in watts; apparent and reactive power are no such thing.
    &[unit("mW", 1e-3, 0, &[]), unit("W", 1.0, 0, &["watt", "watts", "Watt"]), unit("kW", 1e3, 3, &["KW"]), unit("MW", 1e6, 3, &[])],
    &[unit("VA", 1.0, 0, &[]), unit("kVA", 1e3, 3, &["KVA"]), unit("MVA", 1e6, 3, &[])],
    &[unit("var", 1.0, 0, &["VAr", "VAR"]), unit("kvar", 1e3, 3, &["kVAr", "kVAR"]), unit("Mvar", 1e6, 3, &["MVAr"])],
    // Energy, in joules.
    &[
        unit("Wh", 3.6e3, 0, &["wh"]),
        unit("kWh", 3.6e6, 2, &["KWh", "kwh", "KWH"]),
        unit("MWh", 3.6e9, 3, &[]),
        unit("GWh", 3.6e12, 3, &[]),
        unit("J", 1.0, 0, &[]),
        unit("kJ", 1e3, 1, &[]),
        unit("MJ", 1e6, 2, &[]),
        unit("GJ", 1e9, 3, &[]),
        unit("kcal", 4.184e3, 1, &[]),
    ],
    &[unit("varh", 1.0, 0, &["VArh"]), unit("kvarh", 1e3, 2, &["kVArh"])],
    &[unit("VAh", 1.0, 0, &[]), unit("kVAh", 1e3, 2, &[])],
    // Pressure, in pascals.
    &[
        unit("Pa", 1.0, 0, &[]),
        unit("hPa", 1e2, 0, &["HPa"]),
        unit("kPa", 1e3, 1, &["KPa"]),
        unit("bar", 1e5, 2, &["Bar"]),
        unit("mbar", 1e2, 0, &[]),
        unit("psi", 6_894.757_293_168_361, 1, &["PSI", "lbf/in²"]),
        unit("inHg", 3_386.388_640_341, 2, &[]),
        unit("mmHg", 133.322_387_415, 0, &[]),
    ],
    // Speed, in metres a second.
    &[
        unit("m/s", 1.0, 1, &[]),
        unit("mm/s", 1e-3, 2, &[]),
        unit("km/h", 1.0 / 3.6, 1, &["kmh", "kph", "km/hr"]),
        unit("mph", 0.447_04, 1, &["mi/h"]),
        unit("kn", 1_852.0 / 3_600.0, 1, &["kt", "kts", "knots"]),
        unit("ft/s", 0.304_8, 1, &["fps"]),
        unit("in/s", 0.025_4, 2, &[]),
    ],
    // Distance, and the height of rain, in metres.
    &[
        unit("mm", 1e-3, 1, &[]),
        unit("cm", 1e-2, 1, &[]),
        unit("m", 1.0, 2, &[]),
        unit("km", 1e3, 2, &[]),
        unit("in", 0.025_4, 2, &["inch", "inches"]),
        unit("ft", 0.304_8, 2, &["feet"]),
        unit("yd", 0.914_4, 2, &[]),
        unit("mi", 1_609.344, 2, &["mile", "miles"]),
    ],
    // The intensity of rain, in millimetres an hour.
    &[unit("mm/h", 1.0, 1, &["mm/hr"]), unit("in/h", 25.4, 2, &["in/hr"])],
    // Volume, in litres.
    &[
        unit("mL", 1e-3, 0, &["ml"]),
        unit("L", 1.0, 0, &["l", "liter", "litre", "liters", "litres"]),
        unit("m³", 1e3, 3, &["m3", "m^3"]),
        unit("gal", 3.785_411_784, 1, &[]),
        unit("ft³", 28.316_846_592, 2, &["ft3", "ft^3", "CF"]),
    ],
    // Flow, in litres a minute.
    &[
        unit("L/min", 1.0, 1, &["l/min", "LPM", "lpm"]),
        unit("L/h", 1.0 / 60.0, 0, &["l/h", "L/hr"]),
        unit("L/s", 60.0, 2, &["l/s"]),
        unit("m³/h", 1e3 / 60.0, 2, &["m3/h", "m^3/h"]),
        unit("gal/min", 3.785_411_784, 1, &["gpm", "GPM"]),
        unit("ft³/min", 28.316_846_592, 1, &["ft3/min", "cfm", "CFM"]),
    ],
    // Mass, in grams.
    &[
        unit("µg", 1e-6, 0, &["ug", "μg"]),
        unit("mg", 1e-3, 0, &[]),
        unit("g", 1.0, 0, &[]),
        unit("kg", 1e3, 2, &[]),
        unit("t", 1e6, 3, &[]),
        unit("oz", 28.349_523_125, 1, &[]),
        unit("lb", 453.592_37, 1, &["lbs"]),
    ],
    &[unit("mV", 1e-3, 0, &[]), unit("V", 1.0, 1, &["volt", "volts"]), unit("kV", 1e3, 3, &[])],
    &[unit("mA", 1e-3, 0, &[]), unit("A", 1.0, 2, &["ampere", "amperes"])],
    // Frequency; turns a minute are no hertz.
    &[unit("Hz", 1.0, 1, &["hz"]), unit("kHz", 1e3, 3, &[]), unit("MHz", 1e6, 3, &[]), unit("GHz", 1e9, 3, &[])],
    // Duration, in seconds.
    &[
        unit("ms", 1e-3, 0, &[]),
        unit("s", 1.0, 0, &["sec"]),
        unit("min", 60.0, 1, &[]),
        unit("h", 3_600.0, 2, &["hr"]),
        unit("d", 86_400.0, 2, &["day", "days"]),
    ],
    // Data, in bytes; with Ki and so on in steps of 1,024.
    &[
        unit("B", 1.0, 0, &["bytes"]),
        unit("kB", 1e3, 1, &[]),
        unit("MB", 1e6, 1, &[]),
        unit("GB", 1e9, 2, &[]),
        unit("TB", 1e12, 3, &[]),
        unit("KiB", 1_024.0, 1, &[]),
        unit("MiB", 1_048_576.0, 1, &[]),
        unit("GiB", 1_073_741_824.0, 2, &[]),
    ],
    // The rate of data, in bits a second.
    &[
        unit("bit/s", 1.0, 0, &["bps"]),
        unit("kbit/s", 1e3, 1, &["kbps"]),
        unit("Mbit/s", 1e6, 2, &["Mbps"]),
        unit("Gbit/s", 1e9, 3, &["Gbps"]),
        unit("B/s", 8.0, 0, &[]),
        unit("kB/s", 8e3, 1, &[]),
        unit("MB/s", 8e6, 2, &[]),
        unit("GB/s", 8e9, 3, &[]),
    ],
    // Concentration, in micrograms a cubic metre.
    &[unit("µg/m³", 1.0, 0, &["ug/m3", "μg/m³", "µg/m3", "ug/m³", "μg/m3"]), unit("mg/m³", 1e3, 3, &["mg/m3"])],
    // Alone in their quantities: they only have decimals, and no other unit.
    &[unit("lx", 1.0, 0, &["lux"])],
    &[unit("rpm", 1.0, 0, &["r/min", "RPM"])],
    &[unit("%", 1.0, 1, &[])],
    &[unit("ppm", 1.0, 0, &[])],
    &[unit("ppb", 1.0, 0, &[])],
    &[unit("dB", 1.0, 0, &[])],
    &[unit("dBm", 1.0, 0, &[])],
];

/// A unit by its name or another spelling of it, with all of its quantity.
pub(super) fn find(text: &str) -> Option<(&'static [Unit], &'static Unit)> {
    let text = text.trim();
    QUANTITIES.iter().find_map(|units| {
        let found = units.iter().find(|unit| unit.name == text || unit.spellings.contains(&text))?;
        Some((*units, found))
    })
}
