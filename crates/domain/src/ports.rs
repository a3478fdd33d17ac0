//! What the core needs of the world, as traits: each is met by another crate, named for what it stands on.

use std::{ops::Range, sync::Arc};

use async_trait::async_trait;
use bytes::Bytes;
use uuid::Uuid;

use crate::{
    Event, Result, Time, accounts, chats, codes, conversations, keys, meetings, messages, photos, profiles,
    relations, requests, rooms, sessions, widgets,
};

/// The time. The only source of *now*.
pub trait Clock: Send + Sync {
    /// The present time.
    fn now(&self) -> Time;
}

/// Randomness from a cryptographically secure source. The only source of ids, keys and codes.
pub trait Ids: Send + Sync {
    /// Fills `buffer` with random bytes.
    fn fill(&self, buffer: &mut [u8]);

    /// A random UUID (version 4).
    fn uuid(&self) -> Uuid {
        let mut bytes = [0; 16];
        self.fill(&mut bytes);
        uuid::Builder::from_random_bytes(bytes).into_uuid()
    }

    /// A UUID that begins with the time and is random otherwise (version 7, RFC 9562 5.7): those made one after another
    /// stand side by side in an index.
    fn uuid_at(&self, time: Time) -> Uuid {
        let mut bytes = [0; 10];
        self.fill(&mut bytes);
        let millis = u64::try_from(time.0 / 1_000).unwrap_or(0);
        uuid::Builder::from_unix_timestamp_millis(millis, &bytes).into_uuid()
    }
}

/// Carries events to every node. It is for speed: what counts is in the store.
pub trait Bus: Send + Sync {
    /// Hands `event` to all who listen, on this node before it returns, and in the order of the calls.
    /// Never waits: it is called by the store's writer.
    fn publish(&self, event: Arc<Event>);
}

/// Everything that is kept. Each method is one transaction, and what it changes is on disk when it returns.
pub trait Store:
    accounts::Accounts
    + sessions::Sessions
    + codes::Codes
    + keys::Keys
    + relations::Relations
    + conversations::Conversations
    + messages::Messages
    + profiles::Profiles
    + photos::Photos
    + meetings::Meetings
    + requests::Requests
    + chats::Chats
    + rooms::Rooms
    + widgets::Widgets
    + Health
{
}

/// Whether the store can be used.
#[async_trait]
pub trait Health: Send + Sync {
    /// Asks the database something small.
    async fn ping(&self) -> Result<()>;
}

/// The bytes of files, by key. Keys are made by the core: `[a-z0-9/._-]`, no `..`.
#[async_trait]
pub trait Blobs: Send + Sync {
    /// Keeps `bytes` under `key`; on disk when it returns.
    async fn put(&self, key: &str, bytes: Bytes) -> Result<()>;

    /// The file's size in bytes, or `None` when there is no such file.
    async fn size(&self, key: &str) -> Result<Option<u64>>;

    /// The bytes of `range` of the file (within its size), or `None` when there is no such file.
    async fn read(&self, key: &str, range: Range<u64>) -> Result<Option<Bytes>>;

    /// Removes the file; no error when it is not there.
    async fn delete(&self, key: &str) -> Result<()>;
}

/// A recognised picture, made anew: no metadata, sane size.
#[derive(Clone, Debug)]
pub struct Picture {
    /// The encoded bytes.
    pub bytes: Bytes,
    /// The extension that goes with them: `png`, `jpg`, `gif` or `webp`.
    pub extension: &'static str,
}

/// Recognises and re-encodes pictures, away from the async threads.
#[async_trait]
pub trait Pictures: Send + Sync {
    /// Decodes `bytes` (PNG, JPEG, GIF, WebP by content) within limits of pixels and time, applies its orientation,
    /// fits it into `side` by `side` pixels and encodes it again without metadata.
    /// `None`: not an image, damaged, or beyond the limits.
    async fn refit(&self, bytes: Bytes, side: u32) -> Result<Option<Picture>>;

    /// The middle square of a picture that [`Self::refit`] has made, `side` by `side` pixels or smaller, encoded again.
    /// `None`: not an image, damaged, or beyond the limits.
    async fn square(&self, bytes: Bytes, side: u32) -> Result<Option<Picture>>;

    /// The extension of an image that may be shown in a page as it is (`png`, `jpg`, `gif`, `webp`), told by
    /// content; `None` for all else.
    fn recognise(&self, bytes: &[u8]) -> Option<&'static str>;
}

/// A mail to one person.
#[derive(Clone, Debug)]
pub struct Mail {
    /// The recipient's address.
    pub to: String,
    /// The subject line.
    pub subject: String,
    /// The text, UTF-8, lines ended by `\n`.
    pub text: String,
}

/// Sends mail in the background, with retries.
pub trait Mailer: Send + Sync {
    /// Takes the mail over and returns at once; failures are logged and tried again.
    fn send(&self, mail: Mail);
}

/// A person as an identity provider names them.
#[derive(Clone, Debug)]
pub struct ProviderProfile {
    /// The provider's own id of the person.
    pub external_id: String,
    /// The name there.
    pub login: String,
    /// Their e-mail address, or `""`.
    pub email: String,
    /// The bytes of their picture, if there is one and it could be had.
    pub picture: Option<Bytes>,
}

/// Why a provider gave no profile.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ProviderRefusal {
    /// The provider does not accept the code.
    Denied,
    /// It cannot be reached, or what it answers makes no sense.
    Unreachable,
}

/// A social network that tells whose token this is.
#[async_trait]
pub trait SocialProvider: Send + Sync {
    /// The network's own id of the person to whom it gave `token`. `Denied` when it does not know the token (any more).
    async fn owner(&self, token: &str) -> Result<i64, ProviderRefusal>;
}

/// An OAuth 2 identity provider (RFC 6749, authorization code grant).
#[async_trait]
pub trait OAuthProvider: Send + Sync {
    /// The address to send the browser to.
    fn authorize_url(&self, redirect_uri: &str, state: &str) -> String;

    /// Exchanges `code` and reads the person's profile.
    async fn profile(&self, code: &str, redirect_uri: &str) -> Result<ProviderProfile, ProviderRefusal>;
}
