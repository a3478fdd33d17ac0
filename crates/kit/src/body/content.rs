//! What a body holds.

use std::borrow::Cow;

use bytes::Bytes;
use serde_json::{Map, Value};

/// An uploaded file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Upload {
    /// The name of the form field.
    pub field: String,
    /// The file's name as the client gave it, without folders, at most 255 characters; never a path to use.
    pub file_name: String,
    /// The media type that the client claims; a label only.
    pub content_type: Option<String>,
    /// The file itself.
    pub bytes: Bytes,
}

/// The values and files of a request body, in the order in which they were sent.
#[derive(Clone, PartialEq, Debug)]
pub struct Content {
    values: Values,
    files: Vec<Upload>,
}

#[derive(Clone, PartialEq, Debug)]
enum Values {
    /// A JSON document; one that is no object is kept, for the reader of fields to refuse.
    Json(Value),
    /// Pairs whose values are strings; names may repeat.
    Form(Vec<(String, Value)>),
}

impl Content {
    /// An empty object.
    pub fn empty() -> Self {
        Self::of_json(Value::Object(Map::new()))
    }

    /// A JSON document.
    pub fn of_json(document: Value) -> Self {
        Self { values: Values::Json(document), files: Vec::new() }
    }

    /// The pairs of a form, and its files.
    pub(crate) fn of_form(values: Vec<(String, Value)>, files: Vec<Upload>) -> Self {
        Self { values: Values::Form(values), files }
    }

    /// Whether it came as a form (of either kind), where every value is text and an empty one means none.
    pub fn is_form(&self) -> bool {
        matches!(self.values, Values::Form(_))
    }

    /// The value of `name`; of repeated names the last one, as in Django's `QueryDict`.
    pub fn value(&self, name: &str) -> Option<&Value> {
        match &self.values {
            Values::Json(document) => document.as_object()?.get(name),
            Values::Form(pairs) => pairs.iter().rev().find(|(key, _)| key == name).map(|(_, value)| value),
        }
    }

    /// All values of `name`: the repeated ones of a form, or the elements of a JSON array; one value is a
    /// list of one.
    pub fn all(&self, name: &str) -> Vec<&Value> {
        match &self.values {
            Values::Json(_) => match self.value(name) {
                Some(Value::Array(elements)) => elements.iter().collect(),
                other => other.into_iter().collect(),
            },
            Values::Form(pairs) => {
                pairs.iter().filter(|(key, _)| key == name).map(|(_, value)| value).collect()
            }
        }
    }

    /// The value of `name` with its structure: in a form, an object or array is its JSON text.
    ///
    /// Text of a form that does not hold an object or array stays text.
    pub fn structured(&self, name: &str) -> Option<Cow<'_, Value>> {
        let value = self.value(name)?;
        let text = match value {
            Value::String(text) if self.is_form() && text.trim_start().starts_with(['{', '[']) => text,
            _ => return Some(Cow::Borrowed(value)),
        };
        Some(serde_json::from_str(text).map_or(Cow::Borrowed(value), Cow::Owned))
    }

    /// The file sent as `name`; of several the last one.
    pub fn file(&self, name: &str) -> Option<&Upload> {
        self.files.iter().rev().find(|file| file.field == name)
    }

    /// All files, in the order in which they were sent.
    pub fn files(&self) -> &[Upload] {
        &self.files
    }

    /// Whether `name` was sent, as a value (null counts) or as a file.
    pub fn has(&self, name: &str) -> bool {
        self.value(name).is_some() || self.file(name).is_some()
    }

    /// The JSON document, if it is no object: what no field can be read from.
    pub fn not_an_object(&self) -> Option<&Value> {
        match &self.values {
            Values::Json(document) if !document.is_object() => Some(document),
            _ => None,
        }
    }

    /// The values as one JSON object, files left out; of repeated names the last one. `None` for a JSON
    /// document that is no object.
    pub fn object(&self) -> Option<Cow<'_, Map<String, Value>>> {
        match &self.values {
            Values::Json(document) => document.as_object().map(Cow::Borrowed),
            Values::Form(pairs) => Some(Cow::Owned(pairs.iter().cloned().collect())),
        }
    }
}
