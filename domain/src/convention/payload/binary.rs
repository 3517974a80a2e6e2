//! Bytes that are no text: how many, the first of them, and what they may be.

use std::fmt::Write;

use crate::convention::sparkplug::message::{Payload, read};

/// Bytes shown.
const SHOWN: usize = 8;
/// What files begin with.
const BEGINNINGS: [(&[u8], &str); 6] = [
    (b"\x89PNG", "a PNG image"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"GIF8", "a GIF image"),
    (b"RIFF", "a WebP image or a sound"),
    (b"\x1f\x8b", "compressed with gzip"),
    (b"\xd9\xd9\xf7", "CBOR"),
];

/// `84 bytes a2 64 74 65 6d 70 18 17 …, perhaps CBOR or MessagePack`.
pub(super) fn described(bytes: &[u8]) -> String {
    let mut words = format!("{} bytes", bytes.len());
    for byte in bytes.iter().take(SHOWN) {
        // Writing to a text cannot fail.
        let _: std::fmt::Result = write!(words, " {byte:02x}");
    }
    if bytes.len() > SHOWN {
        words.push_str(" …");
    }
    if let Some(guess) = guess(bytes) {
        words.push_str(", perhaps ");
        words.push_str(guess);
    }
    words
}

fn guess(bytes: &[u8]) -> Option<&'static str> {
    if let Some((_, what)) = BEGINNINGS.iter().find(|(beginning, _)| bytes.starts_with(beginning)) {
        return Some(what);
    }
    let is_sparkplug =
        || read::<Payload>(bytes).is_ok_and(|payload| payload.metrics.iter().any(|metric| metric.name.is_some() || metric.alias.is_some()));
    match bytes.first()? {
        0x08 | 0x12 if is_sparkplug() => Some("Sparkplug B on a topic that is none of it"),
        // Lists and objects of the one or the other.
        0x80..=0xbf | 0xdc..=0xdf => Some("CBOR or MessagePack"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use crate::convention::payload::{PayloadError, decode};

    #[test]
    fn bytes_are_told_with_what_they_may_be() {
        let sparkplug = b"\x08\xaa\xf2\xd4\x8b\xa0\x2b\x12\x06\x0a\x01\x4e\x50\xff\x01";
        for (bytes, words) in [
            (&b"\xa2\x64temp\x18\x17\x61"[..], "9 bytes a2 64 74 65 6d 70 18 17 …, perhaps CBOR or MessagePack"),
            (b"\x89PNG\r\n\x1a\n", "8 bytes 89 50 4e 47 0d 0a 1a 0a, perhaps a PNG image"),
            (b"\xff\xd8\xff\xe0", "4 bytes ff d8 ff e0, perhaps a JPEG image"),
            (b"\xff\xfe", "2 bytes ff fe"),
            (sparkplug, "15 bytes 08 aa f2 d4 8b a0 2b 12 …, perhaps Sparkplug B on a topic that is none of it"),
        ] {
            assert_eq!(decode(bytes), Err(PayloadError::Binary(words.to_owned())), "{bytes:02x?}");
        }
    }
}
