//! The player's sockets.

use std::collections::HashMap;

use anyhow::{Context, Result};

use super::matcher;
use super::player::{Fault, Player, shown};
use super::requests;
use super::step::{Frame, Heard, Request};
use crate::socket::{Socket, Sound};

impl Player {
    pub(super) async fn open(&mut self, name: &str, request: &Request) -> Result<(), Fault> {
        self.prepare_persons(request).await?;
        let built = requests::build(request, &self.memory)?;
        match Socket::open(self.address, built.target, built.headers).await? {
            Ok(socket) if matches!(request.answer.status, 0 | 101) => {
                self.sockets.insert(name.to_owned(), socket);
                Ok(())
            }
            Ok(_) => Err(Fault { why: "the socket was opened".to_owned(), got: "101".to_owned() }),
            Err(reply) => requests::check(&request.answer, &reply, &mut self.memory)
                .map_err(|why| Fault { why, got: shown(&reply) }),
        }
    }

    fn socket(&mut self, name: &str) -> Result<&mut Socket> {
        self.sockets.get_mut(name).with_context(|| format!("no socket {name} is open"))
    }

    pub(super) async fn say(&mut self, name: &str, frame: &Frame) -> Result<(), Fault> {
        let text = match frame {
            Frame::Binary(bytes) => return Ok(self.socket(name)?.send_binary(bytes.clone()).await?),
            Frame::Json(pattern) => pattern.render(&self.memory)?.to_string(),
            Frame::Text(text) => text.render(&self.memory)?,
        };
        Ok(self.socket(name)?.send_text(text).await?)
    }

    pub(super) async fn hear(&mut self, name: &str, wanted: &Heard) -> Result<(), Fault> {
        if let Heard::Nothing = wanted {
            return match self.socket(name)?.hear_before_pong().await? {
                None => Ok(()),
                Some(sound) => {
                    Err(Fault { why: "something was heard".to_owned(), got: format!("{sound:?}") })
                }
            };
        }
        let sound = self.socket(name)?.hear().await?;
        let Sound::Text(text) = &sound else {
            return Err(Fault { why: "no text frame".to_owned(), got: format!("{sound:?}") });
        };
        let compared = match wanted {
            Heard::Text(wanted) => matcher::compare_text(wanted, text, &mut self.memory),
            Heard::Json(wanted) => match serde_json::from_str(text) {
                Ok(found) => matcher::compare(wanted, &found, &mut self.memory),
                Err(fault) => Err(format!("not JSON: {fault}")),
            },
            Heard::Nothing => Ok(()),
        };
        compared.map_err(|why| Fault { why, got: text.clone() })
    }

    pub(super) async fn closes(&mut self, name: &str, code: u16) -> Result<(), Fault> {
        match self.socket(name)?.hear().await? {
            Sound::Closed(found) if found == code => {
                self.sockets.remove(name);
                Ok(())
            }
            sound => {
                Err(Fault { why: format!("the socket is not closed with {code}"), got: format!("{sound:?}") })
            }
        }
    }

    /// Sends SIGTERM; what the open sockets hear of it can be asked of them in the next steps.
    pub(super) async fn stops(&mut self) -> Result<(), Fault> {
        self.server()?.begin_stop()?;
        let mut heard = HashMap::new();
        for (name, socket) in &mut self.sockets {
            heard.insert(name.clone(), socket.hear().await?);
        }
        if let Some((name, sound)) = heard.iter().find(|(_, sound)| **sound != Sound::Closed(1001)) {
            return Err(Fault { why: format!("{name} is not closed with 1001"), got: format!("{sound:?}") });
        }
        self.sockets.clear();
        Ok(self.server()?.end_stop()?)
    }
}
