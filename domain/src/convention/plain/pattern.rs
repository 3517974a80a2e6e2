//! What topics are about, as the operator writes it: `sensors/{device}/{measure}`.

use std::fmt;
use std::str::FromStr;

use super::{AVAILABILITY, Role, kind_of};
use crate::device::{AreaId, DeviceId};
use crate::topic::{MAX_TOPIC_BYTES, MAX_TOPIC_LEVELS};

/// The patterns that are understood without being written, in these words.
pub const SHIPPED: [&str; 5] =
    ["sensors/{device}/{measure}", "{site}/{area}/{measure}", "devices/{device}/status", "control/{kind}/{device}", "{device}/{measure}"];

/// Patterns that operators write, at most.
pub const MAX_PATTERNS: usize = 64;

/// Most topics of a preview.
const MOST_PREVIEWED: usize = 1_000;

/// Why a text is no pattern.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("topic pattern \"{pattern}\" {reason}")]
pub struct BadPattern {
    /// The pattern, cut to what a log line takes.
    pattern: String,
    /// What is wrong with it.
    reason: &'static str,
}

/// A pattern of topics: levels that must be as written, `+` for any level, and names in braces for what a level is.
///
/// `{device}`, `{measure}`, `{area}`, `{site}` and `{kind}` (`lights`, `switches` and the like) each stand once and fill a level. Without a
/// `{device}` the area is the device. Without a `{measure}` the payload names its measures, unless the last level is one under which devices say
/// whether they are there (`status`). With a `{kind}` it is a topic of commands, and the state comes from the same topic with `/state` behind it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopicPattern {
    text: String,
    levels: Vec<Level>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Level {
    Literal(String),
    Any,
    Named(Name),
}

/// What a level may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Name {
    Device,
    Measure,
    Site,
    Area,
    Kind,
}

/// What a topic says by a pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Matched<'a> {
    /// The device.
    pub device: &'a str,
    /// What it measures; `None` where the payload says it.
    pub measure: Option<&'a str>,
    /// Where it stands.
    pub area: Option<&'a str>,
    /// What kind of thing it is: `lights`.
    pub kind: Option<&'a str>,
}

/// What a pattern would make of a topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Preview {
    /// The topic.
    pub topic: String,
    /// The id of the device.
    pub device: DeviceId,
    /// What it measures, in the words of the topic; `None` where the payload says it.
    pub measure: Option<String>,
    /// The id of the area.
    pub area: Option<AreaId>,
}

impl TopicPattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// [`BadPattern`] names it and says what is wrong.
    pub fn parse(text: &str) -> Result<Self, BadPattern> {
        let bad = |reason| Err(BadPattern { pattern: crate::device::clean_text(text, 120), reason });
        if text.len() > MAX_TOPIC_BYTES || text.split('/').count() > MAX_TOPIC_LEVELS {
            return bad("is longer than any topic");
        }
        if text.starts_with('$') {
            return bad("begins with $: such topics belong to the broker");
        }
        let mut levels = vec![];
        for level in text.split('/') {
            let level = match level {
                "" => return bad("has a level with nothing in it"),
                "+" => Level::Any,
                "{device}" => Level::Named(Name::Device),
                "{measure}" => Level::Named(Name::Measure),
                "{site}" => Level::Named(Name::Site),
                "{area}" => Level::Named(Name::Area),
                "{kind}" => Level::Named(Name::Kind),
                level if level.contains(['{', '}']) => {
                    return bad("has a level that is not understood: {device}, {measure}, {site}, {area} and {kind} each fill one");
                }
                level if level.contains(['+', '#']) => return bad("has a wildcard in the wrong place: + fills a level, and # is none here"),
                level if level.chars().any(|c| c.is_control() || crate::device::is_bidi_control(c)) => {
                    return bad("holds a character that is not allowed");
                }
                level => Level::Literal(level.to_owned()),
            };
            if matches!(level, Level::Named(_)) && levels.contains(&level) {
                return bad("names the same thing twice");
            }
            levels.push(level);
        }
        let pattern = Self { text: text.to_owned(), levels };
        match (pattern.has(Name::Device) || pattern.has(Name::Area), pattern.has(Name::Kind), pattern.has(Name::Measure)) {
            (false, ..) => bad("names no {device}, and no {area} in place of one"),
            (_, true, true) => bad("names a {kind} and a {measure}: what is commanded measures nothing there"),
            _ => Ok(pattern),
        }
    }

    /// As it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    fn has(&self, name: Name) -> bool {
        self.levels.contains(&Level::Named(name))
    }

    /// What a topic says, if it is one of these.
    #[must_use]
    pub fn matches<'a>(&self, topic: &'a str) -> Option<Matched<'a>> {
        let mut given = topic.split('/');
        let mut named = [None; 5];
        for level in &self.levels {
            let text = given.next().filter(|text| !text.is_empty())?;
            match level {
                Level::Literal(wanted) if wanted == text => {}
                Level::Literal(_) => return None,
                Level::Any => {}
                Level::Named(name) => named[*name as usize] = Some(text),
            }
        }
        if given.next().is_some() || topic.starts_with('$') {
            return None;
        }
        let named = |name: Name| named[name as usize];
        let area = named(Name::Area);
        Some(Matched { device: named(Name::Device).or(area)?, measure: named(Name::Measure), area, kind: named(Name::Kind) })
    }

    /// Whether the pattern says what a topic is about: as it is written, or, with a `{kind}`, with `/state` behind it.
    #[must_use]
    pub fn takes(&self, topic: &str) -> bool {
        let is_state = || self.has(Name::Kind) && topic.strip_suffix("/state").is_some_and(|topic| self.matches(topic).is_some());
        self.matches(topic).is_some() || is_state()
    }

    /// What a topic is about; `None` for one that is none of these.
    pub(crate) fn role(&self, topic: &str) -> Option<Role> {
        if !self.has(Name::Kind) {
            return self.matches(topic).map(|matched| self.measured(topic, &matched));
        }
        let (command_topic, is_state) = match self.matches(topic) {
            Some(_) => (topic, false),
            None => (topic.strip_suffix("/state")?, true),
        };
        let matched = self.matches(command_topic)?;
        let device = matched.device.to_owned();
        Some(match (kind_of(matched.kind?), is_state) {
            (None, _) => Role::Nothing,
            (Some(kind), false) => Role::Command { device, kind },
            (Some(kind), true) => Role::State { device, kind, command_topic: command_topic.to_owned() },
        })
    }

    fn measured(&self, topic: &str, matched: &Matched<'_>) -> Role {
        let named = if self.has(Name::Device) { Name::Device } else { Name::Area };
        let n_root = self.levels.iter().position(|level| *level == Level::Named(named)).unwrap_or_default() + 1;
        let root = topic.split('/').take(n_root).collect::<Vec<_>>().join("/");
        let device = matched.device.to_owned();
        let says_presence = matches!(self.levels.last(), Some(Level::Literal(last)) if AVAILABILITY.contains(&last.as_str()));
        if says_presence && matched.measure.is_none() {
            return Role::Availability { device, root };
        }
        Role::Readings { device, measure: matched.measure.unwrap_or_default().to_owned(), area: matched.area.map(ToOwned::to_owned), root }
    }

    /// What it would make of topics, as many as anybody looks through. Topics of states, which a pattern with a `{kind}` takes besides those that it
    /// names, are not among them.
    #[must_use]
    pub fn preview<'a>(&self, topics: impl Iterator<Item = &'a str>) -> Vec<Preview> {
        let of = |topic: &str| {
            let matched = self.matches(topic)?;
            Some(Preview {
                topic: topic.to_owned(),
                device: DeviceId::slug(matched.device),
                measure: matched.measure.map(ToOwned::to_owned),
                area: matched.area.map(AreaId::slug),
            })
        };
        topics.filter_map(of).take(MOST_PREVIEWED).collect()
    }
}

impl FromStr for TopicPattern {
    type Err = BadPattern;
    fn from_str(text: &str) -> Result<Self, BadPattern> {
        Self::parse(text)
    }
}

impl fmt::Display for TopicPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::convention::plain::{discover, discover_by};
    use proptest::prelude::*;

    fn pattern(text: &str) -> TopicPattern {
        TopicPattern::parse(text).expect(text)
    }

    /// Device, measure, area and kind.
    type Said<'a> = (&'a str, Option<&'a str>, Option<&'a str>, Option<&'a str>);

    fn check(text: &str, topic: &str, expected: Option<Said<'_>>) {
        let pattern = pattern(text);
        let got = pattern.matches(topic).map(|matched| (matched.device, matched.measure, matched.area, matched.kind));
        assert_eq!(got, expected, "{text} {topic}");
    }

    #[test]
    fn a_pattern_says_what_each_level_is() {
        check("sensors/{device}/{measure}", "sensors/a/temperature", Some(("a", Some("temperature"), None, None)));
        check("sensors/{device}/{measure}", "sensors/a/b/temperature", None);
        check("sensors/{device}/{measure}", "sensors/a", None);
        check("sensors/{device}/{measure}", "other/a/temperature", None);
        check("sensors/{device}/{measure}", "sensors//temperature", None);
        check("{site}/{area}/{measure}", "home/kitchen/humidity", Some(("kitchen", Some("humidity"), Some("kitchen"), None)));
        check("{site}/{area}/{device}/{measure}", "h/k/fridge/t", Some(("fridge", Some("t"), Some("k"), None)));
        check("plant/+/{device}/up", "plant/x/a/up", Some(("a", None, None, None)));
        check("control/{kind}/{device}", "control/lights/hall", Some(("hall", None, None, Some("lights"))));
        check("{device}/{measure}", "$SYS/uptime", None);
    }

    #[test]
    fn what_is_no_pattern_is_refused_by_name() {
        for (text, words) in [
            ("", "\"\" has a level with nothing in it"),
            ("a//{device}", "nothing in it"),
            ("sensors/temperature", "names no {device}"),
            ("{site}/{measure}", "names no {device}"),
            ("{device}/{device}", "the same thing twice"),
            ("a-{device}/{measure}", "a level that is not understood"),
            ("{room}/{device}", "a level that is not understood"),
            ("{device}/#", "# is none here"),
            ("a+/{device}", "a wildcard in the wrong place"),
            ("$SYS/{device}", "belong to the broker"),
            ("a\u{202e}/{device}", "a character that is not allowed"),
            ("{kind}/{device}/{measure}", "names a {kind} and a {measure}"),
            (&"a/".repeat(40), "longer than any topic"),
        ] {
            let error = TopicPattern::parse(text).expect_err(text).to_string();
            assert!(error.contains(words) && error.starts_with("topic pattern \""), "{text}: {error}");
        }
    }

    #[test]
    fn the_shipped_patterns_are_what_topics_are_about_anyway() {
        for (text, topic) in [
            (SHIPPED[0], "sensors/a/temperature"),
            (SHIPPED[1], "home/kitchen/temperature"),
            (SHIPPED[2], "devices/a/status"),
            (SHIPPED[3], "control/lights/hall"),
            (SHIPPED[3], "control/switches/pump/state"),
            (SHIPPED[3], "control/unheard-of/hall"),
            (SHIPPED[4], "boiler/pressure"),
        ] {
            assert_eq!(pattern(text).role(topic), Some(discover(topic, b"online")), "{text} {topic}");
        }
    }

    #[test]
    fn a_pattern_comes_before_what_topics_are_about_anyway() {
        let patterns =
            [pattern("N/{site}/{device}/{measure}"), pattern("home/{device}/{measure}"), pattern("x/{device}/LWT"), pattern("x/{device}/json")];
        let about = |topic| discover_by(&patterns, topic, b"1");
        let readings = |device: &str, measure: &str, root: &str| Role::Readings {
            device: device.into(),
            measure: measure.into(),
            area: None,
            root: root.into(),
        };
        assert_eq!(about("N/c0ffee/vebus/Soc"), readings("vebus", "Soc", "N/c0ffee/vebus"));
        assert_eq!(about("home/kitchen/temperature"), readings("kitchen", "temperature", "home/kitchen"));
        assert_eq!(about("x/a/LWT"), Role::Availability { device: "a".into(), root: "x/a".into() });
        assert_eq!(about("x/a/json"), readings("a", "", "x/a"));
        assert_eq!(about("sensors/a/temperature"), discover("sensors/a/temperature", b"1"));
    }

    #[test]
    fn a_preview_shows_ids_and_no_more_than_anybody_reads() {
        let pattern = pattern("{site}/{area}/{device}/{measure}");
        let topics = ["Home/Wohn Zimmer/Lampe 1/power", "a/b", "$SYS/a/b/c"];
        let preview = pattern.preview(topics.into_iter());
        let shown: Vec<_> = preview.iter().map(|one| (one.device.as_str(), one.measure.as_deref(), one.area.as_ref().map(AreaId::as_str))).collect();
        assert_eq!(shown, [("lampe_1", Some("power"), Some("wohn_zimmer"))]);
        assert_eq!(pattern.preview(std::iter::repeat_n("a/b/c/d", 5_000)).len(), 1_000);
    }

    proptest! {
        #[test]
        fn no_text_panics(text in r"([a-c+#/]|\{(device|measure|site|area|kind|x)\}){0,8}", topic in "[a-c/$]{0,12}") {
            if let Ok(pattern) = TopicPattern::parse(&text) {
                prop_assert_eq!(pattern.as_str(), &text);
                prop_assert_eq!(pattern.takes(&topic), pattern.role(&topic).is_some());
                let _: Role = discover_by(&[pattern], &topic, b"1");
            }
        }
    }
}
