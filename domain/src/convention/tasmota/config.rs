//! What a device says of itself, and how its topics are made of that.

use serde_json::Value as Json;

use crate::convention::payload::shown;
use crate::topic::check_topic;

/// Relays, inputs and buttons of one device that are looked at: the firmware has 32.
const MOST: usize = 32;
/// Longest word or name, in bytes.
const MOST_WORD_BYTES: usize = 128;
/// Longest end of one of its topics, so that all of them can be.
const LONGEST_END: &str = "SHUTTERPOSITION16";

/// What a device says of itself.
#[derive(Debug, Default)]
pub(super) struct Config {
    pub(super) mac: String,
    /// `dn`.
    pub(super) name: String,
    /// `fn`, by relay.
    pub(super) names: Vec<Option<String>>,
    /// `swn`, by input.
    pub(super) input_names: Vec<Option<String>>,
    /// `md`.
    pub(super) model: Option<String>,
    /// `sw`.
    pub(super) version: Option<String>,
    /// `ip`.
    pub(super) ip: Option<core::net::IpAddr>,
    /// `t`.
    pub(super) topic: String,
    /// `rl`: 0 none, 1 relay, 2 light, 3 shutter.
    pub(super) relays: Vec<u64>,
    /// `swc`: the mode of each input, less than 0 for none.
    pub(super) inputs: Vec<i64>,
    /// `btn`.
    pub(super) buttons: Vec<u64>,
    /// `sho`.
    pub(super) shutters: Vec<u64>,
    /// `lt_st`: 0 none, 1 single, 2 cold and warm, 3 RGB, 4 RGBW, 5 RGBCW.
    pub(super) light: u64,
    /// `lk`: color and white are one light.
    pub(super) is_linked: bool,
    /// `ty`: a microcontroller of Tuya's behind it.
    pub(super) is_tuya: bool,
    /// `if`: a fan with a light.
    pub(super) is_fan: bool,
    /// `state`: what it calls off and on.
    pub(super) off: String,
    pub(super) on: String,
    /// `ofln` and `onln`.
    pub(super) offline: String,
    pub(super) online: String,
    options: Json,
    cmnd: String,
    stat: String,
    tele: String,
}

impl Config {
    /// Reads `…/config`.
    ///
    /// # Errors
    /// Says what is wrong with it, to stand behind the name of its topic.
    pub(super) fn read(mac: &str, payload: &[u8]) -> Result<Self, String> {
        let json: Json = serde_json::from_slice(payload).map_err(|error| format!("cannot be read: {}", shown(&error.to_string())))?;
        if !json.is_object() {
            return Err("is no object".to_owned());
        }
        if let Some(other) = word(&json, "mac").filter(|other| !other.eq_ignore_ascii_case(mac)) {
            return Err(format!("is that of \"{}\"", shown(&other)));
        }
        let topic = word(&json, "t").ok_or("names no topic")?;
        let prefixes: Vec<String> = names(&json, "tp").into_iter().flatten().collect();
        let prefix = |n: usize, usual: &str| prefixes.get(n).cloned().unwrap_or_else(|| usual.to_owned());
        let full = match json.get("ft") {
            None => "%prefix%/%topic%/".to_owned(),
            Some(_) => word(&json, "ft").ok_or("names no full topic that can be")?,
        };
        let host = word(&json, "hn").unwrap_or_default();
        let id = mac.get(mac.len().saturating_sub(6)..).unwrap_or(mac);
        let root = |prefix: &str, is_command: bool| {
            // Commands always have their prefix: without it a device would hear what it says (Tasmota, `GetTopic_P`).
            let full = if is_command && !full.contains("%prefix%") { [&full, "/%prefix%"].concat() } else { full.clone() };
            let root = full.replace("%prefix%", prefix).replace("%topic%", &topic).replace("%hostname%", &host).replace("%id%", id);
            let levels: Vec<&str> = root.split('/').filter(|level| !level.is_empty()).collect();
            levels.join("/") + "/"
        };
        let (cmnd, stat, tele) = (root(&prefix(0, "cmnd"), true), root(&prefix(1, "stat"), false), root(&prefix(2, "tele"), false));
        for root in [&cmnd, &stat, &tele] {
            check_topic(&[root.as_str(), LONGEST_END].concat()).map_err(|error| format!("makes no topic: {error}"))?;
        }
        if cmnd == stat || cmnd == tele {
            return Err(format!("has commands and answers on the same topics: \"{}\"", shown(&cmnd)));
        }
        let states = names(&json, "state");
        let state = |n: usize, usual: &str| states.get(n).cloned().flatten().unwrap_or_else(|| usual.to_owned());
        let flag = |field: &str| json.get(field).and_then(Json::as_u64) == Some(1);
        Ok(Self {
            name: word(&json, "dn").unwrap_or_else(|| topic.clone()),
            names: names(&json, "fn"),
            input_names: names(&json, "swn"),
            model: word(&json, "md"),
            version: word(&json, "sw"),
            ip: word(&json, "ip").and_then(|ip| ip.parse().ok()).filter(|ip: &core::net::IpAddr| !ip.is_unspecified()),
            topic,
            relays: numbers(&json, "rl"),
            inputs: list(&json, "swc").map(|mode| mode.as_i64().unwrap_or(-1)).collect(),
            buttons: numbers(&json, "btn"),
            shutters: numbers(&json, "sho"),
            light: json.get("lt_st").and_then(Json::as_u64).unwrap_or(0),
            is_linked: json.get("lk").is_none() || flag("lk"),
            is_tuya: flag("ty"),
            is_fan: flag("if"),
            off: state(0, "OFF"),
            on: state(1, "ON"),
            offline: word(&json, "ofln").unwrap_or_else(|| "Offline".to_owned()),
            online: word(&json, "onln").unwrap_or_else(|| "Online".to_owned()),
            options: json.get("so").cloned().unwrap_or_default(),
            mac: mac.to_owned(),
            cmnd,
            stat,
            tele,
        })
    }

    /// Whether a `SetOption` is on.
    pub(super) fn option(&self, number: &str) -> bool {
        self.options.get(number).and_then(Json::as_u64) == Some(1)
    }

    /// Where a command goes.
    pub(super) fn cmnd(&self, end: &str) -> String {
        [&self.cmnd, end].concat()
    }

    /// Where an answer comes from.
    pub(super) fn stat(&self, end: &str) -> String {
        [&self.stat, end].concat()
    }

    /// Where a report comes from.
    pub(super) fn tele(&self, end: &str) -> String {
        [&self.tele, end].concat()
    }

    /// The beginnings of all of its topics, without the last slash.
    pub(super) fn roots(&self) -> Vec<String> {
        let mut roots: Vec<String> = [&self.cmnd, &self.stat, &self.tele].map(|root| root.trim_end_matches('/').to_owned()).into();
        roots.dedup();
        roots
    }

    /// Where the answers to these commands come from: all on `RESULT`, or with `SetOption4` each on a topic of its own.
    pub(super) fn answers(&self, commands: &[&str]) -> Vec<String> {
        let own = commands.iter().filter(|_| self.option("4")).map(|command| self.stat(command));
        std::iter::once(self.stat("RESULT")).chain(own).collect()
    }

    /// Relays and lights that it has: one that has a single one calls it `POWER`, not `POWER1`.
    pub(super) fn n_powers(&self) -> usize {
        self.relays.iter().rposition(|kind| *kind != 0).map_or(0, |last| last + 1)
    }
}

fn list<'a>(json: &'a Json, field: &str) -> impl Iterator<Item = &'a Json> {
    json.get(field).and_then(Json::as_array).into_iter().flatten().take(MOST)
}

fn numbers(json: &Json, field: &str) -> Vec<u64> {
    list(json, field).map(|n| n.as_u64().unwrap_or(0)).collect()
}

fn names(json: &Json, field: &str) -> Vec<Option<String>> {
    let name = |name: &Json| name.as_str().filter(|name| !name.trim().is_empty() && name.len() <= MOST_WORD_BYTES).map(str::to_owned);
    list(json, field).map(name).collect()
}

fn word(json: &Json, field: &str) -> Option<String> {
    json.get(field)?.as_str().filter(|word| !word.is_empty() && word.len() <= MOST_WORD_BYTES).map(str::to_owned)
}
