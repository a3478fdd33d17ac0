//! `meetups`: meetings on a map, requests to take part, chats, photos (document 004).
//!
//! [`routes`] is the table of contents.

mod chats;
mod confirms;
mod envelope;
mod fault;
mod filters;
mod forms;
mod list;
mod live;
mod meetings;
mod photos;
mod schema;
mod sign_in;
mod users;
mod wire;

use std::{collections::HashMap, sync::Arc};

use axum::{extract::FromRef, routing::get};
use domain::{App, social::Provider};
use kit::context::Context;
use utoipa_axum::{router::OpenApiRouter, routes};

/// The dialect's name, in logs and in sessions.
pub(crate) const DIALECT: &str = "meetups";

/// What an operator can set about this dialect.
#[derive(Clone, Default)]
pub struct Settings {
    /// The social networks whose tokens sign in, by their short names.
    pub social: HashMap<String, Provider>,
}

/// What the handlers get.
#[derive(Clone)]
pub(crate) struct Meetups {
    context: Context,
    settings: Arc<Settings>,
}

/// All routes of the dialect.
pub fn routes(context: &Context, settings: Settings) -> OpenApiRouter {
    let state = Meetups { context: context.clone(), settings: Arc::new(settings) };
    OpenApiRouter::new()
        .routes(routes!(sign_in::sign_in))
        .routes(routes!(users::myself, users::update_myself))
        .routes(routes!(users::user, users::update))
        .routes(routes!(users::set_client_key))
        .routes(routes!(photos::upload))
        .routes(routes!(photos::set_avatar))
        .routes(routes!(photos::delete))
        .routes(routes!(photos::file))
        .routes(routes!(meetings::list, meetings::create))
        .routes(routes!(meetings::meeting, meetings::update))
        .routes(routes!(meetings::types))
        .routes(routes!(confirms::ask))
        .routes(routes!(confirms::list))
        .routes(routes!(confirms::answer))
        .routes(routes!(confirms::unread))
        .routes(routes!(chats::list))
        .routes(routes!(chats::messages))
        .routes(routes!(chats::remove))
        .route("/chat/{slug}/", get(live::open))
        .with_state(state)
}

impl FromRef<Meetups> for App {
    fn from_ref(meetups: &Meetups) -> Self {
        meetups.context.app.clone()
    }
}

impl FromRef<Meetups> for Context {
    fn from_ref(meetups: &Meetups) -> Self {
        meetups.context.clone()
    }
}
