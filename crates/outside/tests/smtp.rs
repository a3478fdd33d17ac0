//! Mail over SMTP, against a server in this process that follows a script.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use domain::ports::Mailer;
use tertulia_outside::mail::{Pace, Smtp};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
};

use common::{letterhead, mail, until};

const LONG_ENOUGH: Duration = Duration::from_secs(30);

const QUICK: Pace = Pace {
    first_pause: Duration::from_millis(10),
    longest_pause: Duration::from_millis(40),
    give_up_after: Duration::from_mins(1),
    attempt: Duration::from_secs(20),
};

/// What the server says at a place where it usually agrees. The first that fits is used up.
#[derive(Clone, Debug)]
struct Turn {
    /// How the client's line starts; `""` is the greeting, `"."` the end of the mail.
    on: &'static str,
    /// The answer, or `""` to close without one, or `"-"` to be silent.
    say: &'static str,
}

#[derive(Default)]
struct Seen {
    connections: usize,
    /// Recipients of `RCPT`, accepted or not.
    asked: Vec<String>,
    /// Whole mails.
    mails: Vec<String>,
    logins: Vec<String>,
}

/// A mail server on 127.0.0.1.
#[derive(Clone)]
struct Script {
    turns: Arc<Mutex<Vec<Turn>>>,
    seen: Arc<Mutex<Seen>>,
    extensions: &'static str,
}

impl Script {
    fn new(turns: &[(&'static str, &'static str)]) -> Self {
        let turns = turns.iter().map(|&(on, say)| Turn { on, say }).collect();
        Self { turns: Arc::new(Mutex::new(turns)), seen: Arc::default(), extensions: "250-AUTH PLAIN\r\n" }
    }

    async fn start(&self) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        self.serve(listener);
        address
    }

    fn serve(&self, listener: TcpListener) {
        let script = self.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                script.seen.lock().unwrap().connections += 1;
                let script = script.clone();
                tokio::spawn(async move { script.talk(stream).await });
            }
        });
    }

    fn answer(&self, line: &str, usual: &str) -> String {
        let mut turns = self.turns.lock().unwrap();
        let fits = |turn: &Turn| {
            if line.is_empty() {
                turn.on.is_empty()
            } else {
                !turn.on.is_empty() && line.starts_with(turn.on)
            }
        };
        match turns.iter().position(fits) {
            Some(place) => turns.remove(place).say.to_owned(),
            None => usual.to_owned(),
        }
    }

    async fn talk(&self, stream: TcpStream) -> Option<()> {
        let mut stream = BufReader::new(stream);
        say(&mut stream, &self.answer("", "220 ready")).await?;
        let mut line = String::new();
        loop {
            line.clear();
            if stream.read_line(&mut line).await.ok()? == 0 {
                return None;
            }
            let usual = match line.trim_end() {
                hello if hello.starts_with("EHLO") => {
                    format!("250-script\r\n{}250 8BITMIME", self.extensions)
                }
                "DATA" => "354 go on".to_owned(),
                "QUIT" => "221 bye".to_owned(),
                login if login.starts_with("AUTH") => {
                    self.seen.lock().unwrap().logins.push(login.to_owned());
                    "235 welcome".to_owned()
                }
                _ => "250 fine".to_owned(),
            };
            if let Some(to) = line.strip_prefix("RCPT TO:") {
                self.seen.lock().unwrap().asked.push(to.trim().trim_matches(['<', '>']).to_owned());
            }
            let answer = self.answer(&line, &usual);
            say(&mut stream, &answer).await?;
            if answer.starts_with("354") {
                let mail = text(&mut stream).await?;
                let answer = self.answer(".", "250 taken");
                if answer.starts_with("250") {
                    self.seen.lock().unwrap().mails.push(mail);
                }
                say(&mut stream, &answer).await?;
            }
        }
    }

    fn mails(&self) -> usize {
        self.seen.lock().unwrap().mails.len()
    }

    fn asked(&self) -> Vec<String> {
        self.seen.lock().unwrap().asked.clone()
    }
}

/// `None` when the script ends the connection.
async fn say(stream: &mut BufReader<TcpStream>, answer: &str) -> Option<()> {
    match answer {
        "" => None,
        "-" => std::future::pending().await,
        answer => stream.write_all(format!("{answer}\r\n").as_bytes()).await.ok(),
    }
}

async fn text(stream: &mut BufReader<TcpStream>) -> Option<String> {
    let mut text = String::new();
    while !text.ends_with("\r\n.\r\n") {
        if stream.read_line(&mut text).await.ok()? == 0 {
            return None;
        }
    }
    Some(text)
}

fn mailer(address: SocketAddr, pace: Pace) -> Smtp {
    Smtp::with_pace(&format!("smtp://{address}?tls=none"), None, letterhead(), pace).unwrap()
}

#[tokio::test]
async fn a_mail_arrives_whole_and_connections_are_used_again() {
    let script = Script::new(&[]);
    let smtp = mailer(script.start().await, QUICK);
    // A connection is put back when its last answer has been read, which cannot be seen from here: a mail that
    // comes too early opens another.
    let mut sent = 0;
    while sent < 200 && script.seen.lock().unwrap().connections == sent {
        smtp.send(mail("ana@example.org", "2fa for Trascendence", "Hello ana,\n.dot\n\n012345\n"));
        sent += 1;
        until(|| script.mails() == sent).await;
    }
    assert!(smtp.flush(LONG_ENOUGH).await);
    let seen = script.seen.lock().unwrap();
    assert!(seen.connections < sent, "{} connections", seen.connections);
    assert_eq!(seen.asked, vec!["ana@example.org"; sent]);
    let mail = &seen.mails[0];
    assert!(
        mail.contains("From: Tertulia <tertulia@localhost>\r\n") && mail.contains("To: ana@example.org\r\n")
    );
    assert!(mail.contains("Date: Thu, 26 Aug 2021 07:42:42 +0000\r\n"), "{mail}");
    assert!(mail.contains("\r\n\r\nHello ana,\r\n..dot\r\n\r\n012345\r\n"), "{mail}");
}

#[tokio::test]
async fn a_server_that_is_not_up_yet_gets_the_mail_when_it_is() {
    let reserved = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = reserved.local_addr().unwrap();
    drop(reserved);
    let smtp = mailer(address, QUICK);
    smtp.send(mail("ana@example.org", "s", "t"));
    assert!(smtp.check().await.unwrap_err().contains("cannot be reached"));
    let script = Script::new(&[]);
    script.serve(TcpListener::bind(address).await.unwrap());
    assert!(smtp.flush(LONG_ENOUGH).await);
    assert_eq!(script.mails(), 1);
}

#[tokio::test]
async fn temporary_refusals_of_every_kind_are_tried_again_until_it_works() {
    let script = Script::new(&[
        ("", "421 busy"),
        ("", ""),
        ("EHLO", "451 later"),
        ("MAIL", "451 later"),
        ("RCPT", "450 greylisted"),
        ("DATA", "451 later"),
        (".", "452 no room"),
        (".", ""),
    ]);
    let smtp = mailer(script.start().await, QUICK);
    smtp.send(mail("ana@example.org", "s", "t"));
    until(|| script.mails() == 1).await;
    assert!(smtp.flush(LONG_ENOUGH).await);
    assert_eq!(script.mails(), 1);
    assert!(script.turns.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_permanent_refusal_is_not_tried_again() {
    let script = Script::new(&[("RCPT", "550 no such user"), (".", "554 spam")]);
    let smtp = mailer(script.start().await, QUICK);
    smtp.send(mail("nobody@example.org", "s", "t"));
    until(|| script.asked().len() == 1).await;
    smtp.send(mail("ana@example.org", "s", "t"));
    until(|| script.asked().len() == 2).await;
    assert!(smtp.flush(LONG_ENOUGH).await, "refused mails are done with");
    assert_eq!(script.asked(), ["nobody@example.org", "ana@example.org"], "one attempt each");
    assert_eq!(script.mails(), 0);
}

#[tokio::test]
async fn a_mail_is_given_up_after_its_time() {
    let turns = vec![("MAIL", "451 later"); 1000];
    let script = Script::new(&turns);
    let pace = Pace { give_up_after: Duration::from_millis(200), ..QUICK };
    let smtp = mailer(script.start().await, pace);
    smtp.send(mail("ana@example.org", "s", "t"));
    assert!(smtp.flush(LONG_ENOUGH).await);
    let left = script.turns.lock().unwrap().len();
    assert!((1..999).contains(&left), "it was tried {} times", 1000 - left);
}

#[tokio::test]
async fn mails_that_wait_or_hang_do_not_hold_the_others() {
    // Three mails hang in the server's hands, six wait for their next attempt.
    let mut turns = vec![("RCPT TO:<hang", "-"); 3];
    turns.extend([("RCPT TO:<later", "450 later"); 6]);
    let script = Script::new(&turns);
    let pace = Pace { first_pause: Duration::from_mins(10), give_up_after: Duration::from_hours(1), ..QUICK };
    let smtp = mailer(script.start().await, pace);
    for name in ["hang"; 3].into_iter().chain(["later"; 6]) {
        smtp.send(mail(&format!("{name}@example.org"), "s", "t"));
    }
    until(|| script.asked().len() == 9).await;
    smtp.send(mail("ana@example.org", "s", "t"));
    until(|| script.mails() == 1).await;
    assert_eq!(script.asked().last().unwrap(), "ana@example.org");
    assert!(!smtp.flush(Duration::from_millis(500)).await, "three still hang");
    until(|| script.mails() == 7).await;
}

#[tokio::test]
async fn an_attempt_that_hangs_is_abandoned_with_its_connection() {
    let script = Script::new(&[("", "-"), ("DATA", "-"), (".", "-")]);
    let pace = Pace { attempt: Duration::from_millis(300), ..QUICK };
    let smtp = mailer(script.start().await, pace);
    smtp.send(mail("ana@example.org", "s", "the first"));
    until(|| script.mails() > 0).await;
    assert!(smtp.flush(LONG_ENOUGH).await);
    assert!(script.seen.lock().unwrap().connections >= 4);
    for mail in &script.seen.lock().unwrap().mails {
        assert!(!mail.contains("NOOP") && mail.matches("the first").count() == 1, "{mail}");
    }
}

#[tokio::test]
async fn what_the_queue_has_no_room_for_is_dropped_at_once() {
    let turns = vec![("", "-"); 2000];
    let script = Script::new(&turns);
    let smtp = mailer(script.start().await, QUICK);
    for _ in 0..1500 {
        smtp.send(mail("ana@example.org", "s", "t"));
    }
    assert!(!smtp.flush(Duration::from_millis(50)).await);
    assert!(script.seen.lock().unwrap().connections <= 4);
}

#[tokio::test]
async fn what_is_no_address_is_not_sent() {
    let script = Script::new(&[]);
    let smtp = mailer(script.start().await, QUICK);
    for to in
        ["", "ana", "ana@example.org>\r\nRCPT TO:<eve@example.org", "ana@example.org\n", "a b@example.org"]
    {
        smtp.send(mail(to, "s", "t"));
    }
    smtp.send(mail("ana@example.org", "s", "t"));
    assert!(smtp.flush(LONG_ENOUGH).await);
    assert_eq!(script.asked(), ["ana@example.org"]);
}

#[tokio::test]
async fn user_and_password_are_given_decoded() {
    let script = Script::new(&[]);
    let address = script.start().await;
    let smtp = Smtp::new(&format!("smtp://ana%40b:p%3Aw@{address}?tls=none"), None, letterhead()).unwrap();
    assert_eq!(smtp.check().await, Ok(()));
    // base64 of NUL, ana@b, NUL, p:w (RFC 4616)
    assert_eq!(script.seen.lock().unwrap().logins, ["AUTH PLAIN AGFuYUBiAHA6dw=="]);
}

#[tokio::test]
async fn the_check_says_what_is_wrong_and_no_password() {
    let refusing = Script::new(&[("AUTH", "535 5.7.8 bad credentials")]);
    let address = refusing.start().await;
    let smtp = Smtp::new(&format!("smtp://ana:hunter2@{address}?tls=none"), None, letterhead()).unwrap();
    let told = smtp.check().await.unwrap_err();
    assert!(told.contains("does not accept user and password") && told.contains("bad credentials"), "{told}");
    assert!(!told.contains("hunter2") && !told.contains("aHVudGVyMg"), "{told}");

    let plain = Script::new(&[]);
    let address = plain.start().await;
    let smtp = Smtp::new(&format!("smtp://ana:hunter2@{address}"), None, letterhead()).unwrap();
    let told = smtp.check().await.unwrap_err();
    assert!(told.contains("does not start TLS"), "{told}");
    assert!(plain.seen.lock().unwrap().logins.is_empty(), "no password goes out without TLS");

    let smtp = Smtp::new(&format!("smtps://ana:hunter2@{address}"), None, letterhead()).unwrap();
    let told = smtp.check().await.unwrap_err();
    assert!(told.contains("cannot be reached"), "{told}");
    assert!(plain.seen.lock().unwrap().logins.is_empty());
}

#[tokio::test]
async fn mail_needs_starttls_when_the_url_says_so() {
    let plain = Script::new(&[]);
    let address = plain.start().await;
    let smtp = Smtp::with_pace(&format!("smtp://{address}"), None, letterhead(), QUICK).unwrap();
    smtp.send(mail("ana@example.org", "s", "t"));
    assert!(smtp.flush(LONG_ENOUGH).await);
    assert_eq!(plain.asked(), [""; 0]);
}

#[tokio::test]
async fn extra_roots_must_be_certificates() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n").unwrap();
    assert!(Smtp::new("smtps://localhost", Some(file.path()), letterhead()).is_err());
    assert!(Smtp::new("smtps://localhost", Some("/nonexistent/roots.pem".as_ref()), letterhead()).is_err());
}
