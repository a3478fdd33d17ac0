//! Text with holes: letters, persons, variables, kinds and ellipses; how it is read, written out and matched.

use anyhow::{Result, anyhow, bail};

use super::kind::Kind;
use super::memory::Memory;
use crate::cast::{Field, Person};
use crate::fixtures;

/// One piece of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// Letters that stand for themselves.
    Letters(String),
    /// `@alice`, `@alice.token`, `@alice#phone.token`: something of a person.
    Person(Person, Field),
    /// `$name`: learnt at first use, fixed from then on.
    Variable(String),
    /// `<kind>`, or `<kind $name>`, which learns what it matched. Sent, `<int $name>` is the number without leading zeros.
    Kind(Kind, Option<String>),
    /// `…`: anything, also nothing.
    Anything,
    /// `<repeat LETTERS N>`.
    Repeat(String, usize),
    /// `<base64 FIXTURE>`.
    Base64(String),
}

/// A text with holes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Text(pub Vec<Piece>);

impl Text {
    /// Reads a text of a line: `\x00` is a byte, `\n`, `\r`, `\t` are controls, and a backslash before any other letter takes its meaning away.
    pub fn of_line(line: &str) -> Result<Self> {
        let mut marked = Vec::new();
        let mut letters = line.chars();
        while let Some(letter) = letters.next() {
            if letter != '\\' {
                marked.push((letter, false));
                continue;
            }
            let meant = match letters.next().ok_or_else(|| anyhow!("a backslash at the end of the line"))? {
                'x' => {
                    let digits: String = letters.by_ref().take(2).collect();
                    let byte = u8::from_str_radix(&digits, 16)
                        .map_err(|_| anyhow!("\\x wants two hexadecimal digits"))?;
                    byte_letter(byte)
                }
                'n' => '\n',
                'r' => '\r',
                't' => '\t',
                other => other,
            };
            marked.push((meant, true));
        }
        Self::of_marked(&marked)
    }

    /// Reads letters of which those marked `true` were escaped, and so mean only themselves.
    pub fn of_marked(marked: &[(char, bool)]) -> Result<Self> {
        let mut pieces = Vec::new();
        let mut letters = String::new();
        let mut at = 0;
        while at < marked.len() {
            let (letter, escaped) = marked[at];
            let found = if escaped || !matches!(letter, '…' | '$' | '@' | '<') {
                None
            } else {
                let plain =
                    marked[at..].iter().take_while(|(_, escaped)| !escaped).map(|(letter, _)| *letter);
                special(&plain.collect::<String>())?
            };
            if let Some((piece, length)) = found {
                if !letters.is_empty() {
                    pieces.push(Piece::Letters(std::mem::take(&mut letters)));
                }
                pieces.push(piece);
                at += length;
            } else {
                letters.push(letter);
                at += 1;
            }
        }
        if !letters.is_empty() {
            pieces.push(Piece::Letters(letters));
        }
        Ok(Self(pieces))
    }

    /// Writes the text out. Everything in it must be known.
    pub fn render(&self, memory: &Memory) -> Result<String> {
        let mut written = String::new();
        for piece in &self.0 {
            match piece {
                Piece::Letters(letters) => written.push_str(letters),
                Piece::Person(person, field) => written.push_str(&memory.of_person(person, *field)?),
                Piece::Variable(name) => written.push_str(
                    &memory.variable_text(name).ok_or_else(|| anyhow!("${name} is not known yet"))?,
                ),
                Piece::Repeat(letters, times) => written.push_str(&letters.repeat(*times)),
                Piece::Base64(fixture) => written.push_str(&fixtures::base64(fixture)?),
                Piece::Kind(Kind::Int, Some(name)) => {
                    let known =
                        memory.variable_text(name).ok_or_else(|| anyhow!("${name} is not known yet"))?;
                    written.push_str(&known.parse::<i64>()?.to_string());
                }
                Piece::Kind(..) | Piece::Anything => {
                    bail!("a pattern can be matched, but not sent: {piece:?}")
                }
            }
        }
        Ok(written)
    }

    /// Writes the text out as bytes, with `\x..` as the bytes they name.
    pub fn render_bytes(&self, memory: &Memory) -> Result<Vec<u8>> {
        Ok(to_bytes(&self.render(memory)?))
    }

    /// Whether `found` is this text; what it teaches goes into `memory` (also when it fails: match on a copy).
    pub fn matches(&self, found: &str, memory: &mut Memory) -> Result<bool> {
        matches_from(&self.0, found, memory)
    }

    /// The persons whose credentials the text needs.
    pub fn persons(&self) -> impl Iterator<Item = (&Person, Field)> {
        self.0.iter().filter_map(|piece| match piece {
            Piece::Person(person, field) => Some((person, *field)),
            _ => None,
        })
    }
}

/// Letters of the private use area stand for the bytes that `\x..` names, since those need not be UTF-8.
fn byte_letter(byte: u8) -> char {
    char::from_u32(0xF700 + u32::from(byte)).unwrap_or(char::REPLACEMENT_CHARACTER)
}

/// The UTF-8 of `text`, but for the letters that stand for one byte.
pub fn to_bytes(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    for letter in text.chars() {
        match u8::try_from(u32::from(letter).wrapping_sub(0xF700)) {
            Ok(byte) => bytes.push(byte),
            Err(_) => bytes.extend_from_slice(letter.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    bytes
}

fn matches_from(pieces: &[Piece], found: &str, memory: &mut Memory) -> Result<bool> {
    let Some((piece, rest)) = pieces.split_first() else {
        return Ok(found.is_empty());
    };
    let known = match piece {
        Piece::Anything => {
            return try_ends(found, 0, false, |_| true, None, rest, memory);
        }
        Piece::Kind(kind, name) => match name.as_ref().and_then(|name| memory.variable_text(name)) {
            Some(known) if kind.fits(&known) => known,
            Some(_) => return Ok(false),
            None => return try_ends(found, 1, true, |text| kind.fits(text), name.as_deref(), rest, memory),
        },
        Piece::Variable(name) => match memory.variable_text(name) {
            Some(known) => known,
            None => return try_ends(found, 1, false, |_| true, Some(name), rest, memory),
        },
        piece => Text(vec![piece.clone()]).render(memory)?,
    };
    match found.strip_prefix(known.as_str()) {
        Some(left) => matches_from(rest, left, memory),
        None => Ok(false),
    }
}

/// Tries every length of at least `least` letters for the first hole, and keeps the first with which the rest matches too.
fn try_ends(
    found: &str,
    least: usize,
    longest_first: bool,
    fits: impl Fn(&str) -> bool,
    name: Option<&str>,
    rest: &[Piece],
    memory: &mut Memory,
) -> Result<bool> {
    let mut ends: Vec<usize> =
        found.char_indices().map(|(at, _)| at).chain([found.len()]).skip(least).collect();
    if longest_first {
        ends.reverse();
    }
    for end in ends {
        if !fits(&found[..end]) {
            continue;
        }
        let mut trial = memory.clone();
        if let Some(name) = name {
            trial.learn(name, found[..end].into());
        }
        if matches_from(rest, &found[end..], &mut trial)? {
            *memory = trial;
            return Ok(true);
        }
    }
    Ok(false)
}

/// The special piece that `text` begins with, and how many letters long it is.
fn special(text: &str) -> Result<Option<(Piece, usize)>> {
    let first = text.chars().next();
    Ok(match first {
        Some('…') => Some((Piece::Anything, 1)),
        Some('$') => variable(text).map(|name| (Piece::Variable(name.to_owned()), 1 + name.len())),
        Some('@') => person(text),
        Some('<') => angle(text)?,
        _ => None,
    })
}

fn variable(text: &str) -> Option<&str> {
    let name = word(text.strip_prefix('$')?);
    name.starts_with(|letter: char| letter.is_ascii_lowercase()).then_some(name)
}

/// The lower-case letters, digits and underscores that `text` begins with.
fn word(text: &str) -> &str {
    let end = text.find(|letter: char| !matches!(letter, 'a'..='z' | '0'..='9' | '_')).unwrap_or(text.len());
    &text[..end]
}

fn person(text: &str) -> Option<(Piece, usize)> {
    let name = word(&text[1..]);
    let mut person = Person::named(name)?;
    let mut length = 1 + name.len();
    if let Some(label) = text[length..].strip_prefix('#').map(word).filter(|label| !label.is_empty()) {
        label.clone_into(&mut person.session);
        length += 1 + label.len();
    }
    let named =
        text[length..].strip_prefix('.').map(word).and_then(|word| Some((Field::named(word)?, word.len())));
    let (field, more) = named.map_or((Field::Name, 0), |(field, letters)| (field, 1 + letters));
    Some((Piece::Person(person, field), length + more))
}

/// `<kind>`, `<kind $name>`, `<repeat LETTERS N>`, `<base64 FIXTURE>`; any other angle bracket is a letter.
fn angle(text: &str) -> Result<Option<(Piece, usize)>> {
    let Some(inside) = text[1..].find('>').map(|end| &text[1..=end]) else {
        return Ok(None);
    };
    let length = inside.chars().count() + 2;
    let words: Vec<_> = inside.split(' ').collect();
    let piece = match words[..] {
        ["repeat", letters, times] => {
            let times = times.parse().map_err(|_| anyhow!("<repeat LETTERS N> wants a number"))?;
            Piece::Repeat(letters.to_owned(), times)
        }
        ["base64", fixture] => Piece::Base64(fixture.to_owned()),
        [kind] => match Kind::named(kind) {
            Some(kind) => Piece::Kind(kind, None),
            None => return Ok(None),
        },
        [kind, name] => match (Kind::named(kind), variable(name)) {
            (Some(kind), Some(variable)) if name.len() == variable.len() + 1 => {
                Piece::Kind(kind, Some(variable.to_owned()))
            }
            _ => return Ok(None),
        },
        _ => return Ok(None),
    };
    Ok(Some((piece, length)))
}
