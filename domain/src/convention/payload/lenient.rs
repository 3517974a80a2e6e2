//! Text that is nearly JSON: many libraries write `NaN` and `Infinity`, which JSON does not know, and numbers that no number can hold.

/// The same text with such words in quotation marks, so that the values beside them can be read; `None` when there are none.
pub(super) fn quoted(text: &str) -> Option<String> {
    let mut out = String::new();
    let (mut copied, mut at) = (0, 0);
    let bytes = text.as_bytes();
    while let Some(&byte) = bytes.get(at) {
        if byte == b'"' {
            at = after_string(bytes, at);
        } else if is_word(byte) {
            let end = bytes[at..].iter().position(|&b| !is_word(b)).map_or(bytes.len(), |len| at + len);
            // Only ASCII stands around and in it, so that these are borders of characters.
            if is_no_number(&text[at..end]) {
                out.push_str(&text[copied..at]);
                out.push('"');
                out.push_str(&text[at..end]);
                out.push('"');
                copied = end;
            }
            at = end;
        } else {
            at += 1;
        }
    }
    if copied == 0 {
        return None;
    }
    out.push_str(&text[copied..]);
    Some(out)
}

/// The place after the string that begins at `start`; the end when it has none.
fn after_string(bytes: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'"' => return at + 1,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    bytes.len()
}

const fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.')
}

fn is_no_number(word: &str) -> bool {
    // Rust reads `nan`, `inf` and `infinity` in any case and with a sign, and what is too large as infinite.
    word.parse::<f64>().is_ok_and(|n| !n.is_finite())
}
