//! Lights: one behind one relay, or color and white each behind its own.

use super::config::Config;
use super::discover::{named, read, speech, write};
use super::relays::{bind_power, name_of};
use crate::convention::found::FoundEntity;
use crate::convention::speech::{ColorForm, Form, Map, Part, Scale};
use crate::entity::EntityKind;

/// `rl` of a light.
const LIGHT: u64 = 2;

/// What one light can do, with the name under which its brightness is commanded and reported.
struct Looks {
    dimmer: Option<(String, String)>,
    has_color_temp: bool,
    has_color: bool,
}

/// All lights.
pub(super) fn all(config: &Config) -> Vec<FoundEntity> {
    let lights: Vec<usize> = config.relays.iter().enumerate().filter(|(_, kind)| **kind == LIGHT).map(|(n, _)| n).collect();
    let Some(&first) = lights.first() else { return vec![] };
    lights.iter().map(|&n| light(config, n, &looks(config, n, n - first), lights.len() == 1)).collect()
}

/// What the light can do that is behind relay `n` and is the `nth` of all lights.
fn looks(config: &Config, n: usize, nth: usize) -> Looks {
    let dimmer = |command: String, reported: String| Some((command, reported));
    if config.is_fan || config.light == 0 {
        return Looks { dimmer: None, has_color_temp: false, has_color: false };
    }
    // `SetOption68`: each channel is a light of its own.
    if config.option("68") {
        let channel = format!("Channel{}", n + 1);
        return Looks { dimmer: dimmer(channel.clone(), channel), has_color_temp: false, has_color: false };
    }
    if !config.is_linked && config.light >= 4 {
        let own = format!("Dimmer{}", nth + 1);
        return Looks { dimmer: dimmer(own.clone(), own), has_color_temp: nth == 1 && config.light == 5, has_color: nth == 0 };
    }
    let command = if config.is_tuya { "Dimmer3" } else { "Dimmer" };
    Looks {
        dimmer: dimmer(command.to_owned(), "Dimmer".to_owned()),
        has_color_temp: matches!(config.light, 2 | 5),
        has_color: matches!(config.light, 3..=5),
    }
}

fn light(config: &Config, n: usize, looks: &Looks, is_only: bool) -> FoundEntity {
    let mut speech = speech(config, &format!("light_{}", n + 1));
    // A brightness or a color turns a light on by itself, unless `SetOption20` says otherwise: the word comes after it then.
    let turns_on = !config.option("20");
    bind_power(config, &mut speech, n, turns_on && looks.dimmer.is_some());
    let number = Form::Number { scale: Scale::default(), whole: true };
    let dimmer = looks
        .dimmer
        .as_ref()
        .map(|(command, reported)| (Part::Brightness, command.as_str(), reported.as_str(), Map::Number(Scale::default()), number));
    let color_temp = looks.has_color_temp.then_some((Part::ColorTemp, "CT", "CT", Map::Mired, Form::Mired));
    let color = looks.has_color.then_some((Part::Color, "HSBColor", "HSBColor", Map::Color(ColorForm::HsbText), Form::Color(ColorForm::HsbText)));
    let parts: Vec<_> = [dimmer, color_temp, color].into_iter().flatten().collect();
    let answers: Vec<String> = parts.iter().map(|(_, command, ..)| command.to_uppercase()).chain(["STATE".to_owned()]).collect();
    let answers: Vec<&str> = answers.iter().map(String::as_str).collect();
    let mut writes = vec![];
    for (part, command, reported, map, form) in &parts {
        for topic in config.answers(&answers).into_iter().chain([config.tele("STATE")]) {
            speech.reads.push(read(topic, *part, &[reported], map));
        }
        speech.reads.push(read(config.stat("STATUS11"), *part, &["StatusSTS", reported], map));
        writes.push(write(config.cmnd(command), *part, form.clone()));
    }
    if turns_on {
        speech.writes.extend(writes);
    } else {
        speech.writes.splice(0..0, writes);
    }
    let hint = if is_only { "light".to_owned() } else { format!("light-{}", n + 1) };
    named(&hint, FoundEntity::new(&name_of(config, n, "Light", is_only), EntityKind::Light, speech))
}
