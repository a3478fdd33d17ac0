//! Whole numbers and truth values.

use serde_json::Value;

use super::Fields;
use super::texts::NOT_AN_INTEGER;

/// A whole number as Django REST framework's `IntegerField` reads it: a number without a fraction, or its
/// digits as text.
#[derive(Debug)]
#[must_use = "nothing is read before `read` or `optional`"]
pub struct Integer<'f, 'a> {
    fields: &'f mut Fields<'a>,
    name: &'f str,
    least: Option<i64>,
    most: Option<i64>,
}

impl<'f, 'a> Integer<'f, 'a> {
    pub(super) fn new(fields: &'f mut Fields<'a>, name: &'f str) -> Self {
        Self { fields, name, least: None, most: None }
    }

    /// At least this.
    pub fn min(mut self, least: i64) -> Self {
        self.least = Some(least);
        self
    }

    /// At most this.
    pub fn max(mut self, most: i64) -> Self {
        self.most = Some(most);
        self
    }

    /// Reads it; a missing one is an error. 0 after any error.
    pub fn read(self) -> i64 {
        self.take(true).unwrap_or_default()
    }

    /// Reads it if it was sent. `None` after any error, too.
    pub fn optional(self) -> Option<i64> {
        self.take(false)
    }

    fn take(self, required: bool) -> Option<i64> {
        let problem = match self.fields.wanted(self.name, required) {
            Ok(None) => return None,
            Ok(Some(value)) => match self.checked(value) {
                Ok(number) => return Some(number),
                Err(problem) => problem,
            },
            Err(problem) => problem.to_owned(),
        };
        self.fields.error(self.name, problem);
        None
    }

    fn checked(&self, value: &Value) -> Result<i64, String> {
        let number = whole(value).ok_or(NOT_AN_INTEGER)?;
        if let Some(most) = self.most
            && number > i128::from(most)
        {
            return Err(format!("Ensure this value is less than or equal to {most}."));
        }
        if let Some(least) = self.least
            && number < i128::from(least)
        {
            return Err(format!("Ensure this value is greater than or equal to {least}."));
        }
        i64::try_from(number).map_err(|_| NOT_AN_INTEGER.to_owned())
    }
}

/// A value's whole number, which stops at the ends of `i128`.
fn whole(value: &Value) -> Option<i128> {
    match value {
        Value::Number(number) => {
            if let Some(number) = number.as_i128() {
                return Some(number);
            }
            let number = number.as_f64().filter(|number| number.fract() == 0.0)?;
            #[expect(clippy::cast_possible_truncation, reason = "the cast stops at the ends, as wanted")]
            Some(number as i128)
        }
        Value::String(text) => digits(text),
        _ => None,
    }
}

/// The longest text that is read as a number, as in Django REST framework.
const LONGEST: usize = 1000;

fn digits(text: &str) -> Option<i128> {
    if text.len() > LONGEST {
        return None;
    }
    let text = text.trim();
    let text = match text.split_once('.') {
        Some((whole, zeros)) if zeros.bytes().all(|digit| digit == b'0') => whole,
        Some(_) => return None,
        None => text,
    };
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    if digits.is_empty() || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let number = digits
        .bytes()
        .fold(0_i128, |number, digit| number.saturating_mul(10).saturating_add(i128::from(digit - b'0')));
    Some(if negative { -number } else { number })
}

/// A truth value: `true`, `false`, 1, 0, or one of them as text, or `True`, `False`, `t`, `f` (common.md, HTTP).
#[derive(Debug)]
#[must_use = "nothing is read before `read` or `optional`"]
pub struct Boolean<'f, 'a> {
    fields: &'f mut Fields<'a>,
    name: &'f str,
}

impl<'f, 'a> Boolean<'f, 'a> {
    pub(super) fn new(fields: &'f mut Fields<'a>, name: &'f str) -> Self {
        Self { fields, name }
    }

    /// Reads it; a missing one is an error. `false` after any error.
    pub fn read(self) -> bool {
        self.take(true).unwrap_or_default()
    }

    /// Reads it if it was sent. `None` after any error, too.
    pub fn optional(self) -> Option<bool> {
        self.take(false)
    }

    fn take(self, required: bool) -> Option<bool> {
        let problem = match self.fields.wanted(self.name, required) {
            Ok(None) => return None,
            Ok(Some(value)) => match truth(value) {
                Some(truth) => return Some(truth),
                None => format!("\"{}\" is not a valid boolean.", shown(value)),
            },
            Err(problem) => problem.to_owned(),
        };
        self.fields.error(self.name, problem);
        None
    }
}

fn truth(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(truth) => Some(*truth),
        Value::Number(number) => match number.as_f64() {
            Some(1.0) => Some(true),
            Some(0.0) => Some(false),
            _ => None,
        },
        Value::String(text) => match text.trim() {
            "true" | "True" | "TRUE" | "1" | "t" | "T" => Some(true),
            "false" | "False" | "FALSE" | "0" | "f" | "F" => Some(false),
            _ => None,
        },
        _ => None,
    }
}

/// The longest part of a wrong value that an answer repeats, in characters.
const SHOWN: usize = 150;

fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => text.chars().take(SHOWN).collect(),
        other => other.to_string().chars().take(SHOWN).collect(),
    }
}
