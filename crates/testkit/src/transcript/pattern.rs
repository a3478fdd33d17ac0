//! JSON with holes: what a transcript sends, and what it expects.

use anyhow::{Context, Result, anyhow, bail};
use serde_json::{Map, Number, Value};

use super::memory::Memory;
use super::text::{Piece, Text};

/// JSON in which strings may have holes, and arrays and objects may be open.
#[derive(Debug, Clone, PartialEq)]
pub enum Pattern {
    /// `null`
    Null,
    /// `true`, `false`
    Bool(bool),
    /// A number, which matches only one that is written alike: `1` is not `1.0`.
    Number(Number),
    /// A string.
    Text(Text),
    /// An array; `None` is a `…`, which stands for any number of items.
    Array(Vec<Option<Pattern>>),
    /// An object, and whether a `…` lets it have more keys.
    Object(Vec<(Text, Pattern)>, bool),
    /// `…` in place of a value.
    Anything,
}

impl Pattern {
    /// Reads JSON with holes.
    pub fn of(source: &str) -> Result<Self> {
        let mut reader = Reader { letters: source.chars().collect(), at: 0 };
        let pattern = reader.value()?;
        reader.blanks();
        match reader.peek() {
            None => Ok(pattern),
            Some(letter) => bail!("{letter:?} after the end of the JSON"),
        }
    }

    /// The JSON to send. Everything in it must be known.
    pub fn render(&self, memory: &Memory) -> Result<Value> {
        Ok(match self {
            Self::Null => Value::Null,
            Self::Bool(yes) => Value::Bool(*yes),
            Self::Number(number) => Value::Number(number.clone()),
            Self::Text(text) => match text.0[..] {
                [Piece::Variable(ref name)] => {
                    memory.variable(name).cloned().with_context(|| format!("${name} is not known yet"))?
                }
                [Piece::Person(ref person, field @ crate::cast::Field::Id)] => {
                    memory.of_person(person, field)?.parse::<i64>()?.into()
                }
                _ => Value::String(text.render(memory)?),
            },
            Self::Array(items) => items
                .iter()
                .map(|item| item.as_ref().ok_or_else(|| anyhow!("… cannot be sent"))?.render(memory))
                .collect::<Result<_>>()?,
            Self::Object(entries, false) => entries
                .iter()
                .map(|(key, value)| Ok((key.render(memory)?, value.render(memory)?)))
                .collect::<Result<Map<_, _>>>()?
                .into(),
            Self::Object(_, true) | Self::Anything => bail!("… cannot be sent"),
        })
    }

    /// Every text in it, keys too.
    pub fn texts(&self) -> Vec<&Text> {
        match self {
            Self::Text(text) => vec![text],
            Self::Array(items) => items.iter().flatten().flat_map(Self::texts).collect(),
            Self::Object(entries, _) => {
                entries.iter().flat_map(|(key, value)| [key].into_iter().chain(value.texts())).collect()
            }
            _ => Vec::new(),
        }
    }
}

struct Reader {
    letters: Vec<char>,
    at: usize,
}

impl Reader {
    fn peek(&self) -> Option<char> {
        self.letters.get(self.at).copied()
    }

    fn next(&mut self) -> Result<char> {
        let letter = self.peek().context("the JSON ends too early")?;
        self.at += 1;
        Ok(letter)
    }

    fn blanks(&mut self) {
        while self.peek().is_some_and(|letter| matches!(letter, ' ' | '\n' | '\r' | '\t')) {
            self.at += 1;
        }
    }

    /// Takes `wanted` if it comes next.
    fn took(&mut self, wanted: char) -> bool {
        self.blanks();
        let came = self.peek() == Some(wanted);
        self.at += usize::from(came);
        came
    }

    fn value(&mut self) -> Result<Pattern> {
        self.blanks();
        match self.peek().context("the JSON ends too early")? {
            '{' => self.object(),
            '[' => self.array(),
            '"' => Ok(Pattern::Text(self.string()?)),
            '…' => {
                self.at += 1;
                Ok(Pattern::Anything)
            }
            _ => self.bare_word(),
        }
    }

    fn bare_word(&mut self) -> Result<Pattern> {
        let start = self.at;
        while self
            .peek()
            .is_some_and(|letter| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '+' | '.'))
        {
            self.at += 1;
        }
        let word: String = self.letters[start..self.at].iter().collect();
        Ok(match word.as_str() {
            "null" => Pattern::Null,
            "true" => Pattern::Bool(true),
            "false" => Pattern::Bool(false),
            word => Pattern::Number(serde_json::from_str(word).map_err(|_| {
                anyhow!(
                    "no JSON value begins with {:?}",
                    self.letters.get(start).copied().unwrap_or_default()
                )
            })?),
        })
    }

    fn array(&mut self) -> Result<Pattern> {
        self.next()?;
        let mut items = Vec::new();
        while !self.took(']') {
            if !items.is_empty() && !self.took(',') {
                bail!("a comma or a ] is missing");
            }
            self.blanks();
            items.push(match self.value()? {
                Pattern::Anything => None,
                item => Some(item),
            });
        }
        Ok(Pattern::Array(items))
    }

    fn object(&mut self) -> Result<Pattern> {
        self.next()?;
        let (mut entries, mut open) = (Vec::new(), false);
        while !self.took('}') {
            if (open || !entries.is_empty()) && !self.took(',') {
                bail!("a comma or a }} is missing");
            }
            if self.took('…') {
                open = true;
                continue;
            }
            self.blanks();
            let key = self.string().context("a key")?;
            if !self.took(':') {
                bail!("a colon is missing");
            }
            entries.push((key, self.value()?));
        }
        Ok(Pattern::Object(entries, open))
    }

    fn string(&mut self) -> Result<Text> {
        if self.next()? != '"' {
            bail!("a quote is missing");
        }
        let mut marked = Vec::new();
        loop {
            match self.next()? {
                '"' => return Text::of_marked(&marked),
                '\\' => marked.push((self.escape()?, true)),
                letter => marked.push((letter, false)),
            }
        }
    }

    fn escape(&mut self) -> Result<char> {
        Ok(match self.next()? {
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'u' => {
                let first = self.unit()?;
                let units = if (0xD800..0xDC00).contains(&first) {
                    if (self.next()?, self.next()?) != ('\\', 'u') {
                        bail!("half of a surrogate pair (send it as a | line)");
                    }
                    vec![first, self.unit()?]
                } else {
                    vec![first]
                };
                char::decode_utf16(units).next().context("no letter")?.context("half of a surrogate pair")?
            }
            letter => letter,
        })
    }

    fn unit(&mut self) -> Result<u16> {
        let digits = [self.next()?, self.next()?, self.next()?, self.next()?];
        u16::from_str_radix(&digits.iter().collect::<String>(), 16)
            .context("\\u wants four hexadecimal digits")
    }
}
