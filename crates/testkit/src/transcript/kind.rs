//! The `<kinds>` of a transcript: shapes that a text must have where its letters cannot be known beforehand.

/// A shape, written `<name>` in a transcript.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `<time>`: UTC with six digits, `2021-08-26T07:42:42.087078Z`.
    Time,
    /// `<uuid>`: 8-4-4-4-12 lower-case hexadecimal digits.
    Uuid,
    /// `<int>`: a whole number without leading zeros. As a whole JSON string it stands for a JSON integer, not for a string.
    Int,
    /// `<jwt>`: three base64url parts joined by dots.
    Jwt,
    /// `<hex32>` and `<hex40>`: so many lower-case hexadecimal digits.
    Hex(usize),
    /// `<code>`: six digits.
    Code,
    /// `<key>`: thirty letters and digits.
    Key,
    /// `<str>`: any text that is not empty; as a whole JSON string, any JSON string that is not empty.
    Str,
}

impl Kind {
    /// The kind of this name, if there is one.
    pub fn named(name: &str) -> Option<Self> {
        Some(match name {
            "time" => Self::Time,
            "uuid" => Self::Uuid,
            "int" => Self::Int,
            "jwt" => Self::Jwt,
            "hex32" => Self::Hex(32),
            "hex40" => Self::Hex(40),
            "code" => Self::Code,
            "key" => Self::Key,
            "str" => Self::Str,
            _ => return None,
        })
    }

    /// Whether `text`, from its first letter to its last, has this shape.
    pub fn fits(self, text: &str) -> bool {
        match self {
            Self::Time => shaped(text, "dddd-dd-ddTdd:dd:dd.ddddddZ"),
            Self::Uuid => shaped(text, "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx"),
            Self::Int => {
                let digits = text.strip_prefix('-').unwrap_or(text);
                all(digits, |letter| letter.is_ascii_digit()) && (digits == "0" || !digits.starts_with('0'))
            }
            Self::Jwt => {
                let parts: Vec<_> = text.split('.').collect();
                let base64url =
                    |letter: char| letter.is_ascii_alphanumeric() || letter == '-' || letter == '_';
                parts.len() == 3 && parts.iter().all(|part| all(part, base64url))
            }
            Self::Hex(length) => text.len() == length && all(text, is_hex),
            Self::Code => shaped(text, "dddddd"),
            Self::Key => text.len() == 30 && all(text, |letter| letter.is_ascii_alphanumeric()),
            Self::Str => !text.is_empty(),
        }
    }
}

fn is_hex(letter: char) -> bool {
    matches!(letter, '0'..='9' | 'a'..='f')
}

fn all(text: &str, test: impl Fn(char) -> bool) -> bool {
    !text.is_empty() && text.chars().all(test)
}

/// `d` is a digit, `x` a hexadecimal digit, every other letter itself.
fn shaped(text: &str, shape: &str) -> bool {
    text.chars().count() == shape.chars().count()
        && text.chars().zip(shape.chars()).all(|(letter, wanted)| match wanted {
            'd' => letter.is_ascii_digit(),
            'x' => is_hex(letter),
            other => letter == other,
        })
}

#[cfg(test)]
mod tests {
    use super::Kind;

    #[test]
    fn a_kind_accepts_its_own_shape_and_no_neighbour() {
        let cases = [
            ("time", "2021-08-26T07:42:42.087078Z", "2021-08-26T07:42:42.08707Z"),
            ("time", "2021-08-26T07:42:42.000000Z", "2021-08-26T07:42:42Z"),
            ("uuid", "018f3c1e-0000-7000-8000-00000000000a", "018F3C1E-0000-7000-8000-00000000000A"),
            ("int", "-12", "012"),
            ("int", "0", "1.0"),
            ("jwt", "eyJ.eyJ_-.abc", "eyJ.eyJ"),
            ("hex40", "7faff8fe07ef93d56b99a6c7f9e94bfc07d2d3eb", "7faff8fe07ef93d56b99a6c7f9e94bfc07d2d3eB"),
            ("code", "000123", "12345"),
            ("str", "x", ""),
        ];
        for (name, good, bad) in cases {
            let kind = Kind::named(name).unwrap();
            assert!(kind.fits(good), "{name} {good}");
            assert!(!kind.fits(bad), "{name} {bad}");
        }
        assert_eq!(Kind::named("html"), None);
    }
}
