//! MQTT topics and filters (MQTT 5.0, section 4.7).

/// Longest topic we take, in bytes.
pub const MAX_TOPIC_BYTES: usize = 1_024;
/// Most levels of a topic we take.
pub const MAX_TOPIC_LEVELS: usize = 32;

/// Why a text is no topic or filter.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TopicError {
    /// Nothing at all.
    #[error("a topic must not be empty")]
    Empty,
    /// Too many bytes or levels.
    #[error("a topic has at most {MAX_TOPIC_BYTES} bytes and {MAX_TOPIC_LEVELS} levels")]
    TooLong,
    /// A character that topics must not hold.
    #[error("topic \"{0}\" holds a character that is not allowed")]
    BadCharacter(String),
    /// `+` or `#` where a publish would go.
    #[error("topic \"{0}\" holds a wildcard")]
    Wildcard(String),
    /// `+` or `#` that does not fill a level, or `#` that is not last.
    #[error("filter \"{0}\" has a wildcard in the wrong place")]
    MisplacedWildcard(String),
    /// Topics of the broker itself.
    #[error("topic \"{0}\" belongs to the broker")]
    Reserved(String),
    /// `$share` without a group or a filter, or with a wildcard in the group.
    #[error("shared filter \"{0}\" is not understood: write $share/<group>/<filter>")]
    BadGroup(String),
}

/// Checks a topic that something is published to: no wildcards, no control characters, not the broker's own.
///
/// # Errors
/// [`TopicError`] names the topic.
pub fn check_topic(topic: &str) -> Result<(), TopicError> {
    check_text(topic)?;
    if topic.contains(['+', '#']) {
        return Err(TopicError::Wildcard(shown(topic)));
    }
    if topic.starts_with('$') {
        return Err(TopicError::Reserved(shown(topic)));
    }
    Ok(())
}

fn check_text(topic: &str) -> Result<(), TopicError> {
    if topic.is_empty() {
        return Err(TopicError::Empty);
    }
    if topic.len() > MAX_TOPIC_BYTES || topic.bytes().filter(|&b| b == b'/').count() >= MAX_TOPIC_LEVELS {
        return Err(TopicError::TooLong);
    }
    if topic.chars().any(|c| c.is_control() || crate::device::is_bidi_control(c)) {
        return Err(TopicError::BadCharacter(shown(topic)));
    }
    Ok(())
}

fn shown(topic: &str) -> String {
    crate::device::clean_text(topic, 120)
}

/// A topic filter: `sensors/+/temperature`, `#`, or `$share/<group>/#`, where the broker deals the messages out to those
/// who subscribe to the filter in the group (MQTT 5.0, section 4.8.2).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct TopicFilter {
    text: String,
    /// Where in `text` the filter begins that topics are held against.
    plain_at: usize,
}

impl TopicFilter {
    /// Checks a filter.
    ///
    /// # Errors
    /// [`TopicError`] names the filter.
    pub fn parse(filter: &str) -> Result<Self, TopicError> {
        check_text(filter)?;
        let plain_at = plain_at(filter).ok_or_else(|| TopicError::BadGroup(shown(filter)))?;
        let mut levels = filter[plain_at..].split('/').peekable();
        while let Some(level) = levels.next() {
            let single = level == "+" || (level == "#" && levels.peek().is_none());
            if !single && level.contains(['+', '#']) {
                return Err(TopicError::MisplacedWildcard(shown(filter)));
            }
        }
        Ok(Self { text: filter.to_owned(), plain_at })
    }

    /// The filter as text, with its group.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether the messages are dealt out to a group: others may get what matches.
    #[must_use]
    pub const fn is_shared(&self) -> bool {
        self.plain_at > 0
    }

    /// Whether a message on `topic` passes. `a/#` matches `a`; wildcards in front do not match `$…`; the group of a
    /// shared filter says nothing about it.
    #[must_use]
    pub fn matches(&self, topic: &str) -> bool {
        let plain = &self.text[self.plain_at..];
        if topic.starts_with('$') && plain.starts_with(['+', '#']) {
            return false;
        }
        let mut wanted = plain.split('/');
        let mut levels = topic.split('/');
        loop {
            match (wanted.next(), levels.next()) {
                (Some("#"), _) => return true,
                (Some("+"), Some(_)) => {}
                (Some(w), Some(l)) if w == l => {}
                (None, None) => return true,
                _ => return false,
            }
        }
    }
}

/// Behind the group of a shared filter, or 0; `None` when the group makes no sense.
fn plain_at(filter: &str) -> Option<usize> {
    let Some(rest) = filter.strip_prefix("$share") else { return Some(0) };
    if !rest.is_empty() && !rest.starts_with('/') {
        // Another name that begins with these letters.
        return Some(0);
    }
    let (group, plain) = rest.strip_prefix('/')?.split_once('/')?;
    let is_sound = !group.is_empty() && !group.contains(['+', '#']) && !plain.is_empty();
    is_sound.then(|| filter.len() - plain.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(filter: &str, topic: &str, expected: bool) {
        assert_eq!(TopicFilter::parse(filter).expect(filter).matches(topic), expected, "{filter} {topic}");
    }

    #[test]
    fn filters_match_by_the_rules_of_mqtt() {
        check("sensors/+/temperature", "sensors/a/temperature", true);
        check("sensors/+/temperature", "sensors/a/b/temperature", false);
        check("sensors/#", "sensors", true);
        check("sensors/#", "sensors/a/b", true);
        check("#", "a", true);
        check("#", "$SYS/broker", false);
        check("+/broker", "$SYS/broker", false);
        check("$SYS/#", "$SYS/broker", true);
        check("+", "", true);
        check("a/+", "a/", true);
        check("a/+", "a", false);
        check("/+", "/a", true);
    }

    #[test]
    fn a_shared_filter_matches_by_what_follows_the_group() {
        check("$share/copies/sensors/+", "sensors/a", true);
        check("$share/copies/sensors/+", "other/a", false);
        check("$share/copies/sensors/+", "$share/copies/sensors/a", false);
        check("$share/copies/#", "$SYS/broker", false);
        check("$share/copies/$SYS/#", "$SYS/broker", true);
        check("$share/copies//a", "/a", true);
        check("$shared/a", "$shared/a", true);
        let shared = TopicFilter::parse("$share/copies/#").expect("valid");
        assert_eq!((shared.as_str(), shared.is_shared()), ("$share/copies/#", true));
        assert!(!TopicFilter::parse("$shared/#").expect("valid").is_shared());
        for bad in ["$share", "$share/", "$share/copies", "$share/copies/", "$share//a", "$share/+/a", "$share/a#/b"] {
            assert!(matches!(TopicFilter::parse(bad), Err(TopicError::BadGroup(_))), "{bad}");
        }
        assert!(matches!(TopicFilter::parse("$share/copies/a+"), Err(TopicError::MisplacedWildcard(_))));
    }

    #[test]
    fn filters_with_misplaced_wildcards_are_refused() {
        for bad in ["", "a/#/b", "a+", "a/b#", "#a", "a\0b", "a\u{202e}b"] {
            assert!(TopicFilter::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn nothing_is_published_to_wildcards_or_to_the_broker() {
        for bad in ["", "a/+/b", "#", "$SYS/x", "a\nb"] {
            assert!(check_topic(bad).is_err(), "{bad:?}");
        }
        assert!(check_topic("control/lights/living-room").is_ok());
    }

    proptest! {
        #[test]
        fn a_plain_filter_matches_only_itself(topic in "[a-c/]{1,8}", other in "[a-c/]{1,8}") {
            let filter = TopicFilter::parse(&topic).expect("no wildcard");
            prop_assert_eq!(filter.matches(&other), topic == other);
        }

        #[test]
        fn no_text_panics(filter in ".*", topic in ".*") {
            if let Ok(filter) = TopicFilter::parse(&filter) {
                let _: bool = filter.matches(&topic);
            }
        }
    }
}
