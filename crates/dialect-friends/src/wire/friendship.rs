//! Friendships and their users.

use domain::{AccountId, accounts::Person, relations};
use kit::{base_url::BaseUrl, times::wire_time};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::personal_image;

/// One side of a friendship.
#[derive(Serialize, ToSchema)]
pub(crate) struct User {
    id: Uuid,
    /// An absolute URL.
    personal_image: Option<String>,
    username: String,
    first_name: String,
    last_name: String,
    /// `""` unless it is one's own, or that side has accepted itself.
    email: String,
}

impl User {
    fn of(person: &Person, shows_email: bool, base: &BaseUrl) -> Self {
        Self {
            id: person.uuid,
            personal_image: personal_image(person, base),
            username: person.username.clone(),
            first_name: person.first_name.clone(),
            last_name: person.last_name.clone(),
            email: if shows_email { person.email.clone() } else { String::new() },
        }
    }
}

/// A friendship with both people.
#[derive(Serialize, ToSchema)]
pub(crate) struct Friendship {
    id: Uuid,
    from_user: User,
    to_user: User,
    date_created: String,
    /// `pending`, `accepted` or `rejected`.
    status_from_user: &'static str,
    /// The same.
    status_to_user: &'static str,
}

impl Friendship {
    /// As `viewer` sees it.
    pub(crate) fn of(friendship: &relations::Friendship, viewer: AccountId, base: &BaseUrl) -> Self {
        let relations::Friendship { relation, from, to } = friendship;
        let user = |person: &Person| User::of(person, relation.shows_email(person.id, viewer), base);
        Self {
            id: relation.id.0,
            from_user: user(from),
            to_user: user(to),
            date_created: wire_time(relation.created_at),
            status_from_user: relation.status_from.as_str(),
            status_to_user: relation.status_to.as_str(),
        }
    }
}

/// A friendship in the list.
#[derive(Serialize, ToSchema)]
pub(crate) struct ListedFriendship {
    id: Uuid,
    from_user: Uuid,
    to_user: Uuid,
    status_from_user: &'static str,
    status_to_user: &'static str,
    date_created: String,
}

impl From<&relations::Friendship> for ListedFriendship {
    fn from(friendship: &relations::Friendship) -> Self {
        let relations::Friendship { relation, from, to } = friendship;
        Self {
            id: relation.id.0,
            from_user: from.uuid,
            to_user: to.uuid,
            status_from_user: relation.status_from.as_str(),
            status_to_user: relation.status_to.as_str(),
            date_created: wire_time(relation.created_at),
        }
    }
}
