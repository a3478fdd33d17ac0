//! Writing.

use std::net::Ipv6Addr;

use bytes::Bytes;
use uuid::Uuid;

use super::{MediaFile, NewMessage, Posted, Stored};
use crate::{
    App, Caller, ConversationId, Error, Field, MessageId, Noun, Problem, RelationId, Result, Rule,
    conversations::Kind,
    media::{discard, keep_attachment},
};

/// Most characters of a file's label.
const MAX_LABEL: usize = 255;

/// Most characters of a client's own id of a message.
pub const MAX_CLIENT_ID: usize = 64;

/// Most characters of the address of a picture.
pub const MAX_IMAGE: usize = 2_048;

/// Most files of a message.
pub const MAX_FILES: usize = 10;

/// What a caller wants to say.
#[derive(Clone, Debug, Default)]
pub struct Draft {
    /// The text; may be blank only with files or an image.
    pub text: String,
    /// The address of a picture, as [`image_problem`] lets it be; `""` for none.
    pub image: String,
    /// The files.
    pub files: Vec<File>,
    /// The kind that the conversation has to be of, where that matters.
    pub kind: Option<Kind>,
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
/// `Invalid` for a blank text without files and image, what is beyond the limits, an image that is no URL, and NUL; then
/// what
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
        uuid: app.ids.uuid_at(created_at),
        conversation,
        author: caller.account,
        text: draft.text,
        image: draft.image,
        created_at,
        media,
        kind: draft.kind,
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
    if draft.text.trim().is_empty() && draft.files.is_empty() && draft.image.is_empty() {
        problems.push(Problem::new(Field::Text, Rule::Blank));
    }
    if draft.text.chars().nth(app.settings.max_text).is_some() {
        problems.push(Problem::new(Field::Text, Rule::TooLong(app.settings.max_text)));
    }
    // PostgreSQL cannot keep it, and no reader shows it.
    if draft.text.contains('\0') {
        problems.push(Problem::new(Field::Text, Rule::Charset));
    }
    problems.extend(image_problem(&draft.image).map(|rule| Problem::new(Field::Image, rule)));
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

/// The rule that the address of a picture breaks: at most [`MAX_IMAGE`] characters of an `http` or `https` URL (RFC 3986)
/// with a host, or nothing at all. It is never fetched.
pub fn image_problem(image: &str) -> Option<Rule> {
    if image.is_empty() {
        None
    } else if image.chars().nth(MAX_IMAGE).is_some() {
        Some(Rule::TooLong(MAX_IMAGE))
    } else {
        (!is_http_url(image)).then_some(Rule::Url)
    }
}

fn is_http_url(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once("://") else { return false };
    let is_http = ["http", "https"].iter().any(|known| scheme.eq_ignore_ascii_case(known));
    // What ends an attribute or a line has no place in a URL, and readers of URLs disagree about backslashes.
    let is_forbidden = |c: char| c.is_whitespace() || c.is_control() || "\"<>\\^`{|}".contains(c);
    if !is_http || text.contains(is_forbidden) {
        return false;
    }
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host_and_port = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    if let Some(inside) = host_and_port.strip_prefix('[') {
        let Some((address, port)) = inside.split_once(']') else { return false };
        return address.parse::<Ipv6Addr>().is_ok()
            && (port.is_empty() || port.strip_prefix(':').is_some_and(is_port));
    }
    match host_and_port.split_once(':') {
        Some((host, port)) => is_host(host) && is_port(port),
        None => is_host(host_and_port),
    }
}

/// Labels of letters, digits, hyphens and underscores, none of them empty; a dot may stand at the end.
fn is_host(host: &str) -> bool {
    let is_label =
        |label: &str| !label.is_empty() && label.chars().all(|c| c.is_alphanumeric() || c == '-' || c == '_');
    host.len() <= 255 && host.strip_suffix('.').unwrap_or(host).split('.').all(is_label)
}

fn is_port(port: &str) -> bool {
    port.bytes().all(|byte| byte.is_ascii_digit()) && (port.is_empty() || port.parse::<u16>().is_ok())
}

fn label(given: &str) -> String {
    given.chars().filter(|c| !c.is_control()).take(MAX_LABEL).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_of_a_picture_is_an_http_url_with_a_host() {
        for good in [
            "",
            "http://127.0.0.1:8000/media/x.png",
            "https://example.org",
            "HTTPS://user:pass@bücher.example./a?b=c#d",
            "http://[::1]:80/x",
            "http://localhost/%41'()*+,;=~",
        ] {
            assert_eq!(image_problem(good), None, "{good}");
        }
        for bad in [
            "x",
            "/media/x.png",
            "//example.org/x.png",
            "http:/example.org",
            "http://",
            "http:///x.png",
            "http://?x",
            "http://a..b/x",
            "http://exa mple.org/",
            "http://example.org/a b",
            "http://example.org/\n",
            "http://example.org/\0",
            "http://example.org/\"onerror=",
            "http://example.org:99999/",
            "http://example.org:8a/",
            "http://[::1/x",
            "http://[zz]/x",
            "http://\\example.org",
            "ftp://example.org/x.png",
            "javascript://example.org/%0aalert(1)",
            "javascript:alert(1)",
            "data:image/png;base64,AAAA",
            " http://example.org/x.png",
        ] {
            assert_eq!(image_problem(bad), Some(Rule::Url), "{bad}");
        }
        let long = |length: usize| format!("http://a/{}", "é".repeat(length - 9));
        assert_eq!(image_problem(&long(MAX_IMAGE)), None);
        assert_eq!(image_problem(&long(MAX_IMAGE + 1)), Some(Rule::TooLong(MAX_IMAGE)));
    }
}
