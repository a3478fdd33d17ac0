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
use jiff::civil::Date;
use kit::base_url::BaseUrl;

use crate::wire::file_name;

/// About as long as a meeting is.
const MEETING: usize = 1024;

/// Where photos are served.
const PHOTOS: &str = "/uploads/user-photos/";

/// The meetings as a JSON array, as `viewer` sees them.
pub(crate) fn written(seen: &[Seen], viewer: AccountId, base: &BaseUrl) -> Vec<u8> {
    let mut list =
        List { bytes: Vec::with_capacity(seen.len() * MEETING + 2), viewer, stems: Stems::of(base) };
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
    stems: Stems,
}

/// What stands around the numbers and names of URLs, as JSON: keys, opening quotes and the base, which is escaped once.
struct Stems {
    meeting: Box<str>,
    avatar: Box<str>,
    user: Box<str>,
    photo: Box<str>,
    delete_photo: Box<str>,
    set_avatar: Box<str>,
    thumbnail: Box<str>,
}

impl Stems {
    fn of(base: &BaseUrl) -> Self {
        let quoted = serde_json::Value::from(&*base.0).to_string();
        let base = &quoted[1..quoted.len() - 1];
        let stem = |before: &str, path: &str| format!("{before}\"{base}{path}").into_boxed_str();
        Self {
            meeting: stem("},\"subway\":null,\"href\":", "/meeting-detail/"),
            avatar: stem(",\"avatar\":", PHOTOS),
            user: stem(",\"href\":", "/user-detail/"),
            photo: stem("{\"photo\":", PHOTOS),
            delete_photo: stem("\",\"delete_photo\":", "/delete-photo/"),
            set_avatar: stem("/\",\"set_avatar\":", "/set-avatar/"),
            thumbnail: stem("/\",\"thumbnail\":", PHOTOS),
        }
    }
}

impl List {
    fn meeting(&mut self, seen: &Seen) {
        let Seen { meeting, owner, standing } = seen;
        self.put("{\"id\":");
        self.json(&meeting.id.0);
        self.text(",\"title\":\"", &meeting.title);
        self.put("\",\"meeting_date\":\"");
        self.day(meeting.day);
        self.text("\",\"description\":\"", &meeting.description);
        self.put("\",\"group_type\":");
        self.json(&meeting.grouping.number());
        self.put(",\"category\":");
        self.json(&meeting.category.number());
        self.owner(owner);
        self.put(",\"coordinates\":{\"lat\":");
        self.json(&meeting.place.lat());
        self.put(",\"lng\":");
        self.json(&meeting.place.lng());
        self.stem(|stems| &stems.meeting);
        self.json(&meeting.id.0);
        self.put(match standing {
            Standing::Mine => "/\",\"confirms\":{},\"color_status\":\"mine\"}",
            Standing::Approved => "/\",\"confirms\":{},\"color_status\":\"approved\"}",
            Standing::Disapproved => "/\",\"confirms\":{},\"color_status\":\"disapproved\"}",
        });
    }

    fn owner(&mut self, owner: &Portrait) {
        self.put(",\"owner\":{\"id\":");
        self.json(&owner.account.0);
        self.text(",\"username\":\"", &owner.nickname);
        self.text("\",\"first_name\":\"", &owner.first_name);
        self.text("\",\"about\":\"", &owner.about);
        match owner.birth_date {
            Some(day) => {
                self.put("\",\"birth_date\":\"");
                self.day(day);
                self.put("\",\"gender\":");
            }
            None => self.put("\",\"birth_date\":null,\"gender\":"),
        }
        self.json(&owner.gender.map(Gender::number));
        match owner.avatar() {
            Some(photo) => {
                self.stem(|stems| &stems.avatar);
                self.text("", file_name(&photo.key));
                self.put("\"");
            }
            None => self.put(",\"avatar\":\"\""),
        }
        self.stem(|stems| &stems.user);
        self.json(&owner.account.0);
        self.put("/\",\"photos\":[");
        for (place, photo) in owner.photos.iter().enumerate() {
            if place > 0 {
                self.put(",");
            }
            self.photo(photo);
        }
        self.put("]");
        if owner.account == self.viewer {
            self.text(",\"client_key\":\"", &owner.client_key);
            self.put("\"");
        }
        self.put("}");
    }

    fn photo(&mut self, photo: &Photo) {
        self.stem(|stems| &stems.photo);
        self.text("", file_name(&photo.key));
        self.stem(|stems| &stems.delete_photo);
        self.json(&photo.id.0);
        self.stem(|stems| &stems.set_avatar);
        self.json(&photo.id.0);
        self.stem(|stems| &stems.thumbnail);
        self.text("", file_name(photo.thumbnail.as_ref().unwrap_or(&photo.key)));
        self.put("\"}");
    }

    fn put(&mut self, json: &str) {
        self.bytes.extend_from_slice(json.as_bytes());
    }

    fn stem(&mut self, which: impl FnOnce(&Stems) -> &str) {
        self.bytes.extend_from_slice(which(&self.stems).as_bytes());
    }

    /// The text as it stands between quotes, after what comes before it.
    fn text(&mut self, before: &str, text: &str) {
        self.put(before);
        if is_plain(text) {
            self.put(text);
            return;
        }
        let at = self.bytes.len();
        self.json(text);
        // Its quotes.
        self.bytes.remove(at);
        self.bytes.pop();
    }

    /// `YYYY-MM-DD`.
    fn day(&mut self, day: Date) {
        // Writing to a vector does not fail.
        let _ = write!(self.bytes, "{day}");
    }

    fn json<T: serde::Serialize + ?Sized>(&mut self, value: &T) {
        // Neither does this, with numbers and texts.
        let _ = serde_json::to_writer(&mut self.bytes, value);
    }
}

/// Whether a text stands in JSON as it is.
#[expect(clippy::needless_bitwise_bool, reason = "without branches, one instruction looks at many bytes")]
fn is_plain(text: &str) -> bool {
    !text.bytes().fold(false, |escaped, byte| escaped | (byte < b' ') | (byte == b'"') | (byte == b'\\'))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use domain::{
        MeetingId, PhotoId,
        meetings::{Category, Grouping, Meeting, Point},
    };
    use jiff::civil::date;
    use proptest::prelude::*;

    use super::*;
    use crate::wire;

    prop_compose! {
        fn any_owner()(id in 1..3_i64, texts in prop::collection::vec("\\PC{0,9}|[\"\\\\\n\u{1}/<é]{0,5}", 5),
            keys in prop::collection::vec("avatars/[a-f0-9]{4}\\.png|[\"\\\\a-f]{3}", 0..3),
            thumbnail in any::<bool>(), has_avatar in any::<bool>(), day in prop::option::of(1..28_i8),
            gender in prop::option::of(prop::sample::select(vec![Gender::Female, Gender::Male])))
            -> Portrait
        {
            let [nickname, first_name, about, client_key] = [0, 1, 2, 3].map(|place: usize| texts[place].clone());
            let photos = keys.iter().zip(7..).map(|(key, number)| Photo {
                id: PhotoId(number),
                account: AccountId(id),
                key: key.clone(),
                thumbnail: thumbnail.then(|| texts[4].clone()),
                is_avatar: has_avatar && number == 7,
            });
            Portrait {
                account: AccountId(id),
                deleted: false,
                nickname,
                first_name,
                about,
                birth_date: day.map(|day| date(1990, 2, day)),
                gender,
                client_key,
                photos: photos.collect(),
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
                Meeting { id, owner: owner.account, title, description, day, grouping, category, place };
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
