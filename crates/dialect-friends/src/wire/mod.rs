//! The shapes of document 002.

mod accounts;
mod frame;
mod friendship;
mod message;
#[cfg(test)]
pub(crate) mod tests;

use domain::accounts::Person;
use kit::base_url::BaseUrl;

pub(crate) use accounts::{ListedUser, NewTokens, Profile, SignedIn};
pub(crate) use frame::{FriendshipFrame, MessageFrame, ReceiptFrame, RefreshedFrame};
pub(crate) use friendship::{Friendship, ListedFriendship};
pub(crate) use message::MessageStatus;

fn personal_image(person: &Person, base: &BaseUrl) -> Option<String> {
    person.avatar.photo.as_ref().map(|key| media_url(key, base))
}

fn media_url(key: &str, base: &BaseUrl) -> String {
    format!("{}/media/{key}", base.0)
}
