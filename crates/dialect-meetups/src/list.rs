//! The list of meetings, written at once: a thousand of them take their time when each is an object of its own first.
//!
//! The bytes are those of [`crate::wire::Meeting`], one after another.

use std::io::Write as _;

use domain::{
    AccountId,
    meetings::{Seen, Standing},
    photos::Photo,
    profiles::{Gender, Portrait},
};
use kit::base_url::BaseUrl;

use crate::wire::file_name;

/// About as long as a meeting is.
const MEETING: usize = 1024;

/// The meetings as a JSON array, as `viewer` sees them.
pub(crate) fn written(seen: &[Seen], viewer: AccountId, base: &BaseUrl) -> Vec<u8> {
    let mut list = List { bytes: Vec::with_capacity(seen.len() * MEETING + 2), viewer, base: String::new() };
    // Base URLs are in every meeting: what has to be escaped in them is so once.
    list.text(&base.0);
    list.base = String::from_utf8_lossy(&list.bytes[1..list.bytes.len() - 1]).into_owned();
    list.bytes.clear();
    list.bytes.push(b'[');
    for (place, seen) in seen.iter().enumerate() {
        if place > 0 {
            list.bytes.push(b',');
        }
        list.meeting(seen);
    }
    list.bytes.push(b']');
    list.bytes
}

struct List {
    bytes: Vec<u8>,
    viewer: AccountId,
    /// The base of all URLs, as it stands within a JSON text.
    base: String,
}

impl List {
    fn meeting(&mut self, seen: &Seen) {
        let Seen { meeting, owner, standing } = seen;
        self.put("{\"id\":");
        self.number(meeting.id.0);
        self.put(",\"title\":");
        self.text(&meeting.title);
        self.put(",\"meeting_date\":\"");
        self.shown(meeting.day);
        self.put("\",\"description\":");
        self.text(&meeting.description);
        self.put(",\"group_type\":");
        self.number(meeting.grouping.number());
        self.put(",\"category\":");
        self.number(meeting.category.number());
        self.put(",\"owner\":");
        self.owner(owner);
        self.put(",\"coordinates\":{\"lat\":");
        self.json(&meeting.place.lat());
        self.put(",\"lng\":");
        self.json(&meeting.place.lng());
        self.put("},\"subway\":null,\"href\":");
        self.url("/meeting-detail/", meeting.id.0);
        self.put(",\"confirms\":{},\"color_status\":");
        self.put(match standing {
            Standing::Mine => "\"mine\"}",
            Standing::Approved => "\"approved\"}",
            Standing::Disapproved => "\"disapproved\"}",
        });
    }

    fn owner(&mut self, owner: &Portrait) {
        let Portrait { profile, photos } = owner;
        let person = &profile.person;
        self.put("{\"id\":");
        self.number(person.id.0);
        self.put(",\"username\":");
        self.text(&profile.nickname);
        self.put(",\"first_name\":");
        self.text(&person.first_name);
        self.put(",\"about\":");
        self.text(&profile.about);
        self.put(",\"birth_date\":");
        match profile.birth_date {
            Some(day) => {
                self.put("\"");
                self.shown(day);
                self.put("\"");
            }
            None => self.put("null"),
        }
        self.put(",\"gender\":");
        match profile.gender.map(Gender::number) {
            Some(gender) => self.number(gender),
            None => self.put("null"),
        }
        self.put(",\"avatar\":");
        match &person.avatar.photo {
            Some(key) => self.photo_url(key),
            None => self.put("\"\""),
        }
        self.put(",\"href\":");
        self.url("/user-detail/", person.id.0);
        self.put(",\"photos\":[");
        for (place, photo) in photos.iter().enumerate() {
            if place > 0 {
                self.put(",");
            }
            self.photo(photo);
        }
        self.put("]");
        if person.id == self.viewer {
            self.put(",\"client_key\":");
            self.text(&profile.client_key);
        }
        self.put("}");
    }

    fn photo(&mut self, photo: &Photo) {
        self.put("{\"photo\":");
        self.photo_url(&photo.key);
        self.put(",\"delete_photo\":");
        self.url("/delete-photo/", photo.id.0);
        self.put(",\"set_avatar\":");
        self.url("/set-avatar/", photo.id.0);
        self.put(",\"thumbnail\":");
        self.photo_url(photo.thumbnail.as_ref().unwrap_or(&photo.key));
        self.put("}");
    }

    /// The URL of a thing by its number.
    fn url(&mut self, path: &str, id: i64) {
        self.put("\"");
        self.bytes.extend_from_slice(self.base.as_bytes());
        self.put(path);
        self.number(id);
        self.put("/\"");
    }

    fn photo_url(&mut self, key: &str) {
        self.put("\"");
        self.bytes.extend_from_slice(self.base.as_bytes());
        self.put("/uploads/user-photos/");
        let name = file_name(key);
        if is_plain(name) {
            self.put(name);
            self.put("\"");
        } else {
            let at = self.bytes.len();
            self.json(name);
            // Its opening quote.
            self.bytes.remove(at);
        }
    }

    fn put(&mut self, json: &str) {
        self.bytes.extend_from_slice(json.as_bytes());
    }

    fn text(&mut self, text: &str) {
        if is_plain(text) {
            self.put("\"");
            self.put(text);
            self.put("\"");
        } else {
            self.json(text);
        }
    }

    fn number(&mut self, number: i64) {
        self.json(&number);
    }

    /// A value whose text needs no escaping.
    fn shown(&mut self, value: impl std::fmt::Display) {
        // Writing to a vector does not fail.
        let _ = write!(self.bytes, "{value}");
    }

    fn json<T: serde::Serialize + ?Sized>(&mut self, value: &T) {
        // Neither does this, with numbers and texts.
        let _ = serde_json::to_writer(&mut self.bytes, value);
    }
}

/// Whether a text stands in JSON as it is.
fn is_plain(text: &str) -> bool {
    !text.bytes().any(|byte| byte < b' ' || byte == b'"' || byte == b'\\')
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use domain::{
        MeetingId, PhotoId,
        accounts::{Avatar, Person, Role},
        meetings::{Category, Grouping, Meeting, Point},
        profiles::Profile,
    };
    use jiff::civil::date;
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;
    use crate::wire;

    fn person(id: i64, first_name: String, photo: Option<String>) -> Person {
        Person {
            id: AccountId(id),
            uuid: Uuid::nil(),
            username: "vk_0f".into(),
            email: String::new(),
            first_name,
            last_name: String::new(),
            role: Role::Student,
            two_factor: false,
            avatar: Avatar { photo, text: None },
        }
    }

    prop_compose! {
        fn any_owner()(id in 1..3_i64, texts in prop::collection::vec("\\PC{0,9}|[\"\\\\\n\u{1}/<é]{0,5}", 5),
            keys in prop::collection::vec("avatars/[a-f0-9]{4}\\.png|[\"\\\\a-f]{3}", 0..3),
            thumbnail in any::<bool>(), day in prop::option::of(1..28_i8),
            gender in prop::option::of(prop::sample::select(vec![Gender::Female, Gender::Male])))
            -> Portrait
        {
            let [nickname, first_name, about, client_key] = [0, 1, 2, 3].map(|place: usize| texts[place].clone());
            let photos = keys.iter().zip(7..).map(|(key, number)| Photo {
                id: PhotoId(number),
                account: AccountId(id),
                key: key.clone(),
                thumbnail: thumbnail.then(|| texts[4].clone()),
                is_avatar: number == 7,
            });
            Portrait {
                photos: photos.collect(),
                profile: Profile {
                    person: person(id, first_name, keys.first().cloned()),
                    deleted: false,
                    nickname,
                    about,
                    birth_date: day.map(|day| date(1990, 2, day)),
                    gender,
                    client_key,
                },
            }
        }
    }

    prop_compose! {
        fn any_seen()(owner in any_owner(), id in 1..i64::MAX, title in "\\PC{0,9}", description in "[a\"\t]{0,3}",
            lat in -90.0..90.0_f64, lng in prop::sample::select(vec![0.0, -0.0, 1e-7, 180.0, 37.618_423]),
            grouping in prop::sample::select(vec![Grouping::Pair, Grouping::Group]),
            category in prop::sample::select(Category::ALL.to_vec()),
            standing in prop::sample::select(vec![Standing::Mine, Standing::Approved, Standing::Disapproved]))
            -> Seen
        {
            let place = Point::new(lat, lng).unwrap();
            let (id, day) = (MeetingId(id), date(2030, 5, 17));
            let meeting =
                Meeting { id, owner: owner.profile.person.id, title, description, day, grouping, category, place };
            Seen { meeting, owner: Arc::new(owner), standing }
        }
    }

    proptest! {
        #[test]
        fn the_bytes_are_those_of_the_objects(seen in prop::collection::vec(any_seen(), 0..4),
            host in "http://[a-z\"é.]{1,9}")
        {
            let (viewer, base) = (AccountId(1), BaseUrl(host.as_str().into()));
            let written = String::from_utf8(written(&seen, viewer, &base)).unwrap();
            let objects: Vec<_> =
                seen.into_iter().map(|seen| wire::Meeting::new(seen, viewer, &base)).collect();
            prop_assert_eq!(written, serde_json::to_string(&objects).unwrap());
        }
    }
}
