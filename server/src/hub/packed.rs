//! A text frame as it stands on a WebSocket: whoever is sent it takes the same bytes.

/// What stands in front of a text in one frame of a server: `FIN` and the opcode of text, then the length (RFC 6455, section 5.2). No mask.
const TEXT: u8 = 0x81;
/// Lengths up to it stand in one byte; this and the next say that two or eight more follow.
const SHORT: usize = 125;
const IN_TWO: u8 = 126;
const IN_EIGHT: u8 = 127;

/// A text frame: head and text in one piece.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packed {
    bytes: Box<[u8]>,
}

impl Packed {
    /// The frame of a text.
    #[must_use]
    pub fn new(text: &str) -> Self {
        let mut bytes = Vec::with_capacity(text.len() + 10);
        bytes.push(TEXT);
        match (u8::try_from(text.len()), u16::try_from(text.len())) {
            (Ok(len), _) if text.len() <= SHORT => bytes.push(len),
            (_, Ok(len)) => {
                bytes.push(IN_TWO);
                bytes.extend(len.to_be_bytes());
            }
            _ => {
                bytes.push(IN_EIGHT);
                bytes.extend((text.len() as u64).to_be_bytes());
            }
        }
        bytes.extend(text.as_bytes());
        Self { bytes: bytes.into() }
    }

    /// As it is written.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_head_says_how_long_the_text_is() {
        for (len, head) in [
            (0, vec![0x81, 0]),
            (5, vec![0x81, 5]),
            (125, vec![0x81, 125]),
            (126, vec![0x81, 126, 0, 126]),
            (65_535, vec![0x81, 126, 0xff, 0xff]),
            (65_536, vec![0x81, 127, 0, 0, 0, 0, 0, 1, 0, 0]),
        ] {
            let text = "x".repeat(len);
            let packed = Packed::new(&text);
            assert_eq!(packed.as_bytes(), [head, text.into_bytes()].concat(), "{len}");
        }
    }
}
