//! The lines of a step after its first: what is sent, and what must come back.

use anyhow::{Context, Result, bail};

use super::pattern::Pattern;
use super::step::{Answer, Body, Expected, Part};
use super::text::Text;

/// The lines, sorted by their first letter.
#[derive(Default)]
pub(super) struct Block<'a> {
    /// `+ …`
    pub(super) plus: Vec<&'a str>,
    form: Vec<&'a str>,
    parts: Vec<&'a str>,
    json: String,
    raw: Vec<&'a str>,
    answered: Vec<&'a str>,
    answer_json: String,
    answer_raw: Vec<&'a str>,
}

impl<'a> Block<'a> {
    pub(super) fn of(lines: &'a str) -> Self {
        let mut block = Self::default();
        for line in lines.lines() {
            let answering = !block.answered.is_empty();
            let (sign, rest) = line.split_at_checked(2).unwrap_or((line, ""));
            match sign.trim_end() {
                "<" => block.answered.push(rest),
                "+" if !answering => block.plus.push(rest),
                "&" if !answering => block.form.push(rest),
                "%" if !answering => block.parts.push(rest),
                "|" if answering => block.answer_raw.push(rest),
                "|" => block.raw.push(rest),
                _ => {
                    let json = if answering { &mut block.answer_json } else { &mut block.json };
                    json.push_str(line);
                    json.push('\n');
                }
            }
        }
        if block.answered.is_empty() {
            // A socket that opens and a command that succeeds need not say so.
            block.answered.push("0");
        }
        block
    }

    pub(super) fn headers(&self) -> Result<Vec<(String, Text)>> {
        self.plus.iter().map(|line| header(line)).collect()
    }

    pub(super) fn body(&self) -> Result<Body> {
        let kinds =
            [!self.json.is_empty(), !self.raw.is_empty(), !self.form.is_empty(), !self.parts.is_empty()];
        if kinds.iter().filter(|given| **given).count() > 1 {
            bail!("a request has one body");
        }
        if !self.json.is_empty() {
            return Ok(Body::Json(Pattern::of(&self.json)?));
        }
        if !self.raw.is_empty() {
            return Ok(Body::Raw(Text::of_line(&self.raw.join("\\n"))?));
        }
        if !self.form.is_empty() {
            return Ok(Body::Form(self.form.iter().map(|line| field(line)).collect::<Result<_>>()?));
        }
        if !self.parts.is_empty() {
            return Ok(Body::Multipart(self.parts.iter().map(|line| part(line)).collect::<Result<_>>()?));
        }
        Ok(Body::Empty)
    }

    pub(super) fn answer(&self) -> Result<Answer> {
        let (status, rest) = self.answered.split_first().context("no < STATUS")?;
        let mut body = None;
        let mut headers = Vec::new();
        for line in rest {
            match (line.split_once(' '), line.split_once(": ")) {
                (Some(("no", name)), _) => headers.push((name.to_owned(), None)),
                (Some(("file", fixture)), _) => body = Some(Expected::File(fixture.to_owned())),
                (Some(("picture", fixture)), _) => body = Some(Expected::Picture(fixture.to_owned())),
                (_, Some((name, value))) => headers.push((name.to_owned(), Some(Text::of_line(value)?))),
                _ => bail!("{line:?} is neither a header nor a body"),
            }
        }
        let json = self.answer_json.trim();
        let written = match (json, self.answer_raw.as_slice()) {
            ("", []) => None,
            ("…", []) => Some(Expected::Anything),
            (json, []) => Some(Expected::Json(Pattern::of(json)?)),
            ("", lines) => Some(Expected::Text(Text::of_line(&lines.join("\\n"))?)),
            _ => bail!("an answer has one body"),
        };
        if body.is_some() && written.is_some() {
            bail!("an answer has one body");
        }
        let status = status.trim().parse().with_context(|| format!("{status:?} is not a status"))?;
        Ok(Answer { status, headers, body: body.or(written).unwrap_or(Expected::Empty) })
    }
}

fn header(line: &str) -> Result<(String, Text)> {
    let (name, value) = line.split_once(':').context("a header line is NAME: VALUE")?;
    Ok((name.to_owned(), Text::of_line(value.trim_start())?))
}

fn field(line: &str) -> Result<(Text, Text)> {
    let (name, value) = line.split_once(':').context("a form line is NAME: VALUE")?;
    Ok((Text::of_line(name)?, Text::of_line(value.strip_prefix(' ').unwrap_or(value))?))
}

fn part(line: &str) -> Result<Part> {
    let words: Vec<_> = line.split(' ').collect();
    match words[..] {
        [field, "file", name, media_type, fixture] => Ok(Part::File {
            field: Text::of_line(field)?,
            name: Text::of_line(name)?,
            media_type: media_type.to_owned(),
            fixture: fixture.to_owned(),
        }),
        _ => field(line).map(|(name, value)| Part::Field(name, value)),
    }
}
