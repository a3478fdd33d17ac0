//! Reading the values of a body or a query, in the manner of Django REST framework's serializers.
//!
//! ```
//! # use tertulia_kit::{body::Content, fields::Fields, reply::Reply};
//! # fn handler(content: &Content) -> Result<(), Reply> {
//! let mut fields = Fields::of(content);
//! let username = fields.text("username").max(150).read();
//! let email = fields.email("email").optional();
//! fields.done()?;
//! # Ok(())
//! # }
//! ```
//! Every reader notes what is wrong and gives a stand-in (`""`, 0, `None`) so that the next field is looked at
//! too; [`Fields::done`] then answers with all errors at once, in the order in which they were found.

mod email;
mod number;
mod text;
mod texts;

use std::borrow::Cow;

use domain::Rule;
use serde_json::{Map, Value, json};

pub use email::is_email;
pub use number::{Boolean, Integer};
pub use text::Text;
pub use texts::text_of;
use texts::{BLANK, EMPTY_FILE, NOT_A_FILE, NULL, REQUIRED, python_type};

use crate::body::{Content, Upload};
use crate::reply::Reply;

/// The name under which errors stand that belong to no single field.
pub const NON_FIELD_ERRORS: &str = "non_field_errors";

/// The values of a request and the errors found in them so far.
#[derive(Debug)]
#[must_use = "what was read is good only after `done`"]
pub struct Fields<'a> {
    content: Cow<'a, Content>,
    errors: Map<String, Value>,
    /// An empty value counts as none sent; see [`Fields::empty_is_missing`].
    empty_is_missing: bool,
}

/// What was sent for a field.
enum Sent<'v> {
    Missing,
    Null,
    Value(&'v Value),
}

impl<'a> Fields<'a> {
    /// The values of a body. One that is no object has no values, and `done` says so.
    pub fn of(content: &'a Content) -> Self {
        Self::new(Cow::Borrowed(content))
    }

    /// The parameters of a query string (without the question mark). At most 1,000 are looked at.
    pub fn of_query(query: &str) -> Fields<'static> {
        let pairs = form_urlencoded::parse(query.as_bytes())
            .take(1000)
            .map(|(name, value)| (name.into_owned(), Value::String(value.into_owned())));
        Fields::new(Cow::Owned(Content::of_form(pairs.collect(), Vec::new())))
    }

    fn new(content: Cow<'a, Content>) -> Self {
        Self { content, errors: Map::new(), empty_is_missing: false }
    }

    /// From here on null and `""` are the same as nothing sent, for every kind of field.
    pub fn empty_is_missing(mut self) -> Self {
        self.empty_is_missing = true;
        self
    }

    /// A text; see [`Text`].
    pub fn text<'f>(&'f mut self, name: &'f str) -> Text<'f, 'a> {
        Text::new(self, name)
    }

    /// A text that is an e-mail address of at most 254 characters.
    pub fn email<'f>(&'f mut self, name: &'f str) -> Text<'f, 'a> {
        Text::new(self, name).max(254).address()
    }

    /// A whole number; see [`Integer`].
    pub fn integer<'f>(&'f mut self, name: &'f str) -> Integer<'f, 'a> {
        Integer::new(self, name)
    }

    /// A truth value; see [`Boolean`].
    pub fn boolean<'f>(&'f mut self, name: &'f str) -> Boolean<'f, 'a> {
        Boolean::new(self, name)
    }

    /// A file that must be there. `None` means that an error was noted.
    pub fn file(&mut self, name: &str) -> Option<Upload> {
        self.any_file(name, true)
    }

    /// A file that may be missing (or null, or an empty form value).
    pub fn optional_file(&mut self, name: &str) -> Option<Upload> {
        self.any_file(name, false)
    }

    fn any_file(&mut self, name: &str, required: bool) -> Option<Upload> {
        let problem = match self.content.file(name) {
            Some(file) if !file.bytes.is_empty() => return Some(file.clone()),
            Some(_) => EMPTY_FILE,
            None => match self.sent(name) {
                Sent::Missing if required => REQUIRED,
                Sent::Null if required => NULL,
                Sent::Missing | Sent::Null => return None,
                Sent::Value(value) if self.content.is_form() && value == "" && !required => return None,
                Sent::Value(_) => NOT_A_FILE,
            },
        };
        self.error(name, problem);
        None
    }

    /// The value of `name` as it was sent, unchecked.
    pub fn value(&self, name: &str) -> Option<&Value> {
        self.content.value(name)
    }

    /// The value of `name`, unchecked; in a form an object or array is its JSON text.
    pub fn structured(&self, name: &str) -> Option<Cow<'_, Value>> {
        self.content.structured(name)
    }

    /// Whether `name` was sent, as a value (null counts) or as a file.
    pub fn has(&self, name: &str) -> bool {
        self.content.has(name)
    }

    /// Notes an error with a text of its own.
    pub fn error(&mut self, name: &str, text: impl Into<String>) {
        if self.content.not_an_object().is_some() {
            return;
        }
        let texts = self.errors.entry(name).or_insert_with(|| json!([]));
        if let Value::Array(texts) = texts {
            texts.push(Value::String(text.into()));
        }
    }

    /// Notes that a value breaks a rule of the core, in the words of [`text_of`].
    pub fn problem(&mut self, name: &str, rule: &Rule) {
        self.error(name, text_of(rule));
    }

    /// Whether an error was noted for `name`.
    pub fn is_wrong(&self, name: &str) -> bool {
        self.errors.contains_key(name)
    }

    /// Whether nothing is wrong so far.
    pub fn are_good(&self) -> bool {
        self.errors.is_empty() && self.content.not_an_object().is_none()
    }

    /// Ends the reading: 400 with the field map when anything was wrong. The errors are given out once; more
    /// fields may be read afterwards.
    pub fn done(&mut self) -> Result<(), Reply> {
        if let Some(document) = self.content.not_an_object() {
            let text = format!("Invalid data. Expected a dictionary, but got {}.", python_type(document));
            let errors = Map::from_iter([(NON_FIELD_ERRORS.to_owned(), json!([text]))]);
            return Err(Reply::field_map(errors));
        }
        if self.errors.is_empty() { Ok(()) } else { Err(Reply::field_map(std::mem::take(&mut self.errors))) }
    }

    fn sent(&self, name: &str) -> Sent<'_> {
        match self.content.value(name) {
            None => Sent::Missing,
            Some(Value::Null) if self.empty_is_missing => Sent::Missing,
            Some(Value::Null) => Sent::Null,
            Some(Value::String(text)) if self.empty_is_missing && text.is_empty() => Sent::Missing,
            Some(value) => Sent::Value(value),
        }
    }

    /// The value of `name` for a reader that takes no null. `Ok(None)` means that none was sent and none needs
    /// to be; the error is the text to note. An empty value of a form counts as none where none is needed.
    fn wanted(&self, name: &str, required: bool) -> Result<Option<&Value>, &'static str> {
        match self.sent(name) {
            Sent::Missing if required => Err(REQUIRED),
            Sent::Missing => Ok(None),
            Sent::Null => Err(NULL),
            Sent::Value(Value::String(text)) if !required && text.is_empty() && self.content.is_form() => {
                Ok(None)
            }
            Sent::Value(value) => Ok(Some(value)),
        }
    }
}

#[cfg(test)]
mod tests;
