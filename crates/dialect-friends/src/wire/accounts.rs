//! Accounts and their tokens.

use domain::{
    accounts::Person,
    sessions::{Refreshed, Tokens},
};
use kit::base_url::BaseUrl;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::personal_image;

/// What a sign-up or sign-in gives.
#[derive(Serialize, ToSchema)]
pub(crate) struct SignedIn {
    refresh: String,
    access: String,
}

impl From<Tokens> for SignedIn {
    fn from(tokens: Tokens) -> Self {
        Self { refresh: tokens.refresh, access: tokens.access }
    }
}

/// What a refresh gives.
#[derive(Serialize, ToSchema)]
pub(crate) struct NewTokens {
    access: String,
    /// With rotation on.
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh: Option<String>,
}

impl From<Refreshed> for NewTokens {
    fn from(new: Refreshed) -> Self {
        Self { access: new.access, refresh: new.refresh }
    }
}

/// The caller, as the caller sees themselves.
#[derive(Serialize, ToSchema)]
pub(crate) struct Profile {
    id: Uuid,
    username: String,
    email: String,
    first_name: String,
    last_name: String,
    /// An absolute URL.
    personal_image: Option<String>,
}

impl Profile {
    pub(crate) fn of(person: Person, base: &BaseUrl) -> Self {
        Self {
            id: person.uuid,
            personal_image: personal_image(&person, base),
            username: person.username,
            email: person.email,
            first_name: person.first_name,
            last_name: person.last_name,
        }
    }
}

/// A user in the list.
#[derive(Serialize, ToSchema)]
pub(crate) struct ListedUser {
    id: Uuid,
    username: String,
    /// An absolute URL.
    personal_image: Option<String>,
}

impl ListedUser {
    pub(crate) fn of(person: Person, base: &BaseUrl) -> Self {
        Self { id: person.uuid, personal_image: personal_image(&person, base), username: person.username }
    }
}
