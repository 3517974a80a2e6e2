//! What is shown of a payload: text, JSON laid out, or bytes.

use std::fmt::Write as _;

use app::devices::Payload;
use domain::device::{clean_text, is_bidi_control};
use serde::de::IgnoredAny;

/// Bytes that are shown as hex digits at most.
const MOST_HEX: usize = 256;
/// Bytes of a line of hex digits.
const HEX_LINE: usize = 8;
/// Longest text in a row of the tree, in characters.
const BRIEF_CHARS: usize = 24;
/// Levels that JSON is laid out on; what is deeper stays as it is.
const MOST_LEVELS: usize = 16;

/// What is kept of a payload of `size` bytes.
pub(super) fn shown(kept: &[u8], size: usize) -> Payload {
    let is_cut = kept.len() < size;
    let Some(text) = text(kept, is_cut) else {
        let mut hex = String::new();
        for (n, line) in kept[..kept.len().min(MOST_HEX)].chunks(HEX_LINE).enumerate() {
            hex.push_str(if n == 0 { "" } else { "\n" });
            for (n, byte) in line.iter().enumerate() {
                // Writing to a String cannot fail.
                let _: std::fmt::Result = write!(hex, "{}{byte:02x}", if n == 0 { "" } else { " " });
            }
        }
        return Payload { text: hex, is_cut: size > MOST_HEX.min(kept.len()), is_hex: true };
    };
    let is_json = text.starts_with(['{', '[']) && serde_json::from_str::<IgnoredAny>(text).is_ok();
    let text = if is_json { laid_out(text) } else { text.to_owned() };
    let harmless = |c: &char| matches!(c, '\n' | '\t') || (!c.is_control() && !is_bidi_control(*c));
    Payload { text: text.chars().filter(harmless).collect(), is_cut, is_hex: false }
}

/// The same in a few characters: a short text, else how much it is.
pub(in crate::backend) fn brief(kept: &[u8], size: usize) -> String {
    let is_short = |text: &&str| text.chars().count() <= BRIEF_CHARS && !text.contains(['\n', '{', '[']);
    match text(kept, kept.len() < size).filter(|_| kept.len() == size).filter(is_short) {
        Some("") => "empty".to_owned(),
        Some(text) => clean_text(text, BRIEF_CHARS),
        None if size < 1_000 => format!("{size} B"),
        None => format!("{} kB", size / 1_000),
    }
}

fn text(kept: &[u8], is_cut: bool) -> Option<&str> {
    match std::str::from_utf8(kept) {
        Ok(text) => Some(text),
        // Cut inside a character: what is before it is text.
        Err(error) if is_cut && error.error_len().is_none() => std::str::from_utf8(&kept[..error.valid_up_to()]).ok(),
        Err(_) => None,
    }
}

/// JSON with its own words in its own order, a line each.
fn laid_out(json: &str) -> String {
    let mut out = String::with_capacity(json.len() * 2);
    let (mut level, mut in_text, mut is_escaped) = (0_usize, false, false);
    for c in json.chars() {
        if in_text {
            out.push(c);
            in_text = is_escaped || c != '"';
            is_escaped = !is_escaped && c == '\\';
            continue;
        }
        let is_begun = out.ends_with(['{', '[']);
        match c {
            c if c.is_ascii_whitespace() => continue,
            '}' | ']' => {
                level = level.saturating_sub(1);
                if !is_begun {
                    line(&mut out, level);
                }
            }
            // What stands first in a list begins its line.
            _ if is_begun => line(&mut out, level),
            _ => {}
        }
        out.push(c);
        match c {
            '"' => in_text = true,
            '{' | '[' => level += 1,
            ',' => line(&mut out, level),
            ':' => out.push(' '),
            _ => {}
        }
    }
    out
}

fn line(out: &mut String, level: usize) {
    if level <= MOST_LEVELS {
        out.push('\n');
        out.push_str(&"  ".repeat(level));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::{Value as Json, json};

    #[test]
    fn json_is_laid_out_with_its_own_words_in_its_own_order() {
        let of = |text: &str| shown(text.as_bytes(), text.len()).text;
        assert_eq!(
            of(r#"{"b":1.0,"a":{"x":[1,2],"e":{}}}"#),
            "{\n  \"b\": 1.0,\n  \"a\": {\n    \"x\": [\n      1,\n      2\n    ],\n    \"e\": {}\n  }\n}"
        );
        assert_eq!(of(r#"[ "a, \"{b}\\" , [ ] ]"#), "[\n  \"a, \\\"{b}\\\\\",\n  []\n]");
        assert_eq!(of("{not json"), "{not json");
        assert_eq!(of("a\u{202e}b\u{7}\n"), "ab\n");
    }

    #[test]
    fn bytes_are_shown_as_digits_and_never_more_than_a_part() {
        assert_eq!(shown(&[0xff, 0x00], 2), Payload { text: "ff 00".into(), is_cut: false, is_hex: true });
        let long = shown(&[0xff; 1_000], 1_000);
        assert!(long.is_cut && long.text.lines().count() == MOST_HEX / HEX_LINE);
        assert_eq!(shown("aé".as_bytes().split_at(2).0, 3), Payload { text: "a".into(), is_cut: true, is_hex: false });
        assert_eq!(
            [brief(b"21.5", 4), brief(b"", 0), brief(b"{}", 2), brief(&[0xff], 1), brief(b"x", 4_096)],
            ["21.5", "empty", "2 B", "1 B", "4 kB"]
        );
    }

    proptest! {
        #[test]
        fn what_is_laid_out_says_the_same(words in proptest::collection::vec((".{0,12}", any::<f64>().prop_filter("finite", |n| n.is_finite())), 0..6)) {
            let json = json!({"all": words.iter().map(|(word, n)| json!({word: n, "deep": [[], {"x": word}]})).collect::<Vec<_>>()});
            let before: Json = serde_json::from_str(&json.to_string()).expect("JSON");
            prop_assert_eq!(serde_json::from_str::<Json>(&laid_out(&json.to_string())).expect("JSON"), before);
        }

        #[test]
        fn no_payload_panics(bytes in proptest::collection::vec(any::<u8>(), 0..300), more in 0_usize..3) {
            let size = bytes.len() + more;
            let _: (Payload, String) = (shown(&bytes, size), brief(&bytes, size));
        }
    }
}
