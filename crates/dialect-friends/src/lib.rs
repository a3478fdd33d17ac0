//! `friends`: accounts by UUID, friendships, receipts, media (document 002).
//!
//! [`routes`] is the table of contents.

mod accounts;
mod body;
mod credentials;
mod fault;
mod friendships;
mod handshake;
mod history;
mod live;
mod media;
mod messages;
mod said;
mod schema;
mod users;
mod wire;

use axum::{extract::FromRef, routing::get};
use domain::App;
use kit::context::Context;
use utoipa_axum::{router::OpenApiRouter, routes};

/// The dialect's name, in logs and in sessions.
pub(crate) const DIALECT: &str = "friends";

/// What an operator can set about this dialect.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Settings {
    /// Whether `refresh-token` needs an access token beside the refresh token, as document 002 has it.
    pub refresh_needs_access: bool,
}

/// What the handlers get.
#[derive(Clone)]
pub(crate) struct Friends {
    context: Context,
    settings: Settings,
}

/// All routes of the dialect.
pub fn routes(context: &Context, settings: Settings) -> OpenApiRouter {
    let state = Friends { context: context.clone(), settings };
    OpenApiRouter::new()
        .routes(routes!(accounts::sign_up))
        .routes(routes!(accounts::profile, accounts::update))
        .routes(routes!(credentials::sign_in))
        .routes(routes!(credentials::sign_out))
        .routes(routes!(credentials::refresh))
        .routes(routes!(users::list))
        .route("/api/users/users/", get(users::list))
        .routes(routes!(friendships::list, friendships::ask, friendships::answer))
        .routes(routes!(history::read))
        .route("/api/messages/friendship/{id}/messages/", get(history::read))
        .routes(routes!(messages::send))
        .routes(routes!(messages::see))
        .route("/ws/messages/", get(live::open))
        .route("/ws/", get(live::open))
        .with_state(state)
}

impl FromRef<Friends> for App {
    fn from_ref(friends: &Friends) -> Self {
        friends.context.app.clone()
    }
}

impl FromRef<Friends> for Context {
    fn from_ref(friends: &Friends) -> Self {
        friends.context.clone()
    }
}

impl FromRef<Friends> for Settings {
    fn from_ref(friends: &Friends) -> Self {
        friends.settings
    }
}
