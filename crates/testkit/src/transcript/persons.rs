//! The player's dealings with persons: signing them in, their access keys, their mail.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use base64::Engine;
use serde_json::Value;

use super::player::{PATIENCE, Player, shown};
use super::step::{Body, Credentials, Request};
use crate::cast::{Field, PASSWORD, Person};
use crate::http;
use crate::outbox::{self, Mail};

impl Player {
    /// Signs in whoever the step needs signed in, and makes the access keys that it needs.
    pub(super) async fn prepare_persons(&mut self, request: &Request) -> Result<()> {
        let mut needed: Vec<(Person, Field)> = Vec::new();
        if let Some(person) = request.who.person() {
            let key = matches!(request.who, Credentials::Key(_));
            needed.push((person.clone(), if key { Field::Key } else { Field::Access }));
        }
        let headers = request.headers.iter().map(|(_, value)| value);
        let sent = match &request.body {
            Body::Json(pattern) => pattern.texts(),
            Body::Raw(text) => vec![text],
            Body::Form(fields) => fields.iter().flat_map(|(name, value)| [name, value]).collect(),
            _ => Vec::new(),
        };
        for text in headers.chain([&request.path]).chain(sent) {
            needed.extend(text.persons().map(|(person, field)| (person.clone(), field)));
        }
        for (person, field) in needed {
            if self.memory.knows(&person, field) {
                continue;
            }
            match field {
                Field::Key => self.make_key(&person)?,
                _ => self.sign_in(&person).await?,
            }
        }
        Ok(())
    }

    fn make_key(&mut self, person: &Person) -> Result<()> {
        let made = self.server()?.cli(&["user", "key", &person.name, "--label", "testkit"], "")?;
        if made.status != 0 {
            bail!("no access key for {person}: {}", made.errors);
        }
        self.memory.learn_of(person, Field::Key, made.output.trim_end().to_owned());
        Ok(())
    }

    /// Signs in as messenger does: a code by mail, then code and password.
    pub(super) async fn sign_in(&mut self, person: &Person) -> Result<()> {
        let host = self.address;
        let ask = serde_json::json!({"username": person.name, "email": person.email()}).to_string();
        let asked =
            http::send(host, &http::Request::new("POST", "/twofa/send-code/").body("application/json", ask))
                .await?;
        if asked.status != 200 {
            bail!("{person} gets no code: {}", shown(&asked));
        }
        let mail = self.next_mail(&person.email()).await?;
        let code = mail.code().context("the mail has no code")?;
        let ask =
            serde_json::json!({"username": person.name, "code": code, "password": PASSWORD}).to_string();
        let reply =
            http::send(host, &http::Request::new("POST", "/auth/login/").body("application/json", ask))
                .await?;
        if reply.status != 200 {
            bail!("{person} cannot sign in: {}", shown(&reply));
        }
        let tokens: Value = serde_json::from_slice(&reply.body)?;
        let keys = [
            ("access_token", Field::Access),
            ("refresh_token", Field::Refresh),
            ("token_auth", Field::Token),
        ];
        for (key, field) in keys {
            let value = tokens[key].as_str().with_context(|| format!("no {key} in {tokens}"))?;
            self.memory.learn_of(person, field, value.to_owned());
        }
        let claims: Value = serde_json::from_str(&claims(&self.memory.of_person(person, Field::Access)?)?)?;
        let id = claims["user_id"].as_i64().with_context(|| format!("no user_id in {claims}"))?;
        self.memory.learn_of(person, Field::Id, id.to_string());
        Ok(())
    }

    pub(super) async fn next_mail(&mut self, address: &str) -> Result<Mail> {
        let read = *self.mails_read.entry(address.to_owned()).or_default();
        let outbox = self.server()?.outbox();
        let begun = Instant::now();
        loop {
            let mails = outbox::read(&outbox)?;
            let theirs: Vec<_> = mails.into_iter().filter(|mail| mail.is_to(address)).collect();
            if let Some(mail) = theirs.into_iter().nth(read).filter(|mail| mail.code().is_some()) {
                self.mails_read.insert(address.to_owned(), read + 1);
                return Ok(mail);
            }
            if begun.elapsed() > PATIENCE {
                bail!("there is no mail number {} with a code to {address}", read + 1);
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

/// The claims of a JWT (RFC 7519), as they were written.
pub(super) fn claims(token: &str) -> Result<String> {
    let part = token.split('.').nth(1).context("not a JWT")?;
    Ok(String::from_utf8(base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(part)?)?)
}
