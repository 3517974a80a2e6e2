//! Colors as devices write them: channels, hue and saturation, or a point in the CIE 1931 diagram. Ours is the color at full brightness, for how
//! bright a light is stands beside it.

use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use crate::value::Color;

/// How a device writes a color. The forms of JSON objects are all read wherever one of them is announced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ColorForm {
    /// `{"r":255,"g":0,"b":0}`.
    Rgb,
    /// `{"r":255,"g":0,"b":0,"w":0}`: its white stays dark.
    Rgbw,
    /// `{"r":255,"g":0,"b":0,"c":0,"w":0}`: its whites stay dark.
    Rgbww,
    /// `{"h":344,"s":29.4}`, degrees and per cent.
    Hs,
    /// `{"hue":344,"saturation":29}`.
    HueSaturation,
    /// `{"x":0.4,"y":0.3}`.
    Xy,
    /// `[255,0,0]`.
    RgbList,
    /// `255,0,0`.
    RgbText,
    /// `344,29.4`.
    HsText,
    /// `0.4,0.3`.
    XyText,
    /// `344,29,80`: hue, saturation and brightness; the brightness stands beside.
    HsbText,
    /// `#ff0000`, or without the hash.
    HexText,
    /// Homie 4: `255,0,0`; Homie 5: `rgb,255,0,0`.
    HomieRgb,
    /// Homie 4: `300,50,75`; Homie 5: `hsv,300,50,75`.
    HomieHsv,
    /// Homie 5: `xyz,0.25,0.34`.
    HomieXyz,
}

impl ColorForm {
    /// The color that is written; `None` where there is none.
    #[must_use]
    pub fn read(self, said: &Json) -> Option<Color> {
        match said {
            Json::Object(object) => {
                let field = |name: &str| object.get(name).and_then(Json::as_f64);
                let either = |short: &str, long: &str| field(short).or_else(|| field(long));
                if let (Self::Xy, Some(x), Some(y)) = (self, field("x"), field("y")) {
                    // What is worked out from it stands beside it, rounded.
                    Some(from_xy(x, y))
                } else if let (Some(r), Some(g), Some(b)) = (field("r"), field("g"), field("b")) {
                    Some(rgb(r, g, b))
                } else if let (Some(h), Some(s)) = (either("h", "hue"), either("s", "saturation")) {
                    Some(from_hs(h, s))
                } else {
                    Some(from_xy(field("x")?, field("y")?))
                }
            }
            Json::Array(list) => match list.as_slice() {
                [r, g, b, ..] => Some(rgb(r.as_f64()?, g.as_f64()?, b.as_f64()?)),
                _ => None,
            },
            Json::String(text) => self.read_text(text.trim()),
            _ => None,
        }
    }

    /// The same of a text.
    pub(super) fn read_text(self, text: &str) -> Option<Color> {
        let text = match self {
            Self::HomieRgb => text.strip_prefix("rgb,").unwrap_or(text),
            Self::HomieHsv => text.strip_prefix("hsv,").unwrap_or(text),
            Self::HomieXyz => text.strip_prefix("xyz,").unwrap_or(text),
            Self::HexText => return from_hex(text),
            _ => text,
        };
        let numbers: Option<Vec<f64>> = text.split(',').take(6).map(|n| n.trim().parse().ok().filter(|n: &f64| n.is_finite())).collect();
        match (self, numbers?.as_slice()) {
            (Self::RgbText | Self::HomieRgb, [r, g, b, ..]) => Some(rgb(*r, *g, *b)),
            (Self::HsText | Self::HsbText | Self::HomieHsv, [h, s, ..]) => Some(from_hs(*h, *s)),
            (Self::XyText | Self::HomieXyz, [x, y, ..]) => Some(from_xy(*x, *y)),
            _ => None,
        }
    }

    /// The color as the device reads it. `brightness` in per cent stands in the forms that have one.
    #[must_use]
    pub fn write(self, color: Color, brightness: Option<u8>) -> Json {
        let Color { r, g, b } = color;
        let (h, s) = to_hs(color);
        let (x, y) = to_xy(color);
        let brightness = brightness.unwrap_or(100);
        match self {
            Self::Rgb => json!({ "r": r, "g": g, "b": b }),
            Self::Rgbw => json!({ "r": r, "g": g, "b": b, "w": 0 }),
            Self::Rgbww => json!({ "r": r, "g": g, "b": b, "c": 0, "w": 0 }),
            Self::Hs => json!({ "h": h.round(), "s": s.round() }),
            Self::HueSaturation => json!({ "hue": h.round(), "saturation": s.round() }),
            Self::Xy => json!({ "x": x, "y": y }),
            Self::RgbList => json!([r, g, b]),
            Self::RgbText => format!("{r},{g},{b}").into(),
            Self::HsText => format!("{},{}", h.round(), s.round()).into(),
            Self::XyText => format!("{x},{y}").into(),
            Self::HsbText => format!("{},{},{brightness}", h.round(), s.round()).into(),
            Self::HexText => format!("#{r:02x}{g:02x}{b:02x}").into(),
            Self::HomieRgb => format!("rgb,{r},{g},{b}").into(),
            Self::HomieHsv => format!("hsv,{},{},{brightness}", h.round(), s.round()).into(),
            Self::HomieXyz => format!("xyz,{x},{y}").into(),
        }
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "held between 0 and 255")]
fn channel(n: f64) -> u8 {
    n.round().clamp(0.0, 255.0) as u8
}

fn rgb(r: f64, g: f64, b: f64) -> Color {
    Color { r: channel(r), g: channel(g), b: channel(b) }
}

fn from_hex(text: &str) -> Option<Color> {
    let digits = text.strip_prefix('#').unwrap_or(text);
    if !digits.is_ascii() || digits.len() < 6 {
        return None;
    }
    let byte = |at: usize| u8::from_str_radix(&digits[at..at + 2], 16).ok();
    Some(Color { r: byte(0)?, g: byte(2)?, b: byte(4)? })
}

/// Degrees and per cent.
fn from_hs(hue: f64, saturation: f64) -> Color {
    let (hue, saturation) = (hue.rem_euclid(360.0) / 60.0, (saturation / 100.0).clamp(0.0, 1.0));
    let wave = |shift: f64| {
        let k = (shift + hue) % 6.0;
        (saturation * k.min(4.0 - k).clamp(0.0, 1.0)).mul_add(-255.0, 255.0)
    };
    rgb(wave(5.0), wave(3.0), wave(1.0))
}

fn to_hs(Color { r, g, b }: Color) -> (f64, f64) {
    let [r, g, b] = [r, g, b].map(|channel| f64::from(channel) / 255.0);
    let (max, min) = (r.max(g).max(b), r.min(g).min(b));
    let range = max - min;
    if range == 0.0 {
        return (0.0, 0.0);
    }
    let sixth = if max == r {
        ((g - b) / range).rem_euclid(6.0)
    } else if max == g {
        (b - r) / range + 2.0
    } else {
        (r - g) / range + 4.0
    };
    (sixth * 60.0, range / max * 100.0)
}

/// A point of the CIE 1931 diagram as sRGB at full brightness (IEC 61966-2-1, with the white point D65).
fn from_xy(x: f64, y: f64) -> Color {
    if y <= 0.0 {
        return Color { r: 255, g: 255, b: 255 };
    }
    let (big_x, big_z) = (x / y, (1.0 - x - y) / y);
    let linear = [
        3.240_454_2f64.mul_add(big_x, -1.537_138_5) - 0.498_531_4 * big_z,
        (-0.969_266_0f64).mul_add(big_x, 1.876_010_8) + 0.041_556_0 * big_z,
        0.055_643_4f64.mul_add(big_x, -0.204_025_9) + 1.057_225_2 * big_z,
    ]
    .map(|channel| channel.max(0.0));
    let brightest = linear.into_iter().fold(f64::MIN_POSITIVE, f64::max);
    let [r, g, b] = linear.map(|channel| {
        let part = channel / brightest;
        255.0 * if part <= 0.003_130_8 { part * 12.92 } else { 1.055f64.mul_add(part.powf(1.0 / 2.4), -0.055) }
    });
    rgb(r, g, b)
}

fn to_xy(Color { r, g, b }: Color) -> (f64, f64) {
    let [r, g, b] = [r, g, b].map(|channel| {
        let part = f64::from(channel) / 255.0;
        if part <= 0.040_45 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
    });
    let x = 0.180_437_5f64.mul_add(b, 0.412_456_4f64.mul_add(r, 0.357_576_1 * g));
    let y = 0.072_175_0f64.mul_add(b, 0.212_672_9f64.mul_add(r, 0.715_152_2 * g));
    let z = 0.950_304_1f64.mul_add(b, 0.019_333_9f64.mul_add(r, 0.119_192_0 * g));
    let sum = x + y + z;
    let round = |n: f64| (n * 1e4).round() / 1e4;
    // Black has no color; white is where a light without one stands.
    if sum == 0.0 { (0.3127, 0.329) } else { (round(x / sum), round(y / sum)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ALL: [ColorForm; 13] = [
        ColorForm::Rgb,
        ColorForm::Hs,
        ColorForm::HueSaturation,
        ColorForm::Xy,
        ColorForm::RgbList,
        ColorForm::RgbText,
        ColorForm::HsText,
        ColorForm::XyText,
        ColorForm::HsbText,
        ColorForm::HexText,
        ColorForm::HomieRgb,
        ColorForm::HomieHsv,
        ColorForm::HomieXyz,
    ];

    #[test]
    fn colors_are_read_as_devices_write_them() {
        use ColorForm::{HexText, HomieHsv, HomieRgb, HsText, HsbText, Rgb, RgbList, RgbText};
        for (form, said, color) in [
            (Rgb, json!({"r":255,"g":180,"b":200}), [255, 180, 200]),
            (Rgb, json!({"h":240,"s":100}), [0, 0, 255]),
            (Rgb, json!({"hue":120,"saturation":50}), [128, 255, 128]),
            (ColorForm::Xy, json!({"x":0.3127,"y":0.329,"hue":0,"saturation":100}), [255, 255, 255]),
            (RgbList, json!([255, 0, 7]), [255, 0, 7]),
            (RgbText, json!("255,0,7"), [255, 0, 7]),
            (HsText, json!("0,100"), [255, 0, 0]),
            (HsbText, json!("180,100,20"), [0, 255, 255]),
            (HexText, json!("#0a0B0c"), [10, 11, 12]),
            (HomieRgb, json!("rgb,100,100,100"), [100, 100, 100]),
            (HomieRgb, json!("1,2,3"), [1, 2, 3]),
            (HomieHsv, json!("hsv,300,100,75"), [255, 0, 255]),
        ] {
            let Color { r, g, b } = form.read(&said).expect("a color");
            assert_eq!([r, g, b], color, "{form:?} {said}");
        }
        // The red, green and blue of sRGB in the diagram.
        for (xy, color) in [((0.64, 0.33), [255, 0, 0]), ((0.3, 0.6), [0, 255, 0]), ((0.15, 0.06), [0, 0, 255])] {
            let Color { r, g, b } = from_xy(xy.0, xy.1);
            assert!([r, g, b].iter().zip(color).all(|(got, wanted)| got.abs_diff(wanted) <= 6), "{xy:?}: {r} {g} {b}");
        }
    }

    #[test]
    fn what_is_no_color_is_none() {
        for said in [
            json!("red"),
            json!("1,2"),
            json!(""),
            json!("NaN,1,2"),
            json!({"r":1}),
            json!([1, 2]),
            json!(["a", 2, 3]),
            json!(3),
            json!(null),
            json!("#0ä0000"),
        ] {
            assert_eq!(
                ALL.into_iter().find_map(|form| if form == ColorForm::HexText || said != json!("1,2") { form.read(&said) } else { None }),
                None,
                "{said}"
            );
        }
    }

    proptest! {
        #[test]
        fn a_color_at_full_brightness_comes_back(hue in 0u16..360, saturation in 10u8..=100) {
            let color = from_hs(f64::from(hue), f64::from(saturation));
            for form in ALL {
                let Color { r, g, b } = form.read(&form.write(color, Some(40))).expect("a color");
                let near = [r, g, b].into_iter().zip([color.r, color.g, color.b]).all(|(got, wanted)| got.abs_diff(wanted) <= 4);
                prop_assert!(near, "{form:?} {color:?} {r} {g} {b}");
            }
        }

        #[test]
        fn no_text_panics(text in ".{0,24}", x in any::<f64>(), y in any::<f64>()) {
            for form in ALL {
                let _: Option<Color> = form.read(&json!(text));
            }
            let _: Color = from_xy(x, y);
            let _: Color = from_hs(x, y);
        }
    }
}
