//! Plays a transcript against a server.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail};
use serde_json::Value;

use super::matcher;
use super::memory::Memory;
use super::parser;
use super::pattern::Pattern;
use super::persons::claims;
use super::requests;
use super::step::{Action, Command, Expected, Request, Step, Transcript};
use super::text::Text;
use crate::cast::PASSWORD;
use crate::http;
use crate::server::Server;
use crate::socket::Socket;
use crate::{Database, discord, fortytwo};

/// How long an `eventually` step, a mail or a log line may take.
pub(super) const PATIENCE: Duration = Duration::from_secs(20);

/// Plays the file on a new server of its own. The error is a report for a person.
pub fn play(file: &Path, binary: &Path, database: &Database) -> Result<()> {
    let source = std::fs::read_to_string(file).with_context(|| file.display().to_string())?;
    let transcript = parser::parse(&file.display().to_string(), &source)?;
    runtime()?.block_on(async {
        let mut player = Player::on_new_server(&transcript, binary, database)?;
        let played = player.all(&transcript).await;
        let log = player.server.as_ref().map(|server| tail(&server.log())).unwrap_or_default();
        played.map_err(|fault| anyhow!("{fault:#}\n--- end of the server's log\n{log}"))
    })
}

/// Plays a transcript on something that listens already. Steps that need accounts, the command line or the log fail.
pub fn play_at(transcript: &Transcript, address: SocketAddr) -> Result<()> {
    runtime()?.block_on(Player::at(address).all(transcript))
}

fn runtime() -> Result<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_current_thread().enable_all().build()?)
}

/// A run of one transcript.
pub(super) struct Player {
    server: Option<Server>,
    pub(super) address: SocketAddr,
    pub(super) memory: Memory,
    pub(super) sockets: HashMap<String, Socket>,
    /// How many mails to each address were read.
    pub(super) mails_read: HashMap<String, usize>,
}

/// Why a step failed.
pub(super) struct Fault {
    pub(super) why: String,
    pub(super) got: String,
}

impl From<anyhow::Error> for Fault {
    fn from(fault: anyhow::Error) -> Self {
        Self { why: format!("{fault:#}"), got: String::new() }
    }
}

impl Player {
    fn at(address: SocketAddr) -> Self {
        let mut memory = Memory::default();
        memory.learn("host", Value::String(address.to_string()));
        Self { server: None, address, memory, sockets: HashMap::new(), mails_read: HashMap::new() }
    }

    fn on_new_server(transcript: &Transcript, binary: &Path, database: &Database) -> Result<Self> {
        let mut memory = Memory::default();
        let mut flags = Vec::new();
        if transcript.fortytwo {
            let base = fortytwo::start()?;
            flags.extend(fortytwo::flags(&base));
            memory.learn("fortytwo", Value::String(base));
        }
        if transcript.discord {
            let base = discord::start()?;
            flags.extend(discord::flags(&base));
            memory.learn("discord", Value::String(base));
        }
        flags.extend(transcript.flags.render(&memory)?.split_whitespace().map(str::to_owned));
        let mut server = Server::prepare(binary, database, flags)?;
        for name in &transcript.persons {
            let email = format!("{name}@example.com");
            let account = ["user", "add", name, "--email", &email, "--password-stdin"];
            let made = server.cli(&account, &format!("{PASSWORD}\n"))?;
            if made.status != 0 {
                bail!("the account of {name} could not be made: {}{}", made.output, made.errors);
            }
        }
        server.start()?;
        let address = server.address()?;
        memory.learn("host", Value::String(address.to_string()));
        Ok(Self {
            server: Some(server),
            address,
            memory,
            sockets: HashMap::new(),
            mails_read: HashMap::new(),
        })
    }

    /// The server, where the transcript has one of its own.
    pub(super) fn server(&mut self) -> Result<&mut Server> {
        self.server.as_mut().context("this step needs a server of its own")
    }

    async fn all(&mut self, transcript: &Transcript) -> Result<()> {
        for step in &transcript.steps {
            for time in 1..=step.times {
                if let Err(fault) = self.patiently(step).await {
                    let which = if step.times > 1 {
                        format!(" (time {time} of {})", step.times)
                    } else {
                        String::new()
                    };
                    bail!(
                        "{}:{}{which}\n--- the step\n{}\n--- differs\n{}\n--- got\n{}",
                        transcript.file,
                        step.line,
                        step.source,
                        fault.why,
                        fault.got
                    );
                }
            }
        }
        self.check_log()
    }

    async fn patiently(&mut self, step: &Step) -> Result<(), Fault> {
        let begun = Instant::now();
        loop {
            match self.once(&step.action).await {
                Err(_) if step.eventually && begun.elapsed() < PATIENCE => {
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
                done => return done,
            }
        }
    }

    async fn once(&mut self, action: &Action) -> Result<(), Fault> {
        match action {
            Action::Request(request) => self.request(request).await,
            Action::Open(name, request) => self.open(name, request).await,
            Action::Say(name, frame) => self.say(name, frame).await,
            Action::Hear(name, wanted) => self.hear(name, wanted).await,
            Action::Closes(name, code) => self.closes(name, *code).await,
            Action::Leaves(name) => {
                let socket =
                    self.sockets.remove(name).with_context(|| format!("no socket {name} is open"))?;
                Ok(socket.leave().await?)
            }
            Action::SignsIn(person) => Ok(self.sign_in(person).await?),
            Action::Mail { to, code, lines } => self.mail(to, code.as_deref(), lines).await,
            Action::Cli(command) => self.cli(command),
            Action::Jwt(token, wanted) => self.jwt(token, wanted),
            Action::ServerEnds { killed: true } => Ok(self.server()?.kill()?),
            Action::ServerEnds { killed: false } => self.stops().await,
            Action::ServerStarts => {
                self.server()?.start()?;
                // `$host` is another one after a restart.
                self.address = self.server()?.address()?;
                self.memory.learn("host", Value::String(self.address.to_string()));
                Ok(())
            }
            Action::Log(wanted) => self.log(wanted).await,
        }
    }

    async fn request(&mut self, request: &Request) -> Result<(), Fault> {
        self.prepare_persons(request).await?;
        let built = requests::build(request, &self.memory)?;
        let reply = http::send(self.address, &built).await?;
        requests::check(&request.answer, &reply, &mut self.memory)
            .map_err(|why| Fault { why, got: shown(&reply) })
    }

    async fn mail(&mut self, to: &Text, code: Option<&str>, lines: &[Text]) -> Result<(), Fault> {
        let address = to.render(&self.memory)?;
        let mail = self.next_mail(&address).await?;
        if let Some(name) = code {
            let value = mail.code().unwrap_or_default().to_owned();
            self.memory.learn(name, Value::String(value));
        }
        let headers = mail.headers.iter().map(|(name, value)| format!("{name}: {value}"));
        let found: Vec<_> = headers.chain(mail.text.lines().map(str::to_owned)).collect();
        for line in lines {
            if !found.iter().any(|found| matcher::compare_text(line, found, &mut self.memory).is_ok()) {
                return Err(Fault { why: format!("no line of the mail is {line:?}"), got: found.join("\n") });
            }
        }
        Ok(())
    }

    fn cli(&mut self, command: &Command) -> Result<(), Fault> {
        let arguments = command.arguments.render(&self.memory)?;
        let arguments: Vec<_> = arguments.split_whitespace().collect();
        let mut input = String::new();
        for line in &command.input {
            input.push_str(&line.render(&self.memory)?);
            input.push('\n');
        }
        let done = self.server()?.cli(&arguments, &input)?;
        let fault =
            |why: String| Fault { why, got: format!("{}\n{}\n{}", done.status, done.output, done.errors) };
        if done.status != i32::from(command.status) {
            return Err(fault(format!("the exit status is {}, not {}", done.status, command.status)));
        }
        let output = done.output.strip_suffix('\n').unwrap_or(&done.output);
        match &command.output {
            Expected::Anything => Ok(()),
            Expected::Empty if output.is_empty() => Ok(()),
            Expected::Text(text) => matcher::compare_text(text, output, &mut self.memory).map_err(fault),
            _ => Err(fault("the output is not what was expected".to_owned())),
        }
    }

    fn jwt(&mut self, token: &Text, wanted: &Pattern) -> Result<(), Fault> {
        let got = claims(&token.render(&self.memory)?)?;
        let found: Value = serde_json::from_str(&got).context("the claims are not JSON")?;
        let differs = |why: String| Fault { why, got: got.clone() };
        matcher::compare(wanted, &found, &mut self.memory).map_err(differs)?;
        let names: Vec<_> = found.as_object().into_iter().flat_map(|claims| claims.keys().cloned()).collect();
        if let Pattern::Object(entries, _) = wanted {
            for (place, (name, _)) in entries.iter().enumerate() {
                let name = name.render(&self.memory)?;
                if names.get(place) != Some(&name) {
                    return Err(differs(format!("the claim {name} is not in place {place}")));
                }
            }
        }
        Ok(())
    }

    async fn log(&mut self, wanted: &Text) -> Result<(), Fault> {
        let begun = Instant::now();
        loop {
            let log = self.server()?.log();
            if log.lines().any(|line| matcher::compare_text(wanted, line, &mut self.memory).is_ok()) {
                return Ok(());
            }
            if begun.elapsed() > PATIENCE {
                return Err(Fault { why: "no line of the log is like this".to_owned(), got: tail(&log) });
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Whatever happened: nothing secret may be in the log, and nothing may have panicked.
    fn check_log(&self) -> Result<()> {
        let Some(server) = &self.server else { return Ok(()) };
        let log = server.log();
        for secret in self.memory.secrets().chain([PASSWORD]) {
            if let Some(line) = log.lines().find(|line| line.contains(secret)) {
                bail!("a secret is in the log: {line}");
            }
        }
        match log.lines().find(|line| line.contains("panicked at")) {
            Some(line) => bail!("the server panicked: {line}"),
            None => Ok(()),
        }
    }
}

pub(super) fn shown(reply: &http::Reply) -> String {
    let headers: Vec<_> = reply.headers.iter().map(|(name, value)| format!("{name}: {value}")).collect();
    let text: String = reply.text().chars().take(4000).collect();
    format!("{}\n{}\n\n{text}", reply.status, headers.join("\n"))
}

/// The last lines, which are all that a failure needs.
fn tail(log: &str) -> String {
    let lines: Vec<_> = log.lines().collect();
    lines[lines.len().saturating_sub(15)..].join("\n")
}
