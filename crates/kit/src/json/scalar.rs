//! Texts and whole numbers of JSON (RFC 8259), as `serde_json` writes them.

/// How much of a text is looked over at a time.
const STRIDE: usize = 64;

/// Writes `text` in quotes.
pub(super) fn text(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    for piece in text.as_bytes().chunks(STRIDE) {
        if is_plain(piece) {
            out.extend_from_slice(piece);
        } else {
            for byte in piece {
                escaped(out, *byte);
            }
        }
    }
    out.push(b'"');
}

/// Whether these bytes stand for themselves. Without a way out of the loop, so that it is made of vector instructions.
#[expect(clippy::needless_bitwise_bool, reason = "a lazy operator is a way out")]
fn is_plain(bytes: &[u8]) -> bool {
    !bytes.iter().fold(false, |odd, byte| odd | (*byte < 0x20) | (*byte == b'"') | (*byte == b'\\'))
}

fn escaped(out: &mut Vec<u8>, byte: u8) {
    const HEX: [u8; 16] = *b"0123456789abcdef";
    let letter = match byte {
        b'"' | b'\\' => byte,
        0x08 => b'b',
        0x09 => b't',
        0x0a => b'n',
        0x0c => b'f',
        0x0d => b'r',
        0x00..0x20 => {
            out.extend_from_slice(&[b'\\', b'u', b'0', b'0', b'0' + (byte >> 4)]);
            out.push(HEX[usize::from(byte & 15)]);
            return;
        }
        _ => {
            out.push(byte);
            return;
        }
    };
    out.extend_from_slice(&[b'\\', letter]);
}

/// Writes a number without a sign.
pub(super) fn unsigned(out: &mut Vec<u8>, mut number: u64) {
    // As many digits as 2^64 has.
    let mut digits = [b'0'; 20];
    let mut start = digits.len();
    for digit in digits.iter_mut().rev() {
        let [lowest, ..] = (number % 10).to_le_bytes();
        *digit += lowest;
        start -= 1;
        number /= 10;
        if number == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[start..]);
}

/// Writes a number that may have a sign.
pub(super) fn signed(out: &mut Vec<u8>, number: i64) {
    if number < 0 {
        out.push(b'-');
    }
    unsigned(out, number.unsigned_abs());
}
