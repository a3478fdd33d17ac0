//! Which strings are keys of files.

/// Longest key, in bytes. It leaves room for the root folder under the usual path limit of 4,096.
const MAX_BYTES: usize = 1024;

/// Longest part between two slashes, in bytes: what common file systems allow, less the room for a temporary
/// name's suffix.
const MAX_SEGMENT_BYTES: usize = 200;

/// Whether `key` can name a file: letters `a`–`z`, digits and `. _ -` in segments divided by single slashes, none
/// of which is empty or starts with a dot (so neither `..` nor a temporary file can be named), and no slash at
/// either end.
pub(crate) fn is_valid(key: &str) -> bool {
    key.len() <= MAX_BYTES && key.split('/').all(is_segment)
}

fn is_segment(segment: &str) -> bool {
    let allowed = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'_' | b'-');
    !segment.is_empty()
        && segment.len() <= MAX_SEGMENT_BYTES
        && !segment.starts_with('.')
        && segment.bytes().all(allowed)
}

#[cfg(test)]
mod tests {
    use super::is_valid;

    #[test]
    fn keys_of_the_core_are_valid() {
        for key in ["a", "avatars/default.png", "attachments/0f/3c-9_1.tar.gz", "a..b"] {
            assert!(is_valid(key), "{key}");
        }
    }

    #[test]
    fn what_could_leave_the_folder_or_hide_in_it_is_no_key() {
        let long = "a/".repeat(600) + "a";
        let wide = "a".repeat(201);
        let bad =
            ["", "/", "/etc/passwd", "a/", "a//b", "..", "a/../b", "../a", "a/./b", ".hidden", "a/.tmp-1"];
        let strange = ["A", "a b", "a\\b", "a\0b", "ä", "c:/a", "a\n", long.as_str(), wide.as_str()];
        for key in bad.iter().chain(&strange) {
            assert!(!is_valid(key), "{key:?}");
        }
    }
}
