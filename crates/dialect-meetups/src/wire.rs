//! The shapes of document 004.

use std::sync::Arc;

use domain::{
    AccountId, Time,
    accounts::Person,
    chats::{self, Line},
    meetings::{Seen, Standing},
    photos,
    profiles::{Gender, Portrait, Profile},
    requests::{Asked, Decision},
};
use kit::{base_url::BaseUrl, times::wire_time};
use serde::Serialize;
use utoipa::ToSchema;

/// The folder of photos among the keys of files.
const PHOTO_FOLDER: &str = "avatars/";

/// The key of the photo that is served under this name.
pub(crate) fn photo_key(name: &str) -> String {
    format!("{PHOTO_FOLDER}{name}")
}

/// The name under which the photo of this key is served.
pub(crate) fn file_name(key: &str) -> &str {
    key.strip_prefix(PHOTO_FOLDER).unwrap_or(key)
}

fn photo_url(base: &BaseUrl, key: &str) -> String {
    format!("{}/uploads/user-photos/{}", base.0, file_name(key))
}

/// The URL of somebody's avatar, or `""`.
pub(crate) fn avatar_url(base: &BaseUrl, person: &Person) -> String {
    person.avatar.photo.as_ref().map(|key| photo_url(base, key)).unwrap_or_default()
}

/// The URL of somebody.
pub(crate) fn user_url(base: &BaseUrl, account: AccountId) -> String {
    format!("{}/user-detail/{account}/", base.0)
}

/// The short user object.
#[derive(Serialize, ToSchema)]
pub(crate) struct User {
    id: i64,
    /// A free name, not unique.
    username: String,
    first_name: String,
    about: String,
    /// `YYYY-MM-DD`, or null.
    birth_date: Option<String>,
    /// 0 female, 1 male, or null.
    gender: Option<i64>,
    /// A URL, or `""`.
    avatar: String,
    href: String,
}

impl User {
    pub(crate) fn new(profile: Profile, base: &BaseUrl) -> Self {
        Self {
            id: profile.person.id.0,
            avatar: avatar_url(base, &profile.person),
            href: user_url(base, profile.person.id),
            username: profile.nickname,
            first_name: profile.person.first_name,
            about: profile.about,
            birth_date: profile.birth_date.map(|day| day.to_string()),
            gender: profile.gender.map(Gender::number),
        }
    }

    fn of(portrait: Portrait, base: &BaseUrl) -> Self {
        Self {
            id: portrait.account.0,
            avatar: portrait.avatar().map(|photo| photo_url(base, &photo.key)).unwrap_or_default(),
            href: user_url(base, portrait.account),
            username: portrait.nickname,
            first_name: portrait.first_name,
            about: portrait.about,
            birth_date: portrait.birth_date.map(|day| day.to_string()),
            gender: portrait.gender.map(Gender::number),
        }
    }
}

/// The full user object.
#[derive(Serialize, ToSchema)]
pub(crate) struct FullUser {
    #[serde(flatten)]
    user: User,
    /// The avatar first.
    photos: Vec<Photo>,
    /// Shown to its owner alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    client_key: Option<String>,
}

impl FullUser {
    /// Somebody, as `viewer` sees them.
    pub(crate) fn new(portrait: Portrait, viewer: AccountId, base: &BaseUrl) -> Self {
        Self {
            photos: portrait.photos.iter().map(|photo| Photo::new(photo, base)).collect(),
            client_key: (portrait.account == viewer).then(|| portrait.client_key.clone()),
            user: User::of(portrait, base),
        }
    }
}

/// A photo, and what can be done with it.
#[derive(Serialize, ToSchema)]
#[expect(clippy::struct_field_names, reason = "the keys are the document's")]
pub(crate) struct Photo {
    photo: String,
    delete_photo: String,
    set_avatar: String,
    /// A small square version.
    thumbnail: String,
}

impl Photo {
    fn new(photo: &photos::Photo, base: &BaseUrl) -> Self {
        Self {
            photo: photo_url(base, &photo.key),
            delete_photo: format!("{}/delete-photo/{}/", base.0, photo.id),
            set_avatar: format!("{}/set-avatar/{}/", base.0, photo.id),
            thumbnail: photo_url(base, photo.thumbnail.as_ref().unwrap_or(&photo.key)),
        }
    }
}

/// A photo that was uploaded now.
#[derive(Serialize)]
pub(crate) struct Uploaded {
    /// The same as `photo`.
    href: String,
    #[serde(flatten)]
    photo: Photo,
}

impl Uploaded {
    pub(crate) fn new(photo: &photos::Photo, base: &BaseUrl) -> Self {
        let photo = Photo::new(photo, base);
        Self { href: photo.photo.clone(), photo }
    }
}

/// A place, in degrees.
#[derive(Serialize, ToSchema)]
pub(crate) struct Coordinates {
    lat: f64,
    lng: f64,
}

/// What is always there, and always empty.
#[derive(Serialize, ToSchema)]
pub(crate) struct Empty {}

/// The meeting object.
#[derive(Serialize, ToSchema)]
#[expect(clippy::struct_field_names, reason = "the keys are the document's")]
pub(crate) struct Meeting {
    id: i64,
    title: String,
    /// `YYYY-MM-DD`.
    meeting_date: String,
    description: String,
    /// 0 pair, 1 group.
    group_type: i64,
    /// 0 general, 1 sport, 2 bar, 3 dance.
    category: i64,
    owner: FullUser,
    coordinates: Coordinates,
    /// Always null.
    subway: Option<String>,
    href: String,
    confirms: Empty,
    /// `mine`, `approved` or `disapproved`.
    color_status: &'static str,
}

impl Meeting {
    /// A meeting, as `viewer` sees it.
    pub(crate) fn new(seen: Seen, viewer: AccountId, base: &BaseUrl) -> Self {
        let Seen { meeting, owner, standing } = seen;
        Self {
            id: meeting.id.0,
            title: meeting.title,
            meeting_date: meeting.day.to_string(),
            description: meeting.description,
            group_type: meeting.grouping.number(),
            category: meeting.category.number(),
            owner: FullUser::new(Arc::unwrap_or_clone(owner), viewer, base),
            coordinates: Coordinates { lat: meeting.place.lat(), lng: meeting.place.lng() },
            subway: None,
            href: format!("{}/meeting-detail/{}/", base.0, meeting.id),
            confirms: Empty {},
            color_status: match standing {
                Standing::Mine => "mine",
                Standing::Approved => "approved",
                Standing::Disapproved => "disapproved",
            },
        }
    }
}

/// A request to take part.
#[derive(Serialize, ToSchema)]
pub(crate) struct Confirm {
    id: i64,
    user: User,
    date_create: String,
    is_approved: bool,
    is_rejected: bool,
    is_read: bool,
    /// The meeting's id.
    meeting: i64,
}

impl Confirm {
    pub(crate) fn new(asked: Asked, base: &BaseUrl) -> Self {
        Self {
            id: asked.request.id.0,
            user: User::new(asked.by, base),
            date_create: wire_time(asked.request.created_at),
            is_approved: asked.request.decision == Decision::Approved,
            is_rejected: asked.request.decision == Decision::Rejected,
            is_read: asked.request.is_read,
            meeting: asked.request.meeting.0,
        }
    }
}

/// The message object.
#[derive(Serialize, ToSchema)]
pub(crate) struct Message {
    id: i64,
    text: String,
    author: User,
    is_read: bool,
    is_received: bool,
    date_create: String,
    is_my: bool,
}

impl Message {
    pub(crate) fn new(line: Line, base: &BaseUrl) -> Self {
        Self {
            id: line.message.id.0,
            text: line.message.text,
            author: User::new(line.author, base),
            is_read: line.is_read,
            is_received: line.is_received,
            date_create: wire_time(line.message.created_at),
            is_my: line.is_mine,
        }
    }
}

/// What stands for the newest message before there is one.
#[derive(Serialize, ToSchema)]
pub(crate) struct NoMessage {
    text: &'static str,
    author: Nobody,
    is_read: bool,
    is_received: bool,
    /// The chat's.
    date_create: String,
    is_my: bool,
}

/// Who has written nothing.
#[derive(Serialize, ToSchema)]
struct Nobody {
    username: &'static str,
    first_name: &'static str,
    about: &'static str,
    avatar: Option<String>,
    href: &'static str,
}

impl NoMessage {
    fn new(created_at: Time) -> Self {
        Self {
            text: "",
            author: Nobody { username: "", first_name: "", about: "", avatar: None, href: "" },
            is_read: false,
            is_received: false,
            date_create: wire_time(created_at),
            is_my: false,
        }
    }
}

/// The newest message, or what stands for it.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
pub(crate) enum LastMessage {
    /// There is one.
    Message(Message),
    /// There is none.
    None(NoMessage),
}

/// The chat object.
#[derive(Serialize, ToSchema)]
pub(crate) struct Chat {
    id: i64,
    title: String,
    owner: User,
    /// The approved people.
    users: Vec<User>,
    channel_slug: String,
    last_message: LastMessage,
}

impl Chat {
    pub(crate) fn new(overview: chats::Overview, base: &BaseUrl) -> Self {
        let chats::Overview { chat, owner, guests, last_line } = overview;
        let last_message = match last_line {
            Some(line) => LastMessage::Message(Message::new(line, base)),
            None => LastMessage::None(NoMessage::new(chat.created_at)),
        };
        Self {
            id: chat.id.0,
            title: chat.title,
            owner: User::new(owner, base),
            users: guests.into_iter().map(|guest| User::new(guest, base)).collect(),
            channel_slug: chat.slug,
            last_message,
        }
    }
}

/// A message on a socket: all but `is_my` is about its sender.
#[derive(Serialize)]
pub(crate) struct Frame<'a> {
    pub(crate) text: &'a str,
    pub(crate) author_name: &'a str,
    pub(crate) avatar: String,
    pub(crate) href: String,
    pub(crate) is_my: bool,
    pub(crate) id: i64,
    pub(crate) date_create: String,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_stands_for_no_message_is_never_null() {
        let shown = serde_json::to_value(LastMessage::None(NoMessage::new(Time(0)))).unwrap();
        let expected = json!({
            "text": "",
            "author": { "username": "", "first_name": "", "about": "", "avatar": null, "href": "" },
            "is_read": false,
            "is_received": false,
            "date_create": "1970-01-01T00:00:00.000000Z",
            "is_my": false,
        });
        assert_eq!(shown, expected);
    }

    #[test]
    fn a_photo_is_served_under_its_name() {
        let base = BaseUrl("http://a.example".into());
        assert_eq!(photo_url(&base, "avatars/0f.png"), "http://a.example/uploads/user-photos/0f.png");
        assert_eq!(photo_key("0f.png"), "avatars/0f.png");
    }
}
