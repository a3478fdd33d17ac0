//! What a transcript has learnt so far.

use std::collections::HashMap;

use anyhow::{Result, anyhow};
use serde_json::Value;

use crate::cast::{Field, Person};

/// The variables and the persons' credentials of one run.
#[derive(Debug, Clone, Default)]
pub struct Memory {
    variables: HashMap<String, Value>,
    persons: HashMap<(Person, Field), String>,
}

impl Memory {
    /// What `$name` stands for, if it was learnt.
    pub fn variable(&self, name: &str) -> Option<&Value> {
        self.variables.get(name)
    }

    /// The same as text: a string's letters, anything else as JSON.
    pub fn variable_text(&self, name: &str) -> Option<String> {
        self.variable(name).map(|value| match value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        })
    }

    /// Fixes what `$name` stands for.
    pub fn learn(&mut self, name: &str, value: Value) {
        self.variables.insert(name.to_owned(), value);
    }

    /// Something of a person. Name, e-mail and password are always known; credentials and the id once she has signed in.
    pub fn of_person(&self, person: &Person, field: Field) -> Result<String> {
        match field {
            Field::Name => Ok(person.name.clone()),
            Field::Email => Ok(person.email()),
            Field::Password => Ok(crate::cast::PASSWORD.to_owned()),
            _ => self
                .persons
                .get(&(person.clone(), field))
                .cloned()
                .ok_or_else(|| anyhow!("{person} has no {field:?} before a step of hers")),
        }
    }

    /// Whether that is known.
    pub fn knows(&self, person: &Person, field: Field) -> bool {
        self.of_person(person, field).is_ok()
    }

    /// Keeps something of a person.
    pub fn learn_of(&mut self, person: &Person, field: Field, value: String) {
        self.persons.insert((person.clone(), field), value);
    }

    /// Every credential learnt; none of them may ever be in a log.
    pub fn secrets(&self) -> impl Iterator<Item = &str> {
        self.persons.iter().filter(|((_, field), _)| *field != Field::Id).map(|(_, value)| value.as_str())
    }
}
