//! Mail by SMTP (RFC 5321), in the background, with retries.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::Context;
use domain::ports::{Mail, Mailer};
use lettre::Message;
use tokio::{
    runtime::Handle,
    sync::{Notify, OwnedSemaphorePermit, Semaphore},
    time::timeout,
};

use super::{
    CAPACITY, Letterhead,
    connection::{Server, Step},
    smtp_url::SmtpUrl,
};

/// How many mails are in the hands of the server at a time.
const IN_FLIGHT: usize = 4;

/// How long [`Smtp::check`] waits for the server.
const CHECKING: Duration = Duration::from_secs(20);

/// When a mail that failed is tried again.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// The pause after the first failure; each further one is twice as long.
    pub first_pause: Duration,
    /// No pause is longer.
    pub longest_pause: Duration,
    /// No attempt starts later than this after the mail was taken over.
    pub give_up_after: Duration,
    /// An attempt that takes longer has failed.
    pub attempt: Duration,
}

impl Default for Pace {
    /// One second, doubling to a minute, for ten minutes (codes live no longer); a minute an attempt.
    fn default() -> Self {
        Self {
            first_pause: Duration::from_secs(1),
            longest_pause: Duration::from_mins(1),
            give_up_after: Duration::from_mins(10),
            attempt: Duration::from_mins(1),
        }
    }
}

/// [`Mailer`] over a mail server.
///
/// Four mails are in flight at a time; one that waits for its next attempt holds none of the others. A temporary
/// failure (no connection, a 4xx answer, silence) is tried again; a permanent one (5xx) is logged and that is all.
/// Neither a mail's text nor a password is ever logged.
#[derive(Clone)]
pub struct Smtp {
    shared: Arc<Shared>,
    runtime: Handle,
}

struct Shared {
    server: Server,
    letterhead: Letterhead,
    pace: Pace,
    /// One permit a mail, from its taking over to its end.
    places: Arc<Semaphore>,
    /// One permit an attempt.
    flights: Semaphore,
    /// Wakes the mails that wait for their next attempt.
    hurry: Notify,
    /// Whether the process is about to end: pauses are short then.
    is_ending: AtomicBool,
}

impl Smtp {
    /// A mailer for the server at `url`: `smtps://user:password@host[:465]`, `smtp://user:password@host[:587]`
    /// (STARTTLS required) or `smtp://host[:25]?tls=none`. `extra_roots` is a PEM file of certificates to trust
    /// beside Mozilla's. Nothing is connected yet.
    ///
    /// # Errors
    /// When the URL or the file cannot be understood, or when not called within a Tokio runtime.
    pub fn new(url: &str, extra_roots: Option<&Path>, letterhead: Letterhead) -> anyhow::Result<Self> {
        Self::with_pace(url, extra_roots, letterhead, Pace::default())
    }

    /// As [`Smtp::new`], with other pauses between attempts.
    ///
    /// # Errors
    /// As [`Smtp::new`].
    pub fn with_pace(
        url: &str,
        extra_roots: Option<&Path>,
        letterhead: Letterhead,
        pace: Pace,
    ) -> anyhow::Result<Self> {
        let shared = Shared {
            server: Server::new(SmtpUrl::parse(url)?, extra_roots)?,
            letterhead,
            pace,
            places: Arc::new(Semaphore::new(CAPACITY)),
            flights: Semaphore::new(IN_FLIGHT),
            hurry: Notify::new(),
            is_ending: AtomicBool::new(false),
        };
        let runtime = Handle::try_current().context("mail needs a Tokio runtime")?;
        Ok(Self { shared: Arc::new(shared), runtime })
    }

    /// Tries what sending needs (connection, TLS, user and password) without sending.
    ///
    /// # Errors
    /// What does not work, as a sentence for the person who runs the server.
    pub async fn check(&self) -> Result<(), String> {
        let server = &self.shared.server;
        let name = server.name();
        let trial = async {
            let mut connection = server.connect().await.map_err(|(step, fault)| match step {
                Step::Connect => format!("the mail server {name} cannot be reached: {fault}"),
                Step::StartTls => format!("the mail server {name} does not start TLS: {fault}"),
                Step::Authenticate => {
                    format!("the mail server {name} does not accept user and password: {fault}")
                }
            })?;
            if !connection.test_connected().await {
                return Err(format!("the mail server {name} took the connection and then closed it"));
            }
            // All that counts has worked.
            let _ = connection.quit().await;
            Ok(())
        };
        let silent =
            |_| Err(format!("the mail server {name} did not answer within {} seconds", CHECKING.as_secs()));
        timeout(CHECKING, trial).await.unwrap_or_else(silent)
    }

    /// Waits up to `limit` until all mails are sent or given up; those that wait for their next attempt try at once,
    /// and then after the shortest pause. For the end of the process: mails that come meanwhile may be dropped.
    /// Whether none is left.
    pub async fn flush(&self, limit: Duration) -> bool {
        let shared = &self.shared;
        shared.is_ending.store(true, Ordering::Release);
        shared.hurry.notify_waiters();
        let all = u32::try_from(CAPACITY).unwrap_or(u32::MAX);
        let done = timeout(limit, shared.places.acquire_many(all)).await.is_ok();
        if done {
            shared.server.close().await;
        } else {
            tracing::error!("mails were still waiting to be sent at the end, and are lost");
        }
        done
    }
}

impl Mailer for Smtp {
    fn send(&self, mail: Mail) {
        let letter = match self.shared.letterhead.letter(&mail, self.shared.letterhead.now()) {
            Ok(letter) => letter,
            Err(fault) => {
                tracing::error!(to = ?mail.to, ?fault, "a mail was dropped");
                return;
            }
        };
        let Ok(place) = Arc::clone(&self.shared.places).try_acquire_owned() else {
            tracing::error!(to = ?mail.to, "too many mails wait to be sent: a mail was dropped");
            return;
        };
        self.runtime.spawn(Arc::clone(&self.shared).see_off(mail, letter, place));
    }
}

/// How an attempt failed.
struct Failure {
    /// Trying again makes no sense.
    is_permanent: bool,
    /// For the log.
    reason: String,
}

impl Shared {
    /// Sends one mail, however often it has to be tried.
    async fn see_off(self: Arc<Self>, mail: Mail, letter: Message, _place: OwnedSemaphorePermit) {
        let taken_over = Instant::now();
        let mut pause = self.pace.first_pause;
        loop {
            let Failure { is_permanent, reason } = match self.attempt(&letter).await {
                Ok(()) => return tracing::info!(to = ?mail.to, "mail sent"),
                Err(failure) => failure,
            };
            let reason = without_codes(&reason, &mail.text);
            if is_permanent || taken_over.elapsed() + pause > self.pace.give_up_after {
                return tracing::error!(to = ?mail.to, ?reason, "a mail could not be sent");
            }
            tracing::warn!(to = ?mail.to, ?reason, again_in = ?pause, "a mail was not sent yet");
            // Made before the look at `is_ending`, so that a flush between the two is not missed.
            let hurry = self.hurry.notified();
            let wait = if self.is_ending.load(Ordering::Acquire) { self.pace.first_pause } else { pause };
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                () = hurry => {}
            }
            pause = (pause * 2).min(self.pace.longest_pause);
        }
    }

    async fn attempt(&self, letter: &Message) -> Result<(), Failure> {
        let _flight = self.flights.acquire().await;
        match timeout(self.pace.attempt, self.server.deliver(letter)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(fault)) => Err(Failure {
                is_permanent: fault.is_permanent() || fault.is_client(),
                reason: fault.to_string(),
            }),
            Err(_) => Err(Failure { is_permanent: false, reason: "the mail server is too slow".to_owned() }),
        }
    }
}

/// `reason` for the log. A server may repeat in its answer what it was sent: numbers of `text` are blotted out.
fn without_codes(reason: &str, text: &str) -> String {
    let numbers = text.split(|c: char| !c.is_ascii_digit()).filter(|number| number.len() >= 6);
    numbers.fold(reason.to_owned(), |reason, number| reason.replace(number, "******"))
}

#[cfg(test)]
mod tests {
    use super::without_codes;

    #[test]
    fn a_code_that_the_server_repeats_is_not_logged() {
        let told =
            without_codes("554 spam: \"your code 012345\" (550 5.7.1)", "Hello ana,\nyour code:\n012345\n");
        assert_eq!(told, "554 spam: \"your code ******\" (550 5.7.1)");
    }
}
