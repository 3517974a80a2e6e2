use crate::store::codec::CodecError;

/// Writes an integer, small ones in few bytes.
#[expect(clippy::cast_possible_truncation, reason = "no more than seven bits are left")]
pub(super) fn write(out: &mut Vec<u8>, mut integer: u64) {
    while integer > 0x7f {
        out.push((integer & 0x7f) as u8 | 0x80);
        integer >>= 7;
    }
    out.push(integer as u8);
}

/// Writes an integer that may be less than zero, those close to zero in few bytes.
pub(super) fn write_signed(out: &mut Vec<u8>, integer: i64) {
    write(out, ((integer << 1) ^ (integer >> 63)).cast_unsigned());
}

/// Takes an integer from the front of some bytes.
///
/// # Errors
/// [`CodecError::CutOff`] where it does not end.
pub(super) fn read(rest: &mut &[u8]) -> Result<u64, CodecError> {
    let mut integer = 0;
    for shift in (0..64).step_by(7) {
        let byte = byte(rest)?;
        integer |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Ok(integer);
        }
    }
    Err(CodecError::Damaged("an integer of more than 64 bits".to_owned()))
}

/// Takes an integer that may be less than zero.
///
/// # Errors
/// [`CodecError::CutOff`] where it does not end.
pub(super) fn read_signed(rest: &mut &[u8]) -> Result<i64, CodecError> {
    let integer = read(rest)?;
    Ok((integer >> 1).cast_signed() ^ -(integer & 1).cast_signed())
}

/// Takes a byte.
///
/// # Errors
/// [`CodecError::CutOff`] where there is none.
pub(super) fn byte(rest: &mut &[u8]) -> Result<u8, CodecError> {
    let (byte, left) = rest.split_first().ok_or(CodecError::CutOff(0))?;
    *rest = left;
    Ok(*byte)
}

/// Takes a number as it is.
///
/// # Errors
/// [`CodecError::CutOff`] where there is none.
pub(super) fn number(rest: &mut &[u8]) -> Result<f64, CodecError> {
    let (bytes, left) = rest.split_first_chunk().ok_or(CodecError::CutOff(rest.len()))?;
    *rest = left;
    Ok(f64::from_le_bytes(*bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_come_back_and_small_ones_are_short() {
        for (integer, len) in [(0, 1), (-1, 1), (63, 1), (64, 2), (-64, 1), (1 << 40, 6), (i64::MAX, 10), (i64::MIN, 10)] {
            let mut out = vec![];
            write_signed(&mut out, integer);
            assert_eq!(out.len(), len, "{integer}");
            let mut rest = out.as_slice();
            assert_eq!(read_signed(&mut rest), Ok(integer));
            assert!(rest.is_empty());
            assert!(read(&mut &out[..len - 1]).is_err());
        }
        assert!(read(&mut [0xff; 11].as_slice()).is_err(), "it does not end");
    }
}
