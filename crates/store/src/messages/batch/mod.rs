//! Messages on PostgreSQL: all that wait are stored by a handful of statements and one commit.
//!
//! One batch after another, so that what this process stores is published in the order of the commits. Between
//! processes the locks of the conversations keep the order of each one's messages.

mod repeats;
mod rights;
mod transaction;

use std::sync::{Arc, Mutex, PoisonError};

use anyhow::anyhow;
use domain::{
    Error, Event, MessageId, Noun, Result,
    messages::{NewMessage, Stored},
};
use tokio::{
    sync::{mpsc, oneshot},
    task::JoinHandle,
};

use self::transaction::{Failure, Outcome, try_store};
use super::posted::posted_of;
use crate::engine::{Postgres, PostgresFault, TRIES, explained, pause, publish};

/// Messages that may wait.
const ROOM: usize = 4096;

/// Most messages in one transaction.
const BATCH: usize = 512;

/// Where the answer goes.
type Reply = oneshot::Sender<Result<Stored>>;

/// A message and the task that waits for it to be stored.
struct Waiting {
    new: NewMessage,
    reply: Reply,
}

/// The task that stores messages.
pub(crate) struct Batcher {
    /// `None` once it is closed.
    waiting: Mutex<Option<mpsc::Sender<Waiting>>>,
    task: Mutex<Option<JoinHandle<()>>>,
}

impl Batcher {
    /// Starts the task on the present runtime. It ends when the batcher is closed or dropped.
    pub(crate) fn start(postgres: Postgres) -> Self {
        let (waiting, queue) = mpsc::channel(ROOM);
        let task = tokio::spawn(run(postgres, queue));
        Self { waiting: Mutex::new(Some(waiting)), task: Mutex::new(Some(task)) }
    }

    /// Stores a message with others that wait, and publishes it.
    pub(crate) async fn add(&self, new: NewMessage) -> Result<Stored> {
        let (reply, answer) = oneshot::channel();
        {
            let waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
            let waiting = waiting.as_ref().ok_or(Error::Unavailable(Noun::Store))?;
            waiting.try_send(Waiting { new, reply }).map_err(|_| Error::Unavailable(Noun::Store))?;
        }
        answer.await.unwrap_or_else(|_| Err(anyhow!("the batch of a message was lost").into()))
    }

    /// Stores what waits, and takes no more.
    pub(crate) async fn close(&self) {
        drop(self.waiting.lock().unwrap_or_else(PoisonError::into_inner).take());
        let task = self.task.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(task) = task
            && let Err(cause) = task.await
        {
            tracing::error!("the task that stores messages did not end well: {cause}");
        }
    }
}

async fn run(postgres: Postgres, mut queue: mpsc::Receiver<Waiting>) {
    let mut batch = Vec::with_capacity(BATCH);
    while queue.recv_many(&mut batch, BATCH).await > 0 {
        // The tasks that were just answered often come back at once: they shall be in this batch, not in the next.
        while batch.len() < BATCH {
            tokio::task::yield_now().await;
            if queue.is_empty() {
                break;
            }
            let room = BATCH - batch.len();
            queue.recv_many(&mut batch, room).await;
        }
        // A task of its own: if it panics, its messages are answered with an error and the next batch comes.
        let stored = tokio::spawn(store_batch(postgres.clone(), std::mem::take(&mut batch))).await;
        if let Err(cause) = stored {
            tracing::error!("a batch of messages was lost: {cause}");
        }
    }
}

/// Stores, publishes and answers a batch.
async fn store_batch(postgres: Postgres, batch: Vec<Waiting>) {
    let (news, replies): (Vec<_>, Vec<_>) =
        batch.into_iter().map(|waiting| (waiting.new, waiting.reply)).unzip();
    let outcomes = match store(&postgres, &news).await {
        Ok(outcomes) => outcomes,
        // Perhaps one of them is to blame (a UUID that exists): then the others shall not suffer for it.
        Err(Error::Internal(cause)) if news.len() > 1 => {
            tracing::warn!(
                "a batch of {} messages failed, they are stored one by one: {cause:#}",
                news.len()
            );
            one_by_one(&postgres, &news).await
        }
        Err(error) => news.iter().map(|_| Err(same(&error))).collect(),
    };
    let mut repeats = Vec::new();
    for (reply, outcome) in replies.into_iter().zip(outcomes) {
        // Nobody waits any more when the task was dropped; the message stands all the same.
        match outcome {
            Ok(Outcome::Posted(posted)) => drop(reply.send(Ok(Stored { posted, repeated: false }))),
            Ok(Outcome::Repeat(first)) => repeats.push((first, reply)),
            Err(error) => drop(reply.send(Err(error))),
        }
    }
    if !repeats.is_empty() {
        // The next batch does not wait for them.
        tokio::spawn(answer_repeats(postgres, repeats));
    }
}

/// Answers repeats with the first messages as they are now.
async fn answer_repeats(postgres: Postgres, repeats: Vec<(MessageId, Reply)>) {
    let ids: Vec<MessageId> = repeats.iter().map(|(first, _)| *first).collect();
    let posted = postgres.read(true, move |tx| posted_of(tx, &ids)).await;
    for (first, reply) in repeats {
        let answer = match &posted {
            Ok(posted) => posted
                .iter()
                .find(|posted| posted.message.id == first)
                .map(|posted| Stored { posted: Arc::new(posted.clone()), repeated: true })
                .ok_or_else(|| anyhow!("the first message is gone").into()),
            Err(error) => Err(same(error)),
        };
        drop(reply.send(answer));
    }
}

async fn one_by_one(postgres: &Postgres, news: &[NewMessage]) -> Vec<Result<Outcome>> {
    let mut outcomes = Vec::with_capacity(news.len());
    for new in news {
        let outcome = store(postgres, std::slice::from_ref(new)).await;
        outcomes.extend(outcome.unwrap_or_else(|error| vec![Err(error)]));
    }
    outcomes
}

/// Stores messages in one transaction, and tries it again when it collides with another; then publishes those that are
/// new. On an error none is stored.
async fn store(postgres: &Postgres, news: &[NewMessage]) -> Result<Vec<Result<Outcome>>> {
    let mut client = postgres.connection().await?;
    for attempt in 1..=TRIES {
        match try_store(&mut client, news, postgres.turns()).await {
            Ok((outcomes, turn)) => {
                let posted = outcomes.iter().flatten().filter_map(|outcome| match outcome {
                    Outcome::Posted(posted) => Some(Event::MessagePosted(Arc::clone(posted))),
                    Outcome::Repeat(_) => None,
                });
                turn.come().await;
                publish(postgres.bus(), posted.collect());
                return Ok(outcomes);
            }
            Err(Failure::Other(error)) => return Err(error),
            Err(Failure::Database(cause)) if PostgresFault::of(&cause) != PostgresFault::Collision => {
                return Err(explained(cause));
            }
            Err(Failure::Database(_) | Failure::Overtaken) => tokio::time::sleep(pause(attempt)).await,
        }
    }
    Err(anyhow!("a batch of messages collided with other transactions {TRIES} times").into())
}

/// The same error for another message of the batch.
fn same(error: &Error) -> Error {
    match error {
        Error::Unavailable(noun) => Error::Unavailable(*noun),
        other => anyhow!("the batch of a message failed: {other:?}").into(),
    }
}
