//! What topics are about, as operators write it beside the configuration: reading it, and what is wrong with it.

use domain::convention::plain::{MAX_PATTERNS, TopicPattern};
use domain::group::BadPlan;

use crate::store::{Store, StoreError};

/// The patterns that operators wrote, in their order.
///
/// # Errors
/// What the database says.
pub async fn load_patterns(store: &dyn Store) -> Result<Vec<TopicPattern>, StoreError> {
    // What cannot be read must not keep the server from starting: another release may take other patterns.
    let read = |text: String| {
        TopicPattern::parse(&text).inspect_err(|error| tracing::warn!(%error, "A stored topic pattern cannot be read and is left out")).ok()
    };
    Ok(store.topic_patterns().await?.into_iter().filter_map(read).collect())
}

/// Reads a whole list of patterns, which come behind those of the configuration.
///
/// # Errors
/// Names the place in the list, and the pattern.
pub fn read_patterns(texts: &[String], fixed: &[TopicPattern]) -> Result<Vec<TopicPattern>, BadPlan> {
    if texts.len() > MAX_PATTERNS {
        return Err(BadPlan::new("patterns", format!("{} are more than the {MAX_PATTERNS} that there may be", texts.len())));
    }
    let mut patterns: Vec<TopicPattern> = vec![];
    for (n, text) in texts.iter().enumerate() {
        let bad = |reason: String| BadPlan::new(format!("patterns[{n}]"), reason);
        let pattern = TopicPattern::parse(text).map_err(|error| bad(error.to_string()))?;
        if fixed.contains(&pattern) {
            return Err(bad(format!("topic pattern \"{pattern}\" is in the configuration already")));
        }
        if let Some(before) = patterns.iter().position(|known| *known == pattern) {
            return Err(bad(format!("topic pattern \"{pattern}\" is patterns[{before}] already")));
        }
        patterns.push(pattern);
    }
    Ok(patterns)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_refused_by_the_place_in_it_and_the_pattern() {
        let fixed = [TopicPattern::parse("f/{device}").expect("a pattern")];
        let read = |texts: &[&str]| read_patterns(&texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>(), &fixed).map(|all| all.len());
        assert_eq!(read(&["a/{device}", "b/{device}"]), Ok(2));
        assert_eq!(read(&[]), Ok(0));
        for (texts, field, words) in [
            (&["a/{device}", "b"][..], "patterns[1]", "topic pattern \"b\" names no {device}"),
            (&["a/{device}", "a/{device}"], "patterns[1]", "is patterns[0] already"),
            (&["f/{device}"], "patterns[0]", "is in the configuration already"),
            (&["a/{device}"; 65], "patterns", "65 are more than the 64"),
        ] {
            let bad = read(texts).expect_err(field);
            assert!(bad.field == field && bad.reason.contains(words), "{bad:?}");
        }
    }
}
