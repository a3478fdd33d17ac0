//! `tutoring`: students, teachers, rooms (document 003).
//!
//! [`routes`] is the table of contents of what goes over HTTP; [`namespace`] is the Socket.IO namespace `/`.

mod fault;
mod live;
mod pages;
mod rooms;
mod schema;
mod tokens;
mod uploads;
mod wire;

use axum::{extract::FromRef, routing::get};
use domain::App;
use kit::context::Context;
use socketio::Namespace;
use utoipa_axum::{router::OpenApiRouter, routes};

/// The dialect's name, in logs and in sessions.
pub(crate) const DIALECT: &str = "tutoring";

/// What an operator can set about this dialect: nothing so far.
#[derive(Clone, Copy, Debug, Default)]
pub struct Settings {}

/// What the handlers get.
#[derive(Clone)]
pub(crate) struct Tutoring {
    context: Context,
}

/// All routes of the dialect. (`POST /api/token/refresh/`, which document 003 has too, is `messenger`'s.)
pub fn routes(context: &Context, Settings {}: Settings) -> OpenApiRouter {
    let state = Tutoring { context: context.clone() };
    OpenApiRouter::new()
        .routes(routes!(pages::home::home))
        .routes(routes!(pages::login::form, pages::login::sign_in))
        .routes(routes!(pages::logout::page, pages::logout::sign_out))
        .routes(routes!(tokens::obtain))
        .routes(routes!(rooms::list, rooms::create))
        .routes(routes!(rooms::messages))
        .routes(routes!(uploads::upload))
        .route("/pages/tutoring.css/", get(pages::assets::style))
        .route("/pages/tutoring.js/", get(pages::assets::script))
        .fallback(pages::unknown::unknown)
        .with_state(state)
}

/// The Socket.IO namespace `/`. To be called once, on a Tokio runtime: presence is counted here.
pub fn namespace(context: &Context) -> impl Namespace {
    live::Tutors::new(context)
}

impl FromRef<Tutoring> for App {
    fn from_ref(tutoring: &Tutoring) -> Self {
        tutoring.context.app.clone()
    }
}
