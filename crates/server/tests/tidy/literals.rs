//! Just enough of Rust's lexical structure to find the string literals of a source file.

/// The string literals of a source, without comments, characters and lifetimes.
pub(crate) fn strings(source: &str) -> Vec<String> {
    let letters: Vec<char> = source.chars().collect();
    let mut found = Vec::new();
    let mut at = 0;
    while at < letters.len() {
        let rest = &letters[at..];
        at += match rest {
            ['/', '/', ..] => rest.iter().position(|letter| *letter == '\n').unwrap_or(rest.len()),
            ['/', '*', ..] => block_comment(rest),
            ['\'', '\\', _, ..] => 3 + until(&rest[3..], '\''),
            ['\'', _, '\'', ..] => 3,
            ['r', '#' | '"', ..] if !follows_a_word(&letters, at) => raw(rest, &mut found),
            ['"', ..] => plain(rest, &mut found),
            _ => 1,
        };
    }
    found
}

/// `r` ends a word such as `for`, or begins a raw string.
fn follows_a_word(letters: &[char], at: usize) -> bool {
    let before = at.checked_sub(1).map(|before| letters[before]);
    before.is_some_and(|letter| letter != 'b' && letter != 'c' && (letter.is_alphanumeric() || letter == '_'))
}

fn until(letters: &[char], end: char) -> usize {
    letters.iter().position(|letter| *letter == end).map_or(letters.len(), |at| at + 1)
}

/// Block comments nest in Rust.
fn block_comment(letters: &[char]) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at < letters.len() {
        match &letters[at..] {
            ['/', '*', ..] => (depth, at) = (depth + 1, at + 2),
            ['*', '/', ..] => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            break;
        }
    }
    at
}

fn raw(letters: &[char], found: &mut Vec<String>) -> usize {
    let hashes = letters[1..].iter().take_while(|letter| **letter == '#').count();
    if letters.get(1 + hashes) != Some(&'"') {
        return 1; // A raw identifier.
    }
    let start = 2 + hashes;
    let end: Vec<char> = std::iter::once('"').chain(std::iter::repeat_n('#', hashes)).collect();
    let length = letters[start..].windows(end.len()).position(|window| window == end);
    let length = length.unwrap_or(letters.len() - start);
    found.push(letters[start..start + length].iter().collect());
    (start + length + end.len()).min(letters.len())
}

fn plain(letters: &[char], found: &mut Vec<String>) -> usize {
    let mut text = String::new();
    let mut at = 1;
    while at < letters.len() && letters[at] != '"' {
        if letters[at] == '\\' {
            at += 1;
        }
        text.extend(letters.get(at));
        at += 1;
    }
    found.push(text);
    at + 1
}

#[test]
fn literals_are_found_and_nothing_else_is() {
    let source = r##"
        // "no" in a comment, nor 'here
        /* "no" /* nested "no" */ still "no" */
        fn f<'a>(x: &'a str) -> char { for y in 0..1 {} let q = '"'; let e = '\''; let u = '\u{7}'; let b = '\\';
            let r#type = "one \" more"; let s = r#"two "inner" "#; let t = b"three"; let v = r"fo\ur"; '"' }
    "##;
    assert_eq!(strings(source), ["one \" more", "two \"inner\" ", "three", "fo\\ur"]);
}
