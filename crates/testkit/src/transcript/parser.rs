//! Reads transcripts. README.md describes the format.

use anyhow::{Context, Result, anyhow, bail};

use super::block::Block;
use super::pattern::Pattern;
use super::step::{Action, Command, Credentials, Frame, Heard, Request, Step, Transcript};
use super::text::{Piece, Text};
use crate::cast::{CAST, Person};

/// Reads a file's text. The error names the line.
pub fn parse(file: &str, source: &str) -> Result<Transcript> {
    let mut transcript = Transcript { file: file.to_owned(), ..Transcript::default() };
    for (line, text) in blocks(source) {
        let place = || format!("{file}:{line}\n{text}");
        let head = text.lines().next().unwrap_or_default();
        if let Some(flags) = head.strip_prefix("serve with ") {
            transcript.flags = Text::of_line(flags).with_context(place)?;
        } else if head == "with fortytwo" {
            transcript.fortytwo = true;
        } else if head == "with discord" {
            transcript.discord = true;
        } else {
            transcript.steps.push(step(line, &text).with_context(place)?);
        }
    }
    let named = |name: &&&str| transcript.steps.iter().any(|step| names(&step.source, name));
    transcript.persons = CAST.iter().filter(named).map(|name| (*name).to_owned()).collect();
    Ok(transcript)
}

/// Whether a step speaks of the person: as who acts, as `@name`, or as a word of its first line.
fn names(source: &str, name: &str) -> bool {
    let head = source.lines().next().unwrap_or_default();
    source.contains(&format!("@{name}")) || head.split([' ', '>', '[', '#']).any(|word| word == name)
}

/// The steps' texts with the number of their first line: a step ends at a blank line or where the next one begins.
fn blocks(source: &str) -> Vec<(usize, String)> {
    let mut blocks: Vec<(usize, String)> = Vec::new();
    let mut apart = true;
    for (number, line) in source.lines().enumerate() {
        let line = line.trim_end();
        if line.starts_with('#') {
            continue;
        }
        if line.is_empty() {
            apart = true;
            continue;
        }
        match blocks.last_mut() {
            Some((_, text)) if !apart && !begins_step(line) => {
                text.push('\n');
                text.push_str(line);
            }
            _ => blocks.push((number + 1, line.to_owned())),
        }
        apart = false;
    }
    blocks
}

/// Whether a line can only be the first of a step.
fn begins_step(line: &str) -> bool {
    let Ok((_, _, line)) = modifiers(line) else { return false };
    let mut words = line.split(' ');
    let (first, second) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let name = |word: &str| {
        !word.is_empty()
            && word.chars().all(|letter| letter.is_ascii_alphanumeric() || "#[]_".contains(letter))
    };
    let actor = first.strip_suffix('>').is_some_and(name);
    let verb = name(first) && matches!(second, "sends" | "hears" | "closes" | "leaves" | "signs" | "ws");
    actor
        || verb
        || matches!((first, second), ("server", "stops" | "starts" | "is"))
        || matches!((first, second), ("serve", "with") | ("with", "fortytwo" | "discord"))
        || matches!(first, "mail" | "jwt" | "log")
}

/// `10x` and `eventually` in front of a step.
fn modifiers(line: &str) -> Result<(usize, bool, &str)> {
    let (first, rest) = line.split_once(' ').unwrap_or((line, ""));
    if first == "eventually" {
        return Ok((1, true, rest));
    }
    match first.strip_suffix('x').map(str::parse) {
        Some(Ok(0)) => bail!("0x would do nothing"),
        Some(Ok(times)) => Ok((times, false, rest)),
        _ => Ok((1, false, line)),
    }
}

fn step(line: usize, source: &str) -> Result<Step> {
    let (head, rest) = source.split_once('\n').unwrap_or((source, ""));
    let (times, eventually, head) = modifiers(head)?;
    let action = action(head, rest)?;
    Ok(Step { line, source: source.to_owned(), times, eventually, action })
}

fn action(head: &str, rest: &str) -> Result<Action> {
    let (first, tail) = head.split_once(' ').unwrap_or((head, ""));
    if first == "cli>" {
        return command(tail, rest);
    }
    if let Some(who) = first.strip_suffix('>') {
        let (method, path) = tail.split_once(' ').context("METHOD PATH")?;
        let request = request(who, method, path, rest)?;
        if request.answer.status == 0 {
            bail!("no < STATUS");
        }
        return Ok(Action::Request(request));
    }
    let (second, argument) = tail.split_once(' ').unwrap_or((tail, ""));
    let argument = if rest.is_empty() { argument.to_owned() } else { format!("{argument}\n{rest}") };
    match (first, second) {
        ("mail", to) => mail(to, &argument),
        ("jwt", token) => Ok(Action::Jwt(Text::of_line(token)?, Pattern::of(&argument)?)),
        ("log", _) => Ok(Action::Log(Text::of_line(tail)?)),
        ("server", "stops") => Ok(Action::ServerEnds { killed: false }),
        ("server", "is") if argument == "killed" => Ok(Action::ServerEnds { killed: true }),
        ("server", "starts") => Ok(Action::ServerStarts),
        (who, "signs") if argument == "in" => Ok(Action::SignsIn(person(who)?)),
        (who, "ws") => {
            let (socket, path) =
                argument.split('\n').next().unwrap_or_default().split_once("> ").context("NAME> PATH")?;
            Ok(Action::Open(socket.to_owned(), request(who, "GET", path, rest)?))
        }
        (socket, "sends") => Ok(Action::Say(socket.to_owned(), frame(&argument)?)),
        (socket, "hears") => Ok(Action::Hear(socket.to_owned(), heard(&argument)?)),
        (socket, "closes") => {
            Ok(Action::Closes(socket.to_owned(), argument.parse().context("a close code")?))
        }
        (socket, "leaves") => Ok(Action::Leaves(socket.to_owned())),
        _ => bail!("no step begins like this"),
    }
}

fn person(name: &str) -> Result<Person> {
    let (name, session) = name.split_once('#').unwrap_or((name, ""));
    let mut person = Person::named(name).with_context(|| format!("{name} is not one of the cast"))?;
    session.clone_into(&mut person.session);
    Ok(person)
}

fn credentials(who: &str) -> Result<Credentials> {
    let (name, form) = match who.strip_suffix(']').and_then(|who| who.split_once('[')) {
        Some((name, form)) => (name, form),
        None => (who, "bearer"),
    };
    match form {
        _ if name == "anon" => Ok(Credentials::None),
        "bearer" => Ok(Credentials::Bearer(person(name)?)),
        "token" => Ok(Credentials::Token(person(name)?)),
        "key" => Ok(Credentials::Key(person(name)?)),
        other => Err(anyhow!("{other}: the credentials are [bearer], [token] or [key]")),
    }
}

fn request(who: &str, method: &str, path: &str, rest: &str) -> Result<Request> {
    let block = Block::of(rest);
    Ok(Request {
        who: credentials(who)?,
        method: method.to_owned(),
        path: Text::of_line(path)?,
        headers: block.headers()?,
        body: block.body()?,
        answer: block.answer()?,
    })
}

fn command(arguments: &str, rest: &str) -> Result<Action> {
    let block = Block::of(rest);
    let answer = block.answer()?;
    let input = block.plus.iter().map(|line| Text::of_line(line)).collect::<Result<_>>()?;
    let arguments = Text::of_line(arguments)?;
    Ok(Action::Cli(Command { arguments, input, status: answer.status, output: answer.body }))
}

fn mail(to: &str, argument: &str) -> Result<Action> {
    let mut lines = argument.lines();
    let code = lines.next().unwrap_or_default();
    let code = match code.strip_prefix('$') {
        Some(name) => Some(name.to_owned()),
        None if code.is_empty() => None,
        None => bail!("mail WHO $code"),
    };
    let line = |line: &str| Text::of_line(line.strip_prefix("| ").context("a mail's lines begin with |")?);
    let lines = lines.map(line).collect::<Result<_>>()?;
    let to = if CAST.contains(&to) { format!("@{to}.email") } else { to.to_owned() };
    Ok(Action::Mail { to: Text::of_line(&to)?, code, lines })
}

fn frame(argument: &str) -> Result<Frame> {
    if let Some(digits) = argument.strip_prefix("bytes ") {
        let pairs =
            digits.as_bytes().chunks(2).map(|pair| Ok(u8::from_str_radix(std::str::from_utf8(pair)?, 16)?));
        return Ok(Frame::Binary(pairs.collect::<Result<_>>()?));
    }
    match if argument == "|" { Some("") } else { argument.strip_prefix("| ") } {
        Some(text) => Ok(Frame::Text(Text::of_line(text)?)),
        None => Ok(Frame::Json(Pattern::of(argument)?)),
    }
}

fn heard(argument: &str) -> Result<Heard> {
    match (argument, argument.strip_prefix("| ")) {
        ("nothing", _) => Ok(Heard::Nothing),
        (_, Some(text)) => Ok(Heard::Text(Text::of_line(text)?)),
        (_, None) => Ok(Heard::Json(Pattern::of(argument)?)),
    }
}

impl Transcript {
    /// The method and path of every request, sockets too, with `*` for what is only known when it is played.
    pub fn request_lines(&self) -> Vec<(String, String)> {
        let requests = self.steps.iter().filter_map(|step| match &step.action {
            Action::Request(request) => Some((request.method.clone(), request)),
            Action::Open(_, request) => Some(("WS".to_owned(), request)),
            _ => None,
        });
        requests
            .map(|(method, request)| {
                let path = request.path.0.iter().map(|piece| match piece {
                    Piece::Letters(letters) => letters.as_str(),
                    _ => "*",
                });
                let path: String = path.collect();
                (method, path.split('?').next().unwrap_or_default().to_owned())
            })
            .collect()
    }
}
