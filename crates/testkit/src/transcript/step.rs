//! The steps of a transcript, as read.

use super::pattern::Pattern;
use super::text::Text;
use crate::cast::Person;

/// A whole file.
#[derive(Debug, Clone, Default)]
pub struct Transcript {
    /// Where it was read, for messages.
    pub file: String,
    /// Flags for the server, from `serve with …`.
    pub flags: Text,
    /// Whether `with fortytwo` asks for the stand-in of 42.
    pub fortytwo: bool,
    /// Whether `with discord` asks for the stand-in of Discord.
    pub discord: bool,
    /// The persons it names, who have accounts from the start.
    pub persons: Vec<String>,
    /// What happens, in order.
    pub steps: Vec<Step>,
}

/// One thing that is done, or must be seen.
#[derive(Debug, Clone)]
pub struct Step {
    /// The line of its first word, from 1.
    pub line: usize,
    /// It as it was written.
    pub source: String,
    /// How often it is done, one after the other (`10x …`).
    pub times: usize,
    /// Whether it may fail at first (`eventually …`); it is tried again for some seconds.
    pub eventually: bool,
    /// What it is.
    pub action: Action,
}

/// What a step does.
#[derive(Debug, Clone)]
pub enum Action {
    /// `alice> GET /path/`
    Request(Request),
    /// `alice ws s> /path/` opens the socket `s`, or is refused with the answer given.
    Open(String, Request),
    /// `s sends …`
    Say(String, Frame),
    /// `s hears …`
    Hear(String, Heard),
    /// `s closes 4001`: the server closes it, with this code.
    Closes(String, u16),
    /// `s leaves`: the client closes it.
    Leaves(String),
    /// `alice signs in`
    SignsIn(Person),
    /// `mail alice $code`: the next mail to an address, its code, and lines that it must have.
    Mail {
        /// To whom.
        to: Text,
        /// What the code is to be called.
        code: Option<String>,
        /// Lines that the mail (headers and text) must hold.
        lines: Vec<Text>,
    },
    /// `cli> user list`
    Cli(Command),
    /// `jwt $token`: the claims, whose order counts.
    Jwt(Text, Pattern),
    /// `server stops`, `server is killed`
    ServerEnds {
        /// With SIGKILL, so without any last words.
        killed: bool,
    },
    /// `server starts`
    ServerStarts,
    /// `log …`: a line of the server's log
    Log(Text),
}

/// A request and the answer that it must get.
#[derive(Debug, Clone)]
pub struct Request {
    /// With whose credentials.
    pub who: Credentials,
    /// Such as `POST`.
    pub method: String,
    /// Path and query.
    pub path: Text,
    /// More headers, by name.
    pub headers: Vec<(String, Text)>,
    /// What it carries.
    pub body: Body,
    /// What must come back.
    pub answer: Answer,
}

/// With which credentials a request is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Credentials {
    /// `anon>`: none.
    None,
    /// `alice>`, `alice[bearer]>`: `Authorization: Bearer <access token>`.
    Bearer(Person),
    /// `alice[token]>`: `Authorization: Token <opaque token>`.
    Token(Person),
    /// `alice[key]>`: `Authorization: Bearer <access key>`.
    Key(Person),
}

impl Credentials {
    /// The person, if there is one.
    pub fn person(&self) -> Option<&Person> {
        match self {
            Self::None => None,
            Self::Bearer(person) | Self::Token(person) | Self::Key(person) => Some(person),
        }
    }
}

/// What a request carries.
#[derive(Debug, Clone)]
pub enum Body {
    /// Nothing, and no `Content-Type`.
    Empty,
    /// JSON.
    Json(Pattern),
    /// `& name: value` lines: a urlencoded form.
    Form(Vec<(Text, Text)>),
    /// `% name: value` and `% name file NAME TYPE FIXTURE` lines: a multipart form.
    Multipart(Vec<Part>),
    /// `| text` lines: as they stand, without a `Content-Type` unless a header line gives one.
    Raw(Text),
}

/// One part of a multipart form.
#[derive(Debug, Clone)]
pub enum Part {
    /// A text field.
    Field(Text, Text),
    /// A file: field, file name, media type, fixture.
    File {
        /// The form's field.
        field: Text,
        /// The name that the client claims.
        name: Text,
        /// The type that the client claims.
        media_type: String,
        /// What it really is.
        fixture: String,
    },
}

/// What must come back.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// Headers that must be there with a value, or (`None`, from `< no Name`) must not be there.
    pub headers: Vec<(String, Option<Text>)>,
    /// The body.
    pub body: Expected,
}

/// A body that must come back.
#[derive(Debug, Clone)]
pub enum Expected {
    /// None at all.
    Empty,
    /// `…`: whatever.
    Anything,
    /// This JSON, of type `application/json`.
    Json(Pattern),
    /// This text.
    Text(Text),
    /// `< file FIXTURE`: these bytes.
    File(String),
    /// `< picture png:40x30`: a picture of this format and size.
    Picture(String),
}

/// A frame to send.
#[derive(Debug, Clone)]
pub enum Frame {
    /// JSON in a text frame.
    Json(Pattern),
    /// A text frame.
    Text(Text),
    /// A binary frame, from `bytes 00ff`.
    Binary(Vec<u8>),
}

/// What a socket must hear next.
#[derive(Debug, Clone)]
pub enum Heard {
    /// This JSON in a text frame.
    Json(Pattern),
    /// This text frame.
    Text(Text),
    /// Nothing before the answer to a ping.
    Nothing,
}

/// A command of the command line.
#[derive(Debug, Clone)]
pub struct Command {
    /// Its arguments, separated by blanks.
    pub arguments: Text,
    /// Lines for its standard input.
    pub input: Vec<Text>,
    /// Its exit status.
    pub status: u16,
    /// Its standard output.
    pub output: Expected,
}
