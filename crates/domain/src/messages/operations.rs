//! Writing.

use bytes::Bytes;
use uuid::Uuid;

use super::{MediaFile, NewMessage, Posted, Stored};
use crate::{
    App, Caller, ConversationId, Error, Field, MessageId, Noun, Problem, RelationId, Result, Rule,
    media::{discard, keep_attachment},
};

/// Most characters of a file's label.
const MAX_LABEL: usize = 255;

/// Most characters of a client's own id of a message.
pub const MAX_CLIENT_ID: usize = 64;

/// Most files of a message.
pub const MAX_FILES: usize = 10;

/// What a caller wants to say.
#[derive(Clone, Debug, Default)]
pub struct Draft {
    /// The text; may be blank only with files.
    pub text: String,
    /// The files.
    pub files: Vec<File>,
    /// The relation that it is written to, where the conversation is one's own with a friend.
    pub via: Option<RelationId>,
    /// The client's own id of it, at most [`MAX_CLIENT_ID`] characters.
    pub client_id: Option<String>,
}

/// A file of a draft.
#[derive(Clone, Debug)]
pub struct File {
    /// The sender's name for it.
    pub label: String,
    /// What is in it.
    pub bytes: Bytes,
}

/// Stores a message of the caller's, and tells everyone who listens. When it returns, the message is on disk.
///
/// `Invalid` for a blank text without files, a text or files beyond the limits, and NUL; then what
/// [`Messages::add_message`](super::Messages::add_message) says.
pub async fn post(app: &App, caller: &Caller, conversation: ConversationId, draft: Draft) -> Result<Stored> {
    check(app, &draft)?;
    let created_at = app.clock.now();
    let mut media = Vec::with_capacity(draft.files.len());
    for file in draft.files {
        let size = i64::try_from(file.bytes.len()).unwrap_or(i64::MAX);
        media.push(MediaFile {
            uuid: app.ids.uuid(),
            key: keep_attachment(app, file.bytes).await?,
            label: label(&file.label),
            size,
            uploaded_at: created_at,
        });
    }
    let keys: Vec<_> = media.iter().map(|file| file.key.clone()).collect();
    let new = NewMessage {
        uuid: app.ids.uuid(),
        conversation,
        author: caller.account,
        text: draft.text,
        created_at,
        media,
        via: draft.via,
        client_id: draft.client_id,
    };
    let stored = app.store.add_message(new).await;
    // A repeat's files were kept by the first.
    if !stored.as_ref().is_ok_and(|stored| !stored.repeated) {
        discard(app, &keys).await;
    }
    stored
}

/// The message of that id in a direct conversation of the caller's, for [`missed`] to go on from. The two need not be
/// friends any more: what came after it is still to be had. `NotFound(Message)`.
pub async fn known(app: &App, caller: &Caller, message: Uuid) -> Result<MessageId> {
    app.store.message_of(caller.account, message).await?.ok_or(Error::NotFound(Noun::Message))
}

/// What was written after that message in all of the caller's conversations with friends, by the caller too, oldest
/// first, at most `limit`.
pub async fn missed(app: &App, caller: &Caller, after: MessageId, limit: usize) -> Result<Vec<Posted>> {
    app.store.messages_after(caller.account, after, limit).await
}

fn check(app: &App, draft: &Draft) -> Result<()> {
    let mut problems = Vec::new();
    if draft.text.trim().is_empty() && draft.files.is_empty() {
        problems.push(Problem::new(Field::Text, Rule::Blank));
    }
    if draft.text.chars().nth(app.settings.max_text).is_some() {
        problems.push(Problem::new(Field::Text, Rule::TooLong(app.settings.max_text)));
    }
    // PostgreSQL cannot keep it, and no reader shows it.
    if draft.text.contains('\0') {
        problems.push(Problem::new(Field::Text, Rule::Charset));
    }
    if draft.client_id.as_ref().is_some_and(|id| id.chars().nth(MAX_CLIENT_ID).is_some()) {
        problems.push(Problem::new(Field::ClientId, Rule::TooLong(MAX_CLIENT_ID)));
    }
    if draft.client_id.as_ref().is_some_and(|id| id.contains('\0')) {
        problems.push(Problem::new(Field::ClientId, Rule::Charset));
    }
    if draft.files.len() > MAX_FILES {
        problems.push(Problem::new(Field::Attachment, Rule::TooMany(MAX_FILES)));
    }
    let size: usize = draft.files.iter().map(|file| file.bytes.len()).sum();
    if size > app.settings.max_attachment {
        problems.push(Problem::new(Field::Attachment, Rule::TooLarge(app.settings.max_attachment)));
    }
    if draft.files.iter().any(|file| file.bytes.is_empty()) {
        problems.push(Problem::new(Field::Attachment, Rule::Blank));
    }
    if problems.is_empty() { Ok(()) } else { Err(Error::Invalid(problems)) }
}

fn label(given: &str) -> String {
    given.chars().filter(|c| !c.is_control()).take(MAX_LABEL).collect()
}
