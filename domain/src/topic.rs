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

/// A topic filter: `sensors/+/temperature`, `#`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct TopicFilter(String);

impl TopicFilter {
    /// Checks a filter.
    ///
    /// # Errors
    /// [`TopicError`] names the filter.
    pub fn parse(filter: &str) -> Result<Self, TopicError> {
        check_text(filter)?;
        let mut levels = filter.split('/').peekable();
        while let Some(level) = levels.next() {
            let single = level == "+" || (level == "#" && levels.peek().is_none());
            if !single && level.contains(['+', '#']) {
                return Err(TopicError::MisplacedWildcard(shown(filter)));
            }
        }
        Ok(Self(filter.to_owned()))
    }

    /// The filter as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether a message on `topic` passes. `a/#` matches `a`; wildcards in front do not match `$…`.
    #[must_use]
    pub fn matches(&self, topic: &str) -> bool {
        if topic.starts_with('$') && self.0.starts_with(['+', '#']) {
            return false;
        }
        let mut wanted = self.0.split('/');
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
