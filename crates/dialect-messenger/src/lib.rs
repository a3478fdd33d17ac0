//! `messenger`: e-mailed codes, friends, 42 sign-in, conversations (document 001).
//!
//! [`routes`] is the table of contents.

mod accounts;
mod conversations;
mod credentials;
mod fault;
mod live;
mod oauth;
mod refresh;
mod schema;
mod users;
mod wire;

use std::sync::Arc;

use axum::{extract::FromRef, routing::get};
use domain::{App, ports::OAuthProvider};
use kit::context::Context;
use utoipa_axum::{router::OpenApiRouter, routes};

/// The dialect's name, in logs and in sessions.
pub(crate) const DIALECT: &str = "messenger";

/// What an operator can set about this dialect.
#[derive(Clone, Default)]
pub struct Settings {
    /// 42 sign-in; off without.
    pub fortytwo: Option<Arc<dyn OAuthProvider>>,
    /// Where the browser goes after a 42 sign-in, its tokens in cookies; without, the answer is JSON.
    pub home_url: Option<String>,
}

/// What the handlers get.
#[derive(Clone)]
pub(crate) struct Messenger {
    context: Context,
    settings: Settings,
    spent_states: Arc<oauth::SpentStates>,
}

/// All routes of the dialect.
pub fn routes(context: &Context, settings: Settings) -> OpenApiRouter {
    let state = Messenger { context: context.clone(), settings, spent_states: Arc::default() };
    OpenApiRouter::new()
        .routes(routes!(accounts::register))
        .routes(routes!(accounts::change_password))
        .routes(routes!(credentials::send_code))
        .routes(routes!(credentials::sign_in))
        .routes(routes!(credentials::sign_out))
        .routes(routes!(refresh::refresh))
        .routes(routes!(users::update))
        .routes(routes!(users::list))
        .routes(routes!(users::add_friend))
        .routes(routes!(users::remove_friend))
        .routes(routes!(users::friends))
        .routes(routes!(oauth::authorize))
        .routes(routes!(oauth::callback))
        .routes(routes!(conversations::start))
        .routes(routes!(conversations::list))
        .routes(routes!(conversations::history))
        .route("/ws/chat/{id}/", get(live::open))
        .with_state(state)
}

impl FromRef<Messenger> for App {
    fn from_ref(messenger: &Messenger) -> Self {
        messenger.context.app.clone()
    }
}

impl FromRef<Messenger> for Context {
    fn from_ref(messenger: &Messenger) -> Self {
        messenger.context.clone()
    }
}
