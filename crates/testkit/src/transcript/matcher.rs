//! Whether an answer is what was expected, and where it is not.

use serde_json::Value;

use super::kind::Kind;
use super::memory::Memory;
use super::pattern::Pattern;
use super::text::{Piece, Text};
use crate::cast::Field;

/// Compares a value with a pattern. What it teaches goes into `memory`, which is left as it was when they differ.
/// The error says where they differ, and how.
pub fn compare(pattern: &Pattern, found: &Value, memory: &mut Memory) -> Result<(), String> {
    let mut trial = memory.clone();
    at("$", pattern, found, &mut trial)?;
    *memory = trial;
    Ok(())
}

/// Compares a text with a pattern, likewise.
pub fn compare_text(pattern: &Text, found: &str, memory: &mut Memory) -> Result<(), String> {
    let mut trial = memory.clone();
    match pattern.matches(found, &mut trial) {
        Ok(true) => {
            *memory = trial;
            Ok(())
        }
        Ok(false) => Err(format!("{found:?} is not {}", describe(pattern, memory))),
        Err(fault) => Err(fault.to_string()),
    }
}

fn at(path: &str, pattern: &Pattern, found: &Value, memory: &mut Memory) -> Result<(), String> {
    let differ = |wanted: &dyn std::fmt::Display| Err(format!("at {path}: {found} is not {wanted}"));
    match (pattern, found) {
        (Pattern::Anything, _) | (Pattern::Null, Value::Null) => Ok(()),
        (Pattern::Null, _) => differ(&"null"),
        (Pattern::Bool(wanted), _) if *found != Value::Bool(*wanted) => differ(wanted),
        (Pattern::Number(wanted), _) if *found != Value::Number(wanted.clone()) => differ(wanted),
        (Pattern::Bool(_) | Pattern::Number(_), _) => Ok(()),
        (Pattern::Text(text), _) => string(path, text, found, memory),
        (Pattern::Array(wanted), Value::Array(items)) => array(path, wanted, items, memory),
        (Pattern::Array(_), _) => differ(&"an array"),
        (Pattern::Object(wanted, open), Value::Object(entries)) => {
            object(path, wanted, *open, entries, memory)
        }
        (Pattern::Object(..), _) => differ(&"an object"),
    }
}

fn string(path: &str, text: &Text, found: &Value, memory: &mut Memory) -> Result<(), String> {
    let differ = |wanted: &dyn std::fmt::Display| Err(format!("at {path}: {found} is not {wanted}"));
    match text.0[..] {
        [Piece::Variable(ref name)] => match memory.variable(name).cloned() {
            Some(known) if known == *found => Ok(()),
            Some(known) => differ(&format_args!("${name}, which is {known}")),
            None => {
                memory.learn(name, found.clone());
                Ok(())
            }
        },
        [Piece::Kind(Kind::Int, ref name)] => match (found.as_i64(), name) {
            (None, _) => differ(&"a whole number"),
            (Some(_), None) => Ok(()),
            (Some(_), Some(name)) => string(path, &Text(vec![Piece::Variable(name.clone())]), found, memory),
        },
        [Piece::Person(ref person, Field::Id)] => {
            let id = memory.of_person(person, Field::Id).map_err(|fault| fault.to_string())?;
            if found.as_i64().is_some_and(|number| number.to_string() == id) { Ok(()) } else { differ(&id) }
        }
        _ => match found {
            Value::String(letters) => {
                compare_text(text, letters, memory).map_err(|differ| format!("at {path}: {differ}"))
            }
            _ => differ(&describe(text, memory)),
        },
    }
}

fn array(path: &str, wanted: &[Option<Pattern>], found: &[Value], memory: &mut Memory) -> Result<(), String> {
    let all = found.len();
    array_from(path, wanted, found, all, memory)
}

/// A `…` takes as few items as make the rest match.
fn array_from(
    path: &str,
    wanted: &[Option<Pattern>],
    found: &[Value],
    all: usize,
    memory: &mut Memory,
) -> Result<(), String> {
    let place = all - found.len();
    match (wanted.split_first(), found.split_first()) {
        (None, None) | (Some((None, [])), _) => Ok(()),
        (None, Some((item, _))) => Err(format!("at {path}[{place}]: {item} is one item too many")),
        (Some((Some(_), _)), None) => Err(format!("at {path}: there are only {place} items")),
        (Some((Some(first), rest)), Some((item, others))) => {
            at(&format!("{path}[{place}]"), first, item, memory)?;
            array_from(path, rest, others, all, memory)
        }
        (Some((None, rest)), _) => {
            let mut first_fault = None;
            for skipped in 0..=found.len() {
                let mut trial = memory.clone();
                match array_from(path, rest, &found[skipped..], all, &mut trial) {
                    Ok(()) => {
                        *memory = trial;
                        return Ok(());
                    }
                    Err(fault) => drop(first_fault.get_or_insert(fault)),
                }
            }
            Err(first_fault.unwrap_or_default())
        }
    }
}

fn object(
    path: &str,
    wanted: &[(Text, Pattern)],
    open: bool,
    found: &serde_json::Map<String, Value>,
    memory: &mut Memory,
) -> Result<(), String> {
    let mut seen = Vec::new();
    for (key, pattern) in wanted {
        let key = key.render(memory).map_err(|fault| fault.to_string())?;
        let value = found.get(&key).ok_or_else(|| format!("at {path}: there is no {key:?}"))?;
        at(&format!("{path}.{key}"), pattern, value, memory)?;
        seen.push(key);
    }
    match found.keys().find(|key| !open && !seen.contains(key)) {
        Some(key) => Err(format!("at {path}: {key:?} is one key too many")),
        None => Ok(()),
    }
}

/// The pattern with what is known of it filled in.
fn describe(pattern: &Text, memory: &Memory) -> String {
    let pieces = pattern.0.iter().map(|piece| match Text(vec![piece.clone()]).render(memory) {
        Ok(letters) => letters,
        Err(_) => match piece {
            Piece::Variable(name) => format!("${name}"),
            Piece::Kind(kind, _) => format!("<{kind:?}>"),
            Piece::Anything => "…".to_owned(),
            other => format!("{other:?}"),
        },
    });
    format!("{:?}", pieces.collect::<String>())
}
