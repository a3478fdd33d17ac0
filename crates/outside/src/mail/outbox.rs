//! Mail into a folder, for servers without a mail server.

use std::{
    fs::{self, DirBuilder, OpenOptions},
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
    thread,
    time::Duration,
};

use anyhow::Context;
use domain::{
    Time,
    ports::{Mail, Mailer},
};
use jiff::{Timestamp, tz::TimeZone};
use lettre::Message;
use tokio::{
    sync::{mpsc, oneshot},
    time::timeout,
};

use super::{CAPACITY, Letterhead};

/// [`Mailer`] that writes each mail to `<folder>/<time>-<random>.eml` (RFC 5322), in the order of sending, and logs
/// the file's path. The names sort by time, and no two have the same. A file appears whole, by renaming.
#[derive(Debug)]
pub struct Outbox {
    folder: PathBuf,
    letterhead: Letterhead,
    jobs: mpsc::Sender<Job>,
    /// The time in the newest file's name.
    newest: Mutex<Time>,
}

/// What the writing thread is asked for.
enum Job {
    Write {
        path: PathBuf,
        letter: Box<Message>,
    },
    /// Answered when all before it is done.
    Flush(oneshot::Sender<()>),
}

impl Outbox {
    /// Writes into `folder`, which is made with mode 0700 if it is missing.
    ///
    /// # Errors
    /// When the folder, or the thread that writes, cannot be made.
    pub fn open(folder: impl Into<PathBuf>, letterhead: Letterhead) -> anyhow::Result<Self> {
        let folder = folder.into();
        make(&folder).with_context(|| format!("cannot make the outbox {}", folder.display()))?;
        let (jobs, queue) = mpsc::channel(CAPACITY);
        thread::Builder::new().name("outbox".to_owned()).spawn(move || work(queue))?;
        Ok(Self { folder, letterhead, jobs, newest: Mutex::new(Time(i64::MIN)) })
    }

    /// Waits up to `limit` until all mails taken over so far are written. Whether they are.
    ///
    /// # Panics
    /// Outside a Tokio runtime.
    pub async fn flush(&self, limit: Duration) -> bool {
        let (done, written) = oneshot::channel();
        let all = async { self.jobs.send(Job::Flush(done)).await.is_ok() && written.await.is_ok() };
        timeout(limit, all).await.unwrap_or(false)
    }

    /// The path of a mail sent at `at`: later than all before, even when the clock stands still.
    fn path(&self, at: Time) -> PathBuf {
        let mut newest = self.newest.lock().unwrap_or_else(PoisonError::into_inner);
        *newest = at.max(newest.after(Duration::from_micros(1)));
        let moment = Timestamp::from_microsecond(newest.0).unwrap_or_default().to_zoned(TimeZone::UTC);
        self.folder.join(format!("{}-{}.eml", moment.strftime("%Y%m%dT%H%M%S.%6fZ"), self.letterhead.nonce()))
    }
}

impl Mailer for Outbox {
    fn send(&self, mail: Mail) {
        let at = self.letterhead.now();
        let letter = match self.letterhead.letter(&mail, at) {
            Ok(letter) => Box::new(letter),
            Err(fault) => {
                tracing::error!(to = ?mail.to, ?fault, "a mail was dropped");
                return;
            }
        };
        if self.jobs.try_send(Job::Write { path: self.path(at), letter }).is_err() {
            tracing::error!(to = ?mail.to, "too many mails wait to be written: a mail was dropped");
        }
    }
}

/// The writing thread: ends when the outbox is gone and its mails are written.
fn work(mut queue: mpsc::Receiver<Job>) {
    while let Some(job) = queue.blocking_recv() {
        match job {
            Job::Write { path, letter } => match write(&path, &letter.formatted()) {
                Ok(()) => tracing::info!(path = %path.display(), "mail written to the outbox"),
                Err(fault) => tracing::error!(path = %path.display(), %fault, "a mail could not be written"),
            },
            Job::Flush(done) => drop(done.send(())),
        }
    }
}

/// Makes the folder if it is missing.
fn make(folder: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

/// Writes a file that only its owner may read, under another name first. Somebody may have tidied the folder away.
fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    path.parent().map_or(Ok(()), make)?;
    let partial = path.with_extension("part");
    let written = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&partial)
        .and_then(|mut file| file.write_all(bytes))
        .and_then(|()| fs::rename(&partial, path));
    if written.is_err() {
        // The first fault is the one to tell.
        let _ = fs::remove_file(&partial);
    }
    written
}
