//! Builds a step's request, and compares an answer with what the step expects.

use anyhow::Result;
use serde_json::Value;

use super::matcher;
use super::memory::Memory;
use super::step::{Answer, Body, Credentials, Expected, Part, Request};
use super::text::to_bytes;
use crate::cast::Field;
use crate::fixtures;
use crate::http;

/// Parts the fields of every multipart form here; no fixture holds it.
const BOUNDARY: &str = "----tertulia-testkit-boundary-4f1c";

/// The request of a step, as bytes.
pub(super) fn build(request: &Request, memory: &Memory) -> Result<http::Request> {
    let mut built = http::Request::new(&request.method, request.path.render_bytes(memory)?);
    let (media_type, body) = body(&request.body, memory)?;
    built.body = body;
    for (name, value) in &request.headers {
        built.headers.push((name.clone(), value.render_bytes(memory)?));
    }
    let given = |name: &str| request.headers.iter().any(|(known, _)| known.eq_ignore_ascii_case(name));
    if let (Some(credentials), false) = (credentials(&request.who, memory)?, given("authorization")) {
        built.headers.push(("Authorization".to_owned(), credentials.into_bytes()));
    }
    if let (Some(media_type), false) = (media_type, given("content-type")) {
        built.headers.push(("Content-Type".to_owned(), media_type.into_bytes()));
    }
    Ok(built)
}

fn credentials(who: &Credentials, memory: &Memory) -> Result<Option<String>> {
    Ok(match who {
        Credentials::None => None,
        Credentials::Bearer(person) => Some(format!("Bearer {}", memory.of_person(person, Field::Access)?)),
        Credentials::Token(person) => Some(format!("Token {}", memory.of_person(person, Field::Token)?)),
        Credentials::Key(person) => Some(format!("Bearer {}", memory.of_person(person, Field::Key)?)),
    })
}

fn body(body: &Body, memory: &Memory) -> Result<(Option<String>, Vec<u8>)> {
    Ok(match body {
        Body::Empty => (None, Vec::new()),
        Body::Json(pattern) => {
            (Some("application/json".to_owned()), serde_json::to_vec(&pattern.render(memory)?)?)
        }
        Body::Form(fields) => {
            let mut pairs = Vec::new();
            for (name, value) in fields {
                pairs.push(format!(
                    "{}={}",
                    encoded(&name.render_bytes(memory)?),
                    encoded(&value.render_bytes(memory)?)
                ));
            }
            (Some("application/x-www-form-urlencoded".to_owned()), pairs.join("&").into_bytes())
        }
        Body::Multipart(parts) => {
            let mut bytes = Vec::new();
            for part in parts {
                bytes.extend(format!("--{BOUNDARY}\r\n").into_bytes());
                bytes.extend(multipart(part, memory)?);
                bytes.extend(b"\r\n");
            }
            bytes.extend(format!("--{BOUNDARY}--\r\n").into_bytes());
            (Some(format!("multipart/form-data; boundary={BOUNDARY}")), bytes)
        }
        Body::Raw(text) => (None, text.render_bytes(memory)?),
    })
}

fn multipart(part: &Part, memory: &Memory) -> Result<Vec<u8>> {
    Ok(match part {
        Part::Field(name, value) => {
            let head = format!(
                "Content-Disposition: form-data; name=\"{}\"\r\n\r\n{}",
                name.render(memory)?,
                value.render(memory)?
            );
            to_bytes(&head)
        }
        Part::File { field, name, media_type, fixture } => {
            let head = format!(
                "Content-Disposition: form-data; name=\"{}\"; filename=\"{}\"\r\nContent-Type: {media_type}\r\n\r\n",
                field.render(memory)?,
                name.render(memory)?
            );
            [to_bytes(&head), fixtures::file(fixture)?].concat()
        }
    })
}

fn encoded(bytes: &[u8]) -> String {
    form_urlencoded::byte_serialize(bytes).collect()
}

/// Compares an answer with what was expected; `memory` learns only when all of it is right.
pub(super) fn check(answer: &Answer, reply: &http::Reply, memory: &mut Memory) -> Result<(), String> {
    if reply.status != answer.status {
        return Err(format!("the status is {}, not {}", reply.status, answer.status));
    }
    let mut trial = memory.clone();
    for (name, wanted) in &answer.headers {
        match (wanted, reply.header(name)) {
            (None, None) => {}
            (None, Some(value)) => return Err(format!("there is a header {name}: {value}")),
            (Some(_), None) => return Err(format!("there is no header {name}")),
            (Some(wanted), Some(value)) => {
                matcher::compare_text(wanted, &value, &mut trial)
                    .map_err(|differ| format!("header {name}: {differ}"))?;
            }
        }
    }
    check_body(&answer.body, reply, &mut trial)?;
    *memory = trial;
    Ok(())
}

fn check_body(wanted: &Expected, reply: &http::Reply, memory: &mut Memory) -> Result<(), String> {
    match wanted {
        Expected::Anything => Ok(()),
        Expected::Empty if reply.body.is_empty() => Ok(()),
        Expected::Empty => Err("the body is not empty".to_owned()),
        Expected::Text(text) => matcher::compare_text(text, &reply.text(), memory),
        Expected::File(fixture) => match fixtures::file(fixture) {
            Ok(bytes) if bytes == reply.body => Ok(()),
            Ok(bytes) => {
                Err(format!("the body ({} bytes) is not {fixture} ({} bytes)", reply.body.len(), bytes.len()))
            }
            Err(fault) => Err(fault.to_string()),
        },
        Expected::Picture(fixture) => {
            if reply.body.windows(fixtures::HIDDEN.len()).any(|window| window == fixtures::HIDDEN.as_bytes())
            {
                return Err("the picture still has its metadata".to_owned());
            }
            fixtures::check_picture(&reply.body, fixture).map_err(|fault| format!("{fault:#}"))
        }
        Expected::Json(pattern) => {
            match reply.header("content-type") {
                Some(media_type) if media_type == "application/json" => {}
                other => return Err(format!("the Content-Type is {other:?}, not application/json")),
            }
            let found: Value =
                serde_json::from_slice(&reply.body).map_err(|fault| format!("not JSON: {fault}"))?;
            matcher::compare(pattern, &found, memory)
        }
    }
}
