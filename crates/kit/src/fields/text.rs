//! Texts.

use serde_json::Value;

use super::texts::{NOT_AN_ADDRESS, NOT_TEXT, NUL, too_long};
use super::{BLANK, Fields, is_email};

/// A text as Django REST framework's `CharField` reads it: numbers become their digits, blanks around it are
/// cut off, and a blank one is an error.
#[derive(Debug)]
#[must_use = "nothing is read before `read` or `optional`"]
pub struct Text<'f, 'a> {
    fields: &'f mut Fields<'a>,
    name: &'f str,
    most: Option<usize>,
    verbatim: bool,
    blank: bool,
    address: bool,
}

impl<'f, 'a> Text<'f, 'a> {
    pub(super) fn new(fields: &'f mut Fields<'a>, name: &'f str) -> Self {
        Self { fields, name, most: None, verbatim: false, blank: false, address: false }
    }

    /// At most so many Unicode characters.
    pub fn max(mut self, characters: usize) -> Self {
        self.most = Some(characters);
        self
    }

    /// Blanks around it belong to it, as in passwords.
    pub fn verbatim(mut self) -> Self {
        self.verbatim = true;
        self
    }

    /// It may be empty.
    pub fn may_be_blank(mut self) -> Self {
        self.blank = true;
        self
    }

    pub(super) fn address(mut self) -> Self {
        self.address = true;
        self
    }

    /// Reads it; a missing one is an error. `""` after any error.
    pub fn read(self) -> String {
        self.take(true).unwrap_or_default()
    }

    /// Reads it if it was sent. `None` after any error, too.
    pub fn optional(self) -> Option<String> {
        self.take(false)
    }

    fn take(self, required: bool) -> Option<String> {
        let problems = match self.fields.wanted(self.name, required) {
            Ok(None) if self.blank => return self.sent_blank(),
            Ok(None) => return None,
            Ok(Some(value)) => match self.checked(value) {
                Ok(text) => return Some(text),
                Err(problems) => problems,
            },
            Err(problem) => vec![problem.to_owned()],
        };
        for problem in problems {
            self.fields.error(self.name, problem);
        }
        None
    }

    /// An empty form value is a value where a blank one is allowed, and not the absence of one.
    fn sent_blank(&self) -> Option<String> {
        (!self.fields.empty_is_missing && self.fields.has(self.name)).then(String::new)
    }

    /// The text, or everything that is wrong with it.
    fn checked(&self, value: &Value) -> Result<String, Vec<String>> {
        let text = match value {
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            _ => return Err(vec![NOT_TEXT.to_owned()]),
        };
        let text = if self.verbatim { text } else { trimmed(text) };
        if text.is_empty() {
            return if self.blank { Ok(text) } else { Err(vec![BLANK.to_owned()]) };
        }
        let mut problems = Vec::new();
        if let Some(most) = self.most
            && text.chars().nth(most).is_some()
        {
            problems.push(too_long(most));
        }
        if text.contains('\0') {
            problems.push(NUL.to_owned());
        }
        if self.address && !is_email(&text) {
            problems.push(NOT_AN_ADDRESS.to_owned());
        }
        if problems.is_empty() { Ok(text) } else { Err(problems) }
    }
}

fn trimmed(text: String) -> String {
    let inner = text.trim();
    if inner.len() == text.len() { text } else { inner.to_owned() }
}
